octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
v4="($octet\.){3}$octet" v6='[0-9a-f:.]*:[0-9a-f:.]*'
p4="ipv4 $v4/(3[0-2]|[12]?[0-9])" p6="ipv6 $v6/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
form="gobgp global rib (del -a ($p4|$p6)|add -a ($p4 community 65535:666( nexthop $v4)?|$p6 community 65535:666( nexthop $v6)?))( #.*)?"
grep -nvE "^(#.*|set -e|$form)$" "$1"; [ $? -eq 1 ] || exit 1
out=$(sed -n 's/^#: //p' "$1" | gobgpd -d -p -f /dev/stdin 2>&1) || { printf '%s\n' "$out"; exit 1; }
