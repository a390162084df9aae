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
//!   Taken away first, because a list loaded over an older one keeps old entries here as well; and made
//!   before that, because bgpd refuses to take away an as-path list that is not there. bgpd then asks every
//!   neighbor for his routes anew: so it is in the filter alone, where each change does that.
//! * `no-export` set at origination would keep the route from an eBGP neighbor altogether; it is
//!   added on the way out.
//! * `vtysh -f` ends well where a line was refused, and then all lists and route-maps of the file are: what it says
//!   counts, and what bgpd holds afterwards. `vtysh -C` does not find all that bgpd refuses.
//! * A route-map is written over itself, and never taken away first: bgpd 8.4 dies where an update comes between.
//! * A next hop that is off the link, as that of a discard route, is taken from an eBGP neighbor only with
//!   `disable-connected-check`. An IPv6 route goes by the neighbor's link-local address without `prefer-global`.
//! * The sequence number of an entry comes from the entry itself, so that one changed prefix changes
//!   one line. The order of permits has no meaning.

use std::fmt::Write;
use std::ops::RangeInclusive;

use super::sequence::{Numbered, numbered};
use super::text::Text;
use super::{Commands, Role, Shape, Sheet};
use crate::prefix::Prefix;

pub(super) const COMMANDS: Commands = Commands {
    check: &["vtysh", "-C", "-f", "{file}"],
    reload: &[
        "sh",
        "-c",
        r#"out=$(vtysh -f "$1" 2>&1); rc=$?; printf '%s\n' "$out"; [ $rc -eq 0 ] && ! printf '%s\n' "$out" | grep -q '^%'"#,
        "sh",
        "{file}",
    ],
    verify: &[
        "sh",
        "-c",
        r#"entry='^(ip prefix-list|ipv6 prefix-list|route-map|bgp as-path access-list) [^ ]+ '
all=$(grep -E "$entry" "$1" | sort -u)
held=$(vtysh -d bgpd -c 'show running-config' | grep -F "$(printf '%s\n' "$all" | grep -oE "$entry" | sort -u)" | grep -E "$entry" | sort -u)
[ "$held" = "$all" ] && exit
echo "bgpd holds other entries than the file, $(printf '%s\n' "$held" | grep -c .) for $(printf '%s\n' "$all" | grep -c .)"
exit 1"#,
        "sh",
        "{file}",
    ],
};

/// Sequence numbers of the entries; the denies stand around them.
const FREE: RangeInclusive<u32> = 2..=u32::MAX - 1;

pub(super) fn render(shape: &Shape, sheet: &Sheet) -> String {
    let mut out = Text::with_room(2_000 + sheet.set.len() * 80);
    match shape.role {
        Role::Trigger => trigger(&mut out, shape, sheet),
        Role::Edge => edge(&mut out, shape, sheet),
        Role::Filter => filter(&mut out, sheet),
    }
    out.done()
}

const TRIGGER: &str = "\
Load:   vtysh -f THIS-FILE    (a second load replaces the first)
Use:    router bgp ASN
         address-family ipv4 unicast
          redistribute kernel route-map NULLROUTED-IN
          neighbor ADDRESS route-map NULLROUTED-OUT out
         address-family ipv6 unicast
          redistribute kernel route-map NULLROUTED-IN6
          neighbor ADDRESS route-map NULLROUTED-OUT out
Undo:   take the redistribute lines out again
Never feed this file to frr-reload.py: it is a part, and the rest would be removed.
FRR before 9.0 takes minutes for lists above some thousand entries.
";

