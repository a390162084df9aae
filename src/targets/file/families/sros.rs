//! Nokia SR OS, MD-CLI.
//!
//! ```text
//! trigger  static-routes route … blackhole tag 666 ──NULLROUTED-OUT──► BGP: 65535:666, no-export ──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► BGP: next hop 192.0.2.1 or 100::1 ──► a black hole
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! Behind each line, by Nokia's documentation and its YANG models; no such router took these files
//! here:
//! * All that is ours is one configuration group a role, deleted and written anew in the candidate:
//!   what is no longer listed is gone with it. Nothing is in force before `commit`, and then all of
//!   it at once.
//! * The operator applies it, once: taken out of `apply-groups`, nothing of ours is in force,
//!   whatever is loaded.
//! * `exec` ends at the first line that is refused, and leaves the candidate as far as it came. So
//!   the group is made before it is deleted: the first file has it to delete, too.
//! * A block of braces ends at the end of a line where the router writes it itself, and one in a
//!   line is empty. Whether it reads another one is not known, so what fits into a line has no
//!   braces.
//! * `apply-groups` under `policy-options` is in the models since 20.2.
//! * A static route is announced where a policy exports it, and nowhere else.
//! * What a policy does where none of its lists is there is not told, so each list has an entry
//!   that no route has; and a commit is refused where a policy names one that is not there.
//! * `longer` is the prefix itself, too. A list of prefixes takes no description, a black hole
//!   takes one of 80 characters: the first listing, in one word.
//! * The tag stands at the black hole, and not at the route: a next hop of the operator's own does
//!   not get it.
//! * An as-path expression is about the whole path. A group holds 128 of them of 255 characters
//!   each, so several ASes are in one: a changed AS changes the lines behind it.

use crate::prefix::{Bits, Prefix};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::OptIn;
use crate::targets::file::parts::sros_policy::{self, Form, Longer, Of, Policy};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "sros",
    next_hops: &[Role::Trigger, Role::Edge],
    render,
    ..Kind::ROUTER
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut file = Md {
        out: Text::with_room(5_000 + input.set().len() * 140),
        depth: 0,
    };
    let (group, head) = match options.role {
        Role::Trigger => {
            let sessions = SESSIONS.sessions(options);
            let uses = [LOAD, TRIGGER, &sessions, UNDO].concat();
            ("NULLROUTED", input.head("#", &uses))
        }
        Role::Edge => (
            "NULLROUTED-EDGE",
            input.edge_head("#", &[LOAD, EDGE].concat()),
        ),
        Role::Filter => (
            "NULLROUTED-FILTER",
            input.head("#", &[LOAD, FILTER].concat()),
        ),
    };
    file.out.push(&head);
    let group = format!("/configure groups group \"{group}\"");
    file.say(&format!("{group} {{ }}\ndelete {group}"));
    file.within(&group, |file| {
        file.within("policy-options", |file| {
            sros_policy::write(file, options, input, input.origins().len());
        });
        match options.role {
            Role::Trigger if !input.set().is_empty() => statics(file, |file| {
                input.v4(|prefix, reason| file.route(prefix, reason));
                input.v6(|prefix, reason| file.route(prefix, reason));
            }),
            Role::Edge => statics(file, |file| {
                let (v4, v6) = (options.discard_v4(), options.discard_v6());
                file.say(&format!("route {v4}/32 route-type unicast {BLACKHOLE}"));
                file.say(&format!("route {v6}/128 route-type unicast {BLACKHOLE}"));
            }),
            Role::Trigger | Role::Filter => {}
        }
    });
    file.say("exit all");
    file.out.done()
}

const BLACKHOLE: &str = "blackhole admin-state enable";

const LOAD: &str = "\
Needs SR OS 20.2 or later.
Load:   edit-config exclusive                           (in model-driven mode)
        exec cf3:\\THIS-FILE                             (where a line is refused it ends: discard)
        compare
        validate
        commit confirmed 5
        commit confirmed accept                         (within these minutes, when all is well)
";

