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
//!   before until then. So a list is taken away and written anew: what is no longer listed is gone
//!   with it. It is named before that, so that the first file has it to take away, too.
//! * Whether `exec` ends at a line that is refused is not told, and an entry that has lost a line
//!   matches too much: so `commit` is not in the file, but left to who reads what `exec` says.
//! * A policy is written over itself, as one in use may not be taken away: each of its entries says
//!   all that it may have said in an earlier file, so `no next-hop` where there is none.
//! * Static routes are in force line by line, and stay until lines take them away: a black hole is
//!   shut down, then taken away. The first of these lines makes what is not there, so that the
//!   other is not refused. The entry stays, and forwards nothing: whether it would take a next hop
//!   of the operator's own along is not told.
//! * A command of a lower level stands behind the names of those above it, one at a time: so the
//!   tag and `no shutdown` are two lines a prefix. The tag is first: what is announced has it. It
//!   is of the black hole, not of the entry: a next hop of the operator's own does not get it.
//! * Whether an action that drops is left by `exit` depends on the release: so such lines are
//!   whole, from the root.
//! * `static-route-entry` is of release 14; 7210 SAS has `static-route` alone.
//! * What a policy does where none of its lists is there is not told, so each list has an entry
//!   that no route has.
//! * `longer` is the prefix itself, too. Behind a line there is no comment.
//! * An as-path expression is about the whole path. A group holds 128 of them of 255 characters
//!   each, so several ASes are in one. A group that is no longer needed is written once more,
//!   without an AS.
//! * `action drop` is named `action reject` by older releases.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::families::sros::{ASSUMED, BEHIND, OTHERS, PROOF, quoted};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::sessions::{OptIn, begins};
use crate::targets::file::parts::sros_policy::{self, Form, Longer, Of, Policy};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "sros-classic",
    next_hops: &[Role::Trigger, Role::Edge],
    takes_away: true,
    render,
    ..Kind::ROUTER
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut file = Classic(Text::with_room(5_000 + input.set().len() * 115));
    file.0.push(&match options.role {
        Role::Trigger => {
            let sessions = begins("Use:", &SESSIONS.sessions(options));
            input.head("#", &[LOAD, &sessions, UNDO].concat())
        }
        Role::Edge => input.edge_head("#", &[LOAD, EDGE].concat()),
        Role::Filter => input.head("#", &[LOAD, FILTER].concat()),
    });
    file.0
        .push("exit all\nconfigure router policy-options\nbegin\n");
    let asns = input.origins().len() + input.to_unconfigure.origins.len();
    sros_policy::write(&mut file, options, input, asns);
    file.0.push("exit all\n");
    let out = &mut file.0;
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
            let (v4, v6) = (options.discard_v4(), options.discard_v6());
            let _ = write!(
                out,
                "configure router
static-route-entry {v4}/32 black-hole no shutdown
static-route-entry {v6}/128 black-hole no shutdown
exit all
"
            );
        }
        Role::Filter => {}
    }
    file.0.done()
}

fn route<B: Bits>(out: &mut Text, prefix: &Prefix<B>) {
    for command in [" black-hole tag 666\n", " black-hole no shutdown\n"] {
        out.push("static-route-entry ");
        out.prefix(prefix);
        out.push(command);
    }
}

fn gone<B: Bits>(out: &mut Text, prefix: &Prefix<B>) {
    for (before, after) in [
        ("static-route-entry ", " black-hole shutdown\n"),
        ("static-route-entry ", " no black-hole\n"),
    ] {
        out.push(before);
        out.prefix(prefix);
        out.push(after);
    }
}

const LOAD: &str = "\
For 7450, 7750, 7950 of release 14 or later.
Load:   admin rollback save                             (to where `configure system rollback` says)
        exec cf3:\\THIS-FILE
        configure router policy-options commit          (where a line was refused: abort, in place of commit)
        admin save                                      (when all is well)
";

const SESSIONS: OptIn = OptIn {
    others: OTHERS,
    alone: "configure router bgp group \"GROUP\" export \"NULLROUTED-OUT\"",
    policy: "policy",
    mixed: "configure router bgp group \"GROUP\" export \"NULLROUTED-MIXED\" \"YOURS\"",
    behind: BEHIND,
    proof: PROOF,
    assumed: ASSUMED,
};

const UNDO: &str = "\
Undo:   admin rollback revert latest-rb                 (takes back what anybody changed since, and goes back one
                                                        load: it is saved anew at each)
        or by hand, in this order, as each line acts at once:
        1. The static routes with tag 666: then no neighbor has a blackhole, whatever your own policies export.
         configure router static-route-entry PREFIX black-hole shutdown
         configure router static-route-entry PREFIX no black-hole
        2. A session of recipe 1: shut it down before NULLROUTED-OUT goes. Without it the default of BGP sends other
        routes, so it needs a policy of yours before it comes up again.
         configure router bgp group \"GROUP\" neighbor ADDRESS shutdown
         configure router bgp group \"GROUP\" no export
        3. A session of recipe 2.
         configure router bgp group \"GROUP\" export \"YOURS\"
        4. Between `configure router policy-options begin` and `commit`, with `no` before each: the policy-statements
        NULLROUTED-OUT and NULLROUTED-MIXED; then the prefix-lists NULLROUTED-OWN-V4, NULLROUTED-OWN-V6,
        NULLROUTED-ALL-V4 and NULLROUTED-ALL-V6, and the communities NULLROUTED and NULLROUTED-NO-EXPORT.
A static route of your own for a listed prefix gets a black hole beside its next hop: protect it in nullrouted.
";

const EDGE: &str = "\
Use:    configure router bgp group \"GROUP\" import \"NULLROUTED-EDGE\"
        configure router bgp group \"GROUP\" multihop 2  (where the trigger is an eBGP neighbor)
        configure router bgp group \"GROUP\" prefix-limit ipv4 NUMBER
        configure router bgp group \"GROUP\" prefix-limit ipv6 NUMBER
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone. A neighbor with
        an import of his own needs it there.
Undo:   admin rollback revert latest-rb                 (takes back what anybody changed since, and goes back one
                                                        load: it is saved anew at each)
        or by hand, in this order:
         configure router bgp group \"GROUP\" neighbor ADDRESS shutdown    (first: without the import all is taken)
         configure router bgp group \"GROUP\" no import
        then between `configure router policy-options begin` and `commit`, with `no` before each: the policy-statement
        NULLROUTED-EDGE, the prefix-lists and the communities named NULLROUTED; and the two black holes
Another next hop in the configuration leaves the route of the former one beside it: take it out by hand.
";

const FILTER: &str = "\
Use:    configure router bgp group \"GROUP\" import \"NULLROUTED-FILTER\" \"YOURS\"
        What it does not refuse, your own policy decides: without one behind it, the default of BGP.
Undo:   configure router bgp group \"GROUP\" import \"YOURS\"
        then the policy-statement NULLROUTED-FILTER, and the prefix-lists and as-path-groups named NULLROUTED; or admin
        rollback revert latest-rb, which goes back one load, with all that was changed since
";

/// What is written in this form.
struct Classic(Text);

impl Classic {
    /// Opens it, with nothing of what an earlier file said.
    fn anew(&mut self, what: &str) {
        let _ = write!(self.0, "{what}\nexit\nno {what}\n{what}\n");
    }
}

impl Form for Classic {
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
