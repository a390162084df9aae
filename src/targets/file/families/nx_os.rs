//! Cisco NX-OS.
//!
//! ```text
//! trigger  ip route … Null0 tag 666 ──redistribute static route-map NULLROUTED-IN──► BGP ──NULLROUTED-OUT──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► Null0
//! filter   neighbor ──prefix-list NULLROUTED-FILTER-V4 in──► listed prefixes, and what is inside of them, are refused
//!                   ──filter-list NULLROUTED-ORIGINS in────► and paths that begin at a listed AS
//! ```
//!
//! Behind each line, by Cisco's documentation; no such router took these files here:
//! * As with IOS, a file is merged into the running configuration, line by line, without a check;
//!   what is no longer listed stays until a line takes it away, and such lines come first.
//! * A list that is empty permits everything, and so does one that is not there: the first line of
//!   each is the one about all others. The lists of a filter permit them, and stand beside the
//!   operator's route-map: where one is missing, everything passes. So does an empty or a missing
//!   list in a route-map match everything: the one of own networks then denies all, and nothing is
//!   announced.
//! * Numbers end at 4294967294, those of as-path lists too: the AS is the number. The last AS
//!   numbers, which are private and reserved, have no entry.
//! * An entry is taken away by its whole line; its number alone is not documented to do that. So
//!   what is too short has an entry for each length that there was, and the longest counts.
//! * A static route has a name of one word, which stands before its tag.
//! * `maximum-prefix` is of 300000 at most.
//! * `no-export` set at origination keeps the route from every eBGP neighbor; with `announce_to =
//!   "ebgp"` it is added on the way out alone. By default a neighbor is sent no communities.
//! * Some releases refuse `seq` in a community-list (7.3(0)D1(1)), and the references of Nexus 6000
//!   have it in no as-path list: the community-list does without, and the head of a filter says
//!   what it needs. What a route-map does with a community-list that is not there is not
//!   documented, so the head has the command that shows the list.
//! * A policy that has changed is asked for what comes, not for what was accepted: so `soft in`.
//! * Neither `Null0` nor an interface answers what it drops, unless it is told to: nothing is said
//!   of that here.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::families::ios::{
    FORMER, OTHERS, OWN_ROUTE, OWN_STAYS, covers, listed, long, own, own_and_cover_names, own_names,
};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::route_map::{CLAUSES, OWN_MAP, REDISTRIBUTED, REST, RouteMaps};
use crate::targets::file::parts::sessions::{ByHand, FIRST};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "nx-os",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    render,
    ..Kind::ROUTER
};

const MAPS: RouteMaps = RouteMaps {
    indent: "  ",
    ipv6_next_hop: "ipv6 next-hop",
    communities: "`send-community`",
    closed: "",
    attach: "\
neighbor ADDRESS                               (where it has none yet)
  address-family ipv4 unicast                  (ipv6 unicast likewise)
    route-map YOURS out
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out
                                               (what was sent before stays else)",
    by_hand: ByHand {
        origination: "no redistribute static route-map NULLROUTED-IN  (ipv6: NULLROUTED-IN6)",
        own: OWN_MAP,
        alone: "\
neighbor ADDRESS
  shutdown
  address-family ipv4 unicast                  (ipv6 unicast: NULLROUTED-OUT6)
    no route-map NULLROUTED-OUT out",
        clauses: CLAUSES,
        rest: REST,
    },
    proof: "show bgp ipv4 unicast PREFIX, \"advertised to peers\" has no other neighbor",
    tried: false,
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(4_000 + input.set().len() * 80);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, options, input),
        Role::Filter => filter(&mut out, input),
    }
    out.done()
}

const LOAD: &str = "\
Load:   feature bgp
        no checkpoint before-nullrouted                 (of an earlier load: it is not overwritten)
        checkpoint before-nullrouted
        copy bootflash:THIS-FILE running-config         (never configure replace: it would be all that is left)
";

/// What was accepted before stays else.
const CLEAR: &str =
    "        clear bgp ipv4 unicast ADDRESS soft in, clear bgp ipv6 unicast ADDRESS soft in
                                                        (what was accepted before stays else)
";

const SAVE: &str = "        copy running-config startup-config              (when all is well; an older one would bring old lines back)
";

/// How the checkpoint leads back.
const ROLLBACK: &str = "\
Undo:   show diff rollback-patch checkpoint before-nullrouted running-config    (what anybody changed since)
        rollback running-config checkpoint before-nullrouted atomic
        This goes back one load: the checkpoint is made anew at each.
";

const LOOK: &str = "        Before the neighbor's lines: `show ip community-list NULLROUTED` must show the line of this file.\n";

const ORIGINATION: &str = "        Last, the origination:
         router bgp ASN
           address-family ipv4 unicast
             redistribute static route-map NULLROUTED-IN
           address-family ipv6 unicast
             redistribute static route-map NULLROUTED-IN6
