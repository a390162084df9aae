$1 == "may" { none = /none of/; ibgp = /iBGP/; gsub(",", ""); for (i = 4; i <= NF; i++) if ($i ~ /[0-9]/) { named[$i]; some = 1 } next }
$1 == "listed" { listed[$2]; next }
$1 != "sent" || !($4 in listed) { next }
!none && (!ibgp || $3 != "ebgp") && (!some || $2 in named) { next }
!($2 in many) { order[++count] = $2; one[$2] = $4; kind[$2] = $3 == "ibgp" ? " (iBGP)" : $3 == "ebgp" ? " (eBGP)" : ""
cure[$2] = "or name it in neighbors" (ibgp && $3 == "ebgp" ? ", with announce_to = \"ebgp\"" : "") }
{ many[$2]++ }
END { for (i = 1; i <= count; i++) { who = order[i]
printf "%s%s may not have blackholes and is sent %s%d, such as %s: refuse them to it, %s\n", who, kind[who], least, many[who], one[who], cure[who] }
exit count ? 3 : 0 }
