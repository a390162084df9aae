out=$(bgpctl reload 2>&1); echo "$out"; case $out in *'request processed'*) ;; *) exit 1;; esac
try=0
until sh -c "$2" sh "$1" >/dev/null; do [ $((try += 1)) -le 25 ] || exit 0; sleep 0.2; done
