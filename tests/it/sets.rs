//! Routers that get a part of what is in force: by feed, by family, by length. Through the verbs.

use crate::support::{NO_KERNEL, Place, asndrop};
use serde_json::Value;

/// Two feeds, and the router `all` that gets everything.
const FEEDS: &str = "[[feed]]\nname = \"a\"\npath = \"a.list\"\nwithdraw_after = \"1 copy\"\n\
                     [[feed]]\nname = \"b\"\npath = \"b.list\"\nwithdraw_after = \"1 copy\"\n";

fn router(name: &str, family: &str, lines: &str) -> String {
    format!(
        "[[router]]\nname = \"{name}\"\nfamily = \"{family}\"\npath = \"{name}.conf\"\n{lines}\n"
    )
}

fn config(routers: &[String]) -> String {
    format!(
        "{FEEDS}{NO_KERNEL}{}[limits]\nmax_removed = \"100%\"\nmax_added = \"1000%\"\n",
        routers.concat()
    )
}

fn place(routers: &[String]) -> Place {
    let place = Place::new(&config(routers));
    place.write("a.list", A);
    place.write("b.list", B);
    place
}

/// Neighbors in the middle: joined, they are 72.37.186.0/23.
const A: &str = "72.37.186.0/24 # A1\n198.51.100.0/24 # A2\n2001:db8:a::/48 # A3\n";
const B: &str =
    "72.37.187.0/24 # B1\n203.0.113.7 # B2\n203.0.113.128/25 # B3\n2001:db8:d::/48 # B4\n";

/// The change that waits.
struct Plan(String);

impl Plan {
    fn of(place: &Place) -> Self {
        let plan = place.run(&["plan", "--json"]).json();
        Self(plan["id"].as_str().unwrap().to_owned())
    }

    fn approve(&self, place: &Place) {
        place.run(&["approve", &self.0]).code(0);
    }

    fn reject(&self, place: &Place) {
        place.run(&["reject", &self.0]).code(0);
    }
}

/// What the file of a router has, without its comments.
fn has(place: &Place, router: &str) -> Vec<String> {
    let text = place.read(&format!("{router}.conf"));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let nets = lines.filter_map(|line| line.split_whitespace().next());
    nets.map(str::to_owned).collect()
}

fn plain(name: &str, lines: &str) -> String {
    router(name, "plain", lines)
}

fn generations(place: &Place) -> i64 {
    let newest = "SELECT coalesce(max(number), 0) FROM generation";
    let read = |row: &rusqlite::Row| row.get(0);
    place.ledger().query_row(newest, [], read).unwrap()
}

#[test]
fn each_router_has_what_its_feeds_list_merged_by_itself() {
    let place = place(&[
        plain("all", ""),
        plain("only-a", "feeds = [\"a\"]"),
        plain("only-b", "feeds = [\"b\"]\noperator = false"),
        plain("both", "feeds = [\"b\", \"a\"]"),
        plain("by-hand", "feeds = []"),
        plain("fed", "operator = false"),
        plain("six", "families = [\"ipv6\"]"),
        plain("short", "max_length_v4 = 24"),
        plain(
            "short-b",
            "feeds = [\"b\"]\nfamilies = [\"ipv4\"]\nmax_length_v4 = 25",
        ),
    ]);
    place
        .run(&["add", "192.0.2.7", "--reason", "phish"])
        .code(0);
    place.run(&["refresh"]).code(0);
    let everything = [
        "72.37.186.0/23",
        "192.0.2.7/32",
        "198.51.100.0/24",
        "203.0.113.7/32",
        "203.0.113.128/25",
        "2001:db8:a::/48",
        "2001:db8:d::/48",
    ];
    for (name, expected) in [
        ("all", &everything[..]),
        ("both", &everything),
        (
            "only-a",
            &[
                "72.37.186.0/24",
                "192.0.2.7/32",
                "198.51.100.0/24",
                "2001:db8:a::/48",
            ],
        ),
        (
            "only-b",
            &[
                "72.37.187.0/24",
                "203.0.113.7/32",
                "203.0.113.128/25",
                "2001:db8:d::/48",
            ],
        ),
        ("by-hand", &["192.0.2.7/32"]),
        (
            "fed",
            &[
                "72.37.186.0/23",
                "198.51.100.0/24",
                "203.0.113.7/32",
                "203.0.113.128/25",
                "2001:db8:a::/48",
                "2001:db8:d::/48",
            ],
        ),
        ("six", &["2001:db8:a::/48", "2001:db8:d::/48"]),
        (
            "short",
            &[
                "72.37.186.0/23",
                "198.51.100.0/24",
                "2001:db8:a::/48",
                "2001:db8:d::/48",
            ],
        ),
        ("short-b", &["72.37.187.0/24", "203.0.113.128/25"]),
    ] {
        assert_eq!(has(&place, name), expected, "{name}");
        let rendered = place.run(&["render", name]).code(0).out;
        assert_eq!(rendered, place.read(&format!("{name}.conf")), "{name}");
    }
    // The kernel's set is the whole: nothing is taken from it for any router.
    assert_eq!(place.run(&["list"]).code(0).lines(), everything);
    place.run(&["plan"]).code(0);
    place
        .run(&["refresh"])
        .code(0)
        .says("only-a.conf unchanged, 4 prefixes (feed a)");
    assert_eq!(generations(&place), 2);

    // The reasons, too, are those of its own feeds.
    let text = place.read("only-a.conf");
    assert!(text.contains("72.37.186.0/24 # a A1\n"), "{text}");
    assert!(!text.contains(" b B1"), "{text}");
}

