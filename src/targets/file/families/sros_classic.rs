//! Nokia SR OS, classic CLI.
//!
//! ```text
//! trigger  static-route-entry … black-hole, tag 666 ──NULLROUTED-OUT──► BGP: 65535:666, no-export ──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► a black hole
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! Behind each line, by Nokia's documentation; no such router took these files here:
//! * What is between `begin` and `commit` of the policies is in force at once, and what was there
//!   before until then. So a list is removed and written again: what is no longer listed is gone
//!   with it. It is named before that, so that the first file has it to take away, too.
//! * Whether `exec` ends at a line that is refused is not documented, and an entry that has lost a
//!   line matches too much: so `commit` is not in the file, but left to who reads what `exec` says.
//! * A policy is written over itself, as one in use may not be taken away: each of its entries says
//!   all that it may have said in an earlier file, so `no next-hop` where there is none.
//! * Static routes are in force line by line, and stay until lines take them away: a black hole is
//!   shut down, then taken away. The first of these lines makes what is not there, so that the
//!   other is not refused. The entry stays, and forwards nothing: whether it would take a next hop
//!   of the operator's own along is not documented.
//! * A command of a lower level stands behind the names of those above it, one at a time: so the
//!   tag and `no shutdown` are two lines a prefix. The tag is first: what is announced has it. It
//!   is of the black hole, not of the entry: a next hop of the operator's own does not get it.
//! * Whether an action that drops is left by `exit` depends on the release: so such lines are
//!   whole, from the root.
//! * `static-route-entry` is of release 14; 7210 SAS has `static-route` alone.
//! * What a policy does where none of its lists exists is not documented, so each list has an entry
//!   that no route has.
//! * `longer` is the prefix itself, too. Behind a line there is no comment.
//! * An as-path expression is about the whole path. A group holds 128 of them of 255 characters
//!   each, so several ASes are in one. A group that is no longer needed is written once more,
//!   without an AS.
//! * `action drop` is named `action reject` by older releases.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::families::sros::{self, quoted};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::ip::sides;
use crate::targets::file::parts::sessions::OptIn;
use crate::targets::file::parts::sros_policy::{self, Longer, Of, Policies, Policy};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "sros-classic",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    room: 115,
    words: |options, _| SESSIONS.fill(options),
    trigger: (include_str!("../texts/sros-classic-trigger.txt"), write),
    edge: (include_str!("../texts/sros-classic-edge.txt"), write),
    filter: (include_str!("../texts/sros-classic-filter.txt"), write),
    ..Kind::ROUTER
};

fn write(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push("exit all\nconfigure router policy-options\nbegin\n");
    let asns = input.origins().len() + input.to_unconfigure.origins.len();
    sros_policy::write(&mut Classic(out), options, input, asns);
    out.push("exit all\n");
    match options.role {
        Role::Trigger => {
            out.push("configure router\n");
            out.push(&input.kept("#"));
            input.left_v4().for_each(|prefix| gone(out, prefix));
            input.left_v6().for_each(|prefix| gone(out, prefix));
            input.set().v4.iter().for_each(|prefix| route(out, prefix));
            input.set().v6.iter().for_each(|prefix| route(out, prefix));
            out.push("exit all\n");
        }
        Role::Edge => {
            out.push("configure router\n");
            for side in sides(options, input) {
                let (discard, longest) = (side.discard, side.longest);
                let _ = writeln!(
                    out,
                    "static-route-entry {discard}/{longest} black-hole no shutdown"
                );
            }
            out.push("exit all\n");
        }
        Role::Filter => {}
    }
}

fn route<B: Bits>(out: &mut Text, prefix: &Prefix<B>) {
    commands(
        out,
        prefix,
        [" black-hole tag 666", " black-hole no shutdown"],
    );
}

fn gone<B: Bits>(out: &mut Text, prefix: &Prefix<B>) {
    commands(out, prefix, [" black-hole shutdown", " no black-hole"]);
}

fn commands<B: Bits>(out: &mut Text, prefix: &Prefix<B>, commands: [&str; 2]) {
    for command in commands {
        out.lines("static-route-entry ", [prefix], command);
    }
}

const SESSIONS: OptIn = OptIn {
    alone: "configure router bgp group \"GROUP\" export \"NULLROUTED-OUT\"",
    mixed: "configure router bgp group \"GROUP\" export \"NULLROUTED-MIXED\" \"YOURS\"",
    ..sros::SESSIONS
};

/// A file in this form.
struct Classic<'a>(&'a mut Text);

impl Classic<'_> {
    /// Opens it, without the entries of an earlier file.
    fn anew(&mut self, what: &str) {
        let _ = write!(self.0, "{what}\nexit\nno {what}\n{what}\n");
    }
}

impl Policies for Classic<'_> {
    fn community(&mut self, name: &str, member: &str) {
        let _ = writeln!(self.0, "community \"{name}\" members \"{member}\"");
    }

    fn list(&mut self, name: &str, entries: impl FnOnce(&mut Self)) {
        self.anew(&format!("prefix-list \"{name}\""));
        entries(self);
        self.0.push("exit\n");
    }

    fn entry<B: Bits>(&mut self, prefix: &Prefix<B>, longer: Longer) {
        self.0.push("    prefix ");
        self.0.prefix(prefix);
        match longer {
            Longer::Exact => self.0.push(" exact\n"),
            Longer::Inside => self.0.push(" longer\n"),
            Longer::Between(first, last) => {
                let _ = writeln!(self.0, " prefix-length-range {first}-{last}");
            }
        }
    }

    fn as_paths(&mut self, name: &str, expressions: &[String]) {
        self.anew(&format!("as-path-group \"{name}\""));
        for (number, expression) in (1..).zip(expressions) {
            let _ = writeln!(self.0, "    entry {number} expression \"{expression}\"");
        }
        self.0.push("exit\n");
    }

    fn policy(&mut self, policy: &Policy) {
        let name = policy.name;
        let policy_statement =
            format!("/configure router policy-options policy-statement \"{name}\"");
        for (number, entry) in (1..).zip(&policy.entries) {
            let mut from = Vec::new();
            if !entry.lists.is_empty() {
                from.push(format!("prefix-list {}", quoted(&entry.lists)));
            }
            match &entry.of {
                Of::Any => {}
                Of::Tagged => from.extend(["protocol static".to_owned(), "tag 666".to_owned()]),
                Of::Blackhole => from.push("community \"NULLROUTED\"".to_owned()),
                Of::Origin(group) => from.push(format!("as-path-group \"{group}\"")),
            }
            let entry_line = format!("{policy_statement} entry {number}0");
            for from in from {
                let _ = writeln!(self.0, "{entry_line} from {from}");
            }
            let Some(accept) = &entry.accept else {
                let _ = writeln!(self.0, "{entry_line} action drop");
                continue;
            };
            let _ = writeln!(self.0, "{entry_line}\n    action accept");
            if let Some(preference) = accept.local_preference {
                let _ = writeln!(self.0, "        local-preference {preference}");
            }
            let _ = match accept.next_hop {
                Some(next_hop) => writeln!(self.0, "        next-hop {next_hop}"),
                None => writeln!(self.0, "        no next-hop"),
            };
            let communities = quoted(accept.communities);
            let _ = writeln!(self.0, "        community add {communities}\nexit all");
        }
        let action = if policy.next_policy {
            "next-policy"
        } else {
            "drop"
        };
        let _ = writeln!(self.0, "{policy_statement} default-action {action}");
    }
}
