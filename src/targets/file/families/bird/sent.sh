sh -c "$2" sh "$1" || exit
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
{ sed -n "$4" "$1"; printf '%s\n' "$listed" "$ask" | while read -r name to kind; do
case $name in '') continue;; listed) echo "listed $to"; continue;; esac
birdc -r "show route export '$name' where dest = RTD_BLACKHOLE" | awk -v to="$to" -v kind="$kind" '/ blackhole / { print "sent", to, kind, $1 }'
done; } | awk "$3"
