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
//! * All that is ours is one configuration group a role, deleted and written again in the
//!   candidate: what is no longer listed is gone with it. Nothing is in force before `commit`, and
//!   then all of it at once.
//! * The operator applies it, once: taken out of `apply-groups`, nothing of ours is in force,
//!   whatever is loaded.
//! * `exec` ends at the first line that is refused, and leaves the candidate as far as it came. So
//!   the group is made before it is deleted: the first file has it to delete, too.
//! * A block of braces ends at the end of a line where the router writes it itself, and one in a
//!   line is empty. Whether it reads another one is not known, so what fits into a line has no
//!   braces.
//! * `apply-groups` under `policy-options` is in the models since 20.2.
//! * A static route is announced where a policy exports it, and nowhere else.
//! * What a policy does where none of its lists exists is not documented, so each list has an entry
//!   that no route has; and a commit is refused where a policy names one that is not there.
//! * `longer` is the prefix itself, too. A list of prefixes takes no description, a black hole
//!   takes one of 80 characters: the first listing, in one word.
//! * The tag stands at the black hole, and not at the route: a next hop of the operator's own does
//!   not get it.
//! * An as-path expression is about the whole path. A group holds 128 of them of 255 characters
//!   each, so several ASes are in one: a changed AS changes the lines behind it.

use crate::prefix::{Bits, Prefix};
use crate::targets::file::families::junos;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::ip::sides;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::OptIn;
use crate::targets::file::parts::sros_policy::{self, Longer, Of, Policies, Policy};
use crate::targets::file::parts::statements::{self, Form, Statements};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "sros",
    next_hops: &[Role::Trigger, Role::Edge],
    room: 140,
    words: |options, _| SESSIONS.fill(options),
    trigger: (include_str!("../texts/sros-trigger.txt"), write),
    edge: (include_str!("../texts/sros-edge.txt"), write),
    filter: (include_str!("../texts/sros-filter.txt"), write),
    ..Kind::ROUTER
};

fn write(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let mut file = Statements::new(Form::MdCli, out);
    let group = statements::group(options.role);
    let group = format!("/configure groups group \"{group}\"");
    file.say(&format!("{group} {{ }}\ndelete {group}"));
    file.within(&group, |file| {
        file.within("policy-options", |file| {
            sros_policy::write(file, options, input, input.origins().len());
        });
        match options.role {
            Role::Trigger if !input.set().is_empty() => statics(file, |file| {
                input.v4(|prefix, reason| route(file, prefix, reason));
                input.v6(|prefix, reason| route(file, prefix, reason));
            }),
            Role::Edge => statics(file, |file| {
                for side in sides(options, input) {
                    let (discard, longest) = (side.discard, side.longest);
                    file.say(&format!(
                        "route {discard}/{longest} route-type unicast blackhole admin-state enable"
                    ));
                }
            }),
            Role::Trigger | Role::Filter => {}
        }
    });
    file.say("exit all");
}

pub const SESSIONS: OptIn = OptIn {
    alone: "/configure router \"Base\" bgp group \"GROUP\" export policy [\"NULLROUTED-OUT\"]",
    mixed: "delete /configure router \"Base\" bgp group \"GROUP\" export                  (what is there is added to)
/configure router \"Base\" bgp group \"GROUP\" export policy [\"NULLROUTED-MIXED\" \"YOURS\"]
info /configure router \"Base\" bgp group \"GROUP\" export                    (ours must stand first)",
    proof: "show router bgp routes PREFIX hunt, no entry under \"RIB Out Entries\" is \"To\" another neighbor",
    ..junos::SESSIONS
};

fn statics(file: &mut Statements, routes: impl FnOnce(&mut Statements)) {
    file.within("router \"Base\"", |file| {
        file.within("static-routes", routes)
    });
}

fn route<B: Bits>(file: &mut Statements, prefix: &Prefix<B>, reason: &Reason) {
    file.begin();
    file.out.push("route ");
    file.out.prefix(prefix);
    file.out
        .push(" route-type unicast blackhole tag 666 admin-state enable");
    if !reason.is_empty() {
        file.out.word(" description \"", reason);
        file.out.push("\"");
    }
    file.out.push("\n");
}

impl Policies for Statements<'_> {
    fn community(&mut self, name: &str, member: &str) {
        self.within(&format!("community \"{name}\""), |file| {
            file.say(&format!("member \"{member}\" {{ }}"));
        });
    }

    fn list(&mut self, name: &str, entries: impl FnOnce(&mut Self)) {
        self.within(&format!("prefix-list \"{name}\""), entries);
    }

    fn entry<B: Bits>(&mut self, prefix: &Prefix<B>, longer: Longer) {
        self.begin();
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
