//! GoBGP, whose daemon reads one file at its start and on SIGHUP, and takes routes by its command
//! alone.
//!
//! ```text
//! trigger  gobgp global rib add ──NULLROUTED-IN: own space is refused──► table ──NULLROUTED-OUT: those that are named,
//!          no-export──► neighbor
//! edge     neighbor ──NULLROUTED-EDGE──► table: next hop 192.0.2.1 or 100::1; nothing is dropped by GoBGP itself
//! filter   neighbor ──NULLROUTED-FILTER──► listed prefixes, what is inside of them, and listed origins are refused
//! ```
//!
//! Facts behind each line, verified with GoBGP 3.10 and 3.36:
//! * The file of a trigger is a script. A line that adds what is there or takes away what is not
//!   ends well, and neighbors are told nothing. The table is empty after a start: `verify` sees
//!   that. Each line is a process, so the default command runs those alone whose result is not yet
//!   in the table.
//! * The policies of a trigger stand in its script as comments, for the operator's file. The other
//!   files are parts of that. Of two sets of one name the last counts; so an edge has its own.
//! * `gobgpd -d` finds keys and syntax that are wrong, and nothing else. What is refused on SIGHUP
//!   is said in the log alone, and the former policies stay: so `verify` compares the sets. A
//!   misspelt disposition refuses nothing.
//! * A set of prefixes or paths without an element matches nothing.
//! * SIGHUP takes other elements of a set, as well as other statements of a policy that is in
//!   force. What a neighbor was sent stays as it was: `softresetout` sends what is permitted now,
//!   and takes away what is not any more with 4.8 alone; a reset of the session does with all.
//!   `adj-out` shows what the policies say now, and not what was sent.
//! * A list that names a policy which is not there yet is not in force, and does not come into
//!   force with the policy, but when the list changes or gobgpd starts anew. So the commands look
//!   which policies are in force.
//! * Policies are those of all neighbors, and of routes added by the command, which ends well where
//!   they refuse.
//! * A route that was added here is sent to every neighbor whatever its communities are, no-export
//!   and no-advertise too: only a policy keeps it back, and no condition of a policy knows iBGP
//!   from eBGP.
//! * `adj-out` of 3.36 has a last column: "filtered" where a policy refused the route, "not
//!   filtered" where it was sent.
//! * `adj-out` of a session that is down ends with 1.
//! * An IPv6 route without a next hop has that of its session: over IPv4 that is malformed.
//! * Its connection to zebra ends it with FRR 8.4: an edge has a table and no FIB.

use std::fmt::Write;

use crate::prefix::{Bits, Prefix};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::sent::{self, LEAKS, may};
use crate::targets::file::parts::sessions::{said, typed};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{Commands, FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "gobgp",
    next_hops: &[Role::Trigger, Role::Edge],
    needs_neighbors: true,
    commands,
    loads_into: |role| match role {
        Role::Trigger => "the routes that gobgpd has from a trigger",
        // Each is the end of the whole file.
        Role::Edge | Role::Filter => "/etc/gobgpd.conf",
    },
    // From the table of a trigger; the parts are replaced whole.
    takes_away: true,
    too_many,
    render,
    ..Kind::ROUTER
};

fn commands(role: Role) -> Commands {
    match role {
        Role::Trigger => SCRIPT,
        Role::Edge | Role::Filter => PART,
    }
}

/// So many lines are run within the five minutes that a command has.
const MANY: usize = 12_000;

fn too_many(options: &FileOptions, v4: usize, v6: usize) -> Option<String> {
    let all = v4 + v6;
    let is = options.role == Role::Trigger && all > MANY;
    is.then(|| {
        format!(
            "{all} prefixes: above {MANY} GoBGP's command takes more than five minutes for the first load, and the \
             default reload is ended. Instead: a router of family \"bird\""
        )
    })
}

