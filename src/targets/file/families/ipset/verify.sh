for set in nullrouted4 nullrouted6; do
held=$(ipset list -t $set 2>&1) || { echo "$held"; exit 1; }
held=$(printf '%s\n' "$held" | sed -n 's/^Number of entries: //p') all=$(grep -c "^add $set-new " "$1")
[ "$held" = "$all" ] || { echo "$set holds $held entries of $all"; exit 1; }
done
