//! nftables: a table of our own with two sets, and chains that drop what comes from them and what goes to them.
//!
//! Facts behind it, verified with nft 1.0.6:
//! * `nft -f` takes a file as one transaction: all of it or nothing, with no moment between.
//! * `add` of what is there already is no error, so the file can be loaded over itself; the counters are objects of
//!   their own, and keep counting.
//! * `add element` without an element is an error: an empty set is flushed and nothing is added.
//! * What is in the kernel is gone after a start of the machine, or of nftables.service, whose file begins with `flush
//!   ruleset`: `verify` sees that.
//! * A comma behind the last element is fine, so that one prefix is one line.

use std::fmt::Write;

use super::family::Kind;
use super::text::Text;
use super::{Commands, Sheet};

pub(super) const KIND: Kind = Kind {
    name: "nftables",
    commands: |_| COMMANDS,
    render: |_, sheet| render(sheet),
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
[ "$(printf '%s\n' "$held" | grep -c ' drop')" -eq 6 ] || { echo 'the table lacks rules'; exit 1; }
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

fn render(sheet: &Sheet) -> String {
    let mut out = Text::with_room(2_500 + sheet.set.len() * 45);
    out.push("#!/usr/sbin/nft -f\n");
    out.push(&sheet.head("#", USES));
    out.push("add table inet nullrouted\n");
    set(
        &mut out,
        "v4",
        "ipv4_addr",
        sheet.set.v4.is_empty(),
        |out| {
            sheet.v4(|prefix, reason| out.entry("\t", prefix, ",", reason));
        },
    );
    set(
        &mut out,
        "v6",
        "ipv6_addr",
        sheet.set.v6.is_empty(),
        |out| {
            sheet.v6(|prefix, reason| out.entry("\t", prefix, ",", reason));
        },
    );
    out.push(CHAINS);
    out.seal(LAST, "\"  # of the lines above");
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
add rule inet nullrouted prerouting ip saddr @v4 counter name from_listed_v4 drop
add rule inet nullrouted prerouting ip daddr @v4 counter name to_listed_v4 drop
add rule inet nullrouted prerouting ip6 saddr @v6 counter name from_listed_v6 drop
add rule inet nullrouted prerouting ip6 daddr @v6 counter name to_listed_v6 drop
add chain inet nullrouted output { type filter hook output priority raw; policy accept; }
flush chain inet nullrouted output
add rule inet nullrouted output ip daddr @v4 counter name to_listed_v4 drop
";

/// Its comment is the digest of the lines before it: so nft is asked whether the table is of this very file.
const LAST: &str =
    "add rule inet nullrouted output ip6 daddr @v6 counter name to_listed_v6 drop comment \"";
