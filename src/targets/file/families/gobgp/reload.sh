own=/etc/gobgpd.own.conf conf=/etc/gobgpd.conf policy=$(sed -n 's/^name = "\(NULLROUTED-[A-Z]*\)"$/\1/p' "$1") try=0
grep -q "^[^#]*\"$policy\"" $own || { echo "$own does not name $policy in its list of policies"; exit 1; }
cp -p $own $conf.new && { echo; cat "$1"; } >> $conf.new || exit
out=$(gobgpd -d -p -f $conf.new 2>&1) || { printf '%s\n' "$out"; exit 1; }
mv $conf.new $conf && systemctl kill -s HUP gobgpd || exit
until why=$(sh -c "$2" sh "$1" 2>&1); do
[ $? -eq 2 ] && try=$((try + 10))
[ $((try += 1)) -le 30 ] || { echo "$why"; exit 1; }
sleep 1
done