fn trigger(out: &mut Text, shape: &Shape, sheet: &Sheet) {
    out.push(&sheet.head("!", TRIGGER));
    own(out, sheet);
    list(out, "V4", &sheet.set.v4, false);
    list(out, "V6", &sheet.set.v6, false);
    out.push(COMMUNITY);
    for (name, ip, family) in [("IN", "ip", "V4"), ("IN6", "ipv6", "V6")] {
        // Routes of the kernel that drop a prefix of the list, and nothing else.
        let _ = write!(
            out,
            "route-map NULLROUTED-{name} deny 5
 match {ip} address prefix-list NULLROUTED-OWN-{family}
exit
route-map NULLROUTED-{name} permit 10
 match {ip} address prefix-list NULLROUTED-{family}
 match {ip} next-hop type blackhole
 match source-protocol kernel
 set community blackhole
 set metric 0
 set origin igp
exit
route-map NULLROUTED-{name} deny 65535
exit
!
"
        );
    }
    // What a neighbor is told: blackholes, to be kept inside his AS.
    out.push("route-map NULLROUTED-OUT permit 10\n match community NULLROUTED\n");
    // What an earlier file set is unset: a route-map is written over itself.
    let _ = match shape.next_hop_v4 {
        Some(next_hop) => writeln!(out, " set ip next-hop {next_hop}"),
        None => writeln!(out, " no set ip next-hop"),
    };
    let _ = match shape.next_hop_v6 {
        Some(next_hop) => writeln!(out, " set ipv6 next-hop global {next_hop}"),
        // The word needs an address, and takes away whichever there is.
        None => writeln!(out, " no set ipv6 next-hop global {}", Shape::DISCARD_V6),
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

const EDGE: &str = "\
Load:   vtysh -f THIS-FILE    (a second load replaces the first)
Use:    router bgp ASN
         neighbor ADDRESS disable-connected-check      (where the trigger is an eBGP neighbor)
         address-family ipv4 unicast
          neighbor ADDRESS route-map NULLROUTED-EDGE in
          neighbor ADDRESS maximum-prefix NUMBER
         address-family ipv6 unicast
          neighbor ADDRESS route-map NULLROUTED-EDGE6 in
          neighbor ADDRESS maximum-prefix NUMBER
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone.
Undo:   take the two route-map lines out again, and the two static blackholes; another next hop in the configuration
        leaves the former ones, too
Never feed this file to frr-reload.py: it is a part, and the rest would be removed.
";

fn edge(out: &mut Text, shape: &Shape, sheet: &Sheet) {
    out.push(&Sheet::constant_head("!", EDGE));
    own(out, sheet);
    let limits = sheet.limits;
    let short = [
        ("ip", "V4", "0.0.0.0/0", limits.shortest_v4),
        ("ipv6", "V6", "::/0", limits.shortest_v6),
    ];
    for (ip, family, all, shortest) in short {
        let name = format!("{ip} prefix-list NULLROUTED-SHORT-{family}");
        let _ = writeln!(
            out,
            "no {name}\n{name} seq 1 permit {all} le {}\n!",
            shortest.max(1) - 1
        );
    }
    out.push(COMMUNITY);
    let (v4, v6) = (shape.discard_v4(), shape.discard_v6());
    let _ = writeln!(
        out,
        "ip route {v4}/32 blackhole\nipv6 route {v6}/128 blackhole\n!"
    );
    let v4 = v4.to_string();
    let v6 = format!("global {v6}\n set ipv6 next-hop prefer-global");
    for (name, ip, family, next_hop) in [("EDGE", "ip", "V4", v4), ("EDGE6", "ipv6", "V6", v6)] {
        let _ = write!(
            out,
            "route-map NULLROUTED-{name} deny 5
 match {ip} address prefix-list NULLROUTED-OWN-{family}
exit
route-map NULLROUTED-{name} deny 6
 match {ip} address prefix-list NULLROUTED-SHORT-{family}
exit
route-map NULLROUTED-{name} permit 10
 match community NULLROUTED
 set {ip} next-hop {next_hop}
 set local-preference 200
 set community no-export additive
exit
route-map NULLROUTED-{name} deny 65535
exit
!
"
        );
    }
}

const FILTER: &str = "\
Load:   vtysh -f THIS-FILE    (a second load replaces the first)
Use:    in each permit clause of your route-map for what a neighbor announces:
         call NULLROUTED-FILTER
        What is listed is denied there, and no later clause is asked.
Undo:   take the calls out again
Never feed this file to frr-reload.py: it is a part, and the rest would be removed.
FRR before 9.0 takes minutes for lists above some thousand entries.
";

fn filter(out: &mut Text, sheet: &Sheet) {
    out.push(&sheet.head("!", FILTER));
    list(out, "FILTER-V4", &sheet.set.v4, true);
    list(out, "FILTER-V6", &sheet.set.v6, true);
    as_path(out, sheet.origins);
    out.push(
        "route-map NULLROUTED-FILTER deny 10
 match ip address prefix-list NULLROUTED-FILTER-V4
exit
route-map NULLROUTED-FILTER deny 20
 match ipv6 address prefix-list NULLROUTED-FILTER-V6
exit
route-map NULLROUTED-FILTER deny 30
 match as-path NULLROUTED-ORIGINS
exit
route-map NULLROUTED-FILTER permit 65535
exit
!
",
    );
}

const COMMUNITY: &str = "bgp community-list standard NULLROUTED seq 5 permit blackhole\n!\n";

/// The operator's own networks, and what is inside of them.
fn own(out: &mut Text, sheet: &Sheet) {
    let own = sheet.own();
    list(out, "OWN-V4", &own.v4, true);
    list(out, "OWN-V6", &own.v6, true);
}

/// A list that permits these, and what is `inside` of them where that is said, and denies all others.
fn list<B: Numbered>(out: &mut Text, name: &str, prefixes: &[Prefix<B>], inside: bool) {
    let (ip, all, width) = match B::WIDTH {
        32 => ("ip", "0.0.0.0/0", 32),
        _ => ("ipv6", "::/0", 128),
    };
    let name = format!("{ip} prefix-list NULLROUTED-{name}");
    let _ = writeln!(out, "no {name}\n{name} seq 1 deny {all}");
    let entry = format!("{name} seq ");
    let longest = format!(" le {width}");
    for (seq, prefix) in numbered(prefixes, FREE) {
        out.push(&entry);
        out.number(seq);
        out.push(" permit ");
        out.prefix(prefix);
        out.push(if inside && prefix.len() < width {
            &longest
        } else {
            ""
        });
        out.push("\n");
    }
    let _ = writeln!(out, "{name} seq {} deny {all} le {width}\n!", u32::MAX);
}

/// Paths that begin at a listed AS. The sequence number of an entry is the AS itself; the last number is no AS
/// (RFC 7300), and its entry ends the list.
fn as_path(out: &mut Text, origins: &[u32]) {
    let name = "bgp as-path access-list NULLROUTED-ORIGINS";
    let end = format!("{name} seq {} deny .*", u32::MAX);
    let _ = writeln!(out, "{end}\nno {name}");
    for asn in origins {
        let _ = writeln!(out, "{name} seq {asn} permit _{asn}$");
    }
    let _ = writeln!(out, "{end}\n!");
}
