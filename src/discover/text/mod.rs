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

/// Finds networks in text, line by line.
pub trait Reader: Default + Send {
    /// The next line, without its end.
    fn line(&mut self, line: &str);
    /// The networks found in all lines.
    fn found(self) -> BTreeSet<IpNet>;
}

/// An address in text, with or without a zone (`fe80::1%eth0`); `None` also for addresses that are
/// never dropped.
fn address(text: &str) -> Option<IpNet> {
    let bare = text.split('%').next().unwrap_or_default();
    network::host(bare.parse::<IpAddr>().ok()?)
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
