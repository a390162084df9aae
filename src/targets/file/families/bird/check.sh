printf 'protocol device {}\ninclude "%s";\n' "$1" | bird -p -c /dev/stdin
