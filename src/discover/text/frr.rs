//! BGP neighbors in FRR's configuration: what `show running-config` prints, `frr.conf`, `bgpd.conf`
//! (<https://docs.frrouting.org/en/latest/bgp.html>).

use std::collections::BTreeSet;

use super::{Reader, address, origin, range};
use crate::prefix::Item;

/// Reads `neighbor ADDRESS … remote-as ASN` and `bgp listen range PREFIX …` inside `router bgp`.
/// Interfaces and peer groups, which have the same position as an address, contribute their AS.
#[derive(Debug, Default)]
pub struct Config {
    in_bgp: bool,
    found: BTreeSet<Item>,
}

impl Reader for Config {
    fn line(&mut self, line: &str) {
        let indented = line.starts_with([' ', '\t']);
        let mut words = line.split_whitespace();
        let next = &mut words;
        match (next.next(), next.next()) {
            (Some("router"), Some(protocol)) => self.in_bgp = protocol == "bgp",
            // Other blocks that have neighbors, and the ends of blocks; an indented `exit` ends an
            // inner block.
            (Some("mpls" | "interface" | "vrf" | "exit" | "end"), _) if !indented => {
                self.in_bgp = false;
            }
            (Some("neighbor"), Some(who)) if self.in_bgp => {
                self.found.extend(address(who).map(Item::Prefix));
                // `external` and `internal` are no numbers.
                let mut remote = next.skip_while(|word| *word != "remote-as").skip(1);
                self.found.extend(remote.next().and_then(origin));
            }
            (Some("bgp"), Some("listen")) if self.in_bgp && next.next() == Some("range") => {
                self.found
                    .extend(next.next().and_then(range).map(Item::Prefix));
            }
            _ => {}
        }
    }

    fn found(self) -> BTreeSet<Item> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::text::read;

    const RUNNING: &str = "Building configuration...

Current configuration:
!
frr version 8.4.4
frr defaults traditional
hostname edge1
service integrated-vtysh-config
!
ip route 192.0.2.1/32 blackhole
!
vrf customers
 ip route 10.0.0.0/8 10.9.9.9
exit-vrf
!
interface eth0
 ip address 198.51.100.2/30
exit
!
router bgp 65001
 bgp router-id 10.0.0.1
 no bgp default ipv4-unicast
 bgp listen limit 200
 bgp listen range 203.0.113.0/24 peer-group customers
 bgp listen range 2001:db8:5::/48 peer-group customers
 bgp listen range 0.0.0.0/0 peer-group anybody
 neighbor customers peer-group
 neighbor customers remote-as 64496
 neighbor 198.51.100.1 remote-as 64500
 neighbor 198.51.100.5 remote-as 1.0
 neighbor 198.51.100.1 description upstream, not 192.0.2.77
 neighbor 2001:db8::1 remote-as 65000
 neighbor fe80::1 remote-as 65000
 neighbor eth1 interface remote-as external
 neighbor eth2 interface remote-as 64500
 !
 segment-routing srv6
  locator main
 exit
 !
 address-family ipv4 unicast
  redistribute kernel route-map NULLROUTED-IN
  neighbor 198.51.100.1 activate
  neighbor 198.51.100.5 activate
 exit-address-family
exit
!
router bgp 65001 vrf customers
 neighbor 10.9.9.1 remote-as 65009
exit
!
router ospf
 neighbor 192.0.2.201
exit
!
mpls ldp
 router-id 10.0.0.1
 neighbor 192.0.2.202 password secret
exit
!
end
";

    #[test]
    fn neighbors_of_bgp_are_read_and_no_others() {
        assert_eq!(
            read::<Config>(RUNNING),
            [
                "10.9.9.1/32",
                "198.51.100.1/32",
                "198.51.100.5/32",
                "203.0.113.0/24",
                "2001:db8::1/128",
                "2001:db8:5::/48",
                "AS64496",
                "AS64500",
                "AS65536",
            ]
        );
    }

    #[test]
    fn a_file_written_by_hand_needs_no_indentation() {
        let text = "router bgp 65001\n! neighbor 192.0.2.8 remote-as 1\nneighbor 192.0.2.1 remote-as 65000\n\
            address-family ipv4\nneighbor 192.0.2.2 remote-as 65000\nexit-address-family\n\
            router rip\nneighbor 192.0.2.3\n";
        assert_eq!(read::<Config>(text), ["192.0.2.1/32", "192.0.2.2/32"]);
    }
}
