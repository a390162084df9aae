//! What becomes of a feed from copy to copy: withdrawals wait, tombstones and empty lists are
//! named, an older list is not preferred, and a change is a change of what is listed.

use crate::support::fed::Fed;
use crate::support::http::{Answer, Server};
use crate::support::namespace::eventually;
use crate::support::{NO_KERNEL, Place};

const BOTH: &str = "192.0.2.0/24 # one\n198.51.100.0/24 # two\n";
const ONE: &str = "192.0.2.0/24 # one\n";

/// Spamhaus text with these entries, valid for an hour from `made`.
fn drop_text(made: &str, entries: &str) -> String {
    format!("; Spamhaus DROP List\n; Expires: {made}\n{entries}; EOF\n")
}

#[test]
fn a_removal_waits_for_a_second_copy_and_says_so_and_an_addition_does_not() {
    let fed = Fed::new("", BOTH);
    fed.sent(&format!("{ONE}203.0.113.0/24\n"))
        .code(0)
        .says("2 entries, 1 new, 1 gone, withdrawn after 2 copies");
    assert_eq!(fed.listed(), 3, "the new one is there, the gone one still");
    fed.place
        .run(&["why", "198.51.100.7"])
        .says("listed by partner until lately: 198.51.100.0/24 (two), its withdrawal waits");
    fed.place
        .run(&["status"])
        .says("1 no longer listed, withdrawn after 2 copies");
    fed.sent(&format!("{ONE}203.0.113.0/24\n")).code(0);
    assert_eq!(fed.listed(), 2);
    fed.place.run(&["why", "198.51.100.7"]).says("not");
}

#[test]
fn a_confirmed_copy_is_the_second_copy() {
    let fed = Fed::new("", BOTH);
    let tagged = Answer::Tagged(ONE.to_owned(), "\"v2\"".to_owned());
    fed.server.answer(tagged);
    fed.place.run(&["refresh"]).code(0);
    assert_eq!(fed.listed(), 2);
    fed.place.run(&["refresh"]).code(0).says("not modified");
    assert_eq!(fed.listed(), 1);
    assert_eq!(fed.state(), "unchanged");
}

#[test]
fn a_list_that_alternates_withdraws_nothing() {
    let fed = Fed::new("", BOTH);
    for _ in 0..3 {
        fed.sent(ONE).code(0);
        assert_eq!(fed.listed(), 2);
        fed.sent(BOTH).code(0);
        assert_eq!(fed.listed(), 2);
    }
    let generation = fed.place.run(&["status", "--json"]).json()["generation"]["number"].clone();
    assert_eq!(generation, 1, "the routers saw nothing of it");
}

#[test]
fn the_operator_may_choose_at_once_or_a_time() {
    let fed = Fed::new("withdraw_after = \"1 copy\"", BOTH);
    fed.sent(ONE).code(0);
    assert_eq!(fed.listed(), 1);

    let fed = Fed::new("withdraw_after = \"2h\"", BOTH);
    fed.sent(ONE).code(0);
    fed.sent(ONE).code(0);
    assert_eq!(fed.listed(), 2);
    fed.place.later(7_201);
    fed.place.run(&["refresh", "--offline"]).code(0);
    assert_eq!(
        fed.listed(),
        1,
        "the time is over, whatever the server says"
    );
}

#[test]
fn what_a_local_list_no_longer_has_is_gone_at_once() {
    let place = Place::of_list(BOTH);
    place.run(&["refresh"]).code(0);
    place.write("noc.list", ONE);
    place.run(&["plan"]).code(2).says("- 198.51.100.0/24");
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).lines().len(), 1);
}

