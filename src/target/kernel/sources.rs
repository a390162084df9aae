//! Whether packets *from* a listed network are dropped as well as those to it.
//!
//! Linux asks for the way back to the source of an IPv4 packet where the reverse-path filter of the interface
//! is on: the larger of `conf/all/rp_filter` and `conf/IFACE/rp_filter` (`IN_DEV_RPFILTER`,
//! include/linux/inetdevice.h). A way back that ends in a blackhole is none, in strict (1) and in loose (2) mode
//! (`__fib_validate_source`, net/ipv4/fib_frontend.c). IPv6 has no such filter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use serde::Serialize;

use crate::config::KernelConfig;
use crate::discover::Root;
use crate::netlink::dump;
use crate::netlink::message::{RTM_NEWADDR, RTM_NEWLINK, attributes, number};

/// What becomes of packets from listed networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// The interfaces that IPv4 packets come in through.
    pub ipv4: Vec<Interface>,
    /// Our table, where neither the kernel's own rules nor one of ours lead to it.
    pub only_with_a_rule_to: Option<u32>,
    /// Why the interfaces are not known.
    pub unknown: Option<String>,
}

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The reverse-path filter that counts: 0 none, 1 strict, 2 loose; `None` where it cannot be read.
    pub rp_filter: Option<u8>,
    /// Whether IPv4 packets from listed networks are dropped here.
    pub dropped: bool,
}

/// Names of one kind that are shown.
const SHOWN: usize = 4;

/// Judge these interfaces by the files below `root`.
pub fn sources(root: &Root, interfaces: &[String], kernel: &KernelConfig) -> Sources {
    let all = rp_filter(root, "all");
    let judged = interfaces.iter().map(|name| {
        let own = rp_filter(root, name);
        // Larger than 2 counts as loose.
        let rp_filter = own.map(|own| own.max(all.unwrap_or(0)));
        Interface {
            name: name.clone(),
            rp_filter,
            dropped: rp_filter.is_some_and(|value| value > 0),
        }
    });
    // The default and the main table are asked in any case.
    let asked = [253, 254].contains(&kernel.mark.table) || kernel.rule.is_some();
    Sources {
        ipv4: judged.collect(),
        only_with_a_rule_to: (!asked).then_some(kernel.mark.table),
        unknown: None,
    }
}

