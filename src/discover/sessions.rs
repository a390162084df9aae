//! The addresses of users who are logged in over ssh (I/O).
//!
//! Anyone can connect to the ssh server, so a connection alone protects nothing. It counts if
//! logind, utmp or the server's own process says that a user is logged in from that address.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ipnet::IpNet;

use super::files::{blocking, if_there};
use super::text::{login, sshd, tcp};
use super::{Answer, Cause, Failed, Found, Root};
use crate::files;

/// `/proc/net`, by a path that also exists where only the processes of `/proc` are shown
/// (`ProcSubset=pid`).
const TCP: &str = "/proc/self/net/tcp";
const TCP6: &str = "/proc/self/net/tcp6";

const SSHD: &str = "/etc/ssh/sshd_config";
const SSHD_MORE: &str = "/etc/ssh/sshd_config.d";
const SSH_PORT: u16 = 22;

const LOGIND: &str = "/run/systemd/sessions";
/// Exists while logind runs.
const LOGIND_RUNS: &str = "/run/systemd/seats/seat0";
const UTMP: &str = "/run/utmp";
const PROCESSES: &str = "/proc";

/// At most this many bytes of a file about logins are read.
const MOST: u64 = 1 << 20;

const WHY: &str = "ssh session";

/// The message for the operator if logins cannot be distinguished from mere connections.
const UNPROVEN: &str = "a connection to the ssh server is open, and nothing tells whether a user is logged in with it: \
    there is neither logind nor /run/utmp, and the processes of sshd cannot be seen; its address is not \
    protected; let pam_systemd register logins, or list the address under [protect] prefixes";

/// The remote addresses of connections to a port of the ssh server, with the local sockets.
type Peers = BTreeMap<IpNet, BTreeSet<u64>>;

/// The addresses from which users are logged in over ssh now.
pub async fn sessions(root: &Root) -> Answer {
    let root = root.clone();
    blocking(move || {
        let mut shown = Answer::default();
        let peers = peers(&root, &mut shown);
        if peers.is_empty() {
            return shown;
        }
        let logins = Logins::read(&root, &peers);
        let proven = peers.keys().filter(|net| logins.from.contains(net));
        shown.found.extend(proven.map(|net| Found::new(*net, WHY)));
        if !logins.told {
            shown.failed.push(Failed {
                why: Some(WHY.to_owned()),
                cause: Cause::Unproven(UNPROVEN.to_owned()),
            });
        }
        shown
    })
    .await
}

fn peers(root: &Root, shown: &mut Answer) -> Peers {
    let ports = ssh_ports(root);
    let mut peers = Peers::new();
    let mut read = |line: &str| {
        let one = tcp::established(line).filter(|one| ports.contains(&one.port));
        if let Some(one) = one {
            peers.entry(one.peer).or_default().insert(one.inode);
        }
    };
    let v4 = root.lines(TCP, &mut read);
    let v4 = v4.map_err(|error| format!("{TCP}: {error}"));
    let v6 = if_there(TCP6, root.lines(TCP6, &mut read));
    for cause in [v4, v6].into_iter().filter_map(Result::err) {
        shown.fail(None, cause);
    }
    peers
}

/// The default port, and those in the server's configuration, as far as it can be read.
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

/// The logins that were found.
#[derive(Default)]
struct Logins {
    from: BTreeSet<IpNet>,
    /// Whether anything on this machine would show a login.
    told: bool,
}

impl Logins {
    fn read(root: &Root, peers: &Peers) -> Self {
        let mut logins = Self::default();
        logins.of_logind(root);
        if let Ok(records) = files::read(&root.path(UTMP), MOST) {
            logins.told = true;
            logins.from.extend(login::utmp(&records));
        }
        if !peers.keys().all(|net| logins.from.contains(net)) {
            logins.of_processes(root, peers);
        }
        logins
    }

    fn of_logind(&mut self, root: &Root) {
        self.told |= root.path(LOGIND_RUNS).exists();
        let sessions = fs::read_dir(root.path(LOGIND)).into_iter().flatten();
        for session in sessions.flatten() {
            // There is a FIFO for each session as well, which is not read.
            if let Ok(text) = files::read_text(&session.path(), MOST) {
                self.told = true;
                self.from.extend(login::logind(&text));
            }
        }
    }

