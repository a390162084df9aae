//! Parsers of files and of program output, one file each. Pure: lines in, networks out.

pub mod bird;
pub mod frr;
pub mod login;
pub mod resolv;
pub mod sshd;
pub mod tcp;

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::network;
use crate::prefix::{Item, is_public};

/// Finds networks in text, line by line.
pub trait Reader: Default + Send {
    /// The next line, without its end.
    fn line(&mut self, line: &str);
    /// The networks and ASes found in all lines.
    fn found(self) -> BTreeSet<Item>;
}

/// An address in text, with or without a zone (`fe80::1%eth0`); `None` also for addresses that are
/// never dropped.
fn address(text: &str) -> Option<IpNet> {
    let bare = text.split('%').next().unwrap_or_default();
    network::host(bare.parse::<IpAddr>().ok()?)
}

/// The AS of a neighbor, as a number or in asdot (RFC 5396); `None` for one that no filter has.
fn origin(text: &str) -> Option<Item> {
    let asn = match text.split_once('.') {
        Some((high, low)) => {
            let (high, low): (u16, u16) = (high.parse().ok()?, low.parse().ok()?);
            u32::from(high) << 16 | u32::from(low)
        }
        None => text.parse().ok()?,
    };
    is_public(asn).then_some(Item::Origin(asn))
}

/// A prefix from which neighbors may connect.
fn range(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok()?.trunc();
    network::sensible(&net, "neighbors of BGP").then_some(net)
}

/// Read a whole text.
#[cfg(test)]
fn read<R: Reader>(text: &str) -> Vec<String> {
    let mut reader = R::default();
    for line in text.lines() {
        reader.line(line);
    }
    reader.found().iter().map(ToString::to_string).collect()
}
