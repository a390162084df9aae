said=$(birdc configure) || { printf '%s\n' "$said"; exit 1; }
case $said in *'Reconfiguration in progress'*) ;; *) printf '%s\n' "$said";; esac
try=0
while birdc -r show status | grep -q '^Reconfiguration in progress'; do
[ $((try += 1)) -le 60 ] || { echo 'BIRD still waits for sessions to end'; exit 0; }
sleep 1
done
