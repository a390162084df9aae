//! Cisco IOS-XR.
//!
//! ```text
//! trigger  P Null0 tag 666 ──redistribute static route-policy NULLROUTED-IN──► BGP ──NULLROUTED-OUT──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: set next-hop discard ──► Null0
//! filter   neighbor ──apply NULLROUTED-FILTER──► listed prefixes, what is inside, and listed origins are dropped
//! ```
//!
//! Behind each line, by Cisco's documentation; no such router took these files here:
//! * A file is loaded beside the running configuration, and one `commit` puts all of it in force,
//!   or nothing.
//! * A set or a policy that is written again is replaced whole, so nothing is taken away before it;
//!   one that is attached cannot be taken away, nor can a policy name a set that is not there. A
//!   static route stays until a line takes it away.
//! * Behind the last element of a set is no comma. It is a prefix, or an AS, that no route has, so
//!   that a listed one is one line, and the set is never empty.
//! * `set next-hop discard` in a policy for what a neighbor announces needs no route for the next
//!   hop, and no reachable one.
//! * A policy that is called and neither passes nor drops a route leaves it to the one that called
//!   it. A route that no policy has passed is dropped.
//! * A comment is a line of its own. A static route has a description.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. An iBGP neighbor is sent communities, an eBGP
//!   neighbor with `send-community-ebgp`.
//!
//! Not said by the documentation, and taken to be so: a line that takes away what is not there is
//! no reason to refuse the others; a static route that is written again has its new description.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::families::ios::OWN_ROUTE;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::{ByHand, FIRST, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "ios-xr",
    // As an edge it drops by a kind of next hop, whatever its address.
    next_hops: &[Role::Trigger],
    takes_away: true,
    render,
    ..Kind::ROUTER
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(4_000 + input.set().len() * 70);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, input),
        Role::Filter => filter(&mut out, input),
    }
    out.push("end\n");
    out.done()
}

const LOAD: &str = "\
Load:   configure exclusive
        load harddisk:/THIS-FILE
        show commit changes diff
        commit label nullrouted-DATE confirmed 300      (never commit replace; show configuration failed, if refused)
        commit                                          (within these seconds, when all is well)
";

const ORIGINATION: &str = "        Last, the origination:
         router bgp ASN
          address-family ipv4 unicast
           redistribute static route-policy NULLROUTED-IN
          address-family ipv6 unicast
           redistribute static route-policy NULLROUTED-IN6
        Where you redistribute static routes already, put both `if` of NULLROUTED-IN before all others of your own
        policy; and where OSPF, IS-IS or another protocol redistributes them, let it drop tag 666: both with the commit
        of the first load, as the routes of the file go out with it.
";

const UNDO: &str = "\
Undo:   show configuration commit list, rollback configuration COMMIT-ID        (of the label)
        For good by hand, with one commit: it is refused where something still names what is gone.
";

/// What the head says of sessions, and how all of it is taken out by hand.
fn sessions(options: &FileOptions) -> (String, String) {
    let mut first =
        "if community matches-any NULLROUTED then\n set community (no-export) additive\n"
            .to_owned();
    for (family, next_hop) in options.with_next_hops(["ipv4 unicast", "ipv6 unicast"]) {
        let set = format!(" set next-hop {next_hop}");
        let _ = writeln!(first, "{set:<46} (in the policy of {family})");
    }
    first.push_str(" done\nendif\n");
    let alone = "neighbor ADDRESS
 address-family ipv4 unicast                   (ipv6 unicast: NULLROUTED-OUT6)
  route-policy NULLROUTED-OUT out
";
    let ebgp = "  send-community-ebgp                          (where it is an eBGP neighbor)\n";
    let alone = match options.announce_to {
        AnnounceTo::Ibgp => alone.to_owned(),
        AnnounceTo::Ebgp => [alone, ebgp].concat(),
    };
    let words = Words {
        policy: "route-policy",
        clauses: "statements",
        alone: &alone,
        first: &first,
        rest: "pass                                           (last, where nothing else passes: without it all is dropped)",
        deny: "if community matches-any NULLROUTED then drop endif",
        attach: "\
neighbor ADDRESS                               (where it has none yet)
 address-family ipv4 unicast                   (ipv6 unicast likewise)
  route-policy YOURS out",
        communities: match options.announce_to {
            AnnounceTo::Ibgp => "",
            AnnounceTo::Ebgp => "`send-community-ebgp`, where it is eBGP",
        },
        closed: "An eBGP neighbor without a route-policy out receives nothing, and needs none of this, unless `bgp \
                 unsafe-ebgp-policy` is set.",
        proof: "show bgp ipv4 unicast PREFIX, \"Advertised to\" has no other neighbor",
        tried: false,
        by_hand: ByHand {
            origination: "no redistribute static",
            own: "Where a route-policy of yours is in use for it, that stays: take the static routes with tag 666 out with \
                  the same commit as both `if` of NULLROUTED-IN, without which it announces them as any others.",
            alone: "\
neighbor ADDRESS
 shutdown
 address-family ipv4 unicast                   (ipv6 unicast: NULLROUTED-OUT6)
  no route-policy NULLROUTED-OUT out",
            clauses: "edit route-policy YOURS                        (each `if` with NULLROUTED)",
            rest: "The route-policies named NULLROUTED, then the sets so named, and the static routes with tag 666.",
        },
    };
    (words.sessions(options), words.by_hand())
}

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let (sessions, by_hand) = sessions(options);
    let uses = [
        LOAD,
        FIRST,
        &sessions,
        ORIGINATION,
        UNDO,
        &by_hand,
        OWN_ROUTE,
    ]
    .concat();
    out.push(&input.head("!!", &uses));
    let communities = match options.announce_to {
        AnnounceTo::Ibgp => "65535:666, no-export",
        AnnounceTo::Ebgp => "65535:666",
    };
    own(out, input);
    out.push(COMMUNITY);
    for (name, family) in [("IN", "V4"), ("IN6", "V6")] {
        let _ = write!(
            out,
            "route-policy NULLROUTED-{name}
  if destination in NULLROUTED-OWN-{family} and tag is 666 then
    drop
  endif
  if tag is 666 then
    set community ({communities})
    set origin igp
    done
  endif
  drop
end-policy
!
"
        );
    }
    for (name, next_hop) in ["OUT", "OUT6"].into_iter().zip(options.next_hops()) {
        let next_hop = match next_hop {
            Some(next_hop) => format!("    set next-hop {next_hop}\n"),
            None => String::new(),
        };
        let _ = write!(
            out,
            "route-policy NULLROUTED-{name}
  if community matches-any NULLROUTED then
    set community (no-export) additive
{next_hop}    done
  endif
  drop
end-policy
!
"
        );
    }
    out.push(&input.kept("!!"));
    out.push("router static\n address-family ipv4 unicast\n");
    out.lines("  no ", input.left_v4(), " Null0");
    input.v4(|prefix, reason| route(out, prefix, reason));
    out.push(" !\n address-family ipv6 unicast\n");
    out.lines("  no ", input.left_v6(), " Null0");
    input.v6(|prefix, reason| route(out, prefix, reason));
    out.push(" !\n!\n");
}

