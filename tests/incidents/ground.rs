//! What the incidents on real routes stand on: the files of a machine, its routes, its packets.

use ipnet::{IpNet, Ipv4Net};

use crate::support::daemon::Daemon;
use crate::support::namespace::Namespace;
use crate::support::{PROGRAM, Place};

/// Give a namespace an `/etc` of its own, with these files and the authorities of TLS. The
/// machine's stays as it is: the mounts are in the namespace alone. Nor does a router or resolver
/// of the machine show through.
pub fn etc(namespace: &Namespace, files: &[(&str, &str)]) {
    namespace.sh(
        "if grep -q ' shared:' /proc/self/mountinfo; then echo 'mounts would spread' >&2; exit 9; fi
         for dir in /run/frr /run/bird /run/systemd/resolve; do
             if [ -d $dir ]; then mount -t tmpfs tmpfs $dir; fi
         done
         mount -t tmpfs tmpfs /mnt
         for dir in ssl pki ca-certificates; do
             if [ -d /etc/$dir ]; then mkdir /mnt/$dir; mount --bind /etc/$dir /mnt/$dir; fi
         done
         mount --rbind /mnt /etc",
    );
    for (name, text) in files {
        let line = "mkdir -p \"$(dirname \"/etc/$1\")\"; printf %s \"$2\" > \"/etc/$1\"";
        namespace
            .run("sh", &["-ec", line, "sh", name, text])
            .code(0);
    }
}

/// Our routes of IPv4 in a namespace.
pub fn holes(namespace: &Namespace) -> Vec<Ipv4Net> {
    let shown = namespace.ip("-4 route show proto 166");
    let nets = shown.lines().map(|line| {
        let net = line.split_whitespace().nth(1).unwrap();
        let host = || net.parse().map(|ip| Ipv4Net::new_assert(ip, 32));
        net.parse().or_else(|_| host()).unwrap()
    });
    nets.collect()
}

/// The part of some networks that is in this one.
pub fn within(nets: &[Ipv4Net], net: &str) -> Vec<Ipv4Net> {
    let net: Ipv4Net = net.parse().unwrap();
    nets.iter()
        .filter(|one| net.contains(*one))
        .copied()
        .collect()
}

/// How many addresses they have.
pub fn size(nets: &[Ipv4Net]) -> u64 {
    nets.iter().map(|net| 1 << (32 - net.prefix_len())).sum()
}

/// Whether one of them has an address of this network, or this address.
pub fn touch(nets: &[Ipv4Net], net: &str) -> bool {
    let host = || net.parse().map(|ip| Ipv4Net::new_assert(ip, 32));
    let net: Ipv4Net = net.parse().or_else(|_| host()).unwrap();
    nets.iter()
        .any(|one| one.contains(&net) || net.contains(one))
}

/// The set in force.
pub fn listed(place: &Place) -> Vec<IpNet> {
    let list = place.run(&["list"]).code(0);
    list.out.lines().map(|line| line.parse().unwrap()).collect()
}

/// The daemon in a namespace; nothing is waited for.
pub fn daemon(place: &Place, namespace: &Namespace) -> Daemon {
    Daemon::begin(place, namespace.command(PROGRAM), &["run"])
}
