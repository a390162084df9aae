//! Causes why packets to the set in force are not dropped, before they are put into words. Pure.

use std::collections::HashMap;

use super::order::Order;
use super::packets::Packets;
use super::probes::Question;
use super::report::Kind;
use crate::netlink::family::AddressFamily;
use crate::prefix::Prefix;

/// At most this many causes of a kind are kept; further ones are only counted.
pub const KEPT: usize = 100_000;

/// A cause.
#[derive(Clone, Debug)]
pub struct Finding<B: AddressFamily> {
    pub kind: Kind,
    /// The first prefix in force that leaks to these packets, the last one, and how many there are.
    pub prefix: usize,
    pub last: usize,
    pub prefixes: usize,
    /// The part of the prefix that leaks.
    pub net: Prefix<B>,
    /// An address of that part that no more specific route or rule applies to.
    pub address: B,
    /// The rule that leads to the route, the rule that skips ours, and the route: indices.
    pub rule: Option<usize>,
    pub jump: Option<usize>,
    pub route: Option<u32>,
    /// The packets that leak; `None` for all.
    pub packets: Option<Box<Packets<B>>>,
    /// Packets of more than one kind leak; `packets` is one of them.
    pub mixed: bool,
}

impl<B: AddressFamily> Finding<B> {
    /// A whole prefix leaks to every packet.
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

    /// A lookup that the kernel can make for one of its packets.
    pub fn askable(&self) -> Option<Question> {
        let packets = self.packets.as_ref();
        packets.map_or(Some(Question::PLAIN), |packets| packets.askable())
    }

    /// Whether plain packets, which have no special property, leak or may leak.
    pub fn plain(&self) -> bool {
        let asked = |packets: &Packets<B>| packets.asked(&Question::PLAIN) != Some(false);
        self.packets.as_deref().is_none_or(asked)
    }

    /// Of findings with the same cause the one with the highest value is shown: the kernel can look
    /// up one of its packets, and plain packets are among those that leak.
    fn plainness(&self) -> (bool, bool) {
        (self.askable().is_some(), self.plain())
    }

    /// Whether an answer that the packet of our lookup is dropped applies to all packets of the
    /// finding. It does not apply to packets of another kind, nor to other prefixes for which no
    /// rule leads to our table.
    pub fn stands_and_falls(&self, order: &Order<B>) -> bool {
        match self.kind {
            Kind::NoRule => false,
            Kind::Missing => !order.tells_packets_apart(),
            _ => !self.mixed,
        }
    }
}

/// All findings, each once.
#[derive(Clone, Debug)]
pub struct Findings<B: AddressFamily> {
    pub kept: Vec<Finding<B>>,
    /// The number of findings of each kind.
    pub counts: [usize; Kind::NAMES.len()],
    /// Findings by rule and route.
    known: HashMap<(usize, u32), Option<usize>>,
    /// What leaks to every packet: networks inside a prefix …
    inside: HashMap<Prefix<B>, usize>,
    /// … and whole prefixes, or nearly whole ones.
    open: Vec<Option<Open>>,
}

/// Why a prefix leaks to every packet: a finding that was kept, or one that was only counted.
type Open = Option<usize>;

impl<B: AddressFamily> Findings<B> {
    /// No findings yet, for this many prefixes.
    pub fn new(prefixes: usize) -> Self {
        Self {
            kept: Vec::new(),
            counts: [0; Kind::NAMES.len()],
            known: HashMap::new(),
            inside: HashMap::new(),
            open: vec![None; prefixes],
        }
    }

    /// Add a finding, or count one more prefix of a known one.
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

    /// A finding that was kept explains every prefix.
    pub fn opens_all(&mut self, at: usize) {
        self.open.fill(Some(Some(at)));
    }

    /// Add one more prefix or more packets to a finding. The packets that are shown are kept
    /// together with their prefix and their rules.
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

    /// The finding that explains why the kernel forwards plain packets to an address of a prefix:
    /// `None` if there is none, otherwise the finding if it was kept.
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
