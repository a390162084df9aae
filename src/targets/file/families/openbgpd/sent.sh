sh -c "$2" sh "$1" || exit
ask=$(bgpctl show neighbor) || { printf '%s\n' "$ask" | tail -n 1; exit 1; }
{ sed -n "$4" "$1"
awk '/^prefix-set "nullrouted[46]"/ { on = 1; next } /^}/ { on = 0 } on { print "listed", $1 }' "$1"
printf '%s\n' "$ask" | awk '/^BGP neighbor is / { to = $4; sub(/,$/, "", to) } /BGP state = Established/ { print to }' | while read -r to; do
bgpctl show rib out neighbor "$to" community 65535:666 | awk -v to="$to" '{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9a-f:.]+\/[0-9]+$/) { print "sent", to, "any", $i; break } }'
done; } | awk "$3"