const EDGE: &str = "\
Use:    router bgp ASN
         neighbor ADDRESS
          address-family ipv4 unicast                   (ipv6 unicast: NULLROUTED-EDGE6)
           route-policy NULLROUTED-EDGE in
           maximum-prefix NUMBER
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone.
Undo:   shutdown at the neighbor, first: without the policy everything is taken, or nothing
        then take the lines above out, and what is named NULLROUTED
";

fn edge(out: &mut Text, input: &FileInput) {
    out.push(&input.edge_head("!!", &[LOAD, EDGE].concat()));
    own(out, input);
    let covers = input.covers();
    prefix_set(out, "COVER-V4", &covers.v4, false);
    prefix_set(out, "COVER-V6", &covers.v6, false);
    out.push(COMMUNITY);
    let limits = input.limits;
    let long = [
        ("EDGE", "V4", "0.0.0.0/0", limits.shortest_v4),
        ("EDGE6", "V6", "::/0", limits.shortest_v6),
    ];
    for (name, family, all, shortest) in long {
        let _ = write!(
            out,
            "route-policy NULLROUTED-{name}
  if destination in NULLROUTED-OWN-{family} or destination in NULLROUTED-COVER-{family} then
    drop
  endif
  if community matches-any NULLROUTED and destination in ({all} ge {}) then
    set local-preference 200
    set community (no-export) additive
    set next-hop discard
    done
  endif
  drop
end-policy
!
",
            shortest.max(1)
        );
    }
}

const FILTER: &str = "\
Use:    in your own policy for what a neighbor announces, before all others:
         apply NULLROUTED-FILTER                        (for ipv6 unicast: apply NULLROUTED-FILTER6)
        Never attach it to a neighbor itself: it passes nothing, so everything would be dropped.
Undo:   show configuration commit list, rollback configuration COMMIT-ID        (of the label)
        For good, take the lines with apply out, then what is named NULLROUTED.
The router has a limit for the lines of all sets and policies; above it, the commit is refused.
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("!!", &[LOAD, FILTER].concat()));
    prefix_set(out, "FILTER-V4", &input.set().v4, true);
    prefix_set(out, "FILTER-V6", &input.set().v6, true);
    out.push("as-path-set NULLROUTED-ORIGINS\n");
    for asn in input.origins() {
        let _ = writeln!(out, "  originates-from '{asn}',");
    }
    out.push("  ios-regex '_0_'\nend-set\n!\n");
    for (name, family) in [("FILTER", "V4"), ("FILTER6", "V6")] {
        let _ = write!(
            out,
            "route-policy NULLROUTED-{name}
  if destination in NULLROUTED-FILTER-{family} then
    drop
  endif
  if as-path in NULLROUTED-ORIGINS then
    drop
  endif
end-policy
!
"
        );
    }
}

const COMMUNITY: &str = "community-set NULLROUTED\n  65535:666\nend-set\n!\n";

/// The operator's own networks, and what is inside of them.
fn own(out: &mut Text, input: &FileInput) {
    let own = input.own();
    prefix_set(out, "OWN-V4", &own.v4, true);
    prefix_set(out, "OWN-V6", &own.v6, true);
}

/// A set of these, and of what is `inside` of them where that is said.
fn prefix_set<B: Bits>(out: &mut Text, name: &str, prefixes: &[Prefix<B>], inside: bool) {
    let (longest, last) = match B::WIDTH {
        32 => (" le 32,\n", "0.0.0.0/32"),
        _ => (" le 128,\n", "::/128"),
    };
    let _ = writeln!(out, "prefix-set NULLROUTED-{name}");
    for prefix in prefixes {
        out.push("  ");
        out.prefix(prefix);
        out.push(if inside && prefix.len() < B::WIDTH {
            longest
        } else {
            ",\n"
        });
    }
    let _ = writeln!(out, "  {last}\nend-set\n!");
}

fn route<B: Bits>(out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
    out.push("  ");
    out.prefix(prefix);
    out.push(" Null0 tag 666");
    out.word(" description ", reason);
    out.push("\n");
}
