//! Set operations on the packets that policy rules select: intersection, inclusion, and whether the
//! packet of a lookup belongs to them. Pure.

use std::mem::discriminant;

use super::probes::Question;
use super::route::Kept;
use crate::netlink::family::{AddressFamily, written};
use crate::netlink::names::Names;
use crate::netlink::rule::{Rule, Select};
use crate::netlink::selector::Selector;
use crate::prefix::Prefix;

impl<B: AddressFamily> Select<B> {
    /// Whether each packet of `self` is one of `other`.
    pub fn implies(&self, other: &Self) -> bool {
        let from = match (&self.from, &other.from) {
            (_, None) => true,
            (Some(one), Some(two)) => two.contains(one),
            (None, Some(_)) => false,
        };
        from && (other.other.iter()).all(|one| self.other.iter().any(|mine| mine.within(one)))
    }

    /// The packets of both; `None` if there are none.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let from = match (self.from, other.from) {
            (Some(one), Some(two)) if one.contains(&two) => Some(two),
            (Some(one), Some(two)) if two.contains(&one) => Some(one),
            (Some(_), Some(_)) => return None,
            (one, two) => one.or(two),
        };
        let mut rest = self.other.clone();
        for one in &other.other {
            if rest.iter().any(|mine| mine.excludes(one)) {
                return None;
            }
            if rest.iter().any(|mine| mine.within(one)) {
                continue;
            }
            let mut both = one.clone();
            rest.retain(|mine| !both.absorbs(mine));
            rest.push(both);
        }
        Some(Self { from, other: rest })
    }

    /// Whether the packet of a lookup matches; `None` if that is not known.
    pub fn asked(&self, question: &Question) -> Option<bool> {
        // Its source is zero in IPv4; in IPv6 it depends on the caller of the lookup
        // (`fib6_rule_match`, `fib6_node_lookup`).
        let from = match &self.from {
            None => Some(true),
            Some(from) if !from.contains(&Prefix::host(B::ZERO)) => Some(false),
            Some(_) => (B::WIDTH == 32).then_some(true),
        };
        let other = self.other.iter().map(|one| one.asked(question));
        all([from].into_iter().chain(other))
    }

    /// The packets in words for the operator.
    pub fn words(&self, names: &Names) -> String {
        let from = self
            .from
            .iter()
            .map(|from| format!("from {}", written(from)));
        let mut other: Vec<_> = self.other.iter().collect();
        // Interfaces first, then the mark.
        other.sort_by_key(|one| match one {
            Selector::In(_) => 0,
            Selector::Vrf(_) => 1,
            Selector::Out(_) => 2,
            Selector::Mark(..) => 3,
            _ => 4,
        });
        let other = other.into_iter().map(|one| match one {
            Selector::In(lo) if **lo == *"lo" => "of this machine itself".to_owned(),
            Selector::In(interface) => format!("that come in on {interface}"),
            Selector::Vrf(table) => match names.vrfs().iter().find(|vrf| vrf.table == *table) {
                Some(vrf) => {
                    let members = vrf.members.join(", ");
                    format!("that come in on {members} (VRF {})", vrf.name)
                }
                None => format!("of the VRF with table {table}"),
            },
            Selector::Out(interface) => format!("of sockets bound to {interface}"),
            other => format!("with {other}"),
        });
        from.chain(other).collect::<Vec<_>>().join(" ")
    }
}

/// Whether all are true. One that is false decides, even if others are not known.
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

impl<B: AddressFamily> Rule<B> {
    /// Whether this rule ignores a route that does not drop (`fib4_rule_suppress`,
    /// `fib6_rule_suppress`). The kernel may check any one of several next hops, so all must be in
    /// the group.
    pub fn suppresses(&self, route: &Kept<B>, names: &Names) -> bool {
        let short = self
            .suppress
            .is_some_and(|to| route.route.prefix.len() <= to);
        let grouped = self.suppress_group.is_some_and(|group| {
            let interfaces = route.interfaces();
            let in_it = |interface: &u32| names.group(*interface) == Some(group);
            !interfaces.is_empty() && interfaces.iter().all(in_it)
        });
        short || grouped
    }
}

