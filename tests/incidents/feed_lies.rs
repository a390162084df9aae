//! The feed lies: what comes is whole and no list, or another one, or a list that is wrong.

use crate::support::http::Answer;
use crate::{Incident, drop_json, drop_text, plain};

/// Dates of test copies lie back: that they are old is another incident.
pub const TEXT: &str = "format = \"spamhaus-text\"\nstale_after = \"3650d\"";
pub const JSON: &str = "format = \"spamhaus-json\"\nstale_after = \"3650d\"";

pub fn body(text: &str) -> Answer {
    Answer::Body(text.to_owned())
}

pub fn html_page() {
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

pub fn error_body() {
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
    plain_list.survives_body("error code: 500\n", "foreign", "1 of 1 lines are invalid");
    plain_list.survives_body(json, "foreign", "line 1: JSON, not a plain list");
    plain_list.survives_body("", "foreign", "empty");
    plain_list.survives_body(
        "Umm... You can only fetch the data every 30 minutes\n",
        "foreign",
        "1 of 1 lines are invalid",
    );
}

pub fn default_route() {
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

pub fn sum_is_default() {
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

pub fn tombstone() {
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
    let ages = "every = \"1h\"\nstale_after = \"1h\"\nexpire_after = \"2h\"";
    let incident = Incident::after(ages, body(&plain(5)));
    incident.place.later(7_201);
    incident
        .then(body("# this list has been discontinued\n"))
        .code(0)
        .says("no longer count");
    assert!(incident.listed().is_empty());
}

pub fn legal_jump() {
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

pub fn flip_flop() {
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

pub fn header_lies() {
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

pub fn older_copy() {
    let incident = Incident::after(TEXT, body(&drop_text(60, 12)));
    incident.survives_body(
        &drop_text(50, 11),
        "stale",
        "the server sent an older list, of 2026-08-06T10:00:00Z",
    );
}

pub fn bogons_age() {
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

pub fn rbldnsd_exclusion() {
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

pub fn hosts_file() {
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

pub fn wrong_list() {
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

pub fn dshield_columns() {
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

pub fn glued_lines() {
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
        "10 of 90 lines are invalid (line 1: ",
    );
}
