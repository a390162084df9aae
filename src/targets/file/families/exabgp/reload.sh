[ ! -d /run/exabgp ] || ls /run/exabgp >/dev/null || exit
[ -p /run/exabgp/nullrouted ] || { echo 'no /run/exabgp/nullrouted: ExaBGP loads the file when it starts'; exit; }
timeout 5 sh -c ': > /run/exabgp/nullrouted' || { echo 'nobody reads /run/exabgp/nullrouted: has ExaBGP ended?'; exit 1; }
timeout 250 sh -c 'sh "$1" > /run/exabgp/nullrouted' sh "$1" || { echo 'ExaBGP does not read'; exit 1; }
