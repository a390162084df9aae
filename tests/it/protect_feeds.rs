//! Lists that protect: published ranges that must not be dropped.

use std::process::Command;

use crate::support::tls::{authority, certificate};
use crate::support::{NO_KERNEL, PROGRAM, Place, Ran, installed, left_out};
use crate::tls::Server;

/// Four networks are listed.
const LIST: &str =
    "203.0.112.0/24\n198.51.100.0/24\n192.88.98.0/24\n203.0.114.0/24\n2001:db8:1::/48\n";

/// A list, and a file of ranges that protects.
fn place(keys: &str, ranges: &str) -> Place {
    let place = Place::new("");
    place.write("noc.list", LIST);
    place.write("ranges", ranges);
    place.configure(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n{NO_KERNEL}\n\
         [[protect.feed]]\nname = \"ranges\"\npath = \"ranges\"\n{keys}"
    ));
    place
}

fn list(place: &Place) -> Vec<String> {
    let ran = place.run(&["list"]).code(0);
    ran.lines().into_iter().map(str::to_owned).collect()
}

fn waiting(place: &Place) -> Option<String> {
    let status = place.run(&["status", "--json"]).json();
    status["held"]["id"].as_str().map(str::to_owned)
}

#[test]
fn it_cuts_holes_and_why_names_the_line() {
    let place = place("", "198.51.100.0/28 # edge\n2001:db8:1:8000::/49\n");
    place.run(&["refresh"]).code(0);
    let now = list(&place);
    assert!(now.contains(&"198.51.100.128/25".to_owned()), "{now:?}");
    assert!(!now.contains(&"198.51.100.0/24".to_owned()));
    assert!(now.contains(&"2001:db8:1::/49".to_owned()));
    let why = place.run(&["why", "198.51.100.7", "--json"]).code(0).json();
    assert_eq!(why["verdict"], "protected");
    assert!(
        why["protected_by"]
            .to_string()
            .contains("protect feed ranges line 1: edge"),
        "{why}"
    );
    let status = place.run(&["status", "--json"]).json();
    let feeds = status["feeds"].as_array().unwrap();
    let ranges = feeds.iter().find(|feed| feed["name"] == "ranges").unwrap();
    assert_eq!(
        (&ranges["protects"], &ranges["entries"]),
        (&true.into(), &2.into())
    );
    place
        .run(&["status"])
        .says("protect feed ranges  fresh        2 entries, confirmed ");
    // The configuration that is printed says the same.
    let printed = place.run(&["check", "--print"]).code(0).out;
    std::fs::write(place.config(), &printed).unwrap();
    assert_eq!(place.run(&["check", "--print"]).code(0).out, printed);
    // It leaves the configuration: what it protected is dropped again.
    place.configure(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n{NO_KERNEL}"
    ));
    place.run(&["refresh"]).code(0);
    assert!(list(&place).contains(&"198.51.100.0/24".to_owned()));
}

/// Published pages: an object for each range, with the address in one of two keys.
#[test]
fn json_of_a_publisher_with_alternative_keys_is_read() {
    let json = r#"{"syncToken": "1", "prefixes": [
        {"ipv4Prefix": "198.51.100.0/25", "service": "a"},
        {"ipv6Prefix": "2001:db8:1::/49", "service": "b"}]}"#;
    let keys = "format = \"json\"\nfield = \"prefixes[].ipv4Prefix|ipv6Prefix\"\n";
    let place = place(keys, json);
    place.run(&["refresh"]).code(0);
    let now = list(&place);
    assert!(now.contains(&"198.51.100.128/25".to_owned()), "{now:?}");
    assert!(now.contains(&"2001:db8:1:8000::/49".to_owned()), "{now:?}");
}

#[test]
fn a_copy_that_takes_too_much_is_held_until_it_is_approved() {
    let place = place("", "198.51.100.0/28\n");
    place.run(&["refresh"]).code(0);
    let before = list(&place);
    place.write("ranges", "198.51.100.0/28\n203.0.112.0/22\n");
    place
        .run(&["refresh"])
        .code(3)
        .says("held, reason: protect feed ranges: its newest copy would take 50.8% of the IPv4 addresses in force out of it (max_removed 25%)");
    assert_eq!(list(&place), before, "the former copy stays in effect");
    let id = waiting(&place).unwrap();
    place
        .run(&["plan"])
        .code(3)
        .says("- 203.0.112.0/24       203.0.112.0/22 is protected: protect feed ranges line 2");
    // It waits, and nothing of the lists goes with it.
    place.run(&["refresh"]).code(3);
    assert_eq!(waiting(&place).as_ref(), Some(&id));
    assert_eq!(list(&place), before);
    place.run(&["reject", &id]).code(0);
    place.run(&["refresh"]).code(0);
    assert_eq!(list(&place), before);
    place.run(&["approve", &id]).code(0);
    let now = list(&place);
    assert!(
        !now.iter().any(|net| net.starts_with("203.0.11")),
        "{now:?}"
    );
    place.run(&["refresh"]).code(0);
    assert_eq!((list(&place), waiting(&place)), (now, None));
}

