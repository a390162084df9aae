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
    commands: |_| COMMANDS,
    loads_into: |_| "the table inet nullrouted",
    directions: &[Direction::To, Direction::From, Direction::Both],
    render,
    ..Kind::LIST
};

const COMMANDS: Commands = Commands {
    check: &["nft", "-c", "-f", "{file}"],
    reload: &["nft", "-f", "{file}"],
    verify: &[
        "sh",
        "-c",
        r#"held=$(nft -t list table inet nullrouted 2>&1) || { echo "$held"; exit 1; }
digest=$(sed -n 's/.* comment "\([0-9a-f]*\)"  # of the lines above$/\1/p' "$1")
rules=$(printf '%s\n' "$held" | awk '$1 == "chain" { ours = $2 == "prerouting" || $2 == "output" } ours && / drop/ { count++ } END { print count + 0 }')
[ "$rules" -eq "$(grep -c '^add rule ' "$1")" ] || { echo 'the table lacks rules'; exit 1; }
case $held in *" comment \"$digest\""*) ;; *) echo 'the table is of another file'; exit 1;; esac"#,
        "sh",
        "{file}",
    ],
};

const USES: &str = "\
Check:  nft -c -f THIS-FILE
Load:   nft -f THIS-FILE      (in one step; a second load replaces the first, the counters go on)
See:    nft list counters table inet nullrouted
Undo:   nft delete table inet nullrouted
";

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(2_500 + input.set().len() * 45);
    out.push("#!/usr/sbin/nft -f\n");
    out.push(&input.head("#", USES));
    out.push("add table inet nullrouted\n");
    set(
        &mut out,
        "v4",
        "ipv4_addr",
        input.set().v4.is_empty(),
        |out| {
            input.v4(|prefix, reason| out.entry("\t", prefix, ",", reason));
        },
    );
    set(
        &mut out,
        "v6",
        "ipv6_addr",
        input.set().v6.is_empty(),
        |out| {
            input.v6(|prefix, reason| out.entry("\t", prefix, ",", reason));
        },
    );
    chains(&mut out, options.direction);
    out.done()
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
    if !direction.is_from() {
        out.push("delete counter inet nullrouted from_listed_v4\n");
        out.push("delete counter inet nullrouted from_listed_v6\n");
    }
    if !direction.is_to() {
        out.push("delete chain inet nullrouted output\n");
        out.push("delete counter inet nullrouted to_listed_v4\n");
        out.push("delete counter inet nullrouted to_listed_v6\n");
    }
    let mut rules = RULES.iter().filter(|(_, to)| match to {
        true => direction.is_to(),
        false => direction.is_from(),
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