    /// Only root can see the sockets of sshd.
    fn of_processes(&mut self, root: &Root, peers: &Peers) {
        let all = fs::read_dir(root.path(PROCESSES)).into_iter().flatten();
        for process in all.flatten() {
            let name = process.file_name();
            let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
            if !name.to_str().is_some_and(is_process) {
                continue;
            }
            let Ok(title) = files::read(&process.path().join("cmdline"), MOST) else {
                continue;
            };
            let title = String::from_utf8_lossy(&title);
            if !title.starts_with("sshd") {
                continue;
            }
            let Ok(open) = fs::read_dir(process.path().join("fd")) else {
                continue;
            };
            self.told = true;
            if !login::title(&title) {
                continue;
            }
            let links = open
                .flatten()
                .filter_map(|fd| fs::read_link(fd.path()).ok());
            let inodes = links.filter_map(|link| {
                let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                inode.parse::<u64>().ok()
            });
            let inodes: BTreeSet<u64> = inodes.collect();
            let of = |(_, sockets): &(&IpNet, &BTreeSet<u64>)| !sockets.is_disjoint(&inodes);
            self.from
                .extend(peers.iter().filter(of).map(|(net, _)| net));
        }
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    /// Connections of 198.51.100.7 to port 22, of .8 to port 2222, of .9 to port 443; with their
    /// sockets.
    const CONNECTIONS: &str = "  0: 010200C0:0016 076433C6:D431 01 0:0 00:0 0 0 0 107 1\n\
        \x20 1: 010200C0:08AE 086433C6:D431 01 0:0 00:0 0 0 0 108 1\n\
        \x20 2: 010200C0:01BB 096433C6:D431 01 0:0 00:0 0 0 0 109 1\n";

    fn session(from: &str) -> String {
        format!("STATE=active\nREMOTE=1\nCLASS=user\nREMOTE_HOST={from}\nSERVICE=sshd\n")
    }

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

    async fn seen(root: &Root) -> Vec<String> {
        let shown = sessions(root).await;
        let found = shown.found.iter().map(|f| format!("{} {}", f.item, f.why));
        let failed = shown.failed.iter().map(|failed| match &failed.cause {
            Cause::Unproven(text) | Cause::Error(text) => {
                text.split([',', ':']).next().unwrap().to_owned()
            }
            Cause::NotAsked => panic!("{failed:?}"),
        });
        found.chain(failed).collect()
    }

    const OPEN: &str = "a connection to the ssh server is open";

    #[tokio::test]
    async fn a_connection_alone_protects_nothing_and_where_nothing_tells_it_is_said() {
        let (_dir, root) = place(&[("proc/self/net/tcp", CONNECTIONS)]);
        assert_eq!(seen(&root).await, [OPEN]);
        let (_dir, root) = place(&[("proc/self/net/tcp", CONNECTIONS), ("run/utmp", "")]);
        assert_eq!(seen(&root).await, [""; 0], "utmp would tell");
        let seat = ("run/systemd/seats/seat0", "");
        let (_dir, root) = place(&[("proc/self/net/tcp", CONNECTIONS), seat]);
        assert_eq!(seen(&root).await, [""; 0], "logind would tell");
        let (_dir, root) = place(&[("proc/self/net/tcp", "")]);
        assert_eq!(seen(&root).await, [""; 0], "nothing is open");
        let (_dir, root) = place(&[]);
        assert_eq!(seen(&root).await, ["/proc/self/net/tcp"]);
    }

    #[tokio::test]
    async fn a_login_counts_where_its_connection_is() {
        let (seven, eight) = (session("198.51.100.7"), session("198.51.100.8"));
        let nine = session("198.51.100.9");
        let (dir, root) = place(&[
            ("proc/self/net/tcp", CONNECTIONS),
            ("run/systemd/sessions/7", &seven),
            ("run/systemd/sessions/8", &eight),
            ("run/systemd/sessions/9", &nine),
        ]);
        let fifo = dir.path().join("run/systemd/sessions/7.ref");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(seen(&root).await, ["198.51.100.7/32 ssh session"]);
        fs::create_dir_all(dir.path().join("etc/ssh/sshd_config.d")).unwrap();
        let more = |name: &str, text: &str| {
            fs::write(dir.path().join("etc/ssh/sshd_config.d").join(name), text).unwrap();
        };
        more("10-port.conf", "Port 2222\n");
        more("old.bak", "Port 443\n");
        assert_eq!(
            seen(&root).await,
            ["198.51.100.7/32 ssh session", "198.51.100.8/32 ssh session"]
        );
        fs::remove_file(dir.path().join("run/systemd/sessions/7")).unwrap();
        assert_eq!(seen(&root).await, ["198.51.100.8/32 ssh session"]);
    }

    #[tokio::test]
    async fn the_servers_own_process_tells_where_it_can_be_seen() {
        let (dir, root) = place(&[
            ("proc/self/net/tcp", CONNECTIONS),
            ("proc/30/cmdline", "sshd: op [priv]\0"),
            ("proc/41/cmdline", "other\0"),
            ("proc/net/cmdline", "sshd: op@pts/0\0"),
        ]);
        let socket = |process: &str, inode: &str| {
            let fd = dir.path().join("proc").join(process).join("fd");
            fs::create_dir_all(&fd).unwrap();
            symlink(Path::new(&format!("socket:[{inode}]")), fd.join("4")).unwrap();
        };
        socket("30", "107");
        socket("net", "107");
        assert_eq!(seen(&root).await, [""; 0], "not logged in yet");
        fs::create_dir_all(dir.path().join("proc/38")).unwrap();
        fs::write(dir.path().join("proc/38/cmdline"), "sshd: op@pts/0\0\0").unwrap();
        socket("38", "107");
        assert_eq!(seen(&root).await, ["198.51.100.7/32 ssh session"]);
    }
}
