//! nftables: a table of our own with two sets, and chains that drop what comes from them, what goes
//! to them, or both.
//!
//! Facts behind it, verified with nft 1.0.6:
//! * `nft -f` takes a file as one transaction: all of it or nothing, with no moment between.
//! * `add` of what is there already is no error, so the file can be loaded over itself; the
//!   counters are objects of their own, and keep counting.
//! * `delete` of what is not there is an error, so each object that a direction does without is
//!   added before it is deleted: it may be left of a file of another direction.
//! * `add element` without an element is an error: an empty set is flushed and nothing is added.
//! * A chain of others in this table, as an earlier README had one, stays where it is: the rules of
//!   our chains count alone.
//! * What is in the kernel is gone after a start of the machine, or of nftables.service, whose file
//!   begins with `flush ruleset`: `verify` sees that.
//! * A comma behind the last element is fine, so that one prefix is one line.

use std::fmt::Write;

use crate::targets::file::family::Kind;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, Direction, FileInput, FileOptions};

pub const KIND: Kind = Kind {
    name: "nftables",
    commands: |_| Commands {
        check: &["nft", "-c", "-f", "{file}"],
        reload: &["nft", "-f", "{file}"],
        verify: &[
            "sh",
            "-c",
            include_str!("nftables/verify.sh"),
            "sh",
            "{file}",
        ],
    },
    loads_into: |_| "the table inet nullrouted",
    directions: &[Direction::To, Direction::From, Direction::Both],
    room: 45,
    first: "#!/usr/sbin/nft -f\n",
    trigger: (include_str!("../texts/nftables.txt"), write),
    ..Kind::LIST
};

fn write(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push("add table inet nullrouted\n");
    let nets = input.set();
    set(out, "v4", "ipv4_addr", nets.v4.is_empty(), |out| {
        input.v4(|prefix, reason| out.entry("\t", prefix, ",", reason));
    });
    set(out, "v6", "ipv6_addr", nets.v6.is_empty(), |out| {
        input.v6(|prefix, reason| out.entry("\t", prefix, ",", reason));
    });
    chains(out, options.direction);
}

fn set(out: &mut Text, name: &str, kind: &str, is_empty: bool, elements: impl FnOnce(&mut Text)) {
    let _ = writeln!(
        out,
        "add set inet nullrouted {name} {{ type {kind}; flags interval; }}\nflush set inet nullrouted {name}"
    );
    if !is_empty {
        let _ = writeln!(out, "add element inet nullrouted {name} {{");
        elements(out);
        out.push("}\n");
    }
}

/// Ahead of connection tracking: what is dropped costs no entry there.
const CHAINS: &str = "\
add counter inet nullrouted from_listed_v4
add counter inet nullrouted from_listed_v6
add counter inet nullrouted to_listed_v4
add counter inet nullrouted to_listed_v6
add chain inet nullrouted prerouting { type filter hook prerouting priority raw; policy accept; }
flush chain inet nullrouted prerouting
add chain inet nullrouted output { type filter hook output priority raw; policy accept; }
flush chain inet nullrouted output
";

/// What the chains drop, and whether this is done for packets from the listed prefixes or to them.
const RULES: [(&str, bool); 6] = [
    ("prerouting ip saddr @v4 counter name from_listed_v4", false),
    (
        "prerouting ip6 saddr @v6 counter name from_listed_v6",
        false,
    ),
    ("prerouting ip daddr @v4 counter name to_listed_v4", true),
    ("prerouting ip6 daddr @v6 counter name to_listed_v6", true),
    ("output ip daddr @v4 counter name to_listed_v4", true),
    ("output ip6 daddr @v6 counter name to_listed_v6", true),
];

fn chains(out: &mut Text, direction: Direction) {
    out.push(CHAINS);
    let (is_from, is_to) = (direction != Direction::To, direction != Direction::From);
    if !is_from {
        out.push("delete counter inet nullrouted from_listed_v4\n");
        out.push("delete counter inet nullrouted from_listed_v6\n");
    }
    if !is_to {
        out.push("delete chain inet nullrouted output\n");
        out.push("delete counter inet nullrouted to_listed_v4\n");
        out.push("delete counter inet nullrouted to_listed_v6\n");
    }
    let mut rules = RULES.iter().filter(|(_, to)| match to {
        true => is_to,
        false => is_from,
    });
    // The comment of the last rule is the digest of the lines before it: so nft is asked whether
    // the table is of this very file.
    let last = rules.next_back();
    for (rule, _) in rules {
        let _ = writeln!(out, "add rule inet nullrouted {rule} drop");
    }
    if let Some((rule, _)) = last {
        let before = format!("add rule inet nullrouted {rule} drop comment \"");
        out.seal(&before, "\"  # of the lines above");
    }
}
