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
//! * A `set` starts several processes: so the difference is set, and not everything anew.
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

use crate::prefix::{Bits, Prefix};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sequence::Numbered;
use crate::targets::file::parts::sessions::{ByHand, FIRST, Words};
use crate::targets::file::parts::shards::{OTHERS, Shards};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "vyos",
    next_hops: &[Role::Trigger, Role::Edge],
    render,
    ..Kind::ROUTER
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(6_000 + input.set().len() * 80);
    out.push("#!/bin/vbash\n");
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, options, input),
        Role::Filter => filter(&mut out, input),
    }
    out.push(END);
    out.done()
}

/// What the script does, but for its lines.
const BEGIN: &str = include_str!("vyos.sh");

const END: &str = r#"
if [ -n "$said" ]; then
  printf '%s\n' "$said" 'Nothing was changed.'
  discard
else
  compare
  commit
  if $API sessionChanged; then
    said='The commit failed.'
    discard
  fi
fi
exit
[ -z "$said" ]
"#;

const LOAD: &str = "\
Load:   configure
        save /config/before-nullrouted-DATE.config
        exit
        vbash THIS-FILE                                 (and save in the end, if it shall outlast a restart)
";

const ORIGINATION: &str = "        Last, the origination:
         set protocols bgp address-family ipv4-unicast redistribute static route-map NULLROUTED-IN
         set protocols bgp address-family ipv6-unicast redistribute static route-map NULLROUTED-IN6
        Where you redistribute static routes already, put all rules of NULLROUTED-IN but the last before all others
        of your own route-map.
        Where OSPF, IS-IS or another protocol redistributes static routes, let it deny tag 666 before the first load.
";

const UNDO: &str = "\
Undo:   configure
        load /config/before-nullrouted-DATE.config      (takes back what anybody changed since: compare)
        commit
        Or by hand, with one commit:
";

const ALONE: &str = "\
set protocols bgp neighbor ADDRESS address-family ipv4-unicast route-map export NULLROUTED-OUT
set protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map export NULLROUTED-OUT6
";

/// What the head says of sessions, and how all of it is taken out by hand.
fn sessions(options: &FileOptions) -> (String, String) {
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
        alone: ALONE,
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
    (words.sessions(options), words.by_hand())
}

