//! The control socket: a verb beside a daemon does what it does alone, and the daemon does it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::http::{Answer, Server};
use crate::support::namespace::eventually;
use crate::support::{NO_KERNEL, NOC, PROGRAM, Place, Ran, is_root, left_out};

/// A daemon without a kernel target, whose first pass has ended.
#[track_caller]
fn started(place: &Place) -> Daemon {
    let daemon = begun(place);
    daemon.says("generation 1");
    let lock = File::open(place.path("state/pass.lock")).unwrap();
    eventually("its first pass has ended", || lock.try_lock().is_ok());
    daemon
}

fn begun(place: &Place) -> Daemon {
    Daemon::begin(place, Command::new(PROGRAM), &["run"])
}

const LIST: &str = "192.0.2.0/24\n198.51.100.0/24\n";

fn place_with(more: &str) -> Place {
    let place = Place::new(&format!("{NOC}every = \"1h\"\n{NO_KERNEL}{more}"));
    place.write("noc.list", LIST);
    place
}

fn place() -> Place {
    place_with("")
}

/// The socket of its daemon.
fn socket(place: &Place) -> PathBuf {
    let entries = std::fs::read_dir(place.path("run")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.to_string_lossy().ends_with(".control"))
        .unwrap()
}

/// Send bytes to the daemon, and read what it answers.
fn spoken(place: &Place, request: &str) -> String {
    let mut stream = UnixStream::connect(socket(place)).unwrap();
    // One that was refused early may be closed before all of it is written.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// How many events of this kind the log book has, with the name and the uid of each.
fn events(place: &Place, what: &str) -> Vec<(String, Option<u32>)> {
    let ledger = place.ledger();
    let mut rows = ledger
        .prepare("SELECT by, uid FROM event WHERE what = ?1 ORDER BY seq")
        .unwrap();
    let rows = rows.query_map([what], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Without what is different at each run: points in time, ages, and the folder.
fn masked(text: &str, place: &Place) -> String {
    let text = text.replace(&place.path("").display().to_string(), "PLACE/");
    let word = |word: &str| {
        let is_time = word.len() >= 20 && word.starts_with("20") && word.contains("Z");
        match is_time {
            true => "TIME".to_owned(),
            false => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n")
}

#[test]
fn a_verb_prints_and_ends_beside_a_daemon_as_it_does_alone() {
    let (alone, beside) = (place(), place());
    alone.run(&["refresh"]).code(0);
    let daemon = started(&beside);
    let verbs: [&[&str]; 28] = [
        &["list"],
        &["list", "--count"],
        &["list", "--count", "--json"],
        &["why", "192.0.2.1"],
        &["why", "203.0.113.1"],
        &["why", "no address"],
        &["add", "203.0.113.0/25", "--reason", "t", "--for", "2h"],
        &["add", "203.0.113.0/25", "--reason", "again"],
        &["add", "203.0.113.128/25", "--reason", "t", "--json"],
        &["add", "127.0.0.1", "--reason", "t"],
        &["add", "10.0.0.1", "--reason", "t"],
        &["add", "0.0.0.0/0", "--reason", "t"],
        &["add", "203.0.113.1", "--reason", ""],
        &["remove", "203.0.113.128/25"],
        &["remove", "203.0.113.128/25"],
        &["allow", "192.0.2.7", "--reason", "ours"],
        &["add", "192.0.2.7", "--reason", "t"],
        &["disallow", "192.0.2.7"],
        &["approve", "abc"],
        &["reject", "abc", "--json"],
        &["refresh", "--feed", "none"],
        &["pin", "1"],
        &["pin", "77"],
        &["list"],
        &["history", "--generation", "1"],
        &["history", "--diff", "1", "2"],
        &["unpin", "--json"],
        &["refresh", "--offline", "--json"],
    ];
    for verb in verbs {
        let (first, second) = (alone.run(verb), beside.run(verb));
        assert_eq!(first.code, second.code, "{verb:?}: {second:#?}");
        let both = [(&first, &alone), (&second, &beside)];
        let [out, other] = both.map(|(ran, place)| masked(&ran.out, place));
        assert_eq!(out, other, "{verb:?}");
        let [err, other] = both.map(|(ran, place)| masked(&ran.err, place));
        assert_eq!(err, other, "{verb:?}");
    }
    for verb in ["add", "remove", "allow", "disallow", "pin", "unpin"] {
        assert_eq!(events(&alone, verb), events(&beside, verb), "{verb}");
    }
    // The daemon made the generations itself.
    daemon.says("generation 2  1 added");
}

#[test]
fn flush_works_by_itself_and_unpin_over_the_socket_ends_it() {
    let place = place();
    let _daemon = started(&place);
    place.run(&["flush"]).code(0);
    assert_eq!(place.run(&["list", "--count"]).code(0).out, "0\n");
    place.run(&["unpin"]).code(0);
    assert_eq!(place.run(&["list", "--count"]).code(0).out, "2\n");
}

#[test]
fn a_changed_configuration_counts_at_once() {
    let place = place();
    let daemon = started(&place);
    let more = "[[feed]]\nname = \"more\"\npath = \"more.list\"\n";
    place.configure(&format!("{NOC}every = \"1h\"\n{more}{NO_KERNEL}"));
    place.write("more.list", "203.0.113.0/24\n");
    // What only reads says so by itself, and leaves the daemon as it is.
    place.run(&["status", "--json"]).says("\"name\":\"more\"");
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list", "--count"]).code(0).out, "3\n");
    daemon.says("read again");
    daemon.says("generation 2");
}

#[test]
fn other_programs_get_the_json_of_the_verbs() {
    let place = place();
    let _daemon = started(&place);
    let get = |target: &str| spoken(&place, &format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
    let body = |answer: &str| -> serde_json::Value {
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    };
    let why = get("/why?query=192.0.2.1");
    assert!(why.starts_with("HTTP/1.1 200"), "{why}");
    assert_eq!(body(&why)["verdict"], "blackholed");
    assert_eq!(body(&get("/list")).as_array().unwrap().len(), 2);
    let post = |path: &str, body: &str| {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        spoken(&place, &format!("{head}{body}"))
    };
    let added = post("/add", "{\"prefix\":\"203.0.113.7\",\"reason\":\"t\"}");
    assert!(added.contains("nullrouted-exit: 0"), "{added}");
    assert_eq!(body(&added)["routes"], 3);
    for (answer, status, why) in [
        (get("/"), "404", "no such path"),
        (get("/add"), "405", "GET shows something"),
        (get("/why?query=x"), "400", "x: "),
        (post("/add", "{}"), "400", "body: missing field `prefix`"),
        (
            post("/add", "{\"prefix\":\"10.0.0.0/8\",\"reason\":\"t\"}"),
            "400",
            "touches reserved space",
        ),
        (
            post("/remove", "{\"prefix\":\"192.0.2.0/24\"}"),
            "400",
            "was not added by hand",
        ),
        (
            post("/add", &"x".repeat(70_000)),
            "413",
            "more than 65536 bytes",
        ),
    ] {
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        let error = body(&answer)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(why), "{error}");
    }
    let long = format!("GET /status HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    assert!(!spoken(&place, &long).starts_with("HTTP/1.1 200"));
}

/// A place that other users may enter, whose socket is open to this group.
fn open_place(group: &str, writers: &str) -> Place {
    let daemon = format!("[daemon]\ngroup = {group:?}\nwriters = [{writers}]\n");
    let place = place_with(&daemon);
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(""), all).unwrap();
    place
}

/// A verb as another user.
fn as_user(place: &Place, user: &str, group: &str, verb: &[&str]) -> Ran {
    let mut command = Command::new("setpriv");
    command.args([
        &format!("--reuid={user}"),
        &format!("--regid={group}"),
        "--clear-groups",
        PROGRAM,
    ]);
    command.env("SUDO_USER", "alice");
    Ran::of(place.command(command, verb).output().unwrap())
}

#[test]
fn members_of_the_group_read_and_writers_write() {
    if !is_root() {
        return left_out("only root can be another user");
    }
    let place = open_place("games", "\"news\"");
    let _daemon = started(&place);
    let about = std::fs::metadata(socket(&place)).unwrap();
    assert_eq!((about.mode() & 0o777, about.uid()), (0o660, 0));

    let reader = |verb: &[&str]| as_user(&place, "games", "games", verb);
    reader(&["status"]).code(0).says("2 routes in force");
    reader(&["why", "192.0.2.1"]).code(0).says("is blackholed");
    assert_eq!(reader(&["list"]).code(0).out, LIST);
    let refused = reader(&["add", "203.0.113.7", "--reason", "t"]).code(1);
    assert_eq!(
        refused.err,
        "uid 5 may read and not change: that is for root, the user of the daemon and [daemon] \
         writers; nothing was changed\n"
    );
    assert_eq!(events(&place, "add"), []);

    // SUDO_USER is believed from root alone.
    let verb = ["add", "203.0.113.7", "--reason", "t"];
    as_user(&place, "news", "games", &verb).code(0);
    assert_eq!(events(&place, "add"), [("news".to_owned(), Some(9))]);
    let by = place.run(&["status", "--json"]).json();
    assert_eq!(by["by_hand"][0]["by"], "news");

    // Who is no member does not even connect.
    let stranger = as_user(&place, "mail", "mail", &["status"]).code(1);
    let path = socket(&place).display().to_string();
    let told = format!(
        "{path} is not used: Permission denied: it is open to root, to the user of the daemon and to \
         the members of group games; this verb does its work itself\n"
    );
    assert!(stranger.err.starts_with(&told), "{}", stranger.err);
    assert!(
        stranger.err.contains("state: Permission denied"),
        "{}",
        stranger.err
    );
}

#[test]
fn the_name_that_the_verb_of_root_found_stands_in_the_log_book() {
    if !is_root() {
        return left_out("only root is believed");
    }
    let place = place();
    let _daemon = started(&place);
    let login = std::fs::read_to_string("/proc/self/loginuid").unwrap_or_default();
    if login.trim() != u32::MAX.to_string() {
        return left_out("a login uid goes before SUDO_USER");
    }
    let mut command = place.command(
        Command::new(PROGRAM),
        &["allow", "192.0.2.7", "--reason", "t"],
    );
    Ran::of(command.env("SUDO_USER", "älice").output().unwrap()).code(0);
    assert_eq!(events(&place, "allow"), [("älice".to_owned(), Some(0))]);
}

#[test]
fn a_daemon_that_dies_between_the_entry_and_the_answer_loses_nothing() {
    let router = "[[router]]\nname = \"edge\"\nfamily = \"plain\"\npath = \"edge.list\"\n\
                  reload = [\"sh\", \"-c\", \"test ! -e slow || sleep 60\"]\n";
    let slow = |place: &Place| place.path("slow").display().to_string();
    let place = place();
    place.configure(&format!(
        "{NOC}every = \"1h\"\n{NO_KERNEL}{}",
        router.replace("slow", &slow(&place))
    ));
    let daemon = started(&place);
    daemon.says("target=edge");
    place.write("slow", "");
    let mut verb = place.command(
        Command::new(PROGRAM),
        &["add", "203.0.113.7", "--reason", "t"],
    );
    verb.stdout(Stdio::piped()).stderr(Stdio::piped());
    let verb = verb.spawn().unwrap();
    eventually("the entry is in the ledger", || {
        events(&place, "add").len() == 1
    });
    daemon.dies();
    let ended = Ran::of(verb.wait_with_output().unwrap()).code(1);
    assert_eq!(
        ended.err,
        "the daemon ended while it worked on this: nullrouted history shows whether it was written \
         down, and the next pass brings about what was\n"
    );
    std::fs::remove_file(place.path("slow")).unwrap();
    // The socket of the dead daemon hinders none.
    place.run(&["refresh"]).code(0);
    place
        .run(&["why", "203.0.113.7"])
        .code(0)
        .says("is blackholed by 203.0.113.7/32");
    assert_eq!(events(&place, "add").len(), 1);
    assert!(place.read("edge.list").contains("203.0.113.7"));
}

#[test]
fn a_change_does_not_wait_for_a_slow_download() {
    let server = Server::new(Answer::Body("192.0.2.0/24\n".to_owned()));
    let slow = format!(
        "[[feed]]\nname = \"slow\"\nurl = {:?}\nformat = \"cidr\"\n",
        server.url()
    );
    let place = place_with(&slow);
    let _daemon = started(&place);
    server.answer(Answer::Silence);
    let mut refresh = place.command(Command::new(PROGRAM), &["refresh"]);
    refresh.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut refresh = refresh.spawn().unwrap();
    eventually("the download waits", || server.requests().len() == 2);
    let begun = Instant::now();
    place.run(&["add", "203.0.113.7", "--reason", "t"]).code(0);
    place.run(&["status"]).code(0).says("3 routes in force");
    place.run(&["remove", "203.0.113.7"]).code(0);
    let took = begun.elapsed();
    assert!(refresh.try_wait().unwrap().is_none(), "the refresh goes on");
    assert!(took < Duration::from_secs(5), "{took:?}");
    refresh.kill().unwrap();
    refresh.wait().unwrap();
}

#[test]
fn clients_that_hang_hold_no_other() {
    let place = place();
    let daemon = started(&place);
    let connect = || UnixStream::connect(socket(&place)).unwrap();
    let half = "POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    let mut hung = Vec::new();
    for begun in [
        "",
        "GET /sta",
        "GET /list HTTP/1.1\r\nHost: x\r\n\r\n",
        half,
    ] {
        for _ in 0..6 {
            let mut stream = connect();
            stream.write_all(begun.as_bytes()).unwrap();
            hung.push(stream);
        }
    }
    let begun = Instant::now();
    place.run(&["add", "203.0.113.7", "--reason", "t"]).code(0);
    place.run(&["status"]).code(0).says("3 routes in force");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    daemon.says("generation 2");
    // Even where there are as many as there may be: a verb does its work itself.
    hung.extend((0..80).map(|_| connect()));
    place.run(&["remove", "203.0.113.7"]).code(0);
    place.run(&["status"]).code(0).says("2 routes in force");
    // They are sent away in time.
    eventually("the server is free again", || {
        spoken(&place, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 200")
    });
}

#[test]
fn a_daemon_that_does_not_answer_is_done_without_and_does_nothing_twice() {
    let place = place();
    let daemon = started(&place);
    daemon.signal(Signal::SIGSTOP);
    place
        .run(&["add", "203.0.113.7", "--reason", "t"])
        .code(0)
        .says("it is blackholed now");
    place.run(&["status"]).code(0).says("3 routes in force");
    daemon.signal(Signal::SIGCONT);
    place.run(&["add", "203.0.113.8", "--reason", "t"]).code(0);
    assert_eq!(events(&place, "add").len(), 2);
}

#[test]
fn the_socket_of_a_dead_daemon_is_replaced_and_that_of_another_process_is_not() {
    let place = place();
    let daemon = started(&place);
    let path = socket(&place);
    daemon.dies();
    assert!(path.exists());
    place.run(&["status"]).code(0);
    let daemon = begun(&place);
    daemon.says("policy");
    eventually("the socket answers", || UnixStream::connect(&path).is_ok());
    drop(daemon);

    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    let daemon = begun(&place);
    let pid = std::process::id();
    daemon.says(&format!(
        "control  {}: process {pid} already answers here; verbs do their work themselves",
        path.display()
    ));
    // It answers nothing: the verb does not wait for long.
    place.run(&["add", "203.0.113.7", "--reason", "t"]).code(0);
}

#[test]
fn a_socket_that_another_user_may_have_made_is_not_used() {
    if !is_root() {
        return left_out("only root can give a file away");
    }
    let place = place();
    let daemon = started(&place);
    let path = socket(&place);
    chown(&path, Some(65_534), None).unwrap();
    let told = format!(
        "{} is not used: it belongs to uid 65534; this verb does its work itself\n",
        path.display()
    );
    let ran = place.run(&["list", "--count"]).code(0);
    assert_eq!((ran.out.as_str(), ran.err), ("2\n", told));
    drop(daemon);
}

#[test]
fn the_socket_goes_with_its_daemon() {
    let place = place();
    let daemon = started(&place);
    let path = socket(&place);
    assert!(path.exists());
    daemon.stop();
    assert!(!path.exists());
}
