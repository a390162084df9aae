//! OpenBGPD: a part that the operator's own file includes, before his first filter rule.
//!
//! ```text
//! trigger  network prefix-set "nullrouted4": RFC 7999's community ──to ibgp, no-export──► neighbor
//! edge     from ibgp ──► nexthop blackhole (of use where there is a FIB: not on Linux)
//! filter   from ebgp ──► listed prefixes, what is inside of them, and listed origins are denied
//! ```
//!
//! Facts behind each line, verified with OpenBGPD 7.7:
//! * The last rule that matches wins, so each of ours is `quick`.
//! * `bgpd -n` refuses a file without an AS, so the check puts one in front of it. It takes an IPv4 prefix with a length
//!   of 33, by which the daemon dies: prefixes are ours, and right by their type.
//! * `bgpctl reload` ends well where the file is refused, and where an earlier reload still goes on: what it says counts.
//!   It ends a moment before the file is in force, so the default command looks for five seconds.
//! * A comment that ends with a backslash takes the next line with it: none of ours has one.
//! * An empty set matches nothing, and may stand.
//! * `NO_EXPORT` in the `network` statement keeps the route from eBGP neighbors altogether; it is added on the way out.
//! * `bgpctl show sets` names the sets in force, empty ones too: by the name of the last one OpenBGPD is asked for its
//!   file.
//! * 10 000 prefixes of a `network prefix-set` are loaded in 0.3 s; 100 000 take minutes.

use std::fmt::Write;

use super::family::Kind;
use super::text::Text;
use super::{Commands, Role, Shape, Sheet};

pub(super) const KIND: Kind = Kind {
    name: "openbgpd",
    // As an edge it drops by a kind of route, whatever the next hop.
    next_hops: &[Role::Trigger],
    commands: |_| COMMANDS,
    too_many,
    render,
    ..Kind::ROUTER
};

const COMMANDS: Commands = Commands {
    check: &[
        "sh",
        "-c",
        r#"printf 'AS 65000\ninclude "%s"\n' "$1" | bgpd -n -f /dev/stdin"#,
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

/// So many are loaded in a second and a half, 50 000 in 13 s, 100 000 in two minutes.
const MANY: usize = 20_000;

fn too_many(shape: &Shape, v4: usize, v6: usize) -> Option<String> {
    let all = v4 + v6;
    let is = shape.role == Role::Trigger && all > MANY;
    is.then(|| {
        format!(
            "{all} prefixes: above {MANY} OpenBGPD takes up to minutes to load them. Instead: a router of family \"bird\""
        )
    })
}

fn render(shape: &Shape, sheet: &Sheet) -> String {
    let mut out = Text::with_room(2_500 + sheet.set.len() * 45);
    match shape.role {
        Role::Trigger => trigger(&mut out, shape, sheet),
        Role::Edge => edge(&mut out, sheet),
        Role::Filter => filter(&mut out, sheet),
    }
    out.seal(
        &format!("as-set \"nullrouted-{}-", shape.role),
        "\" { }  # no AS, and the digest of the lines above",
    );
    out.done()
}

const TRIGGER: &str = "\
Load:   bgpctl reload
Use:    include \"THIS-FILE\"      (before your first allow, deny or match)
        Blackholes go to iBGP neighbors, such as a route reflector, and to nobody else.
Undo:   take the include out again, bgpctl reload
";

fn trigger(out: &mut Text, shape: &Shape, sheet: &Sheet) {
    out.push(&sheet.head_for(shape, "#", TRIGGER));
    listed(out, "nullrouted", sheet);
    own(out, sheet, "nullrouted-own");
    let [v4, v6] = shape.next_hops().map(|next_hop| match next_hop {
        Some(next_hop) => format!(" nexthop {next_hop}"),
        None => String::new(),
    });
    let _ = write!(
        out,
        "network prefix-set \"nullrouted4\" set {{ community BLACKHOLE{v4} }}
network prefix-set \"nullrouted6\" set {{ community BLACKHOLE{v6} }}
deny quick to ibgp prefix-set \"nullrouted-own\" or-longer community BLACKHOLE
allow quick to ibgp prefix-set \"nullrouted4\" community BLACKHOLE set {{ community NO_EXPORT }}
allow quick to ibgp prefix-set \"nullrouted6\" community BLACKHOLE set {{ community NO_EXPORT }}
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

fn edge(out: &mut Text, sheet: &Sheet) {
    out.push(&sheet.edge_head("#", EDGE));
    own(out, sheet, "nullrouted-edge-own");
    out.push("prefix-set \"nullrouted-edge-cover\" {\n");
    let covers = sheet.covers();
    out.lines("\t", &covers.v4, "");
    out.lines("\t", &covers.v6, "");
    out.push("}\n");
    let limits = sheet.limits;
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

fn filter(out: &mut Text, sheet: &Sheet) {
    out.push(&sheet.head("#", FILTER));
    listed(out, "nullrouted-listed", sheet);
    out.push("as-set \"nullrouted-origins\" {\n");
    for asn in sheet.origins {
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
fn own(out: &mut Text, sheet: &Sheet, name: &str) {
    let _ = writeln!(out, "prefix-set \"{name}\" {{");
    for net in sheet.own().nets() {
        let _ = writeln!(out, "\t{net}");
    }
    out.push("}\n");
}

/// What is listed, in two sets whose names begin so.
fn listed(out: &mut Text, name: &str, sheet: &Sheet) {
    let _ = writeln!(out, "prefix-set \"{name}4\" {{");
    sheet.v4(|prefix, reason| out.entry("\t", prefix, "", reason));
    let _ = writeln!(out, "}}\nprefix-set \"{name}6\" {{");
    sheet.v6(|prefix, reason| out.entry("\t", prefix, "", reason));
    out.push("}\n");
}
