//! OpenBGPD: a part that the operator's own file includes, before his first filter rule.
//!
//! ```text
//! trigger  network prefix-set "nullrouted4": RFC 7999's community ──to those that are named, no-export──► neighbor
//! edge     from ibgp ──► nexthop blackhole (of use where there is a FIB: not on Linux)
//! filter   from ebgp ──► listed prefixes, what is inside of them, and listed origins are denied
//! ```
//!
//! Facts behind each line, verified with OpenBGPD 7.7 and 8.8:
//! * The last rule that matches wins, so each of ours is `quick`.
//! * `bgpd -n` refuses a file without an AS, so the check puts one in front of it. It takes an IPv4
//!   prefix with a length of 33, by which the daemon dies: prefixes are ours, and right by their
//!   type.
//! * `bgpctl reload` ends well where the file is refused, and where an earlier reload still goes
//!   on: what it says counts. It ends a moment before the file is in force, so the default command
//!   looks for five seconds.
//! * A comment that ends with a backslash takes the next line with it: none of ours has one.
//! * An empty set matches nothing, and may stand.
//! * `NO_EXPORT` in the `network` statement keeps the route from eBGP neighbors altogether,
//!   whatever rules allow: it is there unless `announce_to = "ebgp"`, and added on the way out in
//!   any case.
//! * A next hop in the `network` statement that no route leads to keeps the route from all
//!   neighbors since 8.8, so it is set on the way out. An eBGP neighbor is sent the address of the
//!   session all the same.
//! * A rule about the address of a neighbor is refused ("no such peer") unless that neighbor stands
//!   before it: the check puts each one that is named in front of the file.
//! * `bgpctl` does not say whether a neighbor is iBGP: an eBGP one has nothing with `NO_EXPORT`.
//! * `show rib out` wants a neighbor to be named; with a community it is OpenBGPD that looks for
//!   it.
//! * `bgpctl show sets` names the sets in force, empty ones too: by the name of the last one
//!   OpenBGPD is asked for its file.
//! * 10 000 prefixes of a `network prefix-set` are loaded in 0.3 s; 100 000 take minutes.

use std::fmt::Write;

use crate::targets::file::family::Kind;
use crate::targets::file::parts::sent::{self, LEAKS, may};
use crate::targets::file::parts::sessions::{said, typed};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "openbgpd",
    // As an edge it drops by a kind of route, whatever the next hop.
    next_hops: &[Role::Trigger],
    commands,
    loads_into: |role| match role {
        Role::Trigger => "the sets and rules of a trigger in OpenBGPD",
        Role::Edge => "the sets and rules of an edge in OpenBGPD",
        Role::Filter => "the sets and rules of a filter in OpenBGPD",
    },
    too_many,
    render,
    ..Kind::ROUTER
};

fn commands(role: Role) -> Commands {
    match role {
        Role::Trigger => Commands {
            verify: &["sh", "-c", SENT, "sh", "{file}", HELD, LEAKS],
            ..COMMANDS
        },
        Role::Edge | Role::Filter => COMMANDS,
    }
}

const COMMANDS: Commands = Commands {
    check: &[
        "sh",
        "-c",
        r#"{ echo 'AS 65000'
sed -n 's/^# Sends:  to the .*neighbors \(.*\) and to no other$/\1/p' "$1" | tr -d ' ' | tr , '\n' | sed 's/.*/neighbor & {\nremote-as 65001\n}/'
printf 'include "%s"\n' "$1"; } | bgpd -n -f /dev/stdin"#,
        "sh",
        "{file}",
    ],
    reload: &[
        "sh",
        "-c",
        r#"out=$(bgpctl reload 2>&1); echo "$out"; case $out in *'request processed'*) ;; *) exit 1;; esac
try=0
until sh -c "$2" sh "$1" >/dev/null; do [ $((try += 1)) -le 25 ] || exit 0; sleep 0.2; done"#,
        "sh",
        "{file}",
        HELD,
    ],
    verify: &["sh", "-c", HELD, "sh", "{file}"],
};

