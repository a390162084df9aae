//! A router between two hosts.
//!
//! ```text
//!  near ──100.64.0.0/30── router ──100.64.0.4/30── far: 72.37.186.1, 72.37.188.1, 2001:db8:…::1
//!   100.64.0.2   near0          far0
//!   fd00:1::2
//! ```

use super::namespace::Namespace;

/// The hosts and the router.
pub struct Lab {
    pub router: Namespace,
    pub near: Namespace,
    pub far: Namespace,
}

/// Addresses of the far host: in each family one that the tests list, and its neighbour.
pub const LISTED: [&str; 2] = ["72.37.186.1", "2001:db8:bad::1"];
pub const NEIGHBOURS: [&str; 2] = ["72.37.188.1", "2001:db8:600d::1"];

/// A list with the networks of the first.
pub const LIST: &str = "72.37.186.0/23\n2001:db8:bad::/48\n";

/// A router whose `wan` leads to a neighbor, 192.0.2.2.
pub fn beside() -> Option<(Namespace, Namespace)> {
    let router = Namespace::new()?;
    let neighbor = router.another()?;
    let (here, there) = ("192.0.2.1/24 2001:db8::1/64", "192.0.2.2/24 2001:db8::2/64");
    router.wire("wan", here, &neighbor, "eth0", there);
    Some((router, neighbor))
}

impl Lab {
    /// `None`, having said why, where the machine forbids it.
    pub fn new() -> Option<Self> {
        let router = Namespace::new()?;
        let (near, far) = (router.another()?, router.another()?);
        router.wire(
            "near0",
            "100.64.0.1/30 fd00:1::1/64",
            &near,
            "near1",
            "100.64.0.2/30 fd00:1::2/64",
        );
        router.wire(
            "far0",
            "100.64.0.5/30 fd00:2::1/64",
            &far,
            "far1",
            "100.64.0.6/30 fd00:2::2/64",
        );
        near.ip("route add default via 100.64.0.1");
        near.ip("-6 route add default via fd00:1::1");
        far.ip("route add default via 100.64.0.5");
        far.ip("-6 route add default via fd00:2::1");
        far.address(
            "lo",
            "72.37.186.1/32 72.37.188.1/32 2001:db8:bad::1/128 2001:db8:600d::1/128",
        );
        router.ip("route add default via 100.64.0.6");
        router.ip("-6 route add default via fd00:2::2");
        router.sh(
            "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
        );
        Some(Self { router, near, far })
    }

    /// Whether the near host has an answer from there.
    pub fn answers(&self, address: &str) -> bool {
        self.near.answers(address)
    }

    /// One echo request to there, and what comes of it.
    pub fn ping(&self, address: &str) -> super::Ran {
        self.near.ping(&[address])
    }
}
