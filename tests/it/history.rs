//! What happened, as an operator reads it afterwards: the log book, the story of a prefix, earlier
//! sets, what is forgotten, and the page that says how to read the ledger without us.

mod forgotten;
mod listed;
mod page;

use crate::support::{NO_KERNEL, NOC, Place};

/// A place with this list. What is found by looking around is no part of what is told here.
fn of_list(list: &str) -> Place {
    let place = Place::of_list(list);
    place.configure(&format!("{NOC}{NO_KERNEL}[protect]\ndiscover = []\n"));
    place
}

/// A line without its time, which is not ours to say.
#[track_caller]
fn untimed(line: &str) -> &str {
    let (time, rest) = line.split_at(20);
    assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
    rest.strip_prefix("  ").unwrap()
}

/// The times of everything but routes are so many days earlier.
fn older(place: &Place, days: i64) {
    let columns = [
        ("generation", "at"),
        ("event", "at"),
        ("operator", "since"),
        ("operator", "ended"),
        ("listing", "first_seen"),
        ("listing", "last_seen"),
        ("pruned", "at"),
    ];
    let db = place.ledger();
    for (table, column) in columns {
        let sql = format!("UPDATE {table} SET {column} = {column} - ?1 * 86400");
        db.execute(&sql, [days]).unwrap();
    }
}

/// Three generations: two prefixes come, one goes and another comes, an operator adds one.
fn three_generations() -> Place {
    let place = of_list("72.37.186/23 # SBL1001\n2001:db8:bad::/48\n");
    place.run(&["refresh"]).code(0);
    older(&place, 2);
    place.write(
        "noc.list",
        "72.37.186/23 # SBL1001\n198.18.7.0/24 # SBL7\n192.88.98.0/24\n",
    );
    place.run(&["refresh"]).code(0);
    older(&place, 1);
    place
        .run(&["add", "72.37.187.128/25", "--reason", "ticket 7"])
        .code(0);
    place
        .run(&["add", "5.5.5.0/24", "--reason", "ticket 8"])
        .code(0);
    place
}

#[test]
fn the_log_book_is_read_from_the_oldest_entry_to_the_newest() {
    let place = three_generations();
    let book = place.run(&["history"]).code(0);
    let lines: Vec<&str> = book.lines().into_iter().map(untimed).collect();
    assert_eq!(lines[0], "generation 1  refresh  +2 -0  2 routes");
    assert!(
        lines[1].starts_with("generation 2  refresh  +"),
        "{}",
        lines[1]
    );
    let by = lines[2].rsplit("  ").next().unwrap();
    assert!(by.starts_with('(') && by.ends_with(')'), "{}", lines[2]);
    assert_eq!(
        lines[2],
        format!("add           72.37.187.128/25  ticket 7  {by}")
    );
    assert_eq!(
        lines[3],
        format!("add           5.5.5.0/24  ticket 8  {by}")
    );
    assert!(
        lines[4].starts_with("generation 3  add  +1 -0  "),
        "{}",
        lines[4]
    );
    assert_eq!(lines.len(), 5, "{}", book.out);
    assert!(book.out.lines().all(|line| line.chars().count() <= 100));

    let json = place.run(&["history", "--json"]).code(0).json();
    let kinds: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["generation", "generation", "event", "event", "generation"]
    );
    assert_eq!(json[0]["generation"], 1);
    assert_eq!(json[0]["added"], 2);
    assert_eq!(json[2]["what"], "add");
    assert_eq!(json[2]["subject"], "72.37.187.128/25");
    assert_eq!(json[2]["text"], "ticket 7");
}

#[test]
fn the_last_forty_entries_are_shown_and_all_when_asked() {
    let place = of_list("192.0.2.0/24\n");
    place
        .run(&["history"])
        .code(0)
        .says("nothing has happened yet");
    place.run(&["refresh"]).code(0);
    let db = place.ledger();
    let note = |at: i64| {
        let sql =
            "INSERT INTO event (at, what, subject, by, text) VALUES (?1, 'held', 'abc', '', 'why')";
        db.execute(sql, [at]).unwrap();
    };
    (0..39).for_each(|at| note(1_700_000_000 + at));
    assert_eq!(place.run(&["history"]).code(0).lines().len(), 40);
    (39..199).for_each(|at| note(1_700_000_000 + at));
    let book = place.run(&["history"]).code(0);
    assert_eq!(book.lines().len(), 41);
    assert_eq!(book.lines()[0], "… 160 earlier entries (--all shows them)");
    assert_eq!(
        book.lines()[1],
        "2023-11-14T22:16:00Z  held          abc  why"
    );
    assert_eq!(
        untimed(book.lines()[40]),
        "generation 1  refresh  +1 -0  1 route"
    );
    let all = place.run(&["history", "--all"]).code(0);
    assert_eq!(all.lines().len(), 200);
    let json = place.run(&["history", "--all", "--json"]).code(0).json();
    assert_eq!(json.as_array().unwrap().len(), 200);
}

