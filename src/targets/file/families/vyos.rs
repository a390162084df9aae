//! VyOS.
//!
//! ```text
//! trigger  static route … blackhole tag 666 ──redistribute static route-map NULLROUTED-IN──► BGP ──NULLROUTED-OUT──►
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► a static blackhole
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! The file is a script. It asks the router what it holds under our mark, compares that with its
//! own lines, one a prefix, and deletes and sets the difference in one commit. So it takes away
//! what is gone, whatever came before it.
//!
//! Behind each line, by the documentation and the sources of VyOS 1.4; no such router took these
//! files here, but the script was run in bash with such commands in place of VyOS's own:
//! * Our routes have a description that begins with `nullrouted`. Where the operator has a route of
//!   his own, it stays as it is, whatever its tag, and gets no blackhole beside it.
//! * `set` says something where it fails, and its status says nothing; nor does that of `commit`,
//!   but a commit that failed leaves the session changed. Where a `set` has failed there is no
//!   commit.
//! * VyOS gives every beginning of its commands an alias, `comm` among them: `comm` cannot be used
//!   in a script.
//! * A `set` starts several processes: so only the difference is set.
//! * VyOS writes FRR's configuration. A list without rules permits everything there, so each has a
//!   rule about all others. A commit is refused where a route-map speaks of a prefix-list that is
//!   not there; a missing as-path-list matches nothing.
//! * A community-list is a regular expression, and FRR writes 65535:666 as `blackhole`.
//! * Rules have numbers up to 65535.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. `set community replace` takes several values. A next
//!   hop off the link is taken from an eBGP neighbor only with `disable-connected-check`, and an
//!   IPv6 route goes by the neighbor's link-local address without `prefer-global`.

use std::fmt::Write;

use crate::prefix::Prefix;
use crate::targets::file::family::Kind;
use crate::targets::file::head;
use crate::targets::file::parts::ip::{Ip, sides};
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::shards::{OTHERS, Shards};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "vyos",
    next_hops: &[Role::Trigger, Role::Edge],
    first: "#!/bin/vbash\n",
    words,
    trigger: (include_str!("../texts/vyos-trigger.txt"), trigger),
    edge: (include_str!("../texts/vyos-edge.txt"), edge),
    filter: (include_str!("../texts/vyos-filter.txt"), filter),
    end: |out, _| out.push(END),
    ..Kind::ROUTER
};

/// What the script does, but for its lines.
const BEGIN: &str = include_str!("vyos/begin.sh");
const END: &str = include_str!("vyos/end.sh");

/// What the head says of sessions.
fn words(options: &FileOptions, _: &FileInput) -> head::Words {
    let rule = "set policy route-map YOURS rule 1";
    let first = format!("{rule} action permit");
    let mut first = format!(
        "{first:<53} (any number below those of YOURS)
{rule} match community community-list NULLROUTED
{rule} set community add no-export
"
    );
    for (set, next_hop) in options.with_next_hops(NEXT_HOPS) {
        let _ = writeln!(first, "{rule} set {set} {next_hop}");
    }
    let deny = format!("{rule} action deny");
    let words = Words {
        policy: "route-map",
        clauses: "rules",
        alone: "\
set protocols bgp neighbor ADDRESS address-family ipv4-unicast route-map export NULLROUTED-OUT
set protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map export NULLROUTED-OUT6",
        first: &first,
        rest: "set policy route-map YOURS rule 65535 action permit   (where it has no other rule: without one it denies all)",
        deny: &format!(
            "{deny:<53} (any number below those of YOURS)\n{rule} match community community-list NULLROUTED"
        ),
        attach: "\
set protocols bgp neighbor ADDRESS address-family ipv4-unicast route-map export YOURS
set protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map export YOURS
                                                      (where it has none yet)",
        communities: "",
        closed: "",
        proof: "vtysh -c 'show bgp ipv4 unicast PREFIX', \"Advertised to\" has no other neighbor",
        tried: false,
        by_hand: ByHand {
            origination: "\
delete protocols bgp address-family ipv4-unicast redistribute static
delete protocols bgp address-family ipv6-unicast redistribute static",
            own: "Where a route-map of yours is in use for it, that stays: delete the static routes described as nullrouted \
                  with the same commit as the rules of NULLROUTED-IN, without which it announces them as any others.",
            alone: "\
set protocols bgp neighbor ADDRESS shutdown
delete protocols bgp neighbor ADDRESS address-family ipv4-unicast route-map export
delete protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map export",
            clauses: "delete policy route-map YOURS rule 1                  (recipe 2, or where they are not to be received)",
            rest: "The route-maps named NULLROUTED, the lists so named, and the static routes described as nullrouted.",
        },
    };
    words.fill(options)
}

