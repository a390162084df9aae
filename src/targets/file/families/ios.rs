//! Cisco IOS and IOS-XE.
//!
//! ```text
//! trigger  ip route … Null0 tag 666 ──redistribute static route-map NULLROUTED-IN──► BGP ──NULLROUTED-OUT──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► Null0
//! filter   neighbor ──prefix-list NULLROUTED-FILTER-V4 in──► listed prefixes, and what is inside of them, are refused
//! ```
//!
//! Behind each line, by Cisco's documentation; no such router took these files here:
//! * A file is merged into the running configuration, line by line, without a check; what is no
//!   longer listed stays until a line takes it away. A line that takes away what is not there says
//!   so, and nothing happens.
//! * A number that is taken is refused for another prefix, so lines that take away come first.
//! * The lists of a filter deny what is listed and permit the rest: where one is missing,
//!   everything passes.
//! * An as-path list has a number, and neither names nor sequence numbers; entries are added at its
//!   end. Its first entry denies a path that no route has, so that it is never empty.
//! * Behind a statement `!` is no comment; a static route has a name instead, of one word.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. By default a neighbor is sent no communities.
//! * A neighbor has one prefix-list a direction, which excludes a distribute-list (IPC-304).
//! * With `bgp asnotation dot` a regular expression meets `64086.59904` where the file has
//!   4200000000.

use std::fmt::Write;

use crate::targets::file::family::Kind;
use crate::targets::file::parts::ip::sides;
use crate::targets::file::parts::prefix_list::{self, Dialect, names};
use crate::targets::file::parts::route_map::{CISCO, Length, RouteMaps, Statics};
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "ios",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    mark: "!",
    words: |options, _| MAPS.words(options),
    trigger: (include_str!("../texts/ios-trigger.txt"), trigger),
    edge: (include_str!("../texts/ios-edge.txt"), edge),
    filter: (include_str!("../texts/ios-filter.txt"), filter),
    end: |out, _| out.push("end\n"),
    ..Kind::ROUTER
};

pub const LISTS: Dialect = prefix_list::CISCO;

const MAPS: RouteMaps = RouteMaps {
    statics: Statics {
        length: Length::Mask,
        word: [" name ", ""],
        ..CISCO.statics
    },
    words: Words {
        alone: "\
neighbor ADDRESS send-community                (in each address-family)
neighbor ADDRESS route-map NULLROUTED-OUT out  (ipv6: NULLROUTED-OUT6)
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out",
        attach: "\
neighbor ADDRESS route-map YOURS out           (in each address-family, where it has none yet)
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out
                                               (what was sent before stays else)",
        proof: "show bgp ipv4 unicast PREFIX, the update groups that it is \"Advertised to\" (show bgp ipv4 unicast \
                update-group NUMBER) have no other neighbor",
        by_hand: ByHand {
            origination: "no redistribute static                         (of `no redistribute static route-map NAME` the route-map alone goes)",
            alone: "\
neighbor ADDRESS shutdown
no neighbor ADDRESS route-map NULLROUTED-OUT out  (ipv6: NULLROUTED-OUT6)",
            rest: "The route-maps named NULLROUTED, then the lists so named, and the static routes with tag 666; type \
                   `ip unreachables`, `ipv6 unreachables` at Null0, if they were there.",
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
    out.push(UNREACHABLES);
    MAPS.routes(out, input);
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    LISTS.own_and_covers(out, input);
    long(out, options, input);
    out.push(COMMUNITY);
    out.push(UNREACHABLES);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(
        out,
        "ip route {v4} 255.255.255.255 Null0\nipv6 route {v6}/128 Null0\n!"
    );
    MAPS.edge(out, options, input, &names(&["OWN", "COVER"]));
}

fn filter(out: &mut Text, _: &FileOptions, input: &FileInput) {
    LISTS.listed(out, input);
    out.push("ip as-path access-list 466 deny _0_\n");
    for asn in &input.to_unconfigure.origins {
        let _ = writeln!(out, "no ip as-path access-list 466 permit _{asn}$");
    }
    // Once more, where that took the whole list away.
    out.push("ip as-path access-list 466 deny _0_\n");
    for asn in input.origins() {
        let _ = writeln!(out, "ip as-path access-list 466 permit _{asn}$");
    }
    out.push("!\n");
}

pub const COMMUNITY: &str = "ip community-list standard NULLROUTED permit 65535:666\n!\n";

/// A packet that is dropped is not answered.
const UNREACHABLES: &str = "interface Null0\n no ip unreachables\n no ipv6 unreachables\nexit\n!\n";

/// Lists that deny what is too short and permit the rest. An entry for another length, left of an
/// earlier file, is stricter, or without effect.
pub fn long(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let others = LISTS.others;
    for side in sides(options, input) {
        let (n, ip, all) = (side.n, side.ip, side.all);
        let (longest, shortest) = (side.longest, side.shortest);
        let name = format!("{ip} prefix-list NULLROUTED-LONG-V{n}");
        let short = match shortest {
            1 => String::new(),
            _ => format!(" le {}", shortest - 1),
        };
        let _ = writeln!(
            out,
            "{name} seq {shortest} deny {all}{short}\n{name} seq {others} permit {all} le {longest}\n!"
        );
    }
}