#[test]
fn an_approval_stands_with_its_generation() {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}[protect]\ndiscover = []\n[review]\nmode = \"manual\"\n"
    ));
    place.write("noc.list", "192.88.98.0/24\n");
    let ran = place.run(&["refresh"]);
    let held = place.run(&["plan", "--json"]).json();
    if ran.code == Some(0) {
        // The first fill goes by itself.
        place.write("noc.list", "192.88.98.0/24\n192.88.96.0/24\n");
        place.run(&["refresh"]).code(3);
    }
    let id = place.run(&["plan", "--json"]).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    place.run(&["approve", &id]).code(0);
    let book = place.run(&["history"]).code(0);
    let line = |start: &str| {
        let lines = book.lines().into_iter().map(untimed);
        let mut found = lines.filter(|line| line.starts_with(start));
        found
            .next_back()
            .unwrap_or_else(|| panic!("{start} in {}: {held}", book.out))
            .to_owned()
    };
    assert!(line("held ").contains(&id), "{}", book.out);
    assert!(line("approve ").contains(&id), "{}", book.out);
    assert!(
        line("generation ").contains(&format!("  change {id} approved by ")),
        "{}",
        book.out
    );
}

#[test]
fn everything_that_ever_touched_a_prefix_is_told() {
    let place = three_generations();
    let story = |query: &str| {
        let ran = place.run(&["history", query]).code(0);
        let lines = ran.lines();
        let times: Vec<&str> = lines.iter().map(|line| &line[..20]).collect();
        assert!(times.is_sorted(), "{}", ran.out);
        lines
            .into_iter()
            .map(|line| untimed(line).to_owned())
            .collect::<Vec<_>>()
    };
    let of_v6 = [
        "listed by noc: 2001:db8:bad::/48",
        "generation 1  + 2001:db8:bad::/48  noc line 2",
        "no longer listed by noc: 2001:db8:bad::/48",
        "generation 2  - 2001:db8:bad::/48  no longer noc line 2",
    ];
    // One address of it, itself, and what is around it.
    assert_eq!(story("2001:db8:bad::1"), of_v6);
    assert_eq!(story("2001:DB8:BAD:0::/48"), of_v6);
    assert_eq!(story("2001:db8::/32"), of_v6);
    assert_eq!(story("2000::/3"), of_v6);

    // An address in the part that was added by hand, and one beside it.
    let inside = story("72.37.187.200");
    assert_eq!(inside[0], "listed by noc: 72.37.186.0/23 (SBL1001)");
    assert_eq!(
        inside[1],
        "generation 1  + 72.37.186.0/23  noc SBL1001 line 1"
    );
    assert!(
        inside[2].starts_with("add           72.37.187.128/25  ticket 7  ("),
        "{inside:?}"
    );
    assert_eq!(inside.len(), 3);
    assert_eq!(story("72.37.186.9"), inside[..2]);
    assert_eq!(story("72.37.186/23"), inside);
    assert_eq!(story("72.37.187.9/23"), inside, "host bits are masked");
    assert_eq!(
        story("72.36.0.0/15"),
        inside,
        "another octet, and inner prefixes"
    );

    let json = place
        .run(&["history", "72.37.187.200", "--json"])
        .code(0)
        .json();
    assert_eq!(json[0]["kind"], "listed");
    assert_eq!(
        (&json[0]["feed"], &json[0]["reference"]),
        (&"noc".into(), &"SBL1001".into())
    );
    assert_eq!(json[1]["kind"], "change");
    assert_eq!(
        (&json[1]["op"], &json[1]["generation"]),
        (&"+".into(), &1.into())
    );
    assert_eq!(json[1]["because"], "noc SBL1001 line 1");
    assert_eq!(json[2]["kind"], "event");
    let json = place
        .run(&["history", "2001:db8:bad::1", "--json"])
        .code(0)
        .json();
    assert_eq!(json[2]["kind"], "delisted");

    // Nobody knows it, and from when on nobody does.
    let nothing = place.run(&["history", "8.8.8.8"]).code(0);
    let since = nothing
        .out
        .strip_prefix("8.8.8.8/32: nothing is known of it since 20");
    assert!(since.is_some(), "{}", nothing.out);
    assert_eq!(
        place.run(&["history", "8.8.8.8", "--json"]).code(0).out,
        "[]\n"
    );
}

