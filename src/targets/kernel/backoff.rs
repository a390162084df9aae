//! Back-off: a route that another program removes repeatedly is reinstalled after growing delays,
//! and an alarm is raised. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A route is reinstalled this often without a delay.
const AT_ONCE: u32 = 3;
/// The longest delay, in seconds.
const LONGEST: u32 = 64;
/// A route that was left alone for this long is forgotten.
const QUIET: Duration = Duration::from_secs(600);
/// More routes than this that are removed at once count as one object.
const SINGLE: usize = 1_000;
/// At most this many objects are remembered.
const MOST: usize = 10_000;

/// What another program changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Object {
    /// A route of ours that another program removes.
    Route(IpNet),
    /// Many routes of ours that another program removes at once.
    Many {
        /// Whether they are IPv6, and not IPv4.
        v6: bool,
    },
    /// Our policy rule, by its priority, that another program removes.
    Rule(u32),
    /// A route with our mark that another program adds. It is always removed at once, because it
    /// drops addresses that were not decided.
    Surplus(IpNet),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(net) | Self::Surplus(net) => net.fmt(f),
            Self::Many { .. } => f.write_str("many routes at once"),
            Self::Rule(priority) => write!(f, "rule {priority}"),
        }
    }
}

/// What other programs undid in the last ten minutes.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    objects: BTreeMap<Object, Attempts>,
    /// The earliest time at which a waiting object may be put back.
    next: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Attempts {
    /// How often the object was put back.
    times: u32,
    /// When it was last put back.
    at: Timestamp,
}

impl Attempts {
    /// When it may next be put back: at once, then after 1, 2, 4, … 64 seconds.
    fn again(&self) -> Timestamp {
        let wait = match self.times.checked_sub(AT_ONCE) {
            None => return self.at,
            Some(beyond) => 1_u32
                .checked_shl(beyond)
                .map_or(LONGEST, |wait| wait.min(LONGEST)),
        };
        self.at.after(Duration::from_secs(wait.into()))
    }
}

impl Backoff {
    /// A new comparison begins: no object counts as waiting until it is looked at again.
    pub fn begin(&mut self) {
        self.next = None;
    }

    /// Whether this object has to wait. The earliest end of all waits is kept for
    /// [`next`](Self::next).
    pub fn waits(&mut self, object: Object, now: Timestamp) -> bool {
        let later = self.later(object, now);
        self.next = self.next.into_iter().chain(later).min();
        later.is_some()
    }

    fn later(&self, object: Object, now: Timestamp) -> Option<Timestamp> {
        // An attempt in the future is ignored: the clock was set back.
        let attempts = self
            .objects
            .get(&object)
            .filter(|attempts| attempts.at <= now)?;
        Some(attempts.again()).filter(|again| *again > now)
    }

    /// Take out the routes that have to wait, and return how many. `net` is `Some` for a route that
    /// another program removed; other routes never wait.
    pub fn postpone<T>(
        &mut self,
        routes: &mut Vec<T>,
        net: impl Fn(&T) -> Option<IpNet>,
        now: Timestamp,
    ) -> usize {
        let is_waiting = self.objects.values().any(|attempts| attempts.again() > now);
        if !is_waiting {
            return 0;
        }
        let before = routes.len();
        let is_many = routes
            .iter()
            .filter(|route| net(route).is_some())
            .nth(SINGLE);
        let is_many = is_many.is_some();
        routes.retain(|route| {
            let Some(net) = net(route) else {
                return true;
            };
            let alone = self.waits(Object::Route(net), now);
            let with_others = is_many && self.waits(many(net), now);
            !alone && !with_others
        });
        before - routes.len()
    }

    /// These routes were put back.
    pub fn restored(&mut self, nets: &[IpNet], now: Timestamp) {
        match nets {
            [first, ..] if nets.len() > SINGLE => self.undone([many(*first)], now),
            few => self.undone(few.iter().copied().map(Object::Route), now),
        }
    }

    /// Changes of other programs were undone. At most [`SINGLE`] of them are counted in one call,
    /// and at most [`MOST`] objects are remembered.
    pub fn undone(&mut self, objects: impl IntoIterator<Item = Object>, now: Timestamp) {
        self.objects
            .retain(|_, attempts| attempts.at <= now && attempts.at.age(now) < QUIET);
        for object in objects.into_iter().take(SINGLE) {
            if self.objects.len() >= MOST && !self.objects.contains_key(&object) {
                continue;
            }
            let first = Attempts { times: 0, at: now };
            let attempts = self.objects.entry(object).or_insert(first);
            attempts.times += 1;
            attempts.at = now;
        }
    }

    /// When the next waiting object may be put back.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// The alarm for the operator while another program repeats its change.
    pub fn alarm(&self, now: Timestamp) -> Option<Alarm> {
        let mut repeated: Vec<_> = self
            .objects
            .iter()
            .filter(|(_, attempts)| {
                attempts.times > AT_ONCE && attempts.at <= now && attempts.at.age(now) < QUIET
            })
            .collect();
        repeated.sort_by_key(|(_, attempts)| std::cmp::Reverse(attempts.times));
        let (object, attempts) = repeated.first()?;
        Some(Alarm {
            object: **object,
            others: repeated.len() - 1,
            times: attempts.times,
            next: attempts.again(),
        })
    }
}

