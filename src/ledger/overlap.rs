//! Which texts of prefixes can overlap a query: the exact ones that cover it, and a range that
//! holds every inner one. So a key that begins with the text answers both, and little else is read.

use std::net::IpAddr;

use ipnet::IpNet;

/// The texts of everything that overlaps a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OverlapQuery {
    /// Every prefix that covers it whole, itself too, as a JSON array: 33 of IPv4 at most, 129 of
    /// IPv6.
    pub covering: String,
    /// Everything inside it, but not itself, lies in `from..to`, among others. Of IPv4 these
    /// are the neighbors with the same whole octets, of IPv6 those with the same groups up to the
    /// first that is zero, for that is where a text may be shortened. Nothing lies in the range of
    /// a single address.
    pub from: String,
    /// The end of that range.
    pub to: String,
}

impl OverlapQuery {
    pub fn to(net: IpNet) -> Self {
        let (from, to) = inner(net);
        Self {
            covering: covering(net),
            from,
            to,
        }
    }
}

/// The texts of everything that covers a prefix, as a JSON array.
pub(super) fn covering(net: IpNet) -> String {
    let covering: Vec<String> = (0..=net.prefix_len())
        .filter_map(|len| Some(IpNet::new(net.addr(), len).ok()?.trunc().to_string()))
        .collect();
    serde_json::to_string(&covering).unwrap_or_default()
}

fn inner(net: IpNet) -> (String, String) {
    if net.prefix_len() == net.max_prefix_len() {
        return (String::new(), String::new());
    }
    let whole = usize::from(net.prefix_len());
    // Behind a separator comes anything; behind the character that follows it in ASCII, nothing of
    // ours.
    let (head, separator, next): (Vec<String>, _, _) = match net.addr() {
        IpAddr::V4(addr) => {
            let octets = addr.octets();
            let octets = octets.iter().take(whole / 8);
            (octets.map(ToString::to_string).collect(), '.', '/')
        }
        IpAddr::V6(addr) => {
            let groups = addr.segments();
            let groups = groups.iter().take(whole / 16);
            let groups = groups.take_while(|group| **group != 0);
            (groups.map(|group| format!("{group:x}")).collect(), ':', ';')
        }
    };
    match (head.is_empty(), net) {
        // Any text that begins with a digit; and any that begins with a group or is shortened
        // there.
        (true, IpNet::V4(_)) => ("0".to_owned(), ":".to_owned()),
        (true, IpNet::V6(_)) => ("0".to_owned(), "g".to_owned()),
        (false, _) => {
            let head = head.join(&separator.to_string());
            (format!("{head}{separator}"), format!("{head}{next}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(net: &str) -> OverlapQuery {
        OverlapQuery::to(net.parse().unwrap())
    }

    #[test]
    fn as_much_of_a_text_as_is_sure_is_looked_for() {
        let range = |net| (near(net).from, near(net).to);
        let of = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(range("72.37.186.0/23"), of("72.37.", "72.37/"));
        assert_eq!(range("128.0.0.0/4"), of("0", ":"));
        assert_eq!(range("2001:db8::/32"), of("2001:db8:", "2001:db8;"));
        assert_eq!(range("2001:0:db8::/48"), of("2001:", "2001;"));
        assert_eq!(range("::/8"), of("0", "g"));
        assert_eq!(range("192.0.2.1/32"), of("", ""));
        assert_eq!(
            near("128.0.0.0/2").covering,
            r#"["0.0.0.0/0","128.0.0.0/1","128.0.0.0/2"]"#
        );
        assert_eq!(near("2001:db8::1/128").covering.matches('/').count(), 129);
    }

    fn some() -> impl Strategy<Value = (IpNet, u8)> {
        // Zero groups are what shortens a text, so they come often.
        let group = prop_oneof![Just(0_u16), any::<u16>()];
        let v6 = prop::array::uniform8(group).prop_map(IpAddr::from);
        let v4 = any::<[u8; 4]>().prop_map(IpAddr::from);
        let one = |addr: IpAddr, len: u8| IpNet::new(addr, len).unwrap().trunc();
        prop_oneof![
            (v4, 0_u8..=32, 0_u8..=32).prop_map(move |(a, len, other)| (one(a, len), other)),
            (v6, 0_u8..=128, 0_u8..=128).prop_map(move |(a, len, other)| (one(a, len), other)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_overlaps_a_prefix_is_found((net, len) in some()) {
            let outer = IpNet::new(net.addr(), len).unwrap().trunc();
            // One of the two contains the other; look for each from the other.
            let (outer, inner) = if outer.contains(&net) { (outer, net) } else { (net, outer) };
            prop_assume!(outer.contains(&inner));
            let found = OverlapQuery::to(inner);
            let covering: Vec<String> = serde_json::from_str(&found.covering).unwrap();
            prop_assert!(covering.contains(&outer.to_string()));
            if inner != outer {
                let (found, text) = (OverlapQuery::to(outer), inner.to_string());
                prop_assert!(found.from <= text && text < found.to, "{text} in {found:?}");
            }
        }
    }
}
