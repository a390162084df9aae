//! Notices changes in the kernel without asking it repeatedly (I/O).

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::io;
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::sleep;

use super::message::{self, Address};
use super::object::{self, RTM_NEWNEXTHOP};
use crate::discover::{Source, SourceAnswer, network};
use crate::netlink::Notifications;
use crate::netlink::message::{Message, RTM_DELADDR, RTM_NEWADDR, RTM_NEWROUTE, messages};

/// `RTNLGRP_IPV4_IFADDR` and `RTNLGRP_IPV6_IFADDR`.
const ADDRESSES: [u32; 2] = [5, 9];
/// `RTNLGRP_IPV4_ROUTE`, `RTNLGRP_IPV6_ROUTE` and `RTNLGRP_NEXTHOP`.
const ROUTES: [u32; 3] = [7, 11, 32];

/// Notifications that arrive within this time after a change belong to it: an interface gets its
/// addresses one after the other.
const GATHER: Duration = Duration::from_millis(50);

/// Size of the receive buffer for notifications, in bytes.
const ROOM: usize = 4 << 20;

/// At most this many datagrams are read at once, however fast they arrive.
const DRAIN: usize = 16_384;

/// At most this many networks are kept by name; a scan finds the others.
const TOLD: usize = 1_000;

/// Receives changes of addresses, routes and nexthop objects.
pub struct Watch {
    /// Addresses have a socket of their own: however many routes change, no address is lost, and
    /// addresses are read first. None if no source needs it.
    addresses: Option<Notifications>,
    routes: Option<Notifications>,
    seen: Noticed,
}

/// What is known, and whether there is news.
#[derive(Default)]
struct Noticed {
    /// What each watched source showed last.
    known: BTreeMap<Source, BTreeSet<IpNet>>,
    /// What the kernel has reported since, and no scan has shown yet.
    appeared: BTreeSet<IpNet>,
    /// Something has changed that [`Watch::changed`] has not reported.
    news: bool,
}

impl Watch {
    /// Receive the changes that concern these sources. Open it before the first scan, so that no
    /// change is lost in between.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn open(sources: &[Source]) -> io::Result<Self> {
        let mut watch = Self::blind();
        for source in sources {
            let (socket, groups) = match source {
                Source::Addresses | Source::Connected => (&mut watch.addresses, &ADDRESSES[..]),
                Source::Gateways => (&mut watch.routes, &ROUTES[..]),
                _ => continue,
            };
            if socket.is_none() {
                // With a smaller buffer an overflow occurs sooner; a scan follows, and nothing is
                // lost.
                *socket = Some(Notifications::open(groups, ROOM)?);
            }
            watch.seen.known.insert(*source, BTreeSet::new());
        }
        Ok(watch)
    }

    /// One that notices nothing.
    pub fn blind() -> Self {
        Self {
            addresses: None,
            routes: None,
            seen: Noticed::default(),
        }
    }

    /// Mark the results of the last scan as known, so that they are no longer news. A part that
    /// gave no answer stays known as before.
    pub fn know(&mut self, answers: &[SourceAnswer]) {
        for (source, shown) in answers {
            let Some(known) = self.seen.known.get_mut(source) else {
                continue;
            };
            if shown.failed.is_empty() {
                known.clear();
            }
            known.extend(shown.found.iter().filter_map(|found| found.net()));
        }
        let Noticed {
            known, appeared, ..
        } = &mut self.seen;
        appeared.retain(|net| !known.values().any(|known| known.contains(net)));
    }

    /// The addresses, their networks, and the gateways that the kernel has reported since the last
    /// call and that no scan had shown. They can be protected before a scan, which reads all routes
    /// and may take seconds where they change all the time. The set may be incomplete: a scan
    /// decides.
    pub fn appeared(&mut self) -> BTreeSet<IpNet> {
        std::mem::take(&mut self.seen.appeared)
    }

    /// Return when a scan would show something that is not known, when an address has gone, or when
    /// notifications were lost. May be dropped at any point: nothing is lost.
    pub async fn changed(&mut self) {
        while !self.seen.news {
            self.receive().await;
        }
        sleep(GATHER).await;
        self.drain();
        self.seen.news = false;
    }

    /// Return when [`appeared`](Self::appeared) is not empty, which is news as well. May be dropped
    /// at any point: nothing is lost.
    pub async fn named(&mut self) {
        while self.seen.appeared.is_empty() {
            self.receive().await;
        }
        // The addresses of an interface arrive one after the other.
        sleep(GATHER).await;
        self.seen.drain(&mut self.addresses);
    }

    async fn receive(&mut self) {
        let Self {
            addresses,
            routes,
            seen,
        } = self;
        tokio::select! {
            biased;
            received = receive(addresses) => seen.process(received),
            received = receive(routes) => seen.process(received),
        }
    }

    /// Whether [`changed`](Self::changed) would return at once. Does not wait. A change is reported
    /// once, here or there.
    pub fn poll_changed(&mut self) -> bool {
        self.drain();
        std::mem::take(&mut self.seen.news)
    }

    /// Read the waiting notifications.
    fn drain(&mut self) {
        self.seen.drain(&mut self.addresses);
        self.seen.drain(&mut self.routes);
    }
}

/// The next datagram; never returns if there is no socket.
async fn receive(subscription: &mut Option<Notifications>) -> io::Result<&[u8]> {
    match subscription {
        Some(subscription) => subscription.receive().await,
        None => pending().await,
    }
}

