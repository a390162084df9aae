//! The message of an interface (`struct ifinfomsg`, rtnetlink(7); `include/uapi/linux/if_link.h`).
//! Pure.

use nix::libc::{
    IFLA_GROUP, IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER,
};

use super::message::{attributes, number};

/// Bytes of `struct ifinfomsg`: family, padding, type, index, flags, and the mask of changed flags.
const HEADER: usize = 16;
const IFLA_VRF_TABLE: u16 = 1;

/// The interface is up.
pub const IFF_UP: u32 = 1 << 0;
/// The interface leads only to this machine.
pub const IFF_LOOPBACK: u32 = 1 << 3;

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    /// `IFF_…`
    pub flags: u32,
    pub name: String,
    /// The index of its bridge, bond or VRF.
    pub master: Option<u32>,
    /// Its group (`ip link set … group`).
    pub group: Option<u32>,
    /// The table if it is a VRF: packets of its members are looked up there.
    pub vrf: Option<u32>,
}

impl Link {
    /// Read an interface (`RTM_NEWLINK`); `None` if the message is torn.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let mut link = Self {
            index: number(payload.get(4..)?)?,
            flags: number(payload.get(8..)?)?,
            ..Self::default()
        };
        attributes(payload.get(HEADER..)?, |kind, value| match kind {
            IFLA_IFNAME => link.name = text(value),
            IFLA_MASTER => link.master = number(value),
            IFLA_GROUP => link.group = number(value),
            IFLA_LINKINFO => link.vrf = vrf_table(value),
            _ => {}
        });
        Some(link)
    }
}

fn text(value: &[u8]) -> String {
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The table of a VRF; `None` for every other kind of interface.
fn vrf_table(info: &[u8]) -> Option<u32> {
    let (mut is_vrf, mut table) = (false, None);
    attributes(info, |kind, value| match kind {
        IFLA_INFO_KIND => is_vrf = text(value) == "vrf",
        IFLA_INFO_DATA => attributes(value, |kind, value| {
            if kind == IFLA_VRF_TABLE {
                table = number(value);
            }
        }),
        _ => {}
    });
    table.filter(|_| is_vrf)
}

/// Messages of interfaces.
#[cfg(test)]
pub mod testing {
    use netlink_packet_core::Emitable;
    use netlink_packet_route::link::{InfoData, InfoKind, InfoVrf, LinkInfo};
    use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};

    /// An interface with these flags, and an attribute in addition to its name.
    pub fn link(index: u32, name: &str, flags: u32, more: Option<LinkAttribute>) -> Vec<u8> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        link.header.flags = LinkFlags::from_bits_retain(flags);
        link.attributes = vec![LinkAttribute::IfName(name.to_owned())];
        link.attributes.extend(more);
        let mut bytes = vec![0; link.buffer_len()];
        link.emit(&mut bytes);
        bytes
    }

    /// A VRF that is up.
    pub fn vrf(index: u32, name: &str, table: u32) -> Vec<u8> {
        let info = vec![
            LinkInfo::Kind(InfoKind::Vrf),
            LinkInfo::Data(InfoData::Vrf(vec![InfoVrf::TableId(table)])),
        ];
        let info = LinkAttribute::LinkInfo(info);
        link(index, name, super::IFF_UP, Some(info))
    }

    /// An interface that is up, in the VRF or bridge with this index.
    pub fn member(index: u32, name: &str, of: u32) -> Vec<u8> {
        let of = LinkAttribute::Controller(of);
        link(index, name, super::IFF_UP, Some(of))
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo};

    use super::*;

    #[test]
    fn a_vrf_has_a_table_and_its_members_name_it() {
        let red = Link {
            index: 5,
            flags: IFF_UP,
            name: "red".to_owned(),
            master: None,
            group: None,
            vrf: Some(10),
        };
        let message = testing::vrf(5, "red", 10);
        assert_eq!(Link::read(&message), Some(red));
        for cut in 0..message.len() {
            let _ = Link::read(&message[..cut]);
        }
        let eth1 = Link::read(&testing::member(7, "eth1", 5)).unwrap();
        assert_eq!((eth1.master, eth1.vrf), (Some(5), None));
        let bridge = LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]);
        let bridge = Link::read(&testing::link(9, "br0", 0, Some(bridge))).unwrap();
        assert_eq!((bridge.vrf, bridge.flags), (None, 0));
    }
}
