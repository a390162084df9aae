if [ "$(id -gn)" != vyattacfg ]; then
  exec sg vyattacfg -c "/bin/vbash $(readlink -f "$0")"
fi
source /opt/vyatta/etc/functions/script-template
configure
said=
all=$(run show configuration commands)
[ -n "$all" ] || said='The configuration cannot be read.'

# What a command says is an error, but where it was so already.
put() {
  said+=$(set "$@" 2>&1 | grep -v -e 'already exists' -e '^ *$')
}

drop() {
  delete "$@" >/dev/null 2>&1
}

# What the router holds under our mark, as the lines below have it.
held() {
  sed -nE <<<"$all" \
    -e "s/^set protocols static (route6? [^ ]+) description '?(nullrouted[^']*)'?$/\1 \2/p" \
    -e "s/^set policy (prefix-list6? NULLROUTED-[^ ]+ rule [0-9]+) prefix '?([^']+)'?$/\1 \2/p" \
    -e "s/^set policy (as-path-list NULLROUTED-[^ ]+ rule [0-9]+) regex '?([^']+)'?$/\1 \2/p"
}

# Of what begins like this, the router shall hold the lines that are read, and no others.
take() {
  local wanted now kind name rest number
  wanted=$(sed 's/ #.*//')
  now=$(held | grep -E "^($1)")
  while read -r kind name rest <&9; do
    case $kind in
      route*) drop protocols static "$kind" "$name" ;;
      *-list*) drop policy "$kind" "$name" ${rest% *} ;;
    esac
  done 9< <(grep -vxF -f <(printf '%s\n' "$wanted") <<<"$now")
  while read -r kind name rest <&9; do
    case $kind in
      route*)
        if grep -qF "set protocols static $kind $name " <<<"$all" &&
          ! grep -qF "$kind $name nullrouted" <<<"$now"; then
          echo "$name has a route of your own, which is left as it is."
          continue
        fi
        put protocols static "$kind" "$name" blackhole tag 666
        put protocols static "$kind" "$name" description "$rest" ;;
      *-list*)
        number=${rest#rule }
        entry "$kind" "$name" "${number% *}" "${rest##* }" ;;
    esac
  done 9< <(grep -vxF -f <(printf '%s\n' "$now") <<<"$wanted")
}

# A rule that permits what it is about, and what is inside of it, but not in a list of what covers something; the last
# one denies all others.
entry() {
  local kind=$1 rule="policy $1 $2 rule $3" value=$4 action=permit longest=32
  [ "$3" != 65535 ] || action=deny
  [ "$kind" != prefix-list6 ] || longest=128
  put $rule action $action
  if [ "$kind" = as-path-list ]; then
    put $rule regex "$value"
    return
  fi
  put $rule prefix "$value"
  case "$2 $action ${value#*/}" in
    NULLROUTED-COVER-*' permit '* | *" $longest") ;;
    *) put $rule le $longest ;;
  esac
}

