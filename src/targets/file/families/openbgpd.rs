//! OpenBGPD: a part that the operator's own file includes, before his first filter rule.
//!
//! ```text
//! trigger  network prefix-set "nullrouted4": RFC 7999's community ──to those that are named, no-export──► neighbor
//! edge     from ibgp ──► nexthop blackhole (of use where there is a FIB: not on Linux)
//! filter   from ebgp ──► listed prefixes, what is inside of them, and listed origins are denied
//! ```
//!
//! Facts behind each line, verified with OpenBGPD 7.7 and 8.8:
//! * The last rule that matches wins, so each of ours is `quick`.
//! * `bgpd -n` refuses a file without an AS, so the check puts one in front of it. It takes an IPv4
//!   prefix with a length of 33, by which the daemon dies: prefixes are ours, and right by their
//!   type.
//! * `bgpctl reload` ends well where the file is refused, and where an earlier reload still goes
//!   on: what it says counts. It ends a moment before the file is in force, so the default command
//!   looks for five seconds.
//! * A comment that ends with a backslash takes the next line with it: none of ours has one.
//! * An empty set matches nothing, and may stand.
//! * `NO_EXPORT` in the `network` statement keeps the route from eBGP neighbors altogether,
//!   whatever rules allow: it is there unless `announce_to = "ebgp"`, and added on the way out in
//!   any case.
//! * A next hop in the `network` statement that no route leads to keeps the route from all
//!   neighbors since 8.8, so it is set on the way out. An eBGP neighbor is sent the address of the
//!   session all the same.
//! * A rule about the address of a neighbor is refused ("no such peer") unless that neighbor stands
//!   before it: the check puts each one that is named in front of the file.
//! * `bgpctl` does not say whether a neighbor is iBGP: an eBGP one has nothing with `NO_EXPORT`.
//! * `show rib out` wants a neighbor to be named; with a community it is OpenBGPD that looks for
//!   it.
//! * `bgpctl show sets` names the sets in force, empty ones too: by the name of the last one
//!   OpenBGPD is asked for its file.
//! * 10 000 prefixes of a `network prefix-set` are loaded in 0.3 s; 100 000 take minutes.

use std::fmt::Write;

use crate::targets::file::family::{Kind, TooMany};
use crate::targets::file::head;
use crate::targets::file::parts::ip::{Side, sides};
use crate::targets::file::parts::sent::{self, LEAKS, MAY};
use crate::targets::file::parts::sessions::said;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "openbgpd",
    // As an edge it drops by a kind of route, whatever the next hop.
    next_hops: &[Role::Trigger],
    commands,
    loads_into: |role| match role {
        Role::Trigger => "the sets and rules of a trigger in OpenBGPD",
        Role::Edge => "the sets and rules of an edge in OpenBGPD",
        Role::Filter => "the sets and rules of a filter in OpenBGPD",
    },
    // This many are loaded in a second and a half, 50 000 in 13 s, 100 000 in two minutes.
    too_many: |options| {
        (options.role == Role::Trigger).then_some(TooMany {
            most: 20_000,
            each: false,
            says: "OpenBGPD takes up to minutes to load them",
            instead: "a router of family \"bird\"",
        })
    },
    room: 45,
    words,
    trigger: (include_str!("../texts/openbgpd-trigger.txt"), trigger),
    edge: (include_str!("../texts/openbgpd-edge.txt"), edge),
    filter: (include_str!("../texts/openbgpd-filter.txt"), filter),
    end: |out, role| {
        let before = format!("as-set \"nullrouted-{role}-");
        out.seal(
            &before,
            "\" { }  # no AS, and the digest of the lines above",
        );
    },
    ..Kind::ROUTER
};

fn commands(role: Role) -> Commands {
    Commands {
        check: &[
            "sh",
            "-c",
            include_str!("openbgpd/check.sh"),
            "sh",
            "{file}",
        ],
        reload: &[
            "sh",
            "-c",
            include_str!("openbgpd/reload.sh"),
            "sh",
            "{file}",
            HELD,
        ],
        verify: match role {
            Role::Trigger => &["sh", "-c", SENT, "sh", "{file}", HELD, LEAKS, MAY],
            Role::Edge | Role::Filter => &["sh", "-c", HELD, "sh", "{file}"],
        },
    }
}

