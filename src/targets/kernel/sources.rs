//! Whether packets *from* a listed network are dropped as well as those to it.
//!
//! Linux looks up the route back to the source of an IPv4 packet where the reverse-path filter of
//! the interface is on: the larger of `conf/all/rp_filter` and `conf/IFACE/rp_filter`
//! (`IN_DEV_RPFILTER`, include/linux/inetdevice.h). A route back that is a blackhole counts as
//! none, in strict (1) and in loose (2) mode (`__fib_validate_source`, net/ipv4/fib_frontend.c). A
//! packet that enters on a member of a VRF is first looked up in the table of the VRF
//! (`l3mdev_fib_rule_match`, net/l3mdev/l3mdev.c), for this check as for any other. IPv6 has no
//! such filter.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use serde::Serialize;

use crate::config::KernelConfig;
use crate::discover::Root;
use crate::netlink;
use crate::netlink::link::{IFF_LOOPBACK, IFF_UP, Link};

/// Whether packets from listed networks are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// The interfaces on which IPv4 packets enter.
    pub ipv4: Vec<Interface>,
    /// Our table, if neither the kernel's own rules nor one of ours lead to it. The rule of a VRF
    /// leads its members to it.
    pub only_with_a_rule_to: Option<u32>,
    /// Why the interfaces are not known.
    pub unknown: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    pub name: String,
    /// The effective reverse-path filter: 0 none, 1 strict, 2 loose; `None` if it cannot be read.
    pub rp_filter: Option<u8>,
    pub vrf_table: Option<u32>,
    /// Whether IPv4 packets from listed networks are certainly dropped here: they are looked up in
    /// our table, and the filter is on.
    pub dropped: bool,
}

/// The interfaces on which IPv4 packets enter, by name, each with the table of its VRF.
pub type Interfaces = BTreeMap<String, Option<u32>>;

/// At most this many names of one kind are shown.
const SHOWN: usize = 4;

const FROM: &str = "IPv4 packets from listed networks are ";
const IPV6: &str = "IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\")";

/// Check these interfaces by the files below `root`.
pub fn sources(root: &Root, interfaces: &Interfaces, kernel: &KernelConfig) -> Sources {
    let table = kernel.mark.table;
    // The default and the main table are always looked up, but not before that of a VRF.
    let asked = [253, 254].contains(&table) || kernel.rule.is_some();
    let all = rp_filter(root, "all");
    let judged = interfaces.iter().map(|(name, vrf_table)| {
        let own = rp_filter(root, name);
        // A value above 2 counts as loose.
        let rp_filter = own.map(|own| own.max(all.unwrap_or(0)));
        let in_ours = vrf_table.map_or(asked, |of_vrf| of_vrf == table);
        Interface {
            name: name.clone(),
            rp_filter,
            vrf_table: *vrf_table,
            dropped: in_ours && rp_filter.is_some_and(|value| value > 0),
        }
    });
    Sources {
        ipv4: judged.collect(),
        only_with_a_rule_to: (!asked).then_some(table),
        unknown: None,
    }
}

/// The same for this machine at this time.
pub async fn read(kernel: &KernelConfig) -> Sources {
    match interfaces().await {
        Ok(interfaces) => sources(&Root::default(), &interfaces, kernel),
        Err(error) => Sources {
            unknown: Some(format!("the interfaces cannot be read: {error}")),
            ..Sources::default()
        },
    }
}

fn rp_filter(root: &Root, name: &str) -> Option<u8> {
    let mut value = None;
    let path = format!("/proc/sys/net/ipv4/conf/{name}/rp_filter");
    root.lines(&path, |line| value = value.or(line.trim().parse().ok()))
        .ok()?;
    value
}

/// The interfaces that are up and on which IPv4 packets enter, without lo.
///
/// # Errors
/// No socket can be opened, or an error from the kernel.
pub async fn interfaces() -> io::Result<Interfaces> {
    let links = netlink::links().await?;
    let mut addresses = netlink::addresses().await?;
    addresses.retain(|address| address.own.is_ipv4());
    let numbered: Vec<_> = addresses.iter().map(|address| address.interface).collect();
    Ok(entered(&links, &numbered))
}

