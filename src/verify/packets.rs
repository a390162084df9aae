//! The packets that rules distinguish: what must match and what must not. Pure.

use super::probes::Question;
use super::select::all;
use crate::netlink::family::AddressFamily;
use crate::netlink::names::Names;
use crate::netlink::rule::Rule;
use crate::netlink::rule::Select;
use crate::netlink::selector::Selector;
use crate::prefix::Prefix;

/// A part of the packets to one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packets<B: AddressFamily> {
    /// They match all of it.
    pub(super) must: Select<B>,
    /// They match none of these; the flag says whether matching packets are dropped.
    pub(super) never: Vec<(Select<B>, bool)>,
}

/// Which packets a rule matches.
pub enum Meet<B: AddressFamily> {
    All,
    None,
    /// Those that it matches, and the others.
    Some(Box<(Packets<B>, Packets<B>)>),
}

impl<B: AddressFamily> Packets<B> {
    /// Which of these packets to `net` a rule matches; `net` is not larger than the destination of
    /// the rule. `drops` says whether matching packets are dropped.
    pub fn meet(&self, rule: &Rule<B>, net: &Prefix<B>, drops: bool) -> Meet<B> {
        let there = rule.to.as_ref().is_none_or(|to| to.contains(net)) && !rule.detached;
        let met = match there {
            true => self.split(&rule.select, drops),
            false => Meet::None,
        };
        match (rule.invert, met) {
            (false, met) => met,
            (true, Meet::All) => Meet::None,
            (true, Meet::None) => Meet::All,
            (true, Meet::Some(both)) => {
                let (yes, no) = *both;
                Meet::Some(Box::new((no, yes)))
            }
        }
    }

    /// Which of these packets match `select`; `drops` says whether those are dropped.
    pub fn split(&self, select: &Select<B>, drops: bool) -> Meet<B> {
        if self.must.implies(select) {
            return Meet::All;
        }
        let Some(both) = self.must.and(select) else {
            return Meet::None;
        };
        if self.never.iter().any(|(never, _)| both.implies(never)) {
            return Meet::None;
        }
        let mut no = self.clone();
        no.never.push((select.clone(), drops));
        let yes = Self {
            must: both,
            never: self.never.clone(),
        };
        Meet::Some(Box::new((yes, no)))
    }

    /// Whether the packet of a lookup is one of them; `None` if that is not known.
    pub fn asked(&self, question: &Question) -> Option<bool> {
        let never = self.never.iter().map(|(never, _)| never.asked(question));
        let never = never.map(|has| has.map(|has| !has));
        all([self.must.asked(question)].into_iter().chain(never))
    }

    /// The plainest lookup for one of them; `None` if none of the possible lookups certainly is.
    pub fn askable(&self) -> Option<Question> {
        let mark = self.must.other.iter().find_map(|one| match one {
            Selector::Mark(value, _) => Some(*value),
            _ => None,
        });
        let mark = mark.unwrap_or(0);
        let mut questions = Question::marked::<B>(mark).into_iter();
        questions.find(|question| self.asked(question) == Some(true))
    }

    /// "packets with fwmark 0x1"; `None` if they are all packets, apart from those that another
    /// rule takes.
    pub fn words(&self, names: &Names) -> Option<String> {
        let never = self.never.iter().filter(|(_, drops)| *drops);
        let never: Vec<String> = never.map(|(select, _)| select.words(names)).collect();
        let must = self.must.words(names);
        match (must.as_str(), never.join(" or ").as_str()) {
            ("", "") => None,
            (must, "") => Some(format!("packets {must}")),
            ("", never) => Some(format!("packets not {never}")),
            (must, never) => Some(format!("packets {must}, not {never}")),
        }
    }
}
