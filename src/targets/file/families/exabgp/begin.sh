if [ "$1" = run ]; then
  exec 3<&0
  cat <&3 >/dev/null &
  answers=$!
  rm -f /run/exabgp/nullrouted
  mkfifo /run/exabgp/nullrouted || exit
fi
sed 's/ *#.*//' <<'END'