#[test]
fn a_removal_that_waited_is_judged_by_the_limits_when_it_comes() {
    let many: String = (0..100)
        .map(|i| format!("198.51.{}.0/24\n", 2 * i))
        .collect();
    let few: String = (0..50)
        .map(|i| format!("198.51.{}.0/24\n", 2 * i))
        .collect();
    let fed = Fed::new("", &many);
    let before = fed.listed();
    fed.sent(&few).code(0);
    assert_eq!(fed.listed(), before, "waits");
    fed.sent(&few).code(3).says("held, reason: ");
    assert_eq!(fed.listed(), before, "held");
    fed.sent(&many).code(0);
    assert_eq!(
        fed.place.run(&["status", "--json"]).json()["held"],
        serde_json::Value::Null
    );
    assert_eq!(fed.listed(), before);
}

#[test]
fn a_whole_list_without_an_entry_waits_for_approval() {
    let made = "Thu, 06 Aug 2026 15:14:02 GMT";
    let keys = "format = \"spamhaus-text\"\nstale_after = \"3650d\"";
    let fed = Fed::new(keys, &drop_text(made, "192.0.2.0/24 ; SBL1\n"));
    fed.sent(&drop_text(made, ""))
        .code(0)
        .says("feed=partner  empty: valid but empty (it ends with \"; EOF\"); waits for approval: believe_empty = true on the feed gives it; keeping 1 entries from ");
    assert_eq!(fed.listed(), 1);
    assert_eq!(fed.state(), "empty");
    let config = fed.place.read("nullrouted.toml");
    let believed = config.replace("format = ", "believe_empty = true\nformat = ");
    std::fs::write(fed.place.config(), believed).unwrap();
    fed.place.run(&["refresh"]).code(0);
    fed.place.run(&["refresh"]).code(0);
    assert_eq!(fed.listed(), 0);
    // A list that had nothing before has nothing to lose.
    let fresh = Fed::new(keys, &drop_text(made, ""));
    assert_eq!(fresh.state(), "fresh");
}

#[test]
fn a_publishers_tombstone_is_named_and_its_entries_end_by_themselves() {
    let fed = Fed::new(
        "stale_after = \"1h\"\nevery = \"1h\"\nexpire_after = \"2h\"",
        BOTH,
    );
    let tombstone = "# This list has been deprecated on 2025-01-03\n";
    fed.sent(tombstone)
        .code(0)
        .says("feed=partner  retired: retired by its publisher: \"This list has been deprecated on 2025-01-03\"; keeping 2 entries from ");
    assert_eq!(fed.listed(), 2);
    fed.place.later(7_201);
    fed.sent(tombstone)
        .code(0)
        .says("its 2 entries no longer count");
    assert_eq!(fed.listed(), 0, "dead entries are not kept for ever");
}

#[test]
fn an_older_list_is_not_preferred_to_the_one_at_hand() {
    let keys = "format = \"spamhaus-text\"\nstale_after = \"3650d\"";
    let newer = drop_text(
        "Thu, 06 Aug 2026 15:14:02 GMT",
        "192.0.2.0/24 ; SBL1\n198.51.100.0/24 ; SBL2\n",
    );
    let older = drop_text("Wed, 05 Aug 2026 15:14:02 GMT", "192.0.2.0/24 ; SBL1\n");
    let fed = Fed::new(keys, &newer);
    fed.sent(&older).code(0).says(
        "feed=partner  stale: the server sent an older list, of 2026-08-05T14:14:02Z; \
         the one at hand is of 2026-08-06T14:14:02Z; keeping 2 entries",
    );
    assert_eq!(fed.listed(), 2);
    fed.sent(&newer).code(0);
    assert_eq!(fed.state(), "unchanged");
}

#[test]
fn other_dates_and_comments_are_no_change() {
    let fed = Fed::new("", BOTH);
    let changed = || fed.place.run(&["status", "--json"]).json()["feeds"][0]["changed_at"].clone();
    fed.place.later(60);
    let before = changed();
    let other = "# made at noon\n198.51.100.0/24 # two\n192.0.2.0/24 # one\n";
    fed.sent(other).code(0);
    assert_eq!(changed(), before);
    assert_eq!(fed.state(), "unchanged");
}

