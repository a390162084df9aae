//! Routes as verify keeps them. Pure.

use crate::netlink::family::AddressFamily;
use crate::netlink::names::Names;
use crate::netlink::route::{self, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW, RTN_UNREACHABLE, Route};
use crate::targets::kernel::{Installed, Mark};

/// The effect of a route on a packet whose lookup ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The packet is dropped.
    Drops,
    /// The packet is forwarded, or delivered to this machine.
    Forwards,
    /// The lookup in this table ends without a result, and the rules continue (`RTN_THROW`).
    Throws,
}

impl<B: AddressFamily> Route<B> {
    /// Whether table, protocol and type are ours.
    pub fn is_ours(&self, mark: &Mark) -> bool {
        (self.table, self.protocol, self.kind) == (mark.table, mark.protocol, mark.kind.number())
            && !self.conditional()
    }

    /// The effect on a packet that takes this route.
    pub fn fate(&self) -> Fate {
        match self.kind {
            RTN_BLACKHOLE | RTN_UNREACHABLE | RTN_PROHIBIT => Fate::Drops,
            RTN_THROW => Fate::Throws,
            _ => Fate::Forwards,
        }
    }

    /// The same route for the kernel target, as a route of another program.
    pub fn foreign(&self) -> Installed<B> {
        Installed {
            prefix: self.prefix,
            metric: self.metric,
            ours: false,
            protocol: self.protocol,
            kind: self.kind,
        }
    }
}

/// A route that is kept.
#[derive(Clone, Debug)]
pub struct Kept<B: AddressFamily> {
    pub route: Route<B>,
    /// A route of ours to the same prefix, with the same metric, precedes it.
    pub behind_ours: bool,
    /// The message, for attributes that are read later.
    pub message: Box<[u8]>,
}

impl<B: AddressFamily> Kept<B> {
    /// The router preference, higher wins.
    pub fn preference(&self) -> u8 {
        route::preference(&self.message)
    }

    /// The outgoing interfaces, each once.
    pub fn interfaces(&self) -> Vec<u32> {
        route::interfaces(&self.message)
    }

    /// As `ip route` prints it, always with the protocol.
    pub fn text(&self, names: &Names) -> String {
        self.route.text(&self.message, names)
    }

    /// The command that removes this route and no other.
    pub fn removal(&self, names: &Names) -> String {
        self.route.removal(&self.message, names)
    }
}

/// The route of an answer (`RTM_F_FIB_MATCH`), as `ip route` prints it.
pub fn answered<B: AddressFamily>(payload: &[u8], names: &Names) -> String {
    match Route::<B>::read(payload).filter(Route::is_found) {
        Some(route) => route.text(payload, names),
        None => "a route that cannot be read".to_owned(),
    }
}
