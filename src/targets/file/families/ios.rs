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
//!   end. Its first entry denies a path that nobody has, so that it is never empty.
//! * Behind a statement `!` is no comment; a static route has a name instead, of one word.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. By default a neighbor is sent no communities.
//! * A neighbor has one prefix-list a direction, which excludes a distribute-list (IPC-304).
//! * With `bgp asnotation dot` a regular expression meets `64086.59904` where the file has
//!   4200000000.

use std::fmt::Write;
use std::ops::RangeInclusive;

use crate::policy::limits::Limits;
use crate::prefix::Prefix;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::prefix_list::PrefixList;
use crate::targets::file::parts::route_map::{CLAUSES, OWN_MAP, REDISTRIBUTED, RouteMaps};
use crate::targets::file::parts::sequence::Numbered;
use crate::targets::file::parts::sessions::{ByHand, FIRST};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "ios",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    render,
    ..Kind::ROUTER
};

/// The number of the line about all others; the entries are before it.
pub const OTHERS: u32 = u32::MAX - 1;
const FREE: RangeInclusive<u32> = 1..=OTHERS - 1;

const MAPS: RouteMaps = RouteMaps {
    indent: " ",
    ipv6_next_hop: "ipv6 next-hop",
    communities: "`send-community`",
    closed: "",
    attach: "\
neighbor ADDRESS route-map YOURS out           (in each address-family, where it has none yet)
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out
                                               (what was sent before stays else)",
    by_hand: ByHand {
        origination: "no redistribute static                         (of `no redistribute static route-map NAME` the route-map alone goes)",
        own: OWN_MAP,
        alone: "\
neighbor ADDRESS shutdown
no neighbor ADDRESS route-map NULLROUTED-OUT out  (ipv6: NULLROUTED-OUT6)",
        clauses: CLAUSES,
        rest: "The route-maps named NULLROUTED, then the lists so named, and the static routes with tag 666; type \
               `ip unreachables`, `ipv6 unreachables` at Null0, if they were there.",
    },
    proof: "show bgp ipv4 unicast PREFIX, the update groups that it is \"Advertised to\" (show bgp ipv4 unicast \
            update-group NUMBER) have no other neighbor",
    tried: false,
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(4_000 + input.set().len() * 80);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, options, input),
        Role::Filter => filter(&mut out, input),
    }
    out.push("end\n");
    out.done()
}

const LOAD: &str = "\
Load:   copy running-config flash:before-nullrouted-DATE.cfg
        copy THIS-FILE running-config                   (never configure replace: it would be all that is left)
        copy running-config startup-config              (when all is well; an older one would bring old lines back)
";

const ORIGINATION: &str = "        Last, the origination:
         router bgp ASN
          address-family ipv4
           redistribute static route-map NULLROUTED-IN
          address-family ipv6
           redistribute static route-map NULLROUTED-IN6
";

const ALONE: &str = "\
neighbor ADDRESS send-community                (in each address-family)
neighbor ADDRESS route-map NULLROUTED-OUT out  (ipv6: NULLROUTED-OUT6)
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out
";

const UNDO: &str = "\
Undo:   configure replace flash:before-nullrouted-DATE.cfg      (takes back what anybody changed since)
        or by hand, in this order:
";

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let (sessions, by_hand) = MAPS.sessions(options, ALONE);
    let uses = [
        LOAD,
        FIRST,
        &sessions,
        ORIGINATION,
        REDISTRIBUTED,
        UNDO,
        &by_hand,
        FORMER,
        OWN_STAYS,
        OWN_ROUTE,
    ];
    out.push(&input.head("!", &uses.concat()));
    own(out, input);
    out.push(COMMUNITY);
    MAPS.ingress(out, options, &own_names());
    MAPS.egress(out, options);
    out.push(UNREACHABLES);
    out.push(&input.kept("!"));
    for prefix in input.left_v4() {
        out.push("no ip route ");
        out.masked(prefix);
        out.push(" Null0\n");
    }
    out.lines("no ipv6 route ", input.left_v6(), " Null0");
    input.v4(|prefix, reason| {
        out.push("ip route ");
        out.masked(prefix);
        out.push(" Null0 tag 666");
        out.word(" name ", reason);
        out.push("\n");
    });
    for prefix in &*input.set().v6 {
        out.push("ipv6 route ");
        out.prefix(prefix);
        out.push(" Null0 tag 666\n");
    }
}

const EDGE: &str = "\
Load:   copy running-config flash:before-nullrouted-DATE.cfg
        copy THIS-FILE running-config                   (never configure replace: it would be all that is left)
        clear bgp ipv4 unicast ADDRESS soft in, clear bgp ipv6 unicast ADDRESS soft in
                                                        (what was accepted before stays else)
        copy running-config startup-config              (when all is well; an older one would bring old lines back)
Use:    router bgp ASN
         neighbor ADDRESS disable-connected-check       (where the trigger is an eBGP neighbor)
         address-family ipv4
          neighbor ADDRESS route-map NULLROUTED-EDGE in
          neighbor ADDRESS maximum-prefix NUMBER
         address-family ipv6
          neighbor ADDRESS route-map NULLROUTED-EDGE6 in
          neighbor ADDRESS maximum-prefix NUMBER
        See with `show ipv6 route PREFIX` that it is Null0: an update of a neighbor on the link carries a link-local
        next hop, too.
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone.
Undo:   configure replace flash:before-nullrouted-DATE.cfg      (takes back what anybody changed since)
        or shut the neighbor down, then take its lines out, what is named NULLROUTED, the two static routes, and type
        `ip unreachables`, `ipv6 unreachables` at Null0, if they were there
