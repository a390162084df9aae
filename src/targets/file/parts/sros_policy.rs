//! What the policies of Nokia SR OS say, whichever of its forms they are written in.

use std::net::IpAddr;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::parts::ip::{Ip, sides};
use crate::targets::file::{FileInput, FileOptions, Role};

/// RFC 7999's community, and the one that keeps a route within the AS: our names of both, and their
/// members.
pub const COMMUNITIES: [(&str, &str); 2] = [
    ("NULLROUTED", "65535:666"),
    ("NULLROUTED-NO-EXPORT", "no-export"),
];

/// What writes them.
pub trait Policies {
    fn community(&mut self, name: &str, member: &str);
    /// The list of this name, of what `entries` adds.
    fn list(&mut self, name: &str, entries: impl FnOnce(&mut Self));
    /// An entry of the list.
    fn entry<B: Bits>(&mut self, prefix: &Prefix<B>, longer: Longer);
    /// The as-path group of this name; its entries have the numbers from 1 on.
    fn as_paths(&mut self, name: &str, expressions: &[String]);
    fn policy(&mut self, policy: &Policy);
}

/// How long a route is that an entry of a list matches.
pub enum Longer {
    /// As long as the prefix.
    Exact,
    /// So long, or longer.
    Inside,
    /// Of these lengths.
    Between(u8, u8),
}

/// A policy: entries with the numbers 10, 20 and so on, the first that matches decides.
pub struct Policy {
    pub name: &'static str,
    pub entries: Vec<Entry>,
    /// Whether the next policy decides on what none of them matches; else it is rejected.
    pub next_policy: bool,
}

/// An entry of a policy.
pub struct Entry {
    /// The route is in one of these lists.
    pub lists: Vec<&'static str>,
    pub of: Of,
    /// And is accepted so; else it is rejected.
    pub accept: Option<Accept>,
}

/// What a route is.
pub enum Of {
    Any,
    /// A static route with our tag.
    Tagged,
    /// A route with RFC 7999's community.
    Blackhole,
    /// A route whose path is in the as-path group.
    Origin(String),
}

/// The changes to an accepted route.
pub struct Accept {
    pub communities: &'static [&'static str],
    pub local_preference: Option<u32>,
    pub next_hop: Option<IpAddr>,
}

/// Everything of a role that stands under `policy-options`; `asns` is how many origin ASes there is
/// room for.
pub fn write(form: &mut impl Policies, options: &FileOptions, input: &FileInput, asns: usize) {
    match options.role {
        Role::Trigger => trigger(form, options, input),
        Role::Edge => edge(form, options, input),
        Role::Filter => filter(form, input, asns),
    }
}

fn trigger(form: &mut impl Policies, options: &FileOptions, input: &FileInput) {
    own(form, input);
    form.list("NULLROUTED-ALL-V4", |form| {
        form.entry(&all::<u32>(), Longer::Inside)
    });
    form.list("NULLROUTED-ALL-V6", |form| {
        form.entry(&all::<u128>(), Longer::Inside)
    });
    let announce = |list, next_hop| Entry {
        lists: vec![list],
        of: Of::Tagged,
        accept: Some(Accept {
            communities: &["NULLROUTED", "NULLROUTED-NO-EXPORT"],
            local_preference: None,
            next_hop,
        }),
    };
    let [v4, v6] = options.next_hops();
    // The second is for a session that carries other routes too: it is about nothing but ours, and
    // the operator's own policy behind it decides on all others.
    for (name, own, next_policy) in [
        ("NULLROUTED-OUT", Of::Any, false),
        ("NULLROUTED-MIXED", Of::Tagged, true),
    ] {
        form.policy(&Policy {
            name,
            entries: vec![
                reject(OWN, own),
                announce("NULLROUTED-ALL-V4", v4),
                announce("NULLROUTED-ALL-V6", v6),
            ],
            next_policy,
        });
    }
}

