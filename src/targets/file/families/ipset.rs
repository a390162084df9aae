//! ipset: two sets of networks for the rules of iptables, each filled beside the old one and
//! swapped with it.
//!
//! Facts behind it, verified with ipset 7.17:
//! * `restore` takes a file line by line and ends at the first that it refuses. So a set is filled
//!   under another name and swapped, which is one step: up to there nothing has changed.
//! * `create -exist` of a set with another size is an error. The size is a bound and takes no
//!   memory, so it is always the largest.
//! * The set of that other name may have been left by a load that was refused: it is flushed first.
//! * What is in the kernel is gone after a start of the machine: `verify` counts.
//! * A comment has at most 255 characters (`IPSET_MAX_COMMENT_SIZE`), and no quotation mark.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, FileInput, FileOptions};

pub const KIND: Kind = Kind {
    name: "ipset",
    commands: |_| Commands {
        check: &[],
        reload: &["ipset", "restore", "-file", "{file}"],
        verify: &["sh", "-c", include_str!("ipset/verify.sh"), "sh", "{file}"],
    },
    loads_into: |_| "the sets nullrouted4 and nullrouted6",
    room: 70,
    trigger: (include_str!("../texts/ipset.txt"), write),
    ..Kind::LIST
};

/// Longest comment of an entry, in bytes.
const LONGEST: usize = 255;

fn write(out: &mut Text, _: &FileOptions, input: &FileInput) {
    set(out, "nullrouted4", "inet", |out, new| {
        input.v4(|prefix, reason| add(out, new, prefix, reason));
    });
    set(out, "nullrouted6", "inet6", |out, new| {
        input.v6(|prefix, reason| add(out, new, prefix, reason));
    });
}

fn set(out: &mut Text, name: &str, family: &str, adds: impl FnOnce(&mut Text, &str)) {
    let new = format!("{name}-new");
    for name in [name, new.as_str()] {
        let most = u32::MAX;
        let _ = writeln!(
            out,
            "create {name} hash:net family {family} comment maxelem {most} -exist"
        );
    }
    let _ = writeln!(out, "flush {new}");
    adds(out, &new);
    let _ = writeln!(out, "swap {new} {name}\ndestroy {new}");
}

fn add<B: Bits>(out: &mut Text, set: &str, prefix: &Prefix<B>, reason: &Reason) {
    out.push("add ");
    out.push(set);
    out.push(" ");
    out.prefix(prefix);
    if !reason.is_empty() {
        let mut comment = String::new();
        let _ = reason.write(&mut comment);
        comment.truncate(LONGEST);
        out.push(" comment \"");
        out.push(&comment);
        out.push("\"");
    }
    out.push("\n");
}
