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
use std::ops::RangeInclusive;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::families::ios::{FORMER, OWN_ROUTE, OWN_STAYS};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::route_map::originated;
use crate::targets::file::parts::sequence::{Numbered, numbered};
use crate::targets::file::parts::sessions::{ByHand, FIRST, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "vrp",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    too_many,
    render,
    ..Kind::ROUTER
};

/// The number of the line about all others; the entries are before it.
const OTHERS: u32 = u32::MAX;
const FREE: RangeInclusive<u32> = 1..=OTHERS - 1;

/// What a list takes beside the line about all others.
const MANY: usize = 65_534;

fn too_many(options: &FileOptions, v4: usize, v6: usize) -> Option<String> {
    let longest = v4.max(v6);
    let is = options.role == Role::Filter && longest > MANY;
    is.then(|| {
        format!(
            "{longest} entries of a kind: above {MANY} the router refuses them, and their routes pass. Instead: a \
             trigger, and this router as an edge"
        )
    })
}

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(4_000 + input.set().len() * 90);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, options, input),
        Role::Filter => filter(&mut out, options, input),
    }
    out.done()
}

const LOAD: &str = "\
Load:   save before-nullrouted.cfg
        system-view
        route-policy-change notify-delay 180            (V5, where each line acts at once; undo it in the end)
        the lines of this file
        display configuration candidate changes         (V8)
        commit trial 300, then commit                   (V8, the second when all is well)
        save                                            (an older configuration would bring old lines back)
";

const ORIGINATION: &str = "        Last, the origination:
         bgp ASN
          ipv4-family unicast
           import-route static route-policy NULLROUTED-IN
          ipv6-family unicast
           import-route static route-policy NULLROUTED-IN6
        Where you import static routes already, put all nodes of NULLROUTED-IN but the last before all others of your
        own route-policy; and where OSPF or IS-IS imports them, let it deny tag 666: both before the first load, as the
        routes of the file go out with it.
";

const UNDO: &str = "\
Undo:   display configuration commit list, rollback configuration to commit-id ID       (V8, with all since)
        startup saved-configuration before-nullrouted.cfg, reboot                       (V5)
        This file goes back one load: it is saved anew at each. Or by hand, in this order; V8 with one commit:
";

/// What the head says of sessions, and how all of it is taken out by hand.
fn sessions(options: &FileOptions) -> (String, String) {
    let mut first =
        "route-policy YOURS permit node 1               (any number below those of YOURS)
 if-match community-filter NULLROUTED
 apply community no-export additive
"
        .to_owned();
    for (apply, next_hop) in options.with_next_hops(NEXT_HOPS) {
        let _ = writeln!(first, " apply {apply} {next_hop}");
    }
    let words = Words {
        policy: "route-policy",
        clauses: "nodes",
        alone: "peer ADDRESS advertise-community               (in each family)
peer ADDRESS route-policy NULLROUTED-OUT export (ipv6-family: NULLROUTED-OUT6)",
        first: &first,
        rest: "route-policy YOURS permit node 65535           (where it has no other node: without one it denies all)",
        deny: "route-policy YOURS deny node 1                 (any number below those of YOURS)\n if-match community-filter NULLROUTED",
        attach: "peer ADDRESS route-policy YOURS export         (in each family, where it has none yet)",
        communities: "`advertise-community`",
        closed: "",
        proof: "display bgp routing-table PREFIX LENGTH, \"Advertised to such\" has no other peer",
        tried: false,
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
    };
    (words.sessions(options), words.by_hand())
}

/// How a next hop is set, IPv4 first.
const NEXT_HOPS: [&str; 2] = ["ip-address next-hop", "ipv6 next-hop"];

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let (sessions, by_hand) = sessions(options);
    let uses = [
        LOAD,
        FIRST,
        &sessions,
        ORIGINATION,
        UNDO,
        &by_hand,
        FORMER,
        OWN_STAYS,
        OWN_ROUTE,
    ];
    out.push(&input.head("#", &uses.concat()));
    own(out, input);
    out.push(COMMUNITY);
    let communities = originated(options, "65535:666");
    for (name, own) in [("IN", OWN_V4), ("IN6", OWN_V6)] {
        let _ = write!(
            out,
            "route-policy NULLROUTED-{name} deny node 5
 {own}
 if-match tag 666
quit
route-policy NULLROUTED-{name} permit node 10
 if-match tag 666
 apply community {communities}
 apply origin igp
quit
route-policy NULLROUTED-{name} deny node 65535
quit
#
"
        );
    }
    for (name, apply, next_hop) in [("OUT", NEXT_HOPS[0], 0), ("OUT6", NEXT_HOPS[1], 1)] {
        let next_hop = match options.next_hops()[next_hop] {
            Some(next_hop) => format!(" apply {apply} {next_hop}\n"),
            None => String::new(),
        };
        let _ = write!(
            out,
            "route-policy NULLROUTED-{name} permit node 10
 if-match community-filter NULLROUTED
 apply community no-export additive
{next_hop}quit
route-policy NULLROUTED-{name} deny node 65535
quit
#
"
        );
    }
    out.push(&input.kept("#"));
    without(out, input.left_v4());
    without(out, input.left_v6());
    input.v4(|prefix, reason| route(out, prefix, reason));
    input.v6(|prefix, reason| route(out, prefix, reason));
    out.push("#\n");
}