#[test]
fn what_is_left_out_is_counted_in_the_file_in_status_and_in_the_line_of_the_pass() {
    let place = place(&[
        plain("short", "max_length_v4 = 24\nmax_length_v6 = 48"),
        router("data", "json", "feeds = [\"b\"]\nmax_length_v4 = 24"),
    ]);
    let told = "every feed; IPv4 up to /24; IPv6 up to /48; 2 IPv4 prefixes longer than /24 and 0 IPv6 prefixes \
                longer than /48 left out";
    place
        .run(&["refresh"])
        .code(0)
        .says(&format!("short.conf replaced, 4 prefixes ({told})"));
    let text = place.read("short.conf");
    let head = "# Written by nullrouted; changes made here are lost. 2 IPv4 and 2 IPv6 prefixes.\n\
                # Selected for this router: every feed; IPv4 up to /24; IPv6 up to /48; 2 IPv4 prefixes longer than\n\
                # /24 and 0 IPv6 prefixes longer than /48 left out.\n#\n";
    assert!(text.starts_with(head), "{text}");
    place.run(&["status"]).code(0).says(told);
    let data: Value = serde_json::from_str(&place.read("data.conf")).unwrap();
    assert_eq!(data["left_out"]["v4"], 2);
    assert_eq!(data["selection"]["feeds"][0], "b");
    let status = place.run(&["status", "--json"]).code(0).json();
    let [data, short] = &status["selections"].as_array().unwrap()[..] else {
        panic!("{status}");
    };
    assert_eq!(
        (&data["router"], &short["router"]),
        (&"data".into(), &"short".into())
    );
    assert_eq!(
        (&short["routes"]["v4"], &short["routes"]["v6"]),
        (&2.into(), &2.into())
    );
    assert_eq!(
        (&short["left_out"]["v4"], &short["left_out"]["v6"]),
        (&2.into(), &0.into())
    );
    assert_eq!(short["selection"]["feeds"], Value::Null);
    assert_eq!(short["selection"]["longest_v4"], 24);
}

#[test]
fn why_names_the_routers_that_have_a_prefix_and_says_of_the_others_why_not() {
    let place = place(&[
        plain("all", ""),
        plain("only-a", "feeds = [\"a\"]"),
        plain("only-b", "feeds = [\"b\"]"),
        plain("short", "max_length_v4 = 24"),
        plain("six", "families = [\"ipv6\"]"),
    ]);
    place.run(&["refresh"]).code(0);
    let story = |query: &str| place.run(&["why", query, "--json"]).code(0).json();
    let names = |value: &Value| -> Vec<String> {
        let names = value.as_array().unwrap().iter();
        let names = names.map(|one| one.as_str().or(one["name"].as_str()).unwrap().to_owned());
        names.collect()
    };
    let told = story("72.37.187.9");
    assert_eq!(names(&told["in_force_at"]), ["all", "only-b", "short"]);
    assert_eq!(names(&told["not_in_force_at"]), ["only-a", "six"]);
    let told = story("203.0.113.7");
    assert_eq!(names(&told["in_force_at"]), ["all", "only-b"]);
    let told = place.run(&["why", "203.0.113.7"]).code(0);
    told.clone()
        .says("  NOT at only-a: nothing in its selection lists it (feed a)\n")
        .says("  NOT at short: left out by its selection (every feed; IPv4 up to /24)\n")
        .says("  NOT at six: left out by its selection (every feed; IPv6 only)\n");
    // All of it is in force; of the two halves each router has its own.
    place
        .run(&["why", "72.37.186.0/23"])
        .code(0)
        .says("  NOT at only-a: only a part of it: 72.37.186.0/24\n")
        .says("  NOT at only-b: only a part of it: 72.37.187.0/24\n");
}

