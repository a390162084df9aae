//! Juniper Junos, with braces; what both of its forms say is here, see
//! [`junos_set`](super::junos_set).
//!
//! ```text
//! trigger  static route … { discard; tag 666; } ──NULLROUTED-OUT──► BGP: RFC 7999's community, no-export ──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next-hop discard ──► dropped
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! Behind each line, by Juniper's documentation; no such router took these files here:
//! * All that is ours is one configuration group a role, replaced as a whole by each file: what is
//!   no longer listed is gone with it. Nothing is in force before `commit`, and then all of it at
//!   once.
//! * The operator applies it, once: taken out of `apply-groups`, nothing of ours is in force,
//!   whatever is loaded.
//! * `replace:` is read by `load replace` alone.
//! * A `from` without a condition matches everything, so each list has an entry that no route has.
//! * A prefix-list holds 85 325 entries, so a long set is in several, each with a term of its own:
//!   which one a prefix is in comes from its address, and changes only where the set has doubled.
//! * A commit is refused where a policy names a list that is not there. [`FILTER`]'s policy has no
//!   last term: what it does not refuse, the next policy decides.
//! * An as-path expression is about the whole path, and `.*` is any number of ASes; `!.*` is no
//!   path.
//! * `static defaults` would tag each static route of the router, also the operator's: so each of
//!   ours has its tag.
//! * A comment belongs to the statement behind it; those with `##` are the router's own, and are
//!   not kept.
//! * A static route is announced where a policy exports it, and no-export that a policy adds keeps
//!   it from no neighbor. So a neighbor receives the routes where the operator puts our policy, and
//!   nowhere else.
//! * `next-hop discard` names no address, so an edge needs no route for one.

use crate::prefix::Prefix;
use crate::targets::file::family::Kind;
use crate::targets::file::head;
use crate::targets::file::parts::ip::{Ip, sides};
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::OptIn;
use crate::targets::file::parts::statements::{self, Form, Line, Statements};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "junos",
    // As an edge it drops by an action, whatever the next hop.
    next_hops: &[Role::Trigger],
    mark: "##",
    words: |options, _| words(options, include_str!("../texts/junos-load.txt")),
    trigger: (include_str!("../texts/junos-trigger.txt"), write),
    edge: (include_str!("../texts/junos-edge.txt"), write),
    filter: (include_str!("../texts/junos-filter.txt"), write),
    ..Kind::ROUTER
};

fn write(out: &mut Text, options: &FileOptions, input: &FileInput) {
    Statements::new(Form::Braces, out).within("groups", |file| {
        file.out.push("replace:\n");
        group(file, options, input);
    });
}

/// What the head says: how a file is loaded depends on the form, what the operator adds does not.
pub fn words(options: &FileOptions, load: &str) -> head::Words {
    let mut words = SESSIONS.fill(options);
    words.push(("{load}\n", load.to_owned()));
    words
}

pub const SESSIONS: OptIn = OptIn {
    others: "No other neighbor receives them, unless a policy of yours exports static routes to it: let that reject \
             those with tag 666 first.",
    alone: "set protocols bgp group GROUP export NULLROUTED-OUT",
    policy: "policy",
    mixed: "set protocols bgp group GROUP export YOURS                      (where it is not at this level already)
set protocols bgp group GROUP export NULLROUTED-MIXED
insert protocols bgp group GROUP export NULLROUTED-MIXED before YOURS",
    behind: "YOURS is the export that the session has today: one at the group replaces that of BGP, and one at a \
             neighbor that of the group. Without a policy YOURS, the default of BGP decides on the other routes.",
    proof: "show route advertising-protocol bgp ADDRESS PREFIX, for each neighbor",
    assumed: "a static route is announced only where a policy exports it",
};

/// The group of a role.
pub fn group(file: &mut Statements, options: &FileOptions, input: &FileInput) {
    file.within(statements::group(options.role), |file| match options.role {
        Role::Trigger => trigger(file, options, input),
        Role::Edge => edge(file, options, input),
        Role::Filter => filter(file, input),
    });
}

