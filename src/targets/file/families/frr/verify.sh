# Compares the file $1 with what FRR holds: lists and clauses in bgpd, copies of them in other
# daemons, and the static routes of an edge. Then it asks which neighbors were sent what a trigger
# announces, of some prefixes from all over the list. Ends with 1 where the file is not in force,
# and with 3 where it is and a neighbor received what it may not have. $2 finds the line of the head
# that says which may, $3 compares (`parts/sent.rs`).
differs=$(running bgpd | plan "$1" seen)
[ -z "$differs" ] || {
# Through a pipe: lists of this length are no words of a command.
printf '%s\n' "$differs" | awk -v file="$1" '
/^no / { if (over == "") over = substr($0, 4); next }
lacks == "" { lacks = $0 }
END {
    printf "bgpd differs from the file in %d line%s.", NR, NR == 1 ? "" : "s"
    if (over != "") {
        take = "\"no " over "\""
        # A line of a clause is taken out within it.
        if (match(over, /^route-map [^ ]+ [^ ]+ [0-9]+ /))
            take = "\"" substr(over, 1, RLENGTH - 1) "\" -c \"no " substr(over, RLENGTH + 1) "\""
        printf " It has \"%s\", which is not in the file: vtysh -d bgpd -c \"configure terminal\" -c %s takes it out.", over, take
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
# Twenty prefixes of the family $2, from all over those whose best path this router originates with
# the community. Where the file has a list for $3, only what is in it.
prefixes() {
    ask -c "show bgp $2 unicast community 65535:666" | awk -v list="^NULLROUTED-$3(-[0-9]+)?$" -v any="NULLROUTED-LENGTHS-$3" "$ADDRESS"'
    FNR == NR && $3 == any { all = 1 }
    FNR == NR && $3 ~ list && $6 == "permit" { listed[plain($7)] }
    FNR == NR { next }
    substr($0, 1, 6) ~ /\*/ { best = substr($0, 1, 6) ~ />/ }
    match($0, /[0-9a-f:.]+\/[0-9]+/) { prefix = substr($0, RSTART, RLENGTH) }
    best && $NF ~ /^[ie?]$/ && $(NF - 1) == 32768 && ($(NF - 3) !~ /^[0-9a-f.:]+$/ || $(NF - 3) ~ /^(0\.0\.0\.0|::)$/) {
        if (all || plain(prefix) in listed) print prefix
    }' "$1" - | awk '{ all[NR] = $0 } END { step = NR > 20 ? NR / 20 : 1; for (i = 1; i <= NR; i += step) print all[int(i)] }'
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
            # Of a neighbor in the same confederation, too, no-export keeps nothing back.
            case $about in
            *'"nbrInternalLink":true'* | *'"nbrConfedInternalLink":true'* | *'"nbrCommonAdmin":true'*) kind=ibgp ;;
            *) kind=ebgp ;;
            esac
        }
        echo "sent ${address:-$neighbor} $kind $prefix"
    done
} | awk -v least='at least ' "$3"
