//! Every part of an input, changed alone.

use std::time::Duration;

use super::super::testing::{self, DAY, NOW, protect};
use super::super::{Applied, AtHand, ProtectFeed, decide};
use super::*;
use crate::config::SettingChange;
use crate::feed::{End, FeedCopy};
use crate::plan::Unreadable;
use crate::policy::limits::{Limits, Review, Share};
use crate::prefix::{HostBits, PrefixSet, parse};

const HOUR: Duration = Duration::from_secs(3_600);

/// Everything that an input is made of.
#[derive(Clone)]
struct Made {
    feeds: Vec<Feed>,
    hand: OperatorEntries,
    policy: Policy,
    protection: Option<HeldProtection>,
    in_force: Effective,
    restores: bool,
    by_feed: bool,
    pinned: Option<Pinned>,
    approved: Option<&'static str>,
    configuration: Configuration,
    now: Timestamp,
}

impl Made {
    fn input(&self) -> Input<'_> {
        Input {
            feeds: &self.feeds,
            operator: &self.hand,
            policy: &self.policy,
            in_force: &self.in_force,
            restores: self.restores,
            by_feed: self.by_feed,
            pinned: self.pinned.as_ref(),
            protection: self.protection.as_ref(),
            approved: self.approved,
            configuration: &self.configuration,
            now: self.now,
        }
    }
}

fn set(nets: &[&str]) -> Effective {
    let nets = nets.iter().map(|net| net.parse().unwrap());
    Effective::new(PrefixSet::of_nets(nets), [])
}

/// A copy of one prefix that ends by itself, and of others that do not.
fn copy(ends: &str, nets: &[&str]) -> Arc<FeedCopy> {
    let mut copy = FeedCopy::default();
    let mut add = |net: &str, end: &[End]| {
        let before = (copy.v4.len(), copy.v6.len());
        copy.add(parse(net, HostBits::Refuse).unwrap(), 1, "");
        copy.end_from(before, end);
    };
    add(ends, &[End::After(HOUR)]);
    nets.iter().for_each(|net| add(net, &[]));
    Arc::new(copy)
}

fn at(ends: &str, nets: &[&str], fetched: Timestamp) -> AtHand {
    AtHand {
        digest: format!("{ends} {nets:?}"),
        copy: copy(ends, nets),
        fetched,
    }
}

fn feed(name: &str, now: AtHand, applied: AtHand) -> Feed {
    testing::feed(name, Some(applied), Some(now))
}

fn made() -> Made {
    let before = at("192.0.2.1", &["198.51.100.0/24"], Timestamp(NOW.0 - 60));
    let now = at("192.0.2.2", &["198.51.100.0/24", "203.0.113.0/24"], NOW);
    Made {
        feeds: vec![
            feed("noc", now, before.clone()),
            feed("drop", before.clone(), before),
        ],
        hand: OperatorEntries::default(),
        policy: Policy {
            protect: protect(["198.51.100.7/32".parse().unwrap()].into_iter()),
            limits: Limits::default(),
            review: Review::default(),
        },
        protection: None,
        in_force: set(&["198.51.100.0/24"]),
        restores: false,
        by_feed: false,
        pinned: None,
        approved: None,
        configuration: Configuration::default(),
        now: NOW,
    }
}

