#!/usr/bin/env bash
# ExaBGP 5.0.15: a reload (SIGUSR1) that only adds a route announces it at once. A reload that takes
# a route out does nothing, neither withdraw the one nor announce others, until the next keepalive
# of either side: up to a third of the hold time. 4.2.25 does both at once. A blackhole that is
# delisted by editing the file and sending the signal stays in force that long.
#
# Seen with CPython 3.11, hold time 30 s, keepalives of the peer every 10 s:
#   exabgp 4.2.25   added: announced after 0.0 s;  replaced: announced after 0.0 s, withdrawn after 0.0 s
#   exabgp 5.0.15   added: announced after 0.0 s;  replaced: announced after 8.0 s, withdrawn after 8.0 s
#
# It installs both releases from PyPI in a temporary folder, speaks BGP (RFC 4271) with them on
# loopback, and fails where either behaves otherwise.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat > "$dir/peer.py" <<'PEER'
import getpass, os, signal, socket, struct, subprocess, sys, threading, time

program, folder, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
HOLD = 30
file = os.path.join(folder, "exabgp.conf")


def configure(*routes):
    lines = "".join(f"    route {route} next-hop 192.0.2.1;\n" for route in routes)
    text = f"""neighbor 127.0.0.1 {{
  router-id 192.0.2.2; local-address 127.0.0.1; local-as 64496; peer-as 64497; hold-time {HOLD};
  family {{ ipv4 unicast; }}
  static {{
{lines}  }}
}}
"""
    with open(file + ".new", "w") as out:
        out.write(text)
    os.rename(file + ".new", file)


def message(kind, body=b""):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def whole(conn, count):
    data = b""
    while len(data) < count:
        part = conn.recv(count - len(data))
        if not part:
            raise SystemExit("the session ended")
        data += part
    return data


def nets(data):
    found = []
    while data:
        size = (data[0] + 7) // 8
        net = data[1 : 1 + size] + bytes(4 - size)
        found.append(f"{socket.inet_ntoa(net)}/{data[0]}")
        data = data[1 + size :]
    return found


configure("198.51.100.0/24", "203.0.113.0/24")
listener = socket.create_server(("127.0.0.1", port))
environment = dict(
    os.environ,
    exabgp_tcp_port=str(port), exabgp_tcp_bind="", exabgp_daemon_daemonize="false", exabgp_api_cli="false",
    exabgp_daemon_user=getpass.getuser(), exabgp_log_destination="stderr", exabgp_tcp_attempts="0",
    **{"exabgp.tcp.port": str(port), "exabgp.tcp.bind": "", "exabgp.api.cli": "false",
       "exabgp.daemon.user": getpass.getuser()},
)
log = open(os.path.join(folder, "log"), "w")
exabgp = subprocess.Popen([program, file], env=environment, stdout=log, stderr=log)
try:
    listener.settimeout(60)
    conn, _ = listener.accept()
    conn.settimeout(60)
    capability = b"\x02\x06\x01\x04\x00\x01\x00\x01"
    opening = struct.pack("!BHH4sB", 4, 64497, HOLD, socket.inet_aton("192.0.2.3"), len(capability)) + capability
    conn.sendall(message(1, opening))
    since, up, seen = None, threading.Event(), {}

    def listen():
        while True:
            length, kind = struct.unpack("!HB", whole(conn, 19)[16:])
            body = whole(conn, length - 19)
            if kind == 1:
                conn.sendall(message(4))
            elif kind == 2:
                size = struct.unpack("!H", body[:2])[0]
                gone = nets(body[2 : 2 + size])
                rest = body[2 + size :]
                skip = struct.unpack("!H", rest[:2])[0]
                come = nets(rest[2 + skip :])
                now = time.monotonic()
                seen.update({("+", net): now for net in come} | {("-", net): now for net in gone})
                if ("+", "203.0.113.0/24") in seen:
                    up.set()

    def keep():
        while True:
            time.sleep(HOLD / 3)
            conn.sendall(message(4))

    for task in (listen, keep):
        threading.Thread(target=task, daemon=True).start()
    if not up.wait(60):
        raise SystemExit("no route within a minute")
    def reload(wanted, *routes):
        seen.clear()
        configure(*routes)
        begun = time.monotonic()
        exabgp.send_signal(signal.SIGUSR1)
        while not all(one in seen for one in wanted) and time.monotonic() < begun + 2 * HOLD:
            time.sleep(0.01)
        return [f"{seen[one] - begun:.1f}" if one in seen else "never" for one in wanted]

    stays = ["198.51.100.0/24", "203.0.113.0/24"]
    time.sleep(1)
    added = reload([("+", "192.0.2.0/25")], *stays, "192.0.2.0/25")
    time.sleep(1)
    replaced = reload([("+", "192.0.2.128/25"), ("-", "192.0.2.0/25")], *stays, "192.0.2.128/25")
    print(*added, *replaced)
finally:
    exabgp.terminate()
    exabgp.wait(10)
PEER

measure() { # release, port
    python3 -m venv "$dir/$1"
    "$dir/$1/bin/pip" install --quiet --disable-pip-version-check "exabgp==$1" setuptools
    mkdir "$dir/run-$1"
    python3 "$dir/peer.py" "$dir/$1/bin/exabgp" "$dir/run-$1" "$2" || { cat "$dir/run-$1/log" >&2; exit 2; }
}
read -r -a old <<<"$(measure 4.2.25 17904)"
read -r -a new <<<"$(measure 5.0.15 17905)"
told() { echo "exabgp $1   added: announced after $2 s;  replaced: announced after $3 s, withdrawn after $4 s"; }
told 4.2.25 "${old[@]}"
told 5.0.15 "${new[@]}"
quick() { awk -v took="$1" 'BEGIN { exit !(took != "never" && took < 3) }'; }
for took in "${old[@]}" "${new[0]}"; do
    quick "$took" || { echo "changed: $took s was less than 3 s"; exit 1; }
done
for took in "${new[1]}" "${new[2]}"; do
    ! quick "$took" || { echo "changed: $took s, it does not wait for the next keepalive"; exit 1; }
done
echo "as described"
