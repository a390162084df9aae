//! Addresses of the feeds' hosts: which are opened while a download connects to them, and which
//! stay so.
//!
//! Names are answered by others than the operator, so an address is protected while it is connected
//! to and afterwards only where the server proved itself (`feed::fetch::connect`). Of each host
//! at most eight are tried in a pass, one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use reqwest::Url;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::discovery::url_of;
use crate::config::Config;
use crate::discover::{Found, Host, Remembered, Source, address_of, host_network};
use crate::feed::fetch::{AddressRequest, HostAddress};
use crate::prefix::PrefixSet;
use crate::time::Timestamp;

/// What is tried now, and how much was in this pass. Pure.
#[derive(Clone, Debug, Default)]
pub struct ConnectAttempts {
    hosts: BTreeMap<String, Tried>,
}

#[derive(Clone, Debug, Default)]
struct Tried {
    /// In this pass.
    ever: BTreeSet<IpAddr>,
    /// Connected to, and by how many downloads.
    now: BTreeMap<IpAddr, usize>,
}

impl ConnectAttempts {
    /// Begin a pass: nothing is connected to.
    pub fn clear(&mut self) {
        self.hosts.clear();
    }

    /// One more download connects to this. Returns whether it may: the addresses of a host are
    /// bounded.
    fn open(&mut self, place: &HostAddress) -> bool {
        let most = Source::FeedHosts.most().unwrap_or(usize::MAX);
        let host = self.hosts.entry(place.name.clone()).or_default();
        let ip = place.ip.to_canonical();
        if !host.ever.contains(&ip) && host.ever.len() >= most {
            return false;
        }
        host.ever.insert(ip);
        *host.now.entry(ip).or_default() += 1;
        true
    }

    /// One less does.
    fn close(&mut self, place: &HostAddress) {
        let ip = place.ip.to_canonical();
        let host = self.hosts.get_mut(&place.name);
        if let Some(host) = host
            && let Some(count) = host.now.get_mut(&ip)
        {
            *count -= 1;
            if *count == 0 {
                host.now.remove(&ip);
            }
        }
    }

    /// What is connected to now, as if it were shown now.
    pub fn found(&self, config: &Config, now: Timestamp) -> Vec<Remembered> {
        let hosts = self.hosts.iter();
        let places = hosts.flat_map(|(name, host)| host.now.keys().map(move |ip| (name, *ip)));
        let found = places.flat_map(|(name, ip)| shown(config, name, ip));
        found
            .map(|found| Remembered {
                source: Source::FeedHosts,
                found,
                first_seen: now,
                last_seen: now,
            })
            .collect()
    }
}

/// What the downloads of a pass ask, and what they proved.
pub struct AddressRequests {
    asked: Option<UnboundedReceiver<AddressRequest>>,
    /// Downloads that wait for an address to be opened.
    waiting: Vec<oneshot::Sender<bool>>,
    proven: Vec<HostAddress>,
}

impl AddressRequests {
    /// `None` if the configuration protects no hosts.
    pub fn new(asked: Option<UnboundedReceiver<AddressRequest>>) -> Self {
        Self {
            asked,
            waiting: Vec::new(),
            proven: Vec::new(),
        }
    }