const EDGE: &str = "\
Use:    bgp ASN
         peer ADDRESS ebgp-max-hop 2                    (where the trigger is an eBGP peer)
         ipv4-family unicast
          peer ADDRESS route-policy NULLROUTED-EDGE import
          peer ADDRESS route-limit NUMBER
         ipv6-family unicast
          peer ADDRESS route-policy NULLROUTED-EDGE6 import
          peer ADDRESS route-limit NUMBER
        See with `display ipv6 routing-table PREFIX` that it is NULL0: an update of a peer on the link carries a
        link-local next hop, too. On NE8000 (V8) `apply ipv6 next-hop blackhole` in NULLROUTED-EDGE6, typed anew
        after each load, needs neither the static route nor ebgp-max-hop; S57xx (V5) does not have it.
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone.
Undo:   peer ADDRESS ignore, first: without the route-policy everything is taken
        then take the lines above out, what is named NULLROUTED, and the two static routes
Another next hop in the configuration leaves the former one's route beside it: take that out by hand.
What you protect no longer stays in the lists OWN and COVER, and no blackhole for it is taken: take it out by hand.
";

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.edge_head("#", &[LOAD, EDGE].concat()));
    own(out, input);
    let covers = input.covers();
    denied(out, "COVER-V4", false, &covers.v4);
    denied(out, "COVER-V6", false, &covers.v6);
    long::<u32>(out, "LONG-V4", input.limits.shortest_v4);
    long::<u128>(out, "LONG-V6", input.limits.shortest_v6);
    out.push(COMMUNITY);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(
        out,
        "ip route-static {v4} 32 NULL0\nipv6 route-static {v6} 128 NULL0\n#"
    );
    let v4 = format!("ip-address next-hop {v4}");
    let v6 = format!("ipv6 next-hop {v6}");
    let (ip, ipv6) = ("ip-prefix", "ipv6 address prefix-list");
    for (name, kind, family, next_hop) in [("EDGE", ip, "V4", v4), ("EDGE6", ipv6, "V6", v6)] {
        let _ = write!(
            out,
            "route-policy NULLROUTED-{name} deny node 5
 if-match {kind} NULLROUTED-OWN-{family}
quit
route-policy NULLROUTED-{name} deny node 6
 if-match {kind} NULLROUTED-COVER-{family}
quit
route-policy NULLROUTED-{name} permit node 10
 if-match {kind} NULLROUTED-LONG-{family}
 if-match community-filter NULLROUTED
 apply {next_hop}
 apply local-preference 200
 apply community no-export additive
quit
route-policy NULLROUTED-{name} deny node 65535
quit
#
"
        );
    }
}

const FILTER: &str = "\
Use:    bgp ASN
         ipv4-family unicast
          peer ADDRESS ip-prefix NULLROUTED-FILTER-V4 import
          peer ADDRESS as-path-filter NULLROUTED-ORIGINS import
         ipv6-family unicast
          peer ADDRESS ipv6-prefix NULLROUTED-FILTER-V6 import
          peer ADDRESS as-path-filter NULLROUTED-ORIGINS import
        They stand beside your route-policy. A peer has one of each kind: where there is one, it is replaced.
Undo:   take the lines at the peer out first, then the lists
The origin ASes match where AS numbers are plain (as-notation), and on V8 alone.
";

