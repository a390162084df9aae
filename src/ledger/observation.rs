//! What is observed of the kernel and of those who listen to it: numbers and enums. Their `Display`
//! is the line that `status` and the log show.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Topic;
use crate::targets::kernel::bus::Owner;
use crate::targets::kernel::zebra::{self, Held, ZEBRA};
use crate::targets::kernel::{Alarm, Mark, Object};

/// What was observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    Watch(Monitoring),
    Audit(Audit),
    Bus(Bus),
    Zebra(Zebra),
    Covers(Covers),
    /// Of another version of this program, in its words.
    Former(Topic, String),
}

impl Observation {
    pub fn topic(&self) -> Topic {
        match self {
            Self::Watch(_) => Topic::Watch,
            Self::Audit(_) => Topic::Audit,
            Self::Bus(_) => Topic::Bus,
            Self::Zebra(_) => Topic::Zebra,
            Self::Covers(_) => Topic::Covers,
            Self::Former(topic, _) => *topic,
        }
    }
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watch(watch) => watch.fmt(f),
            Self::Audit(audit) => audit.fmt(f),
            Self::Bus(bus) => bus.fmt(f),
            Self::Zebra(zebra) => zebra.fmt(f),
            Self::Covers(covers) => covers.fmt(f),
            Self::Former(_, words) => f.write_str(words),
        }
    }
}

/// The state of the monitoring of our routes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Monitoring {
    Listening,
    CannotListen,
    NoDaemon,
    /// No program removes routes repeatedly any more.
    Calm,
    /// The last change of another program that was undone.
    Undone {
        what: Object,
        by: Actor,
    },
    /// Another program repeats its change.
    Repeated(Alarm),
}

impl fmt::Display for Monitoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listening => "listening",
            Self::CannotListen => "cannot listen: what is removed is noticed at the next audit",
            Self::NoDaemon => "no daemon runs: what is removed is put back by the next pass",
            Self::Calm => "no program removes routes any more",
            Self::Undone { what, by } => {
                let done = match what {
                    Object::Surplus(_) => "added",
                    _ => "removed",
                };
                return write!(f, "the last: {what}, {done} by {by}");
            }
            Self::Repeated(alarm) => return alarm.fmt(f),
        })
    }
}

/// The process behind a netlink port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    Unknown,
    Kernel,
    /// The port of a second socket is no process ID.
    Port(u32),
    Process {
        id: u32,
        name: String,
    },
    /// The ID of a process that has ended.
    Ended(u32),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("an unknown program"),
            Self::Kernel => f.write_str("the kernel"),
            Self::Port(port) => write!(f, "an unknown program (netlink port {port})"),
            Self::Process { id, name } => write!(f, "{name} (PID {id})"),
            Self::Ended(id) => write!(f, "PID {id} (already exited)"),
        }
    }
}

/// The comparison of all routes with what is desired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Whether it was made because notifications were lost.
    pub notifications_lost: bool,
    pub missing: usize,
    pub surplus: usize,
    pub occupied: usize,
    pub failed: usize,
    pub unexplained: usize,
    pub kept: usize,
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.notifications_lost {
            f.write_str("notifications were lost, so everything was compared: ")?;
        }
        let kept = self.kept;
        let found = [
            (self.missing, "missing"),
            (self.surplus, "too many"),
            (self.occupied, "in a place that others have"),
            (self.failed, "refused by the kernel"),
            (self.unexplained, "of an earlier run"),
        ];
        let found = found.into_iter().filter(|(count, _)| *count > 0);
        let found: Vec<_> = found
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        match found.is_empty() {
            true => write!(f, "all {kept} routes are as they should be"),
            false => write!(f, "{}, beside {kept} as they should be", found.join(", ")),
        }
    }
}

/// The listeners to changes of routes, and how a change was paced for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bus {
    pub listeners: Vec<Listener>,
    pub changes: usize,
    /// How long the change waited for them.
    pub waited: Duration,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    pub owner: Owner,
    /// Whether the change went on without it.
    pub left_behind: bool,
    /// Notifications that it lost.
    pub lost: u64,
    pub gone: bool,
}

impl Listener {
    /// It reads all routes again by itself where it lost some: BIRD at its next scan, another of us
    /// at once.
    fn heals(&self) -> bool {
        self.owner.is_us() || self.owner.is("bird")
    }

    /// Whether it lost something, and neither reads it again nor is compared, as zebra is.
    fn is_harmed(&self) -> bool {
        self.lost > 0 && !self.heals() && !self.owner.is(ZEBRA)
    }
}

