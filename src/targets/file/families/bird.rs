//! BIRD 2 and 3: a part that the operator's own file includes.
//!
//! ```text
//! trigger  protocol static nullrouted4 ──► table nullrouted_table4 ──► filter nullrouted_trigger4: RFC 7999's community,
//!          no-export ──► the sessions that use this table, and no other
//! edge     neighbor ──► template nullrouted_from4: dest = RTD_BLACKHOLE ──► the operator's protocol kernel
//! filter   neighbor ──► the operator's filter calls nullrouted_reject4(): listed prefixes and origins are refused
//! ```
//!
//! Facts behind each line, verified with BIRD 2.0.12 and 3.1.8:
//! * A session with `export all` sends static routes of its table whatever their communities are,
//!   no-export and no-advertise too: so ours stand in a table of their own.
//! * A route keeps its `proto` in each table that a pipe leads it to, and a pipe leads nothing back
//!   to where it is from.
//! * BIRD 3.1.8 logs "Route source collision" where two ways of pipes lead a route to one table,
//!   and stops by a failed assertion (nest/limit.h) when the pipes go. BIRD 2 does not.
//! * BIRD 3 has no table that nothing uses: `show route table all` says "No valid tables", with
//!   exit 1, where there is none.
//! * `show route export NAME` applies the filters again. Of a session that is down it says "No
//!   valid tables" (3: "Requested 'show route export' to protocols which aren't accepting exports
//!   at all.").
//! * `bird -p` refuses a file without a protocol, so the check puts one in front of it.
//! * A set has no comma behind its last element. The last one is a prefix, or an AS, that no route
//!   has, so that a listed one is one line, and the set is never empty. `0.0.0.0/32` does not match
//!   a default route; the last AS number is no AS (RFC 7300), and AS 0 is what `bgp_path.last` of
//!   an empty path is.
//! * A function that says whether, called as a statement, filters nothing and says so to nobody; so
//!   ours refuse by themselves. Their types are written only since 2.14, which still takes them
//!   without.
//! * `P+` is what is inside of `P`, `P-` what covers it.
//! * A blackhole by `dest` needs no reachable next hop. But a route of an eBGP neighbor on the link
//!   whose next hop is off that is refused before any filter, unless the channel has `gateway
//!   recursive`, which `show protocols all` shows as an IGP table, or the session is multihop.
//! * Such a route counts as a withdrawal that is ignored, and as no update. `show protocols all`
//!   has the name of a filter, and not what it calls.
//! * Of 10 000 static routes a reload touches those that changed, and no others.
//! * `birdc configure` ends before BIRD has done it where sessions must end first, so the default
//!   command waits.
//! * `birdc eval` knows the constants of the configuration that BIRD has taken: by the last line it
//!   is asked for its file.

use std::fmt::Write;

use crate::prefix::Prefix;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::ip::{Ip, Side, sides};
use crate::targets::file::parts::sent::{LEAKS, MAY};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "bird",
    // As an edge it drops by a kind of route, whatever the next hop.
    next_hops: &[Role::Trigger],
    commands,
    loads_into: |role| match role {
        Role::Trigger => "the names of a trigger in BIRD",
        Role::Edge => "the names of an edge in BIRD",
        Role::Filter => "the names of a filter in BIRD",
    },
    room: 50,
    trigger: (include_str!("../texts/bird-trigger.txt"), trigger),
    edge: (include_str!("../texts/bird-edge.txt"), edge),
    filter: (include_str!("../texts/bird-filter.txt"), filter),
    end: |out, role| {
        let role = role.name().to_uppercase();
        let before = format!("define NULLROUTED_{role}_DIGEST = \"");
        out.seal(&before, "\";  # of the lines above");
    },
    ..Kind::ROUTER
};

fn commands(role: Role) -> Commands {
    Commands {
        check: &["sh", "-c", include_str!("bird/check.sh"), "sh", "{file}"],
        reload: &["sh", "-c", include_str!("bird/reload.sh")],
        verify: match role {
            Role::Trigger => &["sh", "-c", SENT, "sh", "{file}", HELD, LEAKS, MAY],
            Role::Edge => &["sh", "-c", DROPPED, "sh", "{file}", HELD],
            Role::Filter => &["sh", "-c", HELD, "sh", "{file}"],
        },
    }
}

/// Whether BIRD holds the file.
const HELD: &str = include_str!("bird/held.sh");

