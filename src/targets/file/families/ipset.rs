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
use crate::targets::file::{Commands, FileInput};

pub const KIND: Kind = Kind {
    name: "ipset",
    commands: |_| COMMANDS,
    loads_into: |_| "the sets nullrouted4 and nullrouted6",
    render: |_, input| render(input),
    ..Kind::LIST
};

const COMMANDS: Commands = Commands {
    check: &[],
    reload: &["ipset", "restore", "-file", "{file}"],
    verify: &[
        "sh",
        "-c",
        r#"for set in nullrouted4 nullrouted6; do
held=$(ipset list -t $set 2>&1) || { echo "$held"; exit 1; }
held=$(printf '%s\n' "$held" | sed -n 's/^Number of entries: //p') all=$(grep -c "^add $set-new " "$1")
[ "$held" = "$all" ] || { echo "$set holds $held entries of $all"; exit 1; }
done"#,
        "sh",
        "{file}",
    ],
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

fn render(input: &FileInput) -> String {
    let mut out = Text::with_room(2_000 + input.set().len() * 70);
    out.push(&input.head("#", USES));
    set(&mut out, "nullrouted4", "inet", |out, new| {
        input.v4(|prefix, reason| add(out, new, prefix, reason));
    });
    set(&mut out, "nullrouted6", "inet6", |out, new| {
        input.v6(|prefix, reason| add(out, new, prefix, reason));
    });
    out.done()
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
