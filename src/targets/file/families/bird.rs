//! BIRD 2 and 3: a part that the operator's own file includes.
//!
//! ```text
//! trigger  protocol static nullrouted4 ──► table nullrouted_table4 ──► filter nullrouted_trigger4: RFC 7999's community,
//!          no-export ──► the sessions that use this table, and no other
//! edge     neighbor ──► template nullrouted_from4: dest = RTD_BLACKHOLE ──► the operator's protocol kernel
//! filter   neighbor ──► the operator's filter calls nullrouted_reject4(): listed prefixes and origins are refused
//! ```
//!
//! Facts behind each line, verified with BIRD 2.0.12 and 3.1.8:
//! * A session with `export all` sends static routes of its table whatever their communities are,
//!   no-export and no-advertise too: so ours stand in a table of their own.
//! * A route keeps its `proto` in each table that a pipe leads it to, and a pipe leads nothing back
//!   to where it is from.
//! * BIRD 3.1.8 logs "Route source collision" where two ways of pipes lead a route to one table,
//!   and stops by a failed assertion (nest/limit.h) when the pipes go. BIRD 2 does not.
//! * BIRD 3 has no table that nothing uses: `show route table all` says "No valid tables", with
//!   exit 1, where there is none.
//! * `show route export NAME` applies the filters again. Of a session that is down it says "No
//!   valid tables" (3: "Requested 'show route export' to protocols which aren't accepting exports
//!   at all.").
//! * `bird -p` refuses a file without a protocol, so the check puts one in front of it.
//! * A set has no comma behind its last element. The last one is a prefix, or an AS, that no route
//!   has, so that a listed one is one line, and the set is never empty. `0.0.0.0/32` does not match
//!   a default route; the last AS number is no AS (RFC 7300), and AS 0 is what `bgp_path.last` of
//!   an empty path is.
//! * A function that says whether, called as a statement, filters nothing and says so to nobody; so
//!   ours refuse by themselves. Their types are written only since 2.14, which still takes them
//!   without.
//! * `P+` is what is inside of `P`, `P-` what covers it.
//! * A blackhole by `dest` needs no reachable next hop. But a route of an eBGP neighbor on the link
//!   whose next hop is off that is refused before any filter, unless the channel has `gateway
//!   recursive`, which `show protocols all` shows as an IGP table, or the session is multihop.
//! * Such a route counts as a withdrawal that is ignored, and as no update. `show protocols all`
//!   has the name of a filter, and not what it calls.
//! * Of 10 000 static routes a reload touches those that changed, and no others.
//! * `birdc configure` ends before BIRD has done it where sessions must end first, so the default
//!   command waits.
//! * `birdc eval` knows the constants of the configuration that BIRD has taken: by the last line it
//!   is asked for its file.

use std::fmt::Write;

use crate::targets::file::family::Kind;
use crate::targets::file::parts::sent::{self, LEAKS, may};
use crate::targets::file::parts::sessions::{said, typed};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "bird",
    // As an edge it drops by a kind of route, whatever the next hop.
    next_hops: &[Role::Trigger],
    commands,
    loads_into: |role| match role {
        Role::Trigger => "the names of a trigger in BIRD",
        Role::Edge => "the names of an edge in BIRD",
        Role::Filter => "the names of a filter in BIRD",
    },
    render,
    ..Kind::ROUTER
};

fn commands(role: Role) -> Commands {
    match role {
        Role::Trigger => Commands {
            verify: &["sh", "-c", SENT, "sh", "{file}", HELD, LEAKS],
            ..COMMANDS
        },
        Role::Edge => Commands {
            verify: &["sh", "-c", DROPPED, "sh", "{file}", HELD],
            ..COMMANDS
        },
        Role::Filter => COMMANDS,
    }
}

const COMMANDS: Commands = Commands {
    check: &[
        "sh",
        "-c",
        r#"printf 'protocol device {}\ninclude "%s";\n' "$1" | bird -p -c /dev/stdin"#,
        "sh",
        "{file}",
    ],
    reload: &[
        "sh",
        "-c",
        // BIRD 3 always says that it is in progress, and mostly is done when it has been asked.
        r#"said=$(birdc configure) || { printf '%s\n' "$said"; exit 1; }
case $said in *'Reconfiguration in progress'*) ;; *) printf '%s\n' "$said";; esac
try=0
while birdc -r show status | grep -q '^Reconfiguration in progress'; do
[ $((try += 1)) -le 60 ] || { echo 'BIRD still waits for sessions to end'; exit 0; }
sleep 1
done"#,
    ],
    verify: &["sh", "-c", HELD, "sh", "{file}"],
};