fn trigger(file: &mut Statements, options: &FileOptions, input: &FileInput) {
    file.within("policy-options", |file| {
        own(file, input);
        file.within("policy-statement NULLROUTED-OUT", |file| {
            reject_own(file);
            announce(file, options, input);
            reject_others(file);
        });
        // Before a policy of the operator's: about nothing but our routes, and without a last term.
        file.within("policy-statement NULLROUTED-MIXED", |file| {
            for list in ["OWN-V4", "OWN-V6"] {
                let is_own = ["protocol static", "tag 666", &listed(list)];
                reject(file, &list.to_lowercase(), &is_own);
            }
            announce(file, options, input);
        });
    });
    // A block without a statement is left out.
    if input.set().is_empty() {
        return;
    }
    file.within("routing-options", |file| {
        if !input.set().v4.is_empty() {
            let line = file.line("static", "route ", ROUTE);
            file.within("static", |file| {
                input.v4(|prefix, reason| line.write(file.out, prefix, reason));
            });
        }
        if !input.set().v6.is_empty() {
            file.within("rib inet6.0", |file| {
                let line = file.line("static", "route ", ROUTE);
                file.within("static", |file| {
                    input.v6(|prefix, reason| line.write(file.out, prefix, reason));
                });
            });
        }
    });
}

/// Terms that accept our routes.
fn announce(file: &mut Statements, options: &FileOptions, input: &FileInput) {
    for side in sides(options, input) {
        let (n, six, next_hop) = (side.n, side.six, side.next_hop);
        file.within(&format!("term v{n}"), |file| {
            file.within("from", |file| {
                file.say(&format!("family inet{six}"));
                file.say("protocol static");
                file.say("tag 666");
            });
            file.within("then", |file| {
                file.say("community set NULLROUTED");
                file.say("community add NULLROUTED-NO-EXPORT");
                if let Some(next_hop) = next_hop {
                    file.say(&format!("next-hop {next_hop}"));
                }
                file.say("accept");
            });
        });
    }
}

const ROUTE: &[&str] = &["discard", "tag 666"];

fn edge(file: &mut Statements, options: &FileOptions, input: &FileInput) {
    file.within("policy-options", |file| {
        own(file, input);
        let covers = input.covers();
        prefix_list(file, "COVER", &covers.v4);
        prefix_list(file, "COVER", &covers.v6);
        file.within("policy-statement NULLROUTED-EDGE", |file| {
            reject_own(file);
            for list in ["COVER-V4", "COVER-V6"] {
                let exact = format!("prefix-list-filter NULLROUTED-{list} exact");
                reject(file, &list.to_lowercase(), &[&exact]);
            }
            for side in sides(options, input) {
                let (n, six, all) = (side.n, side.six, side.all);
                let (shortest, longest) = (side.shortest, side.longest);
                file.within(&format!("term v{n}"), |file| {
                    file.within("from", |file| {
                        file.say(&format!("family inet{six}"));
                        file.say("community NULLROUTED");
                        let long = format!("prefix-length-range /{shortest}-/{longest}");
                        file.say(&format!("route-filter {all} {long}"));
                    });
                    file.within("then", |file| {
                        file.say("local-preference 200");
                        file.say("community add NULLROUTED-NO-EXPORT");
                        file.say("next-hop discard");
                        file.say("accept");
                    });
                });
            }
            reject_others(file);
        });
    });
}

