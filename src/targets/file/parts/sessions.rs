//! How the head of a trigger's file says which sessions carry the blackholes, and what keeps them
//! from all others: the texts are `texts/sessions-….txt`.
//!
//! What a trigger originates is in its BGP table, and every neighbor receives that unless something
//! keeps it back. With `announce_to = "ibgp"` it is no-export at origination: a router looks at it
//! before any policy, so no eBGP neighbor can receive the routes. With `"ebgp"` it is a clause that
//! denies, at each neighbor that is not named.

use std::net::IpAddr;

use crate::targets::file::head::{self, filled};
use crate::targets::file::{AnnounceTo, FileOptions};

const IBGP: &str = include_str!("../texts/sessions-ibgp.txt");
const EBGP: &str = include_str!("../texts/sessions-ebgp.txt");
const BY_HAND: &str = include_str!("../texts/sessions-by-hand.txt");
const OPT_IN: &str = include_str!("../texts/sessions-opt-in.txt");

/// The words in which a family says it. Lines of configuration begin in the first column.
#[derive(Clone, Copy)]
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
    /// Whether no-export at origination was tested on such a router.
    pub tried: bool,
    /// How all of it is taken out.
    pub by_hand: ByHand<'a>,
}

/// How a trigger is taken out by hand. Lines of configuration begin in the first column.
#[derive(Clone, Copy)]
pub struct ByHand<'a> {
    /// Ends the origination.
    pub origination: &'a str,
    /// What to do before that if the operator's own policy originates the routes; empty if it
    /// cannot.
    pub own: &'a str,
    /// Shuts a neighbor down, then takes `NULLROUTED-OUT` out of it.
    pub alone: &'a str,
    /// Takes our clauses out of a policy of the operator's own.
    pub clauses: &'a str,
    /// What remains to be removed.
    pub rest: &'a str,
}

impl Words<'_> {
    /// What the head says of sessions, and how all of it is taken out by hand: in this order
    /// nothing is announced that was not announced before.
    pub fn fill(&self, options: &FileOptions) -> head::Words {
        let text = match options.announce_to {
            AnnounceTo::Ibgp => IBGP,
            AnnounceTo::Ebgp => EBGP,
        };
        let named = addresses(&options.neighbors);
        let needed = self.communities;
        let without = format!(
            " Without {needed} it receives neither community, and may pass them on to its eBGP neighbors: give it that."
        );
        let assumed = "Assumed, and not tried on such a router: no-export at origination keeps the routes from eBGP.";
        let words = [
            ("{policy}", self.policy),
            ("{clauses}", self.clauses),
            ("{with}", &with(&named)),
            ("{named}", &named),
            ("{alone}", self.alone),
            (
                "{needs}",
                &unless_empty(needed, format!(" It needs {needed}, too.")),
            ),
            ("{first}", self.first),
            ("{rest}", self.rest),
            ("{attach}", self.attach),
            ("{without}", &unless_empty(needed, without)),
            ("{deny}", self.deny),
            ("{closed}", self.closed),
            ("{proof}", self.proof),
            ("{assumed}", if self.tried { "" } else { assumed }),
        ];
        let by_hand = &self.by_hand;
        let own = unless_empty(by_hand.own, format!(" {}", by_hand.own));
        let out = [
            ("{policy}", self.policy),
            ("{clauses}", self.clauses),
            ("{own}", &own),
            ("{origination}", by_hand.origination),
            ("{alone}", by_hand.alone),
            ("{taken}", by_hand.clauses),
            ("{left}", by_hand.rest),
        ];
        vec![
            ("{sessions}\n", laid_out(text, &words)),
            ("{by_hand}\n", laid_out(BY_HAND, &out)),
        ]
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
    /// A note about that.
    pub behind: &'a str,
    /// The command that says who was sent a prefix, and what it says where all is well.
    pub proof: &'a str,
    /// What was not tested on such a router.
    pub assumed: &'a str,
}

impl OptIn<'_> {
    /// What the head says of sessions.
    pub fn fill(&self, options: &FileOptions) -> head::Words {
        let named = addresses(&options.neighbors);
        let whom = match options.announce_to {
            AnnounceTo::Ibgp => format!(
                "iBGP alone (announce_to = \"ibgp\"){}. Never put the lines below at an eBGP neighbor.",
                with(&named)
            ),
            AnnounceTo::Ebgp => format!("with {named} alone (announce_to = \"ebgp\")."),
        };
        let words = [
            ("{whom}", &*whom),
            ("{others}", self.others),
            ("{alone}", self.alone),
            ("{policy}", self.policy),
            ("{mixed}", self.mixed),
            ("{behind}", self.behind),
            ("{proof}", self.proof),
            ("{assumed}", self.assumed),
        ];
        vec![("{sessions}\n", laid_out(OPT_IN, &words))]
    }
}

fn with(named: &str) -> String {
    unless_empty(named, format!(", with {named}"))
}

fn unless_empty(word: &str, text: String) -> String {
    match word {
        "" => String::new(),
        _ => text,
    }
}

/// Addresses in a sentence.
fn addresses(addresses: &[IpAddr]) -> String {
    let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
    match &addresses[..] {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => addresses.concat(),
    }
}

/// Columns before what is said under `Use:`.
const INDENT: usize = 8;
/// The longest line of prose, with them.
const WIDTH: usize = 112;

/// A text with its words, to stand in the column that it is indented to: a line that begins with a
/// blank is to be typed and stays as it is, any other is prose, which is wrapped. One without a
/// word is left out.
fn laid_out(text: &str, words: &[(&'static str, &str)]) -> String {
    let typed = |word: &str| word.trim_end().replace('\n', "\n ");
    let words: Vec<_> = words
        .iter()
        .map(|(name, word)| (*name, typed(word)))
        .collect();
    let mut out = String::new();
    for line in filled(text, &words).lines().filter(|line| !line.is_empty()) {
        match line.starts_with(' ') {
            true => indented(&mut out, line),
            false => said(&mut out, line),
        }
    }
    out.trim_start().to_owned()
}

/// Prose, wrapped, in lines of its own.
pub fn said(text: &mut String, prose: &str) {
    let mut line = String::new();
    for word in prose.split(' ') {
        if !line.is_empty() && INDENT + line.len() + 1 + word.len() > WIDTH {
            indented(text, &line);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    indented(text, &line);
}

fn indented(text: &mut String, line: &str) {
    text.push_str(&" ".repeat(INDENT));
    text.push_str(line);
    text.push('\n');
}
