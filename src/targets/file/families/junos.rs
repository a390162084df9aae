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

use crate::prefix::{Bits, Prefix};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::junos_statements::{Form, Line, Statements};
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sequence::Numbered;
use crate::targets::file::parts::sessions::OptIn;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "junos",
    // As an edge it drops by an action, whatever the next hop.
    next_hops: &[Role::Trigger],
    render,
    ..Kind::ROUTER
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut file = Statements::new(Form::Braces, 4_000 + input.set().len() * 80);
    file.out.push(&head("##", LOAD, options, input));
    file.within("groups", |file| {
        file.out.push("replace:\n");
        group(file, options, input);
    });
    file.out.done()
}

const LOAD: &str = "\
Load:   configure exclusive
        load replace /var/tmp/THIS-FILE                 (neither merge nor override: they do not read `replace:`)
        show | compare
        commit confirmed 5
        commit                                          (within these minutes, when all is well)
";

/// The head of a file: how it is loaded depends on the form, what the operator adds does not.
pub fn head(mark: &str, load: &str, options: &FileOptions, input: &FileInput) -> String {
    match options.role {
        Role::Trigger => {
            let sessions = SESSIONS.sessions(options);
            input.head(mark, &[load, TRIGGER, &sessions, UNDO].concat())
        }
        Role::Edge => input.edge_head(mark, &[load, EDGE].concat()),
        Role::Filter => input.head(mark, &[load, FILTER].concat()),
    }
}

/// The name of the group of a role.
pub fn name(role: Role) -> &'static str {
    match role {
        Role::Trigger => "NULLROUTED",
        Role::Edge => "NULLROUTED-EDGE",
        Role::Filter => "NULLROUTED-FILTER",
    }
}

/// The group of a role.
pub fn group(file: &mut Statements, options: &FileOptions, input: &FileInput) {
    file.within(name(options.role), |file| match options.role {
        Role::Trigger => trigger(file, options, input),
        Role::Edge => edge(file, input),
        Role::Filter => filter(file, input),
    });
}

const TRIGGER: &str = "\
Use:    set apply-groups NULLROUTED
";

const SESSIONS: OptIn = OptIn {
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

const UNDO: &str = "\
Undo:   deactivate protocols bgp group GROUP neighbor ADDRESS   (recipe 1: without NULLROUTED-OUT the default of BGP
                                                        sends it other routes, until it has a policy of yours)
        delete protocols bgp group GROUP export NULLROUTED-OUT  (recipe 2: NULLROUTED-MIXED)
        delete apply-groups NULLROUTED
        delete groups NULLROUTED
        commit                                          (one: nothing is announced in between)
        For one file alone: run show system commit, rollback NUMBER of the one before it, show | compare, commit.
A static route of your own for a listed prefix takes over `discard` and the tag: protect its prefix in nullrouted.
";

fn trigger(file: &mut Statements, options: &FileOptions, input: &FileInput) {
    file.within("policy-options", |file| {
        own(file, input);
        file.within("policy-statement NULLROUTED-OUT", |file| {
            reject_own(file);
            announce(file, options);
            reject_others(file);
        });
        // Before a policy of the operator's: about nothing but our routes, and without a last term.
        file.within("policy-statement NULLROUTED-MIXED", |file| {
            for list in ["OWN-V4", "OWN-V6"] {
                file.within(&format!("term {}", list.to_lowercase()), |file| {
                    file.within("from", |file| {
                        file.say("protocol static");
                        file.say("tag 666");
                        file.say(&listed(list));
                    });
                    file.say("then reject");
                });
            }
            announce(file, options);
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
                input.v4(|prefix, reason| line.write(&mut file.out, prefix, reason));
            });
        }
        if !input.set().v6.is_empty() {
            file.within("rib inet6.0", |file| {
                let line = file.line("static", "route ", ROUTE);
                file.within("static", |file| {
                    input.v6(|prefix, reason| line.write(&mut file.out, prefix, reason));
                });
            });
        }
    });
}

