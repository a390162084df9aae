//! Whether packets *from* a listed network are dropped as well as those to it.
//!
//! Linux asks for the way back to the source of an IPv4 packet where the reverse-path filter of the interface
//! is on: the larger of `conf/all/rp_filter` and `conf/IFACE/rp_filter` (`IN_DEV_RPFILTER`,
//! include/linux/inetdevice.h). A way back that ends in a blackhole is none, in strict (1) and in loose (2) mode
//! (`__fib_validate_source`, net/ipv4/fib_frontend.c). What comes in on a member of a VRF is looked up in the table of the
//! VRF first (`l3mdev_fib_rule_match`, net/l3mdev/l3mdev.c), here as elsewhere. IPv6 has no such filter.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use serde::Serialize;

use crate::config::KernelConfig;
use crate::discover::Root;
use crate::netlink::dump;
use crate::netlink::link::{IFF_LOOPBACK, IFF_UP, Link};
use crate::netlink::message::{RTM_NEWADDR, RTM_NEWLINK, number};

/// What becomes of packets from listed networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// The interfaces that IPv4 packets come in through.
    pub ipv4: Vec<Interface>,
    /// Our table, where neither the kernel's own rules nor one of ours lead to it; that of a VRF leads its members there.
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
    /// The table of the VRF that it is in.
    pub vrf_table: Option<u32>,
    /// Whether IPv4 packets from listed networks are dropped here for sure: they are looked up in our table, and the
    /// filter is on.
    pub dropped: bool,
}

/// The interfaces that IPv4 packets come in through, by name, each with the table of the VRF that it is in.
pub type Interfaces = BTreeMap<String, Option<u32>>;

/// Names of one kind that are shown.
const SHOWN: usize = 4;

