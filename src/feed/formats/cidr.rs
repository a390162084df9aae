//! The plain list: one prefix, address or range per line, IPv4 and IPv6 mixed.
//!
//! Comments start with `#`, `;` or `//`, on a line of their own or after an entry; a comment after
//! an entry is its reference. Nothing in this format proves that a file is complete, so a last line
//! without a newline is not accepted: `198.51.100.0/2` may have been `/24`.
//!
//! Most lines of most lists are a bare IPv4 address or prefix; they are parsed in one pass over
//! their bytes. All other lines take the slower path, which applies all rules.

use super::lines::{line_end, lines_ended_by};
use super::{Reader, dates};
use crate::feed::{Refused, foreign};
use crate::prefix::{HostBits, Prefix, leading_v4, parse};

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    // Of the whole text, not of the rest: the last line may contain a CR and no LF.
    let end = line_end(text);
    let lines = memchr::memchr_iter(end as u8, text.as_bytes()).count();
    reader.copy.v4.reserve(lines.min(reader.room()));
    let mut rest = text;
    let mut number = 0;
    // Plain lines; then one line by the slower path, and so on.
    loop {
        let (plain, read) = read_plain(rest, number, reader);
        rest = &rest[read..];
        number += plain;
        let Some((_, line, ended)) = lines_ended_by(end, rest).next() else {
            return Ok(());
        };
        number += 1;
        read_line(number, line, ended, reader)?;
        rest = rest.find(end).map_or("", |at| &rest[at + 1..]);
    }
}

/// Read lines that are a bare IPv4 address or prefix. Returns their number, and their bytes.
fn read_plain(text: &str, before: u32, reader: &mut Reader) -> (u32, usize) {
    let Some((shortest, longest)) = reader.rules.lengths_v4 else {
        return (0, 0);
    };
    let bytes = text.as_bytes();
    let room = u32::try_from(reader.room()).unwrap_or(u32::MAX);
    let (mut lines, mut at) = (0, 0);
    while lines < room
        && let Some((addr, len, read)) = leading_v4(&bytes[at..])
    {
        let end = match bytes[at + read..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => break,
        };
        let prefix = Prefix::new(addr, len);
        let host_bits = prefix.first() != addr && reader.rules.host_bits == HostBits::Refuse;
        if host_bits || len < shortest || len > longest {
            break;
        }
        lines += 1;
        at += read + end;
        reader.copy.add_v4(prefix, before + lines);
    }
    (lines, at)
}

fn read_line(number: u32, line: &str, ended: bool, reader: &mut Reader) -> Result<(), Refused> {
    let (entry, comment) = split_comment(line);
    let entry = entry.trim_ascii();
    if entry.is_empty() {
        reader.generated(generated(comment));
        reader.comment(comment);
        return Ok(());
    }
    if !ended {
        reader.unended(number, line);
        return Ok(());
    }
    if let Some(kind) = other_file(entry) {
        return foreign(format!("line {number}: {kind}, not a plain list"));
    }
    if is_second_column(line, entry, comment) {
        let why = "a second address behind a semicolon; format = \"csv\" reads columns";
        reader.reject(number, line, why);
    } else {
        reader.entry(number, entry, comment.trim());
    }
    Ok(())
}

/// Whether the comment is no comment: `192.0.2.0;192.0.2.255`.
fn is_second_column(line: &str, entry: &str, comment: &str) -> bool {
    let behind = line.trim_ascii_start().strip_prefix(entry);
    let column = comment.split(';').next().unwrap_or_default();
    behind.is_some_and(|rest| rest.starts_with(';')) && parse(column, HostBits::Mask).is_ok()
}

/// `last updated 1710089701 (…)`, as Team Cymru writes it.
fn generated(comment: &str) -> Option<crate::time::Timestamp> {
    let (_, rest) = comment.split_once("last updated ")?;
    dates::epoch(rest.split_ascii_whitespace().next()?.parse().ok()?)
}

/// The entry and the text after the comment sign.
fn split_comment(line: &str) -> (&str, &str) {
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'#' | b';' => return (&line[..at], line[at + 1..].trim_start_matches(['#', ';'])),
            b'/' if bytes.get(at + 1) == Some(&b'/') => return (&line[..at], &line[at + 2..]),
            _ => {}
        }
    }
    (line, "")
}

/// Other kinds of files, recognised by a line that no list has.
pub(super) fn other_file(entry: &str) -> Option<&'static str> {
    if entry.starts_with('{') || entry.starts_with('[') && entry.ends_with([',', '[', '{']) {
        return Some("JSON");
    }
    let mut words = entry.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    let sink = matches!(first, "0.0.0.0" | "127.0.0.1" | "::1" | "::");
    let names_a_host = second.starts_with(|c: char| c.is_ascii_alphabetic());
    (sink && names_a_host).then_some("a hosts file")
}

#[cfg(test)]
mod ways;

#[cfg(test)]
mod tests {
    use crate::feed::formats::{Format, Rules, parse_body};

    #[test]
    fn entries_of_both_families_with_comments_behind_them_are_read() {
        let body = "\
# hosts of the spammer\r
72.37.186/23 # ticket 17\r
2001:db8::/32\t; ticket 18
192.0.2.1 // one
\t198.51.100.0 - 198.51.100.3
192.0.2.1#x
";
        let copy = parse_body(body.as_bytes(), &Rules::of(Format::Cidr)).unwrap();
        let v4: Vec<_> = copy
            .v4
            .iter()
            .map(|e| (e.prefix().to_string(), e.line, copy.reference(e)))
            .collect();
        assert_eq!(
            v4,
            [
                ("72.37.186.0/23".to_owned(), 2, "ticket 17"),
                ("192.0.2.1/32".to_owned(), 4, "one"),
                ("198.51.100.0/30".to_owned(), 5, ""),
                ("192.0.2.1/32".to_owned(), 6, "x"),
            ]
        );
        assert_eq!(copy.v6[0].prefix().to_string(), "2001:db8::/32");
        assert_eq!(copy.rejected, 0);
    }

    #[test]
    fn a_last_line_without_newline_is_not_believed() {
        let body = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/2";
        let copy = parse_body(body.as_bytes(), &Rules::of(Format::Cidr)).unwrap();
        assert_eq!(copy.len(), 2);
        assert_eq!(
            copy.rejections[0].to_string(),
            "line 3: \"203.0.113.0/2\": the last line has no newline, so it may be cut short"
        );
    }

    #[test]
    fn a_hosts_file_gives_nothing() {
        let body = "# my hosts\n127.0.0.1 localhost\n0.0.0.0 ads.example\n";
        let refused = parse_body(body.as_bytes(), &Rules::of(Format::Cidr)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "line 2: a hosts file, not a plain list"
        );
    }

    #[test]
    fn a_list_of_comments_is_a_list_without_an_entry() {
        let body = "# This list has been merged into another one\n# bye\n";
        let refused = parse_body(body.as_bytes(), &Rules::of(Format::Cidr)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "retired by its publisher: \"This list has been merged into another one\""
        );
        let own = Rules {
            may_be_empty: true,
            ..Rules::of(Format::Cidr)
        };
        assert!(parse_body(body.as_bytes(), &own).unwrap().is_empty());
        assert!(
            parse_body(b"\n", &own).is_err(),
            "zero bytes may be a full disk"
        );
    }
}
