//! The addresses of hosts that feeds are fetched from (I/O).

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Cause, Failed, Found, Host, Shown, network};

/// A name that takes longer is left to the next look; the others count.
const PATIENCE: Duration = Duration::from_secs(4);

/// All addresses of all hosts, private ones too. A name that does not resolve is a part that failed, for
/// each feed that has it.
pub async fn addresses(hosts: &[Host]) -> Shown {
    let mut shown = Shown::default();
    let mut named: BTreeMap<&str, Vec<&Host>> = BTreeMap::new();
    for host in hosts {
        match host.name.parse::<IpAddr>() {
            Ok(ip) => shown.found.extend(found(host, ip)),
            Err(_) => named.entry(&host.name).or_default().push(host),
        }
    }
    let answers = named.keys().map(|name| resolve(name));
    let answers = join_all(answers).await;
    for (hosts, answer) in named.values().zip(answers) {
        for host in hosts {
            match &answer {
                Ok(ips) => shown
                    .found
                    .extend(ips.iter().filter_map(|ip| found(host, *ip))),
                Err(text) => shown.failed.push(Failed {
                    why: Some(why(host)),
                    cause: Cause::Error(text.clone()),
                }),
            }
        }
    }
    shown
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
    Some(Found {
        net: network::host(ip)?,
        why: why(host),
    })
}

fn why(Host { name, feed }: &Host) -> String {
    format!("host of {feed}: {name}")
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

    fn said(shown: &Shown) -> Vec<String> {
        let found = shown.found.iter().map(|f| format!("{} {}", f.net, f.why));
        let failed = shown.failed.iter().map(|failed| {
            let why = failed.why.as_deref().unwrap_or("all");
            match &failed.cause {
                Cause::NotAsked => format!("not asked: {why}"),
                // The rest is the resolver's own words.
                Cause::Error(text) => {
                    let (text, _) = text.split_once(": ").unwrap();
                    format!("{text}: {why}")
                }
            }
        });
        found.chain(failed).collect()
    }

    #[tokio::test]
    async fn a_literal_needs_no_resolver() {
        let literals = [
            host("192.168.0.7", "feed noc"),
            host("2001:db8::7", "proxy"),
        ];
        assert_eq!(
            said(&addresses(&literals).await),
            [
                "192.168.0.7/32 host of feed noc: 192.168.0.7",
                "2001:db8::7/128 host of proxy: 2001:db8::7"
            ]
        );
        assert_eq!(addresses(&[]).await, Shown::default());
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_fails_alone() {
        let some = [
            host("lists.invalid", "feed a"),
            host("192.0.2.9", "feed b"),
            host("lists.invalid", "feed c"),
        ];
        assert_eq!(
            said(&addresses(&some).await),
            [
                "192.0.2.9/32 host of feed b: 192.0.2.9",
                "lists.invalid does not resolve: host of feed a: lists.invalid",
                "lists.invalid does not resolve: host of feed c: lists.invalid",
            ]
        );
        // A name of this machine resolves, to an address that is never dropped.
        let own = [host("localhost", "feed c")];
        assert_eq!(addresses(&own).await, Shown::default());
    }
}
