//! A router that takes long to load its file: a terminal shows it, and the log says it once.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::support::daemon::Daemon;
use crate::support::namespace::Namespace;
use crate::support::{NO_KERNEL, NOC, PROGRAM, Place, installed, left_out};

/// One command of the router waits for the file `go`, and then a second.
fn place(command: &str, kernel: &str) -> Place {
    let place = Place::new("");
    let go = place.path("go").display().to_string();
    let wait = format!("while [ ! -e {go} ]; do sleep 0.05; done; sleep 1");
    place.configure(&format!(
        "{NOC}{kernel}[[router]]\nname = \"edge1\"\nfamily = \"plain\"\npath = \"edge1.list\"\n\
         {command} = [\"sh\", \"-c\", \"{wait}\"]\n"
    ));
    place.write("noc.list", "72.37.186.0/23\n");
    place
}

/// A verb on a terminal, with what the terminal gets.
fn on_terminal(place: &Place, words: &str) -> (Child, impl Read) {
    let line = format!("{PROGRAM} --config {} {words}", place.config().display());
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    script.env("NULLROUTED_RUN_DIR", place.path("run"));
    script.env("TERM", "xterm").env_remove("NO_COLOR");
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let terminal = child.stdout.take().unwrap();
    (child, terminal)
}

fn until(terminal: &mut impl Read, wanted: &str) {
    let mut all = String::new();
    let mut some = [0; 256];
    while !all.contains(wanted) {
        let count = terminal.read(&mut some).unwrap();
        assert!(count > 0, "never {wanted:?} in {all:?}");
        all.push_str(&String::from_utf8_lossy(&some[..count]));
    }
}

#[test]
fn a_terminal_shows_which_command_of_a_router_runs_and_how_long() {
    if !installed("script") {
        return left_out("script is not installed");
    }
    std::thread::scope(|scope| {
        for command in ["check", "reload", "verify"] {
            scope.spawn(move || is_shown(command));
        }
    });
}

fn is_shown(command: &str) {
    let place = place(command, NO_KERNEL);
    // The first one is loaded by a verb that says its steps, the second by one that says
    // nothing else.
    for verb in ["refresh", "add 203.0.113.7 --reason x"] {
        let _ = std::fs::remove_file(place.path("go"));
        let (mut child, mut terminal) = on_terminal(&place, verb);
        until(&mut terminal, &format!("edge1  {command}  1s"));
        place.write("go", "");
        let mut rest = String::new();
        terminal.read_to_string(&mut rest).unwrap();
        assert!(child.wait().unwrap().success(), "{verb}: {rest}");
        // What is shown goes, and a line without it is as it would be in a file.
        let lines = rest.lines().filter(|line| line.contains("replaced, "));
        assert!(
            lines.clone().all(|line| line.ends_with("prefixes")),
            "{rest:?}"
        );
        assert_eq!(lines.count(), usize::from(verb == "refresh"));
        let line = format!("edge1  {command}  ");
        let last = rest.rsplit(&line).next().unwrap();
        assert!(last.contains("\u{1b}[2K"), "{verb}: {rest:?}");
    }
}

const SAID: &str = "target=edge1  reload is still running after 5 s; routers after this one wait for it, and it is ended \
                    after 300 s";

#[test]
fn without_a_terminal_one_line_says_it() {
    let place = place("reload", NO_KERNEL);
    let mut command = place.command(Command::new(PROGRAM), &["refresh"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.by_ref().any(|line| line.unwrap() == SAID);
    assert!(said, "it ended without the line");
    place.write("go", "");
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    assert!(!rest.iter().any(|line| line.contains("still running")));
    assert!(rest.last().unwrap().contains("edge1.list replaced"));
}

#[test]
fn a_daemon_says_it_once() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = place("reload", "");
    let daemon = Daemon::start(&place, &namespace);
    daemon.says(SAID);
    place.write("go", "");
    daemon.says("edge1.list replaced");
    let said = daemon.stop();
    let lines = said.iter().filter(|line| line.contains("still running"));
    assert_eq!(lines.count(), 1, "{said:#?}");
}