#[test]
fn a_list_that_its_publisher_no_longer_makes_expires_by_its_own_date() {
    let made = "last updated 1647435002 (Wed Mar 16 12:50:02 2022 GMT)";
    let fed = Fed::new("max_age = \"30d\"", &format!("# {made}\n{BOTH}"));
    assert_eq!(
        fed.listed(),
        0,
        "bogons of 2022 are somebody's network by now"
    );
    fed.place
        .run(&["feeds"])
        .says("partner  expired")
        .says("its publisher made it ");
    let alarmed = Fed::new("", &format!("# {made}\n{BOTH}"));
    assert_eq!(alarmed.listed(), 2);
    alarmed.place.run(&["status"]).says("partner  stale");
}

#[test]
fn entries_with_an_end_of_their_own_end_by_themselves() {
    let decisions = |seconds: u32| {
        format!(
            "[{{\"duration\":\"{seconds}s\",\"scenario\":\"ssh\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.4\"}},\
             {{\"duration\":\"4h\",\"scenario\":\"ssh\",\"scope\":\"Range\",\"type\":\"ban\",\"value\":\"198.51.100.0/24\"}}]"
        )
    };
    let fed = Fed::new("format = \"crowdsec\"", &decisions(7_200));
    assert_eq!(fed.listed(), 2);
    fed.place.later(7_201);
    fed.place.run(&["refresh", "--offline"]).code(0);
    assert_eq!(fed.listed(), 1);
}

#[test]
fn an_entry_that_ended_by_itself_does_not_come_back_when_it_is_no_longer_listed() {
    let ban = |value: &str, left: &str| {
        format!(
            "{{\"duration\":\"{left}\",\"scenario\":\"ssh\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"{value}\"}}"
        )
    };
    let both = format!("[{},{}]", ban("192.0.2.4", "1h"), ban("192.0.2.9", "4h"));
    let fed = Fed::new("format = \"crowdsec\"", &both);
    fed.place.later(3_601);
    fed.sent(&format!("[{}]", ban("192.0.2.9", "3h"))).code(0);
    assert_eq!(fed.place.run(&["list"]).lines(), ["192.0.2.9/32"]);
    // One that is taken back before its end is gone at once: that is what it was taken back for.
    fed.sent(&format!("[{}]", ban("192.0.2.7", "3h"))).code(0);
    assert_eq!(fed.place.run(&["list"]).lines(), ["192.0.2.7/32"]);
}

#[test]
fn an_end_is_counted_from_the_first_look_and_no_confirmation_renews_it() {
    let place = Place::new(&format!(
        "[[feed]]\nname = \"sets\"\npath = \"sets\"\nformat = \"ipset\"\n{NO_KERNEL}"
    ));
    place.write(
        "sets",
        "add drop 192.0.2.0/24 timeout 2000\nadd drop 198.51.100.0/24\n",
    );
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).lines().len(), 2);
    for _ in 0..3 {
        place.later(800);
        place.run(&["refresh"]).code(0);
    }
    assert_eq!(place.run(&["list"]).lines(), ["198.51.100.0/24"]);
}

#[test]
fn a_date_that_was_wrong_once_does_not_freeze_a_feed() {
    let keys = "format = \"spamhaus-text\"\nevery = \"1h\"\nstale_after = \"2h\"\nexpire_after = \"3650d\"";
    let wrong = drop_text("Thu, 06 Aug 2026 15:14:02 GMT", "192.0.2.0/24 ; SBL1\n");
    let right = drop_text("Wed, 05 Aug 2026 15:14:02 GMT", "198.51.100.0/24 ; SBL2\n");
    let fed = Fed::new(keys, &wrong);
    fed.sent(&right)
        .code(0)
        .says("the server sent an older list");
    fed.place.later(7_201);
    fed.sent(&right).code(0).says("1 new, 1 gone");
    assert!(fed.place.run(&["list"]).out.contains("198.51.100.0/24"));
}

