//! Protected space: subtracted from everything, always.
//!
//! There are two kinds with different consequences. *Space* is what the operator and the kernel of
//! this machine protect: a listed prefix that it would split into more than [`MAX_PIECES`] pieces
//! is dropped whole. *Holes* are single addresses from a name, a DHCP file or a session, which the
//! operator does not choose: they are limited by count where they are found, and each takes only
//! itself out of force.
//!
//! [`MAX_PIECES`]: crate::prefix::MAX_PIECES

use ipnet::IpNet;
use serde::Serialize;

use super::reserved;
use crate::prefix::{Effective, PrefixSet, cut_set, overlap, subtract_set};

/// One protected network and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The network.
    pub net: IpNet,
    /// `[protect] prefixes`, a file with its line, or the registry's reason.
    pub why: String,
}

/// One protected origin AS, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtectedAsn {
    pub asn: u32,
    pub why: String,
}

/// All protected networks, and their union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protect {
    entries: Vec<Protected>,
    /// How many of them are not from the registry.
    typed: usize,
    set: PrefixSet,
    /// The space that may cause a listed prefix to be dropped whole.
    space: PrefixSet,
    /// The space that may not.
    holes: PrefixSet,
    /// Origin ASes that no filter refuses.
    asns: Vec<ProtectedAsn>,
}

impl Protect {
    /// Configured and allowed networks; space that is never dropped is added.
    pub fn new(typed: Vec<Protected>) -> Self {
        Self::with_holes(typed, Vec::new())
    }

    /// The same with addresses that take only themselves out of force.
    pub fn with_holes(typed: Vec<Protected>, holes: Vec<Protected>) -> Self {
        let never = reserved::nets(&reserved::NEVER).map(|(net, why)| Protected {
            net,
            why: why.to_owned(),
        });
        let never: Vec<Protected> = never.collect();
        let of = |entries: &[Protected]| entries.iter().map(|entry| entry.net).collect::<Vec<_>>();
        let space = PrefixSet::of_nets(of(&typed).into_iter().chain(of(&never)));
        let holes_set = PrefixSet::of_nets(of(&holes));
        let set = space.union(&holes_set);
        let mut entries = typed;
        entries.extend(holes);
        let typed = entries.len();
        entries.extend(never);
        Self {
            entries,
            typed,
            set,
            space,
            holes: holes_set,
            asns: Vec::new(),
        }
    }

    /// The same with origin ASes that no filter refuses.
    #[must_use]
    pub fn with_asns(self, asns: Vec<ProtectedAsn>) -> Self {
        Self { asns, ..self }
    }

    /// The protected origin ASes.
    pub fn asns(&self) -> &[ProtectedAsn] {
        &self.asns
    }

    /// Whether an origin AS may be refused.
    pub fn permits(&self, asn: u32) -> bool {
        !self.asns.iter().any(|one| one.asn == asn)
    }

    /// All entries except the space that is never dropped.
    pub fn typed(&self) -> &[Protected] {
        &self.entries[..self.typed]
    }

    /// The union of all protected networks.
    pub fn set(&self) -> &PrefixSet {
        &self.set
    }

    /// The space that may cause a listed prefix to be dropped whole.
    pub fn space(&self) -> &PrefixSet {
        &self.space
    }

    /// The addresses that take only themselves out of force.
    pub fn holes(&self) -> &PrefixSet {
        &self.holes
    }

    /// The rest of a set without the protected space.
    pub fn cut_out_of(&self, effective: &Effective) -> Effective {
        Effective {
            nets: cut_set(&subtract_set(&effective.nets, &self.space), &self.holes),
            origins: match self.asns.is_empty() {
                true => effective.origins.clone(),
                false => {
                    let origins = effective.origins.iter().copied();
                    origins.filter(|asn| self.permits(*asn)).collect()
                }
            },
        }
    }

    /// Every entry that shares an address with `net`: all causes, not only the first one.
    pub fn touching(&self, net: IpNet) -> impl Iterator<Item = &Protected> {
        self.entries
            .iter()
            .filter(move |entry| overlap(&entry.net, &net))
    }
}