/// What the feeds of a router list now, and what its file has, are two things while something is
/// frozen or waits.
#[test]
fn why_says_of_a_router_that_differs_from_its_feeds_what_keeps_it() {
    let routers = [
        plain("only-a", "feeds = [\"a\"]"),
        plain("only-b", "feeds = [\"b\"]"),
    ];
    let place = place(&routers);
    place.write("a.list", "198.51.100.0/24\n");
    place.write("b.list", "203.0.113.0/24\n192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.run(&["pin"]).code(0);
    place.write("a.list", "198.51.100.0/24\n203.0.113.0/24\n");
    place.write("b.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    let pinned = "pinned to generation 1 since ";
    let told = place.run(&["why", "203.0.113.7"]).code(0);
    told.clone()
        .says("  listed by a: 203.0.113.0/24")
        .says(&format!(
            "  NOT at only-a: its selection lists it now (feed a): {pinned}"
        ))
        .says(&format!(
            "  only-b: its selection no longer lists it (feed b): {pinned}"
        ));
    assert!(
        !told.out.contains("nothing in its selection"),
        "{}",
        told.out
    );
    let told = place.run(&["why", "203.0.113.7", "--json"]).code(0).json();
    assert_eq!(told["differs_at"][0]["name"], "only-b");
    assert_eq!(told["in_force_at"], serde_json::json!(["only-b"]));

    place.configure(&format!(
        "{}[review]\nmode = \"manual\"\n",
        config(&routers)
    ));
    place.run(&["unpin"]).code(3);
    let Plan(id) = Plan::of(&place);
    let held = format!("change {id} is held (nullrouted plan shows it)\n");
    let told = place.run(&["why", "203.0.113.7"]).code(0);
    told.says(&format!(
        "  NOT at only-a: its selection lists it now (feed a): {held}"
    ))
    .says(&format!(
        "  only-b: its selection no longer lists it (feed b): {held}"
    ));
    Plan(id).approve(&place);
    let told = place.run(&["why", "203.0.113.7"]).code(0);
    let told = told.says("  NOT at only-b: nothing in its selection lists it (feed b)\n");
    assert!(!told.out.contains("  only-"), "{}", told.out);
}

/// An edit counts from the next pass on: until then the files are as they were.
#[test]
fn why_tells_of_the_files_as_they_are_although_the_configuration_was_edited() {
    let place = place(&[plain("edge", "feeds = [\"a\"]"), plain("whole", "")]);
    place.run(&["refresh"]).code(0);
    place.configure(&config(&[
        plain("edge", "feeds = [\"b\"]"),
        plain("whole", "feeds = [\"b\"]"),
        plain("new", "feeds = [\"b\"]"),
    ]));
    let edit = "its [[router]] was changed, and the next pass writes what it selects now: feed b\n";
    let told = place.run(&["why", "198.51.100.7"]).code(0);
    told.says("  at edge (")
        .says(&format!("  edge: {edit}"))
        .says(&format!("  whole: {edit}"))
        .says("  NOT at new: not written yet\n");
    let told = place.run(&["why", "203.0.113.7"]).code(0);
    told.says("  NOT at edge: nothing in its selection lists it (feed a)\n")
        .says(&format!("  edge: {edit}"));
    place.run(&["refresh"]).code(0);
    let told = place.run(&["why", "198.51.100.7"]).code(0);
    told.says("  NOT at edge: nothing in its selection lists it (feed b)\n")
        .says("  NOT at whole: nothing in its selection lists it (feed b)\n");
}

/// Where only a part of what was asked for is dropped, each router has its own part of that.
#[test]
fn why_names_the_routers_that_have_a_part_of_what_is_blackholed_in_part() {
    let place = place(&[
        plain("all", ""),
        plain("only-a", "feeds = [\"a\"]"),
        plain("only-b", "feeds = [\"b\"]"),
    ]);
    place.run(&["refresh"]).code(0);
    let told = place.run(&["why", "203.0.113.0/24"]).code(0);
    let at = |name: &str| place.path(&format!("{name}.conf")).display().to_string();
    told.says("203.0.113.0/24 is blackholed in part\n")
        .says(&format!(
            "  a part of it at all ({}): 203.0.113.7/32, 203.0.113.128/25\n",
            at("all")
        ))
        .says(&format!(
            "  a part of it at only-b ({}): 203.0.113.7/32, 203.0.113.128/25\n",
            at("only-b")
        ))
        .says("  NOT at only-a: nothing in its selection lists it (feed a)\n");
    let told = place
        .run(&["why", "203.0.113.0/24", "--json"])
        .code(0)
        .json();
    assert_eq!(told["in_part_at"][1]["name"], "only-b");
    assert_eq!(told["in_part_at"][1]["prefixes"][0], "203.0.113.7/32");
    assert_eq!(told["not_in_force_at"][0]["name"], "only-a");
    assert_eq!(told["in_force_at"], serde_json::json!([]));
    // Of many the first are named.
    let hosts: String = (1..9)
        .map(|host| format!("203.0.113.{}\n", 2 * host))
        .collect();
    place.write("b.list", &hosts);
    place.run(&["refresh"]).code(0);
    let told = place.run(&["why", "203.0.113.0/24"]).code(0);
    told.says("203.0.113.10/32, … (8 prefixes)\n");
}

#[test]
fn a_hold_keeps_the_former_set_of_each_router() {
    let routers = [
        plain("only-a", "feeds = [\"a\"]"),
        plain("only-b", "feeds = [\"b\"]"),
    ];
    let place = place(&routers);
    place.run(&["refresh"]).code(0);
    let before = [has(&place, "only-a"), has(&place, "only-b")];
    let manual = format!("{}[review]\nmode = \"manual\"\n", config(&routers));
    place.configure(&manual);
    // One moves from feed to feed, one goes, one comes.
    place.write("a.list", "72.37.186.0/24\n203.0.113.7\n");
    place.write("b.list", "72.37.187.0/24\n198.18.0.0/24\n192.0.2.0/24\n");
    place.run(&["refresh"]).code(3);
    assert_eq!([has(&place, "only-a"), has(&place, "only-b")], before);
    assert_eq!(generations(&place), 1);
    Plan::of(&place).approve(&place);
    assert_eq!(has(&place, "only-a"), ["72.37.186.0/24", "203.0.113.7/32"]);
    assert_eq!(has(&place, "only-b"), ["72.37.187.0/24", "192.0.2.0/24"]);
}

/// In manual mode, a change that only moves a prefix between feeds is a change of a list.
#[test]
fn in_manual_mode_a_change_between_feeds_waits_where_a_router_names_one() {
    let routers = [
        plain("edge", "feeds = [\"a\"]"),
        plain("both", "feeds = [\"a\", \"b\"]"),
    ];
    let place = place(&routers);
    let manual = format!("{}[review]\nmode = \"manual\"\n", config(&routers));
    place.configure(&manual);
    place.write("a.list", "203.0.113.0/24\n");
    place.write("b.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(3);
    Plan::of(&place).approve(&place);
    assert_eq!(has(&place, "edge"), ["203.0.113.0/24"]);

    place.write("a.list", "192.0.2.0/24\n");
    place.write("b.list", "203.0.113.0/24\n192.0.2.0/24\n");
    let reason = "held, reason: every change waits for approve ([review] mode = \"manual\"): all feeds together \
                  list the same, and by feed a +1 -1, b +1 -0\n";
    place.run(&["refresh"]).code(3).says(reason);
    assert_eq!(has(&place, "edge"), ["203.0.113.0/24"]);
    assert_eq!(generations(&place), 1);
    let plan = place.run(&["plan", "--json"]).code(3).json();
    let id = plan["id"].as_str().unwrap();
    let routers = serde_json::json!([
        {"name": "edge", "added": ["192.0.2.0/24"], "removed": ["203.0.113.0/24"]},
    ]);
    assert_eq!(plan["held"]["routers"], routers);
    place.run(&["plan"]).code(3).says(&format!(
        "router edge: 1 added (192.0.2.0/24), 1 removed (203.0.113.0/24) if {id} is approved\n"
    ));
    // The ID is that of the exact content, whatever the order of the lines, and however often it is
    // looked at.
    place.write("b.list", "192.0.2.0/24\n203.0.113.0/24\n");
    place.run(&["refresh"]).code(3);
    assert_eq!(place.run(&["plan", "--json"]).code(3).json()["id"], id);
    place.run(&["reject", id]).code(0);
    assert_eq!(has(&place, "edge"), ["203.0.113.0/24"]);
    // Another change of a single feed is another change, although both feeds together list the same
    // again.
    place.write("a.list", "203.0.113.0/25\n");
    place.run(&["refresh"]).code(3);
    place
        .run(&["approve", id])
        .code(1)
        .says("(void); what waits now is");
    let other = Plan::of(&place);
    assert_ne!(other.0, id);
    other.approve(&place);
    assert_eq!(has(&place, "edge"), ["203.0.113.0/25"]);
    assert_eq!(has(&place, "both"), ["192.0.2.0/24", "203.0.113.0/24"]);
    place.run(&["refresh"]).code(0);
}

/// The limits judge each feed by itself as well, so a router does not lose its feed because another
/// one lists the same.
#[test]
fn a_feed_that_loses_most_is_held_although_another_feed_lists_the_same() {
    let routers = plain("edge", "feeds = [\"a\"]");
    let place = Place::new(&format!("{FEEDS}{NO_KERNEL}{routers}"));
    let list = |count: u8| -> String {
        let hosts = (0..count).map(|host| format!("203.0.113.{}\n", 4 * host + 1));
        hosts.collect()
    };
    place.write("a.list", &list(60));
    place.write("b.list", &list(60));
    place.run(&["refresh"]).code(0);
    place.write("a.list", &list(1));
    place
        .run(&["refresh"])
        .code(3)
        .says("a: 59 of 60 prefixes would go, 98.3% (max_removed 25%)");
    assert_eq!(has(&place, "edge").len(), 60);
    let held = Plan::of(&place);
    place
        .run(&["plan"])
        .code(3)
        .says("router edge: 0 added, 59 removed (203.0.113.5/32, ");
    held.approve(&place);
    assert_eq!(has(&place, "edge"), ["203.0.113.1/32"]);
}

/// Where every router gets what all feeds list, what one of them lists in addition to another is no
/// change.
#[test]
fn in_manual_mode_nothing_waits_that_no_router_would_see() {
    let all = [plain("all", "")];
    let place = place(&all);
    let manual = format!("{}[review]\nmode = \"manual\"\n", config(&all));
    place.write("a.list", "203.0.113.0/24\n");
    place.write("b.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.configure(&manual);
    place.write("b.list", "203.0.113.0/24\n192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.run(&["plan"]).code(0);
}

/// The set in force stays the same, and two routers get another one: that is a generation, which
/// can be gone back to.
#[test]
fn what_moves_from_feed_to_feed_is_a_generation_and_can_be_undone() {
    let place = place(&[
        router("only-a", "ios", "feeds = [\"a\"]"),
        plain("only-b", "feeds = [\"b\"]"),
        router("all", "ios", ""),
    ]);
    place.write("a.list", "198.51.100.0/24\n203.0.113.0/24\n");
    place.write("b.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("a.list", "198.51.100.0/24\n");
    place.write("b.list", "192.0.2.0/24\n203.0.113.0/24\n");
    place
        .run(&["plan"])
        .code(2)
        .says("The lists change nothing: 3 prefixes in force (generation 1); the targets differ\n");
    place
        .run(&["refresh"])
        .code(0)
        .says("generation 2  router only-a: 0 added, 1 removed (203.0.113.0/24)\n")
        .says("generation 2  router only-b: 1 added (203.0.113.0/24), 0 removed\n");
    let gone = "no ip route 203.0.113.0 255.255.255.0 Null0\n";
    assert!(place.read("only-a.conf").contains(gone));
    assert!(!place.read("all.conf").contains(gone), "it has it still");
    assert_eq!(has(&place, "only-b"), ["192.0.2.0/24", "203.0.113.0/24"]);
    place.run(&["history"]).code(0).says(
        "only-a  generation 2: 0 added, 1 removed (203.0.113.0/24); its feeds list otherwise, the set in force is the same",
    );
    // It is said once, and nothing comes of the next pass.
    place.run(&["refresh"]).code(0);
    assert_eq!(generations(&place), 2);

    place.run(&["pin", "1"]).code(0);
    let text = place.read("only-a.conf");
    assert!(
        text.contains("ip route 203.0.113.0 255.255.255.0 Null0 tag 666"),
        "{text}"
    );
    assert!(!text.contains(gone), "{text}");
    assert_eq!(has(&place, "only-b"), ["192.0.2.0/24"]);
    assert_eq!(generations(&place), 3);
    // What is protected is cut out of what is frozen.
    place
        .run(&["allow", "203.0.113.0/25", "--reason", "ours"])
        .code(0);
    let text = place.read("only-a.conf");
    assert!(
        text.contains("ip route 203.0.113.128 255.255.255.128 Null0 tag 666"),
        "{text}"
    );
    assert!(text.contains(gone), "{text}");
    place.run(&["disallow", "203.0.113.0/25"]).code(0);
    place.run(&["unpin"]).code(0);
    assert!(place.read("only-a.conf").contains(gone));
    assert_eq!(has(&place, "only-b"), ["192.0.2.0/24", "203.0.113.0/24"]);
}

/// The lines that take something away.
fn taken_away(place: &Place, router: &str) -> Vec<String> {
    let text = place.read(&format!("{router}.conf"));
    let is_route = |line: &&str| line.starts_with("no ip") && line.contains(" route ");
    let lines = text.lines().filter(is_route);
    lines.map(str::to_owned).collect()
}

#[test]
fn what_left_the_file_of_a_router_is_taken_away_there_and_nowhere_else() {
    let edge = |lines: &str| [router("edge", "ios", lines), router("all", "ios", "")];
    let place = place(&edge(""));
    place.write("a.list", "72.37.186.0/24\n198.51.100.0/24\n198.18.0.0/24\n");
    place.write("b.list", "72.37.187.0/24\n203.0.113.7\n");
    place.run(&["refresh"]).code(0);
    place.write("a.list", "72.37.186.0/24\n");
    place.run(&["refresh"]).code(0);
    let no = |lines: &[&str]| -> Vec<String> {
        let lines = lines.iter().map(|line| format!("no ip route {line} Null0"));
        lines.collect()
    };
    let old = "198.51.100.0 255.255.255.0";
    assert_eq!(taken_away(&place, "edge"), no(&[old]));

    // It had everything: the joined prefix and what the other feed lists go, and what had left
    // before is still told.
    place.configure(&config(&edge("feeds = [\"a\"]")));
    let [joined, host] = ["72.37.186.0 255.255.254.0", "203.0.113.7 255.255.255.255"];
    place
        .run(&["plan"])
        .code(2)
        .says("target=edge  would replace");
    let planned = place.run(&["render", "edge"]).code(0).out;
    place
        .run(&["refresh"])
        .code(0)
        .says("generation 3  router edge: 1 added (72.37.186.0/24), 2 removed (72.37.186.0/23, 203.0.113.7/32)");
    assert_eq!(taken_away(&place, "edge"), no(&[joined, old, host]));
    assert_eq!(planned, place.read("edge.conf"));
    assert_eq!(taken_away(&place, "all"), no(&[old]));
    place.run(&["history"]).code(0).says(
        "generation 3: 1 added (72.37.186.0/24), 2 removed (72.37.186.0/23, 203.0.113.7/32); [[router]] selects otherwise, the set in force is the same",
    );
    place.run(&["refresh"]).code(0).says("edge.conf unchanged");

    // A shorter limit takes away what is too long.
    place.configure(&config(&edge("feeds = [\"a\"]\nmax_length_v4 = 23")));
    place.run(&["refresh"]).code(0);
    let half = "72.37.186.0 255.255.255.0";
    assert_eq!(taken_away(&place, "edge"), no(&[joined, half, old, host]));

    // Everything again: what it has is not taken away.
    place.configure(&config(&edge("")));
    place.run(&["plan"]).code(2);
    place.run(&["refresh"]).code(0);
    assert_eq!(taken_away(&place, "edge"), no(&[half, old]));
    let text = place.read("edge.conf");
    assert!(!text.contains("Selected for this router"), "{text}");
    place.run(&["refresh"]).code(0).says("edge.conf unchanged");
    place.run(&["plan"]).code(0);
    assert_eq!(place.run(&["render", "edge"]).code(0).out, text);
    assert_eq!(taken_away(&place, "all"), no(&[old]));
}

#[test]
fn what_left_a_router_long_ago_is_forgotten() {
    let place = place(&[router("edge", "ios", "feeds = [\"a\"]")]);
    place.write("a.list", "198.51.100.0/24\n192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("a.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(taken_away(&place, "edge").len(), 1);
    let month = 30 * 24 * 3_600 + 60;
    place.edit(&format!("UPDATE generation SET at = at - {month}"));
    place.write("b.list", "203.0.113.0/24\n");
    place.run(&["refresh"]).code(0);
    assert!(taken_away(&place, "edge").is_empty());
}

#[test]
fn a_flush_takes_away_what_each_router_has_and_unpin_brings_it_back() {
    let place = place(&[
        router("edge", "ios", "feeds = [\"a\"]"),
        router("short", "ios", "max_length_v4 = 24"),
    ]);
    place.run(&["refresh"]).code(0);
    let before = [place.read("edge.conf"), place.read("short.conf")];
    place.run(&["flush"]).code(0);
    let gone = taken_away(&place, "edge");
    assert_eq!(
        gone,
        [
            "no ip route 72.37.186.0 255.255.255.0 Null0",
            "no ip route 198.51.100.0 255.255.255.0 Null0",
            "no ipv6 route 2001:db8:a::/48 Null0",
        ]
    );
    let gone = taken_away(&place, "short");
    assert_eq!(
        gone,
        [
            "no ip route 72.37.186.0 255.255.254.0 Null0",
            "no ip route 198.51.100.0 255.255.255.0 Null0",
            "no ipv6 route 2001:db8:a::/48 Null0",
            "no ipv6 route 2001:db8:d::/48 Null0",
        ],
        "what it never had is not taken away"
    );
    let flushed = [place.read("edge.conf"), place.read("short.conf")];
    assert!(!flushed[0].contains("tag 666 name"), "{}", flushed[0]);
    // The next pass has nothing to add to that, and makes no generation.
    place.run(&["refresh"]).code(0).says("edge.conf unchanged");
    assert_eq!([place.read("edge.conf"), place.read("short.conf")], flushed);
    assert_eq!(generations(&place), 2);
    let status = place.run(&["status", "--json"]).code(0).json();
    assert_eq!(status["selections"][0]["routes"]["v4"], 0);
    place.run(&["unpin"]).code(0);
    assert_eq!([place.read("edge.conf"), place.read("short.conf")], before);
}

/// The lists of a router that has gone may still be in it when it comes back.
#[test]
fn a_router_that_comes_back_is_told_what_it_had() {
    let edge = router("edge", "ios", "feeds = [\"a\"]");
    let all = router("all", "ios", "");
    let place = place(&[edge.clone(), all.clone()]);
    place.run(&["refresh"]).code(0);
    place.configure(&config(std::slice::from_ref(&all)));
    place.run(&["refresh"]).code(0);
    assert_eq!(generations(&place), 1, "nothing else changed");
    place.configure(&config(&[edge, all]));
    place.write("a.list", "72.37.186.0/24\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(
        taken_away(&place, "edge"),
        [
            "no ip route 198.51.100.0 255.255.255.0 Null0",
            "no ipv6 route 2001:db8:a::/48 Null0",
        ]
    );
}

/// The list cannot be read any more: its router keeps what it had, and so does everything else.
#[test]
fn a_copy_that_is_lost_takes_nothing_from_its_routers() {
    let place = place(&[
        plain("only-a", "feeds = [\"a\"]"),
        plain("only-b", "feeds = [\"b\"]"),
    ]);
    place.run(&["refresh"]).code(0);
    let before = [has(&place, "only-a"), has(&place, "only-b")];
    lose_copies(&place, "a");
    place.run(&["refresh", "--offline"]).code(3);
    assert_eq!([has(&place, "only-a"), has(&place, "only-b")], before);
    assert_eq!(generations(&place), 1);

    // One that begins with that feed keeps what it had and no feed is known to list but this one.
    let joined = plain("joined", "feeds = [\"a\"]");
    place.configure(&config(&[
        plain("only-a", "feeds = [\"a\"]\nmax_length_v4 = 31"),
        plain("only-b", "feeds = [\"a\", \"b\"]"),
        joined.clone(),
    ]));
    place.run(&["refresh", "--offline"]).code(3);
    assert_eq!(has(&place, "only-a"), before[0]);
    assert_eq!(has(&place, "only-b"), before[1]);
}

fn lose_copies(place: &Place, feed: &str) {
    let copies = std::fs::read_dir(place.path("state/copies")).unwrap();
    let paths = copies.map(|copy| copy.unwrap().path());
    let name = |path: &std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let lost: Vec<_> = paths
        .filter(|path| name(path).starts_with(&format!("{feed}.")))
        .collect();
    assert!(!lost.is_empty());
    lost.iter()
        .for_each(|path| std::fs::remove_file(path).unwrap());
}

/// It had everything, and begins to select a feed whose list cannot be read any more.
#[test]
fn a_router_that_begins_with_a_copy_that_is_lost_is_not_emptied() {
    let place = place(&[plain("edge", "")]);
    place.run(&["refresh"]).code(0);
    lose_copies(&place, "a");
    place.configure(&config(&[plain("edge", "feeds = [\"a\"]")]));
    place.run(&["refresh", "--offline"]).code(3);
    let of_a = ["72.37.186.0/24", "198.51.100.0/24", "2001:db8:a::/48"];
    assert_eq!(has(&place, "edge"), of_a);
    place.run(&["refresh", "--offline"]).code(3);
    assert_eq!(has(&place, "edge"), of_a);
    // The list comes back, with other entries.
    place.write("a.list", "198.51.100.0/24\n192.0.2.0/24\n");
    place.run(&["refresh"]);
    assert_eq!(has(&place, "edge"), ["192.0.2.0/24", "198.51.100.0/24"]);
}

#[test]
fn origin_ases_and_credits_are_those_of_the_feeds_of_a_router() {
    let feeds = "[[feed]]\nname = \"asn\"\npath = \"asn.json\"\nformat = \"asndrop-json\"\n\
                 [[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v4\"\npath = \"drop.json\"\n\
                 [[feed]]\nname = \"noc\"\npath = \"noc.list\"\n";
    let filter = |name: &str, feeds: &str| {
        router(
            name,
            "frr",
            &format!("role = \"filter\"\nlists = \"octets\"\nfeeds = [\"{feeds}\"]"),
        )
    };
    let place = Place::new(&format!(
        "{feeds}{NO_KERNEL}{}{}",
        filter("edge-asn", "asn"),
        filter("edge-noc", "noc")
    ));
    place.write("asn.json", &asndrop(&[64_496]));
    place.write("noc.list", "198.51.100.0/24\n");
    place.write("drop.json", "");
    place.run(&["refresh"]);
    let [asn, noc] = [place.read("edge-asn.conf"), place.read("edge-noc.conf")];
    assert!(
        asn.contains("64496") && !asn.contains("198.51.100.0/24"),
        "{asn}"
    );
    assert!(
        !noc.contains("64496") && noc.contains("198.51.100.0/24"),
        "{noc}"
    );
    place.run(&["flush"]).code(0);
    assert!(!place.read("edge-asn.conf").contains("_64496$"));
}

/// FRR announces routes of the kernel: a prefix that is joined with another feed's there cannot be
/// announced by itself.
#[test]
fn what_frr_cannot_announce_by_itself_is_counted_and_named() {
    let place = place(&[
        router("edge", "frr", "feeds = [\"a\"]"),
        router("filter", "frr", "role = \"filter\"\nfeeds = [\"a\"]"),
    ]);
    let told = "3 prefixes (feed a; 1 not announced, as the kernel has them in a wider route)";
    place
        .run(&["refresh"])
        .code(0)
        .says(told)
        .says("3 prefixes (feed a)\n");
    let text = place.read("edge.conf");
    let head = "! Selected for this router: feed a; 1 not announced, as the kernel has them in a wider route.\n";
    assert!(text.contains(head), "{text}");
    assert!(text.contains("permit 72.37.186.0/24") && !text.contains("72.37.186.0/23"));
    assert!(place.read("filter.conf").contains("72.37.186.0/24"));
    place.run(&["why", "72.37.186.9"]).code(0).says(
        "  NOT at edge: 72.37.186.0/24 is not announced, as the kernel has it in the wider route 72.37.186.0/23\n",
    );
    let advice = "router edge: frr announces routes that the kernel has, and there the prefixes of all feeds are \
                  joined: one that is joined with another feed's is not announced; with family \"bird\", \
                  \"openbgpd\", \"gobgp\" or \"exabgp\" it is";
    let checked = place.run(&["check"]).code(0).says(advice);
    let joined = "router filter: frr announces";
    assert!(!checked.err.contains(joined), "{}", checked.err);
}

/// An edit takes a feed away from everything; until that is approved its routers keep what they had
/// of it.
#[test]
fn a_held_edit_of_the_configuration_takes_nothing_from_a_router() {
    let routers = [
        plain("fed", "operator = false"),
        plain("only-a", "feeds = [\"a\"]"),
    ];
    let place = place(&routers);
    place.run(&["refresh"]).code(0);
    let before = [has(&place, "fed"), has(&place, "only-a")];
    let limits = "[limits]\nmax_removed = \"10%\"\nsmall_change = 0\n";
    let feed = "[[feed]]\nname = \"a\"\npath = \"a.list\"\nwithdraw_after = \"1 copy\"\n";
    place.configure(&format!("{feed}{NO_KERNEL}{}{limits}", routers.concat()));
    place
        .run(&["refresh"])
        .code(3)
        .says("feed b is no longer configured");
    assert_eq!([has(&place, "fed"), has(&place, "only-a")], before);
    assert_eq!(generations(&place), 1);
    Plan::of(&place).approve(&place);
    let of_a = ["72.37.186.0/24", "198.51.100.0/24", "2001:db8:a::/48"];
    assert_eq!(has(&place, "fed"), of_a);
    assert_eq!(has(&place, "only-a"), of_a);
}

/// A router that named the feed had to be edited with it: it keeps its part of the feed, and no
/// part of another.
#[test]
fn a_held_removal_of_a_feed_takes_nothing_from_the_routers_that_named_it() {
    let routers = |ab: &str| {
        [
            plain("ab", ab),
            plain("only-a", "feeds = [\"a\"]"),
            plain("was-b", "feeds = [\"a\"]\nfamilies = [\"ipv6\"]"),
        ]
    };
    let before = [
        plain("ab", "feeds = [\"a\", \"b\"]"),
        plain("only-a", "feeds = [\"a\"]"),
        plain("was-b", "feeds = [\"b\"]"),
    ];
    let place = place(&before);
    place.run(&["refresh"]).code(0);
    let had = has(&place, "ab");
    let limits = "[limits]\nmax_removed = \"10%\"\nsmall_change = 0\n";
    let feed = "[[feed]]\nname = \"a\"\npath = \"a.list\"\nwithdraw_after = \"1 copy\"\n";
    let edited = |ab: &str| format!("{feed}{NO_KERNEL}{}{limits}", routers(ab).concat());
    place.configure(&edited("feeds = [\"a\"]"));
    place
        .run(&["refresh"])
        .code(3)
        .says("feed b is no longer configured")
        .says("ab.conf replaced, 6 prefixes (feeds a, b)");
    assert_eq!(has(&place, "ab"), had);
    let of_a = ["72.37.186.0/24", "198.51.100.0/24", "2001:db8:a::/48"];
    assert_eq!(has(&place, "only-a"), of_a);
    // What else was edited counts at once.
    let six = ["2001:db8:a::/48", "2001:db8:d::/48"];
    assert_eq!(has(&place, "was-b"), six);
    // So it stays with the next passes, while it is pinned, and where the answer is no.
    place.run(&["refresh"]).code(3);
    place.run(&["pin"]).code(0);
    place.run(&["refresh"]).code(0);
    assert_eq!(has(&place, "ab"), had);
    place.run(&["unpin"]);
    Plan::of(&place).reject(&place);
    place.run(&["refresh"]);
    assert_eq!((has(&place, "ab"), has(&place, "was-b").len()), (had, 2));
    Plan::of(&place).approve(&place);
    assert_eq!(has(&place, "ab"), of_a);
    assert_eq!(has(&place, "was-b"), ["2001:db8:a::/48"]);
    place
        .run(&["refresh"])
        .code(0)
        .says("ab.conf unchanged, 3 prefixes (feed a)");
}

/// No router had this choice with the generation that is pinned: it gets what its feeds list, as
/// far as that is frozen.
#[test]
fn a_router_that_begins_to_select_while_pinned_gets_a_part_of_what_is_frozen() {
    let place = place(&[plain("edge", "")]);
    place.run(&["refresh"]).code(0);
    place.run(&["pin"]).code(0);
    place.configure(&config(&[plain("edge", "feeds = [\"b\"]")]));
    place.write("b.list", "203.0.113.7\n198.18.0.0/24\n192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(has(&place, "edge"), ["203.0.113.7/32"]);
    place.run(&["unpin"]).code(0);
    assert_eq!(has(&place, "edge"), ["192.0.2.0/24", "203.0.113.7/32"]);
}

/// A choice that ended within a generation and came back is gone back to as it was at first.
#[test]
fn a_generation_keeps_what_a_router_had_that_left_while_it_was_in_force() {
    let edge = plain("edge", "feeds = [\"a\"]");
    let all = plain("all", "");
    let place = place(&[edge.clone(), all.clone()]);
    place.write("a.list", "198.51.100.0/24\n203.0.113.0/24\n");
    place.write("b.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.configure(&config(std::slice::from_ref(&all)));
    place.run(&["refresh"]).code(0);
    place.configure(&config(&[edge, all]));
    place.write("a.list", "198.51.100.0/24\n");
    place.write("b.list", "192.0.2.0/24\n203.0.113.0/24\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(generations(&place), 1);
    assert_eq!(has(&place, "edge"), ["198.51.100.0/24"]);
    place.run(&["pin", "1"]).code(0);
    assert_eq!(has(&place, "edge"), ["198.51.100.0/24", "203.0.113.0/24"]);
}

/// A router with another name may be the same router: it holds what left all routers of late.
#[test]
fn a_router_that_is_renamed_still_takes_away_what_left() {
    let edge = |name: &str| router(name, "ios", "feeds = [\"a\"]");
    let place = place(&[edge("edge")]);
    place.run(&["refresh"]).code(0);
    place.write("a.list", "72.37.186.0/24\n");
    place.run(&["refresh"]).code(0);
    let gone = [
        "no ip route 198.51.100.0 255.255.255.0 Null0",
        "no ipv6 route 2001:db8:a::/48 Null0",
    ];
    assert_eq!(taken_away(&place, "edge"), gone);
    place.configure(&config(&[edge("renamed")]));
    place.run(&["refresh"]).code(0);
    assert_eq!(taken_away(&place, "renamed"), gone);
    // And so with the next pass.
    place
        .run(&["refresh"])
        .code(0)
        .says("renamed.conf unchanged");
    let rendered = place.run(&["render", "renamed"]).code(0).out;
    assert_eq!(rendered, place.read("renamed.conf"));
}

/// What a router gets and loses is told, whether or not the set in force changes.
#[test]
fn what_moves_at_a_router_is_planned_noted_and_in_the_history_of_the_prefix() {
    let place = place(&[
        plain("edge", "feeds = [\"a\"]"),
        plain("fed", "feeds = [\"a\"]\noperator = false"),
        plain("all", ""),
    ]);
    place.write("a.list", "198.51.100.0/24\n203.0.113.0/24\n");
    place.write("b.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    // One moves to the other feed, and one is new for all.
    place.write("a.list", "198.51.100.0/24\n");
    place.write(
        "b.list",
        "192.0.2.0/24\n203.0.113.0/24\n198.18.7.0/24\n11.0.0.0/24\n",
    );
    place
        .run(&["plan"])
        .code(2)
        .says("edge.conf, 0 to add, 1 to remove\n");
    let plan = place.run(&["plan", "--json"]).code(2).json();
    let target = &plan["targets"][0];
    assert_eq!(
        (&target["name"], &target["added"], &target["removed"]),
        (&"edge".into(), &0.into(), &1.into())
    );
    assert_eq!(
        plan["targets"][2]["added"],
        Value::Null,
        "it gets everything"
    );
    place.run(&["refresh"]).code(0);
    assert_eq!(generations(&place), 2);
    place.run(&["history"]).code(0).says(
        "edge  generation 2: 0 added, 1 removed (203.0.113.0/24); its feeds list otherwise\n",
    );
    let told = place.run(&["history", "203.0.113.7"]).code(0);
    told.clone()
        .says("  generation 2  - 203.0.113.0/24  router edge\n")
        .says("  generation 2  - 203.0.113.0/24  router fed\n")
        .says("  generation 1  + 203.0.113.0/24  a line 2\n");
    assert!(!told.out.contains("router all"), "{}", told.out);
    let entries = place
        .run(&["history", "203.0.113.7", "--json"])
        .code(0)
        .json();
    let entries = entries.as_array().unwrap();
    let moved: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["kind"] == "router-change")
        .collect();
    assert_eq!(moved.len(), 2);
    assert_eq!(
        (
            &moved[0]["router"],
            &moved[0]["op"],
            &moved[0]["generation"]
        ),
        (&"edge".into(), &"-".into(), &2.into())
    );
    assert_eq!(moved[0]["prefix"], "203.0.113.0/24");
    // It comes back by hand, to the routers that get that.
    place
        .run(&["add", "203.0.113.0/24", "--reason", "phish"])
        .code(0);
    place
        .run(&["history"])
        .code(0)
        .says(
            "edge  generation 3: 1 added (203.0.113.0/24), 0 removed; what was added by hand is otherwise, the \
             set in force is the same\n",
        );
    place
        .run(&["history", "203.0.113.0/24"])
        .code(0)
        .says("  generation 3  + 203.0.113.0/24  router edge\n");
    // And by a pin, and after it.
    place.run(&["pin", "2"]).code(0);
    place.run(&["history"]).code(0).says(
        "edge  generation 4: 0 added, 1 removed (203.0.113.0/24); pinned to generation 2, the set in force is the same",
    );
    place.run(&["unpin"]).code(0);
    place.run(&["history"]).code(0).says(
        "edge  generation 5: 1 added (203.0.113.0/24), 0 removed; the pin that kept it has ended, the set in force \
         is the same",
    );
}

/// Where no router selects, nothing of this is written or shown.
#[test]
fn without_a_selection_the_ledger_has_nothing_of_it() {
    let place = place(&[router(
        "all",
        "ios",
        "operator = true\nfamilies = [\"ipv4\", \"ipv6\"]",
    )]);
    place.run(&["refresh"]).code(0);
    place.write("a.list", "198.51.100.0/24\n");
    place
        .run(&["refresh"])
        .code(0)
        .says("all.conf replaced, 5 prefixes\n");
    assert!(!place.read("all.conf").contains("Selected"));
    for table in ["selection", "choice", "chosen", "router_change"] {
        let count = format!("SELECT count(*) FROM {table}");
        let read = |row: &rusqlite::Row| row.get(0);
        let rows: i64 = place.ledger().query_row(&count, [], read).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let status = place.run(&["status", "--json"]).code(0).json();
    assert_eq!(status["selections"], serde_json::json!([]));
}
