//! What a router may still hold of earlier files.

use ipnet::IpNet;

use crate::prefix::{Effective, Prefix};

/// What was in force of late and no longer is: some routers keep a line until another one takes it
/// away. Each prefix as it stood in the files, ascending; nothing of it is in the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToUnconfigure {
    /// IPv4.
    pub v4: Vec<Prefix<u32>>,
    /// IPv6.
    pub v6: Vec<Prefix<u128>>,
    pub origins: Vec<u32>,
}

impl ToUnconfigure {
    pub fn nothing() -> &'static Self {
        static NOTHING: ToUnconfigure = ToUnconfigure {
            v4: Vec::new(),
            v6: Vec::new(),
            origins: Vec::new(),
        };
        &NOTHING
    }

    /// Of what was in force, what is not in `effective`.
    pub fn of(
        nets: impl IntoIterator<Item = IpNet>,
        asns: impl IntoIterator<Item = u32>,
        effective: &Effective,
    ) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for net in nets {
            match net {
                IpNet::V4(net) => v4.push(net.into()),
                IpNet::V6(net) => v6.push(net.into()),
            }
        }
        Self {
            v4: without(v4, &effective.nets.v4),
            v6: without(v6, &effective.nets.v6),
            origins: without(asns.into_iter().collect(), &effective.origins),
        }
    }
}

/// Ascending, each once, but for those that are there, which ascend.
fn without<T: Ord>(mut gone: Vec<T>, there: &[T]) -> Vec<T> {
    gone.retain(|item| there.binary_search(item).is_err());
    gone.sort_unstable();
    gone.dedup();
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::PrefixSet;

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
        let effective = Effective::new(set, [64_496]);
        let gone = ToUnconfigure::of(were, [64_511, 64_496, 64_511], &effective);
        let v4: Vec<_> = gone.v4.iter().map(ToString::to_string).collect();
        assert_eq!(v4, ["72.37.186.0/23", "203.0.113.0/24"]);
        let v6: Vec<_> = gone.v6.iter().map(ToString::to_string).collect();
        assert_eq!(v6, ["2001:db8::/32"]);
        assert_eq!(gone.origins, [64_511]);
    }
}