const TRIGGER: &str = "\
Use:    /configure policy-options apply-groups [\"NULLROUTED\"]
        /configure router \"Base\" apply-groups [\"NULLROUTED\"]
        Where groups are applied there already, name them as well.
";

const SESSIONS: OptIn = OptIn {
    others: OTHERS,
    alone: "/configure router \"Base\" bgp group \"GROUP\" export policy [\"NULLROUTED-OUT\"]",
    policy: "policy",
    mixed: "delete /configure router \"Base\" bgp group \"GROUP\" export                  (what is there is added to)
/configure router \"Base\" bgp group \"GROUP\" export policy [\"NULLROUTED-MIXED\" \"YOURS\"]
info /configure router \"Base\" bgp group \"GROUP\" export                    (ours must stand first)",
    behind: BEHIND,
    proof: PROOF,
    assumed: ASSUMED,
};

/// Of both forms.
pub const OTHERS: &str = "No other neighbor receives them, unless a policy of yours exports static routes to it: \
                                 let that reject those with tag 666 first.";
/// The same.
pub const BEHIND: &str = "YOURS is the export that the session has today: one at the group replaces that of BGP, \
                                 and one at a neighbor that of the group. Without a policy YOURS, the default of BGP \
                                 decides on the other routes.";
/// The same.
pub const PROOF: &str = "show router bgp routes PREFIX hunt, no entry under \"RIB Out Entries\" is \"To\" another neighbor";

/// The same.
pub const ASSUMED: &str = "a static route is announced only where a policy exports it";

const UNDO: &str = "\
Undo:   /configure router \"Base\" bgp neighbor ADDRESS admin-state disable         (recipe 1: without NULLROUTED-OUT
                                        the default of BGP sends it other routes, until it has a policy of yours)
        delete /configure router \"Base\" bgp group \"GROUP\" export policy \"NULLROUTED-OUT\"     (or NULLROUTED-MIXED)
        delete /configure router \"Base\" apply-groups \"NULLROUTED\"
        delete /configure policy-options apply-groups \"NULLROUTED\"
        delete /configure groups group \"NULLROUTED\"
        commit                                          (one: nothing is announced in between)
A static route of your own for a listed prefix gets a black hole beside its next hop: protect it in nullrouted.
";

const EDGE: &str = "\
Use:    /configure policy-options apply-groups [\"NULLROUTED-EDGE\"]
        /configure router \"Base\" apply-groups [\"NULLROUTED-EDGE\"]
        /configure router \"Base\" bgp group \"GROUP\" import policy [\"NULLROUTED-EDGE\"]
        /configure router \"Base\" bgp group \"GROUP\" multihop 2       (where the trigger is an eBGP neighbor)
        /configure router \"Base\" bgp group \"GROUP\" prefix-limit ipv4 maximum NUMBER
        /configure router \"Base\" bgp group \"GROUP\" prefix-limit ipv6 maximum NUMBER
        Where groups are applied there already, name them as well.
        Nothing but blackholes passes: for a session with the trigger or its route reflector alone. A neighbor with
        an import of his own needs it there.
Undo:   /configure router \"Base\" bgp neighbor ADDRESS admin-state disable         (first: without it all is taken)
        delete /configure router \"Base\" bgp group \"GROUP\" import policy \"NULLROUTED-EDGE\"
        delete /configure router \"Base\" apply-groups \"NULLROUTED-EDGE\"
        delete /configure policy-options apply-groups \"NULLROUTED-EDGE\"
        delete /configure groups group \"NULLROUTED-EDGE\"
        commit
";

const FILTER: &str = "\
Use:    /configure policy-options apply-groups [\"NULLROUTED-FILTER\"]
        delete /configure router \"Base\" bgp group \"GROUP\" import                  (what is there is added to)
        /configure router \"Base\" bgp group \"GROUP\" import policy [\"NULLROUTED-FILTER\" \"YOURS\"]
        info /configure router \"Base\" bgp group \"GROUP\" import                    (ours must stand first)
        Where groups are applied there already, name them as well.
        What it does not refuse, your own policy decides: without one behind it, the default of BGP.
