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
//!   its commit, at once. So lists are taken away and written anew. Routes are not, since nothing
//!   tells ours from others: what is no longer listed is taken away by a line each.
//! * A prefix list is written in a mode of its own, and is in force at its `exit`. Its numbers end
//!   at 65535.
//! * What an empty list matches is not documented, nor what a missing one does: each has an entry
//!   about all others.
//! * A route-map that is missing at a neighbor permits everything, unless `bgp missing-policy` says
//!   otherwise. The one of a filter is taken away first and written last: should the file be loaded
//!   without a session, the filter is open meanwhile. Those of the others are written over
//!   themselves.
//! * An as-path list has neither numbers nor a mode. Its first entry denies a path that nobody has.
//! * `no ip route P` without a next hop would take the operator's own routes to P away as well.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. By default a neighbor is sent no communities.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::families::ios::{FORMER, OWN_ROUTE};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::route_map::{CLAUSES, OWN_MAP, REDISTRIBUTED, REST, RouteMaps};
use crate::targets::file::parts::sequence::Numbered;
use crate::targets::file::parts::sessions::{ByHand, FIRST};
use crate::targets::file::parts::shards::{OTHERS, Shards};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "eos",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    render,
    ..Kind::ROUTER
};

const MAPS: RouteMaps = RouteMaps {
    indent: "   ",
    ipv6_next_hop: "ipv6 next-hop",
    communities: "`send-community`",
    closed: "",
    attach: "\
address-family ipv4                            (and ipv6, where it has none yet)
   neighbor ADDRESS route-map YOURS out",
    by_hand: ByHand {
        origination: "no redistribute static",
        own: OWN_MAP,
        alone: "\
neighbor ADDRESS shutdown
address-family ipv4                            (ipv6: NULLROUTED-OUT6)
   no neighbor ADDRESS route-map NULLROUTED-OUT out",
        clauses: CLAUSES,
        rest: REST,
    },
    proof: "show ip bgp PREFIX detail, \"Advertised to\" has no other neighbor",
    tried: false,
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(4_000 + input.set().len() * 70);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, options, input),
        Role::Filter => filter(&mut out, input),
    }
    out.done()
}

const LOAD: &str = "\
Load:   copy running-config flash:before-nullrouted-DATE.cfg
        configure session NAME                          (a name that no session had before)
        copy flash:THIS-FILE session-config
        show session-config diffs
        commit timer 00:05:00
        configure session NAME commit                   (within these minutes, when all is well)
        copy running-config startup-config              (when all is well; an older one would bring old lines back)
";

const ORIGINATION: &str =
    "        Load the file first: a route-map that is not there lets everything out.
        Last, the origination:
         router bgp ASN
            address-family ipv4
               redistribute static route-map NULLROUTED-IN
            address-family ipv6
               redistribute static route-map NULLROUTED-IN6
";

const ALONE: &str = "\
neighbor ADDRESS send-community
address-family ipv4                            (ipv6: NULLROUTED-OUT6)
   neighbor ADDRESS route-map NULLROUTED-OUT out
";

const UNDO: &str = "\
Undo:   configure replace flash:before-nullrouted-DATE.cfg      (takes back what anybody changed since)
        or by hand, in this order, also within one session:
";

const NEEDS: &str = "\
Needs EOS 4.23 or later. A commit undoes what others changed since the session began: be quick.
Never load it without a session: lists are taken away before they are written anew.
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
        NEEDS,
        FORMER,
        OWN_ROUTE,
    ];
    out.push(&input.head("!", &uses.concat()));
    let own = own(out, input);
    out.push(COMMUNITY);
    MAPS.ingress(out, options, &own);
    MAPS.egress(out, options);
    out.push(&input.kept("!"));
    out.lines("no ip route ", input.left_v4(), " Null0");
    out.lines("no ipv6 route ", input.left_v6(), " Null0");
    input.v4(|prefix, reason| route(out, "ip route ", prefix, reason));
    input.v6(|prefix, reason| route(out, "ipv6 route ", prefix, reason));
}

fn route<B: Bits>(out: &mut Text, command: &str, prefix: &Prefix<B>, reason: &Reason) {
    out.push(command);
    out.prefix(prefix);
    out.push(" Null0 tag 666");
    out.word(" name ", reason);
    out.push("\n");
}

const EDGE: &str = "\
Use:    router bgp ASN
           neighbor ADDRESS ebgp-multihop               (where the trigger is an eBGP neighbor)
           neighbor ADDRESS maximum-routes NUMBER
           address-family ipv4
              neighbor ADDRESS route-map NULLROUTED-EDGE in
           address-family ipv6
              neighbor ADDRESS route-map NULLROUTED-EDGE6 in
        Load the file first: a route-map that is not there lets everything in.
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone.
        See with `show ipv6 route PREFIX` that it is Null0: an update of a neighbor on the link carries a link-local
        next hop, too.
