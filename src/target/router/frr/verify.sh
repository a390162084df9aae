# Compares the file $1 with what FRR holds: lists, clauses and what they match in bgpd, copies of them in other daemons, and
# the static routes of an edge. Then it asks which neighbors were sent what a trigger announces, of some prefixes from all
# over the list. Ends with 1 where the file is not in force, and with 3 where it is and a neighbor received what it may not
# have. $2 finds the line of the head that says which may, $3 compares (`router/sent.rs`).
name='^(ip prefix-list|ipv6 prefix-list|route-map|bgp as-path access-list|bgp community-list standard) [^ ]+ '
lines() { awk '/^(ip|ipv6) prefix-list |^bgp (as-path access-list|community-list standard) / { print; next }
/^route-map / { map = $0; print; next }
/^[^ ]/ { map = "" }
map != "" && /^ (match (community|as-path|ip address|ipv6 address)|call) / { print map $0 }' "$@" | sort -u; }
all=$(lines "$1")
held=$(running bgpd | lines | grep -F "$(printf '%s\n' "$all" | grep -oE "$name" | sort -u)")
[ "$held" = "$all" ] || {
# Through a pipe: lists of this length are no words of a command.
printf '%s\n' "$held" = "$all" | awk -v file="$1" '
$0 == "=" { in_file = 1; next }
!NF { next }
!in_file { was[$0]; all[++held] = $0; next }
{ is[$0]; many++; if (lacks == "" && !($0 in was)) lacks = $0 }
END {
    printf "bgpd holds other entries than the file, %d for %d.", held, many
    for (i = 1; i <= held && over == ""; i++) if (!(all[i] in is)) over = all[i]
    if (over != "") {
        # What takes a clause away names nothing that it matches.
        take = over
        if (split(over, words, " ") && words[1] == "route-map") take = "route-map " words[2] " " words[3] " " words[4]
        printf " It has \"%s\", which is not in the file: vtysh -d bgpd -c \"configure terminal\" -c \"no %s\" takes it out.", over, take
    }
    if (lacks != "") printf " It lacks \"%s\": vtysh -f %s loads it.", lacks, file
    print " Then nullrouted refresh"
}'
exit 1; }
for daemon in $(others); do
    over=$(running "$daemon" 2>/dev/null | plan "$1" copy)
    [ -z "$over" ] || {
    echo "$daemon keeps $(printf '%s\n' "$over" | grep -c .) entries that are gone from the file, and write memory would save them"
    exit 1; }
done
if routes=$(grep -E '^ip(v6)? route ' "$1"); then
    # staticd has its routes itself up to FRR 9, mgmtd has them since FRR 10.
    held=$(for daemon in staticd mgmtd; do running $daemon 2>/dev/null; done | sort -u | grep -cxF "$routes")
    [ "$held" -eq "$(printf '%s\n' "$routes" | grep -c .)" ] || { echo 'FRR lacks a static route that drops: neither staticd nor mgmtd has it'; exit 1; }
    vtysh -d staticd -c 'show version' >/dev/null 2>&1 || { echo 'staticd does not run, so no route drops what the trigger announces'; exit 1; }
fi

# The line of the head that says which neighbors may receive it.
may=$(sed -n "$2" "$1")
[ -n "$may" ] || exit 0
ask() { vtysh -d bgpd "$@" 2>/dev/null; }
# Twenty prefixes of a list, from all over it. Without a list those that this router originates with the community.
sample() { awk '{ all[NR] = $0 } END { step = NR > 20 ? NR / 20 : 1; for (i = 1; i <= NR; i += step) print all[int(i)] }'; }
prefixes() {
    if grep -q "prefix-list NULLROUTED-LENGTHS-$3 seq" "$1"; then
        ask -c "show bgp $2 unicast community 65535:666" |
            awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9a-f.:]+\/[0-9]+$/) prefix = $i } / 32768 / { print prefix }'
    else
        sed -nE "s/^ip(v6)? prefix-list NULLROUTED-$3(-[0-9]+)? seq [0-9]+ permit ([^ ]+)$/\3/p" "$1"
    fi | sample
}
# A line a neighbor and prefix: whom bgpd sent it.
sent() {
    set --
    for prefix in $v4; do set -- "$@" -c "show bgp ipv4 unicast $prefix json"; done
    for prefix in $v6; do set -- "$@" -c "show bgp ipv6 unicast $prefix json"; done
    [ $# -eq 0 ] || ask "$@" | tr -d ' \n' | grep -oE '"prefix":"[^"]*"|"advertisedTo":\{("[^"]*":\{[^{}]*\},?)*\}' |
        awk -F'"' '$2 == "prefix" { prefix = $4 } $2 == "advertisedTo" { for (i = 4; i < NF; i++) if ($(i + 1) ~ /^:\{/) print $i, prefix }'
}
v4=$(prefixes "$1" ipv4 V4)
v6=$(prefixes "$1" ipv6 V6)
{
    printf '%s\n' "$may"
    for prefix in $v4 $v6; do echo "listed $prefix"; done
    sent | sort | while read -r neighbor prefix; do
        [ "$neighbor" = "$known" ] || {
            known=$neighbor
            about=$(ask -c "show bgp neighbors $neighbor json" | tr -d ' \n')
            address=$(printf '%s\n' "$about" | sed -nE 's/.*"bgpNeighborAddr":"([^"]*)".*/\1/p')
            case $about in *'"nbrInternalLink":true'*) kind=ibgp ;; *) kind=ebgp ;; esac
        }
        echo "sent ${address:-$neighbor} $kind $prefix"
    done
} | awk -v least='at least ' "$3"
