//! A load may stop after each of its commands, and FRR takes them one by one: what stands then.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use crate::testing::everything;

const PLAN: &str = concat!(include_str!("../../plan.sh"), "\nplan \"$1\"");

/// A golden file.
fn golden(name: &str) -> String {
    let folder = env!("CARGO_MANIFEST_DIR");
    std::fs::read_to_string(format!("{folder}/tests/golden/router/{name}.conf")).unwrap()
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Clause {
    action: String,
    lines: Vec<String>,
}

impl Clause {
    fn matches(&self) -> BTreeSet<&str> {
        let matches = |line: &&str| line.starts_with(" match ") || line.starts_with(" call ");
        self.lines
            .iter()
            .map(String::as_str)
            .filter(matches)
            .collect()
    }

    fn enter(&mut self, line: &str) {
        let about = subject(line);
        self.lines.retain(|held| subject(held) != about);
        if !line.starts_with(" no ") {
            self.lines.push(line.to_owned());
        }
    }
}

/// What a line of a clause is about.
fn subject(line: &str) -> String {
    let line = line.strip_prefix(" no").unwrap_or(line);
    let words: Vec<_> = line.split_whitespace().collect();
    let named = match words[..] {
        ["call", ..] => 1,
        [_, "ip" | "ipv6", _, _, _, ..] => 4,
        [_, "ip" | "ipv6", ..] => words.len().min(3),
        _ => 2,
    };
    words[..named].join(" ")
}

/// What bgpd holds of ours.
#[derive(Clone, Debug, Default, PartialEq)]
struct Held {
    /// The command of an entry up to its list, and the rest.
    lists: BTreeMap<String, BTreeSet<String>>,
    /// By map and number.
    clauses: BTreeMap<(String, u32), Clause>,
    now: Option<(String, u32)>,
}

impl Held {
    fn of(text: &str) -> Self {
        let mut held = Self::default();
        let lines = text.lines().filter(|line| !line.starts_with('!'));
        lines.for_each(|line| held.take(line));
        held
    }

    fn take(&mut self, line: &str) {
        let no = line.strip_prefix("no ");
        let words: Vec<_> = no.unwrap_or(line).split(' ').collect();
        match words[..] {
            ["", ..] => {
                let clause = self.now.as_ref().and_then(|now| self.clauses.get_mut(now));
                clause.unwrap().enter(line);
            }
            ["route-map", map, action, number] => {
                let key = (map.to_owned(), number.parse().unwrap());
                if no.is_some() {
                    self.clauses.remove(&key);
                } else {
                    self.clauses.entry(key.clone()).or_default().action = action.to_owned();
                    self.now = Some(key);
                }
            }
            ["route-map", map] => self.clauses.retain(|(name, _), _| name != map),
            ["exit"] => self.now = None,
            ["ip" | "ipv6" | "bgp", ..] => {
                let command = no.unwrap_or(line);
                match (command.split_once(" seq "), no) {
                    (Some((list, entry)), None) => {
                        let list = self.lists.entry(list.to_owned()).or_default();
                        list.insert(entry.to_owned());
                    }
                    (Some((list, entry)), Some(_)) => {
                        self.lists.get_mut(list).unwrap().remove(entry);
                    }
                    (None, _) => drop(self.lists.remove(command)),
                }
            }
            _ => panic!("{line}"),
        }
    }

    /// As bgpd shows it.
    fn running(&self) -> String {
        let mut text = "frr version 10.3\n!\n".to_owned();
        for (list, entries) in &self.lists {
            entries
                .iter()
                .for_each(|entry| text += &format!("{list} seq {entry}\n"));
        }
        for ((map, number), clause) in &self.clauses {
            text += &format!("route-map {map} {} {number}\n", clause.action);
            clause
                .lines
                .iter()
                .for_each(|line| text += &format!("{line}\n"));
            text += "exit\n!\n";
        }
        text
    }

    /// The commands that lead to this file.
    fn plan(&self, text: &str) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut plan = Command::new("sh");
        plan.args(["-c", PLAN, "sh"]).arg(file.path());
        let mut plan = plan
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = plan.stdin.take().unwrap();
        stdin.write_all(self.running().as_bytes()).unwrap();
        drop(stdin);
        let output = plan.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().map(str::to_owned).collect()
    }

    /// Whether each clause that lets routes out, or that refuses them in a filter, has all that it
    /// matches in the file, or what it had `before`.
    #[track_caller]
    fn is_guarded(&self, before: &Self, wanted: &Self, when: impl Fn() -> String) {
        for (key, clause) in &self.clauses {
            let guarded = if key.0 == "NULLROUTED-FILTER" {
                "deny"
            } else {
                "permit"
            };
            let old = before.clauses.get(key);
            if clause.action != guarded || key.1 == 65_535 || old == Some(clause) {
                continue;
            }
            let matches = clause.matches();
            // An earlier clause denies own networks.
            let is_own = matches
                .iter()
                .any(|line| line.contains("-list NULLROUTED-OWN-"));
            let all = |other: Option<&Clause>| {
                other.is_some_and(|other| {
                    let needed = other.matches();
                    let mut needed = needed
                        .iter()
                        .filter(|line| !is_own || !line.contains("-list "));
                    needed.all(|line| matches.contains(line))
                })
            };
            let is_known = all(wanted.clauses.get(key))
                || old.is_some_and(|old| old.action == guarded && all(Some(old)));
            assert!(
                !matches.is_empty() && is_known,
                "{key:?} {clause:?} {}",
                when()
            );
        }
    }
}

