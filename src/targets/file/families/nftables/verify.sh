held=$(nft -t list table inet nullrouted 2>&1) || { echo "$held"; exit 1; }
digest=$(sed -n 's/.* comment "\([0-9a-f]*\)"  # of the lines above$/\1/p' "$1")
rules=$(printf '%s\n' "$held" | awk '$1 == "chain" { ours = $2 == "prerouting" || $2 == "output" } ours && / drop/ { count++ } END { print count + 0 }')
[ "$rules" -eq "$(grep -c '^add rule ' "$1")" ] || { echo 'the table lacks rules'; exit 1; }
case $held in *" comment \"$digest\""*) ;; *) echo 'the table is of another file'; exit 1;; esac