/// How a next hop is set, IPv4 first.
const NEXT_HOPS: [&str; 2] = ["ip-next-hop", "ipv6-next-hop global"];

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(BEGIN);
    out.push("drop policy community-list NULLROUTED\n");
    for name in ["IN", "IN6", "OUT", "OUT6"] {
        let _ = writeln!(out, "drop policy route-map NULLROUTED-{name}");
    }
    out.push(COMMUNITY);
    let own = input.own();
    let v4 = Shards::new("OWN-V4", &own.v4);
    let v6 = Shards::new("OWN-V6", &own.v6);
    let sides = sides(options, input);
    for (side, own) in sides.iter().zip([v4.names(), v6.names()]) {
        let name = format!("IN{}", side.six);
        let map = map(&name);
        let rule = deny(out, &name, side.ip, &own, 5).max(10);
        for own in 5..5 + own.len() {
            let _ = writeln!(out, "{map} {own} match tag 666");
        }
        let _ = write!(
            out,
            "{map} {rule} action permit
{map} {rule} match tag 666
{map} {rule} set community replace 65535:666
{map} {rule} set origin igp
{map} 65535 action deny
"
        );
        if options.announce_to == AnnounceTo::Ibgp {
            let _ = writeln!(out, "{map} {rule} set community replace no-export");
        }
    }
    for (side, set) in sides.iter().zip(NEXT_HOPS) {
        let map = map(&format!("OUT{}", side.six));
        let next_hop = side.next_hop_line(&format!("{map} 10 set {set} "), "\n");
        let _ = write!(
            out,
            "{map} 10 action permit
{map} 10 match community community-list NULLROUTED
{map} 10 set community add no-export
{next_hop}{map} 65535 action deny
"
        );
    }
    out.push("\ntake 'route|prefix-list6? NULLROUTED-OWN-' <<'END'\n");
    own_list(out, &v4);
    own_list(out, &v6);
    input.v4(|prefix, reason| route(out, "route ", prefix, reason));
    input.v6(|prefix, reason| route(out, "route6 ", prefix, reason));
    out.push("END\n");
}

/// The description is our mark.
fn route<B: Ip>(out: &mut Text, kind: &str, prefix: &Prefix<B>, reason: &Reason) {
    out.push(kind);
    out.prefix(prefix);
    out.push(" nullrouted");
    out.word(" ", reason);
    out.push("\n");
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(BEGIN);
    out.push(
        "drop policy community-list NULLROUTED
drop policy prefix-list NULLROUTED-LONG-V4
drop policy prefix-list6 NULLROUTED-LONG-V6
drop policy route-map NULLROUTED-EDGE
drop policy route-map NULLROUTED-EDGE6
",
    );
    out.push(COMMUNITY);
    let sides = sides(options, input);
    for side in sides {
        let (n, six, all) = (side.n, side.six, side.all);
        let (longest, shortest) = (side.longest, side.shortest);
        let list = format!("put policy prefix-list{six} NULLROUTED-LONG-V{n} rule 5");
        let _ = write!(
            out,
            "{list} action permit\n{list} prefix {all}\n{list} ge {shortest}\n{list} le {longest}\n"
        );
    }
    for side in sides {
        let (six, discard, longest) = (side.six, side.discard, side.longest);
        let _ = writeln!(
            out,
            "put protocols static route{six} {discard}/{longest} blackhole"
        );
    }
    let own = input.own();
    let covers = input.covers();
    let own4 = Shards::new("OWN-V4", &own.v4);
    let own6 = Shards::new("OWN-V6", &own.v6);
    let covers4 = Shards::new("COVER-V4", &covers.v4);
    let covers6 = Shards::new("COVER-V6", &covers.v6);
    let lists = [
        [own4.names(), covers4.names()].concat(),
        [own6.names(), covers6.names()].concat(),
    ];
    for ((side, lists), set) in sides.into_iter().zip(lists).zip(NEXT_HOPS) {
        let (n, six, ip, discard) = (side.n, side.six, side.ip, side.discard);
        let name = format!("EDGE{six}");
        let map = map(&name);
        let rule = deny(out, &name, ip, &lists, 5).max(10);
        let _ = write!(
            out,
            "{map} {rule} action permit
{map} {rule} match {ip} address prefix-list NULLROUTED-LONG-V{n}
{map} {rule} match community community-list NULLROUTED
{map} {rule} set local-preference 200
{map} {rule} set community add no-export
{map} {rule} set {set} {discard}
"
        );
        if n == 6 {
            let _ = writeln!(out, "{map} {rule} set ipv6-next-hop prefer-global");
        }
        let _ = writeln!(out, "{map} 65535 action deny");
    }
    out.push("\ntake 'prefix-list6? NULLROUTED-(OWN|COVER)-' <<'END'\n");
    own_list(out, &own4);
    own_list(out, &own6);
    own_list(out, &covers4);
    own_list(out, &covers6);
    out.push("END\n");
}

