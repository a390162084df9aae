//! Notice that the kernel would show something new, without asking it again and again (I/O).

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::io;
use std::time::Duration;

use ipnet::IpNet;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket};
use tokio::time::sleep;

use super::message::{self, Address};
use super::object::{self, RTM_NEWNEXTHOP};
use crate::discover::{Look, Source, network};
use crate::netlink::message::{Message, RTM_DELADDR, RTM_NEWADDR, RTM_NEWROUTE, messages};
use crate::netlink::{DATAGRAM, make_room};

/// Groups of rtnetlink(7), as bits (`RTNLGRP_…` of `include/uapi/linux/rtnetlink.h` less one). None of
/// them needs a capability; a kernel that does not have one leaves it silent.
const IPV4_IFADDR: u32 = 1 << 4;
const IPV4_ROUTE: u32 = 1 << 6;
const IPV6_IFADDR: u32 = 1 << 8;
const IPV6_ROUTE: u32 = 1 << 10;
const NEXTHOP: u32 = 1 << 31;

/// What comes so soon after a change belongs to it: an interface gets its addresses one after the other.
const GATHER: Duration = Duration::from_millis(50);

/// Bytes of notifications that may wait for us.
const ROOM: usize = 4 << 20;

/// So many datagrams are read in one go at most, however fast they come.
const DRAIN: usize = 16_384;

/// Listens for changes of addresses, routes and nexthop objects.
pub struct Watch {
    /// None where nothing of the kernel is wanted.
    socket: Option<TokioSocket>,
    buffer: Vec<u8>,
    seen: Seen,
}

/// What is known, and whether there is more.
struct Seen {
    /// What each source that is watched showed last.
    known: BTreeMap<Source, BTreeSet<IpNet>>,
    /// Something has changed that nobody was told of.
    news: bool,
}

impl Watch {
    /// Listen for what concerns these sources. Open it before the first look, so that nothing falls
    /// between.
    ///
    /// # Errors
    /// No netlink socket can be had.
    pub fn open(sources: &[Source]) -> io::Result<Self> {
        let mut groups = 0;
        let mut known = BTreeMap::new();
        for source in sources {
            groups |= match source {
                Source::Addresses | Source::Connected => IPV4_IFADDR | IPV6_IFADDR,
                Source::Gateways => IPV4_ROUTE | IPV6_ROUTE | NEXTHOP,
                _ => continue,
            };
            known.insert(*source, BTreeSet::new());
        }
        let socket = (groups != 0).then(|| listen(groups)).transpose()?;
        Ok(Self {
            socket,
            buffer: Vec::with_capacity(DATAGRAM),
            seen: Seen { known, news: false },
        })
    }

    /// One that notices nothing.
    pub fn blind() -> Self {
        Self {
            socket: None,
            buffer: Vec::new(),
            seen: Seen {
                known: BTreeMap::new(),
                news: false,
            },
        }
    }

    /// What the last look showed is known: it is news no more. What gave no answer is known as before.
    pub fn know(&mut self, looks: &[Look]) {
        for (source, shown) in looks {
            let Some(known) = self.seen.known.get_mut(source) else {
                continue;
            };
            if shown.failed.is_empty() {
                known.clear();
            }
            known.extend(shown.found.iter().map(|found| found.net));
        }
    }

    /// Return when a look would show something that is not known, when an address has gone, or when the
    /// kernel had more to say than there was room for. May be dropped at any point: nothing is lost.
    pub async fn changed(&mut self) {
        let Some(socket) = &self.socket else {
            return pending().await;
        };
        while !self.seen.news {
            self.buffer.clear();
            let received = socket.recv(&mut self.buffer).await;
            self.seen.judge(received, &self.buffer);
        }
        sleep(GATHER).await;
        self.drain();
        self.seen.news = false;
    }

    /// Whether [`changed`](Self::changed) has something to say, without waiting. A change is told once, here
    /// or there.
    pub fn poll_changed(&mut self) -> bool {
        self.drain();
        std::mem::take(&mut self.seen.news)
    }

    /// Read what has come.
    fn drain(&mut self) {
        let Some(socket) = &self.socket else { return };
        for _ in 0..DRAIN {
            self.buffer.clear();
            let received = socket.socket_ref().recv(&mut self.buffer, 0);
            match received {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                received => self.seen.judge(received.map(drop), &self.buffer),
            }
        }
    }
}

fn listen(groups: u32) -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
    // Less room means that an overflow is told sooner; a look follows, and nothing is lost.
    make_room(socket.socket_ref(), ROOM);
    socket.socket_mut().bind(&SocketAddr::new(0, groups))?;
    Ok(socket)
}

impl Seen {
    fn judge(&mut self, received: io::Result<()>, datagram: &[u8]) {
        self.news |= match received {
            Ok(()) => messages(datagram).any(|one| one.map_or(true, |one| self.is_news(one))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            // ENOBUFS: notifications were lost (netlink(7)). Whatever else it is, a look will tell.
            Err(_) => true,
        };
    }

    /// Whether a look would show something else after this.
    fn is_news(&self, message: Message<'_>) -> bool {
        let mut news = false;
        match message.kind {
            RTM_NEWROUTE => message::hops(message.payload, |hop| {
                news |= self.unknown(Source::Gateways, hop.net);
            }),
            RTM_NEWNEXTHOP => {
                let hop = object::hop(message.payload);
                news = hop.is_some_and(|hop| self.unknown(Source::Gateways, hop.net));
            }
            RTM_NEWADDR | RTM_DELADDR => {
                let gone = message.kind == RTM_DELADDR;
                let address = Address::read(message.payload);
                news = address.into_iter().flat_map(shows).any(|(source, net)| {
                    self.known.contains_key(&source) && (gone || self.unknown(source, net))
                });
            }
            _ => {}
        }
        news
    }

    fn unknown(&self, source: Source, net: IpNet) -> bool {
        let known = self.known.get(&source);
        known.is_some_and(|known| !known.contains(&net))
    }
}

/// What the sources show of an address.
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
    use crate::discover::{Found, Shown};

    #[test]
    fn what_gave_no_answer_is_known_as_before() {
        let mut watch = Watch::blind();
        watch.seen.known.insert(Source::Gateways, BTreeSet::new());
        let gateway = |net: &str| Found {
            net: net.parse().unwrap(),
            why: "gateway on eth0".to_owned(),
        };
        let mut known = |shown: Shown| -> Vec<String> {
            watch.know(&[(Source::Gateways, shown)]);
            let known = watch.seen.known[&Source::Gateways].iter();
            known.map(IpNet::to_string).collect()
        };
        let (one, two) = ("192.0.2.1/32", "192.0.2.2/32");
        assert_eq!(known(vec![gateway(one)].into()), [one]);
        assert_eq!(known(Shown::error("no socket")), [one]);
        let mut half = Shown::error("no nexthop objects");
        half.found.push(gateway(two));
        assert_eq!(known(half), [one, two]);
        assert_eq!(known(vec![gateway(two)].into()), [two]);
    }
}