fn filter(file: &mut Statements, input: &FileInput) {
    file.within("policy-options", |file| {
        let mut lists = Lists::new(file, &input.set().v4);
        input.v4(|prefix, reason| lists.write(prefix, reason));
        let mut terms = lists.done::<u32>(file);
        let mut lists = Lists::new(file, &input.set().v6);
        input.v6(|prefix, reason| lists.write(prefix, reason));
        terms.extend(lists.done::<u128>(file));
        file.within("as-path-group NULLROUTED-ORIGINS", |file| {
            file.say("as-path none \"!.*\"");
            for asn in input.origins() {
                file.say(&format!("as-path AS{asn} \".* {asn}\""));
            }
        });
        file.within("policy-statement NULLROUTED-FILTER", |file| {
            for list in terms {
                reject(file, &list.to_lowercase(), &[&listed(&list)]);
            }
            reject(file, "origins", &["as-path-group NULLROUTED-ORIGINS"]);
        });
    });
}

/// The operator's own networks and both communities.
fn own(file: &mut Statements, input: &FileInput) {
    let own = input.own();
    prefix_list(file, "OWN", &own.v4);
    prefix_list(file, "OWN", &own.v6);
    file.say("community NULLROUTED members 65535:666");
    file.say("community NULLROUTED-NO-EXPORT members no-export");
}

/// A short list, and in it what no route has: it is never empty.
fn prefix_list<B: Ip>(file: &mut Statements, name: &str, prefixes: &[Prefix<B>]) {
    file.within(&list(&format!("{name}-V{}", B::N)), |file| {
        for prefix in [&Prefix::host(B::NO_ROUTE)].into_iter().chain(prefixes) {
            file.say(&prefix.to_string());
        }
    });
}

fn reject_own(file: &mut Statements) {
    reject(file, "own-v4", &[&listed("OWN-V4")]);
    reject(file, "own-v6", &[&listed("OWN-V6")]);
}

/// What is in a list, and what is inside of that.
fn listed(list: &str) -> String {
    format!("prefix-list-filter NULLROUTED-{list} orlonger")
}

fn reject(file: &mut Statements, term: &str, from: &[&str]) {
    file.within(&format!("term {term}"), |file| {
        file.within("from", |file| from.iter().for_each(|one| file.say(one)));
        file.say("then reject");
    });
}

fn reject_others(file: &mut Statements) {
    file.within("term others", |file| file.say("then reject"));
}

/// The average number of prefixes in a list where there are several; no list has twice as many.
const FULL: usize = 40_000;

/// A list of prefixes, or as many as it takes: each with its name, how its lines are written, and
/// the lines.
struct Lists(Vec<(String, Line, Text)>);

impl Lists {
    fn new<B: Ip>(file: &Statements, prefixes: &[Prefix<B>]) -> Self {
        let several = prefixes.len().div_ceil(FULL).max(1).next_power_of_two();
        let name = |at| match several {
            1 => format!("FILTER-V{}", B::N),
            _ => format!("FILTER-V{}-{at}", B::N),
        };
        let lists = (1..=several).map(name).map(|name| {
            let line = file.line(&list(&name), "", &[]);
            (name, line, Text::default())
        });
        Self(lists.collect())
    }

    fn write<B: Ip>(&mut self, prefix: &Prefix<B>, reason: &Reason) {
        let at = which(prefix, self.0.len());
        let (_, line, text) = &mut self.0[at];
        line.write(text, prefix, reason);
    }

    /// Writes them, and says their names.
    fn done<B: Ip>(self, file: &mut Statements) -> Vec<String> {
        let write = |(name, _, text): (String, Line, Text)| {
            file.within(&list(&name), |file| {
                file.say(&Prefix::host(B::NO_ROUTE).to_string());
                file.out.push(&text.done());
            });
            name
        };
        self.0.into_iter().map(write).collect()
    }
}

fn list(name: &str) -> String {
    format!("prefix-list NULLROUTED-{name}")
}

/// In which of so many lists, a power of two, a prefix is: by its address, multiplied by 2^32 over
/// the golden ratio.
fn which<B: Ip>(prefix: &Prefix<B>, lists: usize) -> usize {
    let mixed = u64::from(B::number(prefix).wrapping_mul(0x9e37_79b1));
    ((mixed * lists as u64) >> 32) as usize
}
