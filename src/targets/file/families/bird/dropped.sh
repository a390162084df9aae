sh -c "$2" sh "$1" || exit
ask=$(birdc -r show protocols all) || { printf '%s\n' "$ask" | tail -n 1; exit 1; }
printf '%s\n' "$ask" | awk '
function told() {
if (direct && filter && !igp && !count[name]++) { who = name " (" to "), eBGP on the link, has "
if (filter ~ /^nullrouted_edge[46]$/) said(who filter " without \"gateway recursive\": BIRD refuses its routes with a next hop off the link")
else if (!updates && withdraws && withdraws == ignored) said(who "no \"gateway recursive\", and BIRD refused all that came, as what has a next hop off the link")
else if (!others++) first = name " (" to ")" }
filter = igp = updates = withdraws = 0 }
function said(what) { print what "; add that to its channel, or multihop to it"; found = 1 }
/^[^ ]/ { told(); name = $1; to = ""; direct = 0; next }
/Neighbor address:/ { to = $3 }
/^    Session:/ { direct = /external/ && !/multihop/ }
/^  Channel / { told() }
/Input filter:/ && $3 != "ACCEPT" && $3 != "REJECT" { filter = $3 }
/Import updates:/ { updates = $3 }
/Import withdraws:/ { withdraws = $3; ignored = $6 }
/^    IGP IPv[46] table:/ { igp = 1 }
END { told()
if (others) print first (others > 1 ? " and " others - 1 " more" : "") ", eBGP on the link without \"gateway recursive\", is not seen into: a filter that calls nullrouted_blackhole needs that"
exit found ? 4 : 0 }'
