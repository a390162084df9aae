# Compares the file with what FRR holds: lists, clauses and what they match in bgpd, and the static routes of an edge.
name='^(ip prefix-list|ipv6 prefix-list|route-map|bgp as-path access-list|bgp community-list standard) [^ ]+ '
lines() { awk '/^(ip|ipv6) prefix-list |^bgp (as-path access-list|community-list standard) / { print; next }
/^route-map / { map = $0; print; next }
/^[^ ]/ { map = "" }
map != "" && /^ (match (community|as-path|ip address|ipv6 address)|call) / { print map $0 }' "$@" | sort -u; }
all=$(lines "$1")
held=$(vtysh -d bgpd -c 'show running-config' | lines | grep -F "$(printf '%s\n' "$all" | grep -oE "$name" | sort -u)")
[ "$held" = "$all" ] || {
echo "bgpd holds other entries than the file, $(printf '%s\n' "$held" | grep -c .) for $(printf '%s\n' "$all" | grep -c .)"
exit 1; }
routes=$(grep -E '^ip(v6)? route ' "$1") || exit 0
# staticd has its routes itself up to FRR 9, mgmtd has them since FRR 10.
held=$(for daemon in staticd mgmtd; do vtysh -d $daemon -c 'show running-config' 2>/dev/null; done | sort -u | grep -cxF "$routes")
[ "$held" -eq "$(printf '%s\n' "$routes" | grep -c .)" ] || { echo 'FRR lacks a static route that drops: neither staticd nor mgmtd has it'; exit 1; }
vtysh -d staticd -c 'show version' >/dev/null 2>&1 || { echo 'staticd does not run, so no route drops what the trigger announces'; exit 1; }
