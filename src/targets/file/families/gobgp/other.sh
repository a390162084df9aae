other() {
held=$(gobgp policy prefix && gobgp policy as-path && gobgp policy neighbor &&
gobgp policy | sed -n 's/^ *[A-Za-z]*Name \(.*\):$/name \1/p') || return
printf '%s\n' "$held" | awk '
function other(what) { if (!(what in told)) { told[what]; printf "%s%s", sep, what; sep = ", " } }
function has(one, more) { of[set]++; if (!((set, one, more) in held)) other(set) }
FNR == NR { if (/^[^ ]/) { name = $1; sub(/^[^ ]+/, "") } if (NF) { held[name, $1, $2]; many[name]++ } next }
/^(#: )?name = / && !(("name", $2, "") in held) { other($2) }
/^(#: )?[a-z-]+-set-name = / { set = $2; of[set] += 0 }
/^(#: )? +([{]ip-prefix|")/ { has($2, $4) }
/^(#: )?neighbor-info-list / { for (i = 2; i < NF; i += 2) has($i (index($i, ":") ? "/128" : "/32"), "") }
END { for (name in of) if (of[name] != many[name] + 0) other(name) }' - FS='"' "$1"; }
