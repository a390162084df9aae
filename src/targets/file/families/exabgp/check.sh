sh -n "$1" && grep -qx END "$1" && lines=$(sed -n "/<<'END'\$/,/^END\$/{//d;s/ *#.*//;p}" "$1") || { echo 'no lines'; exit 1; }
octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
v4="($octet\.){3}$octet" v6='[0-9a-f:.]*:[0-9a-f:.]*' with='community \[65535:666 65535:65281\]'
p4="$v4/(3[0-2]|[12]?[0-9])" p6="$v6/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
printf '%s\n' "$lines" | grep -vE "^(|withdraw route ($p4|$p6)|announce route ($p4 next-hop (self|$v4)|$p6 next-hop $v6) $with)\$"; [ $? -eq 1 ] || exit 1
whole=$(mktemp) || exit
trap 'rm -f "$whole"' EXIT
{ printf 'neighbor 192.0.2.2 {\nrouter-id 192.0.2.1;\nlocal-address 192.0.2.1;\nlocal-as 65000;\npeer-as 65000;\n'
  printf 'family {\nipv4 unicast;\nipv6 unicast;\n}\nstatic {\n'
  printf '%s\n' "$lines" | sed -n 's/^announce \(.*\)/\1;/p'; printf '}\n}\n'; } > "$whole"
case $(exabgp --help 2>&1) in *--validate*) word=--validate;; *) word=validate;; esac
out=$(exabgp_daemon_drop=false exabgp $word "$whole" 2>&1) || {
printf '%s\n' "$out" | sed 's/^.* configuration *| //; s/^configuration *//' | grep . | tail -n 3; exit 1; }
