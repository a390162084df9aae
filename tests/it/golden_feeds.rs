//! Golden pairs of every format: `tests/golden/feed/FORMAT--CASE.in` and the `.ok` that shows what
//! is read from it, or why it is refused. Rules beyond the format stand in `FORMAT--CASE.rules`,
//! one `key=value` a line. `GOLDEN=write cargo test --test it golden_feeds` writes the `.ok` anew;
//! the difference is reviewed.
//!
//! Every pair is read as `auto` too, which must say the same, refuse, or be named below.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use nullrouted::feed::formats::{Format, Ports, Rules, parse_body};
use nullrouted::feed::{End, Entry, FeedCopy, Refused};
use nullrouted::prefix::{Bits, HostBits};

/// Formats that no content shows: any table and any document may be one.
const NEVER_RECOGNISED: [&str; 3] = ["columns", "csv", "json"];

/// Bodies that several formats could be, and `auto` refuses for that.
const AMBIGUOUS: [&str; 3] = [
    "asndrop-json--empty",
    "spamhaus-json--empty",
    "crowdsec--null",
];

/// Bodies that `auto` reads as something else than the name says, and what as: a file that is wrong
/// for its format is often right for another.
const READ_AS_ANOTHER: [(&str, &str); 14] = [
    ("dshield--wrong", "spamhaus-text"),
    ("abusech-text--wrong", "cidr"),
    ("cidr--drop", "spamhaus-text"),
    ("emerging-threats--wrong", "cidr"),
    ("firehol--wrong", "cidr"),
    ("ipset--wrong", "nginx"),
    ("nginx--wrong", "cidr"),
    ("p2p--wrong", "cidr"),
    ("dat--wrong", "p2p"),
    ("rbldnsd--plain-list", "cidr"),
    ("rsc--wrong", "ipset"),
    ("spamhaus-json--wrong", "asndrop-json"),
    ("asndrop-json--wrong", "spamhaus-json"),
    ("spamhaus-text--wrong", "dshield"),
];

fn folder() -> PathBuf {
    crate::support::repository().join("tests/golden/feed")
}

/// Every case, by its name without an ending.
fn cases() -> Vec<String> {
    let mut cases: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix(".in")?.to_owned())
        })
        .collect();
    cases.sort();
    cases
}

fn rules(case: &str) -> Rules {
    let (name, _) = case.split_once("--").unwrap();
    let format = Format::NAMES.iter().find(|(known, _)| *known == name);
    let mut rules = Rules::of(format.unwrap_or_else(|| panic!("{case}: no such format")).1);
    // The samples are short, and what is wrong in them is what they are for.
    rules.few_bad_lines = 3;
    let side = fs::read_to_string(folder().join(format!("{case}.rules"))).unwrap_or_default();
    for (key, value) in side.lines().filter_map(|line| line.split_once('=')) {
        match key {
            "field" => rules.field = Some(value.to_owned()),
            "reference" => rules.reference = Some(value.to_owned()),
            "length" => rules.length = Some(value.to_owned()),
            "last" => rules.last = Some(value.to_owned()),
            "ports" if value == "ignore" => rules.ports = Ports::Ignore,
            "believe_empty" => rules.believe_empty = value == "true",
            "header" => rules.header = Some(value.to_owned().leak()),
            "host_bits" if value == "mask" => rules.host_bits = HostBits::Mask,
            "may_be_empty" => rules.may_be_empty = value == "true",
            "max_bytes" => rules.max_bytes = value.parse().unwrap(),
            "v4" => rules.lengths_v4 = lengths(value),
            "v6" => rules.lengths_v6 = lengths(value),
            _ => panic!("{case}: {key}={value} is no rule"),
        }
    }
    rules
}

/// `8-24`, or `no`.
fn lengths(value: &str) -> Option<(u8, u8)> {
    let (shortest, longest) = value.split_once('-')?;
    Some((shortest.parse().unwrap(), longest.parse().unwrap()))
}

fn shown(result: &Result<FeedCopy, Refused>) -> String {
    match result {
        Ok(copy) => shown_copy(copy),
        Err(refused) => format!("refused {}: {refused}\n", refused.state().name()),
    }
}