#[test]
fn a_lost_copy_does_not_make_an_empty_list_harmless() {
    let good = "[{\"ip\":\"192.0.2.4\"},{\"ip\":\"192.0.2.9\"}]";
    let fed = Fed::new("format = \"json\"\nfield = \"[].ip\"", good);
    std::fs::remove_dir_all(fed.place.path("state/copies")).unwrap();
    let ran = fed.sent("[]");
    assert!(ran.err.contains("empty: valid but empty"), "{}", ran.err);
    assert_eq!(fed.listed(), 2);
}

#[test]
fn plan_says_of_local_files_what_refresh_does() {
    let place = Place::new(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.json\"\nformat = \"json\"\nfield = \"[]\"\nwithdraw_after = \"2 copies\"\n{NO_KERNEL}"
    ));
    place.write("noc.json", "[\"192.0.2.0/24\",\"198.51.100.0/24\"]");
    place.run(&["refresh"]).code(0);
    place.write("noc.json", "[]");
    place.run(&["plan"]).code(0).says("valid but empty");
    place.write("noc.json", "[\"192.0.2.0/24\"]");
    place.run(&["plan"]).code(0);
    place.run(&["refresh"]).code(0);
    place.run(&["plan"]).code(2).says("- 198.51.100.0/24");
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
}

#[test]
fn a_flush_does_not_wait_for_a_slow_download() {
    let fed = Fed::new("", BOTH);
    fed.server.answer(Answer::Drip);
    let mut slow = fed.place.command(
        std::process::Command::new(crate::support::PROGRAM),
        &["refresh"],
    );
    let mut slow = slow.stderr(std::process::Stdio::piped()).spawn().unwrap();
    eventually("the download is under way", || {
        fed.server.requests().len() == 2
    });
    let start = std::time::Instant::now();
    fed.place.run(&["flush"]).code(0);
    let waited = start.elapsed();
    assert_eq!(fed.listed(), 0);
    slow.wait().unwrap();
    assert!(waited < std::time::Duration::from_secs(8), "{waited:?}");
}

#[test]
fn what_has_come_is_in_force_while_a_slow_host_still_sends() {
    let (quick, slow) = (
        Server::new(Answer::Body(BOTH.to_owned())),
        Server::new(Answer::Drip),
    );
    let place = Place::new(&format!(
        "[[feed]]\nname = \"slow\"\nurl = \"{}\"\n[[feed]]\nname = \"quick\"\nurl = \"{}\"\n{NO_KERNEL}\
         [fetch]\ntimeout = \"12s\"\nmin_speed = 0\n",
        slow.url(),
        quick.url()
    ));
    let mut refresh = place.command(
        std::process::Command::new(crate::support::PROGRAM),
        &["refresh"],
    );
    let mut refresh = refresh.stderr(std::process::Stdio::null()).spawn().unwrap();
    let start = std::time::Instant::now();
    let mut listed = 0;
    while listed == 0 && start.elapsed() < std::time::Duration::from_secs(10) {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let ran = place.run(&["list"]);
        listed = if ran.code == Some(0) {
            ran.lines().len()
        } else {
            0
        };
    }
    let still_sending = refresh.try_wait().unwrap().is_none();
    refresh.kill().unwrap();
    refresh.wait().unwrap();
    assert_eq!(listed, 2);
    assert!(still_sending, "the slow one was waited for");
}

#[test]
fn a_key_in_a_url_is_not_shown() {
    let fed = Fed::new("", BOTH);
    let config = fed
        .place
        .read("nullrouted.toml")
        .replace("/list.txt", "/list.txt?token=sekrit");
    std::fs::write(fed.place.config(), config).unwrap();
    fed.place.run(&["refresh"]).code(0);
    for verb in [
        &["status", "--json"][..],
        &["feeds", "--json"],
        &["status"],
        &["feeds"],
    ] {
        let ran = fed.place.run(verb).code(0);
        assert!(!ran.out.contains("sekrit"), "{}", ran.out);
    }
}