Another next hop in the configuration leaves the former one and its route beside it, and another shortest length the
former one, of which the longer counts: take them out by hand.
What you protect no longer stays in the lists OWN and COVER, and no blackhole for it is taken: take it out by hand.
";

/// Of a trigger whose file is merged.
pub const FORMER: &str = "Another next hop in the configuration leaves the former one beside it: take that out by hand.\n";

/// Of a trigger whose list of own networks is added to.
pub const OWN_STAYS: &str = "What you protect no longer stays in the lists OWN, and no blackhole for it is announced: take it out by hand.\n";

/// Of a trigger whose static routes are merged with the operator's.
pub const OWN_ROUTE: &str = "\
A static route of your own to null for a listed prefix is the same route: it gets tag 666, is announced, and goes when
the prefix does. Protect its prefix in nullrouted.
";

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.edge_head("!", EDGE));
    own(out, input);
    covers(out, input);
    long(out, input.limits);
    out.push(COMMUNITY);
    out.push(UNREACHABLES);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(
        out,
        "ip route {v4} 255.255.255.255 Null0\nipv6 route {v6}/128 Null0\n!"
    );
    MAPS.edge(out, options, &own_and_cover_names());
}

const FILTER: &str = "\
Load:   copy running-config flash:before-nullrouted-DATE.cfg
        copy THIS-FILE running-config                   (never configure replace: it would be all that is left)
        clear bgp ipv4 unicast ADDRESS soft in, clear bgp ipv6 unicast ADDRESS soft in
                                                        (what was accepted before stays else)
        copy running-config startup-config              (when all is well; an older one would bring old lines back)
Use:    show ip as-path-access-list 466                 (must be empty before the first load: the number may be yours)
        router bgp ASN
         address-family ipv4
          neighbor ADDRESS prefix-list NULLROUTED-FILTER-V4 in
         address-family ipv6
          neighbor ADDRESS prefix-list NULLROUTED-FILTER-V6 in
        A neighbor has one prefix-list a direction, and no distribute-list beside it: where there is one, this line
        replaces it. Move yours into your route-map (match ip address prefix-list) first.
        It stands beside your route-map. In that, before all others, for the origin ASes:
         route-map YOURS deny 1
          match as-path 466
         route-map YOURS permit 65535                   (where it has no other clause: without one it denies all)
Undo:   take the lines at the neighbor and the clause out first, then the lists
A route-map with `match as-path 466` and no such list denies everything.
The origin ASes match where AS numbers are plain (no `bgp asnotation dot`).
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("!", FILTER));
    listed(out, "FILTER-V4", &input.to_unconfigure.v4, &input.set().v4);
    listed(out, "FILTER-V6", &input.to_unconfigure.v6, &input.set().v6);
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

const COMMUNITY: &str = "ip community-list standard NULLROUTED permit 65535:666\n!\n";

/// A packet that is dropped is not answered.
const UNREACHABLES: &str = "interface Null0\n no ip unreachables\n no ipv6 unreachables\nexit\n!\n";

/// The operator's own networks, and what is inside of them.
pub fn own(out: &mut Text, input: &FileInput) {
    let own = input.own();
    denied(out, "OWN-V4", true, &own.v4);
    denied(out, "OWN-V6", true, &own.v6);
}

/// What covers those.
pub fn covers(out: &mut Text, input: &FileInput) {
    let covers = input.covers();
    denied(out, "COVER-V4", false, &covers.v4);
    denied(out, "COVER-V6", false, &covers.v6);
}

/// A list for a clause that denies. What is no longer in it is left to be denied: nothing is
/// dropped by that.
fn denied<B: Numbered>(out: &mut Text, name: &str, inside: bool, prefixes: &[Prefix<B>]) {
    let list = PrefixList {
        name,
        action: "permit",
        inside,
    };
    list.others::<B>(out, OTHERS);
    list.entries(out, prefixes, FREE);
    out.push("!\n");
}

/// A list that denies these, and what is inside of them, and permits all others.
pub fn listed<B: Numbered>(out: &mut Text, name: &str, gone: &[Prefix<B>], prefixes: &[Prefix<B>]) {
    let list = PrefixList {
        name,
        action: "deny",
        inside: true,
    };
    list.others::<B>(out, OTHERS);
    list.without(out, gone);
    list.entries(out, prefixes, FREE);
    out.push("!\n");
}

/// The lists of the operator's own networks.
pub fn own_names() -> [Vec<String>; 2] {
    names(&["OWN"])
}

/// The same, and those of what covers them.
pub fn own_and_cover_names() -> [Vec<String>; 2] {
    names(&["OWN", "COVER"])
}

fn names(lists: &[&str]) -> [Vec<String>; 2] {
    ["V4", "V6"].map(|family| {
        let lists = lists.iter();
        lists
            .map(|list| format!("NULLROUTED-{list}-{family}"))
            .collect()
    })
}

/// Lists that deny what is too short and permit the rest. An entry for another length, left of an
/// earlier file, is stricter, or without effect.
pub fn long(out: &mut Text, limits: &Limits) {
    let long = [
        ("ip", "V4", "0.0.0.0/0", limits.shortest_v4, 32),
        ("ipv6", "V6", "::/0", limits.shortest_v6, 128),
    ];
    for (ip, family, all, shortest, longest) in long {
        let name = format!("{ip} prefix-list NULLROUTED-LONG-{family}");
        let shortest = shortest.max(1);
        let short = match shortest {
            1 => String::new(),
            _ => format!(" le {}", shortest - 1),
        };
        let _ = writeln!(
            out,
            "{name} seq {shortest} deny {all}{short}\n{name} seq {OTHERS} permit {all} le {longest}\n!"
        );
    }
}
