//! Whether the table that we fill would drop packets to an address, also to one of this machine
//! (I/O).
//!
//! The rule for the local table stands before all others, so the kernel never looks into ours for
//! an address of its own. [`MARKED`] puts one more rule before it: a question with that mark goes
//! to the main table at once.

use std::net::IpAddr;

use netlink_packet_core::NetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;
use nullrouted::netlink::{Answer, Questions, Reply, Requests};
use tokio::runtime::Runtime;

const MARK: u32 = 77;

/// To be run once in the namespace.
pub const MARKED: &str = "for family in -4 -6; do
ip $family rule add pref 1 lookup local; ip $family rule del pref 0
ip $family rule add pref 0 fwmark 77 lookup main; done";

/// `lo` has this number in every namespace.
const LOOPBACK: u32 = 1;

/// Adds addresses and asks about them, in the namespace of the thread that opened it.
pub struct Holes {
    runtime: Runtime,
    questions: Questions,
    requests: Requests,
}

impl Holes {
    pub fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let (questions, requests) = (Questions::open().unwrap(), Requests::open().unwrap());
        drop(inside);
        Self {
            runtime,
            questions,
            requests,
        }
    }

    /// Whether packets to it are dropped by a route of the main table.
    pub fn is_dropped(&mut self, address: IpAddr) -> bool {
        self.are_dropped(&[address])[0]
    }

    /// The same of several.
    pub fn are_dropped(&mut self, addresses: &[IpAddr]) -> Vec<bool> {
        let asked: Vec<_> = addresses.iter().map(|one| question(*one)).collect();
        let mut dropped = vec![false; addresses.len()];
        let answered = self.questions.ask(&asked, |at, reply| {
            dropped[at] = matches!(reply, Reply::Error(Errno::EINVAL));
        });
        self.runtime.block_on(answered).unwrap();
        dropped
    }

    /// `ip address add ADDRESS/32 dev lo`. It returns when the kernel has done it.
    pub fn add(&mut self, address: IpAddr) {
        self.change(RouteNetlinkMessage::NewAddress(alone(address)));
    }

    /// `ip address del ADDRESS/32 dev lo`.
    pub fn remove(&mut self, address: IpAddr) {
        self.change(RouteNetlinkMessage::DelAddress(alone(address)));
    }

    fn change(&mut self, change: RouteNetlinkMessage) {
        self.requests.push(&mut NetlinkMessage::from(change));
        let answer = self.runtime.block_on(self.requests.send()).unwrap();
        let is_done = matches!(&answer, Answer::Done(refusals) if refusals.is_empty());
        assert!(is_done, "{answer:?}");
    }
}

fn question(address: IpAddr) -> RouteNetlinkMessage {
    let mut message = RouteMessage::default();
    let (family, length, to) = match address {
        IpAddr::V4(v4) => (AddressFamily::Inet, 32, RouteAddress::Inet(v4)),
        IpAddr::V6(v6) => (AddressFamily::Inet6, 128, RouteAddress::Inet6(v6)),
    };
    message.header.address_family = family;
    message.header.destination_prefix_length = length;
    message.header.protocol = RouteProtocol::Unspec;
    message.attributes = vec![RouteAttribute::Destination(to), RouteAttribute::Mark(MARK)];
    RouteNetlinkMessage::GetRoute(message)
}

/// On the loopback interface. IPv6 is used at once, without looking for another that has the same
/// address (`IFA_F_NODAD`).
fn alone(address: IpAddr) -> AddressMessage {
    let mut message = AddressMessage::default();
    (message.header.family, message.header.prefix_len) = match address {
        IpAddr::V4(_) => (AddressFamily::Inet, 32),
        IpAddr::V6(_) => (AddressFamily::Inet6, 128),
    };
    message.header.index = LOOPBACK;
    message.attributes = vec![
        AddressAttribute::Local(address),
        AddressAttribute::Address(address),
    ];
    message
}
