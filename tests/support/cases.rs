//! Runs named cases, as many at once as `RUST_TEST_THREADS` says, and prints the result of each as
//! a table.
//!
//! A case is selected by a part of `GROUP::ID`; `--exact` wants all of it, or all of the ID.

use std::cell::{Cell, RefCell};
use std::panic::{self, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::was_left_out;

/// One incident.
#[derive(Clone, Copy)]
pub struct Case {
    table: &'static str,
    id: &'static str,
    /// What happened, in a few words.
    what: &'static str,
    run: fn(),
}

pub const fn case(table: &'static str, id: &'static str, what: &'static str, run: fn()) -> Case {
    Case {
        table,
        id,
        what,
        run,
    }
}

/// Tables that belong together.
pub struct Group {
    pub name: &'static str,
    /// Titles, and below each its IDs in their order: none is left out, none is there twice.
    pub tables: &'static [(&'static str, &'static [&'static str])],
    pub cases: Vec<Case>,
    /// One at a time and after all others: what is measured bears no other load.
    pub alone: bool,
}

/// What became of it.
enum End {
    Survived,
    /// With the message of the panic.
    Failed(String),
    /// With the reason.
    LeftOut(String),
}

struct Result {
    end: End,
    notes: Vec<String>,
    took: Duration,
}

thread_local! {
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
    static NOTES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Print this below the incident that runs in this thread.
pub fn note(text: impl Into<String>) {
    NOTES.with_borrow_mut(|notes| notes.push(text.into()));
}

/// Widths of the first two columns: with the rest a line has 100 at most.
const ID: usize = 31;
const WHAT: usize = 42;
const LINE: usize = 100;

/// Groups that run alone stand last.
pub fn main(groups: &[Group], words: &[String]) -> ExitCode {
    groups
        .iter()
        .for_each(|group| check(group.tables, &group.cases));
    let asked = Asked::of(words);
    let chosen = |alone: bool| -> Vec<(&str, &Case)> {
        let groups = groups.iter().filter(|group| group.alone == alone);
        let cases = groups.flat_map(|group| group.cases.iter().map(|case| (group.name, case)));
        cases
            .filter(|(group, case)| asked.wants(group, case))
            .collect()
    };
    let (together, alone) = (chosen(false), chosen(true));
    let all = together.iter().chain(&alone);
    if asked.list {
        all.for_each(|(group, case)| println!("{group}::{}: test", case.id));
        return ExitCode::SUCCESS;
    }
    let all: Vec<&Case> = all.map(|(_, case)| *case).collect();
    if all.is_empty() {
        println!("no case is selected by {words:?}");
        return ExitCode::SUCCESS;
    }
    let begun = Instant::now();
    let (first, last) = all.split_at(together.len());
    let mut results = run(first, asked.at_once);
    results.extend(run(last, 1));
    print(&all, &results);
    let failed = |result: &&Result| matches!(result.end, End::Failed(_));
    let left_out = |result: &&Result| matches!(result.end, End::LeftOut(_));
    let (all, took) = (results.len(), begun.elapsed().as_secs_f32());
    let left_out = results.iter().filter(left_out).count();
    let failed = results.iter().filter(failed).count();
    let survived = all - failed - left_out;
    println!("\n{survived} of {all} survived, {failed} FAILED, {left_out} left out; {took:.1} s");
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Every id of the tables, once, in their order; and nothing too long for a line.
fn check(tables: &[(&str, &[&str])], cases: &[Case]) {
    let wanted: Vec<_> = tables
        .iter()
        .flat_map(|(table, ids)| ids.iter().map(|id| (*table, *id)))
        .collect();
    let there: Vec<_> = cases.iter().map(|case| (case.table, case.id)).collect();
    assert_eq!(
        there, wanted,
        "the cases are those of the tables, in their order"
    );
    for (at, (_, id)) in there.iter().enumerate() {
        let twice = there[..at].iter().any(|(_, other)| other == id);
        assert!(!twice, "{id} is there twice");
    }
    for case in cases {
        let fits = case.id.len() <= ID && case.what.len() <= WHAT;
        assert!(fits, "{}: too long for the table", case.id);
    }
}

/// Number of cases at once where the command line does not say it.
fn at_once() -> usize {
    let threads = std::env::var("RUST_TEST_THREADS").ok();
    let threads = threads.and_then(|text| text.parse().ok());
    threads.unwrap_or(2).max(1)
}

/// What the command line wants.
struct Asked {
    list: bool,
    exact: bool,
    /// Nothing but ignored tests, of which there are none.
    ignored: bool,
    at_once: usize,
    named: Vec<String>,
    skipped: Vec<String>,
}

impl Asked {
    /// Words of the usual harness that mean nothing here are let pass.
    fn of(words: &[String]) -> Self {
        let mut asked = Self {
            list: false,
            exact: false,
            ignored: false,
            at_once: at_once(),
            named: Vec::new(),
            skipped: Vec::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, mut value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let takes_one = [
                "--test-threads",
                "--skip",
                "--format",
                "--color",
                "--logfile",
                "-Z",
            ];
            if takes_one.contains(&flag) || flag == "--shuffle-seed" {
                value = value.or_else(|| words.next().cloned());
            }
            match (flag, value) {
                ("--list", _) => asked.list = true,
                ("--exact", _) => asked.exact = true,
                ("--ignored", _) => asked.ignored = true,
                ("--test-threads", Some(value)) => {
                    asked.at_once = value.parse().unwrap_or(asked.at_once).max(1);
                }
                ("--skip", Some(value)) => asked.skipped.push(value),
                _ if word.starts_with('-') => {}
                _ => asked.named.push(word.clone()),
            }
        }
        asked
    }

    fn wants(&self, group: &str, case: &Case) -> bool {
        let whole = format!("{group}::{}", case.id);
        let is = |name: &String| {
            let name = name.replace('_', "-");
            match self.exact {
                true => case.id == name || whole == name,
                false => whole.contains(&name),
            }
        };
        let named = self.named.is_empty() || self.named.iter().any(is);
        named && !self.ignored && !self.skipped.iter().any(is)
    }
}

/// Run them, so many at once, and give the results in the order of the cases.
fn run(cases: &[&Case], at_once: usize) -> Vec<Result> {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| match AT_WORK.get() {
        true => MESSAGE.set(Some(info.to_string())),
        false => usual(info),
    }));
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result>>> = cases.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for _ in 0..at_once.min(cases.len()) {
            scope.spawn(|| {
                AT_WORK.set(true);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let at = cases.iter().position(|other| other.id == case.id);
                    *results[at.unwrap()].lock().unwrap() = Some(one(case));
                }
            });
        }
    });
    let _ = panic::take_hook();
    let results = results.into_iter();
    results
        .map(|result| result.into_inner().unwrap().unwrap())
        .collect()
}