impl Bus {
    /// Whether a listener lost something for good.
    pub fn is_harmful(&self) -> bool {
        self.listeners.iter().any(Listener::is_harmed)
    }

    /// Notifications that other programs lost.
    pub fn lost(&self) -> u64 {
        let others = self.listeners.iter().filter(|one| !one.owner.is_us());
        others.map(|one| one.lost).sum()
    }
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<_> = self.listeners.iter().map(ToString::to_string).collect();
        match each.is_empty() {
            true => f.write_str("no routing daemon reads the kernel's route changes")?,
            false => write!(f, "listening: {}", each.join(", "))?,
        }
        if self.waited.is_zero() {
            return Ok(());
        }
        let (changes, seconds) = (self.changes, self.waited.as_secs_f64());
        write!(
            f,
            "; {changes} changes were paced for them, {seconds:.1} s of waiting"
        )
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (owner, lost) = (&self.owner, self.lost);
        write!(f, "{owner}")?;
        let notes = match owner.is_us() {
            true => [
                (lost > 0 || self.left_behind)
                    .then(|| "not waited for: it reads everything afterwards".to_owned()),
                None,
                None,
            ],
            false => [
                self.left_behind
                    .then(|| "does not read, and was not waited for any longer".to_owned()),
                (lost > 0).then(|| match self.heals() {
                    true => format!("lost {lost}, and reads everything again"),
                    false => format!("lost {lost}"),
                }),
                self.gone.then(|| "has stopped listening".to_owned()),
            ],
        };
        let notes: Vec<_> = notes.into_iter().flatten().collect();
        match notes.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", notes.join("; ")),
        }
    }
}

/// What FRR's zebra holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zebra {
    NotListening,
    /// It has stopped reading notifications.
    Stuck,
    NotCompared(zebra::Fault),
    /// Compared with the routes of this mark.
    Holds(Held, Mark),
}

impl fmt::Display for Zebra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListening => f.write_str("FRR does not listen to these routes"),
            Self::Stuck => f.write_str(
                "what FRR holds is not compared: zebra does not read what the kernel tells it; the next pass looks again",
            ),
            Self::NotCompared(why) => write!(f, "what FRR holds is not compared: {why}"),
            Self::Holds(held, mark) => holds(f, held, mark),
        }
    }
}

/// What zebra holds, and how it is healed.
fn holds(f: &mut fmt::Formatter<'_>, held: &Held, mark: &Mark) -> fmt::Result {
    let Held {
        wanted,
        missing,
        ghosts,
        version,
    } = held;
    let Mark {
        table,
        protocol,
        kind,
        ..
    } = mark;
    let table = match table {
        254 => String::new(),
        table => format!(" table {table}"),
    };
    let mut wrong = Vec::new();
    let mut cures = vec!["restart zebra, which reads all routes".to_owned()];
    let mut note = String::new();
    if let Some(first) = missing.first.first() {
        wrong.push(format!("lacks {missing} of {wanted} routes"));
        cures.push(format!(
            "`ip route del {kind} {first}{table} proto {protocol}` for each that it lacks, then `nullrouted refresh` (the \
             daemon puts them back by itself)"
        ));
    }
    if let Some(first) = ghosts.first.first() {
        wrong.push(format!("holds {ghosts} that are gone"));
        match (held.forgets(), version) {
            (true, _) => cures.push(format!(
                "`ip route add blackhole {first}{table}` and `ip route del` of the same for each that is gone"
            )),
            (false, Some(version)) => {
                note = format!(
                    "; FRR {version} keeps what is gone until then, also where the route is added and deleted again"
                );
            }
            (false, None) => {}
        }
    }
    if wrong.is_empty() {
        return write!(f, "FRR holds all {wanted} routes that are installed");
    }
    write!(
        f,
        "FRR {}: it lost what the kernel told it; cure: {}{note}; more room: `-s 90000000` in zebra_options of \
         /etc/frr/daemons",
        wrong.join(" and "),
        cures.join("; or "),
    )
}

/// Routes of ours that cover more specific ones of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covers {
    pub routes: usize,
    /// Routes of others that no route can cover.
    pub uncovered: usize,
    /// The first of them, as the kernel shows it.
    pub first: Option<String>,
}