/// Whether BIRD holds the file.
const HELD: &str = r#"same=$(sed -n 's/^define \(NULLROUTED_[A-Z]*_DIGEST = "[0-9a-f]*"\);.*/\1/p' "$1")
said=$(birdc -r eval "$same" 2>&1)
case $said in
*TRUE) exit 0;;
*FALSE) echo 'BIRD holds another file than this one';;
*CF_SYM_UNDEFINED*) echo 'BIRD holds no file of this role: is it included?';;
*) printf '%s\n' "$said" | tail -n 1;;
esac
exit 1"#;

/// And whether a session refuses blackholes before any filter. Which filter of the operator calls
/// ours BIRD does not say: a session of another filter is reported where all that came was refused,
/// and otherwise named as not seen.
const DROPPED: &str = r#"sh -c "$2" sh "$1" || exit
ask=$(birdc -r show protocols all) || { printf '%s\n' "$ask" | tail -n 1; exit 1; }
printf '%s\n' "$ask" | awk '
function told() {
if (direct && filter && !igp && !count[name]++) { who = name " (" to "), eBGP on the link, has "
if (filter ~ /^nullrouted_edge[46]$/) said(who filter " without \"gateway recursive\": BIRD refuses its routes with a next hop off the link")
else if (!updates && withdraws && withdraws == ignored) said(who "no \"gateway recursive\", and BIRD refused all that came, as what has a next hop off the link")
else if (!others++) first = name " (" to ")" }
filter = igp = updates = withdraws = 0 }
function said(what) { print what "; add that to its channel, or multihop to it"; found = 1 }
/^[^ ]/ { told(); name = $1; to = ""; direct = 0; next }
/Neighbor address:/ { to = $3 }
/^    Session:/ { direct = /external/ && !/multihop/ }
/^  Channel / { told() }
/Input filter:/ && $3 != "ACCEPT" && $3 != "REJECT" { filter = $3 }
/Import updates:/ { updates = $3 }
/Import withdraws:/ { withdraws = $3; ignored = $6 }
/^    IGP IPv[46] table:/ { igp = 1 }
END { told()
if (others) print first (others > 1 ? " and " others - 1 " more" : "") ", eBGP on the link without \"gateway recursive\", is not seen into: a filter that calls nullrouted_blackhole needs that"
exit found ? 4 : 0 }'"#;

/// And what it sends to whom. Only sessions whose table has a listed blackhole are asked for what
/// they export, as this applies their filter to all of the table.
const SENT: &str = concat!(
    r#"sh -c "$2" sh "$1" || exit
listed=$(sed -n 's/^  route \(.*\) blackhole;.*/listed \1/p' "$1")
in=$(birdc -r show route table all where dest = RTD_BLACKHOLE)
[ $? -eq 0 ] || case $in in *'No valid tables'*) ;; *) printf '%s\n' "$in" | tail -n 1; exit 1;; esac
in=$(printf '%s\n' "$listed" "$in" | awk '
$1 == "listed" { listed[$2]; next }
$1 == "Table" { table = $2; sub(/:$/, "", table); next }
$1 in listed && !(table in seen) { seen[table]; print "in", table }')
ask=$(birdc -r show protocols all) || { printf '%s\n' "$ask" | tail -n 1; exit 1; }
ask=$(printf '%s\n' "$in" "$ask" | awk '
$1 == "in" { in_[$2]; next }
/^[^ ]/ { name = $1; bgp = $2 == "BGP"; to = ""; next }
!bgp { next }
/Neighbor address:/ { to = $3; sub(/%.*/, "", to) }
/Neighbor AS:/ { as = $3 }
/Local AS:/ { kind = $3 == as ? "ibgp" : "ebgp" }
/^    State:/ { up = $2 == "UP" }
/^    Table:/ && up && $2 in in_ && !(name in asked) { asked[name]; print name, to, kind }')
{ sed -n '"#,
    may!(),
    r#"' "$1"; printf '%s\n' "$listed" "$ask" | while read -r name to kind; do
case $name in '') continue;; listed) echo "listed $to"; continue;; esac
birdc -r "show route export '$name' where dest = RTD_BLACKHOLE" | awk -v to="$to" -v kind="$kind" '/ blackhole / { print "sent", to, kind, $1 }'
done; } | awk "$3""#
);

