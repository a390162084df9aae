//! How the header of a trigger says which sessions carry the blackholes, and what keeps them from
//! all others.
//!
//! What a trigger originates is in its BGP table, and every neighbor receives that unless something
//! keeps it back. With `announce_to = "ibgp"` it is no-export at origination: a router looks at it
//! before any policy, so no eBGP neighbor can receive the routes. With `"ebgp"` it is a clause that
//! denies, at each neighbor that is not named.

use std::net::IpAddr;

use crate::targets::file::{AnnounceTo, FileOptions};

/// The words in which a family says it. Lines of configuration begin in the first column.
pub struct Words<'a> {
    /// What decides on what a neighbor receives: `route-map`.
    pub policy: &'a str,
    /// What that is made of: `clauses`.
    pub clauses: &'a str,
    /// Puts `NULLROUTED-OUT` at a neighbor.
    pub alone: &'a str,
    /// The clauses of `NULLROUTED-OUT` but the last, in a policy of the operator's own.
    pub first: &'a str,
    /// Passes the other routes where nothing else of that policy does.
    pub rest: &'a str,
    /// Keeps the blackholes back, in a policy of the operator's own.
    pub deny: &'a str,
    /// Puts that policy at a neighbor.
    pub attach: &'a str,
    /// What a neighbor needs to receive a community; empty where each one does.
    pub communities: &'a str,
    /// Which eBGP neighbors receive nothing, whatever is originated; empty where each one may.
    pub closed: &'a str,
    /// The command that says who was sent a prefix, and what it says where all is well.
    pub proof: &'a str,
    /// Whether no-export at origination was tried with such a router.
    pub tried: bool,
    /// How all of it is taken out.
    pub by_hand: ByHand<'a>,
}

/// How a trigger is taken out by hand. Lines of configuration begin in the first column.
#[derive(Clone, Copy)]
pub struct ByHand<'a> {
    /// Ends the origination.
    pub origination: &'a str,
    /// What is to be done before that, where the operator's own policy is in use for it; empty
    /// where it cannot be.
    pub own: &'a str,
    /// Shuts a neighbor down, then takes `NULLROUTED-OUT` out of it.
    pub alone: &'a str,
    /// Takes our clauses out of a policy of the operator's own.
    pub clauses: &'a str,
    /// What is left then.
    pub rest: &'a str,
}

impl Words<'_> {
    /// The part of a header that is about sessions.
    pub fn sessions(&self, options: &FileOptions) -> String {
        let (policy, clauses) = (self.policy, self.clauses);
        let named = addresses(&options.neighbors);
        let mut text = String::new();
        match options.announce_to {
            AnnounceTo::Ibgp => {
                let says = format!(
                    "Sessions: {}. The routes are originated with no-export: no eBGP neighbor can receive them, \
                     whatever its {policy} permits.",
                    ibgp_alone(&named)
                );
                said(&mut text, &says);
            }
            AnnounceTo::Ebgp => {
                let says = format!(
                    "Sessions: with {named} alone (announce_to = \"ebgp\"). The routes are originated without \
                     no-export, and NULLROUTED-OUT adds it. EVERY other neighbor, eBGP or iBGP, receives them unless \
                     its {policy} out denies them. So first, at every neighbor that is not named, before all other \
                     {clauses} of its {policy} out:"
                );
                said(&mut text, &says);
                self.denied(&mut text);
                if !self.closed.is_empty() {
                    said(&mut text, self.closed);
                }
            }
        }
        said(&mut text, ONLY_BLACKHOLES);
        typed(&mut text, &[self.alone]);
        let needs = match self.communities {
            "" => String::new(),
            needed => format!(" It needs {needed}, too."),
        };
        let says = format!(
            "2. For a session that carries other routes too: its own {policy} stays. The {clauses} of NULLROUTED-OUT \
             but the last stand before all others of it, never NULLROUTED-OUT itself.{needs}"
        );
        said(&mut text, &says);
        typed(&mut text, &[self.first, self.rest, self.attach]);
        let says = format!(
            "These {clauses} match blackholes of your customers too, which carry 65535:666: this neighbor receives those \
             with no-export."
        );
        said(&mut text, &says);
        if options.announce_to == AnnounceTo::Ibgp {
            let needs = match self.communities {
                "" => String::new(),
                needed => format!(
                    " Without {needed} it receives neither community, and may pass them on to its eBGP neighbors: \
                     give it that."
                ),
            };
            let says = format!(
                "Every other iBGP neighbor receives them, too.{needs} Where it is not to receive them, before all \
                 other {clauses} of its {policy} out:"
            );
            said(&mut text, &says);
            self.denied(&mut text);
        }
        let says = format!("Who was sent a listed PREFIX: {}.", self.proof);
        said(&mut text, &says);
        if options.announce_to == AnnounceTo::Ibgp && !self.tried {
            let says = "no-export at origination keeps the routes from eBGP.";
            said(&mut text, &[ASSUMED, says].concat());
        }
        text
    }

    /// What keeps the blackholes from a neighbor, and what else that does.
    fn denied(&self, text: &mut String) {
        typed(text, &[self.deny, self.rest, self.attach]);
        let says = "This refuses blackholes of your customers too, which carry 65535:666. Where the neighbor is to receive those, \
                    as an upstream does, permit them before it: by your customers' prefixes, or by a community that you give them.";
        said(text, says);
    }

    /// The part of a header that says how all of it is taken out by hand. In this order nothing is
    /// announced that was not announced before.
    pub fn by_hand(&self) -> String {
        let (policy, clauses, by_hand) = (self.policy, self.clauses, &self.by_hand);
        let mut text = String::new();
        let own = match by_hand.own {
            "" => String::new(),
            own => format!(" {own}"),
        };
        let says = format!(
            "1. The origination, in each address family: then no neighbor has a blackhole.{own}"
        );
        said(&mut text, &says);
        typed(&mut text, &[by_hand.origination]);
        let says = format!(
            "2. A session of recipe 1: shut it down before NULLROUTED-OUT goes. Without a {policy} out it may be sent every \
             route, so it needs one of yours before it comes up again."
        );
        said(&mut text, &says);
        typed(&mut text, &[by_hand.alone]);
        let says = format!(
            "3. The {clauses} of YOURS that name NULLROUTED, before the lists go: one whose list is gone may match every route."
        );
        said(&mut text, &says);
        typed(&mut text, &[by_hand.clauses]);
        said(&mut text, &format!("4. {}", by_hand.rest));
        text
    }
}