impl fmt::Display for Covers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} routes cover more specific ones of others",
            self.routes
        )?;
        match &self.first {
            None => Ok(()),
            Some(first) => write!(
                f,
                "; {} cannot be covered, for nothing is longer or better: {first}",
                self.uncovered
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::file::Version;
    use crate::targets::kernel::zebra::Mismatch;

    fn difference(count: usize) -> Mismatch {
        Mismatch {
            count,
            first: vec!["192.0.2.0/24".to_owned(); count],
        }
    }

    fn told_by(version: Option<&str>, missing: usize, ghosts: usize) -> String {
        let held = Held {
            wanted: 5,
            missing: difference(missing),
            ghosts: difference(ghosts),
            version: version.map(|version| Version::parse(version).unwrap()),
        };
        Zebra::Holds(held, Mark::default()).to_string()
    }

    const ROOM: &str = "; more room: `-s 90000000` in zebra_options of /etc/frr/daemons";

    #[test]
    fn what_is_gone_is_added_and_deleted_where_zebra_then_gives_it_up() {
        for version in ["8.4.4", "9.1.3", "10.3"] {
            assert_eq!(
                told_by(Some(version), 0, 1),
                format!(
                    "FRR holds 1 (192.0.2.0/24) that are gone: it lost what the kernel told it; cure: restart zebra, which \
                     reads all routes; or `ip route add blackhole 192.0.2.0/24` and `ip route del` of the same for each \
                     that is gone{ROOM}"
                )
            );
        }
    }

    #[test]
    fn a_zebra_that_keeps_what_is_gone_is_restarted() {
        assert_eq!(
            told_by(Some("10.7.1"), 0, 1),
            format!(
                "FRR holds 1 (192.0.2.0/24) that are gone: it lost what the kernel told it; cure: restart zebra, which \
                 reads all routes; FRR 10.7.1 keeps what is gone until then, also where the route is added and deleted \
                 again{ROOM}"
            )
        );
        let unknown = told_by(None, 0, 1);
        assert!(!unknown.contains("ip route add"), "{unknown}");
        // What it lacks is mended in every version.
        let both = told_by(Some("10.7.1"), 1, 1);
        let del = "; or `ip route del blackhole 192.0.2.0/24 proto 166` for each that it lacks, then `nullrouted refresh`";
        assert!(
            both.contains(del) && !both.contains("ip route add"),
            "{both}"
        );
    }

    fn listener(name: &str, left_behind: bool, lost: u64) -> Listener {
        Listener {
            owner: Owner::Process(name.to_owned()),
            left_behind,
            lost,
            gone: false,
        }
    }

    #[test]
    fn what_was_observed_is_read_as_it_was_written() {
        let net = "192.0.2.0/24".parse().unwrap();
        let (id, name) = (7, "ip".to_owned());
        let held = Held {
            wanted: 5,
            missing: difference(1),
            ghosts: difference(0),
            version: Version::parse("10.3"),
        };
        let all = [
            Observation::Watch(Monitoring::Listening),
            Observation::Watch(Monitoring::Undone {
                what: Object::Surplus(net),
                by: Actor::Process { id, name },
            }),
            Observation::Audit(Audit {
                notifications_lost: true,
                missing: 1,
                surplus: 0,
                occupied: 2,
                failed: 0,
                unexplained: 0,
                kept: 3,
            }),
            Observation::Bus(Bus {
                listeners: vec![
                    listener("bird", false, 3),
                    listener("nullrouted", true, 0),
                    listener("x", true, 2),
                ],
                changes: 7,
                waited: Duration::from_millis(1_234),
            }),
            Observation::Zebra(Zebra::Holds(held, Mark::default())),
            Observation::Zebra(Zebra::NotCompared(zebra::Fault::NotInstalled)),
            Observation::Covers(Covers {
                routes: 2,
                uncovered: 1,
                first: Some("192.0.2.1 dev lo".to_owned()),
            }),
            Observation::Former(Topic::Bus, "as it was".to_owned()),
        ];
        for one in &all {
            let written = serde_json::to_string(one).unwrap();
            let read: Observation = serde_json::from_str(&written).unwrap();
            assert_eq!(&read, one, "{written}");
        }
        let shown: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown[1], "the last: 192.0.2.0/24, added by ip (PID 7)");
        assert_eq!(
            shown[2],
            "notifications were lost, so everything was compared: 1 missing, 2 in a place that others have, beside 3 as \
             they should be"
        );
        assert_eq!(
            shown[3],
            "listening: bird (lost 3, and reads everything again), nullrouted (not waited for: it reads everything \
             afterwards), x (does not read, and was not waited for any longer; lost 2); 7 changes were paced for them, \
             1.2 s of waiting"
        );
        assert_eq!(
            shown[5],
            "what FRR holds is not compared: vtysh is not installed"
        );
        assert_eq!(
            shown[6],
            "2 routes cover more specific ones of others; 1 cannot be covered, for nothing is longer or better: \
             192.0.2.1 dev lo"
        );
    }
}