#[test]
fn what_two_good_copies_lack_is_no_longer_protected() {
    let place = place("", "198.51.100.0/28\n192.88.98.0/28\n");
    place.run(&["refresh"]).code(0);
    place.write("ranges", "192.88.98.0/28\n");
    place.run(&["refresh"]).code(0);
    assert!(
        !list(&place).contains(&"198.51.100.0/24".to_owned()),
        "one copy lacks it"
    );
    place
        .run(&["why", "198.51.100.1"])
        .says("protect feed ranges, no longer listed by its newest copy");
    place.run(&["refresh"]).code(0);
    assert!(
        list(&place).contains(&"198.51.100.0/24".to_owned()),
        "two do"
    );
}

#[test]
fn the_last_good_copy_stays_in_effect_for_ever() {
    let place = place("", "198.51.100.0/28\n");
    place.run(&["refresh"]).code(0);
    let before = list(&place);
    // Empty, cut, another file: none of it is the list.
    for wrong in ["", "<html>\n<p>not found\n</html>\n"] {
        place.write("ranges", wrong);
        place
            .run(&["refresh"])
            .says("; the 1 entries from ")
            .says(" stay protected");
        assert_eq!(list(&place), before);
    }
    // Nine days later, when a list would have expired.
    for _ in 0..9 {
        place.later(86_000);
        place.run(&["refresh"]).code(0);
    }
    place.write("noc.list", &format!("{LIST}203.0.113.0/24\n"));
    place.run(&["refresh"]).code(0);
    assert!(!list(&place).contains(&"198.51.100.0/24".to_owned()));
    place.run(&["status"]).says("protect feed ranges  stale ");
}

#[test]
fn nothing_is_dropped_by_lists_before_the_ranges_are_known() {
    let place = place("", "");
    std::fs::remove_file(place.path("ranges")).unwrap();
    let ran = place.run(&["refresh"]).code(1);
    let ran = ran
        .says("held, reason: protect feed ranges: no copy yet, so what it protects is not known");
    ran.says("protect feed ranges: no copy yet, so what it protects is not known, and every change of the lists waits for approve (last look: ");
    assert_eq!(list(&place), [""; 0]);
    place.write("ranges", "198.51.100.0/28\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(waiting(&place), None);
    assert!(list(&place).contains(&"198.51.100.128/25".to_owned()));
}

#[test]
fn too_wide_ranges_are_left_out_and_a_range_of_many_holes_drops_no_prefix() {
    // 40 hosts scattered in the /24 of the list make more than 128 pieces of the /22 around it.
    let hosts: String = (0..40)
        .map(|i| format!("198.51.{}.{}/32\n", 100 + i % 4, 3 * i + 1))
        .collect();
    let place = place("", &format!("0.0.0.0/0\n{hosts}"));
    place.write("noc.list", "198.51.100.0/22\n");
    place.run(&["refresh"]).code(0).says("1 rejected (line 1");
    let now = list(&place);
    assert!(now.len() > 128, "{}", now.len());
    place
        .run(&["why", "198.51.100.250"])
        .code(0)
        .says("198.51.100.250 is ");
}

#[test]
fn it_is_fetched_over_https_or_from_a_file_and_has_a_name_of_its_own() {
    let place = place("", "198.51.100.0/28\n");
    let check = |more: &str| {
        place.configure(&format!(
            "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n{NO_KERNEL}\n[[protect.feed]]\n{more}"
        ));
        place.run(&["check"]).code(64)
    };
    check("name = \"ranges\"\nurl = \"http://ranges.example.net/all\"\n")
        .says("url: a list that protects is fetched over https: a program on the way could have anything protected")
        .says("permitted are https, and path = … for a local file");
    check("name = \"noc\"\npath = \"ranges\"\n").says("name: \"noc\" is the name of another feed");
    check("name = \"ranges\"\npath = \"ranges\"\nmax_removed = \"90%\"\n").says("max_removed");
    check("path = \"ranges\"\n").says("a feed without a name");
}

#[test]
fn over_https_it_is_proven_like_a_feed() {
    if !installed("openssl") {
        return left_out("openssl is not installed");
    }
    let place = place("", "198.51.100.0/28\n");
    authority(&place.path(""));
    certificate(&place.path(""), "server", "IP:127.0.0.1");
    place.write("list.txt", "198.51.100.0/28\n");
    std::fs::copy(place.path("ca.pem"), place.path("ours.pem")).unwrap();
    authority(&place.path(""));
    let server = Server::new(&place, "server", &[]);
    place.configure(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n{NO_KERNEL}\n\
         [[protect.feed]]\nname = \"ranges\"\nurl = \"https://127.0.0.1:{}/list.txt\"\n",
        server.port
    ));
    let refresh = |trust: &str| {
        let mut command = place.command(Command::new(PROGRAM), &["refresh"]);
        command
            .env("SSL_CERT_FILE", place.path(trust))
            .env_remove("SSL_CERT_DIR");
        Ran::of(command.output().unwrap())
    };
    // A server that proves nothing protects nothing, and nothing is dropped meanwhile.
    refresh("ca.pem").code(1).says("no copy yet");
    assert_eq!(list(&place), [""; 0]);
    refresh("ours.pem").code(0);
    assert!(list(&place).contains(&"198.51.100.128/25".to_owned()));
}