/// RFC 7999, and NO_EXPORT of RFC 1997.
const COMMUNITIES: &str =
    "bgp_community.add((65535, 666));\n    bgp_community.add((65535, 65281));";

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(2_500 + input.set().len() * 50);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, input),
        Role::Filter => filter(&mut out, input),
    }
    let role = options.role.to_string().to_uppercase();
    out.seal(
        &format!("define NULLROUTED_{role}_DIGEST = \""),
        "\";  # of the lines above",
    );
    out.done()
}

/// How the file of a trigger is used, and at which sessions.
fn trigger_use(options: &FileOptions) -> String {
    let mut text = "\
Load:   birdc configure
Use:    include \"THIS-FILE\";      (a line of its own, before the protocols)
"
    .to_owned();
    said(
        &mut text,
        "The routes stand in tables of their own. A session gets them by such a table or by one that a pipe fills from \
         it, and no other session gets them, whatever it exports. Everything below once more with a 6 for each 4.",
    );
    said(
        &mut text,
        "1. ONLY for a session that carries nothing but blackholes, with an edge or its route reflector:",
    );
    typed(&mut text, &[ALONE]);
    said(
        &mut text,
        "2. For sessions that carry other routes too, a table that two pipes fill. Their export filter stays, behind \
         our line:",
    );
    typed(&mut text, &[MIXED]);
    said(
        &mut text,
        "Never pipe nullrouted_table4 into master4: then each session gets them that exports all, and BIRD 3.1.8 stops, \
         as mixed4 gets a route by two ways.",
    );
    text.push_str(&sent::line(options));
    text.push_str(
        "\
Undo:   take what names nullrouted or mixed4 out of your sessions, the pipes and the include as well, birdc configure;
        a session of recipe 1 as a whole, or with an import of its own: without one BIRD imports all
The file must be readable for the user that BIRD runs as.
",
    );
    text
}

const ALONE: &str = "\
protocol bgp ... { ipv4 { table nullrouted_table4; import none; export filter nullrouted_trigger4; }; }";

const MIXED: &str = "\
ipv4 table mixed4;
protocol pipe { table master4; peer table mixed4; import where source = RTS_BGP; export all; }
protocol pipe { table nullrouted_table4; peer table mixed4; import none; export all; }
filter to_mixed4 { nullrouted_announce4(); ... }
protocol bgp ... { ipv4 { table mixed4; import ...; export filter to_mixed4; }; }";

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.head("#", &trigger_use(options)));
    for family in ["4", "6"] {
        let _ = writeln!(out, "ipv{family} table nullrouted_table{family};");
    }
    own(out, input, "OWN");
    statics(out, "4", |out| {
        input.v4(|prefix, reason| out.entry("  route ", prefix, " blackhole;", reason))
    });
    statics(out, "6", |out| {
        input.v6(|prefix, reason| out.entry("  route ", prefix, " blackhole;", reason))
    });
    for (family, next_hop) in ["4", "6"].into_iter().zip(options.next_hops()) {
        let next_hop = match next_hop {
            Some(next_hop) => format!("\n    bgp_next_hop = {next_hop};"),
            None => String::new(),
        };
        let _ = write!(
            out,
            "function nullrouted_announce{family}()
{{
  if proto = \"nullrouted{family}\" then {{
    if net ~ NULLROUTED_OWN{family} then reject;
    {COMMUNITIES}{next_hop}
    accept;
  }}
}}
filter nullrouted_trigger{family} {{ nullrouted_announce{family}(); reject; }}
"
        );
    }
}

fn statics(out: &mut Text, family: &str, routes: impl FnOnce(&mut Text)) {
    let _ = writeln!(
        out,
        "protocol static nullrouted{family} {{\n  ipv{family} {{ table nullrouted_table{family}; }};"
    );
    routes(out);
    out.push("}\n");
}

