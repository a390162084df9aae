//! Years of a list, day by day through the real decision: what each day's copy lists, with the
//! error bodies that really came in between. Time is an argument, so a year takes milliseconds.
//!
//! The histories of real lists stand beside the repository and are no part of it; where they are
//! absent, a made-up one is driven alone.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nullrouted::digest;
use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::feed::standing::Ages;
use nullrouted::feed::withdrawal::{PendingWithdrawal, WithdrawAfter};
use nullrouted::feed::{CopyDifference, FeedCopy};
use nullrouted::pipeline::{Applied, AtHand, Configuration, Feed, Input, OperatorEntries, decide};
use nullrouted::plan::Unreadable;
use nullrouted::policy::Policy;
use nullrouted::policy::limits::{FeedLimits, Limits, Review};
use nullrouted::policy::protect::Protect;
use nullrouted::prefix::{Effective, PrefixSet};
use nullrouted::time::Timestamp;

use crate::support::unless_everything;

const DAY: Duration = Duration::from_secs(86_400);

/// What servers really sent in the place of a list.
const ERROR_BODIES: [&str; 6] = [
    "error code: 520",
    "{\"status\":500,\"message\":\"Internal Server Error\"}",
    "Could not connect: \n",
    "",
    "<!DOCTYPE html><html><body>1.10.0.1/8</body></html>\n",
    "; This list has been merged into another\n; EOF\n",
];

/// One feed under the daemon's rules.
struct Replay {
    rules: Rules,
    withdraw_after: WithdrawAfter,
    policy: Policy,
    current: Option<Arc<FeedCopy>>,
    leaving: Vec<PendingWithdrawal>,
    applied: Option<Applied>,
    in_force: Effective,
    generation: u64,
    confirmed: Option<Timestamp>,
    /// Prefixes that went, and when.
    gone: BTreeMap<ipnet::IpNet, Timestamp>,
    flapped: usize,
    changed: usize,
    held: usize,
}

impl Replay {
    fn new(format: Format, withdraw_after: WithdrawAfter) -> Self {
        Self {
            rules: Rules::of(format),
            withdraw_after,
            policy: Policy {
                protect: Protect::new(Vec::new()),
                limits: Limits::default(),
                review: Review::default(),
            },
            current: None,
            leaving: Vec::new(),
            applied: None,
            in_force: Effective::default(),
            generation: 0,
            confirmed: None,
            gone: BTreeMap::new(),
            flapped: 0,
            changed: 0,
            held: 0,
        }
    }

    /// One look. Answers whether the body was taken.
    fn look(&mut self, body: &[u8], now: Timestamp) -> bool {
        let taken = match parse_body(body, &self.rules) {
            Err(_) => false,
            Ok(copy) => {
                self.confirmed = Some(now);
                self.leaving = match &self.current {
                    Some(old) if CopyDifference::between(old, &copy).is_empty() => self
                        .withdraw_after
                        .confirmed(std::mem::take(&mut self.leaving), now),
                    Some(old) => {
                        self.withdraw_after
                            .step(old, std::mem::take(&mut self.leaving), &copy, now)
                    }
                    None => Vec::new(),
                };
                self.current = Some(Arc::new(copy));
                true
            }
        };
        self.decide(now);
        taken
    }

