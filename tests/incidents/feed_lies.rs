//! The feed lies.

use std::io::Write;

use crate::support::http::Answer;
use crate::{Incident, drop_json, drop_text, plain};

/// Dates of test copies lie back: that they are old is another incident.
const TEXT: &str = "format = \"spamhaus-text\"\nstale_after = \"3650d\"";
const JSON: &str = "format = \"spamhaus-json\"\nstale_after = \"3650d\"";

fn body(text: &str) -> Answer {
    Answer::Body(text.to_owned())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn html_page() {
    let page = "<!DOCTYPE html><html><body>8.8.8.8 <a href=\"http://1.10.0.1/8\">moved</a></body></html>\n";
    for (keys, good) in [
        ("", plain(5)),
        (TEXT, drop_text(5, 12)),
        (JSON, drop_json(5)),
    ] {
        let incident = Incident::after(keys, body(&good));
        incident.survives_body(page, "foreign", "an HTML or XML page, not a list");
        incident.survives(
            Answer::Status("301 Moved Permanently", page.to_owned()),
            "failed",
            "HTTP 301",
        );
    }
}

#[test]
fn error_body() {
    let incident = Incident::after(TEXT, body(&drop_text(5, 12)));
    for text in [
        "error code: 520",
        "error code: 502\n",
        "Could not connect: \n",
    ] {
        incident.survives_body(text, "foreign", "no Spamhaus header before line 1");
    }
    let json = "{\"status\":500,\"message\":\"Internal Server Error\"}";
    incident.survives_body(json, "foreign", "no Spamhaus header before line 1");
    incident.survives_body("", "foreign", "empty");
    let plain_list = Incident::after("", body(&plain(5)));
    plain_list.survives_body(
        "error code: 500\n",
        "foreign",
        "1 of 1 lines are no entries",
    );
    plain_list.survives_body(json, "foreign", "1 of 1 lines are no entries");
    plain_list.survives_body("", "foreign", "empty");
    plain_list.survives_body(
        "Umm... You can only fetch the data every 30 minutes\n",
        "foreign",
        "1 of 1 lines are no entries",
    );
}

#[test]
fn network_down() {
    let incident = Incident::after("", body(&plain(5)));
    incident.survives(Answer::Silence, "failed", "no answer after 1 s");
    incident.survives(
        Answer::Status("503 Service Unavailable", String::new()),
        "failed",
        "HTTP 503",
    );
}

#[test]
fn cut_in_the_mask() {
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
    for end in [
        good.len() - 1,
        good.len() - 7,
        good.len() - 12,
        good.len() / 2,
    ] {
        proven.survives_body(
            &good[..end],
            "incomplete",
            "cut short: the last line is not \"; EOF\"",
        );
    }
}

#[test]
fn cut_at_newline() {
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

#[test]
fn default_route() {
    let incident = Incident::after("", body(&plain(80)));
    let hostile = "0.0.0.0/0\n0.0.0.0\n122.199.17.117/16\n::/0\n";
    incident
        .then(body(&format!("{hostile}{}", plain(80))))
        .code(0)
        .says("1 rejected")
        .says("refused as too short");
    assert_eq!(incident.listed(), incident.in_force);
    for eaten in [
        "10.0.0.0/132",
        "10.0.0.0/232",
        "84.38.133.113/1/webpanel/login.php",
    ] {
        incident
            .then(body(&format!("{eaten}\n{}", plain(80))))
            .code(0)
            .says("rejected (line 1: ");
        assert_eq!(incident.listed(), incident.in_force, "{eaten}");
    }
}

#[test]
fn sum_is_default() {
    // No entry is wide, and together they are everything.
    let everything: String = (0..256).map(|i| format!("{i}.0.0.0/8\n")).collect();
    let incident = Incident::after("reserved = true", body(&plain(80)));
    incident
        .then(body(&everything))
        .code(3)
        .says("of all IPv4 addresses (max_share_v4 5%)");
    assert_eq!(incident.listed(), incident.in_force);
    // The same as a first fill.
    let limits = "[limits]\nmax_share_v4 = \"100%\"\nmax_added = \"1000000%\"\n";
    let incident = Incident::with("reserved = true", limits, body(&plain(80)));
    let halves: String = (1..223)
        .filter(|i| *i != 127)
        .map(|i| format!("{i}.0.0.0/8\n"))
        .collect();
    incident
        .then(body(&halves))
        .code(3)
        .says("together the feeds make ");
    assert_eq!(incident.listed(), incident.in_force);
}

#[test]
fn tombstone() {
    let spamhaus = "; This list has been merged into https://lists.example/drop.txt\n; Spamhaus EDROP List\n; EOF\n";
    Incident::after(TEXT, body(&drop_text(5, 12))).survives_body(
        spamhaus,
        "retired",
        "retired by its publisher: \"This list has been merged into https://lists.example/drop.txt\"",
    );
    let abusech =
        "# abuse.ch list\n#\n# ATTENTION: This list has been deprecated on 2025-01-03\n#\n";
    let good = "# abuse.ch\n# dst_ip,malware\n192.0.2.1,X\n# END 1 entries\n";
    Incident::after("format = \"abusech-csv\"", body(good)).survives_body(
        abusech,
        "retired",
        "retired by its publisher: \"ATTENTION: This list has been deprecated on 2025-01-03\"",
    );
    // No word of its publisher: an outage or the end, and that is not ours to tell.
    let cins = Incident::after("", body(&plain(5)));
    cins.survives_body("# header\n", "empty", "a list without an entry: \"header\"");
    // Dead entries do not stay for ever.
    let ages = "every = \"1s\"\nstale_after = \"1s\"\nexpire_after = \"2s\"";
    let incident = Incident::after(ages, body(&plain(5)));
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    incident
        .then(body("# this list has been discontinued\n"))
        .code(0)
        .says("no longer count");
    assert!(incident.listed().is_empty());
}

#[test]
fn legal_jump() {
    // A third more within half an hour is legal, and goes.
    let incident = Incident::after(TEXT, body(&drop_text(100, 12)));
    incident
        .then(body(&drop_text(128, 13)))
        .code(0)
        .says("128 entries, 28 new, 0 gone");
    assert_eq!(incident.listed().len(), 128);
    // Beyond the limit it is held whole, and named.
    let incident = Incident::after(TEXT, body(&drop_text(80, 12)));
    incident
        .then(body(&drop_text(128, 13)))
        .code(3)
        .says("partner: 48 of 80 prefixes would be added, 60% (max_added 50%)");
    assert_eq!(incident.listed(), incident.in_force);
}

#[test]
fn flip_flop() {
    let (many, few) = (drop_text(60, 12), drop_text(50, 12));
    let incident = Incident::after(TEXT, body(&many));
    for _ in 0..4 {
        incident.then(body(&few)).code(0);
        assert_eq!(incident.listed(), incident.in_force);
        incident.then(body(&many)).code(0);
        assert_eq!(incident.listed(), incident.in_force);
    }
    let generation =
        incident.place.run(&["status", "--json"]).json()["generation"]["number"].clone();
    assert_eq!(generation, 1, "no router saw anything of it");
}

#[test]
fn header_lies() {
    // The same date, other entries: a change.
    let date = "Thu, 06 Aug 2026 11:26:13 GMT".to_owned();
    let incident = Incident::after("", Answer::Dated(plain(50), date));
    incident.server.answer(Answer::Dated(
        plain(51),
        "Wed, 05 Aug 2026 11:26:13 GMT".to_owned(),
    ));
    incident
        .place
        .run(&["refresh"])
        .code(0)
        .says("51 entries, 1 new");
    assert_eq!(incident.listed().len(), 51);
    // Another date, the same entries: none.
    incident.then(Answer::Dated(
        format!("# later\n{}", plain(51)),
        "Fri, 07 Aug 2026 11:26:13 GMT".to_owned(),
    ));
    let status = incident.place.run(&["status", "--json"]).json();
    assert_eq!(status["feeds"][0]["state"], "unchanged");
    assert_eq!(status["generation"]["number"], 2);
}

#[test]
fn older_copy() {
    let incident = Incident::after(TEXT, body(&drop_text(60, 12)));
    incident.survives_body(
        &drop_text(50, 11),
        "stale",
        "the server sent an older list, of 2026-08-06T10:00:00Z",
    );
}

#[test]
fn bogons_age() {
    let list = |made: u64| format!("# last updated {made} (then)\n{}", plain(5));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let incident = Incident::after("max_age = \"30d\"", body(&list(now)));
    // Downloaded today, made in 2022: no longer a bogon list.
    incident.place.write("old.list", &list(1_647_435_002));
    let config = incident.place.read("nullrouted.toml").replace(
        "[[feed]]",
        "[[feed]]\nname = \"old\"\npath = \"old.list\"\nmax_age = \"30d\"\n[[feed]]",
    );
    std::fs::write(incident.place.config(), config.replace("72.37", "72.38")).unwrap();
    incident
        .place
        .write("old.list", &list(1_647_435_002).replace("72.37", "72.38"));
    incident.place.run(&["refresh"]).code(0);
    assert_eq!(
        incident.listed(),
        incident.in_force,
        "nothing of the old one"
    );
    incident
        .place
        .run(&["status"])
        .says("feed old      expired")
        .says("its publisher made it ");
}

#[test]
fn rbldnsd_exclusion() {
    let zone = "$SOA 3600 bl.example. h.example. 1 1 1 1 1\n:127.0.0.2:listed, see http://x/?$\n127.0.0.2\n\
                72.37.186.0/23 spam\n!10.0.0.0/8\n!72.37.187.9\n10.1.2.3\n";
    let incident = Incident::after("format = \"rbldnsd\"\nreserved = true", body(zone));
    assert!(
        incident
            .in_force
            .iter()
            .all(|net| net.starts_with("72.37.18")),
        "{:?}",
        incident.in_force
    );
    incident
        .place
        .run(&["why", "72.37.187.9"])
        .code(0)
        .says("not");
    incident
        .place
        .run(&["why", "72.37.187.8"])
        .code(0)
        .says("listed by partner");
    // The same grammar for the opposite.
    let allow = "# this is the whitelist\n192.0.2.1 good\n";
    incident.survives_body(
        allow,
        "foreign",
        "line 1 says that this is a list of what to let through",
    );
}

#[test]
fn hosts_file() {
    let incident = Incident::after("", body(&plain(5)));
    incident.survives_body(
        "# ads\n0.0.0.0 ads.example\n127.0.0.1 localhost\n",
        "foreign",
        "line 2: a hosts file, not a plain list",
    );
    let auto = Incident::after("format = \"auto\"", body(&plain(5)));
    auto.survives_body(
        "0.0.0.0 ads.example\n",
        "foreign",
        "a hosts file: it names hosts, not networks",
    );
}

#[test]
fn wrong_list() {
    let dshield = "# DShield.org Recommended Block List\n192.0.2.0\t192.0.2.255\t24\t9\tX\tUS\t-\n";
    Incident::after(TEXT, body(&drop_text(5, 12))).survives_body(
        dshield,
        "foreign",
        "no Spamhaus header before line 1",
    );
    // The right publisher, and another of his lists: the preset knows its name.
    let level = |name: &str| {
        format!(
            "#\n# {name}\n# FireHOL\n# Entries : 2 subnets, 512 unique IPs\n192.0.2.0/24\n198.51.100.0/24\n"
        )
    };
    let keys = "preset = \"firehol-level1\"";
    let incident = Incident::after(keys, body(&level("firehol_level1")));
    incident.server.answer(body(&level("firehol_level2")));
    incident
        .place
        .run(&["refresh", "--ignore-floor"])
        .code(0)
        .says("foreign: another list: no comment of it says \"firehol_level1\"; its first comment is \"firehol_level2\"");
    assert_eq!(incident.listed(), incident.in_force);
}

#[test]
fn dshield_columns() {
    let rows = |end: u32| -> String {
        (0..20)
            .map(|i| {
                format!(
                    "72.37.{}.0\t72.37.{}.{end}\t24\t9\tX, Inc.\tUS\t>>UNKNOWN<<\n",
                    2 * i,
                    2 * i
                )
            })
            .collect()
    };
    let header = "# DShield.org Recommended Block List\n";
    let incident = Incident::after(
        "format = \"dshield\"",
        body(&format!("{header}{}", rows(255))),
    );
    assert_eq!(incident.in_force.len(), 20);
    assert!(incident.in_force.iter().all(|net| net.ends_with("/24")));
    // The end column is not the end of the block, and the names of the columns are no comment.
    let columns = "Start\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n";
    incident
        .then(body(&format!("{header}{columns}{}", rows(110))))
        .code(0);
    assert_eq!(incident.listed(), incident.in_force);
}

#[test]
fn glued_lines() {
    let incident = Incident::after("", body(&plain(80)));
    incident
        .then(body(&format!("176.221.42.3254.174.140.223\n{}", plain(80))))
        .code(0)
        .says("1 rejected (line 1: \"176.221.42.3254.174.140.223\": octet 3254 is above 255)");
    assert_eq!(
        incident.listed(),
        incident.in_force,
        "one bad line is one bad line"
    );
    let bad: String = (0..10)
        .map(|i| format!("176.221.42.{i}254.174.140.223\n"))
        .collect();
    incident.survives_body(
        &format!("{bad}{}", plain(80)),
        "foreign",
        "10 of 90 lines are no entries (line 1: ",
    );
}

#[test]
fn gz_bomb() {
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

#[test]
fn latin_1_utf_16_bom_crlf_nel() {
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

#[test]
fn redirect_home() {
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
