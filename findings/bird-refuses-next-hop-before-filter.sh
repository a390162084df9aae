#!/usr/bin/env bash
# BIRD 2.0.12: a route of an eBGP neighbor on the link whose next hop is not on that link is refused
# before any filter.
#
# The usual edge of remotely triggered blackholing sets the destination itself: its import filter
# says `dest = RTD_BLACKHOLE;`, whatever next hop the trigger announces. Where the trigger announces
# its discard address (192.0.2.1) over a session on the link, that filter never sees the route:
# nothing is imported, nothing is counted as filtered, `show route filtered` shows nothing with
# `import keep filtered`, and the neighbor is Established. Only the log says `Invalid NEXT_HOP
# attribute`. With `multihop;` at the same session the filter gets the route and it drops. The same
# with 3.1.8 and 3.4.0.
#
# Seen with 2.0.12-7 of Debian 12:
#   direct     Established, 0 imported, 0 in `show route filtered`
#   multihop   Established, 1 imported: blackhole
#
# Needs root, for two network namespaces without a name and a veth pair between them.
set -euo pipefail

version=2.0.12-7
dir=$(mktemp -d)
(cd "$dir" && apt-get download -q "bird2=$version" >log 2>&1) || { tail "$dir/log" >&2; echo "no bird2 $version to be had"; rm -rf "$dir"; exit 2; }
dpkg -x "$dir"/bird2_*.deb "$dir/bird"

cat > "$dir/trigger.conf" <<'CONF'
router id 10.0.0.1;
protocol device {}
protocol static { ipv4; route 198.51.100.0/24 blackhole; }
protocol bgp edge {
  local 10.0.0.1 as 64496;
  neighbor 10.0.0.2 as 64497;
  MULTIHOP
  ipv4 { import none; export filter { bgp_next_hop = 192.0.2.1; accept; }; };
}
CONF
cat > "$dir/edge.conf" <<'CONF'
router id 10.0.0.2;
log "DIR/edge.log" all;
protocol device {}
protocol bgp hub {
  local 10.0.0.2 as 64497;
  neighbor 10.0.0.1 as 64496;
  MULTIHOP
  ipv4 { import keep filtered; import filter { dest = RTD_BLACKHOLE; accept; }; export none; };
}
CONF
cat > "$dir/inside" <<'INSIDE'
set -e
cd "$1"
ip link set lo up
unshare --net sleep 300 &
other=$!
trap 'kill $(cat *.pid 2>/dev/null) $other 2>/dev/null || true' EXIT
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link add here type veth peer name there netns $other
ip addr add 10.0.0.2/24 dev here
ip link set here up
nsenter -t $other -n sh -c 'ip link set lo up; ip addr add 10.0.0.1/24 dev there; ip link set there up'
bird() { "$@" 2>bird.err || { cat bird.err >&2; exit 2; }; }
for way in direct multihop; do
    line=; [ $way = direct ] || line='multihop;'
    for who in trigger edge; do sed "s|MULTIHOP|$line|; s|DIR|$PWD|" $who.conf > $who-$way.conf; done
    bird nsenter -t $other -n ./bird/usr/sbin/bird -c trigger-$way.conf -s trigger.ctl -P trigger.pid
    bird ./bird/usr/sbin/bird -c edge-$way.conf -s edge.ctl -P edge.pid
    ask() { ./bird/usr/sbin/birdc -s edge.ctl "$@" | tail -n +2; }
    for _ in $(seq 300); do
        ask show protocols hub | grep -q Established && grep -q 'NEXT_HOP' edge.log && break
        ask show route | grep -q blackhole && break
        sleep 0.1
    done
    state=$(ask show protocols hub | grep -o Established || echo down)
    imported=$(ask show protocols all hub | sed -n 's/.* Routes: *\([0-9]*\) imported.*/\1/p')
    filtered=$(ask show route filtered | grep -c 198.51.100.0/24 || true)
    kind=$(ask show route 198.51.100.0/24 | grep -o blackhole || true)
    said=$(grep -c 'Invalid NEXT_HOP attribute' edge.log || true)
    echo "$way $state $imported $filtered ${said} $kind"
    kill $(cat trigger.pid edge.pid)
    for _ in $(seq 100); do [ -e trigger.pid ] || [ -e edge.pid ] || break; sleep 0.1; done
    rm -f edge.log *.pid
done
INSIDE
said=$(unshare --net bash "$dir/inside" "$dir") || { rm -rf "$dir"; exit 2; }
rm -rf "$dir"
echo "way state imported filtered logged kind"
echo "$said"
grep -qE '^direct Established 0 0 [1-9][0-9]* $' <<<"$said" || { echo "changed: directly connected"; exit 1; }
grep -qE '^multihop Established 1 0 0 blackhole$' <<<"$said" || { echo "changed: multihop"; exit 1; }
echo "as described"