/// Terms that accept our routes.
fn announce(file: &mut Statements, options: &FileOptions) {
    let families = [("v4", "inet"), ("v6", "inet6")];
    for ((term, family), next_hop) in families.into_iter().zip(options.next_hops()) {
        file.within(&format!("term {term}"), |file| {
            file.within("from", |file| {
                file.say(&format!("family {family}"));
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

const EDGE: &str = "\
Use:    set apply-groups NULLROUTED-EDGE
        set protocols bgp group GROUP import NULLROUTED-EDGE
        set protocols bgp group GROUP multihop          (where the trigger is an eBGP neighbor)
        set protocols bgp group GROUP family inet unicast prefix-limit maximum NUMBER teardown
        set protocols bgp group GROUP family inet6 unicast prefix-limit maximum NUMBER teardown
        Without `teardown` it only logs. Behind it, `idle-timeout forever` keeps the session down until you clear it.
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone. A neighbor with
        an import of his own needs it there.
Undo:   deactivate protocols bgp group GROUP neighbor ADDRESS   (first: without a policy BGP takes all it says)
        delete protocols bgp group GROUP import NULLROUTED-EDGE
        delete apply-groups NULLROUTED-EDGE
        delete groups NULLROUTED-EDGE
        commit
";

fn edge(file: &mut Statements, input: &FileInput) {
    let limits = input.limits;
    file.within("policy-options", |file| {
        own(file, input);
        let covers = input.covers();
        prefix_list(file, "COVER-V4", NO_ROUTE_V4, &covers.v4);
        prefix_list(file, "COVER-V6", NO_ROUTE_V6, &covers.v6);
        file.within("policy-statement NULLROUTED-EDGE", |file| {
            reject_own(file);
            for list in ["COVER-V4", "COVER-V6"] {
                let exact = format!("prefix-list-filter NULLROUTED-{list} exact");
                reject(file, &list.to_lowercase(), &exact);
            }
            for (term, family, all, shortest, longest) in [
                ("v4", "inet", "0.0.0.0/0", limits.shortest_v4, 32),
                ("v6", "inet6", "::/0", limits.shortest_v6, 128),
            ] {
                file.within(&format!("term {term}"), |file| {
                    file.within("from", |file| {
                        file.say(&format!("family {family}"));
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

const FILTER: &str = "\
Use:    set apply-groups NULLROUTED-FILTER
        set protocols bgp group GROUP import NULLROUTED-FILTER
        insert protocols bgp group GROUP import NULLROUTED-FILTER before YOURS
        What it does not refuse, your own policy decides. A neighbor with an import of his own needs it there.
Undo:   delete protocols bgp group GROUP import NULLROUTED-FILTER
        delete apply-groups NULLROUTED-FILTER
        delete groups NULLROUTED-FILTER
        commit
        For one file alone: run show system commit, rollback NUMBER of the one before it, show | compare, commit.
";

fn filter(file: &mut Statements, input: &FileInput) {
    file.within("policy-options", |file| {
        let mut lists = Lists::new(file, "FILTER-V4", NO_ROUTE_V4, input.set().v4.len());
        input.v4(|prefix, reason| lists.write(prefix, reason));
        let mut terms = lists.done(file);
        let mut lists = Lists::new(file, "FILTER-V6", NO_ROUTE_V6, input.set().v6.len());
        input.v6(|prefix, reason| lists.write(prefix, reason));
        terms.extend(lists.done(file));
        file.within("as-path-group NULLROUTED-ORIGINS", |file| {
            file.say("as-path none \"!.*\"");
            for asn in input.origins() {
                file.say(&format!("as-path AS{asn} \".* {asn}\""));
            }
        });
        file.within("policy-statement NULLROUTED-FILTER", |file| {
            for list in terms {
                reject(file, &list.to_lowercase(), &listed(&list));
            }
            reject(file, "origins", "as-path-group NULLROUTED-ORIGINS");
        });
    });
}

/// No route has these: the last address of TEST-NET-1 (RFC 5737), and one of the discard-only block
/// (RFC 6666).
const NO_ROUTE_V4: &str = "192.0.2.255/32";
const NO_ROUTE_V6: &str = "100::ffff:ffff/128";

/// The operator's own networks and both communities.
fn own(file: &mut Statements, input: &FileInput) {
    let own = input.own();
    prefix_list(file, "OWN-V4", NO_ROUTE_V4, &own.v4);
    prefix_list(file, "OWN-V6", NO_ROUTE_V6, &own.v6);
    file.say("community NULLROUTED members 65535:666");
    file.say("community NULLROUTED-NO-EXPORT members no-export");
}

/// A short list, and in it what no route has: it is never empty.
fn prefix_list<B: Bits>(file: &mut Statements, name: &str, no_route: &str, prefixes: &[Prefix<B>]) {
    file.within(&list(name), |file| {
        file.say(no_route);
        prefixes
            .iter()
            .for_each(|prefix| file.say(&prefix.to_string()));
    });
}

fn reject_own(file: &mut Statements) {
    reject(file, "own-v4", &listed("OWN-V4"));
    reject(file, "own-v6", &listed("OWN-V6"));
}

/// What is in a list, and what is inside of that.
fn listed(list: &str) -> String {
    format!("prefix-list-filter NULLROUTED-{list} orlonger")
}

fn reject(file: &mut Statements, term: &str, from: &str) {
    file.within(&format!("term {term}"), |file| {
        file.within("from", |file| file.say(from));
        file.say("then reject");
    });
}

fn reject_others(file: &mut Statements) {
    file.within("term others", |file| file.say("then reject"));
}

/// So many prefixes are in a list on average where there are several: some have more, and none
/// twice as many.
const FULL: usize = 40_000;

/// A list of prefixes, or as many as it takes: each with its name, how its lines are written, and
/// the lines.
struct Lists {
    lists: Vec<(String, Line, Text)>,
    no_route: &'static str,
}

impl Lists {
    fn new(file: &Statements, name: &str, no_route: &'static str, prefixes: usize) -> Self {
        let several = prefixes.div_ceil(FULL).max(1).next_power_of_two();
        let names: Vec<String> = match several {
            1 => vec![name.to_owned()],
            _ => (1..=several).map(|at| format!("{name}-{at}")).collect(),
        };
        let lists = names.into_iter().map(|name| {
            let line = file.line(&list(&name), "", &[]);
            (name, line, Text::default())
        });
        Self {
            lists: lists.collect(),
            no_route,
        }
    }

    fn write<B: Numbered>(&mut self, prefix: &Prefix<B>, reason: &Reason) {
        let at = which(prefix, self.lists.len());
        let (_, line, text) = &mut self.lists[at];
        line.write(text, prefix, reason);
    }

    /// Writes them, and says their names.
    fn done(self, file: &mut Statements) -> Vec<String> {
        let write = |(name, _, text): (String, Line, Text)| {
            file.within(&list(&name), |file| {
                file.say(self.no_route);
                file.out.push(&text.done());
            });
            name
        };
        self.lists.into_iter().map(write).collect()
    }
}

fn list(name: &str) -> String {
    format!("prefix-list NULLROUTED-{name}")
}

/// In which of so many lists, a power of two, a prefix is: by its address, multiplied by 2^32 over
/// the golden ratio.
fn which<B: Numbered>(prefix: &Prefix<B>, lists: usize) -> usize {
    let mixed = u64::from(B::number(prefix).wrapping_mul(0x9e37_79b1));
    ((mixed * lists as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_has_more_than_it_holds() {
        let nets = |step: u32, count: u32| (0..count).map(move |at| 0x4800_0000 + at * step);
        for (step, count) in [(1, 999_999), (256, 300_000), (1 << 12, 81_000), (3, 40_001)] {
            let lists = (count as usize).div_ceil(FULL).next_power_of_two();
            let mut v4 = vec![0; lists];
            let mut v6 = vec![0; lists];
            for addr in nets(step, count) {
                v4[which(&Prefix::host(addr), lists)] += 1;
                v6[which(&Prefix::new(u128::from(addr) << 80, 48), lists)] += 1;
            }
            assert!(
                v4.iter().chain(&v6).all(|&held| held <= 85_325),
                "{v4:?} {v6:?}"
            );
        }
    }
}
