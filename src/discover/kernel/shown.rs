//! The addresses, networks and next hops in the kernel (I/O).

use std::collections::BTreeMap;
use std::io;

use ipnet::IpNet;
use netlink_packet_route::route::{RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::message::{self, Hop};
use super::object::{self, Objects, RTM_NEWNEXTHOP};
use crate::discover::{Answer, Found, network};
use crate::netlink::family::AddressFamily as _;
use crate::netlink::link::Link;
use crate::netlink::message::RTM_NEWROUTE;
use crate::netlink::{self, dump, links};
use crate::shown;

/// The addresses of the interfaces, and those of their peers.
///
/// # Errors
/// No socket can be opened, or an error from the kernel.
pub async fn addresses() -> io::Result<Vec<Found>> {
    let names = Interfaces::ask().await?;
    let mut shown = Vec::new();
    for address in netlink::addresses().await? {
        let name = names.name(address.interface);
        let own = address.own().map(|net| found(net, "address of", &name));
        let peer = address.peer().map(|net| found(net, "peer of", &name));
        shown.extend(own.into_iter().chain(peer));
    }
    Ok(shown)
}

/// The networks of the interfaces.
///
/// # Errors
/// No socket can be opened, or an error from the kernel.
pub async fn connected() -> io::Result<Vec<Found>> {
    let names = Interfaces::ask().await?;
    let all = netlink::addresses().await?;
    let shown = all.iter().filter_map(|address| {
        let name = names.name(address.interface);
        let net = address.network()?;
        if let Some(whole) = address.cut_short() {
            network::warn_of_lease(&whole, &net, &name);
        }
        Some(found(net, "connected on", &name))
    });
    Ok(shown
        .filter(|found| {
            found
                .net()
                .is_some_and(|net| network::sensible(&net, &found.why))
        })
        .collect())
}

/// Gateways and next hops of the unicast routes of all tables, and of all nexthop objects. Nothing
/// else is kept during the dump. If one of the dumps fails, the others still count.
pub async fn gateways() -> Answer {
    let (mut shown, hops) = hops().await;
    let names = Interfaces::ask().await.unwrap_or_else(|error| {
        shown.fail(None, format!("the interfaces cannot be read: {error}"));
        Interfaces(BTreeMap::new())
    });
    let named = hops.into_iter().map(|((net, interface), several)| {
        let what = if several { "next hop" } else { "gateway" };
        if interface == 0 {
            return Found::new(net, what);
        }
        found(net, &format!("{what} on"), &names.name(interface))
    });
    shown.found = named.collect();
    shown
}

/// A next hop and its interface, and whether it is one of several in every route: the name does not
/// depend on the order of the routes.
type Hops = BTreeMap<(IpNet, u32), bool>;

/// The next hops of routes and of nexthop objects, and which of the two could not be read.
async fn hops() -> (Answer, Hops) {
    let (mut shown, mut hops) = (Answer::default(), Hops::new());
    let mut see = |hop: Hop| {
        let known = hops.entry((hop.net, hop.interface)).or_insert(true);
        *known &= hop.several;
    };
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut request = RouteMessage::default();
        request.header.address_family = family;
        request.header.kind = RouteType::Unicast;
        let request = RouteNetlinkMessage::GetRoute(request);
        let told = (family == AddressFamily::Inet6).then_some(u128::GROUP);
        let dumped = dump(&request, told, |route| {
            if route.kind == RTM_NEWROUTE {
                message::hops(route.payload, &mut see);
            }
        });
        if let Err(error) = dumped.await {
            shown.fail(None, format!("the routes cannot be read: {error}"));
        }
    }
    let dumped = dump(&Objects, None, |object| {
        if object.kind == RTM_NEWNEXTHOP {
            object::hop(object.payload).into_iter().for_each(&mut see);
        }
    });
    if let Err(error) = dumped.await {
        shown.fail(None, format!("the nexthop objects cannot be read: {error}"));
    }
    (shown, hops)
}

fn found(net: IpNet, what: &str, interface: &str) -> Found {
    Found::new(net, format!("{what} {interface}"))
}

/// The names of the interfaces.
struct Interfaces(BTreeMap<u32, String>);

impl Interfaces {
    async fn ask() -> io::Result<Self> {
        let mut links = links().await?;
        links.retain(|_, link| !link.name.is_empty());
        // A name is any text without blanks and `/` (`dev_valid_name`, net/core/dev.c).
        let named = |(index, link): (u32, Link)| (index, shown::line(&link.name).into_owned());
        Ok(Self(links.into_iter().map(named).collect()))
    }

    fn name(&self, index: u32) -> String {
        let unknown = || format!("interface {index}");
        self.0.get(&index).cloned().unwrap_or_else(unknown)
    }
}