/// The same for this machine as it is now.
pub async fn look(kernel: &KernelConfig) -> Sources {
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

/// The interfaces that are up and have an IPv4 address, without lo, by name.
///
/// # Errors
/// A socket that cannot be had, or what the kernel answers.
pub async fn interfaces() -> io::Result<Vec<String>> {
    let mut links = BTreeMap::new();
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    dump(&request, None, |answer| {
        if answer.kind == RTM_NEWLINK {
            links.extend(link(answer.payload));
        }
    })
    .await?;
    let mut names = BTreeSet::new();
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    dump(&request, None, |answer| {
        if answer.kind == RTM_NEWADDR {
            let index = with_ipv4(answer.payload);
            names.extend(index.and_then(|index| links.get(&index)).cloned());
        }
    })
    .await?;
    Ok(names.into_iter().collect())
}

/// Index and name of a link that is up (`struct ifinfomsg`, include/uapi/linux/rtnetlink.h).
fn link(payload: &[u8]) -> Option<(u32, String)> {
    const HEADER: usize = 16;
    const UP: u32 = 1 << 0;
    const LOOPBACK: u32 = 1 << 3;
    const IFLA_IFNAME: u16 = 3;
    let index = number(payload.get(4..)?)?;
    let flags = number(payload.get(8..)?)?;
    let mut name = None;
    attributes(payload.get(HEADER..)?, |kind, value| {
        if kind == IFLA_IFNAME {
            let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
            name = Some(String::from_utf8_lossy(text).into_owned());
        }
    });
    name.filter(|_| flags & (UP | LOOPBACK) == UP)
        .map(|name| (index, name))
}

/// The index of the interface of an IPv4 address (`struct ifaddrmsg`, include/uapi/linux/if_addr.h).
fn with_ipv4(payload: &[u8]) -> Option<u32> {
    const INET: u8 = 2;
    let family = payload.first()?;
    (*family == INET).then(|| number(payload.get(4..)?))?
}

impl Sources {
    /// The interfaces of which this is so, for the eye.
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
            self.names(|i| i.rp_filter == Some(1))
                .map(|names| format!("{names} (strict)")),
            self.names(|i| i.dropped && i.rp_filter != Some(1))
                .map(|names| format!("{names} (loose)")),
        ];
        let dropped: Vec<String> = dropped.into_iter().flatten().collect();
        let mut said = Vec::new();
        if !dropped.is_empty() {
            said.push(format!("IPv4 dropped on {}", dropped.join(", ")));
        }
        if let Some(names) = self.names(|i| i.rp_filter == Some(0)) {
            let family = if said.is_empty() { "IPv4 " } else { "" };
            let one = match names.contains(' ') {
                true => "*".to_owned(),
                // sysctl(8) takes a dot for a slash, and the other way round.
                false => names.replace('.', "/"),
            };
            said.push(format!(
                "{family}not on {names}: net.ipv4.conf.{one}.rp_filter = 0"
            ));
        }
        if let Some(names) = self.names(|i| i.rp_filter.is_none()) {
            said.push(format!("IPv4 unknown on {names}"));
        }
        if said.is_empty() {
            said.push("IPv4: no interface has an address".to_owned());
        }
        said
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.ipv4();
        said.push("IPv6 only by nftables: see the README".to_owned());
        if let Some(table) = self.only_with_a_rule_to {
            said.push(format!("all as far as a rule leads to table {table}"));
        }
        f.write_str(&said.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::kernel::Mark;

    fn kernel(table: u32, rule: Option<u32>) -> KernelConfig {
        KernelConfig {
            enabled: true,
            mark: Mark {
                table,
                ..Mark::default()
            },
            withdraw_on_stop: false,
            rule,
            audit: KernelConfig::AUDIT,
            cover_more_specifics: false,
        }
    }

    /// Files of these values, and what is said of all of them but `all`.
    fn judge(values: &[(&str, &str)], kernel: &KernelConfig) -> Sources {
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in values {
            let conf = folder.path().join("proc/sys/net/ipv4/conf").join(name);
            std::fs::create_dir_all(&conf).unwrap();
            std::fs::write(conf.join("rp_filter"), format!("{value}\n")).unwrap();
        }
        let names = values.iter().map(|(name, _)| (*name).to_owned());
        let names: Vec<String> = names.filter(|name| name != "all").collect();
        sources(&Root::at(folder.path()), &names, kernel)
    }

    #[test]
    fn the_larger_of_all_and_the_interface_counts() {
        let main = kernel(254, None);
        let mixed = [("all", "0"), ("eth0", "2"), ("eth1", "1"), ("wan0.7", "0")];
        let said = judge(&mixed, &main);
        assert_eq!(
            said.to_string(),
            "IPv4 dropped on eth1 (strict), eth0 (loose); \
             not on wan0.7: net.ipv4.conf.wan0/7.rp_filter = 0; IPv6 only by nftables: see the README"
        );
        let dropped: Vec<bool> = said.ipv4.iter().map(|one| one.dropped).collect();
        assert_eq!(dropped, [true, true, false]);

        let all = [("all", "2"), ("eth0", "0"), ("eth1", "1")];
        assert_eq!(
            judge(&all, &main).to_string(),
            "IPv4 dropped on eth0, eth1 (loose); IPv6 only by nftables: see the README"
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_claimed_and_many_fit_the_line() {
        let main = kernel(254, None);
        let odd = [("all", "0"), ("eth0", "what"), ("eth1", "0")];
        let said = judge(&odd, &main).to_string();
        assert!(
            said.starts_with(
                "IPv4 not on eth1: net.ipv4.conf.eth1.rp_filter = 0; IPv4 unknown on eth0;"
            ),
            "{said}"
        );
        let names: Vec<String> = (0..300).map(|i| format!("vlan{i}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "0")).collect();
        let said = judge(&many, &main).to_string();
        assert_eq!(
            said,
            "IPv4 not on vlan0, vlan1, vlan2, vlan3 and 296 more: net.ipv4.conf.*.rp_filter = 0; \
             IPv6 only by nftables: see the README"
        );
        let none = judge(&[], &main).to_string();
        assert!(none.starts_with("IPv4: no interface has an address;"));
    }

    #[test]
    fn a_table_that_no_rule_of_ours_leads_to_is_no_promise() {
        let eth0 = [("all", "0"), ("eth0", "1")];
        let led = judge(&eth0, &kernel(1166, Some(5000)));
        assert_eq!(led.only_with_a_rule_to, None);
        let alone = judge(&eth0, &kernel(1166, None)).to_string();
        assert!(
            alone.ends_with("; all as far as a rule leads to table 1166"),
            "{alone}"
        );
    }

    #[test]
    fn only_links_that_are_up_and_ipv4_addresses_count() {
        let header = |flags: u8| {
            let mut bytes = vec![0, 0, 0, 0, 7, 0, 0, 0, flags, 0, 0, 0, 0, 0, 0, 0];
            bytes.extend([9, 0, 3, 0]);
            bytes.extend(b"wan0\0\0\0\0");
            bytes
        };
        assert_eq!(link(&header(0b0001)), Some((7, "wan0".to_owned())));
        assert_eq!(link(&header(0b0000)), None, "down");
        assert_eq!(link(&header(0b1001)), None, "lo");
        assert_eq!(with_ipv4(&[2, 24, 0, 0, 7, 0, 0, 0]), Some(7));
        assert_eq!(with_ipv4(&[10, 64, 0, 0, 7, 0, 0, 0]), None);
    }
}