fn filter(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.head_for(options, "#", &[LOAD, FILTER].concat()));
    listed(out, "FILTER-V4", &input.to_unconfigure.v4, &input.set().v4);
    listed(out, "FILTER-V6", &input.to_unconfigure.v6, &input.set().v6);
    let filter = "ip as-path-filter NULLROUTED-ORIGINS index";
    let _ = writeln!(out, "{filter} {OTHERS} permit .*");
    for asn in &input.to_unconfigure.origins {
        let _ = writeln!(out, "undo {filter} {asn}");
    }
    for asn in input.origins() {
        let _ = writeln!(out, "{filter} {asn} deny _{asn}$");
    }
    out.push("#\n");
}

const COMMUNITY: &str = "ip community-filter basic NULLROUTED index 10 permit 65535:666\n#\n";

const OWN_V4: &str = "if-match ip-prefix NULLROUTED-OWN-V4";
const OWN_V6: &str = "if-match ipv6 address prefix-list NULLROUTED-OWN-V6";

/// The operator's own networks, and what is inside of them.
fn own(out: &mut Text, input: &FileInput) {
    let own = input.own();
    denied(out, "OWN-V4", true, &own.v4);
    denied(out, "OWN-V6", true, &own.v6);
}

/// A list for a node that denies. What is no longer in it is left to be denied: nothing is dropped
/// by that.
fn denied<B: Numbered>(out: &mut Text, name: &str, inside: bool, prefixes: &[Prefix<B>]) {
    others::<B>(out, name, "deny");
    entries(out, name, "permit", inside, prefixes);
    out.push("#\n");
}

/// A list that denies what is shorter than this and permits the rest. An entry for another length,
/// left of an earlier file, is stricter, or without effect.
fn long<B: Bits>(out: &mut Text, name: &str, shortest: u8) {
    others::<B>(out, name, "permit");
    let shortest = shortest.max(1);
    let _ = writeln!(
        out,
        "{} index {shortest} deny {} 0{}\n#",
        list::<B>(name),
        all::<B>(),
        match shortest {
            1 => String::new(),
            _ => format!(" less-equal {}", shortest - 1),
        }
    );
}

/// A list that denies these, and what is inside of them, and permits all others.
fn listed<B: Numbered>(out: &mut Text, name: &str, gone: &[Prefix<B>], prefixes: &[Prefix<B>]) {
    others::<B>(out, name, "permit");
    let undo = format!("undo {} index ", list::<B>(name));
    for prefix in gone {
        for (number, _) in numbered(std::slice::from_ref(prefix), FREE) {
            out.push(&undo);
            out.number(number);
            out.push("\n");
        }
    }
    entries(out, name, "deny", true, prefixes);
    out.push("#\n");
}

/// `ip ip-prefix NULLROUTED-NAME`.
fn list<B: Bits>(name: &str) -> String {
    let ip = if B::WIDTH == 32 { "ip" } else { "ipv6" };
    format!("ip {ip}-prefix NULLROUTED-{name}")
}

fn all<B: Bits>() -> &'static str {
    if B::WIDTH == 32 { "0.0.0.0" } else { "::" }
}

/// The line about all others.
fn others<B: Bits>(out: &mut Text, name: &str, action: &str) {
    let (list, all, width) = (list::<B>(name), all::<B>(), B::WIDTH);
    let _ = writeln!(
        out,
        "{list} index {OTHERS} {action} {all} 0 less-equal {width}"
    );
}

/// A line a prefix, for what is `inside` of it as well where that is said.
fn entries<B: Numbered>(
    out: &mut Text,
    name: &str,
    action: &str,
    inside: bool,
    prefixes: &[Prefix<B>],
) {
    let before = format!("{} index ", list::<B>(name));
    let action = format!(" {action} ");
    let longest = format!(" less-equal {}", B::WIDTH);
    for (number, prefix) in numbered(prefixes, FREE) {
        out.push(&before);
        out.number(number);
        out.push(&action);
        out.spaced(prefix);
        if inside && prefix.len() < B::WIDTH {
            out.push(&longest);
        }
        out.push("\n");
    }
}

fn static_route<B: Bits>(out: &mut Text, prefix: &Prefix<B>) {
    out.push(if B::WIDTH == 32 {
        "ip route-static "
    } else {
        "ipv6 route-static "
    });
    out.spaced(prefix);
    out.push(" NULL0");
}

fn route<B: Bits>(out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
    static_route(out, prefix);
    out.push(" tag 666");
    out.word(" description ", reason);
    out.push("\n");
}

/// The lines that take these away.
fn without<'a, B: Bits>(out: &mut Text, gone: impl Iterator<Item = &'a Prefix<B>>) {
    for prefix in gone {
        out.push("undo ");
        static_route(out, prefix);
        out.push("\n");
    }
}
