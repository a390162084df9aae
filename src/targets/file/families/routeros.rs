//! MikroTik RouterOS 7: a script for `/import`.
//!
//! ```text
//! trigger  /ip/route … blackhole distance=16 ──output.redistribute=static──► BGP ──NULLROUTED-OUT──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► set blackhole yes
//! filter   neighbor ──jump NULLROUTED-FILTER──► listed prefixes, what is inside, and listed origins are rejected
//! ```
//!
//! Behind each line, by MikroTik's documentation; no such router took these files here:
//! * A script runs line by line, and stops at the first that is refused. So what is there is marked
//!   as old, the new is added behind it, and then the old removed: a script that has stopped leaves
//!   in force what was in force.
//! * A chain that ends without a word rejects, so ours end with `return`. The new rules come behind
//!   it, and do nothing until the old `return` is gone; then the old rules are removed. There is no
//!   moment without either.
//! * A rule that is always the same is made once, as one that rejects, and then set: it is never
//!   missing.
//! * A firewall list in a routing filter matches exactly what is in it, not what is inside of that.
//!   So a filter is made of rules, which are tried one by one.
//! * A static route has no tag that a filter could ask for, but a distance. Ours is above that of
//!   the operator's own static routes (1) and below that of BGP (20): his own routes win, and what
//!   BGP has learned is dropped and announced all the same.
//! * A regular expression for a path is of AS numbers, not of characters: `64496$` is a path that
//!   begins at AS 64496. In a string a `$` without a backslash before it begins the name of a
//!   variable.
//! * `set blackhole yes` needs no route for the next hop, and no reachable one. On the way out a
//!   next hop is set for iBGP alone.
//! * `no-export` is added on the way out, where the community is. Only a connection that
//!   redistributes static routes announces any: a neighbor receives ours where the operator puts
//!   our chain, and nowhere else.
//!
//! Not said by the documentation, and taken to be so: two equal static routes are allowed, and
//! nothing is withdrawn when one of them goes; `set` and `remove` do nothing where nothing is
//! found; a filter on the way out sees the distance of a static route, and that it is a blackhole.
//! Where it does not, nothing is announced. A rule may jump from behind a condition.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::ip::sides;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::OptIn;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "routeros",
    // As an edge it drops by a kind of route, whatever the next hop.
    next_hops: &[Role::Trigger],
    room: 130,
    words: |options, _| SESSIONS.fill(options),
    trigger: (include_str!("../texts/routeros-trigger.txt"), trigger),
    edge: (include_str!("../texts/routeros-edge.txt"), edge),
    filter: (include_str!("../texts/routeros-filter.txt"), filter),
    ..Kind::ROUTER
};

const SESSIONS: OptIn = OptIn {
    others: "Any other connection or OSPF instance that redistributes static routes announces all of them, too: let its \
             chain reject `protocol static && blackhole && distance == 16` first.",
    alone: "/routing/bgp/connection set [find name=NAME] output.filter-chain=NULLROUTED-OUT output.redistribute=static",
    policy: "chain",
    mixed: "/routing/filter/rule add chain=YOURS rule=\"jump NULLROUTED-MIXED\"
/routing/filter/rule add chain=YOURS rule=\"if (protocol static) { reject }\"
/routing/bgp/connection set [find name=NAME] output.filter-chain=YOURS output.redistribute=static,WHAT-IT-HAS",
    behind: "Move both rules before all others of YOURS; leave the second one out where that connection redistributes \
             static routes already. A chain that has no other rule needs a last one, `accept`: without it all is \
             rejected.",
    proof: "/routing/bgp/advertisements print where peer=SESSION, for each session, with output.keep-sent-attributes=yes \
            at its connection",
    assumed: "a chain on the way out sees the distance of a static route, and that it is a blackhole; where it does \
              not, nothing is announced",
};

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    own(out, input);
    constant(out, "OUT", 1, "jump NULLROUTED-OWN");
    announce(out, "OUT", options, input);
    constant(out, "OUT", 4, "reject");
    // Before a chain of the operator's: about nothing but our routes, and with a way back.
    let rule = format!("if ({OURS}) {{ jump NULLROUTED-OWN }}");
    constant(out, "MIXED", 1, &rule);
    announce(out, "MIXED", options, input);
    constant(out, "MIXED", 4, "return");
    routes(out, "/ip/route", |out| {
        input.v4(|prefix, reason| route(out, prefix, reason));
    });
    routes(out, "/ipv6/route", |out| {
        input.v6(|prefix, reason| route(out, prefix, reason));
    });
}

/// What a route of ours is to a filter.
const OURS: &str = "protocol static && blackhole && distance == 16";

