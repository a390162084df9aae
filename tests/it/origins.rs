//! Origin ASes: an as-path list in the router files, and prefixes where a table says which AS
//! announces what.

use crate::support::{NO_KERNEL, Place, asndrop};

const TABLE: &str = "192.0.2.0\t24\t64496\n198.51.100.0\t24\t64496_64500\n203.0.113.0\t24\t64497\n\
                     2001:db8::\t32\t64496\n72.37.186.0\t23\t64510\n";

fn place(more: &str) -> Place {
    let place = Place::new(&format!(
        "[[feed]]\nname = \"asndrop\"\npath = \"asndrop.json\"\nformat = \"asndrop-json\"\nstale_after = \"3650d\"\n{NO_KERNEL}\
         [[router]]\nname = \"edge1\"\nfamily = \"frr\"\nrole = \"filter\"\npath = \"edge1.conf\"\n{more}"
    ));
    place.write("asndrop.json", &asndrop(&[64_496, 64_497]));
    place.write("table", TABLE);
    place
}

fn paths(place: &Place) -> Vec<String> {
    let file = place.read("edge1.conf");
    let permits = file
        .lines()
        .filter(|line| line.contains("as-path access-list") && line.contains(" permit "));
    permits
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect()
}

/// As if the table had last been written so many days ago.
fn table_is_of_days_ago(place: &Place, days: u64) {
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
    let table = std::fs::File::options()
        .write(true)
        .open(place.path("table"));
    table.unwrap().set_modified(then).unwrap();
}

/// Put one more feed in front of the others.
fn with_feed(place: &Place, feed: &str) {
    let config = place.read("nullrouted.toml");
    let config = config.replacen("[[feed]]", &format!("[[feed]]\n{feed}[[feed]]"), 1);
    std::fs::write(place.config(), config).unwrap();
}

#[test]
fn an_as_is_added_and_allowed_by_hand() {
    // Without a table: filters alone.
    let place = place("");
    place.run(&["refresh"]).code(0);
    let ran = place
        .run(&["add", "AS64510", "--reason", "ticket 7"])
        .code(0);
    assert!(
        ran.out.starts_with(
            "AS64510 added: 1 router of role filter refuses its routes; without [asn] table none of its \
             prefixes is blackholed; generation "
        ) && ran.out.ends_with("; undo: nullrouted remove AS64510\n"),
        "{}",
        ran.out
    );
    assert_eq!(paths(&place), ["_64496$", "_64497$", "_64510$"]);
    let why = place.run(&["why", "as64510", "--json"]).code(0).json();
    assert_eq!(why["verdict"], "refused");
    assert_eq!(why["refused_at"][0], "edge1");
    assert_eq!(why["listings"][0]["feed"], "operator");
    assert!(why["prefixes"].is_null());
    place
        .run(&["status"])
        .code(0)
        .says("hand add AS64510  ticket 7 (");
    let ran = place
        .run(&["allow", "AS64497", "--reason", "our customer"])
        .code(0);
    ran.says(
        "AS64497 allowed: no filter refuses it (without [asn] table its prefixes are not known)",
    );
    assert_eq!(paths(&place), ["_64496$", "_64510$"]);
    let why = place.run(&["why", "AS64497"]).code(0).out;
    assert!(
        why.starts_with(
            "AS64497 is not refused: it is protected\n  protected: allowed by hand: our customer ("
        ),
        "{why}"
    );
    // What does not stand there.
    for (verb, item, told) in [
        (
            "add",
            "AS65000",
            "AS65000: no network on the Internet has this number (RFC 6996, RFC 7300, RFC 7607); nothing was changed\n",
        ),
        (
            "add",
            "AS64497",
            "AS64497 is protected and stays so: allowed by hand: our customer (",
        ),
        (
            "remove",
            "AS64496",
            "AS64496 was not added by hand; what a feed lists is taken out with: nullrouted allow AS64496 --reason TEXT; nothing was changed\n",
        ),
    ] {
        let reason = ["--reason", "x"];
        let words: Vec<&str> = [verb, item]
            .into_iter()
            .chain(
                if verb == "add" { &reason[..] } else { &[] }
                    .iter()
                    .copied(),
            )
            .collect();
        let ran = place.run(&words).code(64);
        assert!(ran.err.starts_with(told), "{}", ran.err);
    }
    place
        .run(&["remove", "AS64510"])
        .code(0)
        .says("AS64510 no longer refused by filters; generation ");
    place
        .run(&["disallow", "AS64497"])
        .code(0)
        .says("AS64497 no longer allowed: it is refused by filters now; generation ");
    assert_eq!(paths(&place), ["_64496$", "_64497$"]);
    let why = place.run(&["why", "AS64510", "--json"]).code(0).json();
    assert_eq!(
        (&why["verdict"], &why["held"]),
        (&"not-listed".into(), &serde_json::json!([]))
    );

    // With one: its prefixes as well.
    let place = self::place("[asn]\ntable = \"table\"\n");
    place.run(&["refresh"]).code(0);
    let listed = || place.run(&["list"]).code(0).out;
    assert_eq!(listed(), "192.0.2.0/24\n203.0.113.0/24\n2001:db8::/32\n");
    place.run(&["add", "AS64510", "--reason", "x"]).code(0).says(
        "AS64510 added: 1 router of role filter refuses its routes; the prefixes that [asn] table knows of it are blackholed",
    );
    assert!(listed().starts_with("72.37.186.0/23\n"), "{}", listed());
    let allowed = place.run(&["allow", "AS64496", "--reason", "x"]).code(0);
    allowed.says("AS64496 allowed: no filter refuses it, and none of its prefixes is blackholed");
    assert_eq!(listed(), "72.37.186.0/23\n203.0.113.0/24\n");
    // Whoever lists them.
    place.run(&["add", "192.0.2.0/25", "--reason", "x"]);
    assert_eq!(listed(), "72.37.186.0/23\n203.0.113.0/24\n");
    place.run(&["why", "192.0.2.7"]).code(0).says(
        "protected: 192.0.2.0/24, originated by AS64496, which is protected: allowed by hand: x (",
    );
    let why = place.run(&["why", "AS64510", "--json"]).code(0).json();
    assert_eq!(why["blackholed"], serde_json::json!(["72.37.186.0/23"]));
}