const SCRIPT: Commands = Commands {
    // Each line has the form of ours, and the policies are those of gobgpd.
    check: &[
        "sh",
        "-c",
        r##"octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
v4="($octet\.){3}$octet" v6='[0-9a-f:.]*:[0-9a-f:.]*'
p4="ipv4 $v4/(3[0-2]|[12]?[0-9])" p6="ipv6 $v6/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
form="gobgp global rib (del -a ($p4|$p6)|add -a ($p4 community 65535:666( nexthop $v4)?|$p6 community 65535:666( nexthop $v6)?))( #.*)?"
grep -nvE "^(#.*|set -e|$form)$" "$1"; [ $? -eq 1 ] || exit 1
out=$(sed -n 's/^#: //p' "$1" | gobgpd -d -p -f /dev/stdin 2>&1) || { printf '%s\n' "$out"; exit 1; }"##,
        "sh",
        "{file}",
    ],
    reload: &["sh", "-c", LACKING, "sh", "{file}", "load"],
    verify: &["sh", "-c", SENT, "sh", "{file}", LACKING, LEAKS],
};

/// A function of the shell that names the sets and policies of a file which gobgpd does not hold as
/// they stand there; in the file of a trigger they are comments.
macro_rules! other {
    () => {
        r#"other() {
held=$(gobgp policy prefix && gobgp policy as-path && gobgp policy neighbor &&
gobgp policy | sed -n 's/^ *[A-Za-z]*Name \(.*\):$/name \1/p') || return
printf '%s\n' "$held" | awk '
function other(what) { if (!(what in told)) { told[what]; printf "%s%s", sep, what; sep = ", " } }
function has(one, more) { of[set]++; if (!((set, one, more) in held)) other(set) }
FNR == NR { if (/^[^ ]/) { name = $1; sub(/^[^ ]+/, "") } if (NF) { held[name, $1, $2]; many[name]++ } next }
/^(#: )?name = / && !(("name", $2, "") in held) { other($2) }
/^(#: )?[a-z-]+-set-name = / { set = $2; of[set] += 0 }
/^(#: )? +([{]ip-prefix|")/ { has($2, $4) }
/^(#: )?neighbor-info-list / { for (i = 2; i < NF; i += 2) has($i (index($i, ":") ? "/128" : "/32"), "") }
END { for (name in of) if (of[name] != many[name] + 0) other(name) }' - FS='"' "$1"; }
"#
    };
}

/// Finds the lines whose result is not yet in the table, and runs them or tells of them. What was
/// to be taken away is not looked for afterwards: a neighbor may announce the same prefix.
const LACKING: &str = r#"gobgp global policy import | grep -qx 'Name NULLROUTED-IN:' && gobgp global policy export | grep -qx 'Name NULLROUTED-OUT:' || {
echo "NULLROUTED-IN and NULLROUTED-OUT of the file are not in force as import and export policy"; exit 1; }
held=$(gobgp global rib -a ipv4 && gobgp global rib -a ipv6) || exit
lines=$(printf '%s\n' "$held" | awk '
FNR == NR { if (/\*/ && /blackhole|65535:666/) { held[$2, $3]; any[$2] } next }
$1 != "gobgp" { next }
$4 == "del" && ($7 in any)
$4 == "add" { hop = $10 == "nexthop" ? $11 : $6 == "ipv4" ? "0.0.0.0" : "::"; if (!(($7, hop) in held)) print }' - "$1") || exit
if [ "$2" = load ]; then printf '%s\n' "$lines" | sh -e; exit; fi
lacks=$(printf '%s\n' "$lines" | grep -c ' add ')
[ "$lacks" -eq 0 ] || { echo "gobgpd lacks $lacks prefixes: not loaded since its start, or refused by its policies"; exit 1; }"#;

/// And what it sent to whom, and whether its policies are those of the file: these are in a file of
/// the operator.
const SENT: &str = concat!(
    other!(),
    r#"sh -c "$2" sh "$1" || exit
other=$(other "$1") || { echo 'gobgpd does not say which sets it holds'; exit 1; }
asn=$(gobgp global | sed -n 's/^AS: *//p')
peers=$(gobgp neighbor) || { printf '%s\n' "$peers" | tail -n 1; exit 1; }
{ sed -n '"#,
    may!(),
    r#"' "$1"
awk '/^gobgp global rib add / { print "listed", $7 }' "$1"
printf '%s\n' "$peers" | awk -v asn="$asn" '/ Establ/ { print $1, $2 == asn ? "ibgp" : "ebgp" }' | while read -r to kind; do
for family in ipv4 ipv6; do gobgp neighbor "$to" adj-out -a $family 2>/dev/null </dev/null; done |
awk -v to="${to%\%*}" -v kind="$kind" '!/ filtered *$/ || /not filtered *$/ { for (i = 1; i <= NF; i++) if ($i ~ /^[0-9a-f:.]+\/[0-9]+$/) { print "sent", to, kind, $i; break } }'
done; } | awk "$3"
code=$?
[ -z "$other" ] || { [ $code -ne 0 ] || code=5
echo "gobgpd holds another $other than the file: put this into gobgpd.conf in place of the former, send SIGHUP, reset neighbors that came or went:"
echo "sed -n 's/^#: //p' $1"; }
exit $code"#
);

const PART: Commands = Commands {
    check: &["gobgpd", "-d", "-p", "-f", "{file}"],
    reload: &[
        "sh",
        "-c",
        r#"own=/etc/gobgpd.own.conf conf=/etc/gobgpd.conf policy=$(sed -n 's/^name = "\(NULLROUTED-[A-Z]*\)"$/\1/p' "$1") try=0
grep -q "^[^#]*\"$policy\"" $own || { echo "$own does not name $policy in its list of policies"; exit 1; }
cp -p $own $conf.new && { echo; cat "$1"; } >> $conf.new || exit
out=$(gobgpd -d -p -f $conf.new 2>&1) || { printf '%s\n' "$out"; exit 1; }
mv $conf.new $conf && systemctl kill -s HUP gobgpd || exit
until why=$(sh -c "$2" sh "$1" 2>&1); do
[ $? -eq 2 ] && try=$((try + 10))
[ $((try += 1)) -le 30 ] || { echo "$why"; exit 1; }
sleep 1
done"#,
        "sh",
        "{file}",
        HELD,
    ],
    verify: &["sh", "-c", HELD, "sh", "{file}"],
};

/// Whether gobgpd holds the sets of a part, and its policy is in force. After a signal it takes its
/// time.
const HELD: &str = concat!(
    other!(),
    r#"other=$(other "$1") || { echo 'gobgpd does not say which sets it holds'; exit 1; }
[ -z "$other" ] || { echo "gobgpd holds another $other than the file: its log says why"; exit 1; }
policy=$(sed -n 's/^name = "\(NULLROUTED-[A-Z]*\)"$/\1/p' "$1")
gobgp global policy import | grep -qx "Name $policy:" && exit
echo "$policy is no import policy in force: named before it was there, it waits for a start of gobgpd"; exit 2"#
);

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut out = Text::with_room(4_000 + input.set().len() * 100);
    match options.role {
        Role::Trigger => trigger(&mut out, options, input),
        Role::Edge => edge(&mut out, options, input),
        Role::Filter => filter(&mut out, input),
    }
    out.done()
}

/// How the file of a trigger is used, and at which sessions.
fn trigger_use(options: &FileOptions) -> String {
    let mut text = TRIGGER.to_owned();
    said(
        &mut text,
        "1. Where no session carries anything but blackholes: all other routes are withdrawn from every neighbor.",
    );
    typed(&mut text, &["default-export-policy = \"reject-route\""]);
    said(
        &mut text,
        "2. Where sessions carry other routes too: your own policies stay, behind ours. A neighbor that is to have \
         nothing but blackholes is in a policy of yours, the first behind ours:",
    );
    typed(&mut text, &[ALONE]);
    let says = "NULLROUTED-OUT sends blackholes that were added here to the neighbors that are named, and refuses them to all \
                others.";
    said(&mut text, says);
    text.push_str(&sent::line(options));
    text.push_str(UNDO);
    text
}

const ALONE: &str = "\
[[defined-sets.neighbor-sets]]
neighbor-set-name = \"ALONE\"
neighbor-info-list = [\"ADDRESS\"]
[[policy-definitions]]
name = \"ALONE\"
[[policy-definitions.statements]]
name = \"ALONE\"
conditions.match-neighbor-set = {neighbor-set = \"ALONE\", match-set-options = \"any\"}
actions.route-disposition = \"reject-route\"";

const TRIGGER: &str = "\
Load:   sh THIS-FILE      (anew after each start of gobgpd; a second load changes nothing)
        Some fifty lines are run in a second. The default command leaves those out that are in force.
Use:    append to your gobgpd.conf what is printed by  nullrouted render NAME | sed -n 's/^#: //p'
        once and when it changes (the default command loads nothing before these policies are in force), and in that
         [global.apply-policy.config]
           import-policy-list = [\"NULLROUTED-IN\"]
           export-policy-list = [\"NULLROUTED-OUT\"]
        All in one load: a list that names a policy before it is there waits for a start of gobgpd.
        After a change of neighbors and SIGHUP, one that came receives nothing before
        gobgp neighbor ADDRESS softresetout, and one that went keeps what it has, unseen, until gobgp neighbor ADDRESS reset.
        These are the policies of all neighbors; with others of yours, put ours before them.
        With default-import-policy = \"reject-route\" nothing of this file is taken, and nobody says so.
        IPv6 without next_hop_v6 is for a session between IPv6 addresses: over IPv4 its next hop is malformed.
";

const UNDO: &str = "\
Undo:   sed -n 's/^\\(gobgp .*\\) add \\(.*\\) community .*/\\1 del \\2/p' THIS-FILE | sh
        then take the policies out, and send SIGHUP
A route of your own for one of these prefixes is replaced, and taken away with it.
";

fn trigger(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.head_for(options, "#", &trigger_use(options)));
    let mut policy = Text::default();
    own(&mut policy, input, "OWN");
    policy.push(COMMUNITY);
    policy.push("[[policy-definitions]]\nname = \"NULLROUTED-IN\"\n");
    for family in ["V4", "V6"] {
        statement(&mut policy, &format!("IN-{family}"));
        is_of(&mut policy, &format!("OWN-{family}"));
        policy.push(HAS_COMMUNITY);
        policy.push(REJECT);
    }
    let named: Vec<_> = options
        .neighbors
        .iter()
        .map(|named| format!("\"{named}\""))
        .collect();
    if !named.is_empty() {
        policy
            .push("[[defined-sets.neighbor-sets]]\nneighbor-set-name = \"NULLROUTED-NEIGHBORS\"\n");
        let _ = writeln!(policy, "neighbor-info-list = [{}]", named.join(", "));
    }
    policy.push("[[policy-definitions]]\nname = \"NULLROUTED-OUT\"\n");
    // What was added here, and not what a neighbor announced.
    let local = "conditions.bgp-conditions.route-type = \"local\"\n";
    if !named.is_empty() {
        statement(&mut policy, "OUT");
        policy.push(IS_NAMED);
        policy.push(HAS_COMMUNITY);
        policy.push(local);
        policy.push(ACCEPT);
        policy.push(NO_EXPORT);
    }
    statement(&mut policy, "OUT-TO-OTHERS");
    policy.push(HAS_COMMUNITY);
    policy.push(local);
    policy.push(REJECT);
    for line in policy.done().lines() {
        let _ = writeln!(out, "#: {line}");
    }
    out.push("#\nset -e\n");
    out.lines(
        "gobgp global rib del -a ipv4 ",
        &input.to_unconfigure.v4,
        "",
    );
    out.lines(
        "gobgp global rib del -a ipv6 ",
        &input.to_unconfigure.v6,
        "",
    );
    let [v4, v6] = options.next_hops().map(|next_hop| match next_hop {
        Some(next_hop) => format!(" community 65535:666 nexthop {next_hop}"),
        None => " community 65535:666".to_owned(),
    });
    input.v4(|prefix, reason| out.entry("gobgp global rib add -a ipv4 ", prefix, &v4, reason));
    input.v6(|prefix, reason| out.entry("gobgp global rib add -a ipv6 ", prefix, &v6, reason));
}

const EDGE: &str = "\
Load:   cat YOUR-PART THIS-FILE > /etc/gobgpd.conf, and send SIGHUP: systemctl kill -s HUP gobgpd
        The default command does this with /etc/gobgpd.own.conf as your part.
        Debian's `systemctl reload gobgpd` sends no signal. The log alone says whether the file was taken.
Use:    in your part, from its first load with this file on
         [global.apply-policy.config]
           import-policy-list = [\"NULLROUTED-EDGE\"]
         [neighbors.afi-safis.prefix-limit.config]          (behind each address family)
           max-prefixes = NUMBER
        Nothing but blackholes passes, from whichever neighbor: for a gobgpd that has the trigger or its route
        reflector as neighbors, and those whom it tells of them.
Undo:   take the list of policies out, load your part alone
A list of policies that is loaded without this file takes all, and with it until the next start of gobgpd.
GoBGP has a table and no FIB: nothing is dropped here. Whoever has these routes from it drops by the next hop.
";

fn edge(out: &mut Text, options: &FileOptions, input: &FileInput) {
    out.push(&input.edge_head("#", EDGE));
    own(out, input, "EDGE-OWN");
    let covers = input.covers();
    networks(out, "EDGE-COVER-V4", false, &covers.v4);
    networks(out, "EDGE-COVER-V6", false, &covers.v6);
    let limits = input.limits;
    let long = [
        ("V4", "0.0.0.0/0", limits.shortest_v4, 32),
        ("V6", "::/0", limits.shortest_v6, 128),
    ];
    for (family, all, shortest, longest) in long {
        prefix_set(out, &format!("LONG-{family}"));
        let _ = writeln!(
            out,
            "  {{ip-prefix = \"{all}\", masklength-range = \"{shortest}..{longest}\"}},\n]"
        );
    }
    out.push(COMMUNITY);
    out.push("[[policy-definitions]]\nname = \"NULLROUTED-EDGE\"\n");
    for set in ["EDGE-OWN", "EDGE-COVER"] {
        for family in ["V4", "V6"] {
            statement(out, &format!("{set}-{family}"));
            is_of(out, &format!("{set}-{family}"));
            out.push(REJECT);
        }
    }
    let next_hops = [
        ("V4", options.discard_v4().to_string()),
        ("V6", options.discard_v6().to_string()),
    ];
    for (family, next_hop) in next_hops {
        statement(out, &format!("EDGE-{family}"));
        is_of(out, &format!("LONG-{family}"));
        out.push(HAS_COMMUNITY);
        out.push(ACCEPT);
        let _ = writeln!(
            out,
            "actions.bgp-actions.set-next-hop = \"{next_hop}\"\nactions.bgp-actions.set-local-pref = 200"
        );
        out.push(NO_EXPORT);
    }
    // It has no condition.
    statement(out, "EDGE-OTHERS");
    out.push(REJECT);
}

const FILTER: &str = "\
Load:   cat YOUR-PART THIS-FILE > /etc/gobgpd.conf, and send SIGHUP: systemctl kill -s HUP gobgpd
        The default command does this with /etc/gobgpd.own.conf as your part.
        Debian's `systemctl reload gobgpd` sends no signal. The log alone says whether the file was taken.
Use:    in your part, from its first load with this file on
         [global.apply-policy.config]
           import-policy-list = [\"NULLROUTED-FILTER\"]
        This is the policy of all neighbors; with others of yours, put ours before them.
Undo:   take the list of policies out, load your part alone
A list of policies that is loaded without this file refuses nothing, and with it only after a start of gobgpd.
";

fn filter(out: &mut Text, input: &FileInput) {
    out.push(&input.head("#", FILTER));
    prefix_set(out, "FILTER-V4");
    let after = and_inside::<u32>();
    input.v4(|prefix, reason| out.entry(ENTRY, prefix, &after[usize::from(prefix.len())], reason));
    out.push("]\n");
    prefix_set(out, "FILTER-V6");
    let after = and_inside::<u128>();
    input.v6(|prefix, reason| out.entry(ENTRY, prefix, &after[usize::from(prefix.len())], reason));
    out.push(
        "]
[[defined-sets.bgp-defined-sets.as-path-sets]]
as-path-set-name = \"NULLROUTED-ORIGINS\"
as-path-list = [
",
    );
    for asn in input.origins() {
        let _ = writeln!(out, "  \"_{asn}$\",");
    }
    out.push("]\n[[policy-definitions]]\nname = \"NULLROUTED-FILTER\"\n");
    for family in ["V4", "V6"] {
        statement(out, &format!("FILTER-{family}"));
        is_of(out, &format!("FILTER-{family}"));
        out.push(REJECT);
    }
    statement(out, "FILTER-ORIGINS");
    out.push(
        "conditions.bgp-conditions.match-as-path-set = \
         {as-path-set = \"NULLROUTED-ORIGINS\", match-set-options = \"any\"}\n",
    );
    out.push(REJECT);
}

const COMMUNITY: &str = "\
[[defined-sets.bgp-defined-sets.community-sets]]
community-set-name = \"NULLROUTED\"
community-list = [\"65535:666\"]
";
const HAS_COMMUNITY: &str = "conditions.bgp-conditions.match-community-set = \
                             {community-set = \"NULLROUTED\", match-set-options = \"any\"}\n";
const IS_NAMED: &str = "conditions.match-neighbor-set = \
                        {neighbor-set = \"NULLROUTED-NEIGHBORS\", match-set-options = \"any\"}\n";
const ACCEPT: &str = "actions.route-disposition = \"accept-route\"\n";
const REJECT: &str = "actions.route-disposition = \"reject-route\"\n";
const NO_EXPORT: &str = "actions.bgp-actions.set-community = \
                         {options = \"add\", set-community-method = {communities-list = [\"no-export\"]}}\n";

fn statement(out: &mut Text, name: &str) {
    let _ = writeln!(
        out,
        "[[policy-definitions.statements]]\nname = \"NULLROUTED-{name}\""
    );
}

/// The condition that a prefix is of this set.
fn is_of(out: &mut Text, name: &str) {
    let _ = writeln!(
        out,
        "conditions.match-prefix-set = {{prefix-set = \"NULLROUTED-{name}\", match-set-options = \"any\"}}"
    );
}

/// The beginning of a set.
fn prefix_set(out: &mut Text, name: &str) {
    let _ = writeln!(
        out,
        "[[defined-sets.prefix-sets]]\nprefix-set-name = \"NULLROUTED-{name}\"\nprefix-list = ["
    );
}

/// What stands before the prefix of an element.
const ENTRY: &str = "  {ip-prefix = \"";

/// What stands after a prefix of each length: it, and what is inside of it.
fn and_inside<B: Bits>() -> Vec<String> {
    let width = B::WIDTH;
    let after = |len| format!("\", masklength-range = \"{len}..{width}\"}},");
    (0..=width).map(after).collect()
}

/// The operator's own networks, and what is inside of them.
fn own(out: &mut Text, input: &FileInput, name: &str) {
    let own = input.own();
    networks(out, &format!("{name}-V4"), true, &own.v4);
    networks(out, &format!("{name}-V6"), true, &own.v6);
}

/// A set of these, and of what is `inside` of them where that is said.
fn networks<B: Bits>(out: &mut Text, name: &str, inside: bool, prefixes: &[Prefix<B>]) {
    prefix_set(out, name);
    for prefix in prefixes {
        let len = prefix.len();
        let longest = if inside { B::WIDTH } else { len };
        let _ = writeln!(
            out,
            "{ENTRY}{prefix}\", masklength-range = \"{len}..{longest}\"}},"
        );
    }
    out.push("]\n");
}
