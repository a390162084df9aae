//! What files of the system show: resolvers, and who is logged in (I/O).

use std::collections::BTreeSet;
use std::fs;
use std::io;

use tokio::task::spawn_blocking;

use super::text::{resolv, sshd, tcp};
use super::{Found, Root, Shown};

/// The file that the C library reads, and the one behind it where systemd-resolved stands between.
const RESOLVERS: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// `/proc/net`, but also there where only the processes of `/proc` are shown (`ProcSubset=pid`).
const TCP: &str = "/proc/self/net/tcp";
const TCP6: &str = "/proc/self/net/tcp6";

const SSHD: &str = "/etc/ssh/sshd_config";
const SSHD_MORE: &str = "/etc/ssh/sshd_config.d";
const SSH_PORT: u16 = 22;

/// The system's resolvers. A file that is not there shows none; one that cannot be read is a part that failed.
pub async fn resolvers(root: &Root) -> Shown {
    let root = root.clone();
    blocking(move || {
        let mut shown = Shown::default();
        for file in RESOLVERS {
            let why = format!("resolver in {file}");
            let all = &mut shown.found;
            let read = root.lines(file, |line| {
                let new = resolv::nameserver(line)
                    .filter(|net| all.iter().all(|found| found.net != *net));
                all.extend(new.map(|net| Found {
                    net,
                    why: why.clone(),
                }));
            });
            if let Err(cause) = if_there(file, read) {
                shown.fail(Some(&why), cause);
            }
        }
        shown
    })
    .await
}

/// Whoever has an established connection to a port of the ssh server.
pub async fn sessions(root: &Root) -> Shown {
    let root = root.clone();
    blocking(move || {
        let ports = ssh_ports(&root);
        let mut peers = BTreeSet::new();
        let mut read = |line: &str| {
            let peer = tcp::established(line).filter(|(port, _)| ports.contains(port));
            peers.extend(peer.map(|(_, net)| net));
        };
        let v4 = root.lines(TCP, &mut read);
        let v4 = v4.map_err(|error| format!("{TCP}: {error}"));
        let v6 = if_there(TCP6, root.lines(TCP6, &mut read));
        let found = |net| Found {
            net,
            why: "ssh session".to_owned(),
        };
        let mut shown = Shown::from(peers.into_iter().map(found).collect::<Vec<_>>());
        for cause in [v4, v6].into_iter().filter_map(Result::err) {
            shown.fail(None, cause);
        }
        shown
    })
    .await
}

/// Its usual port, and those that its configuration names, as far as it can be read.
fn ssh_ports(root: &Root) -> BTreeSet<u16> {
    let mut ports = BTreeSet::from([SSH_PORT]);
    let more = fs::read_dir(root.path(SSHD_MORE)).into_iter().flatten();
    let names = more
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let files = names
        .filter(|name| name.ends_with(".conf"))
        .map(|name| format!("{SSHD_MORE}/{name}"));
    for file in files.chain([SSHD.to_owned()]) {
        let _ = root.lines(&file, |line| ports.extend(sshd::port(line)));
    }
    ports
}

fn if_there(file: &str, read: io::Result<()>) -> Result<(), String> {
    match read {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("{file}: {error}")),
        _ => Ok(()),
    }
}

/// A file may be long (`/proc/net/tcp` has a line for every connection) or slow.
async fn blocking(read: impl FnOnce() -> Shown + Send + 'static) -> Shown {
    let failed = |error| Shown::error(format!("not read: {error}"));
    spawn_blocking(read).await.unwrap_or_else(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Cause;

    fn place(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = Root::at(dir.path());
        (dir, root)
    }

    fn said(shown: &Shown) -> Vec<String> {
        let said = |found: &Found| format!("{} {}", found.net, found.why);
        shown.found.iter().map(said).collect()
    }

    /// The only part that failed.
    fn failed(shown: &Shown) -> (Option<&str>, &str) {
        match shown.failed.as_slice() {
            [one] => match &one.cause {
                Cause::Error(text) => (one.why.as_deref(), text),
                Cause::NotAsked => panic!("{shown:?}"),
            },
            _ => panic!("{shown:?}"),
        }
    }

    #[tokio::test]
    async fn resolvers_stand_in_two_files_and_either_may_be_missing() {
        let (_dir, root) = place(&[]);
        assert_eq!(resolvers(&root).await, Shown::default());
        let (_dir, root) = place(&[
            (
                "etc/resolv.conf",
                "nameserver 127.0.0.53\nnameserver 192.0.2.1\n",
            ),
            (
                "run/systemd/resolve/resolv.conf",
                "nameserver 192.0.2.1\nnameserver 2001:db8::53\n",
            ),
        ]);
        assert_eq!(
            said(&resolvers(&root).await),
            [
                "192.0.2.1/32 resolver in /etc/resolv.conf",
                "2001:db8::53/128 resolver in /run/systemd/resolve/resolv.conf"
            ]
        );
        let (_dir, root) = place(&[
            ("etc/resolv.conf/a-folder", ""),
            ("run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\n"),
        ]);
        let half = resolvers(&root).await;
        assert_eq!(half.found.len(), 1, "the other is shown");
        let (why, cause) = failed(&half);
        assert_eq!(why, Some("resolver in /etc/resolv.conf"));
        assert!(cause.starts_with("/etc/resolv.conf: "), "{cause}");
    }

    #[cfg(target_endian = "little")]
    #[tokio::test]
    async fn sessions_are_those_on_a_port_of_the_ssh_server() {
        let tcp = "  0: 010200C0:0016 076433C6:D431 01 0\n  1: 010200C0:08AE 086433C6:D431 01 0\n\
            \x20 2: 010200C0:01BB 096433C6:D431 01 0\n";
        let (_dir, root) = place(&[("proc/self/net/tcp", tcp)]);
        let shown = sessions(&root).await;
        assert_eq!(said(&shown), ["198.51.100.7/32 ssh session"]);
        let (_dir, root) = place(&[
            ("proc/self/net/tcp", tcp),
            ("etc/ssh/sshd_config.d/10-port.conf", "Port 2222\n"),
            ("etc/ssh/sshd_config.d/old.bak", "Port 443\n"),
        ]);
        assert_eq!(sessions(&root).await.found.len(), 2);
        let (_dir, root) = place(&[]);
        let none = sessions(&root).await;
        let (why, cause) = failed(&none);
        assert_eq!(why, None);
        assert!(cause.starts_with("/proc/self/net/tcp: "), "{cause}");
    }
}
