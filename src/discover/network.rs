//! Which networks may be shown as protected space, and which are a mistake. Pure, except for a
//! warning.

use std::net::IpAddr;
use std::sync::Once;

use ipnet::IpNet;

/// One address as a network, IPv4-mapped ones as IPv4. `None` for addresses that are never dropped
/// anyway or that no host has: loopback, unspecified, multicast, link-local of IPv6.
pub fn host(ip: IpAddr) -> Option<IpNet> {
    let ip = ip.to_canonical();
    let linked = matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let left_out = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || linked;
    (!left_out).then(|| IpNet::from(ip))
}

/// Whether a network is so large that its length must be a mistake: shorter than /8, in IPv6 /16.
/// Protecting it would keep most of the lists out.
pub fn too_wide(net: &IpNet) -> bool {
    net.prefix_len() < if net.addr().is_ipv4() { 8 } else { 16 }
}

/// Whether a network may be shown. A warning is logged for the first one in a process that is too
/// wide.
pub fn sensible(net: &IpNet, why: &str) -> bool {
    static WARNED: Once = Once::new();
    let wide = too_wide(net);
    if wide {
        WARNED.call_once(|| {
            tracing::warn!("{net} ({why}) is not protected: too large not to be a mistake");
        });
    }
    !wide
}

/// Warn, for the first one in a process, that a lease protects only a part of its network.
pub fn warn_of_lease(whole: &IpNet, part: &IpNet, device: &str) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "protect  {whole} on {device} comes with a lease and is too large for one: only {part} of it is \
             protected; list it under [protect] prefixes if it is right"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_never_dropped_is_not_shown() {
        let shown = |text: &str| host(text.parse().unwrap()).map(|net| net.to_string());
        assert_eq!(shown("192.0.2.1").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(shown("10.0.0.1").as_deref(), Some("10.0.0.1/32"));
        assert_eq!(shown("2001:db8::1").as_deref(), Some("2001:db8::1/128"));
        assert_eq!(shown("::ffff:192.0.2.1").as_deref(), Some("192.0.2.1/32"));
        for never in [
            "127.0.0.53",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "224.0.0.5",
            "fe80::1",
            "ff02::1",
        ] {
            assert_eq!(shown(never), None, "{never}");
        }
    }

    #[test]
    fn a_network_shorter_than_any_site_has_is_a_mistake() {
        let wide = |text: &str| too_wide(&text.parse().unwrap());
        assert!(wide("0.0.0.0/0") && wide("10.0.0.0/7") && wide("::/0") && wide("2000::/15"));
        assert!(!wide("10.0.0.0/8") && !wide("2001::/16"));
    }
}
