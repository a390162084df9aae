# Loads the file $1 into FRR. $2 is the file itself, or what leads to it from the one that bgpd holds.

# vtysh ends well and says nothing that begins with `%`. FRR 10.7 says `% Configuration applied with notes:` where all of it
# was taken.
taken() {
    out=$("$@" 2>&1)
    rc=$?
    [ -z "$out" ] || printf '%s\n' "$out"
    [ $rc -eq 0 ] && ! printf '%s\n' "$out" | grep -v '^% Configuration applied with notes:' | grep -q '^%'
}
# The commands in $2 into the daemon $1.
into() { [ -z "$2" ] || printf '%s\n' "$2" | taken vtysh -d "$1" -f /dev/stdin; }

if [ "$1" = "$2" ]; then
    held=$(running bgpd) || exit 1
    into bgpd "$(printf '%s\n' "$held" | plan "$1")" || exit 1
else
    taken vtysh -d bgpd -f "$2" || exit 1
fi
# `write memory` saves what any daemon holds, so what is gone must not stay in a copy.
for daemon in $(others); do
    copy=$(running "$daemon" 2>/dev/null)
    case $copy in *NULLROUTED*) ;; *) continue ;; esac
    gone=$(
        [ "$1" = "$2" ] || grep -E '^no (ip|ipv6) prefix-list |^no route-map ' "$2"
        printf '%s\n' "$copy" | plan "$1" copy
    )
    into "$daemon" "$gone" || exit 1
done
grep -qE '^ip(v6)? route ' "$1" || exit 0
# Only an edge has them. Without -d they go to staticd, or since FRR 10 to mgmtd.
set -- vtysh -c 'configure terminal' -c "$(grep '^ip route ' "$1")" -c "$(grep '^ipv6 route ' "$1")"
taken "$@"
