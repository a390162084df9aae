//! The list does not come whole, or not at all, or in a shape of its own.

use std::io::Write;

use crate::feed_lies::{JSON, TEXT, body};
use crate::support::http::Answer;
use crate::{Incident, drop_json, drop_text, plain, reached};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn network_down() {
    let incident = Incident::after("", body(&plain(5)));
    incident.survives(Answer::Silence, "failed", "no answer after 1 s");
    incident.survives(
        Answer::Status("503 Service Unavailable", String::new()),
        "failed",
        "HTTP 503",
    );
    reached::after_a_start_while_the_network_is_down();
}

pub fn cut_in_the_mask() {
    // A quarter of IPv4, if it were believed.
    let cut = "223.155.16.0/2";
    let incident = Incident::after("", body(&plain(50)));
    let ran = incident
        .then(Answer::Open(format!("{}{cut}", plain(50))))
        .code(0);
    ran.says("1 rejected (line 51: \"223.155.16.0/2\": the last line has no newline, so it may be cut short)");
    assert_eq!(incident.listed(), incident.in_force);
    // Ended by a server that means well: host bits under a short mask are refused, never masked.
    let ran = incident
        .then(body(&format!("{}{cut}\n", plain(50))))
        .code(0);
    ran.says("host bits set, probably 192.0.0.0/2 was meant");
    assert_eq!(incident.listed(), incident.in_force);
    let lenient = Incident::after("host_bits = \"mask\"", body(&plain(50)));
    let ran = lenient
        .then(body(&format!("{}{cut}\n192.0.2.9/24\n", plain(50))))
        .code(0);
    ran.says("line 51: \"223.155.16.0/2\": this feed lists /8 to /32");
    assert!(
        lenient.listed().contains(&"192.0.2.0/24".to_owned()),
        "the other one was asked for"
    );
    assert_eq!(lenient.listed().len(), lenient.in_force.len() + 1);
    // With a trailer every cut is proven, wherever it is.
    let good = drop_text(5, 12);
    let proven = Incident::after(TEXT, body(&good));
    let whole = good.trim_end();
    proven.then(body(whole)).code(0);
    proven.survives(
        Answer::Open(whole.to_owned()),
        "incomplete",
        "cut short: the last line is not \"; EOF\"",
    );
    for end in [good.len() - 7, good.len() - 12, good.len() / 2] {
        proven.survives_body(
            &good[..end],
            "incomplete",
            "cut short: the last line is not \"; EOF\"",
        );
    }
}

pub fn cut_at_newline() {
    let text = drop_text(9, 12);
    let at = text.match_indices('\n').nth(5).unwrap().0 + 1;
    Incident::after(TEXT, body(&text)).survives_body(
        &text[..at],
        "incomplete",
        "cut short: the last line is not \"; EOF\"",
    );
    let json = drop_json(9);
    let incident = Incident::after(JSON, body(&json));
    let at = json.match_indices('\n').nth(4).unwrap().0 + 1;
    incident.survives_body(
        &json[..at],
        "incomplete",
        "cut short: the metadata record is missing",
    );
    incident.survives_body(&json[at..], "incomplete", "cut short: the metadata says ");
    let firehol = "# FireHOL\n# Entries         : 3 subnets, 768 unique IPs\n192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n";
    let at = firehol.rfind("203").unwrap();
    Incident::after("format = \"firehol\"", body(firehol)).survives_body(
        &firehol[..at],
        "incomplete",
        "cut short: the header says 3 subnets, there are 2",
    );
    let abusech = "# abuse.ch\nfirst_seen,dst_ip,malware\n2024,192.0.2.1,X\n2024,192.0.2.9,X\n# END 2 entries";
    let at = abusech.find("# END").unwrap();
    let incident = Incident::after("format = \"abusech-csv\"", body(abusech));
    incident.survives_body(
        &abusech[..at],
        "incomplete",
        "cut short: the last line is not \"# END n entries\"",
    );
    let lost = abusech.replace("2024,192.0.2.9,X\n", "");
    incident.survives_body(
        &lost,
        "incomplete",
        "cut short: the last line says 2 entries, there are 1",
    );
    let rows = |count: u32| {
        let rows: String = (0..count)
            .map(|i| format!("72.37.{i}.0\t72.37.{i}.110\t24\t9\tX\tUS\t-\n"))
            .collect();
        format!("# DShield.org Recommended Block List\n{rows}")
    };
    Incident::after("format = \"dshield\"", body(&rows(20))).survives_body(
        &rows(18),
        "incomplete",
        "cut short: 18 rows, and the list has 20",
    );
}

pub fn gz_bomb() {
    let incident = Incident::after("", Answer::Bytes(gzip(plain(5).as_bytes())));
    let bomb = gzip(&vec![b'#'; 16 << 20]);
    assert!(bomb.len() < 40_000);
    incident.survives(
        Answer::Bytes(bomb.clone()),
        "foreign",
        "larger than 2000000 bytes",
    );
    incident.survives(
        Answer::Bytes(gzip(&bomb)),
        "foreign",
        "larger than 2000000 bytes",
    );
    incident.survives(
        Answer::Open("#\n".repeat(1_000_001)),
        "foreign",
        "larger than 2000000 bytes",
    );
    let packed = gzip(plain(5).as_bytes());
    let half = packed[..packed.len() / 2].to_vec();
    incident.survives(
        Answer::Bytes(half),
        "incomplete",
        "cut short: damaged gzip (",
    );
    incident.survives(Answer::Drip, "failed", "not complete after 2 s");
}

pub fn encodings() {
    let utf16: Vec<u8> = format!("\u{feff}{}", plain(5))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let incident = Incident::after("", body(&plain(5)));
    for same in [
        utf16,
        format!("\u{feff}{}", plain(5)).into_bytes(),
        plain(5).replace('\n', "\r\n").into_bytes(),
        plain(5).replace('\n', "\r").into_bytes(),
    ] {
        incident.then(Answer::Bytes(same)).code(0);
        assert_eq!(incident.listed(), incident.in_force);
        let status = incident.place.run(&["status", "--json"]).json();
        assert_eq!(status["feeds"][0]["rejected"], 0);
    }
    incident.survives(
        Answer::Bytes(b"# \xa9 2026\n192.0.2.0/24\n".to_vec()),
        "foreign",
        "not UTF-8 text (byte 2)",
    );
    incident.survives_body(
        &plain(5).replace('\n', "\u{85}"),
        "foreign",
        "its lines end with U+0085",
    );
    incident
        .then(body(&format!("192.0.2.0/24\u{a0}\n{}", plain(5))))
        .code(0)
        .says("the character U+00A0 in it");
    // Where the format is known for it, Latin-1 is read.
    let zone = b"# \xa9 Admins WebSecurity\n72.37.186.0/23 spam\n".to_vec();
    let zone = Incident::after("format = \"rbldnsd\"", Answer::Bytes(zone));
    assert_eq!(zone.in_force, ["72.37.186.0/23"]);
}

pub fn redirect_home() {
    let incident = Incident::after("", body(&plain(5)));
    for (to, cause) in [
        (
            "http://lists.example/login",
            "redirected to http://lists.example/login, which is not https",
        ),
        (
            "https://127.0.0.1:9/",
            "redirected to https://127.0.0.1:9/, which is a private address",
        ),
        ("https://localhost/", "redirected to "),
        ("https://[::ffff:10.0.0.1]/", "redirected to "),
        (
            "file:///etc/passwd",
            "redirected to file:///etc/passwd, which is not https",
        ),
    ] {
        incident.survives(Answer::Redirect(to.to_owned()), "failed", cause);
    }
}
