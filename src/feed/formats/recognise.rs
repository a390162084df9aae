//! Recognises the format of a text, by what no other format has. A text without such a sign is
//! refused: a guess would be a list of something else.

use super::reader::{contains_ignoring_case, start_of};
use super::{Format, Reader, Rules, crowdsec, ipset, lines, nft, p2p, padded};
use crate::feed::Refused;
use crate::prefix::{HostBits, Malformed, asn_of, parse};

/// Number of lines that are read: headers of publishers are shorter.
const LOOKED_AT: usize = 200;

/// Longest text that is read a second time for a message, in bytes.
const TRIED: usize = 8 << 20;

/// The format of a text.
///
/// # Errors
/// [`Refused::Foreign`], which names the kind of text if it is known, and how to configure its
/// format.
pub(super) fn recognise(text: &str) -> Result<Format, Refused> {
    let start = text.trim_start();
    let is_ini = start.lines().next().is_some_and(is_section);
    let json_begins = start.starts_with(['{', '[']) && !is_block(start) && !is_ini;
    if let Some(kind) = literal(start) {
        return Err(unknown(kind, &[start]));
    }
    if json_begins || start.trim_end() == "null" {
        return json(start);
    }
    let (mut comments, mut entries) = (Vec::new(), Vec::new());
    for (_, line, _) in lines(text).take(LOOKED_AT) {
        match line.trim() {
            "" => {}
            line if line.starts_with(['#', ';']) || line.starts_with("//") => comments.push(line),
            line => entries.push(line),
        }
    }
    let begins = |words: &str| {
        comments
            .iter()
            .any(|line| line.trim_start_matches(['#', ' ']).starts_with(words))
    };
    // The end of a file is a sign as well.
    let last = text.trim_end().rsplit(['\n', '\r']).next().unwrap_or("");
    let says = |words: &str| {
        comments
            .iter()
            .any(|line| contains_ignoring_case(line, words))
    };
    let count = |is: &dyn Fn(&str) -> bool| entries.iter().filter(|line| is(line)).count();
    let most = |is: &dyn Fn(&str) -> bool| count(is) * 2 > entries.len();
    let known = [
        (
            // Also without its end: then it is a truncated list of this format, and no plain list.
            says("; Spamhaus") && entries.iter().rev().skip(1).all(|e| e.contains(';'))
                || says("Spamhaus") && last.trim() == "; EOF",
            Format::SpamhausText,
        ),
        (says("Entries") && says("FireHOL"), Format::Firehol),
        (
            says("DShield") && (most(&is_columns) || entries.is_empty()),
            Format::Dshield,
        ),
        (says("Emerging Threats"), Format::EmergingThreats),
        (
            (is_abusech(last) || begins("abuse.ch"))
                && (most(&|e| e.contains(',')) || entries.is_empty() && says(",DstIP")),
            Format::AbusechCsv,
        ),
        (is_abusech(last) || begins("abuse.ch"), Format::AbusechText),
        (
            entries.iter().any(|e| {
                e.contains(" firewall address-list") || e.contains("/firewall/address-list")
            }) || most(&|e| e.starts_with("add list=")),
            Format::Rsc,
        ),
        (entries.iter().any(|e| nft::is_nft(e)), Format::Nft),
        (most(&ipset::is_ipset), Format::Ipset),
        (
            text.trim_start().starts_with(crowdsec::RAW),
            Format::Crowdsec,
        ),
        (
            most(&|e| (e.starts_with("deny ") || e.starts_with("allow ")) && e.contains(';')),
            Format::Nginx,
        ),
        (
            entries.iter().any(|e| {
                ["$SOA ", "$NS ", ":127."]
                    .iter()
                    .any(|sign| e.starts_with(sign))
            }),
            Format::Rbldnsd,
        ),
        (
            most(&|e| e.contains(" - ") && e.contains(" , ")),
            Format::Dat,
        ),
        (
            // Single addresses in it are read the same either way; prefixes are not.
            count(&is_padded) > count(&|e| e.contains('/')) && most(&is_dat),
            Format::Dat,
        ),
        (
            most(&|e| p2p::split(e).is_some_and(|(_, range)| padded::range(range).is_ok())),
            Format::P2p,
        ),
        (
            most(&is_plain) || entries.is_empty() && !comments.is_empty(),
            Format::Cidr,
        ),
    ];
    if let Some((_, format)) = known.iter().find(|(shows, _)| *shows) {
        return Ok(*format);
    }
    Err(unknown(&other(&entries, text), &entries))
}

/// Whether a text that begins with a brace is a block of a RouterOS script.
fn is_block(text: &str) -> bool {
    let inside = text.trim_start_matches(['{', ' ', '\t', '\r', '\n']);
    inside.starts_with([':', '/'])
}

fn json(text: &str) -> Result<Format, Refused> {
    let first = text.lines().next().unwrap_or("");
    let has = |key: &str| text.contains(&format!("\"{key}\""));
    match () {
        () if first.contains("\"cidr\"") && first.contains("\"sblid\"") => Ok(Format::SpamhausJson),
        () if first.contains("\"asn\"") && first.contains("\"asname\"") => Ok(Format::AsnDropJson),
        () if has("objects") && has("bundle") => Ok(Format::Stix),
        () if has("Attribute") && has("to_ids") => Ok(Format::Misp),
        () if has("scope") && has("duration") && has("value") => Ok(Format::Crowdsec),
        () => Err(unknown(
            "JSON; with format = \"json\" and field = \"…\" it can be read",
            &[text],
        )),
    }
}