/// How a next hop is set, IPv4 first.
const NEXT_HOPS: [&str; 2] = ["ip-next-hop", "ipv6-next-hop global"];

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let (sessions, by_hand) = sessions(options);
    let needs = "Needs VyOS 1.4 or later.\n";
    let uses = [LOAD, FIRST, &sessions, ORIGINATION, UNDO, &by_hand, needs];
    out.push(&input.head("#", &uses.concat()));
    out.push(BEGIN);
    out.push("drop policy community-list NULLROUTED\n");
    for name in ["IN", "IN6", "OUT", "OUT6"] {
        let _ = writeln!(out, "drop policy route-map NULLROUTED-{name}");
    }
    out.push(COMMUNITY);
    let own = input.own();
    let (v4, v6) = (
        Shards::new("OWN-V4", &own.v4),
        Shards::new("OWN-V6", &own.v6),
    );
    for (name, ip, own) in [("IN", "ip", v4.names()), ("IN6", "ipv6", v6.names())] {
        let rule = deny(out, name, ip, &own, 5).max(10);
        for own in 5..5 + own.len() {
            let _ = writeln!(
                out,
                "put policy route-map NULLROUTED-{name} rule {own} match tag 666"
            );
        }
        let map = format!("put policy route-map NULLROUTED-{name} rule");
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
    let names = [("OUT", NEXT_HOPS[0]), ("OUT6", NEXT_HOPS[1])];
    for ((name, set), hop) in names.into_iter().zip(options.next_hops()) {
        let map = format!("put policy route-map NULLROUTED-{name} rule");
        let hop = hop.map_or(String::new(), |hop| format!("{map} 10 set {set} {hop}\n"));
        let _ = write!(
            out,
            "{map} 10 action permit
{map} 10 match community community-list NULLROUTED
{map} 10 set community add no-export
{hop}{map} 65535 action deny
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
fn route<B: Bits>(out: &mut Text, kind: &str, prefix: &Prefix<B>, reason: &Reason) {
    out.push(kind);
    out.prefix(prefix);
    out.push(" nullrouted");
    out.word(" ", reason);
    out.push("\n");
}

const EDGE: &str = "\
Use:    set protocols bgp neighbor ADDRESS disable-connected-check      (where the trigger is an eBGP neighbor)
        set protocols bgp neighbor ADDRESS address-family ipv4-unicast route-map import NULLROUTED-EDGE
        set protocols bgp neighbor ADDRESS address-family ipv4-unicast maximum-prefix NUMBER
        set protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map import NULLROUTED-EDGE6
        set protocols bgp neighbor ADDRESS address-family ipv6-unicast maximum-prefix NUMBER
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone.
Undo:   configure
        load /config/before-nullrouted-DATE.config      (takes back what anybody changed since: compare)
        commit
        Or by hand, with one commit: without the route-maps the neighbor's routes are all taken.
        set protocols bgp neighbor ADDRESS shutdown
        delete protocols bgp neighbor ADDRESS address-family ipv4-unicast route-map import
        delete protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map import
        and what is named NULLROUTED under policy, and the two static routes
Needs VyOS 1.4 or later. Another next hop in the configuration leaves the former one's route beside it: delete that.
";

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.edge_head("#", &[LOAD, EDGE].concat()));
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
    let limits = input.limits;
    let long = [
        ("prefix-list", "V4", "0.0.0.0/0", limits.shortest_v4, 32),
        ("prefix-list6", "V6", "::/0", limits.shortest_v6, 128),
    ];
    for (kind, family, all, shortest, longest) in long {
        let list = format!("put policy {kind} NULLROUTED-LONG-{family} rule 5");
        let _ = writeln!(out, "{list} action permit\n{list} prefix {all}");
        let _ = writeln!(out, "{list} ge {}\n{list} le {longest}", shortest.max(1));
    }
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(
        out,
        "put protocols static route {v4}/32 blackhole\nput protocols static route6 {v6}/128 blackhole"
    );
    let own = input.own();
    let (own4, own6) = (
        Shards::new("OWN-V4", &own.v4),
        Shards::new("OWN-V6", &own.v6),
    );
    let covers = input.covers();
    let (covers4, covers6) = (
        Shards::new("COVER-V4", &covers.v4),
        Shards::new("COVER-V6", &covers.v6),
    );
    let maps = [
        ("EDGE", "ip", "V4", [own4.names(), covers4.names()].concat()),
        (
            "EDGE6",
            "ipv6",
            "V6",
            [own6.names(), covers6.names()].concat(),
        ),
    ];
    for (name, ip, family, own) in maps {
        let rule = deny(out, name, ip, &own, 5).max(10);
        let map = format!("put policy route-map NULLROUTED-{name} rule");
        let _ = write!(
            out,
            "{map} {rule} action permit
{map} {rule} match {ip} address prefix-list NULLROUTED-LONG-{family}
{map} {rule} match community community-list NULLROUTED
{map} {rule} set local-preference 200
{map} {rule} set community add no-export
"
        );
        let _ = match ip {
            "ip" => writeln!(out, "{map} {rule} set ip-next-hop {v4}"),
            _ => writeln!(
                out,
                "{map} {rule} set ipv6-next-hop global {v6}\n{map} {rule} set ipv6-next-hop prefer-global"
            ),
        };
        let _ = writeln!(out, "{map} 65535 action deny");
    }
    out.push("\ntake 'prefix-list6? NULLROUTED-(OWN|COVER)-' <<'END'\n");
    own_list(out, &own4);
    own_list(out, &own6);
    own_list(out, &covers4);
    own_list(out, &covers6);
    out.push("END\n");
}

const FILTER: &str = "\
Use:    in each rule of your import route-map that permits what a neighbor announces:
         set policy route-map YOURS rule NUMBER call NULLROUTED-FILTER
        What is listed is denied there, and no later rule is asked. Or, where there is no route-map yet:
         set protocols bgp neighbor ADDRESS address-family ipv4-unicast route-map import NULLROUTED-FILTER
         set protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map import NULLROUTED-FILTER
Undo:   configure
        load /config/before-nullrouted-DATE.config      (takes back what anybody changed since: compare)
        commit
        Or by hand, with one commit: the calls or the route-map at the neighbor, then what is named NULLROUTED
Needs VyOS 1.4 or later, which compares each rule of a list with all others: thousands take seconds, tens of
thousands minutes. A list has 65534 numbers. Above 32767 IPv4 or IPv6 prefixes there is a second one, -2, above
65534 a third, and so on; NULLROUTED-FILTER speaks of them all.
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("#", &[LOAD, FILTER].concat()));
    out.push(BEGIN);
    out.push("drop policy route-map NULLROUTED-FILTER\n");
    let v4 = Shards::new("FILTER-V4", &input.set().v4);
    let v6 = Shards::new("FILTER-V6", &input.set().v6);
    // An AS has a number as an address has one.
    let origins: Vec<Prefix<u32>> = input
        .origins()
        .iter()
        .map(|&asn| Prefix::host(asn))
        .collect();
    let origins = Shards::new("ORIGINS", &origins);
    let map = "put policy route-map NULLROUTED-FILTER rule";
    // Numbers for as many lists as a million prefixes need, and more.
    for (list, rule) in origins.names().iter().zip(5..) {
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
    let names = origins.names();
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

/// Rules of a route-map that deny these lists, from this number on; the number that is next.
fn deny(out: &mut Text, name: &str, ip: &str, lists: &[String], first: usize) -> usize {
    let map = format!("put policy route-map NULLROUTED-{name} rule");
    for (at, list) in lists.iter().enumerate() {
        let rule = first + at;
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
fn own_list<B: Numbered>(out: &mut Text, lists: &Shards<B>) {
    let mut entry = entries(out, lists);
    for prefix in lists.prefixes() {
        entry(out, prefix, &Reason::default());
    }
}

/// Begins with the lines about all others, and returns what writes the line of each prefix, its
/// listings behind it.
fn entries<'a, B: Numbered>(
    out: &mut Text,
    lists: &Shards<'a, B>,
) -> impl FnMut(&mut Text, &Prefix<B>, &Reason) + use<'a, B> {
    let (kind, all) = match B::WIDTH {
        32 => ("prefix-list", "0.0.0.0/0"),
        _ => ("prefix-list6", "::/0"),
    };
    let names = lists.names().into_iter();
    let before: Vec<_> = names.map(|list| format!("{kind} {list} rule ")).collect();
    for before in &before {
        let _ = writeln!(out, "{before}{OTHERS} {all}");
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