/// The same where a router announces a static route only to the neighbors at which a policy exports
/// it.
pub struct OptIn<'a> {
    /// Who else receives the routes, and what keeps them back there.
    pub others: &'a str,
    /// Puts `NULLROUTED-OUT` at a neighbor.
    pub alone: &'a str,
    /// What `NULLROUTED-MIXED` is there: `policy`.
    pub policy: &'a str,
    /// Puts `NULLROUTED-MIXED` before the operator's own policy.
    pub mixed: &'a str,
    /// What is to be known of that.
    pub behind: &'a str,
    /// The command that says who was sent a prefix, and what it says where all is well.
    pub proof: &'a str,
    /// What of it was not tried with such a router.
    pub assumed: &'a str,
}

impl OptIn<'_> {
    /// The part of a header that is about sessions.
    pub fn sessions(&self, options: &FileOptions) -> String {
        let named = addresses(&options.neighbors);
        let mut text = String::new();
        let whom = match options.announce_to {
            AnnounceTo::Ibgp => format!(
                "{}. Never put the lines below at an eBGP neighbor.",
                ibgp_alone(&named)
            ),
            AnnounceTo::Ebgp => format!("with {named} alone (announce_to = \"ebgp\")."),
        };
        said(&mut text, &format!("Sessions: {whom} {}", self.others));
        said(&mut text, ONLY_BLACKHOLES);
        typed(&mut text, &[self.alone]);
        let says = format!(
            "2. For a session that carries other routes too: its own {0} stays, behind NULLROUTED-MIXED, which decides \
             on blackholes alone. Never NULLROUTED-OUT: it rejects all other routes.",
            self.policy
        );
        said(&mut text, &says);
        typed(&mut text, &[self.mixed]);
        said(&mut text, self.behind);
        let says = format!("Who was sent a listed PREFIX: {}.", self.proof);
        said(&mut text, &says);
        let says = format!("{ASSUMED}{}.", self.assumed);
        said(&mut text, &says);
        text
    }
}

const ASSUMED: &str = "Assumed, and not tried on such a router: ";

const ONLY_BLACKHOLES: &str = "1. ONLY for a session that carries nothing but blackholes, with an edge or its route \
                               reflector: all other routes are withdrawn from this neighbor.";

/// To whom a trigger announces by default, with those that are named.
fn ibgp_alone(named: &str) -> String {
    let named = match named {
        "" => String::new(),
        named => format!(", with {named}"),
    };
    format!("iBGP alone (announce_to = \"ibgp\"){named}")
}

/// Addresses in a sentence.
pub fn addresses(addresses: &[IpAddr]) -> String {
    let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
    match &addresses[..] {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => addresses.concat(),
    }
}

/// How the header of a trigger begins to say how its file is used: read from above, nothing is
/// announced before every session is as it should be.
pub const FIRST: &str =
    "Use:    First the sessions, then the origination: before that nothing is announced.\n";

/// Columns before what is said under `Use:`.
const INDENT: usize = 8;
/// The longest line of prose, with them.
const WIDTH: usize = 112;

/// Where nothing stands before it under `Use:`, or another word.
pub fn begins(word: &str, text: &str) -> String {
    format!("{word:<INDENT$}{}", text.trim_start())
}

/// Prose, wrapped, in lines of its own.
pub fn said(text: &mut String, prose: &str) {
    let mut line = String::new();
    for word in prose.split(' ') {
        if !line.is_empty() && INDENT + line.len() + 1 + word.len() > WIDTH {
            indented(text, INDENT, &line);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    indented(text, INDENT, &line);
}

/// Lines to be typed, one column further in.
pub fn typed(text: &mut String, parts: &[&str]) {
    for line in parts.iter().flat_map(|part| part.lines()) {
        indented(text, INDENT + 1, line);
    }
}

fn indented(text: &mut String, indent: usize, line: &str) {
    text.push_str(&" ".repeat(indent));
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_and_addresses_are_a_sentence() {
        let mut text = String::new();
        said(&mut text, &["words"; 40].join(" "));
        typed(&mut text, &["a line\n and one", "a third"]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..3].concat().matches("words").count(), 40);
        assert!(
            lines
                .iter()
                .all(|line| line.len() <= WIDTH && line.starts_with("        "))
        );
        assert_eq!(
            lines[3..],
            ["         a line", "          and one", "         a third"]
        );
        let of = |all: &[&str]| {
            addresses(
                &all.iter()
                    .map(|one| one.parse().unwrap())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&[]), "");
        assert_eq!(of(&["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            of(&["192.0.2.1", "192.0.2.2", "::2"]),
            "192.0.2.1, 192.0.2.2 and ::2"
        );
    }
}
