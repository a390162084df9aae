# Runs a command of vtysh. It is a success where vtysh ends well and says nothing that begins with `%`. FRR 10.7 says
# `% Configuration applied with notes:` where all of it was taken.
out=$("$@" 2>&1)
rc=$?
printf '%s\n' "$out"
[ $rc -eq 0 ] && ! printf '%s\n' "$out" | grep -v '^% Configuration applied with notes:' | grep -q '^%'
