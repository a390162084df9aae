//! FRRouting.
//!
//! ```text
//! trigger  kernel blackholes ──redistribute kernel route-map NULLROUTED-IN──► bgpd ──NULLROUTED-OUT──► neighbor
//!                                        │ the prefix-lists, RFC 7999's community              │ no-export
//! edge     neighbor ──NULLROUTED-EDGE──► bgpd: next hop 192.0.2.1 or 100::1 ──► zebra: a route that drops
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! Facts behind each line, verified with FRR 8.4, those of lists with 9.1 as well:
//! * A list that is loaded over an older one of the same name keeps old entries (8.4), so the file
//!   begins each list with `no`.
//! * A list that exists without an entry permits everything. The first entry is a deny, so the list
//!   has one from the start, and in the empty case too.
//! * An as-path list is a regular expression an entry; `_64496$` is a path that begins at AS 64496.
//!   Taken away first, because a list loaded over an older one keeps old entries here as well; and
//!   made before that, because bgpd refuses to take away an as-path list that is not there. bgpd
//!   then asks every neighbor for its routes again: so it is in the filter alone, where each change
//!   does that.
//! * `no-export` set at origination keeps the route from every eBGP neighbor, whatever its policy
//!   out permits: bgpd looks at it first. So it is set there, unless `announce_to = "ebgp"`; on the
//!   way out it is added in any case.
//! * A route-map is written over itself, and never taken away first: bgpd 8.4 dies where an update
//!   comes between.
//! * A next hop that is off the link, as that of a discard route, is taken from an eBGP neighbor
//!   only with `disable-connected-check`. An IPv6 route goes by the neighbor's link-local address
//!   without `prefer-global`.
//! * The sequence number of an entry comes from the entry itself, so that one changed prefix
//!   changes one line. The order of permits has no meaning.

mod commands;
mod delta;
mod former;
mod lists;

use std::fmt::Write;

use crate::targets::file::family::{Kind, TooMany};
use crate::targets::file::head;
use crate::targets::file::parts::ip::{Side, sides};
use crate::targets::file::parts::route_map::{CISCO, RouteMaps, originated};
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Lists, Role, Version};
use lists::OCTETS;

pub const KIND: Kind = Kind {
    name: "frr",
    next_hops: &[Role::Trigger, Role::Edge],
    lists: |role| match role {
        Role::Trigger => &[Lists::One, Lists::Octets, Lists::None],
        Role::Edge => &[Lists::One],
        Role::Filter => &[Lists::One, Lists::Octets],
    },
    auto: &[Role::Trigger, Role::Filter],
    commands: commands::commands,
    loads_into: |role| match role {
        Role::Trigger => "the lists and route-maps of a trigger in bgpd",
        Role::Edge => "the lists and route-maps of an edge in bgpd",
        Role::Filter => "the lists and route-maps of a filter in bgpd",
    },
    delta: Some(delta::delta),
    former: Some(former::former),
    too_many,
    mark: "!",
    words,
    trigger: (include_str!("../../texts/frr-trigger.txt"), trigger),
    edge: (include_str!("../../texts/frr-edge.txt"), edge),
    filter: (include_str!("../../texts/frr-filter.txt"), filter),
    of_kernel: |role| role == Role::Trigger,
    ..Kind::ROUTER
};

/// Entries of a list up to which FRR 8.4 takes a file within half a minute, and does not stop
/// answering for longer than its watchdog waits, which is a minute and a half.
const ONE: usize = 1_500;
/// The same of a list for each octet.
const MANY: usize = 10_000;

fn too_many(options: &FileOptions) -> Option<TooMany> {
    let version = options.frr_version.as_ref();
    if version.is_some_and(Version::takes_any_list) {
        return None;
    }
    let (most, instead) = match (options.role, options.lists) {
        (Role::Edge, _) | (_, Lists::None) => return None,
        (_, Lists::One) => (ONE, "lists = \"octets\""),
        (Role::Trigger, Lists::Octets) => (
            MANY,
            "lists = \"none\"; with feeds of its own: a router of family \"bird\"",
        ),
        (Role::Filter, Lists::Octets) => (MANY, "a router of family \"bird\""),
    };
    Some(TooMany {
        most,
        each: true,
        says: "FRR before 9.0 takes minutes to load them, and bgpd does not answer meanwhile",
        instead,
    })
}

