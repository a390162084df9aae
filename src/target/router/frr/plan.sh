# Reads what a daemon holds, then the file of this router (see `plan`), and prints the commands that lead from the one to
# the other. With `copy` set it prints what a copy of the lists in another daemon has too much.
#
# The order: lists first, in each list the entries that go before those that come; then the clauses of route-maps; then what
# only a former file had, clauses before the lists that they match. So no clause stands without its list. A clause that
# permits begins as one that denies, and one of NULLROUTED-IN with the list of own networks, which an earlier clause denies
# already: it never permits more than it will.
PLAN='
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
function print_clause(action,  i) {
    print "route-map " name " " action " " number
    for (i = 1; i <= lines; i++) print body[i]
}
function differs(key,  i, command) {
    if (held_action[key] != action) return 1
    for (i = 1; i <= lines; i++)
        if (body[i] ~ /^ no /) {
            command = " " substr(body[i], 5)
            sub(/ [0-9a-f:]+$/, "", command)
            if ((key, command) in held_command) return 1
        } else if (!((key, body[i]) in held_body)) return 1
    return 0
}
function clause(  key, i, ip, own, other) {
    key = name " " number
    if (key in held_action && !differs(key)) return
    in_clause = 1
    if (key in held_action || action != "permit" || number == 65535 || is_former_map(name)) {
        print_clause(action)
        return
    }
    if (name !~ /^NULLROUTED-IN6?$/) {
        print_clause("deny")
        print "exit\nroute-map " name " permit " number
        return
    }
    ip = name ~ /6$/ ? "ipv6" : "ip"
    own = " match " ip " address prefix-list NULLROUTED-OWN-" (ip == "ip" ? "V4" : "V6")
    other = " no" own
    print "route-map " name " deny " number "\n" own
    for (i = 1; i <= lines; i++)
        if (body[i] ~ /^ match ipv?6? address /) other = body[i]
        else print body[i]
    print "exit\nroute-map " name " permit " number "\n" other
}
{ list = list_of($0) }
held && list != "" { was[$0]; if (!(list in count)) lists_held[++held_lists] = list; entry[list, ++count[list]] = $0; next }
held && /^route-map NULLROUTED/ { key = $2 " " $4; held_action[key] = $3; held_clause[++held_clauses] = key; map_of[key] = $2; next }
held && /^ / && key != "" {
    held_body[key, $0]
    held_line[key, ++held_lines[key]] = $0
    command = $0
    sub(/ [0-9a-f:.]+$/, "", command)
    held_command[key, command]
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
# What bgpd holds against the file $1; with any $2 what a copy in another daemon has too much. Reads the running configuration.
plan() { awk -v copy="${2:-}" "$PLAN" held=1 - held=0 "$1"; }
# The other daemons, which keep copies of lists after they have started with frr.conf; by their sockets where those are in
# the usual place. Where there is mgmtd, zebra has the lists from it, and gives them up with it. staticd has none.
others() {
    names=$(sockets)
    case $names in
    *mgmtd*) skip='|bgpd|watchfrr|staticd|zebra' ;;
    *) skip='|bgpd|watchfrr|staticd' ;;
    esac
    printf '%s\n' "$names" | grep -vxE "$skip"
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