/// Another program repeats its change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What it changed most often.
    pub object: Object,
    /// How many other objects it changes repeatedly.
    pub others: usize,
    /// How often it was undone.
    pub times: u32,
    /// It is not put back before.
    pub next: Timestamp,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (object, times, next) = (self.object, self.times, self.next);
        let others = match self.others {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        let monitor = match object {
            Object::Surplus(net) => {
                return write!(
                    f,
                    "another program keeps adding {net}{others} with our table, protocol and type: removed {times} times; \
                     another nullrouted needs a [kernel] protocol of its own; find it with: ip monitor route"
                );
            }
            Object::Rule(_) => "rule",
            Object::Route(_) | Object::Many { .. } => "route",
        };
        write!(
            f,
            "another program keeps removing {object}{others}: put back {times} times, the next time not before {next}; find \
             it with: ip monitor {monitor}"
        )
    }
}

/// The object for many routes of one address family.
fn many(net: IpNet) -> Object {
    Object::Many {
        v6: net.addr().is_ipv6(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn postponed(backoff: &mut Backoff, nets: &[IpNet], now: i64) -> usize {
        backoff.begin();
        backoff.postpone(&mut nets.to_vec(), |net| Some(*net), Timestamp(now))
    }

    #[test]
    fn a_route_comes_back_at_once_and_then_more_and_more_slowly() {
        let mut backoff = Backoff::default();
        let one = [net("72.37.186.0/23")];
        let mut now = 1_000;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let begun = now;
            while postponed(&mut backoff, &one, now) > 0 {
                now = backoff.next().unwrap().0;
            }
            waits.push(now - begun);
            backoff.restored(&one, Timestamp(now));
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64]);
        let alarm = backoff.alarm(Timestamp(now)).unwrap().to_string();
        assert!(
            alarm.starts_with("another program keeps removing 72.37.186.0/23: put back 12 times, ")
        );
    }

    #[test]
    fn others_do_not_wait_for_it_and_quiet_ends_it() {
        let mut backoff = Backoff::default();
        let (one, other) = (net("72.37.186.0/23"), net("2001:db8::/32"));
        for _ in 0..5 {
            backoff.restored(&[one], Timestamp(0));
        }
        assert_eq!(postponed(&mut backoff, &[one, other], 1), 1);
        assert!(backoff.alarm(Timestamp(1)).is_some());
        assert_eq!(backoff.alarm(Timestamp(600)), None);
        backoff.restored(&[other], Timestamp(601));
        backoff.restored(&[one], Timestamp(601));
        assert_eq!(postponed(&mut backoff, &[one], 601), 0);
        assert_eq!(backoff.next(), None);
    }

    #[test]
    fn a_rule_waits_like_a_route_and_what_comes_too_often_is_an_alarm() {
        let mut backoff = Backoff::default();
        let rule = Object::Rule(5000);
        for _ in 0..3 {
            assert!(!backoff.waits(rule, Timestamp(0)));
            backoff.undone([rule], Timestamp(0));
        }
        assert!(backoff.waits(rule, Timestamp(0)));
        assert_eq!(backoff.next(), Some(Timestamp(1)));
        assert!(!backoff.waits(rule, Timestamp(1)));
        backoff.undone([rule], Timestamp(1));
        let alarm = backoff.alarm(Timestamp(2)).unwrap().to_string();
        assert!(alarm.starts_with("another program keeps removing rule 5000: put back 4 times, "));
        assert!(alarm.ends_with("find it with: ip monitor rule"));

        let surplus = [Object::Surplus(net("192.0.2.0/24"))];
        for now in 700..705 {
            backoff.undone(surplus, Timestamp(now));
        }
        let alarm = backoff.alarm(Timestamp(705)).unwrap().to_string();
        assert!(
            alarm.starts_with("another program keeps adding 192.0.2.0/24 with our table, "),
            "{alarm}"
        );
        assert!(alarm.contains(": removed 5 times; "), "{alarm}");
    }

    #[test]
    fn a_route_that_was_not_removed_never_waits_and_memory_is_bounded() {
        let mut backoff = Backoff::default();
        let one = net("72.37.186.0/23");
        for _ in 0..5 {
            backoff.restored(&[one], Timestamp(0));
        }
        assert_eq!(backoff.postpone(&mut vec![one], |_| None, Timestamp(0)), 0);
        for n in 0..MOST as u32 + 20 {
            let host = std::net::IpAddr::from(n.to_be_bytes()).into();
            backoff.undone([Object::Surplus(host)], Timestamp(1));
        }
        assert_eq!(backoff.objects.len(), MOST);
        assert!(
            backoff
                .alarm(Timestamp(1))
                .unwrap()
                .to_string()
                .contains("72.37.186.0/23")
        );
    }

    #[test]
    fn many_at_once_are_one_and_take_no_room() {
        let mut backoff = Backoff::default();
        let many: Vec<IpNet> = (0..2_000_u32)
            .map(|n| IpNet::new(std::net::Ipv4Addr::from(n << 8).into(), 24).unwrap())
            .collect();
        for _ in 0..4 {
            backoff.restored(&many, Timestamp(0));
        }
        assert_eq!(backoff.objects.len(), 1);
        assert_eq!(postponed(&mut backoff, &many, 0), 2_000);
        assert_eq!(
            postponed(&mut backoff, &many[..5], 0),
            0,
            "a few are not those"
        );
        let alarm = backoff.alarm(Timestamp(0)).unwrap().to_string();
        assert!(alarm.contains("many routes at once: put back 4 times"));
    }
}
