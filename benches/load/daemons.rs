//! The routers, each with a `/run` of its own, so that the default commands reach it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nullrouted::targets::file::Family;

pub struct Daemons(Vec<Child>);

impl Daemons {
    /// Started, and waited for. BIRD includes `file`.
    pub fn start(family: Family, place: &Path, file: &Path) -> Self {
        // The daemons drop their rights, and still have to read what is there.
        sh(&format!(
            "chmod 755 {}; mount -t tmpfs tmpfs /run; ip link set lo up",
            place.display()
        ));
        let config = place.join("daemon.conf");
        let config_name = config.display().to_string();
        match family {
            Family::Frr => {
                sh("mkdir /run/frr; mount --bind /run/frr /run/frr; chown frr:frr /run/frr");
                std::fs::write(&config, "").unwrap();
                // Since FRR 10 this one comes first, and takes no file.
                let mgmtd = Path::new("/usr/lib/frr/mgmtd").exists().then_some("mgmtd");
                let start = |daemon: &str| {
                    let mut command = Command::new(format!("/usr/lib/frr/{daemon}"));
                    command.args(["-P", "0", "-A", "127.0.0.1", "--log", "stdout"]);
                    if mgmtd != Some(daemon) {
                        command.args(["-f", &config_name]);
                    }
                    let child = spawn(command);
                    ready("vtysh", &["-d", daemon, "-c", "show version"]);
                    child
                };
                let all = mgmtd.into_iter().chain(["zebra", "bgpd"]);
                let daemons = Self(all.map(start).collect());
                sh(
                    "vtysh -c 'configure terminal' -c 'router bgp 65000' -c 'bgp route-map delay-timer 1'",
                );
                daemons
            }
            Family::Bird => {
                sh("mkdir /run/bird");
                std::fs::write(file, "").unwrap();
                let text = format!(
                    "router id 192.0.2.1;\nprotocol device {{}}\ninclude \"{}\";\n",
                    file.display()
                );
                std::fs::write(&config, text).unwrap();
                let mut command = Command::new("bird");
                command.args(["-f", "-c", &config_name, "-s", "/run/bird/bird.ctl"]);
                let child = spawn(command);
                ready("birdc", &["show", "status"]);
                Self(vec![child])
            }
            _ => unreachable!("only those of the table"),
        }
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        for child in self.0.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        sh("umount -R -l /run");
    }
}

fn sh(line: &str) {
    let ran = Command::new("sh")
        .args(["-e", "-c", line])
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

fn spawn(mut command: Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn ready(program: &str, arguments: &[&str]) {
    let begun = Instant::now();
    while !Command::new(program)
        .args(arguments)
        .output()
        .unwrap()
        .status
        .success()
    {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{program} {arguments:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