/// Whether OpenBGPD holds the file. After a reload it takes its time.
const HELD: &str = r#"sets=$(bgpctl show sets 2>&1) || { echo "$sets"; exit 1; }
name=$(sed -n 's/^as-set "\(nullrouted-[a-z]*-[0-9a-f]*\)".*/\1/p' "$1")
case $sets in
*" ${name:-none} "*) exit 0;;
*" ${name%-*}-"*) echo 'OpenBGPD holds another file than this one';;
*) echo 'OpenBGPD holds no file of this role: is it included?';;
esac
exit 1"#;

/// And what it sent to whom.
const SENT: &str = concat!(
    r#"sh -c "$2" sh "$1" || exit
ask=$(bgpctl show neighbor) || { printf '%s\n' "$ask" | tail -n 1; exit 1; }
{ sed -n '"#,
    may!(),
    r#"' "$1"
awk '/^prefix-set "nullrouted[46]"/ { on = 1; next } /^}/ { on = 0 } on { print "listed", $1 }' "$1"
printf '%s\n' "$ask" | awk '/^BGP neighbor is / { to = $4; sub(/,$/, "", to) } /BGP state = Established/ { print to }' | while read -r to; do
bgpctl show rib out neighbor "$to" community 65535:666 | awk -v to="$to" '{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9a-f:.]+\/[0-9]+$/) { print "sent", to, "any", $i; break } }'
done; } | awk "$3""#
);

/// So many are loaded in a second and a half, 50 000 in 13 s, 100 000 in two minutes.
const MANY: usize = 20_000;

fn too_many(options: &FileOptions, v4: usize, v6: usize) -> Option<String> {
    let all = v4 + v6;
    let is = options.role == Role::Trigger && all > MANY;
    is.then(|| {
        format!(
            "{all} prefixes: above {MANY} OpenBGPD takes up to minutes to load them. Instead: a router of family \"bird\""
        )
    })
}

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(2_500 + input.set().len() * 45);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, input),
        Role::Filter => filter(&mut out, input),
    }
    out.seal(
        &format!("as-set \"nullrouted-{}-", options.role),
        "\" { }  # no AS, and the digest of the lines above",
    );
    out.done()
}

/// How the file of a trigger is used, and at which sessions.
fn trigger_use(options: &FileOptions) -> String {
    let mut text = "\
Load:   bgpctl reload
Use:    include \"THIS-FILE\"      (behind your neighbors, and before your first allow, deny or match)
"
    .to_owned();
    said(
        &mut text,
        "1. ONLY for a session that carries nothing but blackholes, behind the include and before your own rules:",
    );
    // Without `quick` a later rule of the operator's wins; what is listed is allowed before it.
    typed(&mut text, &["deny quick to ADDRESS"]);
    said(
        &mut text,
        "2. A session that carries other routes too needs nothing: your own rules decide on those.",
    );
    said(
        &mut text,
        "None of your rules before the include may be quick and allow routes to neighbors.",
    );
    if options.announce_to == AnnounceTo::Ibgp {
        let says = "The routes are originated with NO_EXPORT: no eBGP neighbor can receive them, whatever is allowed.";
        said(&mut text, says);
    }
    if options.announce_to == AnnounceTo::Ebgp && options.next_hops() != [None, None] {
        let says = "An eBGP neighbor is sent the address of the session as next hop, whatever next_hop_v4 and next_hop_v6 say.";
        said(&mut text, says);
    }
    text.push_str(&sent::line(options));
    text.push_str("Undo:   take the include out again, bgpctl reload; a session of recipe 1 keeps its rule, or needs rules of yours\n");
    text
}

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.head_for(options, "#", &trigger_use(options)));
    listed(out, "nullrouted", input);
    own(out, input, "nullrouted-own");
    let kept = match options.announce_to {
        AnnounceTo::Ibgp => " community NO_EXPORT",
        AnnounceTo::Ebgp => "",
    };
    let [v4, v6] = options.next_hops().map(|next_hop| match next_hop {
        Some(next_hop) => format!("nexthop {next_hop} "),
        None => String::new(),
    });
    let to = match options.neighbors.as_slice() {
        [] => "ibgp".to_owned(),
        named => format!("{{ {} }}", sent::joined(named)),
    };
    let _ = write!(
        out,
        "network prefix-set \"nullrouted4\" set {{ community BLACKHOLE{kept} }}
network prefix-set \"nullrouted6\" set {{ community BLACKHOLE{kept} }}
deny quick to any prefix-set \"nullrouted-own\" or-longer community BLACKHOLE
allow quick to {to} prefix-set \"nullrouted4\" community BLACKHOLE set {{ {v4}community NO_EXPORT }}
allow quick to {to} prefix-set \"nullrouted6\" community BLACKHOLE set {{ {v6}community NO_EXPORT }}
deny quick to any prefix-set \"nullrouted4\" community BLACKHOLE
deny quick to any prefix-set \"nullrouted6\" community BLACKHOLE
"
    );
}