#[test]
fn protected_ases_are_refused_by_no_filter() {
    let place = place("[asn]\ntable = \"table\"\n[protect]\nasns = [64496]\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(paths(&place), ["_64497$"]);
    assert_eq!(place.run(&["list"]).code(0).out, "203.0.113.0/24\n");
    let why = place.run(&["why", "AS64496", "--json"]).code(0).json();
    assert_eq!(why["verdict"], "protected");
    assert_eq!(why["protected_by"][0], "[protect] asns");
    let printed = place.run(&["check", "--print"]).code(0).out;
    assert!(printed.contains("asns     = [64496]\n"), "{printed}");
    // It comes back when it is no longer protected, and nothing is held for it.
    let config = place
        .read("nullrouted.toml")
        .replace("asns = [64496]", "asns = []");
    std::fs::write(place.config(), config).unwrap();
    place.run(&["refresh"]).code(0);
    assert_eq!(paths(&place), ["_64496$", "_64497$"]);
    let config = place
        .read("nullrouted.toml")
        .replace("asns = []", "asns = [0]");
    std::fs::write(place.config(), config).unwrap();
    place
        .run(&["check"])
        .code(64)
        .says("asns: 0 is not from 1 to 4294967295");
}

#[test]
fn the_as_of_a_bgp_neighbor_is_refused_by_no_filter() {
    let place = place("[asn]\ntable = \"table\"\n[protect]\ndiscover = [\"bgp-neighbors\"]\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(paths(&place), ["_64496$", "_64497$"]);
    place.edit(
        "INSERT INTO discovered (source, prefix, why, first_seen, last_seen)
         VALUES ('bgp-neighbors', 'AS64496', 'BGP neighbor in FRR', unixepoch(), unixepoch())",
    );
    place.run(&["refresh"]).code(0);
    assert_eq!(paths(&place), ["_64497$"]);
    // What it originates is listed for a reason, and is no reason to protect it.
    let list = place.run(&["list"]).code(0).out;
    assert!(list.contains("192.0.2.0/24\n"), "{list}");
    let why = place.run(&["why", "AS64496", "--json"]).code(0).json();
    assert_eq!(why["protected_by"][0], "BGP neighbor in FRR");
    let status = place.run(&["status", "--json"]).code(0).json();
    assert_eq!(status["protected_asns"][0]["asn"], 64_496, "{status}");
}

#[test]
fn history_tells_of_an_as_alone() {
    let place = place("");
    place.run(&["refresh"]).code(0);
    place
        .run(&["allow", "AS64496", "--reason", "our customer"])
        .code(0);
    place.write("asndrop.json", &asndrop(&[64_497]));
    place.run(&["refresh"]).code(0);
    // As if all of it had happened in one second.
    place.edit("UPDATE generation SET at = 1790000000");
    place.edit("UPDATE event SET at = 1790000000");
    place.edit("UPDATE operator SET since = 1790000000");
    place.edit("UPDATE listing SET first_seen = 1790000000");
    place.edit("UPDATE listing SET last_seen = 1790000000 WHERE last_seen IS NOT NULL");
    let history = place.run(&["history", "as64496", "--json"]).code(0).json();
    let entries = history.as_array().unwrap();
    let told = entries.iter().map(|entry| {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        match word("kind").as_str() {
            "event" => format!("{} {}", word("what"), word("subject")),
            kind => format!("{kind} {}{}", word("op"), word("prefix")),
        }
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "listed AS64496",
            "delisted AS64496",
            "change +AS64496",
            "allow AS64496",
            "change -AS64496",
        ]
    );
    place
        .run(&["history", "AS64511"])
        .code(0)
        .says("AS64511: nothing is known of it since ");
}

#[test]
fn a_list_of_origins_becomes_an_as_path_list() {
    let place = place("");
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=asndrop  2 entries")
        .says("2 origin ASes in force (was 0)");
    assert_eq!(paths(&place), ["_64496$", "_64497$"]);
    assert_eq!(place.run(&["list"]).lines().len(), 0, "an AS is no prefix");
    assert!(
        place
            .run(&["render", "edge1"])
            .code(0)
            .out
            .contains("permit _64497$")
    );

    place.write("asndrop.json", &asndrop(&[64_497]));
    place.run(&["refresh"]).code(0);
    assert_eq!(paths(&place), ["_64497$"]);

    place.run(&["flush"]).code(0);
    assert!(paths(&place).is_empty());
    place.run(&["unpin"]).code(0);
    assert_eq!(paths(&place), ["_64497$"]);
}

#[test]
fn with_a_table_an_origin_becomes_the_prefixes_that_it_alone_announces() {
    let place = place("[asn]\ntable = \"table\"\n");
    place
        .run(&["refresh"])
        .code(0)
        .says("5 prefixes, 1 of several origins are left out");
    assert_eq!(
        place.run(&["list"]).lines(),
        ["192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32"]
    );
    place
        .run(&["why", "203.0.113.9"])
        .says("listed by asndrop: 203.0.113.0/24 (AS64497 NET-64497), line 2");

    place.write("asndrop.json", &asndrop(&[64_496]));
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).lines().len(), 2);
}