    /// The next request; pending for ever if hosts are not protected. May be dropped at any point:
    /// nothing is lost.
    pub async fn next(&mut self) -> AddressRequest {
        let asked = match &mut self.asked {
            Some(asked) => asked.recv().await,
            None => None,
        };
        match asked {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }

    /// Answer it. Answers whether routes must be changed first.
    pub fn take(
        &mut self,
        asked: AddressRequest,
        tries: &mut ConnectAttempts,
        in_force: &PrefixSet,
    ) -> bool {
        let dropped = |ip: IpAddr| host_network(ip).is_some_and(|net| in_force.overlaps(net));
        match asked {
            AddressRequest::Which(ips, answer) => {
                let closed = ips.into_iter().filter(|ip| dropped(*ip)).collect();
                // A download that was given up needs no answer.
                let _ = answer.send(closed);
            }
            AddressRequest::Open(place, answer) if !tries.open(&place) => {
                let _ = answer.send(false);
            }
            AddressRequest::Open(place, answer) if dropped(place.ip) => {
                self.waiting.push(answer);
                return true;
            }
            AddressRequest::Open(_, answer) => {
                let _ = answer.send(true);
            }
            AddressRequest::Close(place) => tries.close(&place),
            AddressRequest::Proven(place) => self.proven.push(place),
        }
        false
    }

    /// The routes are changed: those who wait may connect.
    pub fn opened(&mut self) {
        for answer in self.waiting.drain(..) {
            let _ = answer.send(true);
        }
    }

    /// What was proven since, with what each is shown for.
    pub fn proven(&mut self, config: &Config) -> Vec<Found> {
        let places = std::mem::take(&mut self.proven);
        let found = places
            .iter()
            .flat_map(|place| shown(config, &place.name, place.ip));
        found.collect()
    }
}

/// An address of a name, for each feed of that host. A name that no feed has is the proxy's: of the
/// configuration, or of the environment.
fn shown(config: &Config, name: &str, ip: IpAddr) -> Vec<Found> {
    let feeds = config
        .feeds
        .iter()
        .filter_map(|feed| match url_of(&feed.origin) {
            Some(url) if has(&url, name) => Some(format!("feed {}", feed.name)),
            _ => None,
        });
    let mut whose: Vec<String> = feeds.collect();
    let is_proxy = config
        .fetch
        .proxy
        .as_ref()
        .is_some_and(|url| has(url, name));
    if whose.is_empty() || is_proxy {
        whose.push("the proxy".to_owned());
    }
    let found = whose.into_iter().filter_map(|feed| {
        let name = name.to_owned();
        Some(address_of(&Host { name, feed }, host_network(ip)?))
    });
    found.collect()
}

fn has(url: &Url, name: &str) -> bool {
    url.host_str() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, ip: &str) -> HostAddress {
        HostAddress {
            name: name.to_owned(),
            ip: ip.parse().unwrap(),
        }
    }

    fn config() -> Config {
        let text = "[[feed]]\nname = \"partner\"\nurl = \"https://lists.example/list\"\n";
        crate::config::parse("x.toml".as_ref(), text, &|_| Ok(Vec::new())).unwrap()
    }

    fn open(
        reach: &mut AddressRequests,
        tries: &mut ConnectAttempts,
        place: &HostAddress,
        in_force: &PrefixSet,
    ) -> bool {
        let (answer, mut answered) = oneshot::channel();
        let routes = reach.take(AddressRequest::Open(place.clone(), answer), tries, in_force);
        if routes {
            assert!(answered.try_recv().is_err(), "not before the routes");
            reach.opened();
        }
        answered.try_recv().unwrap()
    }

    #[test]
    fn of_a_host_eight_addresses_are_opened_and_each_is_closed() {
        let in_force = PrefixSet::of_nets(["192.0.2.0/24".parse().unwrap()]);
        let (mut reach, mut tries) = (AddressRequests::new(None), ConnectAttempts::default());
        let config = config();
        for i in 0..39 {
            let place = place("lists.example", &format!("192.0.2.{i}"));
            assert_eq!(
                open(&mut reach, &mut tries, &place, &in_force),
                i < 8,
                "{i}"
            );
            assert_eq!(tries.found(&config, Timestamp(7)).len(), usize::from(i < 8));
            reach.take(AddressRequest::Close(place), &mut tries, &in_force);
        }
        assert!(tries.found(&config, Timestamp(7)).is_empty());
        // One that was tried may be tried again, and another host has its own.
        assert!(open(
            &mut reach,
            &mut tries,
            &place("lists.example", "192.0.2.3"),
            &in_force
        ));
        assert!(open(
            &mut reach,
            &mut tries,
            &place("b.example", "192.0.2.99"),
            &in_force
        ));
    }

    #[test]
    fn two_downloads_of_one_address_close_it_together() {
        let (mut reach, mut tries) = (AddressRequests::new(None), ConnectAttempts::default());
        let config = config();
        let (one, nothing) = (place("lists.example", "192.0.2.1"), PrefixSet::default());
        for _ in 0..2 {
            assert!(open(&mut reach, &mut tries, &one, &nothing));
        }
        for left in [1, 0] {
            reach.take(AddressRequest::Close(one.clone()), &mut tries, &nothing);
            assert_eq!(tries.found(&config, Timestamp(7)).len(), left);
        }
    }
}