Undo:   configure replace flash:before-nullrouted-DATE.cfg      (takes back what anybody changed since)
        or shut the neighbor down, then take out by hand: its lines, the route-maps and lists named NULLROUTED, the
        two static routes
Needs EOS 4.23 or later. A BGP route whose next hop is dropped is a feature of 2025: see with `show ip route`
whether yours installs it. A commit undoes what others changed since the session began: be quick.
Never load it without a session: lists are taken away before they are written anew.
Another next hop in the configuration leaves its former route beside it: take that out by hand.
";

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.edge_head("!", &[LOAD, EDGE].concat()));
    let [own4, own6] = own(out, input);
    let [covers4, covers6] = covers(out, input);
    let own = [[own4, covers4].concat(), [own6, covers6].concat()];
    let limits = input.limits;
    let long = [
        ("ip", "V4", "0.0.0.0/0", limits.shortest_v4, 32),
        ("ipv6", "V6", "::/0", limits.shortest_v6, 128),
    ];
    for (ip, family, all, shortest, longest) in long {
        let name = format!("{ip} prefix-list NULLROUTED-LONG-{family}");
        let _ = write!(
            out,
            "no {name}
{name}
   seq 5 permit {all} ge {}
   seq {OTHERS} deny {all} le {longest}
exit
!
",
            shortest.max(1)
        );
    }
    out.push(COMMUNITY);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(out, "ip route {v4}/32 Null0\nipv6 route {v6}/128 Null0\n!");
    MAPS.edge(out, options, &own);
}

const FILTER: &str = "\
Use:    router bgp ASN
           address-family ipv4
              neighbor ADDRESS route-map NULLROUTED-FILTER in
           address-family ipv6
              neighbor ADDRESS route-map NULLROUTED-FILTER6 in
        Where a neighbor has a route-map already, put the clauses that deny before all others in it.
Undo:   configure replace flash:before-nullrouted-DATE.cfg      (takes back what anybody changed since)
        or take the lines at the neighbor out first, and in your own route-map the clauses that name NULLROUTED; then
        the route-maps so named, then the lists
A commit undoes what others changed since the session began: be quick.
Never load it without a session: lists are taken away before they are written anew.
A list has 65534 numbers. Above 32767 IPv4 or IPv6 prefixes there is a second one, -2, above 65534 a third, and
so on, with a clause of the route-maps each: look after your own route-map then.
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("!", &[LOAD, FILTER].concat()));
    out.push("no route-map NULLROUTED-FILTER\nno route-map NULLROUTED-FILTER6\n!\n");
    let v4 = list(out, &Shards::new("FILTER-V4", &input.set().v4), true);
    let v6 = list(out, &Shards::new("FILTER-V6", &input.set().v6), true);
    let origins = "ip as-path access-list NULLROUTED-ORIGINS";
    let _ = writeln!(out, "no {origins}\n{origins} deny _0_ any");
    for asn in input.origins() {
        let _ = writeln!(out, "{origins} permit _{asn}$ any");
    }
    out.push("!\n");
    for (name, ip, lists) in [("FILTER", "ip", v4), ("FILTER6", "ipv6", v6)] {
        let name = format!("route-map NULLROUTED-{name}");
        let _ = writeln!(out, "{name} deny 5\n   match as-path NULLROUTED-ORIGINS");
        for (at, list) in lists.iter().enumerate() {
            let clause = 10 + at;
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
fn own(out: &mut Text, input: &FileInput) -> [Vec<String>; 2] {
    let own = input.own();
    [
        list(out, &Shards::new("OWN-V4", &own.v4), true),
        list(out, &Shards::new("OWN-V6", &own.v6), true),
    ]
}

/// What covers those; the names of their lists.
fn covers(out: &mut Text, input: &FileInput) -> [Vec<String>; 2] {
    let covers = input.covers();
    [
        list(out, &Shards::new("COVER-V4", &covers.v4), false),
        list(out, &Shards::new("COVER-V6", &covers.v6), false),
    ]
}

/// Lists that permit these, and what is `inside` of them where that is said, and deny all others;
/// their names.
fn list<B: Numbered>(out: &mut Text, lists: &Shards<B>, inside: bool) -> Vec<String> {
    let (ip, all, longest) = match B::WIDTH {
        32 => ("ip", "0.0.0.0/0", " le 32\n"),
        _ => ("ipv6", "::/0", " le 128\n"),
    };
    let names = lists.names();
    for (name, entries) in names.iter().zip(lists.by_list()) {
        let name = format!("{ip} prefix-list {name}");
        let _ = writeln!(out, "no {name}\n{name}");
        for (number, prefix) in entries {
            out.push("   seq ");
            out.number(number);
            out.push(" permit ");
            out.prefix(&prefix);
            out.push(if inside && prefix.len() < B::WIDTH {
                longest
            } else {
                "\n"
            });
        }
        let _ = write!(out, "   seq {OTHERS} deny {all}{longest}exit\n!\n");
    }
    names
}
