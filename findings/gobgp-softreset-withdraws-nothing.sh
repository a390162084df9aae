#!/usr/bin/env bash
# GoBGP 3.10.0: a route that a new export policy refuses is never withdrawn, softresetout or not.
#
# gobgpd reads its file again on SIGHUP and takes the new elements of a prefix-set. A route that it
# announced before and that the policy now refuses stays with the neighbor: SIGHUP sends nothing,
# and `gobgp neighbor ADDRESS softresetout` sends what is accepted and no withdrawal. `adj-out`
# shows what the policy says now, so the speaker itself shows the route as not announced. Only a
# reset of the session takes it away. 4.8.0 withdraws it with softresetout.
#
# Seen with 3.10.0-1+b4 of Debian 12: the set refuses 198.51.100.0/24, and 203.0.113.0/24 after the
# reload.
#                        the neighbor has                     adj-out of the speaker
#   before               203.0.113.0/24                       203.0.113.0/24
#   after SIGHUP         203.0.113.0/24                       198.51.100.0/24
#   after softresetout   203.0.113.0/24 198.51.100.0/24       198.51.100.0/24
#
# Needs root, for a network namespace without a name.
set -euo pipefail

version=3.10.0-1+b4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$dir" && apt-get download -q "gobgpd=$version" >log 2>&1) || { tail "$dir/log" >&2; echo "no gobgpd $version to be had"; exit 2; }
dpkg -x "$dir"/gobgpd_*.deb "$dir/gobgp"

neighbor() {
    cat <<CONF
[global.config]
as = 6449$1
router-id = "10.0.0.$1"
port = 1179
local-address-list = ["10.0.0.$1"]
[[neighbors]]
[neighbors.config]
neighbor-address = "10.0.0.$2"
peer-as = 6449$2
[neighbors.transport.config]
local-address = "10.0.0.$1"
remote-port = 1179
[neighbors.ebgp-multihop.config]
enabled = true
multihop-ttl = 5
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv4-unicast"
CONF
}
refusing() {
    neighbor 1 2
    cat <<CONF
[global.apply-policy.config]
export-policy-list = ["OUT"]
default-export-policy = "accept-route"
[[defined-sets.prefix-sets]]
prefix-set-name = "REFUSED"
[[defined-sets.prefix-sets.prefix-list]]
ip-prefix = "$1"
[[policy-definitions]]
name = "OUT"
[[policy-definitions.statements]]
[policy-definitions.statements.conditions.match-prefix-set]
prefix-set = "REFUSED"
[policy-definitions.statements.actions]
route-disposition = "reject-route"
CONF
}
refusing 198.51.100.0/24 >"$dir/1.toml"
refusing 203.0.113.0/24 >"$dir/1.new"
neighbor 2 1 >"$dir/2.toml"

cat >"$dir/inside" <<'INSIDE'
set -e
cd "$1"
ip link set lo up
for number in 1 2; do
    ip addr add 10.0.0.$number/32 dev lo
    ./gobgp/usr/bin/gobgpd -f $number.toml --api-hosts 127.0.0.1:5005$number >$number.log 2>&1 &
    echo $! >>pids
done
trap 'kill $(cat pids)' EXIT
ask() { number=$1; shift; ./gobgp/usr/bin/gobgp -p 5005$number "$@" 2>/dev/null; }
for _ in $(seq 300); do ask 2 neighbor | grep -q Establ && break; sleep 0.2; done
for net in 203.0.113.0/24 198.51.100.0/24; do
    ask 1 global rib add $net nexthop 10.9.9.9 -a ipv4
done
nets() { grep -oE '(203.0.113|198.51.100).0/24' | sort -r | paste -sd ' '; }
has() { ask 2 neighbor 10.0.0.1 adj-in | nets; }
shows() { echo "$1: neighbor $(has), adj-out $(ask 1 neighbor 10.0.0.2 adj-out | grep -v ' filtered' | nets)"; }
# As long as the first route takes, and two seconds more.
for _ in $(seq 100); do [ -n "$(has)" ] && break; sleep 0.1; done
sleep 2
shows before
cp 1.new 1.toml
kill -HUP "$(head -1 pids)"
for _ in $(seq 100); do ask 1 policy prefix | grep -q 203.0.113 && break; sleep 0.1; done
sleep 5
shows SIGHUP
ask 1 neighbor 10.0.0.2 softresetout >/dev/null
for _ in $(seq 50); do case $(has) in *198.51.100*) break ;; esac; sleep 0.1; done
# A withdrawal would come with what was sent.
sleep 5
shows softresetout
INSIDE
said=$(unshare --net bash "$dir/inside" "$dir") || exit 2
echo "gobgpd $version"
echo "$said"
expected='before: neighbor 203.0.113.0/24, adj-out 203.0.113.0/24
SIGHUP: neighbor 203.0.113.0/24, adj-out 198.51.100.0/24
softresetout: neighbor 203.0.113.0/24 198.51.100.0/24, adj-out 198.51.100.0/24'
[ "$said" = "$expected" ] && echo 'as described' || { echo 'this has changed'; exit 1; }
