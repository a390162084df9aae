same=$(sed -n 's/^define \(NULLROUTED_[A-Z]*_DIGEST = "[0-9a-f]*"\);.*/\1/p' "$1")
said=$(birdc -r eval "$same" 2>&1)
case $said in
*TRUE) exit 0;;
*FALSE) echo 'BIRD holds another file than this one';;
*CF_SYM_UNDEFINED*) echo 'BIRD holds no file of this role: is it included?';;
*) printf '%s\n' "$said" | tail -n 1;;
esac
exit 1