fn is_abusech(last: &str) -> bool {
    last.starts_with("# END ") && last.ends_with(" entries")
}

fn is_columns(line: &str) -> bool {
    line.matches('\t').count() >= 2
}

fn is_padded(line: &str) -> bool {
    let range = line.split(',').next().unwrap_or("");
    padded::range(range).is_ok() && parse(range, HostBits::Refuse).is_err()
}

fn is_dat(line: &str) -> bool {
    let range = line.split(',').next().unwrap_or("");
    padded::range_or_address(range).is_ok()
}

fn is_plain(line: &str) -> bool {
    let entry = line.split(['#', ';']).next().unwrap_or("");
    let entry = entry.split("//").next().unwrap_or("");
    let read = parse(entry, HostBits::Mask);
    matches!(read, Ok(_) | Err(Malformed::Port(_))) || asn_of(entry).is_some()
}

/// Kinds of text that are known, and not read without a setting of the operator.
fn other(entries: &[&str], text: &str) -> String {
    let first = entries.first().copied().unwrap_or("");
    let starts = |words: &[&str]| words.iter().any(|word| first.starts_with(word));
    if starts(&["0.0.0.0 ", "127.0.0.1 ", "::1 ", "0.0.0.0\t", "127.0.0.1\t"]) {
        "a hosts file: it names hosts, not networks".to_owned()
    } else if starts(&[
        "ip prefix-list",
        "ipv6 prefix-list",
        "set policy-options",
        "access-list",
    ]) {
        "a router's configuration, where permit, deny, le and ge change what a line means"
            .to_owned()
    } else if is_section(first) {
        "a file with INI sections, not a list".to_owned()
    } else if let Some(column) = column(entries, |row| row.split([',', ';', '|'])).or_else(|| {
        column(entries, |row| row.split('\t')).filter(|name| name.parse::<u32>().is_err())
    }) {
        format!("CSV; {}", promise(Format::Csv, &column, text))
    } else if first.matches([',', ';', '|']).count() >= 2 {
        "CSV; with format = \"csv\" and field = \"…\" it can be read".to_owned()
    } else if let Some(column) = column(entries, str::split_ascii_whitespace) {
        let promise = promise(Format::Columns, &column, text);
        format!("columns with blanks between them; {promise}")
    } else {
        "no list that is known".to_owned()
    }
}

/// What would read the text, as far as it would.
fn promise(format: Format, field: &str, text: &str) -> String {
    let with = match (format, field) {
        // The column that is read where none is named.
        (Format::Columns, "1") => format!("with format = \"{format}\""),
        _ => format!("with format = \"{format}\" and field = {field:?}"),
    };
    if text.len() > TRIED {
        return format!("{with} it may be read");
    }
    let rules = Rules {
        field: Some(field.to_owned()),
        ..Rules::of(format)
    };
    let mut reader = Reader::of_text(&rules, text);
    let read = super::read(format, text, &mut reader).and_then(|()| reader.finish());
    match read {
        Ok(_) => format!("{with} it can be read"),
        Err(refused) => format!("{with} it is refused as well: {refused}"),
    }
}

/// The column that holds addresses in most rows, by its name in the first row or its number.
fn column<'a, I: Iterator<Item = &'a str>>(
    entries: &[&'a str],
    split: impl Fn(&'a str) -> I,
) -> Option<String> {
    let holds = |field: &str| is_plain(field.trim().trim_matches('"'));
    let rows = entries.get(1..).filter(|rows| !rows.is_empty());
    let sample = *rows.unwrap_or(entries).first()?;
    let at = split(sample).position(holds)?;
    let is_table = |row: &&&'a str| split(row).count() > 1 && split(row).nth(at).is_some_and(holds);
    if entries.iter().filter(is_table).count() * 2 <= entries.len().saturating_sub(1) {
        return None;
    }
    let name = split(entries.first()?).nth(at)?.trim().trim_matches('"');
    let is_name = !holds(name) && name.starts_with(|c: char| c.is_ascii_alphabetic());
    Some(match is_name {
        true => name.to_owned(),
        false => (at + 1).to_string(),
    })
}

/// Whether a line is the name of a section: `[blocked]`.
fn is_section(line: &str) -> bool {
    let name = line
        .trim()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let of_name = |c: char| c.is_ascii_alphanumeric() || " _-.".contains(c);
    name.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(of_name)
    })
}

/// A value of a programming language that looks like JSON.
fn literal(start: &str) -> Option<&'static str> {
    let inside = start.trim_start_matches(['[', '(', '{', ' ', '\t', '\r', '\n']);
    let opens = start.starts_with(['[', '(', '{']);
    (opens && (inside.starts_with('\'') || start.starts_with("(\"")))
        .then_some("a literal of Python, not JSON and no list")
}

/// The reason, with the first line that is no comment.
fn unknown(what: &str, entries: &[&str]) -> Refused {
    let first = entries.first().copied().unwrap_or_default();
    Refused::Foreign(format!("{what} (its first entry is {:?})", start_of(first)))
}
