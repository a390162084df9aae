//! Names for numbers, as `ip` prints them: protocols and tables of iproute2, interfaces, VRFs.
//! Pure.

use std::collections::BTreeMap;

use super::link::Link;

/// The names that iproute2 ships (`etc/iproute2/rt_protos`).
const PROTOCOLS: [(u32, &str); 24] = [
    (0, "unspec"),
    (1, "redirect"),
    (2, "kernel"),
    (3, "boot"),
    (4, "static"),
    (8, "gated"),
    (9, "ra"),
    (10, "mrt"),
    (11, "zebra"),
    (12, "bird"),
    (13, "dnrouted"),
    (14, "xorp"),
    (15, "ntk"),
    (16, "dhcp"),
    (18, "keepalived"),
    (42, "babel"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
    (196, "ospf6"),
    (197, "ripng"),
];
const TABLES: [(u32, &str); 3] = [(253, "default"), (254, "main"), (255, "local")];

/// A VRF with its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vrf {
    /// The name of its interface.
    pub name: String,
    /// The table in which packets of its members are looked up.
    pub table: u32,
    /// The interfaces whose packets are looked up in its table.
    pub members: Vec<String>,
}

/// The names of numbers.
#[derive(Clone, Debug)]
pub struct Names {
    protocols: BTreeMap<u32, String>,
    tables: BTreeMap<u32, String>,
    links: BTreeMap<u32, Link>,
}

impl Default for Names {
    fn default() -> Self {
        let owned = |(number, name): &(u32, &str)| (*number, (*name).to_owned());
        Self {
            protocols: PROTOCOLS.iter().map(owned).collect(),
            tables: TABLES.iter().map(owned).collect(),
            links: BTreeMap::new(),
        }
    }
}

impl Names {
    /// Learn the names of a file like `/etc/iproute2/rt_protos`.
    pub fn learn_protocols(&mut self, text: &str) {
        self.protocols.extend(lines(text));
    }

    /// Learn the names of a file like `/etc/iproute2/rt_tables`.
    pub fn learn_tables(&mut self, text: &str) {
        self.tables.extend(lines(text));
    }

    /// Learn the names of interfaces.
    pub fn learn_links(&mut self, links: impl IntoIterator<Item = (u32, Link)>) {
        self.links.extend(links);
    }

    /// The name of a protocol.
    pub fn protocol(&self, protocol: u8) -> String {
        named(&self.protocols, protocol.into())
    }

    /// The name of a routing table.
    pub fn table(&self, table: u32) -> String {
        named(&self.tables, table)
    }

    /// The name of an interface.
    pub fn link(&self, index: u32) -> String {
        let link = self.links.get(&index);
        link.map_or_else(|| format!("if{index}"), |link| link.name.clone())
    }

    /// The group of an interface.
    pub fn group(&self, index: u32) -> Option<u32> {
        self.links.get(&index)?.group
    }

    /// The VRFs that have members: no packet enters the others.
    pub fn vrfs(&self) -> Vec<Vrf> {
        let vrfs = self.links.iter().filter_map(|(index, link)| {
            let members = self.links.values();
            let members = members.filter(|member| member.master == Some(*index));
            Some(Vrf {
                name: link.name.clone(),
                table: link.vrf?,
                members: members.map(|member| member.name.clone()).collect(),
            })
        });
        vrfs.filter(|vrf| !vrf.members.is_empty()).collect()
    }
}

/// The name that iproute2 ships for a protocol.
pub fn protocol(protocol: u8) -> String {
    let mut known = PROTOCOLS.iter();
    match known.find(|(number, _)| *number == u32::from(protocol)) {
        Some((_, name)) => (*name).to_owned(),
        None => protocol.to_string(),
    }
}

fn named(names: &BTreeMap<u32, String>, number: u32) -> String {
    let name = names.get(&number).cloned();
    name.unwrap_or_else(|| number.to_string())
}

/// One `NUMBER NAME` per line; `#` starts a comment; a number may be hexadecimal.
fn lines(text: &str) -> impl Iterator<Item = (u32, String)> {
    text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let number = words.next()?;
        let number = match number.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        Some((number, words.next()?.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::link::testing;

    #[test]
    fn files_of_iproute2_name_protocols_and_tables() {
        let mut names = Names::default();
        assert_eq!(names.protocol(166), "166");
        names.learn_protocols("# shipped by us\n166\tnullrouted\n0x63 mesh # openr\nnonsense\n");
        assert_eq!(names.protocol(166), "nullrouted");
        assert_eq!(names.protocol(99), "mesh");
        assert_eq!(
            (names.protocol(186), names.table(254)),
            ("bgp".into(), "main".into())
        );
        names.learn_tables("1166 drop\n");
        assert_eq!(
            (names.table(1166), names.table(7)),
            ("drop".into(), "7".into())
        );
    }

    #[test]
    fn a_vrf_counts_with_its_members() {
        let mut names = Names::default();
        let links = [
            testing::vrf(5, "red", 10),
            testing::vrf(6, "empty", 11),
            testing::member(7, "eth1", 5),
            testing::member(8, "eth2", 9),
        ];
        let links = links.map(|link| Link::read(&link).unwrap());
        names.learn_links(links.map(|link| (link.index, link)));
        assert_eq!(
            (names.link(7), names.link(99)),
            ("eth1".into(), "if99".into())
        );
        let red = Vrf {
            name: "red".to_owned(),
            table: 10,
            members: vec!["eth1".to_owned()],
        };
        assert_eq!(names.vrfs(), [red]);
    }
}
