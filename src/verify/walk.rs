//! What the kernel does with packets to one destination, rule by rule. Pure.

use super::order::Order;
use super::packets::{Meet, Packets};
use super::route::{Fate, Route};
use super::rule::{Action, Rule};
use super::select::Select;
use super::selector::Selector;
use crate::prefix::Prefix;
use crate::target::kernel::Kin;

/// Of one destination so many combinations of selectors are followed at most.
const MOST: usize = 4_096;

/// A destination: addresses that every route and rule treats alike.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a, B: Kin> {
    /// The prefix in force that it is of.
    pub prefix: Prefix<B>,
    /// The smallest network around it that a route or a rule knows.
    pub net: Prefix<B>,
    /// The routes over it: indices, from the shortest to the longest.
    pub over: &'a [u32],
    /// The metric of our own route to the prefix.
    pub ours: Option<u32>,
}

/// Packets that get away.
#[derive(Clone, Debug)]
pub struct Hit<B: Kin> {
    /// The rule that leads to the route.
    pub rule: usize,
    /// The route that they take.
    pub route: u32,
    /// The rule that leads past others on the way, the first of them.
    pub jump: Option<usize>,
    /// They have been in our table before, which had this to say: nothing.
    pub thrown: Option<u32>,
    /// They have been in our table, and our route is not there.
    pub missed: bool,
    pub packets: Packets<B>,
}

/// Follows the rules.
pub struct Walk<'a, B: Kin> {
    pub order: &'a Order<B>,
    pub routes: &'a [Route<B>],
    /// Our table.
    pub table: u32,
    pub hits: Vec<Hit<B>>,
    /// There were more combinations than are followed.
    pub cut_short: bool,
    followed: usize,
}

#[derive(Clone)]
struct State<B: Kin> {
    at: usize,
    jump: Option<usize>,
    thrown: Option<u32>,
    missed: bool,
    packets: Packets<B>,
}

/// What comes of a rule for the packets that it takes.
#[derive(Clone, Copy)]
enum Effect {
    Next,
    Jump(usize),
    Drop,
    Forward(u32),
}

/// What a table says.
enum Best {
    Nothing,
    Ours,
    Route(u32),
}

impl<'a, B: Kin> Walk<'a, B> {
    pub fn new(order: &'a Order<B>, routes: &'a [Route<B>], table: u32) -> Self {
        Self {
            order,
            routes,
            table,
            hits: Vec::new(),
            cut_short: false,
            followed: 0,
        }
    }

    /// Collect the packets to a place that are forwarded.
    pub fn follow(&mut self, place: &Place<'_, B>) {
        self.hits.clear();
        self.followed = 0;
        self.go(
            place,
            State {
                at: 0,
                jump: None,
                thrown: None,
                missed: false,
                packets: Packets::default(),
            },
        );
    }

    fn go(&mut self, place: &Place<'_, B>, mut state: State<B>) {
        self.followed += 1;
        if self.followed > MOST {
            self.cut_short = true;
            return;
        }
        let order = self.order;
        while let Some(rule) = order.rules.get(state.at) {
            let effect = self.effect(place, rule, &mut state);
            if let Effect::Next = effect {
                state.at += 1;
                continue;
            }
            let drops = matches!(effect, Effect::Drop);
            match state.packets.meet(rule, &place.net, drops) {
                Meet::None => {
                    state.at += 1;
                    continue;
                }
                Meet::All => {}
                Meet::Some(both) => {
                    let (taken, others) = *both;
                    // The others first: a cause is told with the most packets that it has.
                    let mut rest = state.clone();
                    rest.at += 1;
                    rest.packets = others;
                    self.go(place, rest);
                    state.packets = taken;
                }
            }
            match effect {
                Effect::Jump(to) => {
                    state.jump = state.jump.or(Some(state.at));
                    state.at = to;
                }
                Effect::Forward(route) => return self.hit(route, state),
                Effect::Drop | Effect::Next => return,
            }
        }
    }

    fn hit(&mut self, route: u32, state: State<B>) {
        self.hits.push(Hit {
            rule: state.at,
            route,
            jump: state.jump,
            thrown: state.thrown,
            missed: state.missed,
            packets: state.packets,
        });
    }

    fn effect(&mut self, place: &Place<'_, B>, rule: &Rule<B>, state: &mut State<B>) -> Effect {
        let table = match rule.action {
            Action::Lookup(table) => table,
            Action::Goto(priority) => return Effect::Jump(self.order.target(state.at, priority)),
            Action::Nop => return Effect::Next,
            Action::Drop(_) => return Effect::Drop,
        };
        let best = self.best(place, table);
        self.conditional(place, rule, table, &best, state);
        match best {
            Best::Ours => return Effect::Drop,
            Best::Nothing => state.missed |= table == self.table,
            Best::Route(route) => {
                let seen = &self.routes[route as usize].seen;
                match seen.fate() {
                    Fate::Drops => return Effect::Drop,
                    Fate::Throws if table == self.table => state.thrown = Some(route),
                    Fate::Throws => {}
                    Fate::Forwards => {
                        let suppressed = rule.suppress.is_some_and(|to| seen.prefix.len() <= to);
                        if !suppressed {
                            return Effect::Forward(route);
                        }
                    }
                }
            }
        }
        Effect::Next
    }

    /// The longest match, then the lowest metric, then the first in the table.
    fn best(&self, place: &Place<'_, B>, table: u32) -> Best {
        let mut best: Option<u32> = None;
        for index in place.over {
            let seen = &self.routes[*index as usize].seen;
            if seen.table != table || seen.conditional() {
                continue;
            }
            let longer = best.is_none_or(|best| {
                self.routes[best as usize].seen.prefix.len() < seen.prefix.len()
            });
            if longer {
                best = Some(*index);
            }
        }
        let ours = place.ours.filter(|_| table == self.table);
        match (best, ours) {
            (None, None) => Best::Nothing,
            (None, Some(_)) => Best::Ours,
            (Some(best), None) => Best::Route(best),
            (Some(best), Some(metric)) => {
                let route = &self.routes[best as usize];
                let same = route.seen.prefix == place.prefix;
                let later = route.seen.metric > metric || route.behind_ours;
                match same && later {
                    true => Best::Ours,
                    false => Best::Route(best),
                }
            }
        }
    }

    /// Routes that only some packets take, where they are as long as the best that all take.
    fn conditional(
        &mut self,
        place: &Place<'_, B>,
        rule: &Rule<B>,
        table: u32,
        best: &Best,
        state: &State<B>,
    ) {
        let least = match best {
            Best::Nothing => 0,
            Best::Ours => place.prefix.len(),
            Best::Route(best) => self.routes[*best as usize].seen.prefix.len(),
        };
        for index in place.over {
            let seen = &self.routes[*index as usize].seen;
            let wins = seen.table == table && seen.conditional() && seen.prefix.len() >= least;
            if !wins || seen.fate() != Fate::Forwards {
                continue;
            }
            let mut select = Select {
                from: seen.source,
                ..Select::default()
            };
            if seen.tos != 0 {
                select.other.push(Selector::Tos(seen.tos));
            }
            let taken = match state.packets.meet(rule, &place.net, false) {
                Meet::None => continue,
                Meet::All => state.packets.with(&select),
                Meet::Some(both) => both.0.with(&select),
            };
            if let Some(packets) = taken {
                let mut state = state.clone();
                state.packets = packets;
                self.hit(*index, state);
            }
        }
    }
}
