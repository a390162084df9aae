//! Finds what keeps packets to the set in force from being dropped. Pure.
//!
//! A prefix is divided into networks that every route and every rule treats alike; for each of them
//! the rules are followed once. Prefixes without a foreign route around them, which is nearly all,
//! are skipped.

use super::fib::Fib;
use super::finding::{Finding, Findings};
use super::lookup::{Destination, Lookup};
use super::order::Order;
use super::report::Kind;
use super::route::Fate;
use super::walk::{Hit, Walk};
use crate::netlink::family::AddressFamily;
use crate::netlink::names::Names;
use crate::prefix::Prefix;
use crate::targets::kernel::Mark;

/// Every leak of one family, and whether there were too many rules to follow all combinations.
pub fn leaks<B: AddressFamily>(
    fib: &Fib<'_, B>,
    order: &Order<B>,
    names: &Names,
    mark: &Mark,
) -> (Findings<B>, bool) {
    let mut findings = Findings::new(fib.prefixes.len());
    if fib.prefixes.is_empty() {
        return (findings, false);
    }
    if !order.reach(mark.table, true).ours {
        no_rule(fib, &mut findings);
        return (findings, false);
    }
    let lookup = Lookup {
        routes: &fib.routes,
        names,
    };
    let mut sweep = Sweep {
        fib,
        destinations: order.destinations(),
        walk: Walk::new(order, lookup, mark.table),
        over: Vec::new(),
        at: 0,
        last: None,
        findings,
        mark: *mark,
    };
    for prefix in 0..fib.prefixes.len() {
        sweep.prefix(prefix);
    }
    (sweep.findings, sweep.walk.cut_short)
}

/// No packet is ever looked up in our table: one cause for all prefixes.
fn no_rule<B: AddressFamily>(fib: &Fib<'_, B>, findings: &mut Findings<B>) {
    let Some(first) = fib.prefixes.first() else {
        return;
    };
    let finding = Finding {
        prefixes: fib.prefixes.len(),
        ..Finding::whole(Kind::NoRule, 0, *first)
    };
    findings.add(finding, *first);
    findings.opens_all(0);
}

struct Sweep<'a, B: AddressFamily> {
    fib: &'a Fib<'a, B>,
    /// Ascending.
    destinations: Vec<Prefix<B>>,
    walk: Walk<'a, B>,
    /// Routes that contain the current prefix, and possibly others: indices.
    over: Vec<u32>,
    /// The first route that has not been reached.
    at: usize,
    /// The routes over the last prefix without others, and the leaks that they cause.
    last: Option<(Vec<u32>, Vec<Hit<B>>)>,
    findings: Findings<B>,
    mark: Mark,
}

