//! What speaks BGP in a namespace of ours.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::Place;
use super::frr::Running;
use super::namespace::{Namespace, eventually};

/// Everybody may read what is in it: the daemons drop their rights.
pub fn open(place: &Place) {
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(""), mode).unwrap();
}

/// A daemon that stays in the foreground.
pub fn quiet(command: &mut Command) -> Running {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Running(child.unwrap())
}

/// BIRD with a `/run` of its own, and what a shell line does there before it starts.
pub fn bird(namespace: &Namespace, place: &Place, config: &str, before: &str) -> Running {
    open(place);
    namespace.sh(&format!(
        "mount -t tmpfs tmpfs /run; mkdir /run/bird; {before}"
    ));
    place.write("bird.conf", config);
    let file = place.path("bird.conf").display().to_string();
    let mut command = namespace.command("bird");
    let running = quiet(command.args(["-f", "-c", &file, "-s", "/run/bird/bird.ctl"]));
    eventually("BIRD is up", || {
        namespace.run("birdc", &["show", "status"]).code == Some(0)
    });
    running
}

/// FRR's daemons with a `/run` of their own, and nothing configured.
pub fn frr(namespace: &Namespace, place: &Place, daemons: &[&str]) -> Vec<Running> {
    open(place);
    namespace.sh(
        "mount -t tmpfs tmpfs /run; mkdir /run/frr; mount --bind /run/frr /run/frr; chown frr:frr /run/frr",
    );
    place.write("empty.conf", "");
    let start = |daemon: &&str| {
        let file = place.path("empty.conf").display().to_string();
        let mut command = namespace.command(&format!("/usr/lib/frr/{daemon}"));
        command.args(["-P", "0", "-A", "127.0.0.1", "-f", &file, "--log", "stdout"]);
        let running = quiet(&mut command);
        eventually(&format!("{daemon} is up"), || {
            let asked = namespace.run("vtysh", &["-d", daemon, "-c", "show version"]);
            asked.code == Some(0)
        });
        running
    };
    daemons.iter().map(start).collect()
}
