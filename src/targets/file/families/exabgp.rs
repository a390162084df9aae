//! ExaBGP: a script that it runs, and whose output it takes as commands.
//!
//! ```text
//!                      ┌─ at its start: sh THIS-FILE run ───┐
//! trigger  the lines ──┤                                    ├──► ExaBGP: RFC 7999's community, no-export ──► neighbor
//!                      └─ later: THIS-FILE ──► a named pipe ┘
//! ```
//!
//! It has no FIB and no policy, and neither installs nor filters routes: so it is never an edge or
//! a filter, and own space is denied by nothing but the set itself.
//!
//! Facts behind each line, verified with ExaBGP 4.2.21 and 5.0.15:
//! * `exabgp --validate FILE` of 4.2 is `exabgp validate FILE` since 5.0.
//! * What a process says is for the neighbors that name it under `api`, and for no other. A session
//!   that has routes of the configuration as well sends both.
//! * Routes in its configuration are compared on SIGUSR1 with those before, and what left is
//!   withdrawn from the sessions that are up at that time: a neighbor whose session was down hears
//!   of it again, and it is never withdrawn. A command is remembered whatever the session. So these
//!   are commands, and no part of the configuration.
//! * A route that is announced again is not sent again. One that is withdrawn again is, and does
//!   nothing.
//! * A line is taken whole: a comment is none behind a command, and an empty line is an error, so
//!   both are left out. What it does not take is said in its log alone: each line is compared with
//!   the form of ours, and parsed.
//! * It answers each command. Whoever does not read the answers stops it in the end.
//! * What was announced by command survives SIGUSR1.
//! * A route of a family that a neighbor does not have is kept from him.
//! * An IPv6 route needs a next hop of its own: `self` is the address of the session.
//! * What is written is sent: `no-export` reaches an eBGP neighbor.

use crate::targets::file::family::Kind;
use crate::targets::file::head;
use crate::targets::file::parts::sent;
use crate::targets::file::parts::sessions::said;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "exabgp",
    roles: &[Role::Trigger],
    next_hops: &[Role::Trigger],
    commands: |_| Commands {
        check: &["sh", "-c", include_str!("exabgp/check.sh"), "sh", "{file}"],
        reload: &["sh", "-c", include_str!("exabgp/reload.sh"), "sh", "{file}"],
        verify: &[],
    },
    loads_into: |_| "the routes that ExaBGP has by /run/exabgp/nullrouted",
    takes_away: true,
    room: 110,
    words,
    trigger: (include_str!("../texts/exabgp.txt"), trigger),
    ..Kind::ROUTER
};

/// What the head says of the neighbors that are to receive the routes.
fn words(options: &FileOptions, _: &FileInput) -> head::Words {
    let wanted = match options.neighbors.as_slice() {
        [] => "iBGP neighbors alone (announce_to = \"ibgp\")".to_owned(),
        named => format!("{} alone (neighbors)", sent::joined(named)),
    };
    let says = format!(
        "Name it at {wanted}: ExaBGP sends what is written, and no-export keeps nothing from an eBGP neighbor."
    );
    let mut text = String::new();
    said(&mut text, &says);
    vec![("        {named}\n", text)]
}

/// Answers are read and forgotten. The pipe is a new one: an earlier reader takes nothing from it.
const BEGIN: &str = include_str!("exabgp/begin.sh");

/// The reader ends with ExaBGP.
const END: &str = include_str!("exabgp/end.sh");

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(BEGIN);
    out.lines("withdraw route ", &input.to_unconfigure.v4, "");
    out.lines("withdraw route ", &input.to_unconfigure.v6, "");
    let v4 = match options.next_hop_v4 {
        Some(next_hop) => next_hop.to_string(),
        None => "self".to_owned(),
    };
    let [v4, v6] = [v4, options.discard_v6().to_string()]
        .map(|next_hop| format!(" next-hop {next_hop} community [65535:666 65535:65281]"));
    input.v4(|prefix, reason| out.entry("announce route ", prefix, &v4, reason));
    input.v6(|prefix, reason| out.entry("announce route ", prefix, &v6, reason));
    out.push(END);
}