/// Judge these interfaces by the files below `root`.
pub fn sources(root: &Root, interfaces: &Interfaces, kernel: &KernelConfig) -> Sources {
    let table = kernel.mark.table;
    // The default and the main table are asked in any case, but not before that of a VRF.
    let asked = [253, 254].contains(&table) || kernel.rule.is_some();
    let all = rp_filter(root, "all");
    let judged = interfaces.iter().map(|(name, vrf_table)| {
        let own = rp_filter(root, name);
        // Larger than 2 counts as loose.
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

/// The interfaces that are up and have an IPv4 address, without lo.
///
/// # Errors
/// A socket that cannot be had, or what the kernel answers.
pub async fn interfaces() -> io::Result<Interfaces> {
    let mut links = BTreeMap::new();
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    dump(&request, None, |answer| {
        if answer.kind == RTM_NEWLINK {
            links.extend(Link::read(answer.payload).map(|link| (link.index, link)));
        }
    })
    .await?;
    let mut entered = Vec::new();
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    dump(&request, None, |answer| {
        if answer.kind == RTM_NEWADDR {
            entered.extend(with_ipv4(answer.payload));
        }
    })
    .await?;
    Ok(of_addresses(&links, &entered))
}

/// Those of these indices that packets come in through. Nothing comes in through a VRF itself, but through its members.
fn of_addresses(links: &BTreeMap<u32, Link>, indices: &[u32]) -> Interfaces {
    let links_with = indices.iter().filter_map(|index| links.get(index));
    let open = links_with.filter(|link| {
        let is_up = link.flags & (IFF_UP | IFF_LOOPBACK) == IFF_UP;
        is_up && link.vrf.is_none()
    });
    let vrf_table = |link: &Link| links.get(&link.master?)?.vrf;
    open.map(|link| (link.name.clone(), vrf_table(link)))
        .collect()
}

/// The index of the interface of an IPv4 address (`struct ifaddrmsg`, include/uapi/linux/if_addr.h).
fn with_ipv4(payload: &[u8]) -> Option<u32> {
    const INET: u8 = 2;
    let family = payload.first()?;
    (*family == INET).then(|| number(payload.get(4..)?))?
}

impl Interface {
    /// Whether they are dropped, or would be if a rule led to our table.
    fn dropped_as_far_as_asked(&self) -> bool {
        self.dropped || self.is_filtered() && self.vrf_table.is_none()
    }

    fn is_filtered(&self) -> bool {
        self.rp_filter.is_some_and(|value| value > 0)
    }
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
            self.names(|i| i.dropped_as_far_as_asked() && i.rp_filter == Some(1))
                .map(|names| format!("{names} (strict)")),
            self.names(|i| i.dropped_as_far_as_asked() && i.rp_filter != Some(1))
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
mod tests {
    use super::*;
    use crate::netlink::link::testing;
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
        judge_vrfs(values, &[], kernel)
    }

    /// The same with some in VRFs, which have tables.
    fn judge_vrfs(values: &[(&str, &str)], vrfs: &[(&str, u32)], kernel: &KernelConfig) -> Sources {
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in values {
            let conf = folder.path().join("proc/sys/net/ipv4/conf").join(name);
            std::fs::create_dir_all(&conf).unwrap();
            std::fs::write(conf.join("rp_filter"), format!("{value}\n")).unwrap();
        }
        let names = values.iter().map(|(name, _)| *name);
        let names = names.filter(|name| *name != "all");
        let table = |name: &str| vrfs.iter().find(|(of, _)| *of == name).map(|vrf| vrf.1);
        let interfaces = names.map(|name| (name.to_owned(), table(name))).collect();
        sources(&Root::at(folder.path()), &interfaces, kernel)
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
        let names: Vec<String> = (0..300).map(|i| format!("vlan{i:03}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "0")).collect();
        let said = judge(&many, &main).to_string();
        assert_eq!(
            said,
            "IPv4 not on vlan000, vlan001, vlan002, vlan003 and 296 more: net.ipv4.conf.*.rp_filter = 0; \
             IPv6 only by nftables: see the README"
        );
        let none = judge(&[], &main).to_string();
        assert!(none.starts_with("IPv4: no interface has an address;"));
    }

    #[test]
    fn a_table_that_no_rule_of_ours_leads_to_is_no_promise() {
        let eth0 = [("all", "0"), ("eth0", "1")];
        let led = judge(&eth0, &kernel(1166, Some(5000)));
        assert_eq!((led.only_with_a_rule_to, led.ipv4[0].dropped), (None, true));
        let alone = judge(&eth0, &kernel(1166, None));
        assert!(!alone.ipv4[0].dropped);
        let alone = judge(&eth0, &kernel(1166, None)).to_string();
        assert!(
            alone.ends_with("; all as far as a rule leads to table 1166"),
            "{alone}"
        );
    }

    #[test]
    fn a_member_of_a_vrf_drops_where_our_table_is_that_of_its_vrf() {
        let values = [("all", "2"), ("eth0", "0"), ("eth1", "1"), ("eth2", "0")];
        let vrfs = [("eth1", 10), ("eth2", 20)];
        let dropped = |said: &Sources| -> Vec<bool> {
            let each = said.ipv4.iter();
            each.map(|one| one.dropped).collect()
        };
        let said = judge_vrfs(&values, &vrfs, &kernel(254, None));
        assert_eq!(dropped(&said), [true, false, false]);
        assert_eq!(
            said.to_string(),
            "IPv4 dropped on eth0 (loose); not sure on eth1, eth2: in a VRF with another table; \
             IPv6 only by nftables: see the README"
        );
        // Whether our rule comes before that of the VRFs is not asked.
        let said = judge_vrfs(&values, &vrfs, &kernel(1166, Some(500)));
        assert_eq!(dropped(&said), [true, false, false]);
        let said = judge_vrfs(&values, &vrfs, &kernel(10, None));
        assert_eq!(dropped(&said), [false, true, false]);
        assert_eq!(
            said.to_string(),
            "IPv4 dropped on eth0, eth1 (loose); not sure on eth2: in a VRF with another table; \
             IPv6 only by nftables: see the README; outside of its VRF all as far as a rule leads to table 10"
        );
        let alone = judge_vrfs(&values[..3], &vrfs[..1], &kernel(254, None));
        assert_eq!(dropped(&alone), [true, false]);
        let only = [("all", "0"), ("eth1", "2")];
        let said = judge_vrfs(&only, &vrfs, &kernel(254, None)).to_string();
        assert!(
            said.starts_with("IPv4 not sure on eth1: in a VRF with another table;"),
            "{said}"
        );
        // Without a filter it is sure: nothing is dropped.
        let only = [("all", "0"), ("eth1", "0")];
        let said = judge_vrfs(&only, &vrfs, &kernel(254, None)).to_string();
        assert!(said.starts_with("IPv4 not on eth1:"), "{said}");
    }

    #[test]
    fn only_links_that_are_up_and_ipv4_addresses_count() {
        let (up, lo) = (IFF_UP, IFF_UP | IFF_LOOPBACK);
        let links = [
            testing::link(1, "lo", lo, None),
            testing::link(2, "wan0", up, None),
            testing::link(3, "down", 0, None),
            testing::link(4, "br0", up, None),
            testing::vrf(5, "red", 10),
            testing::member(6, "eth1", 5),
            testing::member(7, "eth2", 4),
            testing::link(8, "bare", up, None),
        ];
        let links = links.iter().filter_map(|link| Link::read(link));
        let links = links.map(|link| (link.index, link)).collect();
        let found = of_addresses(&links, &[1, 2, 2, 3, 4, 5, 6, 7, 99]);
        let found: Vec<_> = found
            .iter()
            .map(|(name, table)| (&**name, *table))
            .collect();
        let expected = [
            ("br0", None),
            ("eth1", Some(10)),
            ("eth2", None),
            ("wan0", None),
        ];
        assert_eq!(found, expected);
        assert_eq!(with_ipv4(&[2, 24, 0, 0, 7, 0, 0, 0]), Some(7));
        assert_eq!(with_ipv4(&[10, 64, 0, 0, 7, 0, 0, 0]), None);
    }
}