impl Noticed {
    fn drain(&mut self, subscription: &mut Option<Notifications>) {
        let Some(subscription) = subscription else {
            return;
        };
        for _ in 0..DRAIN {
            match subscription.try_receive() {
                Some(received) => self.process(received),
                None => return,
            }
        }
    }

    fn process(&mut self, received: io::Result<&[u8]>) {
        match received {
            Ok(datagram) => {
                for message in messages(datagram) {
                    match message {
                        Ok(message) => self.notified(message),
                        Err(_) => self.news = true,
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // ENOBUFS: notifications were lost (netlink(7)). After any other error, too, a scan
            // follows.
            Err(_) => self.news = true,
        }
    }

    /// Take in a message. It is news if a scan would show something different after it.
    fn notified(&mut self, message: Message<'_>) {
        match message.kind {
            RTM_NEWROUTE => message::hops(message.payload, |hop| {
                self.shows(Source::Gateways, hop.net);
            }),
            RTM_NEWNEXTHOP => {
                if let Some(hop) = object::hop(message.payload) {
                    self.shows(Source::Gateways, hop.net);
                }
            }
            RTM_NEWADDR => {
                let address = Address::read(message.payload);
                for (source, net) in address.into_iter().flat_map(shows) {
                    self.shows(source, net);
                }
            }
            RTM_DELADDR => {
                let address = Address::read(message.payload);
                for (source, net) in address.into_iter().flat_map(shows) {
                    // The address may return before a scan; it is news again then.
                    self.news |= self.known.contains_key(&source);
                    self.appeared.remove(&net);
                }
            }
            _ => {}
        }
    }

    /// A source shows this network now.
    fn shows(&mut self, source: Source, net: IpNet) {
        if !self.unknown(source, net) {
            return;
        }
        self.news = true;
        if self.appeared.len() < TOLD {
            self.appeared.insert(net);
        }
    }

    fn unknown(&self, source: Source, net: IpNet) -> bool {
        let known = self.known.get(&source);
        known.is_some_and(|known| !known.contains(&net))
    }
}

/// The networks that the sources show for an address.
fn shows(address: Address) -> impl Iterator<Item = (Source, IpNet)> {
    let own = address.own().map(|net| (Source::Addresses, net));
    let peer = address.peer().map(|net| (Source::Addresses, net));
    let network = address.network().filter(|net| !network::too_wide(net));
    let network = network.map(|net| (Source::Connected, net));
    [own, peer, network].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Answer, Found};

    #[test]
    fn what_appears_is_told_by_name_once_and_not_what_is_known_or_gone() {
        let mut watch = Watch::blind();
        watch.seen.known.insert(Source::Addresses, BTreeSet::new());
        let mut hear = |kind, last: u8| {
            // `struct ifaddrmsg` and IFA_LOCAL.
            let mut payload = vec![2, 32, 0, 0, 1, 0, 0, 0];
            payload.extend([8, 0, 2, 0, 192, 0, 2, last]);
            watch.seen.notified(Message {
                kind,
                flags: 0,
                sequence: 0,
                port: 0,
                payload: &payload,
            });
            let appeared: Vec<String> = watch.seen.appeared.iter().map(IpNet::to_string).collect();
            (std::mem::take(&mut watch.seen.news), appeared.join(" "))
        };
        assert_eq!(hear(RTM_NEWADDR, 1), (true, "192.0.2.1/32".to_owned()));
        let both = "192.0.2.1/32 192.0.2.2/32".to_owned();
        assert_eq!(hear(RTM_NEWADDR, 2), (true, both));
        assert_eq!(hear(RTM_DELADDR, 1), (true, "192.0.2.2/32".to_owned()));
        assert_eq!(watch.appeared().len(), 1);
        assert!(watch.appeared().is_empty(), "it is told once");
        let known = Found::new("192.0.2.3/32".parse().unwrap(), "address of lo");
        watch.know(&[(Source::Addresses, vec![known].into())]);
        let mut payload = vec![2, 32, 0, 0, 1, 0, 0, 0];
        payload.extend([8, 0, 2, 0, 192, 0, 2, 3]);
        watch.seen.notified(Message {
            kind: RTM_NEWADDR,
            flags: 0,
            sequence: 0,
            port: 0,
            payload: &payload,
        });
        assert!(!watch.seen.news && watch.appeared().is_empty());
    }

    #[test]
    fn what_gave_no_answer_is_known_as_before() {
        let mut watch = Watch::blind();
        watch.seen.known.insert(Source::Gateways, BTreeSet::new());
        let gateway = |net: &str| Found::new(net.parse().unwrap(), "gateway on eth0");
        let mut known = |shown: Answer| -> Vec<String> {
            watch.know(&[(Source::Gateways, shown)]);
            let known = watch.seen.known[&Source::Gateways].iter();
            known.map(IpNet::to_string).collect()
        };
        let (one, two) = ("192.0.2.1/32", "192.0.2.2/32");
        assert_eq!(known(vec![gateway(one)].into()), [one]);
        assert_eq!(known(Answer::error("no socket")), [one]);
        let mut half = Answer::error("no nexthop objects");
        half.found.push(gateway(two));
        assert_eq!(known(half), [one, two]);
        assert_eq!(known(vec![gateway(two)].into()), [two]);
    }
}
