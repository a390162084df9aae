//! Feeds over real sockets on loopback: conditional, bounded, and never believed when they are
//! wrong.
//!
//! The kernel is no target here, so no namespace is needed: what is in force is what `list` shows.

use crate::support::Place;
use crate::support::fed::Fed;
use crate::support::http::{Answer, Server};

const LIST: &str = "72.37.186.0/23 # spammer\n192.0.2.0/24\n198.51.100.0/24\n";

/// Limits that a test reaches.
const FETCH: &str = "[fetch]\ntimeout = \"1s\"\nconnect_timeout = \"1s\"\nmax_bytes = 5000\n\
                     contact = \"noc@example.net\"\n";

/// With this answer first.
fn answering(answer: Answer) -> Fed {
    Fed::with("withdraw_after = \"1 copy\"", FETCH, answer)
}

fn fed() -> Fed {
    answering(Answer::Body(LIST.to_owned()))
}

/// A pass that gets this answer must keep the last good copy, say so once, and end well.
#[track_caller]
fn keeps_its_copy(fed: &Fed, answer: Answer, state: &str, why: &str) {
    let ran = fed.answered(answer).code(0);
    let lines: Vec<_> = ran
        .err
        .lines()
        .filter(|line| line.contains("feed=partner"))
        .collect();
    assert_eq!(lines.len(), 1, "{}", ran.err);
    let expected = format!("feed=partner  {state}: {why}; keeping 3 entries from ");
    assert!(
        lines[0].starts_with(&expected),
        "expected {expected:?} in {:?}",
        lines[0]
    );
    assert_eq!(fed.place.run(&["list"]).lines().len(), 3);
    fed.place
        .run(&["status"])
        .code(0)
        .says(&format!("{state} once: {why}"));
    fed.answered(Answer::Body(LIST.to_owned())).code(0);
}

fn config(server: &Server) -> String {
    format!(
        "[[feed]]\nname = \"partner\"\nurl = \"{}\"\nwithdraw_after = \"1 copy\"\n[kernel]\nenabled = false\n\
         [fetch]\ntimeout = \"1s\"\nconnect_timeout = \"1s\"\nmax_bytes = 5000\ncontact = \"noc@example.net\"\n",
        server.url()
    )
}

#[test]
fn a_failed_fetch_keeps_the_last_good_entries() {
    let fed = fed();
    let status = Answer::Status("503 Service Unavailable", "busy".to_owned());
    keeps_its_copy(&fed, status, "failed", "HTTP 503 Service Unavailable");
    keeps_its_copy(
        &fed,
        Answer::Status("304 Not Modified", String::new()),
        "failed",
        "HTTP 304 Not Modified",
    );
}

#[test]
fn an_html_page_an_error_text_and_an_empty_body_are_no_lists() {
    let fed = fed();
    let html = "<!DOCTYPE html><html><body>8.8.8.8 1.10.0.1/8</body></html>\n";
    keeps_its_copy(
        &fed,
        Answer::Body(html.to_owned()),
        "foreign",
        "an HTML or XML page, not a list",
    );
    keeps_its_copy(&fed, Answer::Body(String::new()), "foreign", "empty");
    keeps_its_copy(
        &fed,
        Answer::Body("error code: 520\n".to_owned()),
        "foreign",
        "1 of 1 lines are invalid (line 1: \"error code: 520\": not an address or a prefix)",
    );
    keeps_its_copy(
        &fed,
        Answer::Body("{\"status\":500}\n".to_owned()),
        "foreign",
        "line 1: JSON, not a plain list",
    );
    let tombstone = "# This list has been merged into another\n".to_owned();
    keeps_its_copy(
        &fed,
        Answer::Body(tombstone),
        "retired",
        "retired by its publisher: \"This list has been merged into another\"",
    );
}