/// Takes the commands, and looks at what stands after each.
fn taken(held: &Held, plan: &[String], mut see: impl FnMut(&Held, usize)) -> Held {
    let mut now = held.clone();
    now.now = None;
    for (at, line) in plan.iter().enumerate() {
        now.take(line);
        see(&now, at);
    }
    now
}

const LOADS: [(&str, &str); 14] = [
    ("", "frr--mixed"),
    ("", "frr-octets--mixed"),
    ("", "frr-none--mixed"),
    ("", "frr-edge--mixed"),
    ("", "frr-filter--mixed"),
    ("", "frr-filter-octets--mixed"),
    ("frr--mixed", "frr-ebgp--mixed"),
    ("frr--mixed", "frr-octets--mixed"),
    ("frr-octets--mixed", "frr--mixed"),
    ("frr--mixed", "frr-none--mixed"),
    ("frr-none--mixed", "frr--mixed"),
    ("frr-octets--mixed", "frr-none--mixed"),
    ("frr-filter--mixed", "frr-filter-octets--mixed"),
    ("frr-filter-octets--mixed", "frr-filter--mixed"),
];

fn file(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        golden(name)
    }
}

/// The same clauses and lists, whatever the order.
fn is_same(held: &Held, wanted: &Held) -> bool {
    let options = |held: &Held| {
        let clauses = held.clauses.iter().map(|(key, clause)| {
            let lines: BTreeSet<_> = clause.lines.iter().cloned().collect();
            (key.clone(), clause.action.clone(), lines)
        });
        let lists = held.lists.clone();
        (lists, clauses.collect::<Vec<_>>())
    };
    options(held) == options(wanted)
}

#[test]
fn a_load_that_stops_after_any_command_leaves_no_clause_without_what_it_matches() {
    for (from, to) in LOADS {
        let (before, wanted) = (Held::of(&file(from)), Held::of(&file(to)));
        let plan = before.plan(&file(to));
        assert!(!plan.is_empty());
        let last = taken(&before, &plan, |now, at| {
            now.is_guarded(&before, &wanted, || {
                format!("from {from:?} to {to:?}, after {}", plan[at])
            });
        });
        assert!(is_same(&last, &wanted), "from {from:?} to {to:?}");
        assert_eq!(last.plan(&file(to)), [""; 0], "from {from:?} to {to:?}");
    }
}

/// And the load that follows begins from what the first one left.
#[test]
fn a_load_after_one_that_stopped_leaves_no_clause_without_what_it_matches() {
    for (number, (from, to)) in LOADS.into_iter().enumerate() {
        let (before, wanted) = (Held::of(&file(from)), Held::of(&file(to)));
        let plan = before.plan(&file(to));
        let in_clauses = plan
            .iter()
            .position(|line| line.starts_with("route-map "))
            .unwrap();
        // All where there are few, and of many those at both ends of the clauses; every fifth of
        // them without NULLROUTED_TESTS=all, another fifth in each file.
        let last = plan.len() - in_clauses;
        let step = if everything() { 1 } else { 5 };
        let is_looked_at = |at: usize| {
            let at = at.checked_sub(in_clauses);
            at.is_some_and(|at| {
                let is_turn = (at + number) % step == 0;
                is_turn && (last < 100 || at < 6 || at + 12 > last)
            })
        };
        taken(&before, &plan, |held, at| {
            if !is_looked_at(at) {
                return;
            }
            let when = format!("from {from:?} to {to:?}, stopped after {:?}", plan[at]);
            let again = held.plan(&file(to));
            let last = taken(held, &again, |now, at| {
                now.is_guarded(held, &wanted, || {
                    format!("{when}, and then after {:?}", again[at])
                });
            });
            assert!(is_same(&last, &wanted), "{when}");
        });
    }
}