const EDGE: &str = "\
Load:   birdc configure
Use:    include \"THIS-FILE\";      (a line of its own, before the protocols)
        protocol bgp ... from nullrouted_from4 { ... }      (the session with the trigger or its route reflector)
        protocol bgp ... from nullrouted_from6 { ... }
        or in a filter of your own, first:  nullrouted_blackhole4();
        and then, where the trigger is an eBGP neighbor on the link:  ipv4 { gateway recursive; ... }, or multihop;
        (the template has it). Without it BIRD refuses every route whose next hop is off the link, as 192.0.2.1, before
        any filter: `show route` has none of them, nothing is dropped, and the log alone says \"not directly reachable\".
        The default `verify` finds such a session by nullrouted_edge4, and one of your own filter where nothing else came.
        and your protocol kernel must export these routes:  export where source = RTS_BGP;
Undo:   take the protocols and the include out again, birdc configure
Once the import limit is hit, nothing new comes in until `birdc reload in PROTOCOL`.
";

fn edge(out: &mut Text, input: &FileInput) {
    // `P-` covers own space without naming each cover, so none is left out.
    out.push(&FileInput::constant_head("#", EDGE));
    own(out, input, "EDGE_OWN");
    let limits = input.limits;
    for (family, shortest) in [("4", limits.shortest_v4), ("6", limits.shortest_v6)] {
        let _ = write!(
            out,
            "function nullrouted_blackhole{family}()
{{
  if (65535, 666) ~ bgp_community then {{
    if net.len < {shortest} then reject;
    if net ~ NULLROUTED_EDGE_OWN{family} then reject;
    dest = RTD_BLACKHOLE;
    bgp_local_pref = 200;
    bgp_community.add((65535, 65281));
    accept;
  }}
}}
filter nullrouted_edge{family} {{ nullrouted_blackhole{family}(); reject; }}
template bgp nullrouted_from{family} {{
  ipv{family} {{ gateway recursive; import filter nullrouted_edge{family}; import limit {} action block; export none; }};
}}
",
            input.most()
        );
    }
}

const FILTER: &str = "\
Load:   birdc configure
Use:    include \"THIS-FILE\";      (a line of its own, before the filters)
        filter from_others4 { nullrouted_reject4(); ... }      (first; a statement, not a condition)
        protocol bgp ... { ipv4 { import table; import filter from_others4; ... }; ... }
        the same with a 6 for IPv6
Undo:   take the calls and the include out again, birdc configure
Without `import table` a neighbor that knows no route refresh is reset at each change.
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("#", FILTER));
    // A listed prefix and what is inside of it.
    set(out, "LISTED4", NO_ROUTE_V4, |out| {
        input.v4(|prefix, reason| out.entry("  ", prefix, "+,", reason))
    });
    set(out, "LISTED6", NO_ROUTE_V6, |out| {
        input.v6(|prefix, reason| out.entry("  ", prefix, "+,", reason))
    });
    set(out, "ORIGINS", NO_ORIGIN, |out| {
        for asn in input.origins() {
            let _ = writeln!(out, "  {asn},");
        }
    });
    for family in ["4", "6"] {
        let _ = write!(
            out,
            "function nullrouted_reject{family}()
{{
  if net ~ NULLROUTED_LISTED{family} then reject;
  if bgp_path.last ~ NULLROUTED_ORIGINS then reject;
}}
"
        );
    }
}

/// The last elements of sets.
const NO_ROUTE_V4: &str = "0.0.0.0/32";
const NO_ROUTE_V6: &str = "::/128";
const NO_ORIGIN: &str = "4294967295";

fn set(out: &mut Text, name: &str, last: &str, elements: impl FnOnce(&mut Text)) {
    let _ = writeln!(out, "define NULLROUTED_{name} = [");
    elements(out);
    let _ = writeln!(out, "  {last}\n];");
}

/// The operator's own networks, what is inside of them, and what covers them.
fn own(out: &mut Text, input: &FileInput, name: &str) {
    let own = input.own();
    for (family, last, v4) in [("4", NO_ROUTE_V4, true), ("6", NO_ROUTE_V6, false)] {
        set(out, &format!("{name}{family}"), last, |out| {
            for net in own.nets().filter(|net| net.addr().is_ipv4() == v4) {
                let _ = writeln!(out, "  {net}+, {net}-,");
            }
        });
    }
}