#[test]
fn the_last_line_of_a_whole_transfer_counts_without_its_newline() {
    let fed = fed();
    let open = "192.0.2.0/24\n203.0.113.0/24";
    let whole = ["192.0.2.0/24", "203.0.113.0/24"];
    let utf16 = open.encode_utf16().flat_map(u16::to_le_bytes);
    for answer in [
        Answer::Body(open.to_owned()),
        Answer::Chunked(open.to_owned(), true),
        Answer::Bytes([0xff, 0xfe].into_iter().chain(utf16).collect()),
    ] {
        fed.sent(LIST).code(0);
        fed.answered(answer).code(0);
        assert_eq!(fed.list(), whole);
    }
    // It is in the stored copy, too.
    fed.place.run(&["refresh", "--force"]).code(0);
    assert_eq!(fed.list(), whole);
    // Where the connection alone ends it, it may be half of a line.
    let ran = fed.answered(Answer::Open(open.to_owned())).code(0);
    ran.says("1 rejected (line 2: \"203.0.113.0/24\": the last line has no newline, so it may be cut short)");
    assert_eq!(fed.list(), ["192.0.2.0/24"]);
    fed.sent(LIST).code(0);
    let cut = Answer::Chunked(open.to_owned(), false);
    fed.answered(cut).code(0).says("feed=partner  incomplete: ");
    assert_eq!(fed.listed(), 3);
    // Host bits are refused as always.
    let ran = fed.sent(&format!("{LIST}203.0.113.0/2")).code(0);
    ran.says(
        "1 rejected (line 4: \"203.0.113.0/2\": host bits set, probably 192.0.0.0/2 was meant)",
    );
    assert_eq!(fed.listed(), 3);
}

#[test]
fn an_empty_body_is_believed_where_the_operator_says_so() {
    let list = "192.0.2.0/24\n";
    let keys = "withdraw_after = \"1 copy\"\nbelieve_empty = true\nmax_removed = \"100%\"";
    for empty in ["", "\n", "# nothing today\n"] {
        let fed = Fed::with(
            keys,
            "[limits]\nmax_removed = \"100%\"\n",
            Answer::Body(list.to_owned()),
        );
        assert_eq!(fed.listed(), 1);
        fed.sent(empty).code(0);
        assert_eq!(
            (fed.listed(), fed.state()),
            (0, "fresh".to_owned()),
            "{empty:?}"
        );
    }
    // A tombstone is no empty list.
    let fed = Fed::new(keys, list);
    fed.sent("# This list has been retired\n").code(0);
    assert_eq!((fed.listed(), fed.state()), (1, "retired".to_owned()));
}

#[test]
fn what_is_read_as_something_else_is_told() {
    let ports = "198.51.100.1:8443\n203.0.113.7:80\n";
    let fed = Fed::new("ports = \"ignore\"", ports);
    let told = "2 ports ignored";
    assert_eq!(fed.list(), ["198.51.100.1/32", "203.0.113.7/32"]);
    fed.place.run(&["status"]).code(0).says(told);
    let status = fed.place.run(&["status", "--json"]).json();
    assert_eq!(status["feeds"][0]["remarks"]["ports"], 2);
    // A copy is told of once, and the remark goes with it.
    let ran = fed.sent(&format!("{ports}203.0.113.8\n")).code(0);
    assert_eq!(ran.err.matches(told).count(), 1, "{}", ran.err);
    fed.sent("203.0.113.8\n").code(0);
    let status = fed.place.run(&["status"]).code(0).out;
    assert!(!status.contains(told), "{status}");
}

#[test]
fn a_column_that_looks_like_the_length_is_named_by_check() {
    let list = "ip,prefix\n203.0.113.0,24\n198.51.100.0,25\n";
    let keys = "format = \"csv\"\nfield = \"ip\"";
    let fed = Fed::new(keys, list);
    assert_eq!(fed.list(), ["198.51.100.0/32", "203.0.113.0/32"]);
    let ran = fed.place.run(&["check"]).code(0);
    let told = "advice: feed partner: column \"prefix\" looks like lengths of prefixes, and single addresses are \
                read; length = \"prefix\" reads it";
    assert_eq!(ran.err.matches(told).count(), 1, "{}", ran.err);
    let fed = Fed::new(&format!("{keys}\nlength = \"prefix\""), list);
    assert_eq!(fed.list(), ["198.51.100.0/25", "203.0.113.0/24"]);
    assert!(!fed.place.run(&["check"]).code(0).err.contains("looks like"));
}

