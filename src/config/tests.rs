//! What an operator reads when the configuration is wrong, word by word.

use super::*;

fn read_nothing(_: &Path) -> std::io::Result<Vec<u8>> {
    Err(std::io::ErrorKind::NotFound.into())
}

fn problems(text: &str) -> String {
    match parse(
        Path::new("/etc/nullrouted/nullrouted.toml"),
        text,
        &read_nothing,
    ) {
        Ok(_) => "no problem".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

fn accepted(text: &str) -> Config {
    parse(
        Path::new("/etc/nullrouted/nullrouted.toml"),
        text,
        &read_nothing,
    )
    .unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_preset_is_one_line() {
    let config = accepted("[[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v4\"\n");
    let feed = &config.feeds[0];
    assert_eq!(
        feed.origin.to_string(),
        "https://www.spamhaus.org/drop/drop_v4.json"
    );
    assert_eq!(feed.rules.format.name(), "spamhaus-json");
    assert_eq!(feed.rhythm.floor.as_secs(), 3_600);
    assert!(
        feed.attribution
            .is_some_and(|credit| credit.contains("Spamhaus"))
    );
    assert_eq!(config.state_dir, Path::new("/var/lib/nullrouted"));
}

#[test]
fn every_problem_is_reported_at_once_with_its_place() {
    let text = r#"stat_dir = "/x"

[[feed]]
name = "Partner One"
url = "ftp://lists.example.net/bad.txt"
every = 60

[[feed]]
name = "noc"
format = "dsheild"

[protect]
prefixes = ["203.0.113.9/24", "not a network"]

[limits]
shortest_v4 = 40
max_added = "lots"

[kernel]
protocol = 186
"#;
    assert_eq!(
        problems(text),
        r#"/etc/nullrouted/nullrouted.toml:1:1: stat_dir: no such key here
    1 | stat_dir = "/x"
      | ^^^^^^^^
      hint: did you mean state_dir? permitted are state_dir, feed, protect, limits, review, ledger, daemon, kernel, router, fetch, asn
/etc/nullrouted/nullrouted.toml:4:8: name: "Partner One" cannot be the name of a feed
    4 | name = "Partner One"
      |        ^^^^^^^^^^^^^
      hint: a to z, 0 to 9, and - _ . inside, at most 64 characters
/etc/nullrouted/nullrouted.toml:5:7: url: ftp: is not fetched
    5 | url = "ftp://lists.example.net/bad.txt"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      hint: permitted are https and http; for a file write path = …
/etc/nullrouted/nullrouted.toml:6:9: every: expected a duration in quotes, such as "6h", found the number 60
    6 | every = 60
      |         ^^
/etc/nullrouted/nullrouted.toml:8:1: a feed without a preset, a url or a path
    8 | [[feed]]
      | ^^^^^^^^
      hint: `nullrouted feeds` lists the presets
/etc/nullrouted/nullrouted.toml:10:10: format: "dsheild" is not known
   10 | format = "dsheild"
      |          ^^^^^^^^^
      hint: did you mean dshield? permitted are auto, cidr, spamhaus-text, spamhaus-json, asndrop-json, firehol, dshield, emerging-threats, abusech-csv, abusech-text, csv, columns, json, p2p, dat, rbldnsd, rsc, ipset, nft, nginx, stix, misp, crowdsec
/etc/nullrouted/nullrouted.toml:13:13: prefixes: "203.0.113.9/24": host bits set, probably 203.0.113.0/24 was meant
   13 | prefixes = ["203.0.113.9/24", "not a network"]
      |             ^^^^^^^^^^^^^^^^
/etc/nullrouted/nullrouted.toml:13:31: prefixes: "not a network": not an address or a prefix
   13 | prefixes = ["203.0.113.9/24", "not a network"]
      |                               ^^^^^^^^^^^^^^^
/etc/nullrouted/nullrouted.toml:16:15: shortest_v4: 40 is not from 1 to 32
   16 | shortest_v4 = 40
      |               ^^
/etc/nullrouted/nullrouted.toml:17:13: max_added: expected a share in quotes, such as "25%", found the text "lots"
   17 | max_added = "lots"
      |             ^^^^^^
/etc/nullrouted/nullrouted.toml:20:12: protocol: 186 belongs to FRR's zebra, which may remove our routes or lose its own
   20 | protocol = 186
      |            ^^^
      hint: the default is 166
11 problems"#
    );
}

#[test]
fn broken_toml_is_shown_where_it_breaks() {
    let shown = problems("state_dir = \"/x\n[[feed]]\nname = \n");
    assert!(
        shown.starts_with("/etc/nullrouted/nullrouted.toml:1:"),
        "{shown}"
    );
    assert!(shown.contains(":3:"), "{shown}");
}

#[test]
fn a_protect_file_that_is_missing_or_not_whole_is_a_problem() {
    let text = "[protect]\nfiles = [\"allow.list\"]\n";
    assert!(problems(text).contains("files: /etc/nullrouted/allow.list: entity not found"));
    let torn = |_: &Path| Ok(b"192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/2".to_vec());
    let shown = parse(Path::new("/etc/nullrouted/nullrouted.toml"), text, &torn)
        .unwrap_err()
        .to_string();
    assert!(
        shown.contains("line 3: \"203.0.113.0/2\": the last line has no newline"),
        "{shown}"
    );
}

#[test]
fn a_feed_more_often_than_the_publisher_permits_is_a_problem() {
    let text = "[[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v4\"\nevery = \"5m\"\n";
    let shown = problems(text);
    assert!(shown.contains("every: 5m is too often"), "{shown}");
    assert!(
        shown.contains("the publisher asks for at least \"1h\""),
        "{shown}"
    );
}

#[test]
fn two_feeds_or_routers_cannot_share_a_name_or_a_file() {
    let text = r#"
[[feed]]
name = "a"
path = "a"
[[feed]]
name = "a"
path = "b"
[[router]]
name = "r"
family = "frr"
path = "f"
[[router]]
name = "s"
family = "frr"
path = "f"
"#;
    let shown = problems(text);
    assert!(
        shown.contains("name: \"a\" is the name of another feed"),
        "{shown}"
    );
    assert!(
        shown.contains("path: \"/etc/nullrouted/f\" is the path of another router, \"r\"\n"),
        "{shown}"
    );
    assert!(
        shown.contains("hint: give each router a path of its own"),
        "{shown}"
    );
}

#[test]
fn a_missing_file_says_how_to_name_another() {
    let shown = load(Path::new("/nonexistent/nullrouted.toml"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        shown,
        "/nonexistent/nullrouted.toml: No such file or directory (os error 2)\n      \
         hint: start from config/nullrouted.toml (README, \"Configure\"), or name another file with \
         --config FILE\n1 problem"
    );
}

#[test]
fn yaml_and_a_number_in_quotes_are_recognised() {
    let shown = problems("# feeds\nfeeds:\n  - name: drop\n");
    let hint =
        "hint: this looks like YAML; the configuration is TOML: [[feed]], then name = \"...\"";
    assert!(shown.contains(hint), "{shown}");
    let shown = problems("[limits]\nshortest_v4 = \"8\"\n");
    let expected = "shortest_v4: expected a number without quotes, found the text \"8\"";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn what_is_printed_reads_as_the_same_configuration() {
    let text = r#"
state_dir = "/srv/nullrouted"
[[feed]]
name = "drop"
preset = "spamhaus-drop-v6"
max_removed = "12.5%"
max_added_count = 20
[[feed]]
name = "noc"
path = "noc.list"
reserved = true
host_bits = "mask"
[[feed]]
name = "tracker"
url = "https://lists.example.net/hosts.csv"
format = "csv"
field = "ip"
reference = "why"
length = "prefix"
ports = "ignore"
[[feed]]
name = "ranges"
url = "https://lists.example.net/hosts.json"
format = "json"
field = "[].first"
last = "last"
[protect]
prefixes = ["203.0.113/24", "2001:db8:1::/48"]
discover = ["sessions", "addresses"]
[limits]
max_removed_count = 300
max_share_v6 = "0.5%"
[review]
mode = "manual"
[ledger]
keep = "30d"
[kernel]
type = "prohibit"
on_stop = "withdraw"
[[router]]
name = "edge1"
family = "frr"
path = "/etc/frr/nullrouted.conf"
check = ["vtysh", "-C", "-f", "{file}"]
announce_to = "ebgp"
neighbors = ["2001:db8::2", "192.0.2.2"]
[fetch]
contact = "noc@example.net"
"#;
    let once = print(&accepted(text));
    let twice = print(&accepted(&once));
    assert_eq!(once, twice);
    for line in [
        "every        = \"12h\"",
        "max_added_count   = 20",
        "max_removed_count = 300",
        "max_share_v6 = \"0.5%\"",
        "discover = [\"sessions\", \"addresses\"]",
        "mode = \"manual\"",
        "keep = \"30days\"",
        "announce_to = \"ebgp\"",
        "neighbors   = [\"192.0.2.2\", \"2001:db8::2\"]",
    ] {
        assert!(once.contains(line), "{line}: {once}");
    }
    let all = accepted("");
    assert!(print(&all).contains(
        "discover = [\"addresses\", \"connected\", \"gateways\", \"resolvers\", \"bgp-neighbors\", \"feed-hosts\"]"
    ));
}

#[test]
fn how_safe_it_is_to_be_is_checked_word_by_word() {
    let shown = problems(
        r#"[[feed]]
name = "operator"
path = "noc.list"
[protect]
discover = ["adresses", "sessions"]
[limits]
max_share_v6 = 1
max_added_count = -1
[review]
mode = "two"
[ledger]
keep = "1h"
"#,
    );
    for (line, column, text) in [
        (
            1,
            1,
            "name: \"operator\" stands for what is added by hand (nullrouted add)",
        ),
        (5, 13, "discover: \"adresses\" is not known"),
        (
            7,
            16,
            "max_share_v6: expected a share in quotes, such as \"25%\", found the number 1",
        ),
        (8, 19, "max_added_count: -1 is not from 0 to 4294967295"),
        (10, 8, "mode: \"two\" is not known"),
        (12, 8, "keep: must be at least \"1d\""),
    ] {
        let expected = format!("nullrouted.toml:{line}:{column}: {text}");
        assert!(shown.contains(&expected), "{expected}\n{shown}");
    }
    assert!(shown.contains("permitted are addresses, connected, gateways, resolvers, bgp-neighbors, feed-hosts, sessions"));
    assert!(
        shown.contains("hint: permitted are limits, manual"),
        "{shown}"
    );
    assert!(shown.ends_with("6 problems"), "{shown}");
}

#[test]
fn the_columns_beside_the_address_are_checked() {
    let shown = problems(
        r#"[[feed]]
name = "one"
url = "https://lists.example.net/a.csv"
format = "csv"
field = "ip"
length = "prefix"
last = "end"
ports = "drop"
[[feed]]
name = "two"
url = "https://lists.example.net/b.txt"
length = "prefix"
"#,
    );
    assert_eq!(
        shown,
        r#"/etc/nullrouted/nullrouted.toml:7:8: last: an address has a length or a last address, not both
    7 | last = "end"
      |        ^^^^^
/etc/nullrouted/nullrouted.toml:8:9: ports: "drop" is not known
    8 | ports = "drop"
      |         ^^^^^^
      hint: permitted are refuse, ignore
/etc/nullrouted/nullrouted.toml:12:10: length: cidr has no second column beside the address
   12 | length = "prefix"
      |          ^^^^^^^^
      hint: it is read with format = "csv", "columns" and "json"
3 problems"#
    );
}

#[test]
fn what_a_feed_says_of_its_lines_is_checked_word_by_word() {
    let shown = problems(
        r#"[[feed]]
name = "one"
url = "https://lists.example.net/a.csv"
format = "csv"
lengths_v4 = "24-8"
lengths_v6 = "8"
withdraw_after = "0 copies"
max_age = 30
[[feed]]
name = "two"
url = "https://lists.example.net/b.txt"
field = "ip"
reference = "why"
[[feed]]
name = "three"
url = "https://lapi.example.net/v1/decisions/stream"
format = "crowdsec"
[asn]
max_age = "30d"
"#,
    );
    assert_eq!(
        shown,
        r#"/etc/nullrouted/nullrouted.toml:4:10: format: csv does not say by itself where the address is
    4 | format = "csv"
      |          ^^^^^
      hint: field = "…": the name or number of a column in CSV, a path such as "items[].ip" in JSON
/etc/nullrouted/nullrouted.toml:5:14: lengths_v4: "24-8" is no pair of lengths
    5 | lengths_v4 = "24-8"
      |              ^^^^^^
      hint: such as "8-32", or "none" when the list has no such prefix
/etc/nullrouted/nullrouted.toml:6:14: lengths_v6: "8" is no pair of lengths
    6 | lengths_v6 = "8"
      |              ^^^
      hint: such as "8-128", or "none" when the list has no such prefix
/etc/nullrouted/nullrouted.toml:7:18: withdraw_after: expected copies or a duration in quotes, such as "2 copies" or "6h", found the text "0 copies"
    7 | withdraw_after = "0 copies"
      |                  ^^^^^^^^^^
/etc/nullrouted/nullrouted.toml:8:11: max_age: expected a duration in quotes, such as "6h", found the number 30
    8 | max_age = 30
      |           ^^
/etc/nullrouted/nullrouted.toml:12:9: field: cidr has no fields to choose from
   12 | field = "ip"
      |         ^^^^
/etc/nullrouted/nullrouted.toml:13:13: reference: cidr knows by itself where its references are
   13 | reference = "why"
      |             ^^^^^
/etc/nullrouted/nullrouted.toml:16:7: url: a stream of decisions gives only what is new
   16 | url = "https://lapi.example.net/v1/decisions/stream"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      hint: add ?startup=true, so that each answer is the whole list
/etc/nullrouted/nullrouted.toml:19:11: max_age: there is no table that it could be the age of
   19 | max_age = "30d"
      |           ^^^^^
9 problems"#
    );
}

#[test]
fn a_bogon_preset_keeps_reserved_space_and_a_local_copy_is_believed_at_once() {
    let config = accepted(
        "[[feed]]\nname = \"a\"\npreset = \"cymru-fullbogons-v4\"\n\
         [[feed]]\nname = \"b\"\npreset = \"cymru-fullbogons-v4\"\nreserved = false\npath = \"/x\"\n",
    );
    let [a, b] = &config.feeds[..] else { panic!() };
    assert!(a.reserved && !b.reserved);
    assert_eq!(
        a.ages.max_age,
        Some(std::time::Duration::from_secs(7 * 86_400))
    );
    assert_eq!(a.withdraw_after.to_string(), "2 copies");
    assert_eq!(b.withdraw_after.to_string(), "1 copy");
    assert_eq!(a.rules.header, Some("last updated"));
}

#[test]
fn what_the_kernel_section_refuses() {
    for (line, said) in [
        (
            "table = 255",
            "table: 255 is the kernel's own table of local addresses",
        ),
        ("table = 0", "table: 0 is not from 1 to 4294967295"),
        ("audit = \"9s\"", "audit: must be at least \"10s\""),
        ("audit = \"31d\"", "audit: must be at most \"30d\""),
        ("rule = 32766", "rule: 32766 is not from 0 to 32765"),
        (
            "rule = 5000",
            "rule: the main table has its rule already\n    2 | rule = 5000\n      |        ^^^^\n      \
             hint: a rule is for a table of its own, as in table = 1166",
        ),
        ("type = \"throw\"", "type: \"throw\" is not known"),
        ("cover_more_specifics = 1", "cover_more_specifics: expected"),
    ] {
        let shown = problems(&format!("[kernel]\n{line}\n"));
        assert!(shown.contains(said), "{line}: {shown}");
        assert!(shown.ends_with("1 problem"), "{line}: {shown}");
    }
}

mod routers;

#[test]
fn whatever_stands_in_the_file_its_lines_stay_lines_and_the_caret_stays_in_its_place() {
    let text = "[[feed]]\n\tname = \"a\u{1b}[2J\u{202e}\" # \u{9b}31m\r\npath = \"x\"\n";
    let shown = problems(text);
    let expected = "/etc/nullrouted/nullrouted.toml:2:9: name: \"a\\u{1b}[2J\\u{202e}\" cannot be the name of a feed
    2 |  name = \"a\\u{1b}[2J\\u{202e}\" # \\u{9b}31m
      |         ^^^^^^^^^^^^^^^^^^^^
";
    assert!(shown.starts_with(expected), "{shown}");
    // A NUL breaks the syntax; what stands before it on the line moves the caret by what is shown
    // of it.
    let shown = problems("# a\nstate_dir = \"b\u{7}\0c\"\n");
    assert!(!shown.contains(['\0', '\u{7}']), "{shown:?}");
    assert!(
        shown.contains("\n    2 | state_dir = \"b\\u{7}\\u{0}c\"\n"),
        "{shown}"
    );
    let message =
        problems("[[feed]]\nname = \"a\"\npath = \"b\"\nformat = \"c\\nhint: all is well\"\n");
    assert!(
        message.contains("format: \"c\\nhint: all is well\" is not known\n"),
        "{message}"
    );
}

#[test]
fn what_is_printed_reads_as_the_same_whatever_characters_are_in_it() {
    let evil = "x\\\\u{41}\\u0000\\u0007\\n\\t\\\"'\\u007f\\u009b\\u202e\\U000e0041\u{301}é";
    let text = format!("state_dir = \"{evil}\"\n[fetch]\nca_file = \"{evil}\"\n");
    let config = accepted(&text);
    let printed = print(&config);
    assert!(!printed.contains(|c| c != '\n' && crate::shown::is_hidden(c)));
    assert_eq!(printed, print(&accepted(&printed)));
    assert_eq!(accepted(&printed).state_dir, config.state_dir);
}

#[test]
fn a_share_or_a_span_without_end_is_refused() {
    for share in [
        "inf%",
        "infinity%",
        "nan%",
        "1e999%",
        "-0.1%",
        "-inf%",
        "1e7%",
    ] {
        for text in [
            format!("[limits]\nmax_added = \"{share}\"\n"),
            format!("[limits]\nmax_share_v4 = \"{share}\"\n"),
            format!("[[feed]]\nname = \"a\"\npath = \"b\"\nmax_removed = \"{share}\"\n"),
        ] {
            let shown = problems(&text);
            let expected = format!(": \"{share}\" is no limit: a share is from 0% to 1000000%\n");
            assert!(shown.contains(&expected), "{shown}");
        }
    }
    for span in ["580000000000y", "1001y"] {
        for text in [
            format!("[ledger]\nkeep = \"{span}\"\n"),
            format!("[[feed]]\nname = \"a\"\npath = \"b\"\nexpire_after = \"{span}\"\n"),
            format!("[fetch]\ntimeout = \"{span}\"\n"),
            format!("[kernel]\naudit = \"{span}\"\n"),
            format!("[[feed]]\nname = \"a\"\npath = \"b\"\nwithdraw_after = \"{span}\"\n"),
        ] {
            let shown = problems(&text);
            let expected = format!(": \"{span}\" is longer than 1000 years\n");
            assert!(shown.contains(&expected), "{shown}");
        }
    }
    let fine =
        "[limits]\nmax_added = \"1000000%\"\nmax_removed = \"0%\"\n[ledger]\nkeep = \"1000y\"\n";
    accepted(fine);
}

#[test]
fn the_users_of_the_control_socket_are_names_and_writers_need_a_group() {
    let config = accepted("[daemon]\ngroup = \"noc\"\nwriters = [\"alice\", \"bob.b\"]\n");
    assert_eq!(config.daemon.group.as_deref(), Some("noc"));
    assert_eq!(config.daemon.writers, ["alice", "bob.b"]);
    assert_eq!(accepted("").daemon, model::DaemonConfig::default());
    let told = problems("[daemon]\nwriters = [\"alice\", \"a b\"]\n");
    assert!(
        told.contains("writers: without a group only root and the user of the daemon can connect"),
        "{told}"
    );
    assert!(
        told.contains("writers: \"a b\" cannot be a name of the system"),
        "{told}"
    );
    let told = problems("[daemon]\ngroup = \"\"\n");
    assert!(
        told.contains("group: \"\" cannot be a name of the system"),
        "{told}"
    );
}

#[test]
fn a_configuration_has_another_fingerprint_where_it_says_something_else() {
    let of = |text| fingerprint(&accepted(text));
    assert_eq!(of(""), of("# a comment\n"));
    assert_ne!(of(""), of("[daemon]\ngroup = \"noc\"\n"));
    assert_ne!(of(""), of("[protect]\nprefixes = [\"192.0.2.0/24\"]\n"));
}

#[test]
fn what_was_probably_meant_is_named() {
    for (text, hint) in [
        (
            "[[fed]]\nname = \"a\"\n",
            "did you mean feed? permitted are state_dir, ",
        ),
        (
            "[kernel]\nmetrik = 20\n",
            "did you mean metric? permitted are ",
        ),
        (
            "[[feed]]\nname = \"a\"\npreset = \"spamhaus-drop-4\"\n",
            "did you mean spamhaus-drop-v4? permitted are ",
        ),
        (
            "[[router]]\nname = \"a\"\nfamily = \"junoz\"\npath = \"/x\"\n",
            "did you mean junos? permitted are ",
        ),
        ("[kernel]\nxyzzy = 20\n", "hint: permitted are "),
    ] {
        let shown = problems(text);
        assert!(shown.contains(hint), "{text}: {shown}");
    }
    let shown = problems("[[feed]]\nname = \"a\"\npreset = \"sslbl\"\n");
    let told = "preset: \"sslbl\" is retired: given up by its publisher, abuse.ch, in January 2025: the list is empty";
    assert!(shown.contains(told), "{shown}");
}

#[test]
fn a_value_of_another_type_is_told_in_plain_words() {
    for (text, told) in [
        (
            "[limits]\nshortest_v4 = \"8\"\n",
            "shortest_v4: expected a number without quotes, found the text \"8\"",
        ),
        (
            "[kernel]\nenabled = \"yes\"\n",
            "enabled: expected true or false without quotes, found the text \"yes\"",
        ),
        (
            "state_dir = 5\n",
            "state_dir: expected a text in quotes, found the number 5",
        ),
        (
            "state_dir = 1.5\n",
            "state_dir: expected a text in quotes, found the number 1.5",
        ),
        (
            "[protect]\nprefixes = \"192.0.2.0/24\"\n",
            "prefixes: expected a list in brackets, such as [\"…\"], found the text \"192.0.2.0/24\"",
        ),
        (
            "[limits]\nmax_routes = true\n",
            "max_routes: expected a number without quotes, found true",
        ),
        (
            "limits = 5\n",
            "limits: expected a table of keys, found the number 5",
        ),
        (
            "[limits]\nmax_routes = [1]\n",
            "max_routes: expected a number without quotes, found a list",
        ),
    ] {
        let shown = problems(text);
        assert!(shown.contains(told), "{text}: {shown}");
    }
}

#[test]
fn yaml_and_ini_are_known_as_such() {
    for (text, kind) in [
        ("feeds:\n  - name: noc\n", "YAML"),
        ("[feed]\nname = noc\npath = /etc/noc.list\n", "INI"),
    ] {
        let shown = problems(text);
        let told = format!(
            "hint: this looks like {kind}; the configuration is TOML: [[feed]], then name = "
        );
        assert!(shown.contains(&told), "{shown}");
    }
}