fn edge(form: &mut impl Policies, options: &FileOptions, input: &FileInput) {
    own(form, input);
    let covers = input.covers();
    list(form, COVER[0], &covers.v4, false);
    list(form, COVER[1], &covers.v6, false);
    let [v4, v6] = sides(options, input);
    form.list(LONG[0], |form| {
        form.entry(&all::<u32>(), Longer::Between(v4.shortest, v4.longest));
    });
    form.list(LONG[1], |form| {
        form.entry(&all::<u128>(), Longer::Between(v6.shortest, v6.longest));
    });
    let drop = |list, next_hop| Entry {
        lists: vec![list],
        of: Of::Blackhole,
        accept: Some(Accept {
            communities: &["NULLROUTED-NO-EXPORT"],
            local_preference: Some(200),
            next_hop: Some(next_hop),
        }),
    };
    form.policy(&Policy {
        name: "NULLROUTED-EDGE",
        entries: vec![
            reject(OWN, Of::Any),
            reject(COVER, Of::Any),
            drop(LONG[0], v4.discard),
            drop(LONG[1], v6.discard),
        ],
        next_policy: false,
    });
}

/// The names of lists, IPv4 first.
const OWN: &[&str] = &["NULLROUTED-OWN-V4", "NULLROUTED-OWN-V6"];
const COVER: &[&str] = &["NULLROUTED-COVER-V4", "NULLROUTED-COVER-V6"];
const LONG: &[&str] = &["NULLROUTED-LONG-V4", "NULLROUTED-LONG-V6"];
const FILTER: &[&str] = &["NULLROUTED-FILTER-V4", "NULLROUTED-FILTER-V6"];

fn filter(form: &mut impl Policies, input: &FileInput, asns: usize) {
    list(form, FILTER[0], &input.set().v4, true);
    list(form, FILTER[1], &input.set().v6, true);
    let mut entries = vec![reject(FILTER, Of::Any)];
    let mut origins = input.origins().chunks(ASNS_AN_ENTRY);
    for group in 1..=asns.div_ceil(ASNS_AN_ENTRY * ENTRIES).max(1) {
        let name = match group {
            1 => "NULLROUTED-ORIGINS".to_owned(),
            _ => format!("NULLROUTED-ORIGINS-{group}"),
        };
        let mut expressions = vec![format!(".* {NO_ORIGIN}")];
        for asns in origins.by_ref().take(ENTRIES) {
            let asns: Vec<String> = asns.iter().map(ToString::to_string).collect();
            expressions.push(format!(".* ({})", asns.join("|")));
        }
        form.as_paths(&name, &expressions);
        entries.push(reject(&[], Of::Origin(name)));
    }
    form.policy(&Policy {
        name: "NULLROUTED-FILTER",
        entries,
        next_policy: true,
    });
}

/// An expression holds 255 characters, and an AS takes eleven at most.
const ASNS_AN_ENTRY: usize = 20;

/// An as-path group holds 128 entries, of which the first is [`NO_ORIGIN`].
const ENTRIES: usize = 127;

/// No route begins there (RFC 7300).
const NO_ORIGIN: u32 = u32::MAX;

/// The operator's own networks and both communities.
fn own(form: &mut impl Policies, input: &FileInput) {
    for (name, member) in COMMUNITIES {
        form.community(name, member);
    }
    let own = input.own();
    list(form, OWN[0], &own.v4, true);
    list(form, OWN[1], &own.v6, true);
}

fn reject(lists: &[&'static str], of: Of) -> Entry {
    Entry {
        lists: lists.to_vec(),
        of,
        accept: None,
    }
}

/// A list of these, of what is `inside` of them where that is said, and of what no route has, so
/// that it is never empty.
fn list<B: Ip>(form: &mut impl Policies, name: &str, prefixes: &[Prefix<B>], inside: bool) {
    form.list(name, |form| {
        form.entry(&Prefix::host(B::NO_ROUTE), Longer::Exact);
        for prefix in prefixes {
            // Inside of one address there is nothing.
            let longer = match inside && prefix.len() < B::WIDTH {
                true => Longer::Inside,
                false => Longer::Exact,
            };
            form.entry(prefix, longer);
        }
    });
}

fn all<B: Bits>() -> Prefix<B> {
    Prefix::new(B::ZERO, 0)
}
