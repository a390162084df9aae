//! GoBGP, whose daemon reads one file at its start and on SIGHUP, and takes routes by its command
//! alone.
//!
//! ```text
//! trigger  gobgp global rib add ──NULLROUTED-IN: own space is refused──► table ──NULLROUTED-OUT: those that are named,
//!          no-export──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► table: next hop 192.0.2.1 or 100::1; nothing is dropped by GoBGP itself
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! Facts behind each line, verified with GoBGP 3.10 and 3.36:
//! * The file of a trigger is a script. A line that adds what is there or takes away what is not
//!   succeeds, and no neighbor receives an update. The table is empty after a start: `verify` sees
//!   that. Each line is a process, so the default command runs those alone whose result is not yet
//!   in the table.
//! * The policies of a trigger stand in its script as comments, for the operator's file. The other
//!   files are parts of that. Of two sets of one name the last counts; so an edge has its own.
//! * `gobgpd -d` finds keys and syntax that are wrong, and nothing else. What is refused on SIGHUP
//!   is said in the log alone, and the former policies stay: so `verify` compares the sets. A
//!   misspelt disposition refuses nothing.
//! * A set of prefixes or paths without an element matches nothing.
//! * SIGHUP takes other elements of a set, as well as other statements of a policy that is in
//!   force. What a neighbor was sent stays as it was: `softresetout` sends what is permitted now,
//!   and takes away what is not any more with 4.8 alone; a reset of the session does with all.
//!   `adj-out` shows what the policies say now, and not what was sent.
//! * A list that names a policy which is not there yet is not in force, and does not come into
//!   force with the policy, but when the list changes or gobgpd restarts. So the commands look
//!   which policies are in force.
//! * Policies are those of all neighbors, and of routes added by the command, which ends well where
//!   they refuse.
//! * A route that was added here is sent to every neighbor whatever its communities are, no-export
//!   and no-advertise too: only a policy keeps it back, and no condition of a policy knows iBGP
//!   from eBGP.
//! * `adj-out` of 3.36 has a last column: "filtered" where a policy refused the route, "not
//!   filtered" where it was sent.
//! * `adj-out` of a session that is down ends with 1.
//! * An IPv6 route without a next hop has that of its session: over IPv4 that is malformed.
//! * Its connection to zebra ends it with FRR 8.4: an edge has a table and no FIB.

use std::fmt::Write;

use crate::prefix::Prefix;
use crate::targets::file::family::{Kind, TooMany};
use crate::targets::file::parts::ip::{Ip, Side, sides};
use crate::targets::file::parts::sent::{LEAKS, MAY};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "gobgp",
    next_hops: &[Role::Trigger, Role::Edge],
    needs_neighbors: true,
    commands,
    loads_into: |role| match role {
        Role::Trigger => "the routes that gobgpd has from a trigger",
        // Each is the end of the whole file.
        Role::Edge | Role::Filter => "/etc/gobgpd.conf",
    },
    // From the table of a trigger; the parts are replaced whole.
    takes_away: true,
    // This many lines are run within the five minutes that a command has.
    too_many: |options| {
        (options.role == Role::Trigger).then_some(TooMany {
            most: 12_000,
            each: false,
            says: "GoBGP's command takes more than five minutes for the first load, and the default reload is ended",
            instead: "a router of family \"bird\"",
        })
    },
    room: 100,
    trigger: (include_str!("../texts/gobgp-trigger.txt"), trigger),
    edge: (include_str!("../texts/gobgp-edge.txt"), edge),
    filter: (include_str!("../texts/gobgp-filter.txt"), filter),
    ..Kind::ROUTER
};

fn commands(role: Role) -> Commands {
    match role {
        Role::Trigger => Commands {
            // Each line has the form of ours, and the policies are those of gobgpd.
            check: &["sh", "-c", include_str!("gobgp/check.sh"), "sh", "{file}"],
            reload: &["sh", "-c", LACKING, "sh", "{file}", "load"],
            verify: &["sh", "-c", SENT, "sh", "{file}", LACKING, LEAKS, MAY],
        },
        Role::Edge | Role::Filter => Commands {
            check: &["gobgpd", "-d", "-p", "-f", "{file}"],
            reload: &[
                "sh",
                "-c",
                include_str!("gobgp/reload.sh"),
                "sh",
                "{file}",
                HELD,
            ],
            verify: &["sh", "-c", HELD, "sh", "{file}"],
        },
    }
}