type Edit = (&'static str, fn(&mut Made));

/// Every part of an input, changed alone. What is not among them is not compared.
const EDITS: [Edit; 34] = [
    ("configuration", |made| made.configuration.name.push('+')),
    ("changes of it", |made| {
        made.configuration
            .changes
            .push(SettingChange::FeedGone("x".to_owned()));
    }),
    ("a feed goes", |made| drop(made.feeds.pop())),
    ("a feed comes", |made| {
        made.feeds.push(made.feeds[0].clone())
    }),
    ("feeds change places", |made| made.feeds.swap(0, 1)),
    ("name", |made| made.feeds[0].name = "other".into()),
    ("reserved", |made| made.feeds[0].reserved = true),
    ("limits of a feed", |made| {
        made.feeds[0].limits.max_added = Some(Share(0.1));
    }),
    ("stale", |made| {
        made.feeds[0].confirmed = Some(Timestamp(NOW.0 - DAY as i64));
    }),
    ("expired", |made| {
        made.feeds[0].confirmed = Some(Timestamp(NOW.0 - 30 * DAY as i64));
    }),
    ("missing", |made| made.feeds[0].confirmed = None),
    ("outdated", |made| {
        made.feeds[0].generated = Some(Timestamp(NOW.0 - 2 * DAY as i64));
    }),
    ("ages", |made| {
        made.feeds[0].ages.expire_after = Duration::ZERO
    }),
    ("name of a copy", |made| {
        made.feeds[0].current.as_mut().unwrap().digest.push('+');
    }),
    ("content of a copy", |made| {
        made.feeds[0].current.as_mut().unwrap().copy = copy("192.0.2.2", &[]);
    }),
    ("ends of a copy", |made| {
        let current = made.feeds[0].current.as_mut().unwrap();
        Arc::make_mut(&mut current.copy).ends_v4[0].1 = End::At(NOW);
    }),
    ("download of a copy", |made| {
        made.feeds[0].current.as_mut().unwrap().fetched = Timestamp(NOW.0 - 1);
    }),
    ("no copy", |made| made.feeds[0].current = None),
    ("what is unreadable", |made| {
        made.feeds[0].unreadable = Unreadable::Table;
    }),
    ("what was applied", |made| {
        made.feeds[0].applied = Some(Applied::Copy(at("192.0.2.1", &[], NOW)));
    }),
    ("what was applied is lost", |made| {
        made.feeds[0].applied = Some(Applied::Lost);
    }),
    ("nothing was applied", |made| made.feeds[0].applied = None),
    ("listed by hand", |made| {
        made.hand.now = copy("192.0.2.9", &[])
    }),
    ("listed by hand before", |made| {
        made.hand.before = copy("192.0.2.9", &[]);
    }),
    ("protected", |made| {
        made.policy.protect = protect(["198.51.100.8/32".parse().unwrap()].into_iter());
    }),
    ("a list that protects was never read", |made| {
        let unread = ProtectFeed {
            name: "ranges".into(),
            newest: None,
            in_effect: None,
        };
        let limits = &made.policy.limits;
        let waiting = ProtectFeed::waiting(&[unread], &made.in_force.nets, limits);
        made.protection = waiting.map(|waiting| waiting.held(made.policy.clone()));
    }),
    ("limits", |made| made.policy.limits.max_routes = 1),
    ("review", |made| made.policy.review = Review::Manual),
    ("in force", |made| made.in_force = set(&["198.51.100.0/25"])),
    ("origins in force", |made| {
        made.in_force.origins = vec![64_496]
    }),
    ("made by a pin", |made| made.restores = true),
    ("a router names feeds", |made| made.by_feed = true),
    ("pinned", |made| made.pinned = Some(Pinned::default())),
    ("approved", |made| made.approved = Some("0123456789ab")),
];

#[test]
fn a_decision_is_remembered_until_any_part_of_its_input_changes() {
    let base = made();
    let decided = Decided::by(&base.input());
    assert!(decided.holds_for(&base.clone().input()));
    for (what, edit) in EDITS {
        let mut other = base.clone();
        edit(&mut other);
        assert!(!decided.holds_for(&other.input()), "{what}");
        let back = Decided::by(&other.input());
        assert!(back.holds_for(&other.input()), "{what}");
        assert!(!back.holds_for(&base.input()), "{what}, and back");
    }
    // What is frozen is compared, too.
    let pinned = |set: &[&str], origins: &[u32], generation| Made {
        pinned: Some(Pinned {
            generation,
            effective: Effective {
                origins: origins.to_vec(),
                ..self::set(set)
            },
        }),
        ..base.clone()
    };
    let decided = Decided::by(&pinned(&["192.0.2.0/24"], &[], 1).input());
    assert!(!decided.holds_for(&pinned(&["192.0.2.0/25"], &[], 1).input()));
    assert!(!decided.holds_for(&pinned(&["192.0.2.0/24"], &[64_496], 1).input()));
    assert!(!decided.holds_for(&pinned(&["192.0.2.0/24"], &[], 2).input()));
}

#[test]
fn a_copy_that_is_confirmed_again_is_the_same() {
    let mut made = made();
    let decided = Decided::by(&made.input());
    made.now = NOW.after(Duration::from_secs(10));
    for feed in &mut made.feeds {
        feed.confirmed = Some(made.now);
    }
    assert!(decided.holds_for(&made.input()));
    assert_eq!(**decided.decision(), decide(&made.input()));
}

#[test]
fn a_decision_holds_until_an_entry_ends_of_either_copy_and_not_before_its_time() {
    let mut made = made();
    // The older copy is a minute older, so its entry ends a minute before.
    let decided = Decided::by(&made.input());
    made.now = NOW.after(HOUR - Duration::from_secs(61));
    assert!(decided.holds_for(&made.input()));
    made.now = NOW.after(HOUR - Duration::from_secs(60));
    assert!(!decided.holds_for(&made.input()), "what was applied ends");
    let decided = Decided::by(&made.input());
    made.now = NOW.after(HOUR);
    assert!(!decided.holds_for(&made.input()), "what is at hand ends");
    made.now = Timestamp(NOW.0 - 1);
    assert!(!decided.holds_for(&made.input()), "the clock was set back");
}