impl Selector {
    /// Whether no packet matches both.
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mark(v, m), Self::Mark(w, n)) => (v ^ w) & m & n != 0,
            (Self::Uids(first, last), Self::Uids(from, to)) => last < from || to < first,
            (Self::SourcePorts(first, last), Self::SourcePorts(from, to))
            | (Self::Ports(first, last), Self::Ports(from, to)) => last < from || to < first,
            // These have masks that are not read.
            (Self::FlowLabel(_) | Self::New(..), _) => false,
            (one, two) => discriminant(one) == discriminant(two) && one != two,
        }
    }

    /// Whether each packet that matches this one matches the other.
    pub fn within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mark(v, m), Self::Mark(w, n)) => m & n == *n && v & n == *w,
            (Self::Uids(first, last), Self::Uids(from, to)) => from <= first && last <= to,
            (Self::SourcePorts(first, last), Self::SourcePorts(from, to))
            | (Self::Ports(first, last), Self::Ports(from, to)) => from <= first && last <= to,
            (one, two) => one == two,
        }
    }

    /// Whether this one makes the other, which does not exclude it, needless: it is within it, or
    /// two marks become one.
    fn absorbs(&mut self, other: &Self) -> bool {
        if let (Self::Mark(value, mask), Self::Mark(more, bits)) = (&mut *self, other) {
            (*value, *mask) = (*value | more, *mask | bits);
        }
        self.within(other)
    }

    /// Whether the packet of a lookup matches; `None` if that is not known. It has no ports, and
    /// zero for the rest (`fib4_rule_match`, `fib6_rule_match`: a port range never begins at 0, and
    /// a type of service or tunnel of 0 selects nothing).
    pub fn asked(&self, question: &Question) -> Option<bool> {
        match self {
            Self::Mark(value, mask) => Some(question.mark & mask == *value),
            Self::In(interface) => Some(**interface == *"lo"),
            Self::Out(_) | Self::Vrf(_) => Some(false),
            Self::Protocol(protocol) => Some(*protocol == question.protocol),
            Self::Uids(first, last) => Some((*first..=*last).contains(&question.uid)),
            Self::Tos(0) | Self::Tunnel(0) => None,
            Self::Tos(_) | Self::Tunnel(_) | Self::SourcePorts(..) | Self::Ports(..) => Some(false),
            Self::Dscp(0) | Self::FlowLabel(0) => Some(true),
            // A value has no bits outside of its mask.
            Self::Dscp(_) => Some(false),
            Self::FlowLabel(_) | Self::New(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_selectors_have_in_common_is_known() {
        let uids = Selector::Uids(10, 20);
        assert!(Selector::Uids(12, 12).within(&uids) && !uids.within(&Selector::Uids(12, 12)));
        assert!(uids.excludes(&Selector::Uids(21, 30)) && !uids.excludes(&Selector::Uids(20, 30)));
        assert!(Selector::Protocol(6).excludes(&Selector::Protocol(17)));
        assert!(!Selector::Protocol(6).excludes(&Selector::Tos(16)));
        assert!(!Selector::Ports(1, 2).excludes(&Selector::SourcePorts(7, 8)));
        assert!(!Selector::New(31, [1].into()).within(&Selector::New(31, [2].into())));
    }

    #[test]
    fn whether_a_question_has_it_may_not_be_known() {
        let asked = |selector: Selector| selector.asked(&Question::PLAIN);
        assert_eq!(asked(Selector::Protocol(17)), Some(true));
        assert_eq!(asked(Selector::Protocol(6)), Some(false));
        assert_eq!(asked(Selector::Uids(0, 0)), Some(true));
        assert_eq!(asked(Selector::Uids(1, 9)), Some(false));
        assert_eq!(asked(Selector::Ports(1, 65_535)), Some(false));
        assert_eq!(asked(Selector::Dscp(0)), Some(true));
        assert_eq!(asked(Selector::FlowLabel(1)), None);
        assert_eq!(asked(Selector::New(31, [].into())), None);
    }
}
