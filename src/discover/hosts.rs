//! The addresses of hosts that feeds are fetched from (I/O).

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Found, Host, Names, network};

/// A name that takes longer is left to the next look; the others count.
const PATIENCE: Duration = Duration::from_secs(4);

/// All addresses of all hosts, private ones too. A name that does not resolve is no fault of the others.
///
/// # Errors
/// In words, when names may not be asked for, or none resolves.
pub async fn addresses(hosts: &[Host], names: Names) -> Result<Vec<Found>, String> {
    let mut shown = Vec::new();
    let mut named: BTreeMap<&str, Vec<&Host>> = BTreeMap::new();
    for host in hosts {
        match host.name.parse::<IpAddr>() {
            Ok(ip) => shown.extend(found(host, ip)),
            Err(_) => named.entry(&host.name).or_default().push(host),
        }
    }
    if names == Names::Leave && !named.is_empty() {
        return Err("not asked: names are resolved by a pass only".to_owned());
    }
    let answers = named.keys().map(|name| resolve(name));
    let answers = join_all(answers).await;
    let mut answered = shown.len() + usize::from(named.is_empty());
    let mut failure = None;
    for (hosts, answer) in named.values().zip(answers) {
        match answer {
            Ok(ips) => {
                answered += 1;
                let each = |host: &&Host| -> Vec<_> {
                    ips.iter().filter_map(|ip| found(host, *ip)).collect()
                };
                shown.extend(hosts.iter().flat_map(each));
            }
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    match failure {
        Some(why) if answered == 0 => Err(why),
        _ => Ok(shown),
    }
}

async fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
    let answer = timeout(PATIENCE, lookup_host((name, 0))).await;
    match answer.unwrap_or_else(late) {
        Ok(found) => Ok(found.map(|address| address.ip()).collect()),
        Err(error) => Err(format!("{name} does not resolve: {error}")),
    }
}

fn found(host: &Host, ip: IpAddr) -> Option<Found> {
    let Host { name, feed } = host;
    Some(Found {
        net: network::host(ip)?,
        why: format!("host of {feed}: {name}"),
    })
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

    #[tokio::test]
    async fn a_literal_needs_no_resolver_and_a_name_is_asked_only_where_it_may_be() {
        let literals = [
            host("192.168.0.7", "feed noc"),
            host("2001:db8::7", "proxy"),
        ];
        for names in [Names::Ask, Names::Leave] {
            let shown = addresses(&literals, names).await.unwrap();
            let shown: Vec<_> = shown
                .iter()
                .map(|f| format!("{} {}", f.net, f.why))
                .collect();
            assert_eq!(
                shown,
                [
                    "192.168.0.7/32 host of feed noc: 192.168.0.7",
                    "2001:db8::7/128 host of proxy: 2001:db8::7"
                ]
            );
        }
        let named = [
            host("192.168.0.7", "feed noc"),
            host("lists.invalid", "feed x"),
        ];
        let refused = addresses(&named, Names::Leave).await.unwrap_err();
        assert!(refused.starts_with("not asked"), "{refused}");
        assert_eq!(addresses(&[], Names::Ask).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_fails_alone() {
        let some = [host("lists.invalid", "feed a"), host("192.0.2.9", "feed b")];
        assert_eq!(addresses(&some, Names::Ask).await.unwrap().len(), 1);
        let none = addresses(&some[..1], Names::Ask).await.unwrap_err();
        assert!(
            none.starts_with("lists.invalid does not resolve: "),
            "{none}"
        );
        // A name of this machine resolves, to an address that is never dropped.
        let own = [host("localhost", "feed c")];
        assert_eq!(addresses(&own, Names::Ask).await, Ok(vec![]));
    }
}
