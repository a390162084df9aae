//! Arista EOS.
//!
//! ```text
//! trigger  ip route … Null0 tag 666 ──redistribute static route-map NULLROUTED-IN──► BGP ──NULLROUTED-OUT──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► Null0
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! Behind each line, by Arista's documentation; no such router took these files here:
//! * A configuration session is a copy of the running configuration: what is done in it happens at
//!   its commit, at once. So lists are removed and written again. Routes are not, since nothing
//!   tells ours from others: what is no longer listed is taken away by a line each.
//! * A prefix list is written in a mode of its own, and is in force at its `exit`. Its numbers end
//!   at 65535.
//! * What an empty list matches is not documented, nor what a missing one does: each has an entry
//!   about all others.
//! * A route-map that is missing at a neighbor permits everything, unless `bgp missing-policy` says
//!   otherwise. The one of a filter is taken away first and written last: should the file be loaded
//!   without a session, the filter is open meanwhile. Those of the others are written over
//!   themselves.
//! * An as-path list has neither numbers nor a mode. Its first entry denies a path that no route
//!   has.
//! * `no ip route P` without a next hop would take the operator's own routes to P away as well.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. By default a neighbor is sent no communities.

use std::fmt::Write;

use crate::prefix::Prefix;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::ip::{Ip, Side, sides};
use crate::targets::file::parts::route_map::{CISCO, Own, RouteMaps};
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::shards::{OTHERS, Shards};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "eos",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    mark: "!",
    words: |options, _| MAPS.words(options),
    trigger: (include_str!("../texts/eos-trigger.txt"), trigger),
    edge: (include_str!("../texts/eos-edge.txt"), edge),
    filter: (include_str!("../texts/eos-filter.txt"), filter),
    ..Kind::ROUTER
};

const MAPS: RouteMaps = RouteMaps {
    indent: "   ",
    words: Words {
        alone: "\
neighbor ADDRESS send-community
address-family ipv4                            (ipv6: NULLROUTED-OUT6)
   neighbor ADDRESS route-map NULLROUTED-OUT out",
        attach: "\
address-family ipv4                            (and ipv6, where it has none yet)
   neighbor ADDRESS route-map YOURS out",
        proof: "show ip bgp PREFIX detail, \"Advertised to\" has no other neighbor",
        by_hand: ByHand {
            alone: "\
neighbor ADDRESS shutdown
address-family ipv4                            (ipv6: NULLROUTED-OUT6)
   no neighbor ADDRESS route-map NULLROUTED-OUT out",
            ..CISCO.words.by_hand
        },
        ..CISCO.words
    },
    ..CISCO
};

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let own = own(out, input);
    out.push(COMMUNITY);
    MAPS.ingress(out, options, &own);
    MAPS.egress(out, options, input);
    MAPS.routes(out, input);
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let [mut v4, mut v6] = own(out, input);
    let covers = input.covers();
    v4.extend(list(out, "COVER-V4", &covers.v4, false));
    v6.extend(list(out, "COVER-V6", &covers.v6, false));
    for side in sides(options, input) {
        let (n, ip, all) = (side.n, side.ip, side.all);
        let (longest, shortest) = (side.longest, side.shortest);
        let name = format!("{ip} prefix-list NULLROUTED-LONG-V{n}");
        let _ = write!(
            out,
            "no {name}
{name}
   seq 5 permit {all} ge {shortest}
   seq {OTHERS} deny {all} le {longest}
exit
!
"
        );
    }
    out.push(COMMUNITY);
    let (discard4, discard6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(
        out,
        "ip route {discard4}/32 Null0\nipv6 route {discard6}/128 Null0\n!"
    );
    MAPS.edge(out, options, input, &[v4, v6]);
}

fn filter(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push("no route-map NULLROUTED-FILTER\nno route-map NULLROUTED-FILTER6\n!\n");
    let v4 = list(out, "FILTER-V4", &input.set().v4, true);
    let v6 = list(out, "FILTER-V6", &input.set().v6, true);
    let origins = "ip as-path access-list NULLROUTED-ORIGINS";
    let _ = writeln!(out, "no {origins}\n{origins} deny _0_ any");
    for asn in input.origins() {
        let _ = writeln!(out, "{origins} permit _{asn}$ any");
    }
    out.push("!\n");
    for (Side { ip, six, .. }, lists) in sides(options, input).into_iter().zip([v4, v6]) {
        let name = format!("route-map NULLROUTED-FILTER{six}");
        let _ = writeln!(out, "{name} deny 5\n   match as-path NULLROUTED-ORIGINS");
        for (clause, list) in (10..).zip(lists) {
            let _ = writeln!(
                out,
                "{name} deny {clause}\n   match {ip} address prefix-list {list}"
            );
        }
        let _ = writeln!(out, "{name} permit 65535\n!");
    }
}

const COMMUNITY: &str = "ip community-list NULLROUTED permit 65535:666\n!\n";

/// The operator's own networks, and what is inside of them; the names of their lists.
fn own(out: &mut Text, input: &FileInput) -> Own {
    let own = input.own();
    [
        list(out, "OWN-V4", &own.v4, true),
        list(out, "OWN-V6", &own.v6, true),
    ]
}

/// Lists that permit these, and what is `inside` of them where that is said, and deny all others;
/// their names.
fn list<B: Ip>(out: &mut Text, name: &str, prefixes: &[Prefix<B>], inside: bool) -> Vec<String> {
    let lists = Shards::new(name, prefixes);
    let (ip, all) = (B::IP, B::ALL);
    let longest = format!(" le {}\n", B::WIDTH);
    let names = lists.names();
    for (name, entries) in names.iter().zip(lists.by_list()) {
        let name = format!("{ip} prefix-list {name}");
        let _ = writeln!(out, "no {name}\n{name}");
        for (number, prefix) in entries {
            out.push("   seq ");
            out.number(number);
            out.push(" permit ");
            out.prefix(&prefix);
            out.push(match inside && prefix.len() < B::WIDTH {
                true => &longest,
                false => "\n",
            });
        }
        let _ = write!(out, "   seq {OTHERS} deny {all}{longest}exit\n!\n");
    }
    names
}
