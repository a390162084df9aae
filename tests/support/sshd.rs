//! A real ssh server in a namespace, and users who log in there.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Place;
use super::namespace::{Namespace, eventually};
use super::speaker::has;

const USERS: &str = "root:x:0:0::/root:/bin/sh\nsshd:x:4241:65534::/run/sshd:/usr/sbin/nologin\n\
    op:x:4242:4242::/tmp:/bin/sh\n";

/// The files of an `/etc` with users who may log in, for [`Sshd::start`].
pub fn files(place: &Place) -> Option<[(&'static str, String); 3]> {
    if !has(&["sshd", "ssh", "ssh-keygen"]) {
        return None;
    }
    for key in ["host.key", "user.key"] {
        let file = place.path(key);
        let mut keygen = Command::new("ssh-keygen");
        keygen
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(file);
        assert!(keygen.status().unwrap().success());
    }
    Some([
        ("passwd", USERS.to_owned()),
        ("nsswitch.conf", "passwd: files\nhosts: files\n".to_owned()),
        ("ssh/authorized", place.read("user.key.pub")),
    ])
}

/// The server; it ends with this.
pub struct Sshd {
    child: Child,
    key: PathBuf,
}

impl Sshd {
    /// In a namespace whose `/etc` has the files above.
    pub fn start(place: &Place, namespace: &Namespace, listen: &str) -> Self {
        let log = place.path("sshd.log");
        let config = format!(
            "Port 22\nListenAddress {listen}\nHostKey {}\nAuthorizedKeysFile /etc/ssh/authorized\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nMaxStartups 100\nPidFile none\n\
             PerSourceMaxStartups none\n",
            place.path("host.key").display()
        );
        place.write("sshd.conf", &config);
        // The mounts are in the namespace alone.
        namespace.sh("mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd");
        let mut command = namespace.command("/usr/sbin/sshd");
        command.arg("-D").arg("-f").arg(place.path("sshd.conf"));
        let child = command.arg("-E").arg(&log).spawn().unwrap();
        let sshd = Self {
            child,
            key: place.path("user.key"),
        };
        eventually("the ssh server listens", || {
            fs::read_to_string(&log).is_ok_and(|log| log.contains("Server listening"))
        });
        sshd
    }

    /// Log in from another namespace, and stay.
    pub fn login(&self, from: &Namespace, user: &str, at: &str) -> Login {
        let mut command = from.command("ssh");
        command.arg("-i").arg(&self.key).args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "ConnectTimeout=5",
            "-o",
            "LogLevel=ERROR",
            &format!("{user}@{at}"),
            "cat",
        ]);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut login = Login { child, said };
        assert_eq!(login.ask("hello"), "hello", "{user} is logged in");
        login
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A user who is logged in until this ends; every line comes back.
pub struct Login {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Login {
    pub fn ask(&mut self, line: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut back = String::new();
        self.said.read_line(&mut back).unwrap();
        back.trim_end().to_owned()
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
