//! Hosts that feeds are fetched from. Pure.
//!
//! An address that is written in the configuration is protected like every other address there. The
//! addresses of a name are chosen by its name server: the downloads show them, as far as they are
//! proven.

use std::net::IpAddr;

use super::{Found, Host, Shown, network};

/// The hosts that are written as addresses, private ones too.
pub fn literals(hosts: &[Host]) -> Shown {
    let found = hosts.iter().filter_map(|host| {
        Some(Found {
            net: network::host(host.name.parse::<IpAddr>().ok()?)?,
            why: why(host),
        })
    });
    Shown::from(found.collect::<Vec<_>>())
}

/// The reason for which an address of a host is shown.
pub fn why(Host { name, feed }: &Host) -> String {
    format!("host of {feed}: {name}")
}

/// The name of the host in a reason from [`why`].
pub fn name_in(why: &str) -> &str {
    // The name of a host has no blank in it; the text before it may be anything.
    why.rsplit_once(": ").map_or(why, |(_, name)| name)
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
        let said = shown.found.iter().map(|f| format!("{} {}", f.net, f.why));
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                "192.168.0.7/32 host of feed noc: 192.168.0.7",
                "2001:db8::7/128 host of the proxy: 2001:db8::7"
            ]
        );
        assert!(shown.failed.is_empty());
        assert_eq!(literals(&[]), Shown::default());
    }

    #[test]
    fn a_host_is_told_by_its_name_whatever_feed_has_it() {
        for feed in ["feed a", "feed b: c", "the proxy"] {
            assert_eq!(name_in(&why(&host("lists.example", feed))), "lists.example");
            assert_eq!(name_in(&why(&host("2001:db8::7", feed))), "2001:db8::7");
        }
    }
}
