//! Routes as verify keeps them. Pure.

use netlink_packet_route::route::RouteType;

use crate::netlink::family::AddressFamily;
use crate::netlink::names::Names;
use crate::netlink::route::{self, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW, RTN_UNREACHABLE, Route};
use crate::target::kernel::{Installed, Mark};

/// What the kernel does when a lookup ends at a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The packet ends here.
    Drops,
    /// It goes on its way, or up into this machine.
    Forwards,
    /// The table has nothing to say: the rules go on (`RTN_THROW`).
    Throws,
}

impl<B: AddressFamily> Route<B> {
    /// Whether table, protocol and type are ours.
    pub fn is_ours(&self, mark: &Mark) -> bool {
        (self.table, self.protocol, self.kind) == (mark.table, mark.protocol, mark.kind.number())
            && !self.conditional()
    }

    /// What happens to a packet that takes it.
    pub fn fate(&self) -> Fate {
        match self.kind {
            RTN_BLACKHOLE | RTN_UNREACHABLE | RTN_PROHIBIT => Fate::Drops,
            RTN_THROW => Fate::Throws,
            _ => Fate::Forwards,
        }
    }

    /// The same as the kernel's target sees it, as a route of another program.
    pub fn foreign(&self) -> Installed<B> {
        Installed {
            prefix: self.prefix,
            metric: self.metric,
            ours: false,
            protocol: self.protocol,
            kind: RouteType::from(self.kind),
        }
    }
}

/// A route that is kept.
#[derive(Clone, Debug)]
pub struct Kept<B: AddressFamily> {
    pub route: Route<B>,
    /// A route of ours to the same prefix, with the same metric, stands before it.
    pub behind_ours: bool,
    /// The message, for what is asked of it later.
    pub message: Box<[u8]>,
}

impl<B: AddressFamily> Kept<B> {
    /// The router preference, higher wins.
    pub fn preference(&self) -> u8 {
        route::preference(&self.message)
    }

    /// The interfaces that it leaves by, each once.
    pub fn interfaces(&self) -> Vec<u32> {
        route::interfaces(&self.message)
    }

    /// As `ip route` prints it; its protocol always.
    pub fn text(&self, names: &Names) -> String {
        self.route.text(&self.message, names)
    }

    /// The command that removes it, and nothing else.
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
