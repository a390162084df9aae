//! What a router may still hold of earlier files.

use ipnet::IpNet;

use crate::prefix::{Prefix, PrefixSet};

/// What was in force of late and no longer is: some routers keep a line until another one takes it away. Each prefix
/// as it stood in the files, ascending; nothing of it is in the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// IPv4.
    pub v4: Vec<Prefix<u32>>,
    /// IPv6.
    pub v6: Vec<Prefix<u128>>,
    /// Origin ASes.
    pub origins: Vec<u32>,
}

impl Gone {
    /// Nothing.
    pub fn nothing() -> &'static Self {
        static NOTHING: Gone = Gone {
            v4: Vec::new(),
            v6: Vec::new(),
            origins: Vec::new(),
        };
        &NOTHING
    }

    /// Of what was in force, what is neither in `set` nor in `origins`, which ascend.
    pub fn of(
        nets: impl IntoIterator<Item = IpNet>,
        asns: impl IntoIterator<Item = u32>,
        set: &PrefixSet,
        origins: &[u32],
    ) -> Self {
        let mut gone = Self::default();
        for net in nets {
            match net {
                IpNet::V4(net) => gone
                    .v4
                    .push(Prefix::new(net.addr().to_bits(), net.prefix_len())),
                IpNet::V6(net) => gone
                    .v6
                    .push(Prefix::new(net.addr().to_bits(), net.prefix_len())),
            }
        }
        gone.v4
            .retain(|prefix| set.v4.binary_search(prefix).is_err());
        gone.v6
            .retain(|prefix| set.v6.binary_search(prefix).is_err());
        gone.v4.sort_unstable();
        gone.v4.dedup();
        gone.v6.sort_unstable();
        gone.v6.dedup();
        gone.origins.extend(asns);
        gone.origins
            .retain(|asn| origins.binary_search(asn).is_err());
        gone.origins.sort_unstable();
        gone.origins.dedup();
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_force_is_not_gone_and_what_it_was_part_of_is() {
        let nets =
            |nets: &[&str]| -> Vec<IpNet> { nets.iter().map(|net| net.parse().unwrap()).collect() };
        let set = PrefixSet::of_nets(nets(&["72.37.186.0/24", "2001:db8::/48"]));
        let were = nets(&[
            "203.0.113.0/24",
            "72.37.186.0/23",
            "72.37.186.0/24",
            "203.0.113.0/24",
            "2001:db8::/48",
            "2001:db8::/32",
        ]);
        let gone = Gone::of(were, [64_511, 64_496, 64_511], &set, &[64_496]);
        let v4: Vec<_> = gone.v4.iter().map(ToString::to_string).collect();
        assert_eq!(v4, ["72.37.186.0/23", "203.0.113.0/24"]);
        let v6: Vec<_> = gone.v6.iter().map(ToString::to_string).collect();
        assert_eq!(v6, ["2001:db8::/32"]);
        assert_eq!(gone.origins, [64_511]);
    }
}
