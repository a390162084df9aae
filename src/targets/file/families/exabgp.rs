//! ExaBGP: a script that it runs, and whose output it takes as commands.
//!
//! ```text
//!                      ┌─ at its start: sh THIS-FILE run ───┐
//! trigger  the lines ──┤                                    ├──► ExaBGP: RFC 7999's community, no-export ──► neighbor
//!                      └─ later: THIS-FILE ──► a named pipe ┘
//! ```
//!
//! It has no FIB and no policy, and installs and filters for nobody: so it is never an edge or a
//! filter, and own space is denied by nothing but the set itself.
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
use crate::targets::file::parts::sent;
use crate::targets::file::parts::sessions::said;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "exabgp",
    roles: &[Role::Trigger],
    next_hops: &[Role::Trigger],
    commands: |_| COMMANDS,
    loads_into: |_| "the routes that ExaBGP has by /run/exabgp/nullrouted",
    takes_away: true,
    render,
    ..Kind::ROUTER
};

const COMMANDS: Commands = Commands {
    check: &[
        "sh",
        "-c",
        r#"sh -n "$1" && grep -qx END "$1" && lines=$(sed -n "/<<'END'\$/,/^END\$/{//d;s/ *#.*//;p}" "$1") || { echo 'no lines'; exit 1; }
octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
v4="($octet\.){3}$octet" v6='[0-9a-f:.]*:[0-9a-f:.]*' with='community \[65535:666 65535:65281\]'
p4="$v4/(3[0-2]|[12]?[0-9])" p6="$v6/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
printf '%s\n' "$lines" | grep -vE "^(|withdraw route ($p4|$p6)|announce route ($p4 next-hop (self|$v4)|$p6 next-hop $v6) $with)\$"; [ $? -eq 1 ] || exit 1
whole=$(mktemp) || exit
trap 'rm -f "$whole"' EXIT
{ printf 'neighbor 192.0.2.2 {\nrouter-id 192.0.2.1;\nlocal-address 192.0.2.1;\nlocal-as 65000;\npeer-as 65000;\n'
  printf 'family {\nipv4 unicast;\nipv6 unicast;\n}\nstatic {\n'
  printf '%s\n' "$lines" | sed -n 's/^announce \(.*\)/\1;/p'; printf '}\n}\n'; } > "$whole"
case $(exabgp --help 2>&1) in *--validate*) word=--validate;; *) word=validate;; esac
out=$(exabgp_daemon_drop=false exabgp $word "$whole" 2>&1) || {
printf '%s\n' "$out" | sed 's/^.* configuration *| //; s/^configuration *//' | grep . | tail -n 3; exit 1; }"#,
        "sh",
        "{file}",
    ],
    reload: &[
        "sh",
        "-c",
        r#"[ ! -d /run/exabgp ] || ls /run/exabgp >/dev/null || exit
[ -p /run/exabgp/nullrouted ] || { echo 'no /run/exabgp/nullrouted: ExaBGP loads the file when it starts'; exit; }
timeout 5 sh -c ': > /run/exabgp/nullrouted' || { echo 'nobody reads /run/exabgp/nullrouted: has ExaBGP ended?'; exit 1; }
timeout 250 sh -c 'sh "$1" > /run/exabgp/nullrouted' sh "$1" || { echo 'ExaBGP does not read'; exit 1; }"#,
        "sh",
        "{file}",
    ],
    verify: &[],
};

/// How the file is used, and at which sessions.
fn trigger_use(options: &FileOptions) -> String {
    let mut text = TRIGGER.to_owned();
    text.push_str("Sends:  to each neighbor that names the process under api, iBGP or eBGP, and to no other\n");
    let wanted = match options.neighbors.as_slice() {
        [] => "iBGP neighbors alone (announce_to = \"ibgp\")".to_owned(),
        named => format!("{} alone (neighbors)", sent::joined(named)),
    };
    let says = format!(
        "Name it at {wanted}: ExaBGP sends what is written, and no-export keeps nothing from an eBGP neighbor."
    );
    said(&mut text, &says);
    text.push_str(UNDO);
    text
}

const TRIGGER: &str = "\
Load:   sh THIS-FILE > /run/exabgp/nullrouted
        ExaBGP loads it by itself when it starts. It reads some two thousand lines in a second.
Use:    process nullrouted { run /bin/sh THIS-FILE run; encoder text; }
        and in each neighbor that is to receive the blackholes
         family { ipv4 unicast; ipv6 unicast; }
         api { processes [ nullrouted ]; }
        1. ONLY for a session that carries nothing but blackholes: leave the routes of your configuration out of this
        neighbor.
        2. A session that carries other routes too sends the routes of your configuration beside the blackholes.
        ExaBGP's user must be able to read this file, and to make the named pipe in /run/exabgp.
";

const UNDO: &str = "\
Undo:   take the process and the api out, and start ExaBGP anew
ExaBGP does not say what it sent to whom: look at the neighbors.
The next hop of IPv6 is 100::1 unless next_hop_v6 says another one. An eBGP neighbor on the link ignores what is off
it, unless told otherwise: for him next_hop_v6 is your own address there.
";

/// Answers are read and forgotten. The pipe is a new one: an earlier reader takes nothing from it.
const BEGIN: &str = "\
if [ \"$1\" = run ]; then
  exec 3<&0
  cat <&3 >/dev/null &
  answers=$!
  rm -f /run/exabgp/nullrouted
  mkfifo /run/exabgp/nullrouted || exit
fi
sed 's/ *#.*//' <<'END'
";

/// The reader ends with ExaBGP.
const END: &str = "\
END
if [ \"$1\" = run ]; then
  cat <> /run/exabgp/nullrouted &
  trap 'kill $!' EXIT
  trap exit TERM
  wait $answers
fi
";

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(2_000 + input.set().len() * 110);
    out.push(&input.head("#", &trigger_use(options)));
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
    out.done()
}
