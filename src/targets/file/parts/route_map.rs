//! `route-map`, which Cisco has made and others have taken over.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::head;
use crate::targets::file::parts::ip::{Ip, Side, sides};
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, FileInput, FileOptions};

/// How a family writes its policies and static routes. The name of a policy is that of [`Words`].
pub struct RouteMaps {
    /// Before the number of a clause: nothing, or `node `.
    pub node: &'static str,
    /// Before a statement of a clause.
    pub indent: &'static str,
    pub matches: &'static str,
    pub set: &'static str,
    /// Matches a prefix list of this name, IPv4 first.
    pub lists: [&'static str; 2],
    /// Matches our community.
    pub community: &'static str,
    /// Sets the next hop, IPv4 first.
    pub next_hops: [&'static str; 2],
    /// The end of a clause.
    pub close: &'static str,
    /// A comment without words, between policies.
    pub comment: &'static str,
    pub statics: Statics,
    pub words: Words<'static>,
}

/// How a family writes a static route to null with our tag.
pub struct Statics {
    /// Begins a line, IPv4 first.
    pub commands: [&'static str; 2],
    /// Writes the prefix of an IPv4 route.
    pub length: Length,
    pub null: &'static str,
    /// Before a word that names the route, IPv4 first; empty where there is none.
    pub word: [&'static str; 2],
    /// Whether the tag is behind that word.
    pub is_tag_last: bool,
    /// Before a line that takes a route away.
    pub no: &'static str,
}

/// How the length of a prefix is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// `72.37.186.0/23`
    Slash,
    /// `72.37.186.0 23`
    Space,
    /// `72.37.186.0 255.255.254.0`, and `/48` for IPv6.
    Mask,
}

/// What most families have in common with IOS.
pub const CISCO: RouteMaps = RouteMaps {
    node: "",
    indent: " ",
    matches: "match",
    set: "set",
    lists: ["ip address prefix-list", "ipv6 address prefix-list"],
    community: "community NULLROUTED",
    next_hops: ["ip next-hop", "ipv6 next-hop"],
    close: "",
    comment: "!\n",
    statics: Statics {
        commands: ["ip route ", "ipv6 route "],
        length: Length::Slash,
        null: " Null0",
        word: [" name ", " name "],
        is_tag_last: false,
        no: "no ",
    },
    words: WORDS,
};

/// The words of IOS.
const WORDS: Words<'static> = Words {
    policy: "route-map",
    clauses: "clauses",
    alone: "",
    first: "",
    rest: "route-map YOURS permit 65535                   (where it has no other clause: without one it denies all)",
    deny: "route-map YOURS deny 1                         (any number below those of YOURS)\n match community NULLROUTED",
    attach: "",
    communities: "`send-community`",
    closed: "",
    proof: "",
    tried: false,
    by_hand: ByHand {
        origination: "no redistribute static",
        own: "Where a route-map of yours is in use for it, that stays: take the static routes with tag 666 out first, \
              then the clauses of NULLROUTED-IN, without which it announces them as any others.",
        alone: "",
        clauses: "\
no route-map YOURS permit 1                    (recipe 2)
no route-map YOURS deny 1                      (where they are not to be received)",
        rest: "The route-maps named NULLROUTED, then the lists so named, and the static routes with tag 666.",
    },
};

/// The communities that a route gets at origination.
pub fn originated(options: &FileOptions, blackhole: &str) -> String {
    match options.announce_to {
        AnnounceTo::Ibgp => format!("{blackhole} no-export"),
        AnnounceTo::Ebgp => blackhole.to_owned(),
    }
}

/// The lists of the operator's own networks, and at an edge of what covers them; IPv4 first.
pub type Own = [Vec<String>; 2];

impl RouteMaps {
    /// What the head says of sessions, and how all of it is taken out by hand.
    pub fn words(&self, options: &FileOptions) -> head::Words {
        let Self {
            node,
            matches,
            set,
            community,
            ..
        } = self;
        let first = format!("{} YOURS permit {node}1", self.words.policy);
        let mut first = format!(
            "{first:<46} (any number below those of YOURS)\n {matches} {community}\n {set} community no-export additive\n"
        );
        for (next_hop, address) in options.with_next_hops(self.next_hops) {
            let _ = writeln!(first, " {set} {next_hop} {address}");
        }
        let first = &first;
        Words {
            first,
            ..self.words
        }
        .fill(options)
    }

    fn clause(&self, out: &mut Text, name: &str, action: &str, number: usize, says: &[&str]) {
        let (policy, node) = (self.words.policy, self.node);
        let _ = writeln!(out, "{policy} NULLROUTED-{name} {action} {node}{number}");
        for line in says.iter().filter(|line| !line.is_empty()) {
            let _ = writeln!(out, "{}{line}", self.indent);
        }
        out.push(self.close);
    }

    /// The last clause denies everything.
    fn end(&self, out: &mut Text, name: &str) {
        self.clause(out, name, "deny", 65_535, &[]);
        out.push(self.comment);
    }

    /// Static routes with our tag into BGP, but for the operator's own networks: `NULLROUTED-IN`
    /// and `-IN6`. Nothing is said of static routes with another tag before the last clause, so the
    /// others fit into a map of the operator's.
    pub fn ingress(&self, out: &mut Text, options: &FileOptions, own: &Own) {
        let (matches, set) = (self.matches, self.set);
        let communities = originated(options, "65535:666");
        for (own, six) in own.iter().zip(["", "6"]) {
            let name = format!("IN{six}");
            let tagged = format!("{matches} tag 666");
            let clause = self.deny_own(out, &name, own, &tagged);
            let community = format!("{set} community {communities}");
            let says = [&*tagged, &*community, &*format!("{set} origin igp")];
            self.clause(out, &name, "permit", clause, &says);
            self.end(out, &name);
        }
    }

    /// What a neighbor receives, to be kept inside its AS: `NULLROUTED-OUT` and `-OUT6`.
    pub fn egress(&self, out: &mut Text, options: &FileOptions, input: &FileInput) {
        let (matches, set) = (self.matches, self.set);
        let matches = format!("{matches} {}", self.community);
        let no_export = format!("{set} community no-export additive");
        for (side, set_next_hop) in sides(options, input).iter().zip(self.next_hops) {
            let name = format!("OUT{}", side.six);
            let next_hop = side.next_hop_line(&format!("{set} {set_next_hop} "), "");
            let says = [&*matches, &*no_export, &*next_hop];
            self.clause(out, &name, "permit", 10, &says);
            self.end(out, &name);
        }
    }

    /// What the trigger announces, if it is not shorter than `NULLROUTED-LONG-V4` or `-V6` has it,
    /// goes where it is dropped: `NULLROUTED-EDGE` and `-EDGE6`.
    pub fn edge(&self, out: &mut Text, options: &FileOptions, input: &FileInput, own: &Own) {
        let (matches, set) = (self.matches, self.set);
        for (at, side) in sides(options, input).iter().enumerate() {
            let Side {
                n, six, discard, ..
            } = side;
            let name = format!("EDGE{six}");
            let clause = self.deny_own(out, &name, &own[at], "");
            let says = [
                &*format!("{matches} {} NULLROUTED-LONG-V{n}", self.lists[at]),
                &*format!("{matches} {}", self.community),
                &*format!("{set} {} {discard}", self.next_hops[at]),
                &*format!("{set} local-preference 200"),
                &*format!("{set} community no-export additive"),
            ];
            self.clause(out, &name, "permit", clause, &says);
            self.end(out, &name);
        }
    }

    /// A clause for each list, with a further condition; returns the number of the next clause.
    fn deny_own(&self, out: &mut Text, name: &str, own: &[String], also: &str) -> usize {
        let list = self.lists[usize::from(name.ends_with('6'))];
        for (number, own) in (5..).zip(own) {
            let says = [&*format!("{} {list} {own}", self.matches), also];
            self.clause(out, name, "deny", number, &says);
        }
        10.max(5 + own.len())
    }

    /// The static routes of a trigger: those that are gone are taken away first.
    pub fn routes(&self, out: &mut Text, input: &FileInput) {
        let statics = &self.statics;
        out.push(&input.kept(self.comment.trim_end()));
        input.left_v4().for_each(|prefix| statics.gone(out, prefix));
        input.left_v6().for_each(|prefix| statics.gone(out, prefix));
        input.v4(|prefix, reason| statics.route(out, prefix, reason));
        input.v6(|prefix, reason| statics.route(out, prefix, reason));
    }
}

impl Statics {
    fn to_null<B: Bits>(&self, out: &mut Text, prefix: &Prefix<B>) {
        out.push(self.commands[usize::from(B::WIDTH == 128)]);
        match self.length {
            Length::Slash => out.prefix(prefix),
            Length::Space => out.spaced(prefix),
            Length::Mask => out.masked(prefix),
        }
        out.push(self.null);
    }

    fn gone<B: Ip>(&self, out: &mut Text, prefix: &Prefix<B>) {
        out.push(self.no);
        self.to_null(out, prefix);
        out.push("\n");
    }

    fn route<B: Ip>(&self, out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
        let word = self.word[usize::from(B::N == 6)];
        self.to_null(out, prefix);
        out.push(if self.is_tag_last { "" } else { " tag 666" });
        if !word.is_empty() {
            out.word(word, reason);
        }
        out.push(if self.is_tag_last { " tag 666\n" } else { "\n" });
    }
}