const MAPS: RouteMaps = RouteMaps {
    next_hops: ["ip next-hop", "ipv6 next-hop global"],
    words: Words {
        communities: "",
        alone: "neighbor ADDRESS route-map NULLROUTED-OUT out    (in each address-family)",
        closed: "An eBGP neighbor for which `show bgp neighbors ADDRESS` says `Outbound updates discarded due to missing policy` \
                 receives nothing and needs no clause. Every other one needs it: a prefix-list or a filter-list is a policy, too.",
        attach: "neighbor ADDRESS route-map YOURS out           (in each address-family, where it has none yet)",
        by_hand: ByHand {
            origination: "no redistribute kernel",
            own: "",
            alone: "\
neighbor ADDRESS shutdown
no neighbor ADDRESS route-map NULLROUTED-OUT out  (in each address-family)",
            rest: "The route-maps named NULLROUTED, then the lists so named, without `-d`: other daemons may keep copies, which \
                   `write memory` would save.",
            ..CISCO.words.by_hand
        },
        proof: "show bgp ipv4 unicast PREFIX, \"Advertised to\" has no other neighbor",
        tried: true,
        ..CISCO.words
    },
    ..CISCO
};

/// What the head says of sessions, and of what is announced where no list is in the file.
fn words(options: &FileOptions, input: &FileInput) -> head::Words {
    let mut unlisted = String::new();
    if options.lists == Lists::None {
        let metric = match metric(input) {
            Some(metric) => format!(" of metric {metric}"),
            None => String::new(),
        };
        unlisted = format!(
            "Every blackhole, unreachable and prohibit route of the kernel's main table{metric} is announced, whoever made it.\n"
        );
    }
    let mut words = MAPS.words(options);
    words.push(("{unlisted}\n", unlisted));
    words
}

