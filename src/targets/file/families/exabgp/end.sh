END
if [ "$1" = run ]; then
  cat <> /run/exabgp/nullrouted &
  trap 'kill $!' EXIT
  trap exit TERM
  wait $answers
fi