fn filter(out: &mut Text, _: &FileOptions, input: &FileInput) {
    out.push(BEGIN);
    out.push("drop policy route-map NULLROUTED-FILTER\n");
    let v4 = Shards::new("FILTER-V4", &input.set().v4);
    let v6 = Shards::new("FILTER-V6", &input.set().v6);
    // An AS has a number as an address has one.
    let origins = input.origins().iter();
    let origins: Vec<Prefix<u32>> = origins.map(|&asn| Prefix::host(asn)).collect();
    let origins = Shards::new("ORIGINS", &origins);
    let names = origins.names();
    let map = map("FILTER");
    // Numbers for as many lists as a million prefixes need, and more.
    for (list, rule) in names.iter().zip(5..) {
        let _ = write!(
            out,
            "{map} {rule} action deny
{map} {rule} match as-path {list}
"
        );
    }
    deny(out, "FILTER", "ip", &v4.names(), 1_000);
    deny(out, "FILTER", "ipv6", &v6.names(), 10_000);
    let _ = writeln!(out, "{map} 65535 action permit");
    out.push("\ntake 'prefix-list6? NULLROUTED-FILTER-|as-path-list NULLROUTED-ORIGINS' <<'END'\n");
    for (list, number, asn) in origins.places() {
        let (list, asn) = (&names[list], asn.first());
        let _ = writeln!(out, "as-path-list {list} rule {number} _{asn}$");
    }
    for list in &names {
        let _ = writeln!(out, "as-path-list {list} rule {OTHERS} .*");
    }
    let mut entry = entries(out, &v4);
    input.v4(|prefix, reason| entry(out, prefix, reason));
    let mut entry = entries(out, &v6);
    input.v6(|prefix, reason| entry(out, prefix, reason));
    out.push("END\n");
}

const COMMUNITY: &str = "\
put policy community-list NULLROUTED rule 5 action permit
put policy community-list NULLROUTED rule 5 regex _blackhole_
";

/// Begins the lines about a rule of a route-map.
fn map(name: &str) -> String {
    format!("put policy route-map NULLROUTED-{name} rule")
}

/// Rules of a route-map that deny these lists, from this number on; the number that is next.
fn deny(out: &mut Text, name: &str, ip: &str, lists: &[String], first: usize) -> usize {
    let map = map(name);
    for (rule, list) in (first..).zip(lists) {
        let _ = write!(
            out,
            "{map} {rule} action deny
{map} {rule} match {ip} address prefix-list {list}
"
        );
    }
    first + lists.len()
}

/// The operator's own networks, and what is inside of them; or what covers them, which [`BEGIN`]
/// sees by the name.
fn own_list<B: Ip>(out: &mut Text, lists: &Shards<B>) {
    let mut entry = entries(out, lists);
    for prefix in lists.prefixes() {
        entry(out, prefix, &Reason::default());
    }
}

/// Begins with the lines about all others, and returns what writes the line of each prefix, its
/// listings behind it.
fn entries<'a, B: Ip>(
    out: &mut Text,
    lists: &Shards<'a, B>,
) -> impl FnMut(&mut Text, &Prefix<B>, &Reason) + use<'a, B> {
    let kind = match B::N {
        4 => "prefix-list",
        _ => "prefix-list6",
    };
    let names = lists.names().into_iter();
    let before: Vec<_> = names.map(|list| format!("{kind} {list} rule ")).collect();
    for before in &before {
        let _ = writeln!(out, "{before}{OTHERS} {}", B::ALL);
    }
    let mut places = lists.places();
    move |out, prefix, reason| {
        if let Some((list, number, _)) = places.next() {
            out.push(&before[list]);
            out.number(number);
            out.entry(" ", prefix, "", reason);
        }
    }
}