/// Finds the lines whose result is not yet in the table, and runs them or tells of them. What was
/// to be taken away is not looked for afterwards: a neighbor may announce the same prefix.
const LACKING: &str = include_str!("gobgp/lacking.sh");

/// And what it sent to whom, and whether its policies are those of the file: these are in a file of
/// the operator. `other.sh` names the sets and policies of a file which gobgpd does not hold as
/// they stand there; in the file of a trigger they are comments.
const SENT: &str = concat!(
    include_str!("gobgp/other.sh"),
    include_str!("gobgp/sent.sh")
);

/// Whether gobgpd holds the sets of a part, and its policy is in force. After a signal it takes its
/// time.
const HELD: &str = concat!(
    include_str!("gobgp/other.sh"),
    include_str!("gobgp/held.sh")
);

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    for line in policies(options, input).lines() {
        let _ = writeln!(out, "#: {line}");
    }
    out.push("#\nset -e\n");
    out.lines(
        "gobgp global rib del -a ipv4 ",
        &input.to_unconfigure.v4,
        "",
    );
    out.lines(
        "gobgp global rib del -a ipv6 ",
        &input.to_unconfigure.v6,
        "",
    );
    let [v4, v6] = sides(options, input).map(|side| {
        let next_hop = side.next_hop_line(" nexthop ", "");
        format!(" community 65535:666{next_hop}")
    });
    input.v4(|prefix, reason| out.entry("gobgp global rib add -a ipv4 ", prefix, &v4, reason));
    input.v6(|prefix, reason| out.entry("gobgp global rib add -a ipv6 ", prefix, &v6, reason));
}

/// The policies of a trigger, for the operator's file.
fn policies(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::default();
    own(&mut out, input, "OWN");
    out.push(COMMUNITY);
    policy(&mut out, "IN");
    for family in ["V4", "V6"] {
        let own = is_of(&format!("OWN-{family}"));
        statement(
            &mut out,
            &format!("IN-{family}"),
            &[&own, HAS_COMMUNITY, REJECT],
        );
    }
    let named = options.neighbors.iter();
    let named: Vec<_> = named.map(|named| format!("\"{named}\"")).collect();
    if !named.is_empty() {
        let named = named.join(", ");
        let _ = writeln!(
            out,
            "[[defined-sets.neighbor-sets]]\nneighbor-set-name = \"NULLROUTED-NEIGHBORS\"\nneighbor-info-list = [{named}]"
        );
    }
    policy(&mut out, "OUT");
    if !named.is_empty() {
        let says = [IS_NAMED, HAS_COMMUNITY, IS_LOCAL, ACCEPT, NO_EXPORT];
        statement(&mut out, "OUT", &says);
    }
    statement(
        &mut out,
        "OUT-TO-OTHERS",
        &[HAS_COMMUNITY, IS_LOCAL, REJECT],
    );
    out.done()
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    own(out, input, "EDGE-OWN");
    let covers = input.covers();
    networks(out, "EDGE-COVER", false, &covers.v4);
    networks(out, "EDGE-COVER", false, &covers.v6);
    let sides = sides(options, input);
    for side in sides {
        let (n, all) = (side.n, side.all);
        let (shortest, longest) = (side.shortest, side.longest);
        prefix_set(out, &format!("LONG-V{n}"));
        let _ = writeln!(
            out,
            "{ENTRY}{all}\", masklength-range = \"{shortest}..{longest}\"}},\n]"
        );
    }
    out.push(COMMUNITY);
    policy(out, "EDGE");
    for set in [
        "EDGE-OWN-V4",
        "EDGE-OWN-V6",
        "EDGE-COVER-V4",
        "EDGE-COVER-V6",
    ] {
        statement(out, set, &[&is_of(set), REJECT]);
    }
    for Side { n, discard, .. } in sides {
        let drops = format!(
            "actions.bgp-actions.set-next-hop = \"{discard}\"\nactions.bgp-actions.set-local-pref = 200\n"
        );
        let long = is_of(&format!("LONG-V{n}"));
        let says = [&*long, HAS_COMMUNITY, ACCEPT, &drops, NO_EXPORT];
        statement(out, &format!("EDGE-V{n}"), &says);
    }
    // It has no condition.
    statement(out, "EDGE-OTHERS", &[REJECT]);
}

