//! What the kernel does with packets to one destination, rule by rule. Pure.

use super::lookup::{Answer, Destination, Lookup};
use super::order::Order;
use super::packets::{Meet, Packets};
use super::route::Fate;
use crate::netlink::family::AddressFamily;
use crate::netlink::rule::Select;
use crate::netlink::rule::{Action, Rule};

/// At most this many combinations of selectors are followed for one destination.
const MOST: usize = 4_096;

/// Packets that leak.
#[derive(Clone, Debug)]
pub struct Hit<B: AddressFamily> {
    /// The rule that leads to the route.
    pub rule: usize,
    /// The route that they take.
    pub route: u32,
    /// The first rule on the path that skips others.
    pub jump: Option<usize>,
    /// They were looked up in our table before, which had no result, for this reason.
    pub thrown: Option<Thrown>,
    /// They were looked up in our table, and our route is missing.
    pub missed: bool,
    pub packets: Packets<B>,
}

/// Why our table has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thrown {
    /// The rule that leads to it.
    pub rule: usize,
    /// A `throw` route, or the route that hides ours.
    pub route: u32,
}

/// Follows the rules.
pub struct Walk<'a, B: AddressFamily> {
    pub order: &'a Order<B>,
    pub lookup: Lookup<'a, B>,
    /// Our table.
    pub table: u32,
    pub hits: Vec<Hit<B>>,
    /// There were more combinations than are followed.
    pub cut_short: bool,
    followed: usize,
}

#[derive(Clone, Default)]
struct State<B: AddressFamily> {
    at: usize,
    jump: Option<usize>,
    thrown: Option<Thrown>,
    missed: bool,
    packets: Packets<B>,
}

/// The effect of a rule on the packets that it matches and that match `select`.
struct Arm<B: AddressFamily> {
    select: Select<B>,
    effect: Effect,
    thrown: Option<Thrown>,
    missed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Next,
    Jump(usize),
    Drop,
    Forward(u32),
}

impl<B: AddressFamily> Arm<B> {
    fn all(effect: Effect) -> Self {
        Self {
            select: Select::default(),
            effect,
            thrown: None,
            missed: false,
        }
    }

    /// Whether it has no effect on any packet.
    fn is_nothing(&self) -> bool {
        self.effect == Effect::Next && self.thrown.is_none() && !self.missed
    }

    fn drops(&self) -> bool {
        self.effect == Effect::Drop
    }
}

impl<'a, B: AddressFamily> Walk<'a, B> {
    pub fn new(order: &'a Order<B>, lookup: Lookup<'a, B>, table: u32) -> Self {
        Self {
            order,
            lookup,
            table,
            hits: Vec::new(),
            cut_short: false,
            followed: 0,
        }
    }

    /// Collect the packets to a place that are forwarded.
    pub fn follow(&mut self, place: &Destination<'_, B>) {
        self.hits.clear();
        self.followed = 0;
        self.go(place, State::default());
    }

    fn go(&mut self, place: &Destination<'_, B>, mut state: State<B>) {
        self.followed += 1;
        if self.followed > MOST {
            self.cut_short = true;
            return;
        }
        let order = self.order;
        while let Some(rule) = order.rules.get(state.at) {
            let mut arms = self.arms(place, rule, state.at);
            if arms.iter().all(Arm::is_nothing) {
                state.at += 1;
                continue;
            }
            let drops = arms.iter().all(Arm::drops);
            match state.packets.meet(rule, &place.net, drops) {
                Meet::None => {
                    state.at += 1;
                    continue;
                }
                Meet::All => {}
                Meet::Some(both) => {
                    let (taken, others) = *both;
                    // The other packets first: then a cause is reported with the most packets that
                    // it has.
                    let mut rest = state.clone();
                    rest.at += 1;
                    rest.packets = others;
                    self.go(place, rest);
                    state.packets = taken;
                }
            }
            let last = arms.pop();
            if !arms.is_empty() {
                arms.extend(last);
                return self.each(place, state, &arms);
            }
            if !last.is_some_and(|arm| self.step(&mut state, &arm)) {
                return;
            }
        }
    }

    /// Follow the packets of each of these.
    fn each(&mut self, place: &Destination<'_, B>, mut state: State<B>, arms: &[Arm<B>]) {
        let Some((arm, rest)) = arms.split_first() else {
            return;
        };
        match state.packets.split(&arm.select, arm.drops()) {
            Meet::None => return self.each(place, state, rest),
            Meet::All => {}
            Meet::Some(both) => {
                let (taken, others) = *both;
                let mut other = state.clone();
                other.packets = others;
                self.each(place, other, rest);
                state.packets = taken;
            }
        }
        if self.step(&mut state, arm) {
            self.go(place, state);
        }
    }

    /// Apply an arm. Returns whether the rules continue.
    fn step(&mut self, state: &mut State<B>, arm: &Arm<B>) -> bool {
        state.thrown = arm.thrown.or(state.thrown);
        state.missed |= arm.missed;
        match arm.effect {
            Effect::Next => state.at += 1,
            Effect::Jump(to) => {
                state.jump = state.jump.or(Some(state.at));
                state.at = to;
            }
            Effect::Forward(route) => self.hit(route, state.clone()),
            Effect::Drop => {}
        }
        matches!(arm.effect, Effect::Next | Effect::Jump(_))
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

    /// The effects of a rule; never empty, and the last one is for all packets.
    fn arms(&self, place: &Destination<'_, B>, rule: &Rule<B>, at: usize) -> Vec<Arm<B>> {
        let table = match rule.action {
            Action::Lookup(table) => table,
            Action::Goto(to) => return vec![Arm::all(Effect::Jump(self.order.target(at, to)))],
            Action::Nop => return vec![Arm::all(Effect::Next)],
            Action::Drop(_) => return vec![Arm::all(Effect::Drop)],
        };
        let own = table == self.table;
        let ours = place.ours.filter(|_| own);
        let parts = self.lookup.parts(place, table, ours).into_iter();
        let arms = parts.map(|part| {
            let mut hidden = part.hidden;
            let (mut effect, mut missed) = (Effect::Next, part.answer == Answer::Nothing);
            match part.answer {
                Answer::Nothing => {}
                Answer::Ours => effect = Effect::Drop,
                Answer::Route(index) => {
                    let route = &self.lookup.routes[index as usize];
                    // The lookup would not get here if our route were present.
                    missed = route.route.prefix.len() < place.prefix.len();
                    match route.route.fate() {
                        Fate::Drops => effect = Effect::Drop,
                        Fate::Throws => hidden = hidden.or(Some(index)),
                        Fate::Forwards if rule.suppresses(route, self.lookup.names) => {}
                        Fate::Forwards => effect = Effect::Forward(index),
                    }
                }
            }
            Arm {
                select: part.select,
                effect,
                thrown: hidden
                    .filter(|_| own)
                    .map(|route| Thrown { rule: at, route }),
                missed: own && missed && part.hidden.is_none(),
            }
        });
        arms.collect()
    }
}
