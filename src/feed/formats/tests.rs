//! What holds for all formats together.

use nix::time::{ClockId, clock_gettime};

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
        "1 of 1 lines are invalid (line 1: \"error code: 520\": not an address or a prefix)"
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
    let used = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    let start = used();
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
    let used = used() - start;
    assert!(used.tv_sec() < 30, "{used}");
}

#[test]
fn ranges_cannot_stand_for_more_entries_than_their_lines_and_bytes_allow() {
    let range = "2001:db8::1-2001:db8:ffff:ffff:ffff:ffff:ffff:fffe";
    let lines = format!("{range}\n").repeat(45_000);
    assert_eq!(
        refusal(lines.as_bytes(), Format::Cidr),
        "the ranges in its first 379 lines stand for more than 71600 prefixes, which those of no list do"
    );
    // The same in other formats, and as exceptions.
    let value = |format: &str| format!("{format}\n").repeat(5_000);
    for (format, body) in [
        (Format::Nginx, value(&format!("deny {range};"))),
        (Format::Nginx, value(&format!("allow {range};"))),
        (Format::Ipset, value(&format!("add x {range}"))),
        (Format::Ipset, value(&format!("add x {range} nomatch"))),
        (Format::Ipset, value(&format!("add x {range} timeout 60"))),
        (
            Format::Rbldnsd,
            "$NS 1 ns.example\n".to_owned() + &value(&format!("!{range}")),
        ),
        (Format::P2p, value("name:1.0.0.1-126.255.255.254")),
        (Format::Dat, value("1.0.0.1 - 126.255.255.254 , 0 , name")),
        (
            Format::Rsc,
            "/ipv6 firewall address-list\n".to_owned()
                + &value(&format!("add list=x address={range}")),
        ),
    ] {
        let refused = refusal(body.as_bytes(), format);
        assert!(
            refused.starts_with("the ranges in its first "),
            "{format}: {refused}"
        );
    }
}

#[test]
fn single_ranges_may_be_as_wide_as_they_like() {
    let widest = "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe\n".repeat(250);
    let copy = parse_body(widest.as_bytes(), &Rules::of(Format::Cidr)).unwrap();
    assert_eq!(copy.len(), 250 * 254);
}

#[test]
fn a_list_has_no_more_entries_than_may_come_into_force_a_few_times_over() {
    let rules = |format| Rules {
        max_entries: 1_000,
        field: Some("ip".to_owned()),
        ..Rules::of(format)
    };
    let hosts = |most: u32, line: &dyn Fn(u32) -> String| (0..most).map(line).collect::<String>();
    let plain = |i: u32| format!("11.0.{}.{}\n", i / 256, i % 256);
    let cidr = |most| parse_body(hosts(most, &plain).as_bytes(), &rules(Format::Cidr));
    assert_eq!(cidr(1_000).unwrap().len(), 1_000);
    let refused = "more than 1000 entries, which is all that [limits] max_routes lets a list have \
                   (4 for each route, at least 100000)";
    assert_eq!(cidr(1_001).unwrap_err().to_string(), refused);
    assert_eq!(cidr(50_000).unwrap_err().to_string(), refused);
    // The long way, another format, and origin ASes.
    let commented = |i: u32| format!("11.0.{}.{} # x\n", i / 256, i % 256);
    let csv = |i: u32| format!("11.0.{}.{},x\n", i / 256, i % 256);
    let records = hosts(1_001, &|i| {
        format!("{{\"asn\":{},\"asname\":\"X\"}}\n", i + 1)
    });
    let asns = format!(
        "{records}{{\"type\":\"metadata\",\"timestamp\":1782987242,\"size\":{},\"records\":1001}}\n",
        records.len()
    );
    for (format, body) in [
        (Format::Cidr, hosts(1_001, &commented)),
        (Format::Csv, "ip,why\n".to_owned() + &hosts(1_001, &csv)),
        (Format::AsnDropJson, asns),
    ] {
        let read = parse_body(body.as_bytes(), &rules(format));
        assert_eq!(read.unwrap_err().to_string(), refused, "{format}");
    }
}

#[test]
fn exceptions_cannot_cut_a_list_into_more_pieces_than_its_size_allows() {
    // Each exception leaves a dozen pieces; the entry is listed many times.
    let holes: String = (0..4).map(|i| format!("!11.0.{}.1\n", 64 * i)).collect();
    let zone = "$NS 1 ns.example\n".to_owned() + &holes + &"11.0.0.0/16\n".repeat(3_000);
    assert_eq!(
        refusal(zone.as_bytes(), Format::Rbldnsd),
        "its exceptions cut its entries into more than 73043 pieces, which those of no list do"
    );
    let fewer = "$NS 1 ns.example\n".to_owned() + &holes + &"11.0.0.0/16\n".repeat(10);
    let copy = parse_body(fewer.as_bytes(), &Rules::of(Format::Rbldnsd)).unwrap();
    assert_eq!(copy.rejected, 0);
    assert_eq!(copy.len() % 10, 0);
}

#[test]
fn a_range_of_many_prefixes_is_one_good_line() {
    let body = "192.0.2.1-203.0.113.254\n".to_owned() + &"no entry\n".repeat(4);
    assert_eq!(
        refusal(body.as_bytes(), Format::Cidr),
        "4 of 5 lines are invalid (line 2: \"no entry\": not an address or a prefix)"
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
    let values = "0,".repeat(4_000_001);
    for body in [
        format!("[{values}0]"),
        format!("{{\"type\":\"bundle\",\"x\":[{values}0]}}"),
        // Lines are documents, too.
        format!("{{\"ip\":\"192.0.2.1\"}}\n[{values}0]\n"),
    ] {
        let rules = Rules {
            field: Some("ip".to_owned()),
            ..Rules::of(Format::Json)
        };
        assert_eq!(
            parse_body(body.as_bytes(), &rules).unwrap_err().to_string(),
            "JSON with more than 4000000 values in one document, which no list has"
        );
    }
}
