//! Real copies of real lists, where the folder with them stands beside the repository. It is not
//! part of it: publishers grant no licence for that. Elsewhere this test says so and passes.

use std::fs;

use crate::support::real::{files, folder};
use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::feed::preset::PRESETS;

/// The entries that a text copy holds, counted without our parser.
fn entries_of_text(text: &str) -> usize {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with(';'))
        .count()
}

#[test]
fn every_json_copy_parses_to_the_count_of_its_own_trailer() {
    let Some(folder) = folder() else { return };
    let mut rules = Rules::of(Format::SpamhausJson);
    let preset = PRESETS
        .iter()
        .find(|preset| preset.name == "spamhaus-drop-v4")
        .unwrap();
    (rules.lengths_v4, rules.lengths_v6) = (preset.lengths_v4, preset.lengths_v6);
    let files = files(&folder.join("spamhaus/drop_v4_json"));
    assert!(files.len() > 10);
    for path in files {
        let body = fs::read(&path).unwrap();
        let last = body
            .trim_ascii_end()
            .rsplit(|byte| *byte == b'\n')
            .next()
            .unwrap();
        let trailer: serde_json::Value = serde_json::from_slice(last).unwrap();
        let copy = parse_body(&body, &rules)
            .unwrap_or_else(|refused| panic!("{}: {refused}", path.display()));
        assert_eq!(
            copy.len() as u64,
            trailer["records"].as_u64().unwrap(),
            "{}",
            path.display()
        );
        assert_eq!(
            copy.rejected,
            0,
            "{}: {:?}",
            path.display(),
            copy.rejections
        );
    }
}

#[test]
fn every_text_copy_with_a_trailer_parses_whole() {
    let Some(folder) = folder() else { return };
    let rules = Rules::of(Format::SpamhausText);
    let mut whole = 0;
    for list in ["drop_txt/daily", "dropv6_txt"] {
        for path in files(&folder.join("spamhaus").join(list)) {
            let body = fs::read(&path).unwrap();
            let text = std::str::from_utf8(&body).unwrap();
            let copy = parse_body(&body, &rules)
                .unwrap_or_else(|refused| panic!("{}: {refused}", path.display()));
            assert_eq!(copy.len(), entries_of_text(text), "{}", path.display());
            assert_eq!(copy.rejected, 0, "{}", path.display());
            whole += 1;
        }
    }
    assert!(whole > 20, "{whole}");
}

#[test]
fn the_special_copies_are_what_the_index_says_they_are() {
    let Some(folder) = folder() else { return };
    let special = folder.join("spamhaus/drop_txt/special");
    let rules = Rules::of(Format::SpamhausText);
    let outcome = |name: &str| match parse_body(&fs::read(special.join(name)).unwrap(), &rules) {
        Ok(copy) => Ok(copy.len()),
        Err(refused) => Err(refused.state().name()),
    };
    for (name, expected) in [
        ("drop-20240229-1139.txt", Ok(988)),
        ("drop-20240410-1110.txt", Ok(1_354)),
        ("drop-20251117-1227.txt", Ok(1_448)),
        ("drop-20251117-1307.txt", Ok(1_478)),
        ("drop-20240506-2210.txt", Err("foreign")),
        ("drop-20240516-2009.txt", Err("foreign")),
        ("drop-20251118-1136.txt", Err("foreign")),
        // Before the trailer existed nothing proved a copy whole.
        ("drop-e1c9cb5e.txt", Err("incomplete")),
    ] {
        assert_eq!(outcome(name), expected, "{name}");
    }
    let tombstone = fs::read(folder.join("spamhaus/edrop_txt/edrop-gvanem-4b9fee4.txt")).unwrap();
    assert_eq!(
        parse_body(&tombstone, &rules).unwrap_err().state().name(),
        "retired"
    );
}

#[test]
fn the_hand_made_shapes_are_read_or_refused_as_they_should_be() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("synthetic");
    // Not every copy of the folder has every shape.
    let there = |name: &&str| folder.join(name).is_file();
    let read = |name: &str, format: Format| {
        parse_body(&fs::read(folder.join(name)).unwrap(), &Rules::of(format))
    };
    let whole = read("drop-crlf.txt", Format::SpamhausText).unwrap().len();
    assert_eq!(
        read("drop-utf8-bom.txt", Format::SpamhausText)
            .unwrap()
            .len(),
        whole
    );
    for name in [
        "drop-truncated-at-newline.txt",
        "drop-truncated-inside-mask-slash1.txt",
        "drop-truncated-inside-mask-slash2.txt",
        "drop-truncated-midline.txt",
        "drop-truncated-midprefix.txt",
    ]
    .iter()
    .filter(|name| there(name))
    {
        assert_eq!(
            read(name, Format::SpamhausText).unwrap_err().state().name(),
            "incomplete",
            "{name}"
        );
    }
    let json = [
        "drop_v4-one-record-lost.json",
        "drop_v4-truncated-no-metadata.json",
    ];
    for name in json.iter().filter(|name| there(name)) {
        assert_eq!(
            read(name, Format::SpamhausJson).unwrap_err().state().name(),
            "incomplete",
            "{name}"
        );
    }
    for name in [
        "cloudflare-block-403.html",
        "cloudflare-challenge.html",
        "could-not-connect.txt",
        "empty.txt",
        "whitespace-only.txt",
        "misp-event.json",
        "throttled-200-dan.me.uk.txt",
    ]
    .iter()
    .filter(|name| there(name))
    {
        for format in [Format::Cidr, Format::SpamhausText, Format::SpamhausJson] {
            assert!(read(name, format).is_err(), "{name} as {format}");
        }
    }
}

#[test]
fn the_big_sets_parse_whole() {
    let Some(folder) = folder() else { return };
    for (name, entries) in [
        ("ipv4-le24-real.txt.gz", 483_381),
        ("ipv6-all-real.txt.gz", 228_367),
    ] {
        let packed = folder.join("bench").join(name);
        let body = std::process::Command::new("gzip")
            .arg("-dc")
            .arg(&packed)
            .output()
            .unwrap()
            .stdout;
        let copy = parse_body(&body, &Rules::of(Format::Cidr)).unwrap();
        assert_eq!((copy.len(), copy.rejected), (entries, 0), "{name}");
    }
}
