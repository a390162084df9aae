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

use crate::prefix::Prefix;
use crate::targets::file::family::Kind;
use crate::targets::file::head;
use crate::targets::file::parts::ip::{Ip, Side, sides};
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "ios-xr",
    // As an edge it drops by a kind of next hop, whatever its address.
    next_hops: &[Role::Trigger],
    takes_away: true,
    mark: "!!",
    words,
    trigger: (include_str!("../texts/ios-xr-trigger.txt"), trigger),
    edge: (include_str!("../texts/ios-xr-edge.txt"), edge),
    filter: (include_str!("../texts/ios-xr-filter.txt"), filter),
    end: |out, _| out.push("end\n"),
    ..Kind::ROUTER
};

/// What the head says of sessions.
fn words(options: &FileOptions, _: &FileInput) -> head::Words {
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
    let (alone, communities) = match options.announce_to {
        AnnounceTo::Ibgp => (alone.to_owned(), ""),
        AnnounceTo::Ebgp => (
            [alone, ebgp].concat(),
            "`send-community-ebgp`, where it is eBGP",
        ),
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
        communities,
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
    words.fill(options)
}

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let communities = match options.announce_to {
        AnnounceTo::Ibgp => "65535:666, no-export",
        AnnounceTo::Ebgp => "65535:666",
    };
    own(out, input);
    out.push(COMMUNITY);
    let sides = sides(options, input);
    for Side { n, six, .. } in sides {
        let _ = write!(
            out,
            "route-policy NULLROUTED-IN{six}
  if destination in NULLROUTED-OWN-V{n} and tag is 666 then
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
    for side in sides {
        let (six, next_hop) = (side.six, side.next_hop_line("    set next-hop ", "\n"));
        let _ = write!(
            out,
            "route-policy NULLROUTED-OUT{six}
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

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    own(out, input);
    let covers = input.covers();
    prefix_set(out, "COVER", &covers.v4, false);
    prefix_set(out, "COVER", &covers.v6, false);
    out.push(COMMUNITY);
    for side in sides(options, input) {
        let (n, six, all) = (side.n, side.six, side.all);
        let shortest = side.shortest;
        let _ = write!(
            out,
            "route-policy NULLROUTED-EDGE{six}
  if destination in NULLROUTED-OWN-V{n} or destination in NULLROUTED-COVER-V{n} then
    drop
  endif
  if community matches-any NULLROUTED and destination in ({all} ge {shortest}) then
    set local-preference 200
    set community (no-export) additive
    set next-hop discard
    done
  endif
  drop
end-policy
!
"
        );
    }
}

fn filter(out: &mut Text, options: &FileOptions, input: &FileInput) {
    prefix_set(out, "FILTER", &input.set().v4, true);
    prefix_set(out, "FILTER", &input.set().v6, true);
    out.push("as-path-set NULLROUTED-ORIGINS\n");
    for asn in input.origins() {
        let _ = writeln!(out, "  originates-from '{asn}',");
    }
    out.push("  ios-regex '_0_'\nend-set\n!\n");
    for Side { n, six, .. } in sides(options, input) {
        let _ = write!(
            out,
            "route-policy NULLROUTED-FILTER{six}
  if destination in NULLROUTED-FILTER-V{n} then
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
    prefix_set(out, "OWN", &own.v4, true);
    prefix_set(out, "OWN", &own.v6, true);
}

/// A set of these, and of what is `inside` of them where that is said.
fn prefix_set<B: Ip>(out: &mut Text, name: &str, prefixes: &[Prefix<B>], inside: bool) {
    let inside = match inside {
        true => format!(" le {}", B::WIDTH),
        false => String::new(),
    };
    let _ = writeln!(out, "prefix-set NULLROUTED-{name}-V{}", B::N);
    for prefix in prefixes {
        out.push("  ");
        out.prefix(prefix);
        out.push(if prefix.len() < B::WIDTH { &inside } else { "" });
        out.push(",\n");
    }
    let last = Prefix::host(B::ZERO);
    let _ = writeln!(out, "  {last}\nend-set\n!");
}

fn route<B: Ip>(out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
    out.push("  ");
    out.prefix(prefix);
    out.push(" Null0 tag 666");
    out.word(" description ", reason);
    out.push("\n");
}
