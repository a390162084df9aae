#!/usr/bin/env bash
# GoBGP 3.10.0 announces routes with no-export and with no-advertise to every neighbor, eBGP too.
#
# RFC 1997: a route with NO_EXPORT "MUST NOT be advertised outside a BGP confederation boundary",
# one with NO_ADVERTISE "to other BGP peers". gobgpd carries both communities and acts on neither,
# for a route that a neighbor sent as for one of its own: without an export policy that matches the
# community, an RFC 7999 blackhole with no-export leaves the AS through a route server or reflector
# that runs GoBGP. FRR, BIRD and OpenBGPD keep such a route back, with their own differences for
# routes they originate. The same with 4.8.0.
#
# Seen with 3.10.0-1+b4 of Debian 12: 1 and 2 in one AS, 3 in another, each with each other; 1
# originates three routes.
#   a route of 1        3 gets it from 1 (originated)    3 gets it from 2 (received by iBGP)
#   plain               yes                              yes
#   no-export           yes                              yes
#   no-advertise        yes, and so does 2               yes
#
# Needs root, for a network namespace without a name.
set -euo pipefail

version=3.10.0-1+b4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$dir" && apt-get download -q "gobgpd=$version" >log 2>&1) || { tail "$dir/log" >&2; echo "no gobgpd $version to be had"; exit 2; }
dpkg -x "$dir"/gobgpd_*.deb "$dir/gobgp"

speaker() {
    local number=$1 asn=$2
    shift 2
    printf '[global.config]\nas = %s\nrouter-id = "10.0.0.%s"\nport = 1179\nlocal-address-list = ["10.0.0.%s"]\n' "$asn" "$number" "$number"
    while [ $# -gt 0 ]; do
        cat <<CONF
[[neighbors]]
[neighbors.config]
neighbor-address = "10.0.0.$1"
peer-as = $2
[neighbors.transport.config]
local-address = "10.0.0.$number"
remote-port = 1179
[neighbors.ebgp-multihop.config]
enabled = true
multihop-ttl = 5
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv4-unicast"
CONF
        shift 2
    done
}
speaker 1 64496 2 64496 3 64497 >"$dir/1.toml"
speaker 2 64496 1 64496 3 64497 >"$dir/2.toml"
speaker 3 64497 1 64496 2 64496 >"$dir/3.toml"

cat >"$dir/inside" <<'INSIDE'
set -e
cd "$1"
ip link set lo up
for number in 1 2 3; do
    ip addr add 10.0.0.$number/32 dev lo
    ./gobgp/usr/bin/gobgpd -f $number.toml --api-hosts 127.0.0.1:5005$number >$number.log 2>&1 &
    echo $! >>pids
done
trap 'kill $(cat pids)' EXIT
ask() { number=$1; shift; ./gobgp/usr/bin/gobgp -p 5005$number "$@" 2>/dev/null; }
up() { for number in 1 2 3; do ask $number neighbor | grep Establ || true; done | wc -l; }
for _ in $(seq 300); do [ "$(up)" -eq 6 ] && break; sleep 0.2; done
[ "$(up)" -eq 6 ] || { echo "the sessions do not come up" >&2; exit 2; }
ask 1 global rib add 203.0.113.0/24 nexthop 10.9.9.9 -a ipv4
ask 1 global rib add 198.51.100.0/24 nexthop 10.9.9.9 community no-export -a ipv4
ask 1 global rib add 192.0.2.0/24 nexthop 10.9.9.9 community no-advertise -a ipv4
from() { ask 3 neighbor 10.0.0.$1 adj-in | grep -oE '(203.0.113|198.51.100|192.0.2).0/24' | sort -r | paste -sd ' '; }
# What is kept back does not come: it has as long as the plain one takes, and two seconds more.
for _ in $(seq 100); do case $(from 2) in *203.0.113*) break ;; esac; sleep 0.1; done
sleep 2
echo "from 1: $(from 1)"
echo "from 2: $(from 2)"
INSIDE
said=$(unshare --net bash "$dir/inside" "$dir") || exit 2
echo "gobgpd $version"
echo "$said"
expected='from 1: 203.0.113.0/24 198.51.100.0/24 192.0.2.0/24
from 2: 203.0.113.0/24 198.51.100.0/24 192.0.2.0/24'
[ "$said" = "$expected" ] && echo 'as described' || { echo 'this has changed'; exit 1; }
