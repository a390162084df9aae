# Loads the file $1 into FRR. $2 is the file itself, or what leads to it from the one that bgpd
# holds.
file=$1
what=$2

# vtysh ends well and says nothing that begins with `%`. FRR 10.7 says `% Configuration applied with
# notes:` where all of it was taken.
taken() {
    out=$("$@" 2>&1)
    rc=$?
    [ -z "$out" ] || printf '%s\n' "$out"
    case $out in
    *%*) [ $rc -eq 0 ] && ! printf '%s\n' "$out" | grep -v '^% Configuration applied with notes:' | grep -q '^%' ;;
    *) return $rc ;;
    esac
}
# The commands in $2 into the daemon $1.
into() { [ -z "$2" ] || printf '%s\n' "$2" | taken vtysh -d "$1" -f /dev/stdin; }
# Into bgpd: a difference as it is, and of a whole file what bgpd does not hold.
load() {
    if [ "$file" != "$what" ]; then
        taken vtysh -d bgpd -f "$what"
        return
    fi
    held=$(running bgpd) && into bgpd "$(printf '%s\n' "$held" | plan "$file")"
}
# `write memory` saves what any daemon holds, so what is gone must not stay in the copy that the
# daemon $1 may have.
strip() {
    copy=$(running "$1" 2>/dev/null)
    case $copy in *NULLROUTED*) ;; *) return 0 ;; esac
    gone=$(
        [ "$file" = "$what" ] || grep -E '^no (ip|ipv6) prefix-list |^no route-map ' "$what"
        printf '%s\n' "$copy" | plan "$file" copy
    )
    into "$1" "$gone"
}

# All at once: each start of vtysh takes some milliseconds.
load &
jobs=$!
for daemon in $(others); do
    strip "$daemon" &
    jobs="$jobs $!"
done
failed=0
for job in $jobs; do wait "$job" || failed=1; done
[ $failed -eq 0 ] || exit 1
grep -qE '^ip(v6)? route ' "$file" || exit 0
# Only an edge has them. Without -d they go to staticd, or since FRR 10 to mgmtd.
taken vtysh -c 'configure terminal' -c "$(grep '^ip route ' "$file")" -c "$(grep '^ipv6 route ' "$file")"
