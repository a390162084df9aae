sh -c "$2" sh "$1" || exit
other=$(other "$1") || { echo 'gobgpd does not say which sets it holds'; exit 1; }
asn=$(gobgp global | sed -n 's/^AS: *//p')
peers=$(gobgp neighbor) || { printf '%s\n' "$peers" | tail -n 1; exit 1; }
{ sed -n "$4" "$1"
awk '/^gobgp global rib add / { print "listed", $7 }' "$1"
printf '%s\n' "$peers" | awk -v asn="$asn" '/ Establ/ { print $1, $2 == asn ? "ibgp" : "ebgp" }' | while read -r to kind; do
for family in ipv4 ipv6; do gobgp neighbor "$to" adj-out -a $family 2>/dev/null </dev/null; done |
awk -v to="${to%\%*}" -v kind="$kind" '!/ filtered *$/ || /not filtered *$/ { for (i = 1; i <= NF; i++) if ($i ~ /^[0-9a-f:.]+\/[0-9]+$/) { print "sent", to, kind, $i; break } }'
done; } | awk "$3"
code=$?
[ -z "$other" ] || { [ $code -ne 0 ] || code=5
echo "gobgpd holds another $other than the file: put this into gobgpd.conf in place of the former, send SIGHUP, reset neighbors that came or went:"
echo "sed -n 's/^#: //p' $1"; }
exit $code
