//! Huawei VRP.
//!
//! ```text
//! trigger  ip route-static … NULL0 tag 666 ──import-route static, NULLROUTED-IN──► BGP ──NULLROUTED-OUT──► peer
//! edge     peer ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► NULL0
//! filter   peer ──ip-prefix NULLROUTED-FILTER-V4 import──► listed prefixes, and what is inside, are refused
//!               ──as-path-filter NULLROUTED-ORIGINS import──► listed origins are refused
//! ```
//!
//! Behind each line, by Huawei's documentation; no such router took these files here:
//! * Lines are merged. In two stages (V8) they wait for a `commit`, which puts all in force;
//!   immediately (V5) each one is in force at once. What is no longer listed stays until a line
//!   takes it away.
//! * A list, or an as-path filter, that is not there matches everything. Those of a filter deny
//!   what is listed and permit the rest: where one is missing, everything passes. Those of own
//!   networks stand in a clause that denies: where one is missing, no blackhole passes.
//! * What a list does not name it denies, so the line about all others is written before the
//!   entries.
//! * An entry of a list is taken away by its number, which comes from the prefix; so lines that
//!   take away come first. An entry has no comment, a static route a description.
//! * An as-path filter has numbers on V8 alone; V5 refuses these lines, and then no origin is
//!   refused. The number of an entry is the AS itself; the last number is no AS (RFC 7300).
//! * `no-export` set at origination keeps the route from every eBGP peer; with `announce_to =
//!   "ebgp"` it is added on the way out alone. By default a peer is sent no communities.
//!
//! Not said by the documentation, and taken to be so: a line that takes away what is not there says
//! so, and nothing happens; a static route that is written again has its new tag and description.

use std::fmt::Write;

use crate::targets::file::family::{Kind, TooMany};
use crate::targets::file::parts::ip::Ip;
use crate::targets::file::parts::prefix_list::{Dialect, PrefixList, names};
use crate::targets::file::parts::route_map::{CISCO, Length, RouteMaps, Statics};
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "vrp",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    // What a list takes in addition to the line about all others.
    too_many: |options| {
        (options.role == Role::Filter).then_some(TooMany {
            most: 65_534,
            each: true,
            says: "the router refuses them, and their routes pass",
            instead: "a trigger, and this router as an edge",
        })
    },
    room: 90,
    words: |options, _| MAPS.words(options),
    trigger: (include_str!("../texts/vrp-trigger.txt"), trigger),
    edge: (include_str!("../texts/vrp-edge.txt"), edge),
    filter: (include_str!("../texts/vrp-filter.txt"), filter),
    ..Kind::ROUTER
};

const MAPS: RouteMaps = RouteMaps {
    node: "node ",
    indent: " ",
    matches: "if-match",
    set: "apply",
    lists: ["ip-prefix", "ipv6 address prefix-list"],
    community: "community-filter NULLROUTED",
    next_hops: ["ip-address next-hop", "ipv6 next-hop"],
    close: "quit\n",
    comment: "#\n",
    statics: Statics {
        commands: ["ip route-static ", "ipv6 route-static "],
        length: Length::Space,
        null: " NULL0",
        word: [" description ", " description "],
        no: "undo ",
        ..CISCO.statics
    },
    words: Words {
        policy: "route-policy",
        clauses: "nodes",
        alone: "\
peer ADDRESS advertise-community               (in each family)
peer ADDRESS route-policy NULLROUTED-OUT export (ipv6-family: NULLROUTED-OUT6)",
        rest: "route-policy YOURS permit node 65535           (where it has no other node: without one it denies all)",
        deny: "route-policy YOURS deny node 1                 (any number below those of YOURS)\n if-match community-filter NULLROUTED",
        attach: "peer ADDRESS route-policy YOURS export         (in each family, where it has none yet)",
        communities: "`advertise-community`",
        proof: "display bgp routing-table PREFIX LENGTH, \"Advertised to such\" has no other peer",
        by_hand: ByHand {
            origination: "undo import-route static",
            own: "Where a route-policy of yours is in use for it, that stays: take the static routes with tag 666 out first, \
                  then the nodes of NULLROUTED-IN, without which it announces them as any others.",
            alone: "\
peer ADDRESS ignore
undo peer ADDRESS route-policy NULLROUTED-OUT export  (ipv6-family: NULLROUTED-OUT6)",
            clauses: "undo route-policy YOURS node 1                 (recipe 2, or where they are not to be received)",
            rest: "The route-policies named NULLROUTED; then the ip-prefix lists (`undo ip ip-prefix`, `undo ip \
                   ipv6-prefix`) NULLROUTED-OWN-V4 and -V6, and the community-filter NULLROUTED; and the static routes \
                   with tag 666.",
        },
        ..CISCO.words
    },
};

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    LISTS.own(out, input);
    out.push(COMMUNITY);
    MAPS.ingress(out, options, &names(&["OWN"]));
    MAPS.egress(out, options, input);
    MAPS.routes(out, input);
    out.push("#\n");
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    LISTS.own_and_covers(out, input);
    long::<u32>(out, "LONG-V4", input.limits.shortest_v4);
    long::<u128>(out, "LONG-V6", input.limits.shortest_v6);
    out.push(COMMUNITY);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(
        out,
        "ip route-static {v4} 32 NULL0\nipv6 route-static {v6} 128 NULL0\n#"
    );
    MAPS.edge(out, options, input, &names(&["OWN", "COVER"]));
}

fn filter(out: &mut Text, _: &FileOptions, input: &FileInput) {
    LISTS.listed(out, input);
    let others = LISTS.others;
    let filter = "ip as-path-filter NULLROUTED-ORIGINS index";
    let _ = writeln!(out, "{filter} {others} permit .*");
    for asn in &input.to_unconfigure.origins {
        let _ = writeln!(out, "undo {filter} {asn}");
    }
    for asn in input.origins() {
        let _ = writeln!(out, "{filter} {asn} deny _{asn}$");
    }
    out.push("#\n");
}

const COMMUNITY: &str = "ip community-filter basic NULLROUTED index 10 permit 65535:666\n#\n";

const LISTS: Dialect = Dialect {
    commands: ["ip ip-prefix", "ip ipv6-prefix"],
    number: "index",
    slash: ' ',
    longest: "less-equal",
    others: u32::MAX,
    no: ("undo", true),
    comment: "#\n",
};

/// A list that denies what is shorter than this and permits the rest. An entry for another length,
/// left of an earlier file, is stricter, or without effect.
fn long<B: Ip>(out: &mut Text, name: &str, shortest: u8) {
    let list = PrefixList {
        dialect: &LISTS,
        name,
        action: "deny",
        inside: true,
    };
    list.others::<B>(out, LISTS.others);
    let shortest = shortest.max(1);
    let all = B::ALL.replace('/', " ");
    let short = match shortest {
        1 => String::new(),
        _ => format!(" less-equal {}", shortest - 1),
    };
    let _ = writeln!(
        out,
        "{} index {shortest} deny {all}{short}\n#",
        list.command::<B>()
    );
}
