//! The result of a lookup in one table for packets to one destination. Pure.
//!
//! IPv4 (`fib_table_lookup`): from the longest prefix to the shortest; of one prefix the routes for
//! the packet's type of service, then those for all; of these the lowest metric, then the first in
//! the list.
//!
//! IPv6 (`fib6_node_lookup_1`, `find_rr_leaf`, `rt6_score_route`): from the longest prefix to the
//! shortest. If a prefix has routes by source, its routes for all sources never match, except for
//! those of the default route. Among routes of the lowest metric the router preference decides,
//! then whether the packet entered on the outgoing interface of the route, then the position in the
//! list. A route that drops has no such interface.

use super::route::{Fate, Kept};
use crate::netlink::family::AddressFamily;
use crate::netlink::names::Names;
use crate::netlink::route::{MEDIUM, Route};
use crate::netlink::rule::Select;
use crate::netlink::selector::Selector;
use crate::prefix::Prefix;

/// A destination: addresses that every route and rule treats alike.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a, B: AddressFamily> {
    /// The prefix in force that contains it.
    pub prefix: Prefix<B>,
    /// The smallest network around it that a route or a rule names.
    pub net: Prefix<B>,
    /// The routes that contain it: indices, from the shortest to the longest prefix.
    pub over: &'a [u32],
    /// The metric of our own route to the prefix.
    pub ours: Option<u32>,
}

/// The result of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Nothing,
    Ours,
    Route(u32),
}

/// A result for the packets that match `select` and none of the parts before it.
#[derive(Clone, Debug)]
pub struct Part<B: AddressFamily> {
    pub select: Select<B>,
    pub answer: Answer,
    /// A route that hides the route of this table to the prefix in force.
    pub hidden: Option<u32>,
}

/// The routes to look up.
#[derive(Clone, Copy)]
pub struct Lookup<'a, B: AddressFamily> {
    pub routes: &'a [Kept<B>],
    pub names: &'a Names,
}

impl<B: AddressFamily> Lookup<'_, B> {
    /// The results of a table, in order; the last one is for all packets. `ours` is the metric of
    /// our own route to the prefix of the place, if it is in this table.
    pub fn parts(&self, place: &Destination<'_, B>, table: u32, ours: Option<u32>) -> Vec<Part<B>> {
        let mut parts = Parts {
            list: Vec::new(),
            hidden: None,
        };
        let over = place.over.iter().copied();
        let there: Vec<u32> = over.filter(|at| self.route(*at).table == table).collect();
        let same = |one: &u32, two: &u32| self.route(*one).prefix == self.route(*two).prefix;
        let mut ours = ours;
        for node in there.chunk_by(same).rev() {
            let prefix = self.route(node[0]).prefix;
            if prefix.len() < place.prefix.len() && ours.is_some() {
                break;
            }
            let here = ours.filter(|_| prefix == place.prefix);
            if here.is_some() {
                ours = None;
            }
            if self.node(node, prefix, here, &mut parts) {
                return parts.list;
            }
        }
        parts.all(match ours {
            Some(_) => Answer::Ours,
            None => Answer::Nothing,
        });
        parts.list
    }

    fn route(&self, at: u32) -> &Route<B> {
        &self.routes[at as usize].route
    }

    /// Add the routes to one prefix, in the order of the table, and ours. Returns whether every
    /// packet has a result then.
    fn node(
        &self,
        node: &[u32],
        prefix: Prefix<B>,
        ours: Option<u32>,
        parts: &mut Parts<B>,
    ) -> bool {
        let some = |at: &u32| self.route(*at).conditional();
        let (mut some, all): (Vec<u32>, Vec<u32>) = node.iter().copied().partition(some);
        // A stable sort: the lower metric stays first.
        some.sort_by_key(|at| {
            let source = self.route(*at).source;
            std::cmp::Reverse(source.map_or(0, |source| source.len()))
        });
        for at in &some {
            let seen = self.route(*at);
            let tos = (seen.tos != 0).then_some(Selector::Tos(seen.tos));
            let select = Select {
                from: seen.source,
                other: tos.into_iter().collect(),
            };
            parts.add(select, Answer::Route(*at));
        }
        if all.is_empty() && ours.is_none() {
            return false;
        }
        let by_source = some.iter().find(|at| self.route(**at).source.is_some());
        if let Some(by_source) = by_source.filter(|_| prefix.len() > 0) {
            parts.hidden = parts.hidden.or(Some(*by_source));
            return false;
        }
        self.all(&all, ours, parts);
        true
    }

    /// Add the routes to one prefix that all packets may take, by metric, and ours.
    fn all(&self, routes: &[u32], ours: Option<u32>, parts: &mut Parts<B>) {
        let route = |at: u32| &self.routes[at as usize];
        let first = routes.first().map(|at| route(*at).route.metric);
        let lowest = first.into_iter().chain(ours).min();
        let equal = |at: &u32| Some(route(*at).route.metric) == lowest;
        let routes: Vec<u32> = routes.iter().copied().filter(equal).collect();
        let before = routes.iter().take_while(|at| !route(**at).behind_ours);
        let before = before.count();
        let mut best: Vec<(u8, Answer)> = Vec::new();
        let answer = |at: &u32| (route(*at).preference(), Answer::Route(*at));
        best.extend(routes[..before].iter().map(answer));
        let ours = ours.filter(|metric| Some(*metric) == lowest);
        best.extend(ours.map(|_| (MEDIUM, Answer::Ours)));
        best.extend(routes[before..].iter().map(answer));
        let preference = best.iter().map(|(preference, _)| *preference).max();
        best.retain(|(one, _)| Some(*one) == preference);
        let Some(((_, first), others)) = best.split_first() else {
            return;
        };
        let forwards = |answer: Answer| match answer {
            Answer::Route(at) => route(at).route.fate() == Fate::Forwards,
            _ => false,
        };
        if B::WIDTH == 128 && !forwards(*first) {
            for (_, other) in others {
                let Answer::Route(at) = *other else { continue };
                if !forwards(*other) {
                    continue;
                }
                for interface in route(at).interfaces() {
                    let select = Select {
                        other: vec![Selector::In(self.names.link(interface).into())],
                        ..Select::default()
                    };
                    parts.add(select, *other);
                }
            }
        }
        parts.all(*first);
    }
}

struct Parts<B: AddressFamily> {
    list: Vec<Part<B>>,
    hidden: Option<u32>,
}

impl<B: AddressFamily> Parts<B> {
    fn add(&mut self, select: Select<B>, answer: Answer) {
        self.list.push(Part {
            select,
            answer,
            hidden: self.hidden,
        });
    }

    fn all(&mut self, answer: Answer) {
        self.add(Select::default(), answer);
    }
}
