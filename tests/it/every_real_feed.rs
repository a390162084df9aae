//! Every file in the folder of real copies is read in the format it is in, and `auto` sees which
//! that is. Where there is no such folder, the tests say so and pass.

use std::collections::BTreeSet;
use std::fs;

use crate::support::real::{files, folder};
use nullrouted::feed::FeedCopy;
use nullrouted::feed::body::{Latin1, decode, unpack};
use nullrouted::feed::formats::{Format, Rules, parse_body};

/// What a file is: the format it is in with the field its addresses are in, and how many entries it
/// has by a count that knows nothing of our parser; or the state of its refusal.
enum Kind {
    Read(Format, &'static str, fn(&str) -> usize),
    Refused(Format, &'static str),
}

/// Lines that are neither blank nor a comment.
fn plain(text: &str) -> usize {
    let is_entry = |line: &&str| !line.is_empty() && !line.starts_with(['#', ';']);
    text.lines().map(str::trim).filter(is_entry).count()
}

fn rows_of_2000s(text: &str) -> usize {
    let starts = |line: &&str| line.trim_start_matches('"').starts_with("20");
    text.lines().filter(starts).count()
}

fn words_with_a_dot_and_no_letter(text: &str) -> usize {
    let address = |word: &&str| word.contains('.') && !word.contains(char::is_alphabetic);
    text.split('"').filter(address).count()
}

/// Entries of a zone; every one has the test entry 127.0.0.2, which is none.
fn zone(text: &str) -> usize {
    let starts = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
    let test = |line: &&str| line.split_whitespace().next() == Some("127.0.0.2");
    text.lines().filter(starts).count() - text.lines().filter(test).count()
}

fn kind(path: &str) -> Option<Kind> {
    use Kind::{Read, Refused};
    let starts = |start: &str| path.starts_with(start);
    let text = |format| Some(Read(format, "", plain));
    match path {
        "INDEX.md" | "SHA256SUMS" | "bench/gen_prefixes.py" => None,
        // Logs of changes, and shapes that have tests of their own.
        _ if starts("history/") || starts("synthetic/") => None,
        // The biggest set is read where there is time: by the benchmarks.
        "bench/ipv4-all-real.txt.gz" => None,
        "abusech/feodo_ipblocklist-intelmq.json" => {
            Some(Read(Format::Json, "[].ip_address", |text| {
                text.matches("\"ip_address\"").count()
            }))
        }
        _ if starts("abusech/") => Some(Read(Format::AbusechCsv, "", rows_of_2000s)),
        "cloud/bunny.json" => Some(Read(Format::Json, "ipv4[]", words_with_a_dot_and_no_letter)),
        "cloud/cloudflare.json" => Some(Read(Format::Json, "[]", |text| text.matches('/').count())),
        "cloud/fastly.json" => Some(Read(
            Format::Json,
            "addresses[]",
            words_with_a_dot_and_no_letter,
        )),
        "cloud/googlebot.json" => Some(Read(Format::Json, "prefixes[].ipv6Prefix", |text| {
            text.matches("\"ipv6Prefix\"").count()
        })),
        "dshield/special/DShield-progressive.txt" => text(Format::Cidr),
        "dshield/special/block-2ca519f9.txt" => Some(Refused(Format::Dshield, "foreign")),
        "dshield/special/block-b79b1a85.txt" | "dshield/special/block-intelmq-2015.txt" => {
            Some(Refused(Format::Dshield, "incomplete"))
        }
        _ if starts("dshield/") => Some(Read(Format::Dshield, "", |_| 20)),
        "emergingthreats/emerging-Block-IPs-2024-12-05.txt" => text(Format::EmergingThreats),
        _ if starts("firehol/2022") => text(Format::Firehol),
        _ if starts("iblocklist/") && path.ends_with(".dat") => text(Format::Dat),
        _ if starts("iblocklist/") => text(Format::P2p),
        "intelmq/bambenek_c2-ipmasterlist.txt" => Some(Read(Format::Csv, "1", plain)),
        "intelmq/cymru_infected_20171031.txt" => Some(Read(Format::Csv, "ip", plain)),
        _ if starts("intelmq/dataplane") => Some(Read(Format::Csv, "3", plain)),
        "intelmq/html_table_feodotracker.html" => Some(Refused(Format::Csv, "foreign")),
        "intelmq/misp_misp_event.json" => Some(Read(Format::Misp, "", |_| 0)),
        _ if starts("ipverse/") && path.contains(".json") => Some(Read(
            Format::Json,
            "prefixes.ipv4[]",
            words_with_a_dot_and_no_letter,
        )),
        // The fourth column is where a block starts, and the fifth how many addresses it has.
        _ if starts("rir/") => Some(Refused(Format::Cidr, "foreign")),
        _ if starts("spamhaus/asndrop_json/") => Some(Read(Format::AsnDropJson, "", |text| {
            text.matches("\"asn\"").count()
        })),
        "spamhaus/asndrop_txt/asndrop-intelmq-2015.txt" => {
            Some(Refused(Format::SpamhausText, "incomplete"))
        }
        "spamhaus/asndrop_txt/asn_drop-secops-2021-08-03.txt" => {
            Some(Read(Format::Cidr, "", |text| {
                let asns = text
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("AS"));
                let private = 64_512..=65_535;
                asns.filter(|asn| !private.contains(&asn.parse().unwrap_or(0)))
                    .count()
            }))
        }
        _ if starts("spamhaus/asndrop_txt/") => Some(Refused(Format::Cidr, "foreign")),
        _ if starts("spamhaus/drop_v4_json/") => Some(Read(Format::SpamhausJson, "", |text| {
            text.matches("\"cidr\"").count()
        })),
        "spamhaus/drop_txt/special/drop-20240516-2009.txt"
        | "spamhaus/drop_txt/special/drop-20240506-2210.txt"
        | "spamhaus/drop_txt/special/drop-20251118-1136.txt" => {
            Some(Refused(Format::SpamhausText, "foreign"))
        }
        "spamhaus/edrop_txt/edrop-gvanem-4b9fee4.txt" => {
            Some(Refused(Format::SpamhausText, "retired"))
        }
        // Older than the trailer.
        _ if [
            "795e3a3b", "e1c9cb5e", "09d1d23", "1b80c46", "fc1efe1", "a593812",
        ]
        .iter()
        .any(|commit| path.contains(commit)) =>
        {
            Some(Refused(Format::SpamhausText, "incomplete"))
        }
        _ if starts("spamhaus/mirrors/") => match path.rsplit('.').next() {
            Some("ipset") => text(Format::Ipset),
            Some("rsc") => Some(Read(Format::Rsc, "", |text| text.matches(" add ").count())),
            Some("json") => Some(Read(Format::Json, "v4[]", words_with_a_dot_and_no_letter)),
            _ => text(Format::Cidr),
        },
        _ if starts("spamhaus/") => text(Format::SpamhausText),
        "uceprotect/03_OvhSingapore.txt" => Some(Refused(Format::Cidr, "empty")),
        "uceprotect/ips.whitelisted.org.zone.gz" => Some(Refused(Format::Rbldnsd, "foreign")),
        _ if path.ends_with(".zone.gz") => Some(Read(Format::Rbldnsd, "", zone)),
        _ => text(Format::Cidr),
    }
}

/// Lines, or items of a document, that were read or rejected.
fn lines_of(copy: &FeedCopy) -> usize {
    let v4 = copy.v4.iter().map(|entry| entry.line);
    let v6 = copy.v6.iter().map(|entry| entry.line);
    let origins = copy.origins.iter().map(|origin| origin.line);
    let lines: BTreeSet<u32> = v4.chain(v6).chain(origins).collect();
    lines.len() + copy.rejected
}

/// What is wrong with how a file is read.
fn wrong(path: &str, body: &[u8], kind: &Kind) -> Option<String> {
    let (Kind::Read(format, field, _) | Kind::Refused(format, field)) = kind;
    let mut rules = Rules::of(*format);
    if matches!(kind, Kind::Read(..)) && !field.is_empty() {
        rules.field = Some((*field).to_owned());
    }
    let read = parse_body(body, &rules);
    rules.format = Format::Auto;
    let auto = parse_body(body, &rules);
    let needs_a_field = matches!(format, Format::Csv | Format::Json);
    match (kind, &read) {
        (Kind::Refused(_, state), Err(refused)) if refused.state().name() == *state => {
            return auto.is_ok().then(|| format!("{path}: auto reads it"));
        }
        (Kind::Read(_, _, count), Ok(copy)) => {
            let text = unpack(body, u64::MAX)
                .and_then(|body| Ok(decode(body, Latin1::Known)?.into_owned()));
            let text = text.unwrap();
            let there = count(&text);
            // Entries that an exception covers whole are not there any more.
            let exceptions = text.lines().filter(|line| line.starts_with('!')).count();
            if !(there - exceptions.min(there)..=there).contains(&lines_of(copy)) {
                return Some(format!("{path}: {} of {there} lines", lines_of(copy)));
            }
        }
        (_, Ok(copy)) => return Some(format!("{path}: {} entries", copy.len())),
        (_, Err(refused)) => return Some(format!("{path}: {refused}")),
    }
    match auto {
        Ok(_) if needs_a_field => Some(format!("{path}: auto guesses")),
        Err(_) if needs_a_field => None,
        Ok(auto) if Ok(&auto) == read.as_ref() => None,
        Ok(auto) => Some(format!("{path}: auto says {}", auto.format)),
        Err(refused) => Some(format!("{path}: auto: {refused}")),
    }
}

#[test]
fn every_real_file_is_read_in_its_format_and_recognised() {
    let Some(folder) = folder() else { return };
    let (mut folders, mut read, mut all) = (vec![folder.clone()], 0, Vec::new());
    while let Some(next) = folders.pop() {
        for path in files(&next) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            if let Some(kind) = kind(name) {
                read += 1;
                all.extend(wrong(name, &fs::read(&path).unwrap(), &kind));
            }
        }
    }
    println!("{read} files");
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// Shapes that are lists, and of which format; all others give no entry, whatever the format.
const SHAPES: [(&str, &[&str]); 17] = [
    ("crowdsec-decisions.json", &["auto", "crowdsec"]),
    ("crowdsec-stream.json", &["auto", "crowdsec"]),
    // The limits of the policy hold these.
    ("default-route.txt", &["auto", "cidr", "columns", "rbldnsd"]),
    (
        "drop-cr-only.txt",
        &["auto", "cidr", "spamhaus-text", "columns"],
    ),
    (
        "drop-crlf.txt",
        &["auto", "cidr", "spamhaus-text", "columns"],
    ),
    (
        "drop-multimember.txt.gz",
        &["auto", "cidr", "spamhaus-text", "columns"],
    ),
    (
        "drop-utf16le-bom.txt",
        &["auto", "cidr", "spamhaus-text", "columns"],
    ),
    (
        "drop-utf8-bom.txt",
        &["auto", "cidr", "spamhaus-text", "columns"],
    ),
    ("drop.txt.gz", &["auto", "cidr", "spamhaus-text", "columns"]),
    // Nothing proves a plain list: whoever calls it one has it so.
    ("drop-truncated-at-newline.txt", &["cidr", "columns"]),
    (
        "drop-truncated-inside-mask-slash1.txt",
        &["cidr", "columns"],
    ),
    ("drop-truncated-midline.txt", &["cidr", "columns"]),
    ("misp-event.json", &["auto", "misp"]),
    ("nginx-deny.conf", &["auto", "nginx"]),
    ("rbldnsd-ip4set.zone", &["auto", "rbldnsd"]),
    ("stix21-bundle.json", &["auto", "stix"]),
    ("README.md", &[]),
];

#[test]
fn hand_made_shapes_are_never_taken_for_what_they_are_not() {
    let Some(folder) = folder() else { return };
    for path in files(&folder.join("synthetic")) {
        let body = fs::read(&path).unwrap();
        let reads = |format: Format| {
            let rules = Rules {
                max_bytes: 1 << 22,
                ..Rules::of(format)
            };
            parse_body(&body, &rules).is_ok_and(|copy| !copy.is_empty())
        };
        let read = Format::NAMES.iter().filter(|(_, format)| reads(*format));
        let read: Vec<_> = read.map(|(name, _)| *name).collect();
        let name = path.file_name().unwrap().to_str().unwrap();
        let shape = SHAPES.iter().find(|(shape, _)| *shape == name);
        assert_eq!(
            read,
            shape.map_or(&[][..], |(_, formats)| formats),
            "{name}"
        );
    }
}
