#!/usr/bin/env bash
# FRR 10.3: `write memory` brings entries of a prefix-list back that bgpd no longer has.
#
# What frr.conf says at the start goes to every daemon: zebra and mgmtd keep copies of a prefix-list
# that only bgpd uses. A list that is replaced by `vtysh -d bgpd -f FILE`, which begins with `no ip
# prefix-list NAME`, is right in bgpd; the copies keep the old entries. `show running-config` and
# `write memory` print the union of all daemons, so frr.conf has the entry again that was taken out,
# and after the next start bgpd has it, too. The same with 8.4.4 and 10.7.1.
#
# Seen with 10.3-3+deb13u1 of Debian 13:
#   bgpd after the load          192.0.2.0/24
#   frr.conf after write memory  192.0.2.0/24 198.51.100.0/24
#
# Needs root: it makes a chroot of Debian 13 with debootstrap in a temporary folder, and runs FRR in
# a network namespace without any interface but loopback.
set -euo pipefail

version=10.3-3+deb13u1
dir=$(mktemp -d)
root=$dir/root
trap 'rm -rf --one-file-system "$dir"' EXIT
script=$(ls /usr/share/debootstrap/scripts/trixie 2>/dev/null || echo /usr/share/debootstrap/scripts/sid)
debootstrap --variant=minbase trixie "$root" http://deb.debian.org/debian "$script" >"$dir/log" 2>&1 || { tail "$dir/log" >&2; exit 2; }
printf '#!/bin/sh\nexit 101\n' | install -m 755 /dev/stdin "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "frr=$version" >"$dir/log" 2>&1 ||
    { tail "$dir/log" >&2; echo "changed: Debian 13 no longer has frr $version"; exit 2; }

cat > "$root/etc/frr/frr.conf" <<'CONF'
frr defaults traditional
ip prefix-list LISTED seq 5 permit 192.0.2.0/24
ip prefix-list LISTED seq 10 permit 198.51.100.0/24
router bgp 64496
 bgp router-id 192.0.2.1
 neighbor 127.0.0.2 remote-as 64497
 address-family ipv4 unicast
  neighbor 127.0.0.2 prefix-list LISTED out
 exit-address-family
exit
CONF
cat > "$root/etc/frr/new.conf" <<'CONF'
no ip prefix-list LISTED
ip prefix-list LISTED seq 5 permit 192.0.2.0/24
CONF
cat > "$root/inside" <<'INSIDE'
set -e
mount -t proc proc /proc
ip link set lo up 2>/dev/null || true
mkdir -p /run/frr
chown frr:frr /run/frr /etc/frr/*.conf
touch /etc/frr/vtysh.conf
for daemon in mgmtd zebra bgpd; do
    /usr/lib/frr/$daemon -d -A 127.0.0.1 >/dev/null 2>&1
done
for _ in $(seq 100); do
    vtysh -c 'show version' >/dev/null 2>&1 && [ -S /run/frr/bgpd.vty ] && break
    sleep 0.1
done
vtysh -b >/dev/null 2>&1
listed() { sed -n 's/^ip prefix-list LISTED .* permit //p' | sort -u | tr '\n' ' ' | sed 's/ $//'; }
vtysh -d bgpd -f /etc/frr/new.conf >/dev/null 2>&1
echo "bgpd $(vtysh -d bgpd -c 'show running-config' | listed)"
vtysh -c 'write memory' >/dev/null 2>&1
echo "saved $(listed < /etc/frr/frr.conf)"
kill $(cat /run/frr/*.pid)
INSIDE
said=$(unshare --net --mount --pid --fork --kill-child chroot "$root" bash /inside)
bgpd=$(sed -n 's/^bgpd //p' <<<"$said")
saved=$(sed -n 's/^saved //p' <<<"$said")
echo "bgpd after the load          $bgpd"
echo "frr.conf after write memory  $saved"
[ "$bgpd" = "192.0.2.0/24" ] || { echo "changed: bgpd has other entries"; exit 1; }
[ "$saved" = "192.0.2.0/24 198.51.100.0/24" ] || { echo "changed: what is saved is not the union"; exit 1; }
echo "as described"