#[test]
fn two_generations_are_compared_either_way_round() {
    let place = three_generations();
    let diff = |a: &str, b: &str| {
        let ran = place.run(&["history", "--diff", a, b]).code(0);
        ran.lines()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        diff("0", "1"),
        [
            "+ 72.37.186.0/23     noc SBL1001 line 1",
            "+ 2001:db8:bad::/48  noc line 2",
            "generation 0 -> 1: 2 added, 0 removed, 0 kept",
        ]
    );
    assert_eq!(
        diff("1", "2"),
        [
            "+ 192.88.98.0/24     noc line 3",
            "- 2001:db8:bad::/48  no longer noc line 2",
            "generation 1 -> 2: 1 added, 1 removed, 1 kept",
        ]
    );
    let back = diff("2", "1");
    assert!(back[0].starts_with("+ 2001:db8:bad::/48"), "{back:?}");
    assert!(back[1].starts_with("- 192.88.98.0/24"), "{back:?}");
    assert_eq!(back[2], "generation 2 -> 1: 1 added, 1 removed, 1 kept");
    assert_eq!(
        diff("2", "2"),
        ["generation 2 -> 2: 0 added, 0 removed, 2 kept"]
    );

    let json = place
        .run(&["history", "--diff", "1", "3", "--json"])
        .code(0)
        .json();
    assert_eq!(
        (&json["from"], &json["to"], &json["keep"]),
        (&1.into(), &3.into(), &1.into())
    );
    assert_eq!(json["added"][0]["prefix"], "5.5.5.0/24");
    assert_eq!(json["removed"][0]["because"], "no longer noc line 2");

    place
        .run(&["history", "--diff", "1", "9"])
        .code(64)
        .says("available: 1 to 3");
    place
        .run(&["history", "--generation", "9"])
        .code(64)
        .says("available: 1 to 3");
    let none = of_list("");
    none.run(&["history", "--diff", "0", "1"])
        .code(64)
        .says("there is none yet");
}

#[test]
fn origin_ases_stand_behind_the_prefixes() {
    let place = of_list("192.88.98.0/24\n");
    place.run(&["refresh"]).code(0);
    let db = place.ledger();
    db.execute_batch(
        "INSERT INTO origin (asn) VALUES (64496), (64500);
         INSERT INTO change (generation, prefix, op, cause) VALUES
           (1, 'AS64496', '+', 'asndrop ONE'), (1, 'AS64500', '+', 'asndrop TWO');",
    )
    .unwrap();
    assert_eq!(
        place.run(&["history", "--diff", "0", "1"]).code(0).lines(),
        [
            "+ 192.88.98.0/24  noc line 1",
            "+ AS64496         asndrop ONE",
            "+ AS64500         asndrop TWO",
            "generation 0 -> 1: 3 added, 0 removed, 0 kept",
        ]
    );
    place.run(&["history", "0.0.0.0/1"]).code(0);
    assert_eq!(
        place.run(&["history", "::/0"]).code(0).lines().len(),
        1,
        "no AS is a prefix"
    );
}

#[test]
fn an_earlier_set_is_printed_like_the_one_in_force() {
    let place = three_generations();
    let first = place.run(&["history", "--generation", "1"]).code(0);
    assert_eq!(first.lines(), ["72.37.186.0/23", "2001:db8:bad::/48"]);
    let newest = place.run(&["history", "--generation", "3"]).code(0);
    assert_eq!(newest.out, place.run(&["list"]).code(0).out);
    let newest = place
        .run(&["history", "--generation", "3", "--json"])
        .code(0);
    assert_eq!(newest.json(), place.run(&["list", "--json"]).code(0).json());
    assert_eq!(place.run(&["history", "--generation", "0"]).code(0).out, "");
}

#[test]
fn what_excludes_each_other_is_a_wrong_command_line() {
    let place = of_list("");
    for words in [
        &["192.0.2.1", "--all"][..],
        &["192.0.2.1", "--diff", "1", "2"],
        &["192.0.2.1", "--generation", "1"],
        &["--diff", "1", "2", "--generation", "1"],
        &["--diff", "1", "2", "--all"],
        &["--generation", "1", "--all"],
        &["--diff", "1"],
        &["--generation", "one"],
    ] {
        place.run(&[&["history"], words].concat()).code(64);
    }
    place
        .run(&["history", "192.0.2.300"])
        .code(64)
        .says("octet 300 is above 255");
    place
        .run(&["history", "192.0.2.1-192.0.2.9"])
        .code(64)
        .says("a range");
}

/// Events and generations of one second stand in the order in which they happened.
#[test]
fn what_happens_within_a_second_is_told_in_its_order() {
    let place = Place::of_list("72.37.186.0/23\n");
    place.run(&["refresh"]).code(0);
    place
        .run(&["add", "198.51.100.0/24", "--reason", "t"])
        .code(0);
    place.run(&["remove", "198.51.100.0/24"]).code(0);
    place.run(&["flush"]).code(0);
    place.run(&["unpin"]).code(0);
    // As if all of it had happened in one second.
    place.edit("UPDATE generation SET at = 1790000000");
    place.edit("UPDATE event SET at = 1790000000");
    let history = place.run(&["history", "--json"]).code(0).json();
    let told = history
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| match entry["kind"].as_str() {
            Some("generation") => entry["generation"].to_string(),
            _ => entry["what"].as_str().unwrap().to_owned(),
        });
    let told: Vec<String> = told.collect();
    assert_eq!(
        told,
        ["1", "add", "2", "remove", "3", "flush", "4", "unpin", "5"],
    );
}
