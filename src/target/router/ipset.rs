//! ipset: two sets of networks for the rules of iptables, each filled beside the old one and swapped with it.
//!
//! Facts behind it, verified with ipset 7.17:
//! * `restore` takes a file line by line and ends at the first that it refuses. So a set is filled under another name
//!   and swapped, which is one step: up to there nothing has changed.
//! * `create -exist` of a set with another size is an error. The size is a bound and takes no memory, so it is always
//!   the largest.
//! * The set of that other name may have been left by a load that was refused: it is flushed first.
//! * A comment has at most 255 characters (`IPSET_MAX_COMMENT_SIZE`), and no quotation mark.

use std::fmt::{Display, Write};

use super::reasons::Reason;
use super::{Commands, Sheet};

pub(super) const COMMANDS: Commands = Commands {
    check: &[],
    reload: &["ipset", "restore", "-file", "{file}"],
    verify: &[],
};

const USES: &str = "\
Load:   ipset restore -file THIS-FILE      (a second load replaces the first)
Use:    iptables  -t raw -I PREROUTING -m set --match-set nullrouted4 src -j DROP
        iptables  -t raw -I PREROUTING -m set --match-set nullrouted4 dst -j DROP
        ip6tables -t raw -I PREROUTING -m set --match-set nullrouted6 src -j DROP
        ip6tables -t raw -I PREROUTING -m set --match-set nullrouted6 dst -j DROP
Undo:   ipset flush nullrouted4 && ipset flush nullrouted6
";

/// Longest comment of an entry, in bytes.
const LONGEST: usize = 255;

pub(super) fn render(sheet: &Sheet) -> String {
    let mut out = String::with_capacity(2_000 + sheet.set.len() * 50);
    out.push_str(&sheet.head("#", USES));
    set(&mut out, "nullrouted4", "inet", sheet.v4());
    set(&mut out, "nullrouted6", "inet6", sheet.v6());
    out
}

fn set<'a>(
    out: &mut String,
    name: &str,
    family: &str,
    prefixes: impl Iterator<Item = (impl Display, Reason<'a>)>,
) {
    let new = format!("{name}-new");
    for name in [name, new.as_str()] {
        let _ = writeln!(
            out,
            "create {name} hash:net family {family} comment maxelem {} -exist",
            u32::MAX
        );
    }
    let _ = writeln!(out, "flush {new}");
    for (prefix, reason) in prefixes {
        let mut comment = reason.to_string();
        comment.truncate(LONGEST);
        let _ = match comment.is_empty() {
            true => writeln!(out, "add {new} {prefix}"),
            false => writeln!(out, "add {new} {prefix} comment \"{comment}\""),
        };
    }
    let _ = writeln!(out, "swap {new} {name}\ndestroy {new}");
}
