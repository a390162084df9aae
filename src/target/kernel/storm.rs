//! Who keeps removing a route of ours gets it back, more and more slowly. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;

use crate::time::Timestamp;

/// So often a route is put back at once.
const AT_ONCE: u32 = 3;
/// The longest wait.
const LONGEST: u32 = 64;
/// Whoever has left a route alone for so long has stopped.
const QUIET: Duration = Duration::from_secs(600);
/// Of more routes than that at once, all are one.
const SINGLE: usize = 1_000;

/// The routes that were removed by somebody else, while it may happen again.
#[derive(Clone, Debug, Default)]
pub struct Storm {
    /// By prefix; the whole family stands for many at once.
    fights: BTreeMap<IpNet, Fight>,
    /// When the first of the routes that wait may be put back.
    next: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Fight {
    /// How often it was put back.
    times: u32,
    /// When it was put back last.
    at: Timestamp,
}

impl Fight {
    /// When it may be put back again: at once, then after 1, 2, 4, … 64 seconds.
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

impl Storm {
    /// Nothing waits any more: everything is looked at anew.
    pub fn begin(&mut self) {
        self.next = None;
    }

    /// Take out the routes that are to wait. Answers how many.
    pub fn postpone<T>(
        &mut self,
        routes: &mut Vec<T>,
        net: impl Fn(&T) -> IpNet,
        now: Timestamp,
    ) -> usize {
        // A fight in the future: the clock was set back.
        let past = |fight: &&Fight| fight.at <= now;
        let waits = |net| self.fights.get(&net).filter(past).map(Fight::again);
        let is_waiting = self.fights.values().any(|fight| fight.again() > now);
        if !is_waiting {
            return 0;
        }
        let before = routes.len();
        let many = before > SINGLE;
        let mut next = self.next;
        routes.retain(|route| {
            let net = net(route);
            let again = waits(net).max(many.then(|| waits(all(net))).flatten());
            let later = again.filter(|again| *again > now);
            next = next.into_iter().chain(later).min();
            later.is_none()
        });
        self.next = next;
        before - routes.len()
    }

    /// These were put back.
    pub fn restored(&mut self, nets: &[IpNet], now: Timestamp) {
        self.fights
            .retain(|_, fight| fight.at <= now && fight.at.age(now) < QUIET);
        let mut count = |net| {
            let fight = self
                .fights
                .entry(net)
                .or_insert(Fight { times: 0, at: now });
            fight.times += 1;
            fight.at = now;
        };
        match nets {
            [first, ..] if nets.len() > SINGLE => count(all(*first)),
            few => few.iter().copied().for_each(count),
        }
    }

    /// When the next one that waits may be put back.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// What an operator is told while somebody keeps removing routes.
    pub fn alarm(&self, now: Timestamp) -> Option<String> {
        let mut raging: Vec<_> = self
            .fights
            .iter()
            .filter(|(_, fight)| fight.times > AT_ONCE && fight.at.age(now) < QUIET)
            .collect();
        raging.sort_by_key(|(_, fight)| std::cmp::Reverse(fight.times));
        let (net, fight) = raging.first()?;
        let what = match net.prefix_len() {
            0 => "many routes at once".to_owned(),
            _ => net.to_string(),
        };
        let others = match raging.len() - 1 {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        Some(format!(
            "somebody keeps removing {what}{others}: put back {} times, the next time not before {}; find out who with: ip monitor route",
            fight.times,
            fight.again(),
        ))
    }
}

/// The whole family.
fn all(net: IpNet) -> IpNet {
    match net {
        IpNet::V4(_) => IpNet::V4(ipnet::Ipv4Net::default()),
        IpNet::V6(_) => IpNet::V6(ipnet::Ipv6Net::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn postponed(storm: &mut Storm, nets: &[IpNet], now: i64) -> usize {
        storm.begin();
        storm.postpone(&mut nets.to_vec(), |net| *net, Timestamp(now))
    }

    #[test]
    fn a_route_comes_back_at_once_and_then_more_and_more_slowly() {
        let mut storm = Storm::default();
        let one = [net("72.37.186.0/23")];
        let mut now = 1_000;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let begun = now;
            while postponed(&mut storm, &one, now) > 0 {
                now = storm.next().unwrap().0;
            }
            waits.push(now - begun);
            storm.restored(&one, Timestamp(now));
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64]);
        let alarm = storm.alarm(Timestamp(now)).unwrap();
        assert!(alarm.starts_with("somebody keeps removing 72.37.186.0/23: put back 12 times, "));
    }

    #[test]
    fn others_do_not_wait_for_it_and_quiet_ends_it() {
        let mut storm = Storm::default();
        let (one, other) = (net("72.37.186.0/23"), net("2001:db8::/32"));
        for _ in 0..5 {
            storm.restored(&[one], Timestamp(0));
        }
        assert_eq!(postponed(&mut storm, &[one, other], 1), 1);
        assert!(storm.alarm(Timestamp(1)).is_some());
        assert_eq!(storm.alarm(Timestamp(600)), None);
        storm.restored(&[other], Timestamp(601));
        storm.restored(&[one], Timestamp(601));
        assert_eq!(postponed(&mut storm, &[one], 601), 0);
        assert_eq!(storm.next(), None);
    }

    #[test]
    fn many_at_once_are_one_and_take_no_room() {
        let mut storm = Storm::default();
        let many: Vec<IpNet> = (0..2_000_u32)
            .map(|n| IpNet::new(std::net::Ipv4Addr::from(n << 8).into(), 24).unwrap())
            .collect();
        for _ in 0..4 {
            storm.restored(&many, Timestamp(0));
        }
        assert_eq!(storm.fights.len(), 1);
        assert_eq!(postponed(&mut storm, &many, 0), 2_000);
        assert_eq!(
            postponed(&mut storm, &many[..5], 0),
            0,
            "a few are not those"
        );
        let alarm = storm.alarm(Timestamp(0)).unwrap();
        assert!(alarm.contains("many routes at once: put back 4 times"));
    }
}