Undo:   delete /configure router \"Base\" bgp group \"GROUP\" import policy \"NULLROUTED-FILTER\"
        delete /configure policy-options apply-groups \"NULLROUTED-FILTER\"
        delete /configure groups group \"NULLROUTED-FILTER\"
        commit
";

fn statics(file: &mut Md, routes: impl FnOnce(&mut Md)) {
    file.within("router \"Base\"", |file| {
        file.within("static-routes", routes)
    });
}

/// What is written in this form.
struct Md {
    out: Text,
    depth: usize,
}

impl Md {
    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.out.push("    ");
        }
    }

    fn say(&mut self, line: &str) {
        self.indent();
        self.out.push(line);
        self.out.push("\n");
    }

    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.say(&format!("{name} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.say("}");
    }

    fn route<B: Bits>(&mut self, prefix: &Prefix<B>, reason: &Reason) {
        self.indent();
        self.out.push("route ");
        self.out.prefix(prefix);
        self.out
            .push(" route-type unicast blackhole tag 666 admin-state enable");
        if !reason.is_empty() {
            self.out.word(" description \"", reason);
            self.out.push("\"");
        }
        self.out.push("\n");
    }
}

impl Form for Md {
    fn community(&mut self, name: &str, member: &str) {
        self.within(&format!("community \"{name}\""), |file| {
            file.say(&format!("member \"{member}\" {{ }}"));
        });
    }

    fn list(&mut self, name: &str, entries: impl FnOnce(&mut Self)) {
        self.within(&format!("prefix-list \"{name}\""), entries);
    }

    fn entry<B: Bits>(&mut self, prefix: &Prefix<B>, longer: Longer) {
        self.indent();
        self.out.push("prefix ");
        self.out.prefix(prefix);
        match longer {
            Longer::Exact => self.out.push(" type exact { }\n"),
            Longer::Inside => self.out.push(" type longer { }\n"),
            Longer::Between(first, last) => self.out.push(&format!(
                " type range start-length {first} end-length {last}\n"
            )),
        }
    }

    fn as_paths(&mut self, name: &str, expressions: &[String]) {
        self.within(&format!("as-path-group \"{name}\""), |file| {
            for (number, expression) in (1..).zip(expressions) {
                file.say(&format!("entry {number} expression \"{expression}\""));
            }
        });
    }

    fn policy(&mut self, policy: &Policy) {
        self.within(&format!("policy-statement \"{}\"", policy.name), |file| {
            for (number, entry) in (1..).zip(&policy.entries) {
                file.within(&format!("entry {number}0"), |file| {
                    file.within("from", |file| {
                        if !entry.lists.is_empty() {
                            file.say(&format!("prefix-list [{}]", quoted(&entry.lists)));
                        }
                        match &entry.of {
                            Of::Any => {}
                            Of::Tagged => {
                                file.within("protocol", |file| file.say("name [static]"));
                                file.say("tag 666");
                            }
                            Of::Blackhole => {
                                file.within("community", |file| file.say("name \"NULLROUTED\""));
                            }
                            Of::Origin(group) => file.within("as-path", |file| {
                                file.say(&format!("group \"{group}\""));
                            }),
                        }
                    });
                    file.within("action", |file| {
                        let Some(accept) = &entry.accept else {
                            return file.say("action-type reject");
                        };
                        file.say("action-type accept");
                        if let Some(preference) = accept.local_preference {
                            file.say(&format!("local-preference {preference}"));
                        }
                        if let Some(next_hop) = accept.next_hop {
                            file.say(&format!("next-hop {next_hop}"));
                        }
                        let communities = quoted(accept.communities);
                        file.within("community", |file| {
                            file.say(&format!("add [{communities}]"));
                        });
                    });
                });
            }
            file.within("default-action", |file| {
                file.say(match policy.next_policy {
                    true => "action-type next-policy",
                    false => "action-type reject",
                });
            });
        });
    }
}

/// `"ONE" "TWO"`.
pub fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(" ")
}
