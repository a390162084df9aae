
if [ -n "$said" ]; then
  printf '%s\n' "$said" 'Nothing was changed.'
  discard
else
  compare
  commit
  if $API sessionChanged; then
    said='The commit failed.'
    discard
  fi
fi
exit
[ -z "$said" ]