    fn decide(&mut self, now: Timestamp) {
        let at_hand = self.current.as_ref().map(|copy| {
            let copy = copy.with_pending_withdrawals(&self.leaving);
            let listed: Vec<String> = copy.v4.iter().map(|e| e.prefix().to_string()).collect();
            let listed = [
                listed,
                copy.v6.iter().map(|e| e.prefix().to_string()).collect(),
            ]
            .concat();
            AtHand {
                digest: digest::of(listed.join("\n").as_bytes()),
                copy: Arc::new(copy),
                fetched: now,
            }
        });
        let feed = Feed {
            name: "replay".into(),
            reserved: true,
            limits: FeedLimits::default(),
            ages: Ages {
                stale_after: DAY * 30,
                expire_after: DAY * 400,
                max_age: None,
            },
            confirmed: self.confirmed,
            generated: None,
            unreadable: Unreadable::Copy,
            current: at_hand.clone(),
            applied: self.applied.clone(),
        };
        let decision = decide(&Input {
            feeds: &[feed],
            policy: &self.policy,
            in_force: &self.in_force,
            restores: false,
            by_feed: false,
            pinned: None,
            protection: None,
            approved: None,
            configuration: &Configuration::default(),
            operator: &OperatorEntries::default(),
            now,
        });
        // What is held is approved at once here: the end must be reached.
        self.held += usize::from(decision.held());
        let target = if decision.held() {
            Effective::new(decision.permitted.set, [])
        } else {
            decision.desired
        };
        if target != self.in_force {
            self.generation += 1;
            self.changed += decision.proposed.added() + decision.proposed.removed();
            for net in decision.proposed.additions() {
                let within_a_day = |at: &Timestamp| at.age(now) <= DAY;
                self.flapped += usize::from(self.gone.remove(&net).filter(within_a_day).is_some());
            }
            self.gone
                .extend(decision.proposed.removals().map(|net| (net, now)));
        }
        self.in_force = target;
        self.applied = at_hand.map(Applied::Copy);
    }
}

/// A day of a history: the time and everything listed with its reference.
type Day = (Timestamp, BTreeMap<String, String>);

/// The list of a day, as its publisher would write it.
fn body(format: Format, (at, listed): &Day) -> String {
    let mut body = String::new();
    match format {
        Format::SpamhausJson => {
            for (prefix, reference) in listed {
                writeln!(
                    body,
                    "{{\"cidr\":\"{prefix}\",\"sblid\":\"{reference}\",\"rir\":\"x\"}}"
                )
                .unwrap();
            }
            let (size, records) = (body.len(), listed.len());
            writeln!(
                body,
                "{{\"type\":\"metadata\",\"timestamp\":{},\"size\":{size},\"records\":{records}}}",
                at.0
            )
            .unwrap();
        }
        _ => {
            body.push_str("; Spamhaus list\n");
            for (prefix, reference) in listed {
                writeln!(body, "{prefix} ; {reference}").unwrap();
            }
            body.push_str("; EOF\n");
        }
    }
    body
}

/// Drive a history; every other day an error body or a cut copy comes first.
fn drive(name: &str, format: Format, days: &[Day], withdraw_after: WithdrawAfter) -> Replay {
    let mut replay = Replay::new(format, withdraw_after);
    for (number, day) in days.iter().enumerate() {
        let body = body(format, day);
        if number % 2 == 1 {
            let before = replay.in_force.clone();
            let error = ERROR_BODIES[number / 2 % ERROR_BODIES.len()];
            let before_it = Timestamp(day.0.0 - 600);
            assert!(
                !replay.look(error.as_bytes(), before_it),
                "{name}: {error:?} was taken"
            );
            let cut = (number * 7_919) % (body.len() - 1);
            assert!(
                !replay.look(&body.as_bytes()[..cut], before_it),
                "{name}: cut at {cut}"
            );
            assert_eq!(
                replay.in_force, before,
                "{name}: an error body changed the set"
            );
        }
        assert!(replay.look(body.as_bytes(), day.0), "{name}: day {number}");
    }
    // The last copy stays the last: what waits goes.
    let last = days.last().unwrap();
    for later in 1..=8 {
        replay.look(body(format, last).as_bytes(), last.0.after(DAY * later));
    }
    let listed: Vec<ipnet::IpNet> = last.1.keys().map(|net| net.parse().unwrap()).collect();
    let end = PrefixSet::of_nets(listed);
    let expected: Vec<String> = end.nets().map(|net| net.to_string()).collect();
    let got: Vec<String> = replay
        .in_force
        .nets
        .nets()
        .map(|net| net.to_string())
        .collect();
    assert_eq!(got, expected, "{name}: the end is not the last good copy");
    println!(
        "{name}, withdraw_after {withdraw_after}: {} days, {} generations, {} route changes, {} routes were back within a day, {} held",
        days.len(),
        replay.generation,
        replay.changed,
        replay.flapped,
        replay.held
    );
    replay
}