fn shown_copy(copy: &FeedCopy) -> String {
    let mut text = format!("format {}\n", copy.format);
    writeln!(text, "proof {}", copy.proof.unwrap_or("none")).unwrap();
    if let Some(generated) = copy.generated {
        writeln!(text, "generated {generated}").unwrap();
    }
    shown_entries(copy, &copy.v4, &copy.ends_v4, &mut text);
    shown_entries(copy, &copy.v6, &copy.ends_v6, &mut text);
    for origin in &copy.origins {
        let reference = copy.origin_reference(origin);
        writeln!(text, "{} AS{} {reference}", origin.line, origin.asn).unwrap();
    }
    for rejection in &copy.rejections {
        writeln!(text, "rejected {rejection}").unwrap();
    }
    if !copy.remarks.is_empty() {
        writeln!(text, "remarks {}", copy.remarks).unwrap();
    }
    assert!(copy.rejected >= copy.rejections.len());
    text.lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

fn shown_entries<B: Bits>(
    copy: &FeedCopy,
    entries: &[Entry<B>],
    ends: &[(u32, End)],
    text: &mut String,
) {
    for (entry, index) in entries.iter().zip(0_u32..) {
        let reference = copy.reference(entry);
        let own = ends.iter().filter(|(at, _)| *at == index);
        let until: String = own
            .map(|(_, end)| match end {
                End::NotBefore(time) => format!(" from {time}"),
                End::At(time) => format!(" until {time}"),
                End::After(span) => format!(" until {} s after the download", span.as_secs()),
            })
            .collect();
        let reference = if reference.is_empty() {
            String::new()
        } else {
            format!(" {reference}")
        };
        writeln!(text, "{} {}{reference}{until}", entry.line, entry.prefix()).unwrap();
    }
}

#[test]
fn every_golden_body_is_read_or_refused_as_its_pair_says() {
    let write = std::env::var_os("GOLDEN").is_some_and(|value| value == "write");
    let mut wrong = Vec::new();
    for case in cases() {
        let body = fs::read(folder().join(format!("{case}.in"))).unwrap();
        let got = shown(&parse_body(&body, &rules(&case)));
        let path = folder().join(format!("{case}.ok"));
        if write {
            fs::write(&path, &got).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != got {
            wrong.push(format!("--- {case}\n{got}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "GOLDEN=write writes them anew\n{}",
        wrong.concat()
    );
}

#[test]
fn auto_reads_every_golden_body_the_same_or_refuses_it() {
    let mut wrong = Vec::new();
    for case in cases() {
        let body = fs::read(folder().join(format!("{case}.in"))).unwrap();
        let named = rules(&case);
        let auto = Rules {
            format: Format::Auto,
            ..named.clone()
        };
        let (as_named, as_auto) = (parse_body(&body, &named), parse_body(&body, &auto));
        let another = READ_AS_ANOTHER.iter().find(|(name, _)| *name == case);
        let right = match (&as_named, &as_auto, another) {
            (_, Ok(copy), Some((_, format))) => copy.format.name() == *format,
            (Ok(_), Err(_), None) => {
                NEVER_RECOGNISED.contains(&named.format.name())
                    || AMBIGUOUS.contains(&case.as_str())
            }
            (Err(_), Ok(_), None) => false,
            (Err(_), Err(refused), _) => !refused.to_string().is_empty(),
            _ => as_named == as_auto,
        };
        if !right {
            wrong.push(format!(
                "--- {case}\n{}auto: {}",
                shown(&as_named),
                shown(&as_auto)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// Not with exceptions: where they stand behind the entries, nothing in those formats shows their
/// loss.
#[test]
fn no_cut_of_a_plain_golden_body_lists_what_the_whole_does_not() {
    for case in cases().iter().filter(|case| case.ends_with("--plain")) {
        let body = fs::read(folder().join(format!("{case}.in"))).unwrap();
        for rules in [
            rules(case),
            Rules {
                format: Format::Auto,
                ..rules(case)
            },
        ] {
            let Ok(whole) = parse_body(&body, &rules) else {
                continue;
            };
            for end in 0..body.len() {
                let Ok(cut) = parse_body(&body[..end], &rules) else {
                    continue;
                };
                let v4 = cut.v4.iter().map(Entry::prefix);
                for prefix in v4 {
                    let there = whole.v4.iter().any(|entry| entry.prefix() == prefix);
                    assert!(there, "{case} as {} cut at {end}: {prefix}", rules.format);
                }
                let v6 = cut.v6.iter().map(Entry::prefix);
                for prefix in v6 {
                    let there = whole.v6.iter().any(|entry| entry.prefix() == prefix);
                    assert!(there, "{case} as {} cut at {end}: {prefix}", rules.format);
                }
            }
        }
    }
}

#[test]
fn every_format_has_the_cases_that_all_formats_have() {
    let cases = cases();
    for (name, _) in Format::NAMES.iter().filter(|(name, _)| *name != "auto") {
        for case in ["plain", "empty", "cut", "odd", "wrong"] {
            let case = format!("{name}--{case}");
            assert!(cases.contains(&case), "{case}.in is missing");
        }
    }
}

#[test]
fn no_golden_file_holds_an_address_that_somebody_has() {
    for case in cases() {
        let shown = fs::read_to_string(Path::new(&folder()).join(format!("{case}.ok"))).unwrap();
        let listed = shown
            .lines()
            .filter_map(|line| line.split(' ').nth(1)?.split_once('/'));
        for (address, _) in listed {
            let ours = [
                "192.0.2.",
                "198.51.100.",
                "203.0.113.",
                "72.37.18",
                "2001:db8:",
                "0.0.0.0",
            ];
            assert!(
                ours.iter().any(|start| address.starts_with(start)),
                "{case}: {address}"
            );
        }
    }
}

/// Files that no format is made for, as people keep them.
const FOREIGN: [&str; 32] = [
    "ip,port,seen\n192.0.2.1,443,2026\n192.0.2.2,80,2026\n",
    "seen;ip\n2026;192.0.2.1\n2026;192.0.2.2\n",
    "192.0.2.1|a\n192.0.2.2|b\n",
    "\"192.0.2.1\",\"a\"\n\"192.0.2.2\",\"b\"\n",
    "\"ip\",\"why\"\n\"192.0.2.1\",\"a\"\n\"192.0.2.2\",\"b\"\n",
    "192.0.2.1,192.0.2.9\n198.51.100.1,198.51.100.9\n",
    "192.0.2.0,24\n198.51.100.0,24\n",
    "192.0.2.1\t9\n192.0.2.2\t8\n",
    "ip\tcount\n192.0.2.1\t9\n192.0.2.2\t8\n",
    "192.0.2.1 first one\n192.0.2.2 second one\n",
    "first 192.0.2.1\nsecond 192.0.2.2\n",
    "host address\na 192.0.2.1\nb 192.0.2.2\n",
    "192.0.2.1 # one\n192.0.2.2 two\n192.0.2.3 three\n",
    "; a\n192.0.2.1 one\n192.0.2.2 two\n",
    "a,b,c\n1,2,3\n4,5,6\n",
    "192.0.2.1;\n192.0.2.2;\n",
    "192.0.2.1,\n192.0.2.2,\n",
    "[blocked]\n192.0.2.1\n",
    "[blocked]\nips = 192.0.2.1 192.0.2.2\n",
    "['192.0.2.1']\n",
    "(\"192.0.2.1\", \"192.0.2.2\")\n",
    "{'a': ['192.0.2.1']}\n",
    "[\"192.0.2.1\", \"192.0.2.2\"]\n",
    "{\"ip\": \"192.0.2.1\"}\n{\"ip\": \"192.0.2.2\"}\n",
    "0.0.0.0 ads.example\n0.0.0.0 more.example\n",
    "ip prefix-list bad seq 5 permit 192.0.2.0/24 le 32\n",
    "access-list 10 deny 192.0.2.0 0.0.0.255\n",
    "iptables -A INPUT -s 192.0.2.1 -j DROP\niptables -A INPUT -s 192.0.2.2 -j DROP\n",
    "deny from 192.0.2.1\ndeny from 192.0.2.2\n",
    "Nov 30 10:00:01 host sshd[1]: Failed password from 192.0.2.1\n",
    "- 192.0.2.1\n- 192.0.2.2\n",
    "blocked:\n  - 192.0.2.1\n  - 192.0.2.2\n",
];

/// What a message says would read the text: a format, and a field.
fn promised(message: &str) -> Option<(&str, Option<&str>)> {
    let quoted = |key: &str| {
        let rest = message.split_once(&format!("{key} = \""))?.1;
        Some(rest.split_once('"').unwrap().0)
    };
    message
        .contains("it can be read")
        .then(|| (quoted("format").unwrap(), quoted("field")))
}

#[test]
fn auto_promises_nothing_that_then_fails() {
    let golden = cases().into_iter();
    let golden = golden.map(|case| fs::read(folder().join(format!("{case}.in"))).unwrap());
    let foreign = FOREIGN.iter().map(|text| text.as_bytes().to_vec());
    let (mut promises, mut broken) = (0, Vec::new());
    for body in golden.chain(foreign) {
        let rules = |format, field: Option<&str>| Rules {
            field: field.map(str::to_owned),
            max_bytes: 1 << 20,
            ..Rules::of(format)
        };
        let text = String::from_utf8_lossy(&body).into_owned();
        let message = match parse_body(&body, &rules(Format::Auto, None)) {
            Err(refused) => refused.to_string(),
            // What it reads, the format that it names reads as well.
            Ok(copy) => {
                let again = parse_body(&body, &rules(copy.format, None));
                if again.as_ref() != Ok(&copy) {
                    broken.push(format!("{text:?}: {}", copy.format));
                }
                continue;
            }
        };
        // The field of JSON is left open.
        let Some((name, field)) = promised(&message).filter(|(_, field)| *field != Some("…"))
        else {
            continue;
        };
        promises += 1;
        let format = Format::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap()
            .1;
        match parse_body(&body, &rules(format, field)) {
            Ok(copy) if !copy.is_empty() => {}
            other => broken.push(format!("{text:?}: {message}: {other:?}")),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(promises >= 15, "{promises} promises");
}