/// And whether a session refuses blackholes before any filter. Which filter of the operator calls
/// ours BIRD does not say: a session of another filter is reported where all that came was refused,
/// and otherwise named as not seen.
const DROPPED: &str = include_str!("bird/dropped.sh");

/// And what it sends to whom. Only sessions whose table has a listed blackhole are asked for what
/// they export, as this applies their filter to all of the table.
const SENT: &str = include_str!("bird/sent.sh");

/// RFC 7999, and NO_EXPORT of RFC 1997.
const COMMUNITIES: &str =
    "bgp_community.add((65535, 666));\n    bgp_community.add((65535, 65281));";

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push("ipv4 table nullrouted_table4;\nipv6 table nullrouted_table6;\n");
    own(out, input, "OWN");
    statics(out, 4, |out| {
        input.v4(|prefix, reason| out.entry("  route ", prefix, " blackhole;", reason))
    });
    statics(out, 6, |out| {
        input.v6(|prefix, reason| out.entry("  route ", prefix, " blackhole;", reason))
    });
    for side in sides(options, input) {
        let (n, next_hop) = (side.n, side.next_hop_line("\n    bgp_next_hop = ", ";"));
        let _ = write!(
            out,
            "function nullrouted_announce{n}()
{{
  if proto = \"nullrouted{n}\" then {{
    if net ~ NULLROUTED_OWN{n} then reject;
    {COMMUNITIES}{next_hop}
    accept;
  }}
}}
filter nullrouted_trigger{n} {{ nullrouted_announce{n}(); reject; }}
"
        );
    }
}

fn statics(out: &mut Text, n: u8, routes: impl FnOnce(&mut Text)) {
    let _ = writeln!(
        out,
        "protocol static nullrouted{n} {{\n  ipv{n} {{ table nullrouted_table{n}; }};"
    );
    routes(out);
    out.push("}\n");
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    own(out, input, "EDGE_OWN");
    let most = input.most();
    for Side { n, shortest, .. } in sides(options, input) {
        let _ = write!(
            out,
            "function nullrouted_blackhole{n}()
{{
  if (65535, 666) ~ bgp_community then {{
    if net.len < {shortest} then reject;
    if net ~ NULLROUTED_EDGE_OWN{n} then reject;
    dest = RTD_BLACKHOLE;
    bgp_local_pref = 200;
    bgp_community.add((65535, 65281));
    accept;
  }}
}}
filter nullrouted_edge{n} {{ nullrouted_blackhole{n}(); reject; }}
template bgp nullrouted_from{n} {{
  ipv{n} {{ gateway recursive; import filter nullrouted_edge{n}; import limit {most} action block; export none; }};
}}
"
        );
    }
}

fn filter(out: &mut Text, options: &FileOptions, input: &FileInput) {
    // A listed prefix and what is inside of it.
    set(out, "LISTED4", &no_route::<u32>(), |out| {
        input.v4(|prefix, reason| out.entry("  ", prefix, "+,", reason))
    });
    set(out, "LISTED6", &no_route::<u128>(), |out| {
        input.v6(|prefix, reason| out.entry("  ", prefix, "+,", reason))
    });
    set(out, "ORIGINS", "4294967295", |out| {
        for asn in input.origins() {
            let _ = writeln!(out, "  {asn},");
        }
    });
    for Side { n, .. } in sides(options, input) {
        let _ = write!(
            out,
            "function nullrouted_reject{n}()
{{
  if net ~ NULLROUTED_LISTED{n} then reject;
  if bgp_path.last ~ NULLROUTED_ORIGINS then reject;
}}
"
        );
    }
}

/// The last element of a set of prefixes.
fn no_route<B: Ip>() -> String {
    Prefix::host(B::ZERO).to_string()
}

fn set(out: &mut Text, name: &str, last: &str, elements: impl FnOnce(&mut Text)) {
    let _ = writeln!(out, "define NULLROUTED_{name} = [");
    elements(out);
    let _ = writeln!(out, "  {last}\n];");
}

/// The operator's own networks, what is inside of them, and what covers them.
fn own(out: &mut Text, input: &FileInput, name: &str) {
    let own = input.own();
    around(out, name, &own.v4);
    around(out, name, &own.v6);
}

fn around<B: Ip>(out: &mut Text, name: &str, prefixes: &[Prefix<B>]) {
    set(out, &format!("{name}{}", B::N), &no_route::<B>(), |out| {
        for net in prefixes {
            let _ = writeln!(out, "  {net}+, {net}-,");
        }
    });
}
