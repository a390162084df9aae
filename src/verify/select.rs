//! What a policy rule selects packets by. Pure.

use super::names::Names;
use super::probes::Question;
use super::selector::Selector;
use super::written;
use crate::prefix::Prefix;
use crate::target::kernel::Kin;

/// The selectors of a rule but for the destination: all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select<B: Kin> {
    /// Where they come from.
    pub from: Option<Prefix<B>>,
    /// The interface they came in on; `lo` for those of this machine itself.
    pub iif: Option<Box<str>>,
    /// The interface that their socket is bound to.
    pub oif: Option<Box<str>>,
    /// Firewall mark and mask.
    pub mark: Option<(u32, u32)>,
    /// They came in on a member of the VRF with this table.
    pub vrf: Option<u32>,
    /// Everything else.
    pub other: Vec<Selector>,
}

impl<B: Kin> Default for Select<B> {
    fn default() -> Self {
        Self {
            from: None,
            iif: None,
            oif: None,
            mark: None,
            vrf: None,
            other: Vec::new(),
        }
    }
}

impl<B: Kin> Select<B> {
    /// Whether every packet has it.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether each packet of `self` is one of `other`.
    pub fn implies(&self, other: &Self) -> bool {
        let within = |one: &Option<Prefix<B>>, two: &Option<Prefix<B>>| match (one, two) {
            (_, None) => true,
            (Some(one), Some(two)) => two.contains(one),
            (None, Some(_)) => false,
        };
        let mark = match (self.mark, other.mark) {
            (_, None) => true,
            (Some((value, mask)), Some((wanted, wanted_mask))) => {
                mask & wanted_mask == wanted_mask && value & wanted_mask == wanted
            }
            (None, Some(_)) => false,
        };
        within(&self.from, &other.from)
            && (other.iif.is_none() || self.iif == other.iif)
            && (other.oif.is_none() || self.oif == other.oif)
            && mark
            && (other.vrf.is_none() || self.vrf == other.vrf)
            && (other.other.iter()).all(|one| self.other.iter().any(|mine| mine.within(one)))
    }

    /// The packets of both; `None` when there is none.
    pub fn and(&self, other: &Self) -> Option<Self> {
        fn same<T: Clone + PartialEq>(one: &Option<T>, two: &Option<T>) -> Option<Option<T>> {
            match (one, two) {
                (Some(one), Some(two)) if one != two => None,
                (one, two) => Some(one.clone().or_else(|| two.clone())),
            }
        }
        let from = match (self.from, other.from) {
            (Some(one), Some(two)) if one.contains(&two) => Some(two),
            (Some(one), Some(two)) if two.contains(&one) => Some(one),
            (Some(_), Some(_)) => return None,
            (one, two) => one.or(two),
        };
        let mark = match (self.mark, other.mark) {
            (Some((v, m)), Some((w, n))) if (v ^ w) & m & n != 0 => return None,
            (Some((v, m)), Some((w, n))) => Some((v | w, m | n)),
            (one, two) => one.or(two),
        };
        let mut rest = self.other.clone();
        for one in &other.other {
            if rest.iter().any(|mine| mine.excludes(one)) {
                return None;
            }
            if !rest.iter().any(|mine| mine.within(one)) {
                rest.retain(|mine| !one.within(mine));
                rest.push(one.clone());
            }
        }
        Some(Self {
            from,
            iif: same(&self.iif, &other.iif)?,
            oif: same(&self.oif, &other.oif)?,
            mark,
            vrf: same(&self.vrf, &other.vrf)?,
            other: rest,
        })
    }

    /// Whether the packet of a question has it; `None` where that is not known.
    pub fn asked(&self, question: &Question) -> Option<bool> {
        // Its source is zeros in IPv4; in IPv6 it depends on who looks (`fib6_rule_match`, `fib6_node_lookup`).
        let from = match &self.from {
            None => Some(true),
            Some(from) if !from.contains(&Prefix::host(B::ZERO)) => Some(false),
            Some(_) => (B::WIDTH == 32).then_some(true),
        };
        let here = self.iif.as_deref().is_none_or(|iif| iif == "lo");
        let here = here && self.oif.is_none() && self.vrf.is_none();
        let marked = (self.mark).is_none_or(|(value, mask)| question.mark & mask == value);
        let other = self.other.iter().map(|one| one.asked(question));
        all([from, Some(here && marked)].into_iter().chain(other))
    }

    /// Which packets, for an operator.
    pub fn words(&self, names: &Names) -> String {
        let mut words = Vec::new();
        if let Some(from) = &self.from {
            words.push(format!("from {}", written(from)));
        }
        match self.iif.as_deref() {
            Some("lo") => words.push("of this machine itself".to_owned()),
            Some(iif) => words.push(format!("that come in on {iif}")),
            None => {}
        }
        if let Some(table) = self.vrf {
            words.push(match names.vrfs().iter().find(|vrf| vrf.table == table) {
                Some(vrf) => format!(
                    "that come in on {} (VRF {})",
                    vrf.members.join(", "),
                    vrf.name
                ),
                None => format!("of the VRF with table {table}"),
            });
        }
        if let Some(oif) = &self.oif {
            words.push(format!("of sockets bound to {oif}"));
        }
        if let Some((value, mask)) = self.mark {
            words.push(format!("with fwmark {}", fwmark(value, mask)));
        }
        words.extend(self.other.iter().map(|one| format!("with {one}")));
        words.join(" ")
    }
}

/// Whether all are so. One that is not settles it, whatever else is not known.
pub fn all(them: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for one in them {
        match one {
            Some(false) => return Some(false),
            one => known &= one.is_some(),
        }
    }
    known.then_some(true)
}

/// As `ip rule` prints it.
pub fn fwmark(value: u32, mask: u32) -> String {
    match mask {
        u32::MAX => format!("{value:#x}"),
        _ => format!("{value:#x}/{mask:#x}"),
    }
}