fn one(case: &Case) -> Result {
    let begun = Instant::now();
    let ran = catch_unwind(case.run);
    let (left_out, message) = (was_left_out(), MESSAGE.take());
    let end = match (ran, left_out) {
        (Err(_), _) => End::Failed(message.unwrap_or_default()),
        (Ok(()), Some(why)) => End::LeftOut(why.trim_matches('"').to_owned()),
        (Ok(()), None) => End::Survived,
    };
    Result {
        end,
        notes: NOTES.take(),
        took: begun.elapsed(),
    }
}

fn print(cases: &[&Case], results: &[Result]) {
    let mut table = "";
    for (case, result) in cases.iter().zip(results) {
        if case.table != table {
            table = case.table;
            println!("\n{table}");
        }
        let (word, why) = match &result.end {
            End::Survived => ("survived", None),
            End::Failed(_) => ("FAILED", None),
            End::LeftOut(why) => ("left out:", Some(why)),
        };
        let (id, what, took) = (case.id, case.what, result.took.as_secs_f32());
        println!("  {id:<ID$}  {what:<WHAT$}  {word:<9} {took:>5.1} s");
        why.into_iter()
            .chain(&result.notes)
            .for_each(|text| print_below(text));
    }
    for (case, result) in cases.iter().zip(results) {
        if let End::Failed(message) = &result.end {
            println!("\n{} FAILED: {message}", case.id);
        }
    }
}

/// Indented, in lines that are short enough.
fn print_below(text: &str) {
    let indent = ID + 4;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > LINE {
            println!("{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    println!("{:indent$}{line}", "");
}
