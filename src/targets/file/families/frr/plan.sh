# An IPv6 prefix with an IPv4 address in it, such as ::192.0.2.1/128, in hexadecimal digits:
# versions of FRR differ in which ones they show so.
ADDRESS='
function plain(field,  parts, octet) {
    if (field !~ /:[0-9]+\.[0-9.]+/) return field
    match(field, /[0-9]+\.[0-9.]+/)
    split(substr(field, RSTART, RLENGTH), octet, ".")
    return substr(field, 1, RSTART - 1) sprintf("%x:%x", octet[1] * 256 + octet[2], octet[3] * 256 + octet[4]) substr(field, RSTART + RLENGTH)
}
'
# Reads what a daemon holds, then the file of this router (see `plan`), and prints the commands that
# lead from the one to the other.
#
# The order: lists first, in each list the entries that go before those that come; then the clauses
# of route-maps; then what only a former file had, clauses before the lists that they match. So no
# clause stands without its list.
#
# A clause is made line by line, and a load may stop after each of them. So one that has no match
# yet stands with the other action: what permits begins as one that denies, and what denies in a
# filter, where all would be refused, as one that permits. One of NULLROUTED-IN begins with the list
# of own networks, which an earlier clause denies already: it neither permits more than it will, nor
# denies what a later clause permits.
PLAN=$ADDRESS'
function list_of(line) {
    if (match(line, /^(ip|ipv6) prefix-list NULLROUTED[^ ]* |^bgp (as-path access-list|community-list standard) NULLROUTED[^ ]* /))
        return substr(line, 1, RLENGTH - 1)
    return ""
}
# Lists and maps that another way of `lists` has.
function is_former_list(list) {
    if (trigger) return list ~ / NULLROUTED-(LENGTHS-)?V[46](-[0-9]+)?$/
    return filter && list ~ / NULLROUTED-FILTER-V[46](-[0-9]+)?$/
}
function is_former_map(map) { return trigger && map ~ /^NULLROUTED-LISTED-V[46]$/ }
# What a line of a clause is about, without its value: a line replaces the one of the same subject.
function subject(line,  word, words) {
    sub(/^ (no )?/, "", line)
    words = split(line, word, " ")
    if (word[1] == "call" || word[1] == "on-match") return word[1]
    if (word[2] !~ /^ip(v6)?$/) return word[1] " " word[2]
    if (words > 4) return word[1] " " word[2] " " word[3] " " word[4]
    return words == 4 && word[4] !~ /[0-9]/ ? line : word[1] " " word[2] " " word[3]
}
# bgpd 8.4 does not show what the file says of the source.
function is_held(key, line) { return (key, line) in held_body || seen && !shows_source && line ~ /^ match source-protocol / }
function print_body(  i) { for (i = 1; i <= lines; i++) print body[i] }
function print_extra(  i) { for (i = 1; i <= extras; i++) print extra[i] }
# With `seen` a line that the clause has too much or lacks, as the whole clause in one.
function tell(no, action, line) { if (seen) print no "route-map " name " " action " " number line }
# Whether the clause is held otherwise. Sets `extra`, which takes away the lines that it has too
# much, and `bare`, whether it lacks a match.
function differs(key,  i, is_other, about, line) {
    extras = bare = 0
    if (held_action[key] != action) {
        is_other = 1
        tell("no ", held_action[key])
        tell("", action)
    }
    for (i = 1; i <= lines; i++) {
        line = body[i]
        about[subject(line)]
        if (line ~ /^ no / && (key, subject(line)) in held_subject) {
            is_other = 1
            tell("no ", action, held_subject[key, subject(line)])
        } else if (line !~ /^ no / && !is_held(key, line)) {
            is_other = 1
            tell("", action, line)
        }
        if (line ~ /^ (match|call) / && line !~ / source-protocol / && !((key, line) in held_body)) bare = 1
    }
    for (i = 1; i <= held_lines[key]; i++) {
        line = held_line[key, i]
        if (subject(line) in about || line ~ /^ description /) continue
        tell("no ", action, line)
        sub(/^ call .*/, " call", line)
        sub(/^ on-match goto .*/, " on-match goto", line)
        extra[++extras] = " no" line
    }
    return is_other || extras
}
function clause(  key, i, ip, own, other, is_matched, first) {
    key = name " " number
    for (i = 1; i <= lines; i++) if (body[i] ~ /^ (match|call) /) is_matched = 1
    if (!(key in held_action)) { extras = 0; bare = 1; tell("", action) }
    else if (!differs(key)) return
    if (seen) return
    in_clause = 1
    first = name == "NULLROUTED-FILTER" ? "permit" : "deny"
    if (!is_matched || action == first || !bare && held_action[key] == action) {
        print "route-map " name " " action " " number
        print_body()
        print_extra()
        return
    }
    print "route-map " name " " first " " number
    if (name !~ /^NULLROUTED-IN6?$/) {
        print_body()
        print_extra()
        print "route-map " name " " action " " number
        return
    }
    ip = name ~ /6$/ ? "ipv6" : "ip"
    own = " match " ip " address prefix-list NULLROUTED-OWN-" (ip == "ip" ? "V4" : "V6")
    other = " no" own
    print own
    for (i = 1; i <= lines; i++)
        if (subject(body[i]) == subject(own)) other = body[i]
        else print body[i]
    for (i = 1; i <= extras; i++) if (subject(extra[i]) != subject(own)) print extra[i]
    print "exit\nroute-map " name " permit " number "\n" other
}
BEGIN { copy = how == "copy"; seen = how == "seen" }
/^ipv6 prefix-list .*:[0-9]+\./ { $7 = plain($7) }
{ list = list_of($0) }
held && list != "" { was[$0]; if (!(list in count)) lists_held[++held_lists] = list; entry[list, ++count[list]] = $0; next }
held && /^route-map NULLROUTED/ { key = $2 " " $4; held_action[key] = $3; held_clause[++held_clauses] = key; map_of[key] = $2; next }
held && /^ / && key != "" {
    held_body[key, $0]
    held_line[key, ++held_lines[key]] = $0
    held_subject[key, subject($0)] = $0
    if (/^ match source-protocol /) shows_source = 1
    next
}
held { key = ""; next }
/^!/ { next }
{ file[++last] = $0 }
list != "" { is[$0]; is_list[list]; next }
/^route-map / { now = $2 " " $4; is_clause[now] = $3; is_map[$2]; if ($2 == "NULLROUTED-OUT") trigger = 1; if ($2 == "NULLROUTED-FILTER") filter = 1; next }
/^ / { is_body[now, $0] }
END {
    for (i = 1; i <= last && !copy; i++) {
        list = list_of(file[i])
        if (list != "") {
            if (!(list in begun))
                for (j = 1; j <= count[list]; j++)
                    if (!(entry[list, j] in is)) print "no " entry[list, j]
            begun[list]
            if (!(file[i] in was)) print file[i]
            was[file[i]]
        } else if (file[i] ~ /^route-map /) {
            split(file[i], words, " ")
            name = words[2]; action = words[3]; number = words[4]
            for (lines = 0; file[i + 1] ~ /^ /; i++) body[++lines] = file[i + 1]
            clause()
        }
    }
    if (in_clause) print "exit"
    for (i = 1; i <= held_clauses; i++) {
        key = held_clause[i]
        if (!(map_of[key] in is_map)) continue
        over = !(key in is_clause)
        if (copy && !over) {
            over = is_clause[key] != held_action[key]
            for (j = 1; j <= held_lines[key]; j++) if (!((key, held_line[key, j]) in is_body)) over = 1
        }
        split(key, words, " ")
        if (over) print "no route-map " words[1] " " held_action[key] " " words[2]
    }
    for (i = 1; i <= held_clauses; i++) {
        map = map_of[held_clause[i]]
        if (!(map in is_map) && is_former_map(map) && !(map in gone)) print "no route-map " map
        gone[map]
    }
    for (i = 1; i <= held_lists; i++) {
        list = lists_held[i]
        if (!(list in is_list)) { if (is_former_list(list)) print "no " list }
        else for (j = 1; j <= count[list] && copy; j++) if (!(entry[list, j] in is)) print "no " entry[list, j]
    }
}'
# vtysh without what it says of its own vtysh.conf, which is for FRR's user alone: it goes on, and
# ends well.
vtysh() {
    { said=$(command vtysh "$@" 2>&1 >&3 3>&-); ended=$?; } 3>&1
    [ -z "$said" ] || printf '%s\n' "$said" | awk '/^% Can.t open configuration file [^ ]*\/vtysh\.conf due to / { conf = 1; next }
conf && /^Configuration file\[.*\] processing failure: / { conf = 0; next }
{ conf = 0; print }' >&2
    return $ended
}
# What bgpd holds against the file $1, by its running configuration. With `seen` as $2 it prints
# what differs, as far as bgpd shows it: what the file has, and what bgpd has too much after `no`.
# With `copy`: what a copy in another daemon has too much.
plan() { awk -v how="${2:-}" "$PLAN" held=1 - held=0 "$1"; }
# The other daemons, which keep copies of lists after they have started with frr.conf; by their
# sockets where those are in the usual place. Since FRR 10 zebra has the lists from mgmtd, and gives
# them up with it; in FRR 9 mgmtd has none. staticd has none.
others() {
    skip='bgpd|watchfrr|staticd'
    names=$(sockets)
    case $names in
    *mgmtd*) vtysh -d mgmtd -c 'show version' 2>/dev/null | grep -q '^FRRouting [0-9][0-9]' && skip="$skip|zebra" ;;
    esac
    printf '%s\n' "$names" | grep -vxE "|$skip"
}
sockets() {
    for socket in /run/frr/*.vty; do
        if [ -e "$socket" ]; then
            socket=${socket##*/}
            echo "${socket%.vty}"
        else
            vtysh -c 'show daemons' 2>/dev/null | tr ' ' '\n'
        fi
    done
}
running() { vtysh -d "$1" -c 'show running-config'; }
