//! Cisco NX-OS.
//!
//! ```text
//! trigger  ip route … Null0 tag 666 ──redistribute static route-map NULLROUTED-IN──► BGP ──NULLROUTED-OUT──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► Null0
//! filter   neighbor ──prefix-list NULLROUTED-FILTER-V4 in──► listed prefixes, and what is inside of them, are refused
//!                   ──filter-list NULLROUTED-ORIGINS in────► and paths that begin at a listed AS
//! ```
//!
//! Behind each line, by Cisco's documentation; no such router took these files here:
//! * As with IOS, a file is merged into the running configuration, line by line, without a check;
//!   what is no longer listed stays until a line takes it away, and such lines come first.
//! * A list that is empty permits everything, and so does one that is not there: the first line of
//!   each is the one about all others. The lists of a filter permit them, and stand beside the
//!   operator's route-map: where one is missing, everything passes. So does an empty or a missing
//!   list in a route-map match everything: the one of own networks then denies all, and nothing is
//!   announced.
//! * Numbers end at 4294967294, those of as-path lists too: the AS is the number. The last AS
//!   numbers, which are private and reserved, have no entry.
//! * An entry is taken away by its whole line; its number alone is not documented to do that. So
//!   what is too short has an entry for each length that there was, and the longest counts.
//! * A static route has a name of one word, which stands before its tag.
//! * `maximum-prefix` is of 300000 at most.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. By default a neighbor is sent no communities.
//! * Some releases refuse `seq` in a community-list (7.3(0)D1(1)), and the references of Nexus 6000
//!   have it in no as-path list: the community-list does without, and the head of a filter says
//!   what it needs. What a route-map does with a community-list that is not there is not
//!   documented, so the head has the command that shows the list.
//! * A policy that has changed is asked for what comes, not for what was accepted: so `soft in`.
//! * Neither `Null0` nor an interface answers what it drops, unless it is told to: nothing is said
//!   of that here.

use std::fmt::Write;

use crate::targets::file::families::ios::{COMMUNITY, LISTS, long};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::prefix_list::names;
use crate::targets::file::parts::route_map::{CISCO, RouteMaps, Statics};
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "nx-os",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    mark: "!",
    words: |options, _| MAPS.words(options),
    // `maximum-prefix` ends there.
    most_routes: 300_000,
    trigger: (include_str!("../texts/nx-os-trigger.txt"), trigger),
    edge: (include_str!("../texts/nx-os-edge.txt"), edge),
    filter: (include_str!("../texts/nx-os-filter.txt"), filter),
    ..Kind::ROUTER
};

const MAPS: RouteMaps = RouteMaps {
    indent: "  ",
    statics: Statics {
        is_tag_last: true,
        ..CISCO.statics
    },
    words: Words {
        alone: "\
neighbor ADDRESS
  address-family ipv4 unicast                  (ipv6 unicast: NULLROUTED-OUT6)
    send-community
    route-map NULLROUTED-OUT out
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out",
        attach: "\
neighbor ADDRESS                               (where it has none yet)
  address-family ipv4 unicast                  (ipv6 unicast likewise)
    route-map YOURS out
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out
                                               (what was sent before stays else)",
        proof: "show bgp ipv4 unicast PREFIX, \"advertised to peers\" has no other neighbor",
        by_hand: ByHand {
            origination: "no redistribute static route-map NULLROUTED-IN  (ipv6: NULLROUTED-IN6)",
            alone: "\
neighbor ADDRESS
  shutdown
  address-family ipv4 unicast                  (ipv6 unicast: NULLROUTED-OUT6)
    no route-map NULLROUTED-OUT out",
            ..CISCO.words.by_hand
        },
        ..CISCO.words
    },
    ..CISCO
};

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    LISTS.own(out, input);
    out.push(COMMUNITY);
    MAPS.ingress(out, options, &names(&["OWN"]));
    MAPS.egress(out, options, input);
    MAPS.routes(out, input);
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    LISTS.own_and_covers(out, input);
    long(out, options, input);
    out.push(COMMUNITY);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(out, "ip route {v4}/32 Null0\nipv6 route {v6}/128 Null0\n!");
    MAPS.edge(out, options, input, &names(&["OWN", "COVER"]));
}

fn filter(out: &mut Text, _: &FileOptions, input: &FileInput) {
    LISTS.listed(out, input);
    let others = LISTS.others;
    let name = "ip as-path access-list NULLROUTED-ORIGINS";
    let _ = writeln!(out, "{name} seq {others} permit \".*\"");
    for asn in input
        .to_unconfigure
        .origins
        .iter()
        .filter(|asn| **asn < others)
    {
        let _ = writeln!(out, "no {name} seq {asn} deny \"_{asn}$\"");
    }
    for asn in input.origins().iter().filter(|asn| **asn < others) {
        let _ = writeln!(out, "{name} seq {asn} deny \"_{asn}$\"");
    }
}