#[test]
fn what_auto_recognised_is_said_and_shown() {
    let fed = Fed::new(
        "format = \"auto\"",
        "add drop 192.0.2.0/24\nadd drop 198.51.100.0/24\n",
    );
    assert_eq!(fed.listed(), 2);
    fed.place.run(&["status"]).says("read as ipset");
    let ran = fed.sent("0.0.0.0 ads.example\n0.0.0.0 more.example\n");
    ran.code(0)
        .says("foreign: a hosts file: it names hosts, not networks");
    assert_eq!(fed.listed(), 2);
    fed.sent("deny 192.0.2.0/24;\ndeny 198.51.100.0/24;\n")
        .says("recognised as nginx (before as ipset)");
}

#[test]
fn force_asks_for_the_whole_body_and_the_floor_yields_only_when_told_to() {
    let server = Server::new(Answer::Tagged(ONE.to_owned(), "\"v1\"".to_owned()));
    let place = Place::new(&format!(
        "[[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v4\"\nformat = \"cidr\"\nurl = \"{}\"\n{NO_KERNEL}",
        server.url()
    ));
    place.run(&["refresh"]).code(0);
    let waits = "s ago; the publisher asks to wait until ";
    place.run(&["refresh", "--force"]).code(0).says(waits);
    place
        .run(&["refresh", "--feed", "drop"])
        .code(0)
        .says(waits);
    assert_eq!(server.requests().len(), 1);
    place
        .run(&["refresh", "--ignore-floor"])
        .code(0)
        .says("which is ignored");
    place.run(&["refresh", "--ignore-floor", "--force"]).code(0);
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests[1].contains("if-none-match: \"v1\""),
        "{}",
        requests[1]
    );
    assert!(!requests[2].contains("if-none-match"), "{}", requests[2]);
}

#[test]
fn a_server_that_asks_to_wait_is_left_alone_by_whoever_asks() {
    let fed = Fed::new("", BOTH);
    let later = Answer::Later("503 Service Unavailable", "3600".to_owned());
    fed.server.answer(later);
    fed.place.run(&["refresh"]).code(0).says(
        "failed: HTTP 503 Service Unavailable; the server asks to wait 1h; keeping 2 entries",
    );
    let asked = fed.server.requests().len();
    let waits = "the server asks to wait until ";
    fed.place.run(&["refresh"]).code(0);
    fed.place.run(&["refresh", "--force"]).code(0).says(waits);
    assert_eq!(fed.server.requests().len(), asked);
    let status = fed.place.run(&["status"]).code(0);
    status.says("next look in ");
    fed.server.answer(Answer::Body(BOTH.to_owned()));
    fed.place
        .run(&["refresh", "--ignore-floor"])
        .code(0)
        .says("which is ignored");
    assert_eq!(fed.state(), "unchanged");
    fed.place.run(&["refresh"]).code(0);
    assert_eq!(
        fed.server.requests().len(),
        asked + 2,
        "it asks for nothing any more"
    );
}

#[test]
fn the_feeds_verb_lists_what_is_configured_and_what_can_be() {
    let fed = Fed::new("", BOTH);
    let ran = fed.place.run(&["feeds"]).code(0);
    ran.says("feed partner  fresh")
        .says("spamhaus-drop-v4")
        .says("tor-exits");
    fed.place
        .run(&["feeds", "dshield"])
        .code(0)
        .says("licence      CC BY-NC-SA 2.5: not for commercial use")
        .says("configured   no");
    fed.place
        .run(&["feeds", "nope"])
        .code(64)
        .says("nope: no preset of this name; there are spamhaus-drop-v4, ");
    let json = fed.place.run(&["feeds", "--json"]).code(0).json();
    assert_eq!(json["presets"].as_array().unwrap().len(), 18);
    assert_eq!(json["feeds"][0]["name"], "partner");
    // What can be had is shown before there is a configuration.
    let nowhere = Place::new("");
    std::fs::remove_file(nowhere.config()).unwrap();
    nowhere
        .run(&["feeds"])
        .code(0)
        .says("not there; no feed is configured")
        .says("cymru-fullbogons-v6");
}
