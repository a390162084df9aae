//! Hosts that feeds are fetched from. Pure.
//!
//! An address that is written in the configuration is protected like every other address there. The
//! addresses of a name are chosen by its name server: the downloads show them, as far as they are
//! proven.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Answer, Found, Host, network};
use crate::prefix::Item;

/// The hosts that are written as addresses, private ones too.
pub fn literals(hosts: &[Host]) -> Answer {
    let found = hosts.iter().filter_map(|host| {
        let net = network::host(host.name.parse::<IpAddr>().ok()?)?;
        Some(address_of(host, net))
    });
    Answer::from(found.collect::<Vec<_>>())
}

/// An address of a host.
pub fn address_of(Host { name, feed }: &Host, net: IpNet) -> Found {
    Found {
        item: Item::Prefix(net),
        why: format!("host of {feed}: {name}"),
        host: Some(name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, feed: &str) -> Host {
        Host {
            name: name.to_owned(),
            feed: feed.to_owned(),
        }
    }

    #[test]
    fn what_is_typed_is_shown_and_a_name_is_not() {
        let hosts = [
            host("192.168.0.7", "feed noc"),
            host("2001:db8::7", "the proxy"),
            host("lists.example", "feed a"),
            host("127.0.0.1", "feed here"),
        ];
        let shown = literals(&hosts);
        let said = shown.found.iter().map(|f| format!("{} {}", f.item, f.why));
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                "192.168.0.7/32 host of feed noc: 192.168.0.7",
                "2001:db8::7/128 host of the proxy: 2001:db8::7"
            ]
        );
        assert!(shown.failed.is_empty());
        assert_eq!(literals(&[]), Answer::default());
    }
}