/// The rules of a chain that accept our routes, at its second place and its third.
fn announce(out: &mut Text, chain: &str, options: &FileOptions, input: &FileInput) {
    for (at, side) in (2..).zip(sides(options, input)) {
        let (n, next_hop) = (side.n, side.next_hop_line(" set gw ", ";"));
        let rule = format!(
            "if (afi ipv{n} && {OURS}) {{ append bgp-communities 65535:666,no-export;{next_hop} accept }}"
        );
        constant(out, chain, at, &rule);
    }
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    own(out, input);
    let covers = input.covers();
    networks(out, "COVER", false, &covers.v4, &covers.v6);
    constant(out, "EDGE", 1, "jump NULLROUTED-OWN");
    constant(out, "EDGE", 2, "jump NULLROUTED-COVER");
    for (at, side) in (3..).zip(sides(options, input)) {
        let (n, shortest, longest) = (side.n, side.shortest, side.longest);
        let rule = format!(
            "if (afi ipv{n} && dst-len in {shortest}-{longest} && bgp-communities includes 65535:666) \
             {{ set bgp-local-pref 200; append bgp-communities no-export; set blackhole yes; accept }}"
        );
        constant(out, "EDGE", at, &rule);
    }
    constant(out, "EDGE", 5, "reject");
}

fn filter(out: &mut Text, _: &FileOptions, input: &FileInput) {
    out.push("/routing/filter/rule\n");
    replaced(out, "FILTER", |out| {
        input.v4(|prefix, reason| rejected(out, "FILTER", prefix, true, reason));
        input.v6(|prefix, reason| rejected(out, "FILTER", prefix, true, reason));
        for asn in input.origins() {
            let _ = writeln!(
                out,
                r#"add chain=NULLROUTED-FILTER rule="if (bgp-as-path {asn}\$) {{ reject }}" comment="nullrouted:""#
            );
        }
    });
}

/// The operator's own networks, and what is inside of them.
fn own(out: &mut Text, input: &FileInput) {
    let own = input.own();
    out.push("/routing/filter/rule\n");
    networks(out, "OWN", true, &own.v4, &own.v6);
}

/// A chain that rejects these, and what is `inside` of them where that is said.
fn networks(out: &mut Text, chain: &str, inside: bool, v4: &[Prefix<u32>], v6: &[Prefix<u128>]) {
    let reason = Reason::default();
    replaced(out, chain, |out| {
        v4.iter()
            .for_each(|prefix| rejected(out, chain, prefix, inside, &reason));
        v6.iter()
            .for_each(|prefix| rejected(out, chain, prefix, inside, &reason));
    });
}

/// A chain of which only these rules are left in the end, and which goes back where none of them
/// matches.
fn replaced(out: &mut Text, chain: &str, rules: impl FnOnce(&mut Text)) {
    let _ = write!(
        out,
        r#"set [find chain=NULLROUTED-{chain} comment="nullrouted end"] comment="nullrouted old end"
set [find chain=NULLROUTED-{chain} comment!="nullrouted old end"] comment="nullrouted old"
"#
    );
    rules(out);
    let _ = write!(
        out,
        r#"add chain=NULLROUTED-{chain} rule="return" comment="nullrouted end"
remove [find chain=NULLROUTED-{chain} comment="nullrouted old end"]
remove [find chain=NULLROUTED-{chain} comment="nullrouted old"]
"#
    );
}

/// A rule that a chain always has, `at` this place.
fn constant(out: &mut Text, chain: &str, at: u8, rule: &str) {
    let comment = format!("nullrouted {chain} {at}");
    let _ = write!(
        out,
        r#":if ([:len [find comment="{comment}"]] = 0) do={{ add chain=NULLROUTED-{chain} rule="reject" comment="{comment}" }}
set [find comment="{comment}"] rule="{rule}"
"#
    );
}

/// The routes of one menu, of which only these are left of ours in the end.
fn routes(out: &mut Text, menu: &str, routes: impl FnOnce(&mut Text)) {
    out.push(menu);
    out.push("\nset [find comment~\"^nullrouted(:| old)\"] comment=\"nullrouted old\"\n");
    routes(out);
    out.push("remove [find comment=\"nullrouted old\"]\n");
}

fn route<B: Bits>(out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
    out.push("add dst-address=");
    out.prefix(prefix);
    out.push(" blackhole distance=16");
    comment(out, reason);
}

fn rejected<B: Bits>(
    out: &mut Text,
    chain: &str,
    prefix: &Prefix<B>,
    inside: bool,
    reason: &Reason,
) {
    out.push("add chain=NULLROUTED-");
    out.push(chain);
    out.push(if inside && prefix.len() < B::WIDTH {
        " rule=\"if (dst in "
    } else {
        " rule=\"if (dst == "
    });
    out.prefix(prefix);
    out.push(") { reject }\"");
    comment(out, reason);
}

/// By which it is found, and its listings.
fn comment(out: &mut Text, reason: &Reason) {
    out.push(" comment=\"nullrouted:");
    if !reason.is_empty() {
        out.push(" ");
        out.reason(reason);
    }
    out.push("\"\n");
}
