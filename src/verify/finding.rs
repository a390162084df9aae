//! Causes: why packets to what is in force are not dropped, before anybody puts it in words. Pure.

use std::collections::HashMap;

use super::order::Order;
use super::packets::Packets;
use super::probes::Question;
use super::report::{COUNT, Kind};
use crate::netlink::family::AddressFamily;
use crate::prefix::Prefix;

/// So many causes of a kind are kept; more are counted.
pub const KEPT: usize = 100_000;

/// One cause.
#[derive(Clone, Debug)]
pub struct Finding<B: AddressFamily> {
    pub kind: Kind,
    /// The first prefix in force that it opens to these packets, the last that it opens, and how many there are.
    pub prefix: usize,
    pub last: usize,
    pub prefixes: usize,
    /// What of it is open: no larger than the prefix.
    pub net: Prefix<B>,
    /// An address of it that nothing else decides on.
    pub address: B,
    /// The rule that leads to the route, the one that leads past ours, and the route: indices.
    pub rule: Option<usize>,
    pub jump: Option<usize>,
    pub route: Option<u32>,
    /// The packets that get away; `None` for all.
    pub packets: Option<Box<Packets<B>>>,
    /// Packets of more than one kind get away by it; `packets` is one of them.
    pub mixed: bool,
}

impl<B: AddressFamily> Finding<B> {
    /// A whole prefix is open to every packet.
    pub fn whole(kind: Kind, index: usize, prefix: Prefix<B>) -> Self {
        Self {
            kind,
            prefix: index,
            last: index,
            prefixes: 1,
            net: prefix,
            address: prefix.first(),
            rule: None,
            jump: None,
            route: None,
            packets: None,
            mixed: false,
        }
    }

    /// What the kernel can be asked for it.
    pub fn askable(&self) -> Option<Question> {
        let packets = self.packets.as_ref();
        packets.map_or(Some(Question::PLAIN), |packets| packets.askable())
    }

    /// Whether packets with nothing to them are among those that get away, or may be.
    pub fn plain(&self) -> bool {
        let asked = |packets: &Packets<B>| packets.asked(&Question::PLAIN) != Some(false);
        self.packets.as_deref().is_none_or(asked)
    }

    /// Of findings with the same cause the one with the highest is told: the kernel can be asked about it, and
    /// packets with nothing to them are among those that get away.
    fn plainness(&self) -> (bool, bool) {
        (self.askable().is_some(), self.plain())
    }

    /// Whether an answer that the packet of our question is dropped goes for all its packets. It goes for no
    /// packets of another kind; nor for other prefixes that no rule leads to our table for.
    pub fn stands_and_falls(&self, order: &Order<B>) -> bool {
        match self.kind {
            Kind::NoRule => false,
            Kind::Missing => !order.tells_packets_apart(),
            _ => !self.mixed,
        }
    }
}

/// All of them, each once.
#[derive(Clone, Debug)]
pub struct Findings<B: AddressFamily> {
    pub kept: Vec<Finding<B>>,
    /// How many there are of each kind.
    pub counts: [usize; COUNT],
    /// By rule and route.
    known: HashMap<(usize, u32), Option<usize>>,
    /// What is open to every packet: networks inside a prefix …
    inside: HashMap<Prefix<B>, usize>,
    /// … and whole prefixes, or as good as whole.
    open: Vec<Option<Open>>,
}

/// Why a prefix is open to every packet: a finding that was kept, or another.
type Open = Option<usize>;

impl<B: AddressFamily> Findings<B> {
    /// None yet, of so many prefixes.
    pub fn new(prefixes: usize) -> Self {
        Self {
            kept: Vec::new(),
            counts: [0; COUNT],
            known: HashMap::new(),
            inside: HashMap::new(),
            open: vec![None; prefixes],
        }
    }

    /// Add one that was not seen before, or one more prefix to one that was.
    pub fn add(&mut self, finding: Finding<B>, prefix: Prefix<B>) {
        let key = finding.rule.zip(finding.route);
        let known = key.and_then(|key| self.known.get(&key).copied());
        let at = match known {
            Some(at) => {
                if let Some(at) = at {
                    self.again(at, &finding);
                }
                at
            }
            None => {
                self.counts[finding.kind as usize] += 1;
                let at = (self.counts[finding.kind as usize] <= KEPT).then_some(self.kept.len());
                if let Some(key) = key {
                    self.known.insert(key, at);
                }
                if at.is_some() {
                    self.kept.push(finding.clone());
                }
                at
            }
        };
        if !finding.plain() {
            return;
        }
        match at {
            Some(at) if finding.net != prefix => {
                self.inside.insert(finding.net, at);
            }
            at => self.open[finding.prefix] = Some(at),
        }
    }

    /// A finding that was kept opens every prefix.
    pub fn opens_all(&mut self, at: usize) {
        self.open.fill(Some(Some(at)));
    }

    /// One more prefix, or more packets. Those that are told come with their prefix and the way that they take.
    fn again(&mut self, at: usize, finding: &Finding<B>) {
        let known = &mut self.kept[at];
        known.prefixes += usize::from(finding.prefix != known.last);
        known.last = finding.prefix;
        let other = known.packets != finding.packets;
        known.mixed |= other;
        if other && finding.plainness() > known.plainness() {
            *known = Finding {
                last: known.last,
                prefixes: known.prefixes,
                mixed: known.mixed,
                ..finding.clone()
            };
        }
    }

    /// What explains that the kernel forwards packets with nothing to them to an address of a prefix:
    /// `None` nothing, else the finding if it was kept.
    pub fn explains(&self, prefix: usize, net: Prefix<B>, address: B) -> Option<Option<usize>> {
        let lengths = (net.len()..=B::WIDTH).rev();
        let mut around = lengths.map(|length| Prefix::new(address, length));
        match self.inside.is_empty() {
            true => None,
            false => around.find_map(|around| self.inside.get(&around)),
        }
        .map(|at| Some(*at))
        .or(self.open[prefix])
    }
}
