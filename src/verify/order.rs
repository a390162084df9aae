//! The rules in the order in which they are evaluated (`fib_rules_lookup`, net/core/fib_rules.c).
//! Pure.

use std::collections::BTreeSet;

use crate::netlink::family::AddressFamily;
use crate::netlink::names::Vrf;
use crate::netlink::rule::{Action, Rule};
use crate::netlink::selector::Selector;
use crate::prefix::Prefix;

/// The tables for which the kernel makes rules: local, main and default (`fib_default_rules_init`).
const DEFAULT: [(u32, u32); 3] = [(0, 255), (32_766, 254), (32_767, 253)];

/// The rules of one family, in order.
#[derive(Clone, Debug)]
pub struct Order<B: AddressFamily> {
    pub rules: Vec<Rule<B>>,
}

/// The tables that packets can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Tables in which some packet is looked up.
    pub tables: BTreeSet<u32>,
    /// Whether our table is one of them.
    pub ours: bool,
}

impl<B: AddressFamily> Order<B> {
    /// The rules in the order in which the kernel lists them. A kernel without policy rules lists
    /// none and looks up the default tables. An `l3mdev` rule stands for one rule for each VRF with
    /// members.
    pub fn new(listed: Vec<Rule<B>>, vrfs: &[Vrf]) -> Self {
        let mut rules = Vec::new();
        for rule in listed {
            if !rule.l3mdev {
                rules.push(rule);
                continue;
            }
            for vrf in vrfs {
                let mut rule = rule.clone();
                rule.select.other.push(Selector::Vrf(vrf.table));
                rule.action = Action::Lookup(vrf.table);
                rules.push(rule);
            }
        }
        if rules.is_empty() {
            let default = DEFAULT.iter();
            rules.extend(default.map(|(priority, table)| Rule::lookup(*priority, *table)));
        }
        Self { rules }
    }

    /// The target of a `goto`: the first rule with that priority, or the next rule if there is
    /// none.
    pub fn target(&self, from: usize, priority: u32) -> usize {
        let after = self.rules.iter().enumerate().skip(from + 1);
        let mut there = after.filter(|(_, rule)| rule.priority == priority);
        there.next().map_or(from + 1, |(at, _)| at)
    }

    /// The tables in which packets are looked up before `ours`, or without reaching it. `beyond`:
    /// also those after it, for packets for which it has no result.
    pub fn reach(&self, ours: u32, beyond: bool) -> Reach {
        let mut reach = Reach::default();
        let mut seen = vec![false; self.rules.len()];
        let mut next = vec![0];
        while let Some(at) = next.pop() {
            let Some(rule) = self.rules.get(at) else {
                continue;
            };
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            let mut ends = false;
            match rule.action {
                Action::Lookup(table) if table == ours => {
                    reach.ours = true;
                    ends = !beyond;
                }
                Action::Lookup(table) => {
                    reach.tables.insert(table);
                }
                Action::Goto(priority) => {
                    next.push(self.target(at, priority));
                    ends = true;
                }
                Action::Nop => {}
                Action::Drop(_) => ends = true,
            }
            if !(ends && rule.takes_all()) {
                next.push(at + 1);
            }
        }
        reach
    }

    /// Whether a rule matches on anything but the destination.
    pub fn tells_packets_apart(&self) -> bool {
        self.rules.iter().any(|rule| !rule.select.is_all())
    }

    /// The destinations that rules distinguish.
    pub fn destinations(&self) -> Vec<Prefix<B>> {
        let mut to: Vec<_> = self.rules.iter().filter_map(|rule| rule.to).collect();
        to.sort_unstable_by_key(Prefix::key);
        to.dedup();
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::rule::Select;

    const OURS: u32 = 1_166;

    fn marked(priority: u32, action: Action) -> Rule<u32> {
        Rule {
            select: Select {
                other: vec![Selector::Mark(1, u32::MAX)],
                ..Select::default()
            },
            action,
            ..Rule::lookup(priority, 0)
        }
    }

    fn reach(rules: Vec<Rule<u32>>) -> (Vec<u32>, bool) {
        let reach = Order::new(rules, &[]).reach(OURS, false);
        (reach.tables.into_iter().collect(), reach.ours)
    }

    #[test]
    fn tables_before_ours_are_those_that_a_packet_can_come_to_first() {
        let local = Rule::lookup(0, 255);
        let ours = Rule::lookup(5_000, OURS);
        let main = Rule::lookup(32_766, 254);
        let order = vec![local.clone(), ours.clone(), main.clone()];
        assert_eq!(reach(order), (vec![255], true));
        assert_eq!(
            reach(vec![local.clone(), main.clone()]),
            (vec![254, 255], false)
        );
        assert_eq!(reach(Vec::new()), (vec![253, 254, 255], false));

        let some = marked(100, Action::Lookup(7));
        let order = vec![local.clone(), some, ours.clone(), main.clone()];
        assert_eq!(reach(order), (vec![7, 255], true));
        let past = marked(100, Action::Goto(32_766));
        let order = vec![local.clone(), past, ours.clone(), main.clone()];
        assert_eq!(reach(order), (vec![254, 255], true));
        let nowhere = marked(100, Action::Goto(9));
        let order = vec![local.clone(), nowhere, ours, main.clone()];
        assert_eq!(reach(order), (vec![255], true));
        let half = marked(5_000, Action::Lookup(OURS));
        assert_eq!(
            reach(vec![local.clone(), half, main.clone()]),
            (vec![254, 255], true)
        );
        let mut all = marked(100, Action::Drop("blackhole"));
        all.select = Select::default();
        assert_eq!(reach(vec![local, all, main]), (vec![255], false));
    }

    #[test]
    fn an_l3mdev_rule_leads_to_the_table_of_each_vrf() {
        let mut l3mdev = Rule::<u32>::lookup(1_000, 0);
        l3mdev.l3mdev = true;
        let red = Vrf {
            name: "red".to_owned(),
            table: 10,
            members: vec!["eth1".to_owned()],
        };
        let order = Order::new(vec![Rule::lookup(0, 255), l3mdev.clone()], &[red]);
        assert_eq!(order.reach(OURS, false).tables, [10, 255].into());
        let order = Order::new(vec![Rule::lookup(0, 255), l3mdev], &[]);
        assert_eq!(order.reach(OURS, false).tables, [255].into());
    }
}