/// The interfaces on which packets enter, including those without an address of their own (RFC
/// 5549). No packet enters on a VRF itself, only on its members. Packets enter on a port of a
/// bridge or a bond only if it has an IPv4 address.
fn entered(links: &BTreeMap<u32, Link>, with_ipv4: &[u32]) -> Interfaces {
    let vrf_table = |link: &Link| links.get(&link.master?)?.vrf;
    let open = links.values().filter(|link| {
        let is_up = link.flags & (IFF_UP | IFF_LOOPBACK) == IFF_UP;
        let is_port = link.master.is_some() && vrf_table(link).is_none();
        is_up && link.vrf.is_none() && (!is_port || with_ipv4.contains(&link.index))
    });
    open.map(|link| (link.name.clone(), vrf_table(link)))
        .collect()
}

impl Interface {
    /// Whether packets are dropped, or would be if a rule led to our table.
    fn dropped_as_far_as_asked(&self) -> bool {
        self.dropped || self.is_filtered() && self.vrf_table.is_none()
    }

    fn is_filtered(&self) -> bool {
        self.rp_filter.is_some_and(|value| value > 0)
    }
}

impl Sources {
    /// The names of the interfaces for which this is so, for display.
    fn names(&self, so: impl Fn(&Interface) -> bool) -> Option<String> {
        let of: Vec<&str> = self
            .ipv4
            .iter()
            .filter(|i| so(i))
            .map(|i| &*i.name)
            .collect();
        let shown = of
            .iter()
            .take(SHOWN)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        match of.len() {
            0 => None,
            few if few <= SHOWN => Some(shown),
            many => Some(format!("{shown} and {} more", many - SHOWN)),
        }
    }

    fn ipv4(&self) -> Vec<String> {
        if let Some(why) = &self.unknown {
            return vec![format!("IPv4 unknown: {why}")];
        }
        let dropped = [
            self.names(|i| i.dropped_as_far_as_asked() && i.rp_filter == Some(1))
                .map(|names| format!("{names} (strict)")),
            self.names(|i| i.dropped_as_far_as_asked() && i.rp_filter != Some(1))
                .map(|names| format!("{names} (loose)")),
        ];
        let dropped: Vec<String> = dropped.into_iter().flatten().collect();
        let mut said = Vec::new();
        if !dropped.is_empty() {
            said.push(format!("{FROM}dropped on {}", dropped.join(", ")));
        }
        if let Some(names) = self.names(|i| i.rp_filter == Some(0)) {
            let from = if said.is_empty() { FROM } else { "" };
            let one = match names.contains(' ') {
                true => "*".to_owned(),
                // sysctl(8) swaps dots and slashes.
                false => names.replace('.', "/"),
            };
            said.push(format!(
                "{from}NOT dropped on {names}: net.ipv4.conf.{one}.rp_filter = 0"
            ));
        }
        if let Some(names) = self.names(|i| i.is_filtered() && !i.dropped_as_far_as_asked()) {
            let family = if said.is_empty() { "IPv4 " } else { "" };
            said.push(format!(
                "{family}not sure on {names}: in a VRF with another table"
            ));
        }
        if let Some(names) = self.names(|i| i.rp_filter.is_none()) {
            said.push(format!("IPv4 unknown on {names}"));
        }
        if said.is_empty() {
            said.push("IPv4: no interface is up".to_owned());
        }
        said
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.ipv4();
        said.push(IPV6.to_owned());
        if let Some(table) = self.only_with_a_rule_to {
            let members = self.ipv4.iter().any(|i| i.vrf_table == Some(table));
            let outside = if members { "outside of its VRF " } else { "" };
            said.push(format!(
                "{outside}all as far as a rule leads to table {table}"
            ));
        }
        f.write_str(&said.join("; "))
    }
}

#[cfg(test)]
mod tests;
