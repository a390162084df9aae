//! What an operator sees at three in the morning fits one screen, however much there is.

use std::process::{Command, Stdio};

use crate::support::{NO_KERNEL, PROGRAM, Place, Ran, installed, is_root, left_out, repository};

/// Thirty feeds, four of them with something to say; a change that waits; ten entries by hand.
fn busy() -> Place {
    let feeds: String = (0..30)
        .map(|i| {
            format!("[[feed]]\nname = \"a-list-of-some-publisher-{i}\"\npath = \"{i}.list\"\nformat = \"cidr\"\n")
        })
        .collect();
    let place = Place::new(&format!("{feeds}{NO_KERNEL}"));
    let list = |i: u32, count: u32| -> String {
        (0..count)
            .map(|n| format!("72.{i}.{}.0/24\n", 2 * n))
            .collect()
    };
    for i in 0..30 {
        place.write(&format!("{i}.list"), &list(i, 30));
    }
    place.run(&["refresh"]).code(0);
    for i in [3, 7, 20] {
        std::fs::remove_file(place.path(&format!("{i}.list"))).unwrap();
    }
    for i in [11, 12, 13, 14, 15] {
        place.write(&format!("{i}.list"), &list(i, 2));
    }
    place.write("29.list", &format!("{}not a network\n", list(29, 30)));
    place.run(&["refresh"]).code(3);
    for i in 0..10 {
        let prefix = format!("192.0.2.{i}");
        place
            .run(&["add", &prefix, "--reason", "phish, ticket 4711"])
            .code(0);
    }
    place
}

#[test]
fn status_fits_one_screen_and_what_matters_comes_first() {
    let place = busy();
    let ran = place.run(&["status"]).code(0);
    let lines = ran.lines();
    assert!(lines.len() <= 24, "{} lines:\n{}", lines.len(), ran.out);
    let widest = lines.iter().map(|line| line.chars().count()).max();
    assert!(widest <= Some(140), "{widest:?}:\n{}", ran.out);
    assert!(
        lines[0].starts_with("902 routes in force (902 IPv4, 0 IPv6), generation 11, "),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("HELD  change "), "{}", lines[1]);
    for feed in [
        "publisher-3 ",
        "publisher-7 ",
        "publisher-20",
        "publisher-29",
    ] {
        assert!(
            ran.out.contains(feed),
            "{feed} has something to say:\n{}",
            ran.out
        );
    }
    assert!(
        ran.out
            .contains("… 26 more feeds, all well (--json shows all)"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("… 7 more by hand (--json shows all)"),
        "{}",
        ran.out
    );
    let json = place.run(&["status", "--json"]).code(0).json();
    assert_eq!(json["feeds"].as_array().unwrap().len(), 30);
    assert_eq!(json["by_hand"].as_array().unwrap().len(), 10);
    let held = &json["held"];
    assert_eq!((&held["added"], &held["removed"]), (&0.into(), &140.into()));
}

#[test]
fn the_story_of_a_prefix_fits_one_screen() {
    let place = busy();
    let ran = place.run(&["why", "72.0.0.0/8"]).code(0);
    assert!(ran.lines().len() <= 40, "{}", ran.out);
    let ran = place.run(&["why", "72.11.40.9"]).code(0);
    assert!(ran.lines().len() <= 10, "{}", ran.out);
}

/// A held change, a file that fails, an entry by hand: what each screen shows of it, in a terminal
/// of 80 and of 120 columns. `GOLDEN=write` writes what is shown now.
#[test]
fn screens_are_those_that_were_looked_at() {
    if !installed("script") || !is_root() {
        return left_out("needs script, and the name root in what is shown");
    }
    let place = Place::new(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n[[feed]]\nname = \"partner\"\npath = \"partner.list\"\n\
         format = \"cidr\"\n{NO_KERNEL}[limits]\nsmall_change = 1\n\
         [[protect.feed]]\nname = \"ranges\"\npath = \"ranges\"\n\
         [[router]]\nname = \"edge1\"\nfamily = \"plain\"\npath = \"edge1.list\"\ncheck = [\"false\"]\n"
    ));
    let networks = |from: u32, to: u32| -> String {
        (from..to)
            .map(|i| {
                format!(
                    "72.37.{}.0/24 # SBL{i}: seen by our own mail servers\n",
                    2 * i
                )
            })
            .collect()
    };
    place.write("noc.list", &networks(0, 40));
    place.write("partner.list", "2001:db8:bad::/48\n198.51.100.0/24\n");
    place.write("ranges", "198.51.100.0/28 # a customer\n");
    place.run(&["refresh"]).code(1);
    place
        .run(&["add", "192.0.2.7", "--reason", "phish, ticket 4711"])
        .code(1);
    place.write("noc.list", &networks(0, 5));
    std::fs::remove_file(place.path("partner.list")).unwrap();
    place.run(&["refresh"]).code(1);
    for (name, verb) in [
        ("status", "status"),
        ("plan", "plan"),
        ("plan-summary", "plan --summary"),
        ("why-listed", "why 72.37.4.9"),
        ("why-protected", "why 198.51.100.7"),
        ("why-not-listed", "why 203.0.113.9"),
        ("history", "history"),
        ("feeds", "feeds"),
    ] {
        for columns in [80, 120] {
            let shown = on_terminal(&place, verb, columns);
            let widest = shown.lines().map(|line| line.chars().count()).max();
            let words = shown.split_whitespace().map(|word| word.chars().count());
            let most = words.max().unwrap().max(columns);
            assert!(widest.unwrap() <= most, "{verb} at {columns}:\n{shown}");
            let file = repository().join(format!("tests/golden/screen/{name}.{columns}.txt"));
            if std::env::var("GOLDEN").is_ok_and(|word| word == "write") {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, &shown).unwrap();
            }
            let golden = std::fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(shown, golden, "{}", file.display());
        }
    }
}

/// What a verb shows in a terminal of this width, without what differs each time.
fn on_terminal(place: &Place, verb: &str, columns: usize) -> String {
    let config = place.config();
    let line = format!(
        "stty cols {columns} rows 100; {PROGRAM} -c {} {verb} 2>/dev/null",
        config.display()
    );
    let mut script = Command::new("script");
    script
        .args(["-qec", &line, "/dev/null"])
        .env("NULLROUTED_RUN_DIR", place.path("run"))
        .env("NO_COLOR", "1")
        .env_remove("PAGER")
        .stdin(Stdio::null());
    let shown = Ran::of(script.output().unwrap()).out.replace("\r\n", "\n");
    let folder = place.path("").display().to_string();
    let shown = shown.replace(folder.trim_end_matches('/'), "/tmp/.tmp000000");
    // Times, spans, and the IDs of changes, each of its usual length.
    let mut words = String::new();
    for part in shown.split_inclusive(['\n', ' ']) {
        let word = part.trim_end();
        let rest = &part[word.len()..];
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_time = core.len() == 20 && core.ends_with('Z') && core.starts_with("20");
        let is_span = core.len() == 2 && core.ends_with('s') && core.as_bytes()[0].is_ascii_digit();
        let is_id = core.len() == 12 && core.bytes().all(|byte| byte.is_ascii_hexdigit());
        let plain = match core {
            _ if is_time => "2026-01-02T03:04:05Z",
            _ if is_span => "0s",
            _ if is_id => "0123456789ab",
            // The next look, a moment later.
            "59s" | "58s" | "57s" => "1m",
            core => core,
        };
        words.push_str(&word.replacen(core, plain, 1));
        words.push_str(rest);
    }
    words
}
