other=$(other "$1") || { echo 'gobgpd does not say which sets it holds'; exit 1; }
[ -z "$other" ] || { echo "gobgpd holds another $other than the file: its log says why"; exit 1; }
policy=$(sed -n 's/^name = "\(NULLROUTED-[A-Z]*\)"$/\1/p' "$1")
gobgp global policy import | grep -qx "Name $policy:" && exit
echo "$policy is no import policy in force: named before it was there, it waits for a start of gobgpd"; exit 2