/// What tells our routes from those of others, where they have it: FRR takes the low 24 bits of the
/// metric, and no 0.
fn metric(input: &FileInput) -> Option<u32> {
    Some(input.metric & 0x00ff_ffff).filter(|&metric| metric > 0)
}

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let communities = originated(options, "blackhole");
    let sides = sides(options, input);
    lists::own(out, input);
    lists::listed(out, "", input, false, options.lists);
    out.push(COMMUNITY);
    if options.lists == Lists::None {
        lengths(out, &sides);
    }
    for Side { n, six, ip, .. } in sides {
        let _ = write!(
            out,
            "route-map NULLROUTED-IN{six} deny 5
 match {ip} address prefix-list NULLROUTED-OWN-V{n}
exit
"
        );
        // Routes of the kernel that drop a prefix of the list, and nothing else. Another number for
        // another way: `verify` sees which of them an earlier file had.
        let _ = match options.lists {
            Lists::One => write!(
                out,
                "route-map NULLROUTED-IN{six} permit 10
 match {ip} address prefix-list NULLROUTED-V{n}
"
            ),
            Lists::Octets => {
                for octet in OCTETS {
                    let _ = write!(
                        out,
                        "route-map NULLROUTED-LISTED-V{n} permit {}
 match {ip} address prefix-list NULLROUTED-V{n}-{octet}
",
                        1_000 + u32::from(octet)
                    );
                }
                write!(
                    out,
                    "exit
route-map NULLROUTED-IN{six} permit 20
 call NULLROUTED-LISTED-V{n}
"
                )
            }
            Lists::None => write!(
                out,
                "route-map NULLROUTED-IN{six} permit {}
 match {ip} address prefix-list NULLROUTED-LENGTHS-V{n}
",
                if metric(input).is_some() { 31 } else { 30 }
            ),
        };
        if let (Lists::None, Some(metric)) = (options.lists, metric(input)) {
            let _ = writeln!(out, " match metric {metric}");
        }
        let _ = write!(
            out,
            " match {ip} next-hop type blackhole
 match source-protocol kernel
 set community {communities}
 set metric 0
 set origin igp
exit
route-map NULLROUTED-IN{six} deny 65535
exit
!
"
        );
    }
    // What a neighbor receives: blackholes, to be kept inside its AS.
    out.push("route-map NULLROUTED-OUT permit 10\n match community NULLROUTED\n");
    // What an earlier file set is unset: a route-map is written over itself.
    let _ = match options.next_hop_v4 {
        Some(next_hop) => writeln!(out, " set ip next-hop {next_hop}"),
        None => writeln!(out, " no set ip next-hop"),
    };
    let _ = match options.next_hop_v6 {
        Some(next_hop) => writeln!(out, " set ipv6 next-hop global {next_hop}"),
        // The word needs an address, and takes away whichever there is.
        None => writeln!(
            out,
            " no set ipv6 next-hop global {}",
            FileOptions::DISCARD_V6
        ),
    };
    out.push(
        " set community no-export additive
exit
route-map NULLROUTED-OUT deny 65535
exit
!
",
    );
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    lists::own(out, input);
    lists::covers(out, input);
    let sides = sides(options, input);
    for side in sides {
        let (n, ip, all) = (side.n, side.ip, side.all);
        let shortest = side.shortest;
        let name = format!("{ip} prefix-list NULLROUTED-SHORT-V{n}");
        let _ = writeln!(
            out,
            "no {name}\n{name} seq 1 permit {all} le {}\n!",
            shortest - 1
        );
    }
    out.push(COMMUNITY);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(
        out,
        "ip route {v4}/32 blackhole\nipv6 route {v6}/128 blackhole\n!"
    );
    let next_hops = [
        v4.to_string(),
        format!("global {v6}\n set ipv6 next-hop prefer-global"),
    ];
    for (Side { n, six, ip, .. }, next_hop) in sides.into_iter().zip(next_hops) {
        let _ = write!(
            out,
            "route-map NULLROUTED-EDGE{six} deny 5
 match {ip} address prefix-list NULLROUTED-OWN-V{n}
exit
route-map NULLROUTED-EDGE{six} deny 6
 match {ip} address prefix-list NULLROUTED-SHORT-V{n}
exit
route-map NULLROUTED-EDGE{six} deny 7
 match {ip} address prefix-list NULLROUTED-COVER-V{n}
exit
route-map NULLROUTED-EDGE{six} permit 10
 match community NULLROUTED
 set {ip} next-hop {next_hop}
 set local-preference 200
 set community no-export additive
exit
route-map NULLROUTED-EDGE{six} deny 65535
exit
!
"
        );
    }
}

fn filter(out: &mut Text, options: &FileOptions, input: &FileInput) {
    lists::listed(out, "FILTER-", input, true, options.lists);
    lists::as_path(out, input.origins());
    for Side { n, ip, .. } in sides(options, input) {
        let list = format!("match {ip} address prefix-list NULLROUTED-FILTER-V{n}");
        let (one, octets) = match n {
            4 => (10, 1_000),
            _ => (20, 2_000),
        };
        if options.lists == Lists::One {
            let _ = writeln!(out, "route-map NULLROUTED-FILTER deny {one}\n {list}\nexit");
            continue;
        }
        for octet in OCTETS {
            let number = octets + u32::from(octet);
            let _ = writeln!(
                out,
                "route-map NULLROUTED-FILTER deny {number}\n {list}-{octet}"
            );
        }
        out.push("exit\n");
    }
    out.push(
        "route-map NULLROUTED-FILTER deny 30
 match as-path NULLROUTED-ORIGINS
exit
route-map NULLROUTED-FILTER permit 65535
exit
!
",
    );
}

const COMMUNITY: &str = "bgp community-list standard NULLROUTED seq 5 permit blackhole\n!\n";

/// Neither a default route nor anything that the limits refuse.
fn lengths(out: &mut Text, sides: &[Side]) {
    for side in sides {
        let (n, ip, all) = (side.n, side.ip, side.all);
        let (shortest, longest) = (side.shortest, side.longest);
        let name = format!("{ip} prefix-list NULLROUTED-LENGTHS-V{n}");
        let _ = writeln!(
            out,
            "no {name}\n{name} seq 5 permit {all} ge {shortest} le {longest}\n!"
        );
    }
}