#[test]
fn a_table_that_cannot_be_read_any_more_withdraws_nothing() {
    let place = place("[asn]\ntable = \"table\"\n");
    place.run(&["refresh"]).code(0);
    for broken in ["", "<html>\n", "1 2\n3 4\n"] {
        place.write("table", broken);
        place
            .run(&["refresh"])
            .code(3)
            .says("held, reason: asndrop: the table of its origins cannot be read");
        assert_eq!(place.run(&["list"]).lines().len(), 3, "{broken:?}");
    }
    std::fs::remove_file(place.path("table")).unwrap();
    place.run(&["refresh"]).code(3).says("[asn] table ");
    assert_eq!(place.run(&["list"]).lines().len(), 3);
    place.write("table", TABLE);
    place.run(&["refresh"]).code(0);
}

#[test]
fn a_table_that_changes_too_much_is_held() {
    let place = place("[asn]\ntable = \"table\"\n[limits]\nsmall_change = 2\n");
    place.run(&["refresh"]).code(0);
    let more: String = (0..20)
        .map(|i| format!("72.37.{}.0\t24\t64496\n", 2 * i))
        .collect();
    place.write("table", &format!("{TABLE}{more}"));
    place.run(&["refresh"]).code(3).says("held, reason: ");
    assert_eq!(place.run(&["list"]).lines().len(), 3);
}