fn filter(out: &mut Text, _: &FileOptions, input: &FileInput) {
    prefix_set(out, "FILTER-V4");
    let after = and_inside::<u32>();
    input.v4(|prefix, reason| out.entry(ENTRY, prefix, &after[usize::from(prefix.len())], reason));
    out.push("]\n");
    prefix_set(out, "FILTER-V6");
    let after = and_inside::<u128>();
    input.v6(|prefix, reason| out.entry(ENTRY, prefix, &after[usize::from(prefix.len())], reason));
    out.push(
        "]
[[defined-sets.bgp-defined-sets.as-path-sets]]
as-path-set-name = \"NULLROUTED-ORIGINS\"
as-path-list = [
",
    );
    for asn in input.origins() {
        let _ = writeln!(out, "  \"_{asn}$\",");
    }
    out.push("]\n");
    policy(out, "FILTER");
    for set in ["FILTER-V4", "FILTER-V6"] {
        statement(out, set, &[&is_of(set), REJECT]);
    }
    statement(out, "FILTER-ORIGINS", &[HAS_ORIGIN, REJECT]);
}

const COMMUNITY: &str = "\
[[defined-sets.bgp-defined-sets.community-sets]]
community-set-name = \"NULLROUTED\"
community-list = [\"65535:666\"]
";
const HAS_COMMUNITY: &str = "conditions.bgp-conditions.match-community-set = \
                             {community-set = \"NULLROUTED\", match-set-options = \"any\"}\n";
const HAS_ORIGIN: &str = "conditions.bgp-conditions.match-as-path-set = \
                          {as-path-set = \"NULLROUTED-ORIGINS\", match-set-options = \"any\"}\n";
const IS_NAMED: &str = "conditions.match-neighbor-set = \
                        {neighbor-set = \"NULLROUTED-NEIGHBORS\", match-set-options = \"any\"}\n";
/// What was added here, and not what a neighbor announced.
const IS_LOCAL: &str = "conditions.bgp-conditions.route-type = \"local\"\n";
const ACCEPT: &str = "actions.route-disposition = \"accept-route\"\n";
const REJECT: &str = "actions.route-disposition = \"reject-route\"\n";
const NO_EXPORT: &str = "actions.bgp-actions.set-community = \
                         {options = \"add\", set-community-method = {communities-list = [\"no-export\"]}}\n";

fn policy(out: &mut Text, name: &str) {
    let _ = writeln!(out, "[[policy-definitions]]\nname = \"NULLROUTED-{name}\"");
}

fn statement(out: &mut Text, name: &str, says: &[&str]) {
    let _ = writeln!(
        out,
        "[[policy-definitions.statements]]\nname = \"NULLROUTED-{name}\""
    );
    says.iter().for_each(|line| out.push(line));
}

/// The condition that a prefix is of this set.
fn is_of(name: &str) -> String {
    format!(
        "conditions.match-prefix-set = {{prefix-set = \"NULLROUTED-{name}\", match-set-options = \"any\"}}\n"
    )
}

/// The beginning of a set.
fn prefix_set(out: &mut Text, name: &str) {
    let _ = writeln!(
        out,
        "[[defined-sets.prefix-sets]]\nprefix-set-name = \"NULLROUTED-{name}\"\nprefix-list = ["
    );
}

/// What stands before the prefix of an element.
const ENTRY: &str = "  {ip-prefix = \"";

/// What stands after a prefix of each length: it, and what is inside of it.
fn and_inside<B: Ip>() -> Vec<String> {
    let width = B::WIDTH;
    let after = |len| format!("\", masklength-range = \"{len}..{width}\"}},");
    (0..=width).map(after).collect()
}

/// The operator's own networks, and what is inside of them.
fn own(out: &mut Text, input: &FileInput, name: &str) {
    let own = input.own();
    networks(out, name, true, &own.v4);
    networks(out, name, true, &own.v6);
}

/// A set of these, and of what is `inside` of them where that is said.
fn networks<B: Ip>(out: &mut Text, name: &str, inside: bool, prefixes: &[Prefix<B>]) {
    prefix_set(out, &format!("{name}-V{}", B::N));
    for prefix in prefixes {
        let len = prefix.len();
        let longest = if inside { B::WIDTH } else { len };
        let _ = writeln!(
            out,
            "{ENTRY}{prefix}\", masklength-range = \"{len}..{longest}\"}},"
        );
    }
    out.push("]\n");
}
