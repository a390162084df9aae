//! What speaks BGP in a namespace of ours.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nullrouted::targets::file::{Family, Role};

use super::frr::Running;
use super::namespace::{Namespace, eventually};
use super::{Place, Ran, installed, is_installed, is_root, left_out, wants_routers};

/// Everybody may read what is in it: the daemons drop their rights.
pub fn open(place: &Place) {
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(""), mode).unwrap();
}

/// Whether daemons of routers shall run and can run here; says why not.
pub fn can_run(programs: &[&str]) -> bool {
    wants_routers() && has(programs)
}

/// Whether daemons that only root starts can run here; says what is missing where not.
pub fn has(programs: &[&str]) -> bool {
    if let Some(name) = programs.iter().find(|name| !installed(name)) {
        left_out(format_args!("{name} is not installed"));
        return false;
    }
    if !is_root() {
        left_out("these daemons start as root only");
    }
    is_root()
}

/// A router `it` with the default commands, and what else is said of it.
pub fn router(family: Family, role: Role, path: &str, more: &str) -> String {
    let commands = family.commands(role);
    let mut text = format!(
        "[[router]]\nname = \"it\"\nfamily = \"{family}\"\nrole = \"{role}\"\npath = \"{path}\"\nadopt = true\n{more}"
    );
    for (key, words) in [
        ("check", commands.check),
        ("reload", commands.reload),
        ("verify", commands.verify),
    ] {
        if !words.is_empty() {
            text.push_str(&format!("{key} = \"default\"\n"));
        }
    }
    text
}

/// The words of a default command for this file.
pub fn filled(words: &[&str], file: &Path) -> Vec<String> {
    let file = file.display().to_string();
    let word = |word: &&str| word.replace("{file}", &file).replace("{delta}", &file);
    words.iter().map(word).collect()
}

/// Run a default command for this file.
#[track_caller]
pub fn run(namespace: &Namespace, words: &[&str], file: &Path) -> Ran {
    let words = filled(words, file);
    let arguments: Vec<_> = words[1..].iter().map(String::as_str).collect();
    namespace.run(&words[0], &arguments)
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

/// OpenBGPD with a `/run` of its own.
pub fn openbgpd(namespace: &Namespace, place: &Place, config: &str) -> Running {
    open(place);
    namespace.sh("mount -t tmpfs tmpfs /run; mkdir /run/openbgpd");
    place.write("bgpd.conf", config);
    let file = place.path("bgpd.conf").display().to_string();
    // FRR has one of the same name.
    let mut command = namespace.command("/usr/sbin/bgpd");
    let running = quiet(command.args(["-d", "-f", &file]));
    eventually("OpenBGPD is up", || {
        namespace.run("bgpctl", &["show"]).code == Some(0)
    });
    running
}

/// A file of the operator's into all daemons of FRR, which refuse nothing of it.
#[track_caller]
pub fn vtysh(namespace: &Namespace, file: &Path) {
    let file = file.display().to_string();
    let ran = namespace.run("vtysh", &["-f", &file]).code(0);
    let said = [ran.out, ran.err].concat();
    let notes = "% Configuration applied with notes:";
    let refused = |line: &&str| line.starts_with('%') && *line != notes;
    assert_eq!(said.lines().find(refused), None, "{said}");
}

/// FRR's daemons with a `/run` of their own, and nothing configured.
pub fn frr(namespace: &Namespace, place: &Place, daemons: &[&str]) -> Vec<Running> {
    open(place);
    namespace.sh(
        "mount -t tmpfs tmpfs /run; mkdir /run/frr; mount --bind /run/frr /run/frr; chown frr:frr /run/frr",
    );
    place.write("empty.conf", "");
    // Since FRR 10 this one holds the static routes, and neither it nor staticd takes `-f`.
    let mgmtd = is_installed("mgmtd").then_some("mgmtd");
    let start = |daemon: &str| {
        let file = place.path("empty.conf").display().to_string();
        let mut command = namespace.command(&format!("/usr/lib/frr/{daemon}"));
        command.args(["-P", "0", "-A", "127.0.0.1", "--log", "stdout"]);
        if mgmtd.is_none() || !["mgmtd", "staticd"].contains(&daemon) {
            command.args(["-f", &file]);
        }
        let running = quiet(&mut command);
        eventually(&format!("{daemon} is up"), || {
            let asked = namespace.run("vtysh", &["-d", daemon, "-c", "show version"]);
            asked.code == Some(0)
        });
        running
    };
    mgmtd
        .into_iter()
        .chain(daemons.iter().copied())
        .map(start)
        .collect()
}
