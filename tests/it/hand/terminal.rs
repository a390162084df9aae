//! The second confirmation, on a terminal.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use super::{listed, place};
use crate::support::{PROGRAM, Ran, installed, left_out};

#[test]
fn force_asks_a_second_time_on_a_terminal_and_never_opens_what_is_protected() {
    if !installed("script") {
        return left_out("script is not installed");
    }
    let place = place("[protect]\nprefixes = [\"203.0.113.0/24\"]\n");
    let on_terminal = |words: &str, answer: &str| {
        let line = format!("{PROGRAM} --config {} {words}", place.config().display());
        let mut script = Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .env("NULLROUTED_RUN_DIR", place.path("run"))
            .stdin(Stdio::piped());
        let mut child = script
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        keyboard.write_all(answer.as_bytes()).unwrap();
        drop(keyboard);
        Ran::of(child.wait_with_output().unwrap())
    };
    let words = "add 203.0.112.0/23 --reason x --force";
    let wrong = on_terminal(words, "yes\n");
    assert!(
        wrong
            .out
            .contains("To do it all the same, type 203.0.112.0/23 again: "),
        "{}",
        wrong.out
    );
    assert!(
        wrong.out.contains("not confirmed; nothing was changed"),
        "{}",
        wrong.out
    );
    assert_eq!((wrong.code, listed(&place).len()), (Some(1), 2));
    let right = on_terminal(words, "203.0.112.0/23\n");
    assert_eq!(right.code, Some(0), "{}", right.out);
    assert!(
        right
            .out
            .contains("added: it is blackholed but for what is protected in it"),
        "{}",
        right.out
    );
    assert_eq!(
        listed(&place)[2],
        "203.0.112.0/24",
        "the protected half stays out"
    );
    // Shorter than the limit, and meant.
    let wide = on_terminal("add 44.0.0.0/7 --reason x --force", "44.0.0.0/7\n");
    assert_eq!(wide.code, Some(0), "{}", wide.out);
    assert!(listed(&place).contains(&"44.0.0.0/7".to_owned()));
}

#[test]
fn whoever_is_asked_on_a_terminal_keeps_nobody_waiting() {
    if !installed("script") {
        return left_out("script is not installed");
    }
    let place = place("");
    let line = format!(
        "{PROGRAM} --config {} add 44.0.0.0/7 --reason x --force",
        place.config().display()
    );
    let mut script = Command::new("script");
    script
        .args(["-qec", &line, "/dev/null"])
        .env("NULLROUTED_RUN_DIR", place.path("run"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let mut shown = [0; 64];
    let mut terminal = child.stdout.take().unwrap();
    terminal.read_exact(&mut shown).unwrap();
    // It asks by now, and nothing waits for the answer.
    let flush = place.run(&["flush"]).code(0);
    assert!(!flush.err.contains("waiting"), "{}", flush.err);
    drop(child.stdin.take());
    let _ = child.wait();
    assert!(listed(&place).is_empty());
}
