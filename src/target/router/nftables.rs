//! nftables: a table of our own with two sets, and chains that drop what comes from them and what goes to them.
//!
//! Facts behind it, verified with nft 1.0.6:
//! * `nft -f` takes a file as one transaction: all of it or nothing, with no moment between.
//! * `add` of what is there already is no error, so the file can be loaded over itself; the counters are objects of
//!   their own, and keep counting.
//! * `add element` without an element is an error: an empty set is flushed and nothing is added.
//! * A comma behind the last element is fine, so that one prefix is one line.

use std::fmt::{Display, Write};

use super::reasons::Reason;
use super::{Commands, Sheet};

pub(super) const COMMANDS: Commands = Commands {
    check: &["nft", "-c", "-f", "{file}"],
    reload: &["nft", "-f", "{file}"],
    verify: &[],
};

const USES: &str = "\
Check:  nft -c -f THIS-FILE
Load:   nft -f THIS-FILE      (in one step; a second load replaces the first, the counters go on)
See:    nft list counters table inet nullrouted
Undo:   nft delete table inet nullrouted
";

pub(super) fn render(sheet: &Sheet) -> String {
    let mut out = String::with_capacity(2_000 + sheet.set.len() * 45);
    out.push_str("#!/usr/sbin/nft -f\n");
    out.push_str(&sheet.head("#", USES));
    out.push_str("add table inet nullrouted\n");
    set(&mut out, "v4", "ipv4_addr", sheet.v4());
    set(&mut out, "v6", "ipv6_addr", sheet.v6());
    out.push_str(CHAINS);
    out
}

fn set<'a>(
    out: &mut String,
    name: &str,
    kind: &str,
    prefixes: impl Iterator<Item = (impl Display, Reason<'a>)>,
) {
    let _ = writeln!(
        out,
        "add set inet nullrouted {name} {{ type {kind}; flags interval; }}\nflush set inet nullrouted {name}"
    );
    let mut prefixes = prefixes.peekable();
    if prefixes.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "add element inet nullrouted {name} {{");
    for (prefix, reason) in prefixes {
        let _ = writeln!(out, "\t{prefix},{}", reason.behind("#"));
    }
    out.push_str("}\n");
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
add rule inet nullrouted output ip6 daddr @v6 counter name to_listed_v6 drop
";