/// Whether OpenBGPD holds the file. After a reload it takes its time.
const HELD: &str = include_str!("openbgpd/held.sh");

/// And what it sent to whom.
const SENT: &str = include_str!("openbgpd/sent.sh");

/// What the head says of the neighbors that are announced to.
fn words(options: &FileOptions, _: &FileInput) -> head::Words {
    let mut text = String::new();
    match (options.announce_to, options.next_hops()) {
        (AnnounceTo::Ibgp, _) => said(
            &mut text,
            "The routes are originated with NO_EXPORT: no eBGP neighbor can receive them, whatever is allowed.",
        ),
        (AnnounceTo::Ebgp, [None, None]) => {}
        (AnnounceTo::Ebgp, _) => said(
            &mut text,
            "An eBGP neighbor is sent the address of the session as next hop, whatever next_hop_v4 and next_hop_v6 say.",
        ),
    }
    vec![("{announced}\n", text)]
}

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    listed(out, "nullrouted", input);
    own(out, input, "nullrouted-own");
    let kept = match options.announce_to {
        AnnounceTo::Ibgp => " community NO_EXPORT",
        AnnounceTo::Ebgp => "",
    };
    let to = match options.neighbors.as_slice() {
        [] => "ibgp".to_owned(),
        named => format!("{{ {} }}", sent::joined(named)),
    };
    let sides = sides(options, input);
    for Side { n, .. } in sides {
        let _ = writeln!(
            out,
            "network prefix-set \"nullrouted{n}\" set {{ community BLACKHOLE{kept} }}"
        );
    }
    out.push("deny quick to any prefix-set \"nullrouted-own\" or-longer community BLACKHOLE\n");
    for side in sides {
        let (n, next_hop) = (side.n, side.next_hop_line("nexthop ", " "));
        let _ = writeln!(
            out,
            "allow quick to {to} prefix-set \"nullrouted{n}\" community BLACKHOLE set {{ {next_hop}community NO_EXPORT }}"
        );
    }
    for Side { n, .. } in sides {
        let _ = writeln!(
            out,
            "deny quick to any prefix-set \"nullrouted{n}\" community BLACKHOLE"
        );
    }
}

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    own(out, input, "nullrouted-edge-own");
    out.push("prefix-set \"nullrouted-edge-cover\" {\n");
    let covers = input.covers();
    out.lines("\t", &covers.v4, "");
    out.lines("\t", &covers.v6, "");
    out.push(
        "}
deny quick from ibgp prefix-set \"nullrouted-edge-own\" or-longer community BLACKHOLE
deny quick from ibgp prefix-set \"nullrouted-edge-cover\" community BLACKHOLE
",
    );
    for Side { all, shortest, .. } in sides(options, input) {
        let _ = writeln!(
            out,
            "deny quick from ibgp prefix {all} prefixlen < {shortest} community BLACKHOLE"
        );
    }
    out.push("allow quick from ibgp community BLACKHOLE set { nexthop blackhole localpref 200 community NO_EXPORT }\n");
}

fn filter(out: &mut Text, _: &FileOptions, input: &FileInput) {
    listed(out, "nullrouted-listed", input);
    out.push("as-set \"nullrouted-origins\" {\n");
    for asn in input.origins() {
        let _ = writeln!(out, "\t{asn}");
    }
    out.push(
        "}
deny quick from ebgp prefix-set \"nullrouted-listed4\" or-longer
deny quick from ebgp prefix-set \"nullrouted-listed6\" or-longer
deny quick from ebgp source-as as-set \"nullrouted-origins\"
",
    );
}

/// The operator's own networks of both families.
fn own(out: &mut Text, input: &FileInput, name: &str) {
    let _ = writeln!(out, "prefix-set \"{name}\" {{");
    for net in input.own().nets() {
        let _ = writeln!(out, "\t{net}");
    }
    out.push("}\n");
}

/// What is listed, in two sets whose names begin so.
fn listed(out: &mut Text, name: &str, input: &FileInput) {
    let _ = writeln!(out, "prefix-set \"{name}4\" {{");
    input.v4(|prefix, reason| out.entry("\t", prefix, "", reason));
    let _ = writeln!(out, "}}\nprefix-set \"{name}6\" {{");
    input.v6(|prefix, reason| out.entry("\t", prefix, "", reason));
    out.push("}\n");
}
