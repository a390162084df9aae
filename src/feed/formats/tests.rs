//! What holds for all formats together.

use super::*;

fn refusal(body: &[u8], format: Format) -> String {
    parse_body(body, &Rules::of(format))
        .unwrap_err()
        .to_string()
}

#[test]
fn an_error_body_is_never_a_list() {
    for (_, format) in Format::NAMES {
        for body in [
            "<!DOCTYPE html><html><body>8.8.8.8 1.10.0.1/8</body></html>",
            "  \n<html>",
            "error code: 520",
            "error code: 520\n",
            "{\"status\":500,\"message\":\"Internal Server Error\"}",
            "Could not connect: \n",
            "Umm... You can only fetch the data every 30 minutes\n",
            "",
            "  \n \n",
        ] {
            let rules = Rules {
                field: Some("ip".to_owned()),
                ..Rules::of(format)
            };
            let refused = parse_body(body.as_bytes(), &rules);
            assert!(refused.is_err(), "{format}: {body:?} gave {refused:?}");
        }
    }
}

#[test]
fn the_refusal_says_what_was_seen() {
    assert_eq!(
        refusal(b"<html>", Format::Cidr),
        "an HTML or XML page, not a list"
    );
    assert_eq!(refusal(b"\n", Format::Cidr), "empty");
    assert_eq!(
        refusal(b"192.0.2.1\n\xa9\n", Format::Cidr),
        "not UTF-8 text (byte 10)"
    );
    assert_eq!(
        refusal(b"error code: 520\n", Format::Cidr),
        "1 of 1 lines are no entries (line 1: \"error code: 520\": not an address or a prefix)"
    );
}

#[test]
fn a_feed_of_one_family_rejects_the_other_and_odd_lengths() {
    let rules = Rules {
        lengths_v4: Some((8, 24)),
        lengths_v6: None,
        few_bad_lines: 3,
        ..Rules::of(Format::Cidr)
    };
    let body = b"192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n192.0.2.1\n2001:db8::/32\n";
    let copy = parse_body(body, &rules).unwrap();
    let reasons: Vec<_> = copy.rejections.iter().map(|r| r.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["this feed lists /8 to /24", "this feed lists no IPv6"]
    );
    assert_eq!(copy.len(), 3);
}

#[test]
fn a_list_whose_header_names_another_list_is_another_list() {
    let rules = Rules {
        header: Some("Level 1"),
        ..Rules::of(Format::Cidr)
    };
    let read = |body: &str| parse_body(body.as_bytes(), &rules).map(|copy| copy.len());
    assert_eq!(read("# this is LEVEL 1\n192.0.2.0/24\n"), Ok(1));
    assert_eq!(
        read("# this is level 2\n192.0.2.0/24\n")
            .unwrap_err()
            .to_string(),
        "another list: no comment of it says \"Level 1\"; its first comment is \"this is level 2\""
    );
    assert_eq!(
        read("192.0.2.0/24\n").unwrap_err().to_string(),
        "another list: no comment of it says \"Level 1\"; it has no comment at all"
    );
}

#[test]
fn a_hostile_body_costs_no_more_than_its_size() {
    let start = std::time::Instant::now();
    let long = |part: &str| part.repeat((1 << 19) / part.len());
    for body in [
        long(","),
        long(":"),
        long("["),
        long("{\"a\":"),
        long("\r"),
        long("#"),
        long("-"),
        long("\""),
        long("add "),
        long("list="),
        long("1.2.3.4 "),
        long("add list=x \\\n"),
        long("!192.0.2.1\n"),
        long("a:1.2.3.4-"),
        "# FireHOL Entries : ".to_owned() + &long("9"),
    ] {
        for (_, format) in Format::NAMES {
            let rules = Rules {
                field: Some("ip".to_owned()),
                ..Rules::of(format)
            };
            let body = body.clone() + "\n";
            if let Err(refused) = parse_body(body.as_bytes(), &rules) {
                assert!(refused.to_string().len() < 2_000, "{format}");
            }
        }
    }
    // Quadratic time would be minutes.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn ranges_cannot_stand_for_more_entries_than_memory_holds() {
    let body = "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe\n".repeat(45_000);
    assert_eq!(
        refusal(body.as_bytes(), Format::Cidr),
        "more than 10000000 entries, which no list has"
    );
}

#[test]
fn a_range_of_many_prefixes_is_one_good_line() {
    let body = "192.0.2.1-203.0.113.254\n".to_owned() + &"no entry\n".repeat(4);
    assert_eq!(
        refusal(body.as_bytes(), Format::Cidr),
        "4 of 5 lines are no entries (line 2: \"no entry\": not an address or a prefix)"
    );
}

#[test]
fn a_message_is_one_short_line_whatever_the_body_says() {
    let long = "x".repeat(10_000);
    let names = format!("\u{1b}[31m{long},b\n");
    let rules = Rules {
        field: Some("ip".to_owned()),
        ..Rules::of(Format::Csv)
    };
    let refused = parse_body(names.as_bytes(), &rules)
        .unwrap_err()
        .to_string();
    assert!(
        refused.len() < 600 && !refused.contains(char::is_control),
        "{refused}"
    );
}

#[test]
fn a_document_of_millions_of_objects_is_refused_before_it_takes_its_memory() {
    let body = format!("[{}{{}}]", "{},".repeat(1_000_001));
    for format in [Format::Json, Format::Stix, Format::Misp, Format::Crowdsec] {
        let rules = Rules {
            field: Some("[].ip".to_owned()),
            ..Rules::of(format)
        };
        let refused = parse_body(body.as_bytes(), &rules).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "JSON with more than 1000000 objects in one document, which no list has"
        );
    }
}