#[test]
fn a_download_that_is_cut_is_no_list() {
    let fed = fed();
    keeps_its_copy(
        &fed,
        Answer::Short("72.37.186.0/23\n".to_owned()),
        "incomplete",
        "cut short: the connection ended early (end of file before message length reached)",
    );
    // Without a length the end of the connection proves nothing: the unended line is not believed.
    let ran = fed
        .answered(Answer::Open(format!("{LIST}203.0.113.0/2")))
        .code(0);
    assert!(
        ran.err
            .contains("1 rejected (line 4: \"203.0.113.0/2\": the last line has no newline"),
        "{}",
        ran.err
    );
    assert_eq!(fed.place.run(&["list"]).lines().len(), 3);
}

#[test]
fn a_download_that_is_too_large_or_too_slow_is_given_up() {
    let fed = fed();
    keeps_its_copy(
        &fed,
        Answer::Body("#".repeat(5_001)),
        "foreign",
        "larger than 5000 bytes",
    );
    keeps_its_copy(
        &fed,
        Answer::Open("#\n".repeat(2_501)),
        "foreign",
        "larger than 5000 bytes",
    );
    keeps_its_copy(&fed, Answer::Drip, "failed", "not complete after 1 s");
    keeps_its_copy(&fed, Answer::Silence, "failed", "not complete after 1 s");
}

#[test]
fn a_redirect_leads_to_https_or_nowhere() {
    let fed = fed();
    let other = Server::new(Answer::Body("0.0.0.0/0\n".to_owned()));
    let why = format!("redirected to {}, which is not https", other.url());
    keeps_its_copy(&fed, Answer::Redirect(other.url()), "failed", &why);
    assert!(other.requests().is_empty(), "nothing was asked there");
    for home in [
        "https://127.0.0.1:9/",
        "https://[::1]:9/",
        "https://10.0.0.1/",
    ] {
        let why = format!("redirected to {home}, which is a private address");
        keeps_its_copy(&fed, Answer::Redirect(home.to_owned()), "failed", &why);
    }
    keeps_its_copy(
        &fed,
        Answer::Redirect("file:///etc/passwd".to_owned()),
        "failed",
        "redirected to file:///etc/passwd, which is not https",
    );
}

#[test]
fn a_server_that_is_gone_is_named() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let place = Place::new(&format!(
        "[[feed]]\nname = \"partner\"\nurl = \"http://127.0.0.1:{port}/\"\n[kernel]\nenabled = false\n"
    ));
    let ran = place.run(&["refresh"]).code(1);
    assert!(
        ran.err.contains("feed=partner  failed: no connection: Connection refused (os error 111); there is no earlier copy"),
        "{}",
        ran.err
    );
}

