{ echo 'AS 65000'
sed -n 's/^# Sends:  to the .*neighbors \(.*\) and to no other$/\1/p' "$1" | tr -d ' ' | tr , '\n' | sed 's/.*/neighbor & {\nremote-as 65001\n}/'
printf 'include "%s"\n' "$1"; } | bgpd -n -f /dev/stdin
