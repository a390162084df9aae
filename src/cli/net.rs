//! The one prefix or address that a verb is asked about.

use ipnet::IpNet;

use super::Stop;
use crate::prefix::{HostBits, Item, Written, asn_of, parse};

/// The same, or an origin AS: `AS64500`.
pub(super) fn one_item(text: &str, host_bits: HostBits) -> Result<Item, Stop> {
    match asn_of(text) {
        Some(asn) => Ok(Item::Origin(asn)),
        None => one_net(text, host_bits).map(Item::Prefix),
    }
}

/// Read it in any written form. A verb that changes something refuses host bits, for what was meant
/// is not sure; one that only looks takes the network.
pub(super) fn one_net(text: &str, host_bits: HostBits) -> Result<IpNet, Stop> {
    let rest = match host_bits {
        HostBits::Refuse => "; nothing was changed",
        HostBits::Mask => "",
    };
    match parse(text, host_bits) {
        Ok(Written::V4(prefix)) => Ok(prefix.to_net()),
        Ok(Written::V6(prefix)) => Ok(prefix.to_net()),
        Ok(_) => Err(Stop::usage(format!(
            "{text}: a range; name an address or a prefix{rest}"
        ))),
        Err(reason) => Err(Stop::usage(format!("{text}: {reason}{rest}"))),
    }
}