";

const ALONE: &str = "\
neighbor ADDRESS
  address-family ipv4 unicast                  (ipv6 unicast: NULLROUTED-OUT6)
    send-community
    route-map NULLROUTED-OUT out
clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out
";

const UNDO: &str = "        Or by hand, in this order:\n";

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let (sessions, by_hand) = MAPS.sessions(options, ALONE);
    let uses = [
        LOAD,
        SAVE,
        FIRST,
        LOOK,
        &sessions,
        ORIGINATION,
        REDISTRIBUTED,
        ROLLBACK,
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
    out.push(&input.kept("!"));
    out.lines("no ip route ", input.left_v4(), " Null0");
    out.lines("no ipv6 route ", input.left_v6(), " Null0");
    input.v4(|prefix, reason| route(out, "ip route ", prefix, reason));
    input.v6(|prefix, reason| route(out, "ipv6 route ", prefix, reason));
}

fn route<B: Bits>(out: &mut Text, command: &str, prefix: &Prefix<B>, reason: &Reason) {
    out.push(command);
    out.prefix(prefix);
    out.push(" Null0");
    out.word(" name ", reason);
    out.push(" tag 666\n");
}

/// `maximum-prefix` ends there.
const MOST: usize = 300_000;

const EDGE: &str = "\
Use:    Before the neighbor's lines: `show ip community-list NULLROUTED` must show the line of this file.
        router bgp ASN
          neighbor ADDRESS
            disable-connected-check                     (where the trigger is an eBGP neighbor)
            address-family ipv4 unicast
              route-map NULLROUTED-EDGE in
              maximum-prefix NUMBER
            address-family ipv6 unicast
              route-map NULLROUTED-EDGE6 in
              maximum-prefix NUMBER
        See with `show ipv6 route PREFIX` that it is Null0: an update of a neighbor on the link carries a link-local
        next hop, too.
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone.
";

const EDGE_UNDO: &str = "        Or shut the neighbor down, then take out by hand: its lines, the route-maps and lists named NULLROUTED, the
        two static routes.
Another next hop in the configuration leaves the former one and its route beside it, and another shortest length the
former one, of which the longer counts: take them out by hand.
What you protect no longer stays in the lists OWN and COVER, and no blackhole for it is taken: take it out by hand.
";

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let most = input.most().min(MOST).to_string();
    let uses = EDGE.replace("NUMBER", &most);
    let uses = [LOAD, CLEAR, SAVE, &uses, ROLLBACK, EDGE_UNDO];
    out.push(&input.edge_head("!", &uses.concat()));
    own(out, input);
    covers(out, input);
    long(out, input.limits);
    out.push(COMMUNITY);
    let (v4, v6) = (options.discard_v4(), options.discard_v6());
    let _ = writeln!(out, "ip route {v4}/32 Null0\nipv6 route {v6}/128 Null0\n!");
    MAPS.edge(out, options, &own_and_cover_names());
}

const FILTER: &str = "\
Needs an NX-OS with numbers in as-path lists (Nexus 9000; the references of Nexus 6000 have none).
Use:    Before the neighbor's lines: `show ip as-path-access-list NULLROUTED-ORIGINS` must show the lines of this file.
        router bgp ASN
          neighbor ADDRESS
            address-family ipv4 unicast
              prefix-list NULLROUTED-FILTER-V4 in
              filter-list NULLROUTED-ORIGINS in
            address-family ipv6 unicast
              prefix-list NULLROUTED-FILTER-V6 in
              filter-list NULLROUTED-ORIGINS in
        A neighbor has one prefix-list and one filter-list a direction: where there is one, this line replaces it.
        Move yours into your route-map (match ip address prefix-list, match as-path) first.
        They stand beside your route-map; a route must pass them all.
Undo:   take the lines at the neighbor out first, then the lists
The origin ASes match where AS numbers are plain: what `as-format asdot` changes here is not established.
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("!", &[LOAD, CLEAR, SAVE, FILTER].concat()));
    listed(out, "FILTER-V4", &input.to_unconfigure.v4, &input.set().v4);
    listed(out, "FILTER-V6", &input.to_unconfigure.v6, &input.set().v6);
    let name = "ip as-path access-list NULLROUTED-ORIGINS";
    let _ = writeln!(out, "{name} seq {OTHERS} permit \".*\"");
    for asn in input
        .to_unconfigure
        .origins
        .iter()
        .filter(|asn| **asn < OTHERS)
    {
        let _ = writeln!(out, "no {name} seq {asn} deny \"_{asn}$\"");
    }
    for asn in input.origins().iter().filter(|asn| **asn < OTHERS) {
        let _ = writeln!(out, "{name} seq {asn} deny \"_{asn}$\"");
    }
}

const COMMUNITY: &str = "ip community-list standard NULLROUTED permit 65535:666\n!\n";