#[test]
fn an_old_table_no_longer_counts() {
    let place = place("[asn]\ntable = \"table\"\nmax_age = \"30d\"\n");
    place.run(&["refresh"]).code(0);
    table_is_of_days_ago(&place, 31);
    place
        .run(&["refresh"])
        .code(0)
        .says("31d old (max_age 30d); it no longer counts");
    assert_eq!(place.run(&["list"]).lines().len(), 0);
    assert_eq!(
        paths(&place),
        ["_64496$", "_64497$"],
        "the list of ASes is not old"
    );
}

#[test]
fn a_table_that_comes_back_after_its_age_does_not_slip_past_the_limits() {
    let place = place("[asn]\ntable = \"table\"\n[limits]\nsmall_change = 2\n");
    with_feed(&place, "name = \"noc\"\npath = \"noc.list\"\n");
    place.write("noc.list", "192.0.2.128/25\n");
    place.run(&["refresh"]).code(0);
    table_is_of_days_ago(&place, 60);
    place.run(&["refresh"]).code(0).says("no longer counts");
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.128/25"]);
    let more: String = (0..20)
        .map(|i| format!("72.37.{}.0\t24\t64496\n", 2 * i))
        .collect();
    place.write("table", &format!("{TABLE}{more}"));
    place.run(&["refresh"]).code(3).says("would be added");
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.128/25"]);
}

#[test]
fn another_table_does_not_switch_off_the_limits_of_other_feeds() {
    let place =
        place("[asn]\ntable = \"table\"\n[limits]\nmax_removed = \"100%\"\nsmall_change = 2\n");
    with_feed(
        &place,
        "name = \"small\"\npath = \"small.list\"\nmax_removed = \"10%\"\n",
    );
    let list = |count: u32| -> String {
        (0..count)
            .map(|i| format!("72.38.{}.0/24\n", 2 * i))
            .collect()
    };
    place.write("small.list", &list(40));
    place.run(&["refresh"]).code(0);
    place.write("table", &format!("{TABLE}72.37.0.0\t24\t64496\n"));
    place.write("small.list", &list(20));
    place
        .run(&["refresh"])
        .code(3)
        .says("small: 20 of 40 prefixes would go, 50% (max_removed 10%)");
    assert_eq!(place.run(&["list"]).lines().len(), 43);
}

#[test]
fn too_many_new_origins_are_held_and_the_routers_keep_theirs() {
    let place = place("[limits]\nsmall_change = 2\n");
    place.run(&["refresh"]).code(0);
    place.write(
        "asndrop.json",
        &asndrop(&(64_496..64_511).collect::<Vec<_>>()),
    );
    place
        .run(&["refresh"])
        .code(3)
        .says("asndrop: 13 of 2 origin ASes would be added, 650% (max_added 50%)");
    assert_eq!(paths(&place), ["_64496$", "_64497$"]);
}

#[test]
fn without_the_table_what_it_brought_is_held_and_not_withdrawn() {
    let place = place("[asn]\ntable = \"table\"\n[limits]\nsmall_change = 0\n");
    place.run(&["refresh"]).code(0);
    let before = place.run(&["list"]).code(0).out;
    assert!(before.lines().count() == 3, "{before}");
    let config = place.read("nullrouted.toml");
    let config = config.replace("[asn]\ntable = \"table\"\n", "");
    std::fs::write(place.config(), config).unwrap();
    let held = place.run(&["refresh"]).code(3);
    held.says("[asn] table");
    assert_eq!(place.run(&["list"]).out, before);
    let status = place.run(&["status", "--json"]).json();
    let id = status["held"]["id"].as_str().unwrap().to_owned();
    place.run(&["approve", &id]).code(0);
    assert_eq!(place.run(&["list"]).lines().len(), 0);
}