const EDGE: &str = "\
Load:   bgpctl reload
Use:    include \"THIS-FILE\"      (before your first allow, deny or match)
        and in the neighbor: max-prefix NUMBER
        Blackholes are taken from iBGP neighbors, such as a route reflector.
Undo:   take the include out again, bgpctl reload
On Linux OpenBGPD has no FIB: nothing is dropped there.
";

fn edge(out: &mut Text, input: &FileInput) {
    out.push(&input.edge_head("#", EDGE));
    own(out, input, "nullrouted-edge-own");
    out.push("prefix-set \"nullrouted-edge-cover\" {\n");
    let covers = input.covers();
    out.lines("\t", &covers.v4, "");
    out.lines("\t", &covers.v6, "");
    out.push("}\n");
    let limits = input.limits;
    let _ = write!(
        out,
        "deny quick from ibgp prefix-set \"nullrouted-edge-own\" or-longer community BLACKHOLE
deny quick from ibgp prefix-set \"nullrouted-edge-cover\" community BLACKHOLE
deny quick from ibgp prefix 0.0.0.0/0 prefixlen < {} community BLACKHOLE
deny quick from ibgp prefix ::/0 prefixlen < {} community BLACKHOLE
allow quick from ibgp community BLACKHOLE set {{ nexthop blackhole localpref 200 community NO_EXPORT }}
",
        limits.shortest_v4, limits.shortest_v6
    );
}

const FILTER: &str = "\
Load:   bgpctl reload
Use:    include \"THIS-FILE\"      (before your first allow, deny or match)
Undo:   take the include out again, bgpctl reload
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("#", FILTER));
    listed(out, "nullrouted-listed", input);
    out.push("as-set \"nullrouted-origins\" {\n");
    for asn in input.origins() {
        let _ = writeln!(out, "\t{asn}");
    }
    out.push(
        "}
deny quick from ebgp prefix-set \"nullrouted-listed4\" or-longer
deny quick from ebgp prefix-set \"nullrouted-listed6\" or-longer
deny quick from ebgp source-as as-set \"nullrouted-origins\"
",
    );
}

/// The operator's own networks of both families.
fn own(out: &mut Text, input: &FileInput, name: &str) {
    let _ = writeln!(out, "prefix-set \"{name}\" {{");
    for net in input.own().nets() {
        let _ = writeln!(out, "\t{net}");
    }
    out.push("}\n");
}

/// What is listed, in two sets whose names begin so.
fn listed(out: &mut Text, name: &str, input: &FileInput) {
    let _ = writeln!(out, "prefix-set \"{name}4\" {{");
    input.v4(|prefix, reason| out.entry("\t", prefix, "", reason));
    let _ = writeln!(out, "}}\nprefix-set \"{name}6\" {{");
    input.v6(|prefix, reason| out.entry("\t", prefix, "", reason));
    out.push("}\n");
}