impl<B: AddressFamily> Sweep<'_, B> {
    fn prefix(&mut self, index: usize) {
        let fib = self.fib;
        let prefix = fib.prefixes[index];
        let route = |at: u32| &fib.routes[at as usize].route.prefix;
        while self
            .over
            .last()
            .is_some_and(|top| !route(*top).contains(&prefix))
        {
            self.over.pop();
        }
        while let Some(next) = fib.routes.get(self.at) {
            let next = next.route.prefix;
            if next == prefix || !next.contains(&prefix) {
                break;
            }
            self.over.push(self.at as u32);
            self.at += 1;
        }
        let begin = self.at;
        let inside = fib.routes[begin..].iter();
        let inside = inside
            .take_while(|route| prefix.contains(&route.route.prefix))
            .count();
        self.at += inside;
        let inside = begin..self.at;

        let ours = fib.present[index];
        if ours.is_none() && !self.dropped_by_another(prefix, inside.clone()) {
            self.missing(index, prefix, inside.clone());
        }
        if self.over.is_empty() && inside.is_empty() {
            return;
        }
        if inside.is_empty() && self.destinations.is_empty() && ours.is_some() {
            self.like_the_last(index, prefix, ours);
            return;
        }
        self.last = None;
        self.parts(index, prefix, inside);
    }

    /// Whether a foreign route has the place of ours and drops as well.
    fn dropped_by_another(&self, prefix: Prefix<B>, inside: std::ops::Range<usize>) -> bool {
        let mut there = self.fib.routes[inside].iter().map(|route| &route.route);
        let best = there.find(|seen| {
            seen.table == self.walk.table && seen.prefix == prefix && !seen.conditional()
        });
        best.is_some_and(|seen| seen.fate() == Fate::Drops)
    }

    fn missing(&mut self, index: usize, prefix: Prefix<B>, inside: std::ops::Range<usize>) {
        let mut there = self.fib.routes[inside].iter().map(|route| &route.route);
        let wanted = self.mark.metric_of::<B>();
        let occupied = there.any(|seen| {
            (seen.table, seen.metric, seen.prefix) == (self.walk.table, wanted, prefix)
                && !seen.conditional()
        });
        if occupied {
            // The foreign route in that place is a cause of its own.
            return;
        }
        let finding = Finding::whole(Kind::Missing, index, prefix);
        self.findings.add(finding, prefix);
    }

    /// A prefix with routes over it and none inside: the next such prefix has the same leaks.
    fn like_the_last(&mut self, index: usize, prefix: Prefix<B>, ours: Option<u32>) {
        let same = self
            .last
            .as_ref()
            .is_some_and(|(over, _)| *over == self.over);
        if !same {
            self.walk.follow(&Destination {
                prefix,
                net: prefix,
                over: &self.over,
                ours,
            });
            self.last = Some((self.over.clone(), std::mem::take(&mut self.walk.hits)));
        }
        if let Some((over, hits)) = self.last.take() {
            for hit in &hits {
                self.hit(index, prefix, prefix.first(), hit);
            }
            self.last = Some((over, hits));
        }
    }

    /// Follow the rules for each network inside a prefix that is treated alike.
    fn parts(&mut self, index: usize, prefix: Prefix<B>, inside: std::ops::Range<usize>) {
        let nets = self.nets(prefix, inside.clone());
        let mut over = self.over.clone();
        let mut next = inside.start;
        for (at, net) in nets.iter().enumerate() {
            let routes = &self.fib.routes;
            while over
                .last()
                .is_some_and(|top| !routes[*top as usize].route.prefix.contains(net))
            {
                over.pop();
            }
            while next < inside.end && routes[next].route.prefix == *net {
                over.push(next as u32);
                next += 1;
            }
            let Some(address) = alone(&nets[at..]) else {
                continue;
            };
            self.walk.follow(&Destination {
                prefix,
                net: *net,
                over: &over,
                ours: self.fib.present[index],
            });
            for hit in std::mem::take(&mut self.walk.hits) {
                self.hit(index, prefix, address, &hit);
            }
        }
    }

    /// The prefix, and the networks inside it that a route or a rule names, ascending.
    fn nets(&self, prefix: Prefix<B>, inside: std::ops::Range<usize>) -> Vec<Prefix<B>> {
        let mut nets = vec![prefix];
        nets.extend(
            self.fib.routes[inside]
                .iter()
                .map(|route| route.route.prefix),
        );
        let before = self
            .destinations
            .partition_point(|to| to.first() < prefix.first());
        let to = self.destinations[before..].iter();
        let to = to.take_while(|to| to.first() <= prefix.last());
        nets.extend(to.filter(|to| prefix.contains(to)));
        nets.sort_unstable_by_key(Prefix::key);
        nets.dedup();
        nets
    }

    fn hit(&mut self, index: usize, prefix: Prefix<B>, address: B, hit: &Hit<B>) {
        // If our route is missing, what follows our table is not a cause of its own.
        if hit.missed {
            return;
        }
        let cause = hit.thrown.map_or(hit.route, |thrown| thrown.route);
        let seen = &self.fib.routes[cause as usize].route;
        // The packets that a route by source forwards, and those from which it hides our route, are
        // one finding.
        let hidden = hit.thrown.filter(|_| seen.source.is_some());
        let kind = if seen.table == self.walk.table {
            match (seen.prefix == prefix, self.fib.present[index]) {
                (false, _) => Kind::MoreSpecific,
                (true, Some(_)) => Kind::Metric,
                (true, None)
                    if seen.metric == self.mark.metric_of::<B>() && !seen.conditional() =>
                {
                    Kind::Occupied
                }
                // Our route is missing; another route to the prefix is not a cause of its own.
                (true, None) => return,
            }
        } else if seen.is_local() {
            Kind::Local
        } else if self.walk.order.rules[hit.rule].l3mdev {
            Kind::Vrf
        } else {
            Kind::Rule
        };
        let net = match prefix.contains(&seen.prefix) {
            true => seen.prefix,
            false => prefix,
        };
        let finding = Finding {
            kind,
            net,
            address,
            rule: Some(hidden.map_or(hit.rule, |thrown| thrown.rule)),
            jump: hit.jump,
            route: Some(cause),
            packets: Some(Box::new(hit.packets.clone())),
            ..Finding::whole(kind, index, prefix)
        };
        self.findings.add(finding, prefix);
    }
}

/// An address of the first of these networks that is in none of the others. The networks are in
/// order.
fn alone<B: AddressFamily>(nets: &[Prefix<B>]) -> Option<B> {
    let (net, rest) = nets.split_first()?;
    let mut free = net.first();
    let mut rest = rest;
    while let Some(inner) = rest.first().filter(|inner| net.contains(inner)) {
        if inner.first() > free {
            return Some(free);
        }
        free = inner.last().next()?;
        let within = rest.partition_point(|one| one.first() <= inner.last());
        rest = &rest[within..];
    }
    (free <= net.last()).then_some(free)
}
