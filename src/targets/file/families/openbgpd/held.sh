sets=$(bgpctl show sets 2>&1) || { echo "$sets"; exit 1; }
name=$(sed -n 's/^as-set "\(nullrouted-[a-z]*-[0-9a-f]*\)".*/\1/p' "$1")
case $sets in
*" ${name:-none} "*) exit 0;;
*" ${name%-*}-"*) echo 'OpenBGPD holds another file than this one';;
*) echo 'OpenBGPD holds no file of this role: is it included?';;
esac
exit 1