#[test]
fn an_unchanged_list_is_asked_for_conditionally_and_not_sent_again() {
    let tag = "\"v1\"".to_owned();
    let server = Server::new(Answer::Tagged(LIST.to_owned(), tag.clone()));
    let place = Place::new(&config(&server));
    place.run(&["refresh"]).code(0).says("3 entries");
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=partner  3 entries, not modified");
    let requests = server.requests();
    assert!(!requests[0].contains("if-none-match"), "{}", requests[0]);
    assert!(
        requests[1].contains("if-none-match: \"v1\"\r\n"),
        "{}",
        requests[1]
    );
    let agent = format!(
        "user-agent: nullrouted/{} (+noc@example.net)\r\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(requests[0].contains(&agent), "{}", requests[0]);
}

#[test]
fn a_server_without_etags_is_asked_by_date() {
    let date = "Thu, 06 Aug 2026 11:26:13 GMT".to_owned();
    let server = Server::new(Answer::Dated(LIST.to_owned(), date));
    let place = Place::new(&config(&server));
    place.run(&["refresh"]).code(0).says("3 entries");
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=partner  3 entries, not modified");
}

#[test]
fn a_host_that_is_gone_keeps_the_last_good_copy() {
    let fed = fed();
    let config = config(&fed.server).replace(&fed.server.url(), "http://127.0.0.1:9/");
    fed.place.configure(&config);
    let ran = fed.place.run(&["refresh"]).code(0);
    let line = "feed=partner  failed: no connection: Connection refused (os error 111); keeping 3 entries from ";
    assert!(ran.err.contains(line), "{}", ran.err);
    assert_eq!(fed.place.run(&["list"]).lines().len(), 3);
}

#[test]
fn a_copy_that_is_lost_or_damaged_withdraws_nothing_and_is_fetched_whole() {
    let tag = "\"v1\"".to_owned();
    let server = Server::new(Answer::Tagged(LIST.to_owned(), tag));
    let place = Place::new(&config(&server));
    place.run(&["refresh"]).code(0);
    for loss in [
        "rm -r state/copies",
        "for copy in state/copies/*; do echo 0.0.0.0/0 > $copy; done",
    ] {
        let status = std::process::Command::new("sh")
            .args(["-c", loss])
            .current_dir(place.path(""))
            .status();
        assert!(status.unwrap().success());
        let held = place.run(&["refresh", "--offline"]).code(3);
        held.says("held, reason: partner: its last good copy cannot be read");
        assert_eq!(
            place.run(&["list"]).lines().len(),
            3,
            "what is in force stays"
        );
        place
            .run(&["refresh"])
            .code(0)
            .says("feed=partner  3 entries");
        assert!(
            !server.requests().last().unwrap().contains("if-none-match"),
            "or it would never come back"
        );
        place.run(&["refresh", "--offline"]).code(0);
        assert_eq!(place.run(&["list"]).lines().len(), 3);
    }
}

#[test]
fn a_list_that_loses_most_of_its_entries_is_held_and_what_is_in_force_stays() {
    let many: String = (0..100)
        .map(|i| format!("198.51.{}.0/24\n", 2 * i))
        .collect();
    let few: String = many
        .lines()
        .take(60)
        .map(|line| format!("{line}\n"))
        .collect();
    let server = Server::new(Answer::Body(many));
    let place = Place::new(&config(&server));
    place.run(&["refresh"]).code(0);
    server.answer(Answer::Body(few));
    let why = "partner: 40 of 100 prefixes would go, 40% (max_removed 25%)";
    place
        .run(&["refresh"])
        .code(3)
        .says("held, reason: ")
        .says(why);
    assert_eq!(place.run(&["list"]).lines().len(), 100);
    place
        .run(&["status"])
        .code(0)
        .says("HELD  change ")
        .says(why);
    let plan = place.run(&["plan", "--json"]).code(3).json();
    assert_eq!(plan["remove"].as_array().unwrap().len(), 40);
    assert_eq!(plan["held"]["reasons"][0], why);
    assert_eq!(
        plan["id"],
        place.run(&["status", "--json"]).json()["held"]["id"]
    );
}

#[test]
fn the_publishers_floor_holds_between_two_refreshes() {
    // A preset whose address is ours: its floor is the publisher's all the same.
    let server = Server::new(Answer::Status("503 Service Unavailable", String::new()));
    let place = Place::new(&format!(
        "[[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v4\"\nurl = \"{}\"\n[kernel]\nenabled = false\n",
        server.url()
    ));
    place.run(&["refresh"]).code(1).says("HTTP 503");
    place
        .run(&["refresh"])
        .code(1)
        .says("s ago; the publisher asks to wait until ");
    assert_eq!(server.requests().len(), 1);
}
