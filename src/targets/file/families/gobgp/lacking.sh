gobgp global policy import | grep -qx 'Name NULLROUTED-IN:' && gobgp global policy export | grep -qx 'Name NULLROUTED-OUT:' || {
echo "NULLROUTED-IN and NULLROUTED-OUT of the file are not in force as import and export policy"; exit 1; }
held=$(gobgp global rib -a ipv4 && gobgp global rib -a ipv6) || exit
lines=$(printf '%s\n' "$held" | awk '
FNR == NR { if (/\*/ && /blackhole|65535:666/) { held[$2, $3]; any[$2] } next }
$1 != "gobgp" { next }
$4 == "del" && ($7 in any)
$4 == "add" { hop = $10 == "nexthop" ? $11 : $6 == "ipv4" ? "0.0.0.0" : "::"; if (!(($7, hop) in held)) print }' - "$1") || exit
if [ "$2" = load ]; then printf '%s\n' "$lines" | sh -e; exit; fi
lacks=$(printf '%s\n' "$lines" | grep -c ' add ')
[ "$lacks" -eq 0 ] || { echo "gobgpd lacks $lacks prefixes: not loaded since its start, or refused by its policies"; exit 1; }