/// Days of a list that grows, shrinks, and now and then is served in yesterday's copy.
fn made_up() -> Vec<Day> {
    let mut state = 42_u64;
    let mut number = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut listed: BTreeMap<String, String> = BTreeMap::new();
    let mut days: Vec<Day> = Vec::new();
    for day in 0..unless_everything(400, 150_i64) {
        let at = Timestamp(1_700_000_000 + day * 43_200);
        let yesterday = days.len().checked_sub(2).filter(|_| number() % 10 == 0);
        if let Some(yesterday) = yesterday {
            let old = days[yesterday].1.clone();
            days.push((at, old));
            continue;
        }
        for _ in 0..if day == 0 { 500 } else { number() % 9 } {
            let n = number();
            let net = format!(
                "{}.{}.{}.0/24",
                11 + n % 80,
                (n >> 8) % 256,
                (n >> 16) % 256
            );
            listed.insert(net, format!("SBL{}", n % 1_000_000));
        }
        for _ in 0..number() % 7 {
            let at = (number() % listed.len() as u64) as usize;
            let gone = listed.keys().nth(at).unwrap().clone();
            listed.remove(&gone);
        }
        days.push((at, listed.clone()));
    }
    days
}

#[test]
fn a_made_up_history_ends_in_its_last_copy_and_waiting_saves_flaps() {
    let days = made_up();
    for format in [Format::SpamhausText, Format::SpamhausJson] {
        let at_once = drive("made up", format, &days, WithdrawAfter::AT_ONCE);
        let waiting = drive("made up", format, &days, WithdrawAfter::DEFAULT);
        let a_day = drive("made up", format, &days, WithdrawAfter::Time(DAY));
        assert!(
            waiting.flapped * 4 < at_once.flapped,
            "{} of {}",
            waiting.flapped,
            at_once.flapped
        );
        assert!(a_day.flapped <= waiting.flapped);
    }
}

fn history(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()?
        .join("shared/feeds/history")
        .join(name);
    beside.is_file().then_some(beside)
}

/// The days of a change log: a full list, then what was added, changed and taken away.
fn days_of(log: &Path) -> Vec<Day> {
    let mut text = String::new();
    let file = std::fs::File::open(log).unwrap();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    let mut listed: BTreeMap<String, String> = BTreeMap::new();
    let mut days = Vec::new();
    for line in text.lines() {
        let change: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(at) = change["t"].as_i64() else {
            continue;
        };
        let entries = |key: &str| {
            let entries = change[key].as_object().cloned().unwrap_or_default();
            entries
                .into_iter()
                .map(|(net, reference)| (net, reference.as_str().unwrap_or("").to_owned()))
        };
        if change["full"].is_object() {
            listed = entries("full").collect();
        }
        listed.extend(entries("add"));
        listed.extend(entries("chg"));
        for gone in change["del"].as_array().into_iter().flatten() {
            listed.remove(gone.as_str().unwrap());
        }
        if !listed.is_empty() {
            days.push((Timestamp(at), listed.clone()));
        }
    }
    days
}

#[test]
fn years_of_real_lists_end_in_their_last_copy() {
    for (name, format) in [
        (
            "spamhaus_drop_v4_json_2025-2026.jsonl.gz",
            Format::SpamhausJson,
        ),
        ("spamhaus_drop_2018-2024.jsonl.gz", Format::SpamhausText),
        ("spamhaus_edrop_2019-2024.jsonl.gz", Format::SpamhausText),
        ("spamhaus_dropv6_2019-2024.jsonl.gz", Format::SpamhausText),
    ] {
        let Some(log) = history(name) else {
            eprintln!("left out: no history {name} beside the repository");
            continue;
        };
        let days = days_of(&log);
        assert!(days.len() > 40, "{name}");
        let at_once = drive(name, format, &days, WithdrawAfter::AT_ONCE);
        let waiting = drive(name, format, &days, WithdrawAfter::DEFAULT);
        assert!(waiting.flapped <= at_once.flapped, "{name}");
    }
}
