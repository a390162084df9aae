//! Neighbors of the BGP speakers on this machine (I/O).
//!
//! A running speaker is asked; if it does not answer, its configuration is read. Its socket shows
//! whether it runs: starting a program that finds nothing to connect to takes longer than a whole
//! pass.

use std::collections::BTreeSet;
use std::io;

use tokio::net::UnixStream;

use super::program::ask;
use super::text::{Reader, bird, frr};
use super::{Answer, Found, Root};
use crate::prefix::Item;

/// How to ask a speaker, and its files.
struct Speaker {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// Its configuration files.
    files: &'static [&'static str],
    /// Its sockets, which accept connections while it runs.
    sockets: &'static [&'static str],
    /// A hint for the operator if it does not answer and its files cannot be read.
    hint: &'static str,
}

const FRR: Speaker = Speaker {
    name: "FRR",
    program: "vtysh",
    arguments: &["-c", "show running-config"],
    files: &["/etc/frr/frr.conf", "/etc/frr/bgpd.conf"],
    sockets: &["/run/frr/bgpd.vty", "/var/run/frr/bgpd.vty"],
    hint: "may its user talk to FRR? (group frrvty)",
};

const BIRD: Speaker = Speaker {
    name: "BIRD",
    program: "birdc",
    // Restricted mode: it can show, and change nothing.
    arguments: &["-r", "show", "protocols", "all"],
    files: &["/etc/bird/bird.conf", "/etc/bird.conf"],
    sockets: &["/run/bird/bird.ctl", "/var/run/bird.ctl", "/run/bird.ctl"],
    hint: "may its user talk to BIRD? (group bird)",
};

/// The neighbors of FRR and of BIRD. If neither is installed there are none. One that is installed,
/// does not answer, and whose files cannot be read is a part that failed, in words that say what to
/// do.
pub async fn neighbors(root: &Root) -> Answer {
    let frr = one::<frr::Config, frr::Config>(&FRR, root);
    let bird = one::<bird::Status, bird::Config>(&BIRD, root);
    let (frr, bird) = tokio::join!(frr, bird);
    let mut shown = Answer::default();
    for (speaker, answer) in [(FRR, frr), (BIRD, bird)] {
        let why = format!("BGP neighbor in {}", speaker.name);
        match answer {
            Ok(items) => shown
                .found
                .extend(items.into_iter().map(|item| Found::of(item, &*why))),
            Err(cause) => shown.fail(Some(&why), cause),
        }
    }
    shown
}

/// Ask one speaker for its status `S`, or read its configuration `C`.
async fn one<S: Reader, C: Reader>(
    speaker: &Speaker,
    root: &Root,
) -> Result<BTreeSet<Item>, String> {
    let mut runs = false;
    for socket in speaker.sockets {
        runs = runs || may_answer(root, socket).await;
    }
    let asked = match root.program(speaker.program) {
        Some(program) if runs => Some(ask::<S>(&program, speaker.arguments).await),
        _ => None,
    };
    let why = match asked {
        Some(Ok(status)) => return Ok(status.found()),
        Some(Err(why)) => Some(why),
        None => None,
    };
    let mut config = C::default();
    let mut read = false;
    let mut hidden = None;
    for file in speaker.files {
        match root.lines(file, |line| config.line(line)) {
            Ok(()) => read = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => hidden = Some(format!("{file}: {error}")),
        }
    }
    if read {
        return Ok(config.found());
    }
    let (program, hint) = (speaker.program, speaker.hint);
    match (why, hidden) {
        (Some(why), Some(hidden)) => Err(format!("{program}: {why}; {hidden}; {hint}")),
        (Some(why), None) => Err(format!("{program}: {why}; {hint}")),
        // A speaker that does not run has a configuration, too, with which it will be started.
        (None, Some(hidden)) if root.program(program).is_some() => {
            Err(format!("{} does not run; {hidden}; {hint}", speaker.name))
        }
        // Neither configured nor running: it has no neighbors.
        (None, _) => Ok(BTreeSet::new()),
    }
}

/// Whether a server may answer at a socket. None does if the socket is missing or refuses a
/// connection; without the permission to connect it is unknown.
async fn may_answer(root: &Root, absolute: &str) -> bool {
    match UnixStream::connect(root.path(absolute)).await {
        Ok(_) => true,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::NotFound
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::NotADirectory
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;
    use crate::discover::{Cause, Failed};

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let draft = self.0.path().join("draft");
            fs::write(&draft, text).unwrap();
            // Written by another process: a program that is open for writing here, or in a child
            // that some other test starts meanwhile, cannot be run (ETXTBSY).
            let mut install = Command::new("install");
            install.args(["-m", "755"]).arg(draft).arg(path);
            assert!(install.status().unwrap().success());
        }

        /// A server that listens until this is dropped.
        fn socket(&self, name: &str) -> UnixListener {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            UnixListener::bind(path).unwrap()
        }

        fn folder(&self, name: &str) {
            fs::create_dir_all(self.0.path().join(name)).unwrap();
        }

        /// The networks that are found, then the failures.
        async fn scan(&self) -> Vec<String> {
            let shown = neighbors(&Root::at(self.0.path())).await;
            let found = shown.found.iter().map(|f| format!("{} {}", f.item, f.why));
            let failed = shown.failed.iter().map(|failed| match failed {
                Failed {
                    why: Some(why),
                    cause: Cause::Error(text),
                } => format!("{why}: {text}"),
                other => panic!("{other:?}"),
            });
            found.chain(failed).collect()
        }
    }

    const SILENT: &str =
        "#!/bin/sh\necho 'Exiting: failed to connect to any daemons.' >&2\nexit 1\n";

    #[tokio::test]
    async fn nothing_installed_shows_nothing() {
        assert_eq!(Machine::new().scan().await, [""; 0]);
    }

    #[tokio::test]
    async fn a_speaker_that_answers_is_believed_before_its_file() {
        let place = Machine::new();
        let _running = [
            place.socket("run/frr/bgpd.vty"),
            place.socket("run/bird/bird.ctl"),
        ];
        place.write(
            "usr/bin/vtysh",
            "#!/bin/sh\n[ \"$1 $2\" = '-c show running-config' ] || exit 9\n\
             printf 'router bgp 1\\n neighbor 192.0.2.1 remote-as 65002\\nexit\\n'\n",
        );
        place.write(
            "etc/frr/frr.conf",
            "router bgp 1\n neighbor 192.0.2.9 remote-as 65002\n",
        );
        place.write(
            "usr/sbin/birdc",
            "#!/bin/sh\n[ \"$*\" = '-r show protocols all' ] || exit 9\necho '    Neighbor address: 2001:db8::1'\n",
        );
        assert_eq!(
            place.scan().await,
            [
                "192.0.2.1/32 BGP neighbor in FRR",
                "2001:db8::1/128 BGP neighbor in BIRD"
            ]
        );
    }

    #[tokio::test]
    async fn a_speaker_that_does_not_run_is_read_and_its_program_is_not_started() {
        let place = Machine::new();
        let started = place.0.path().join("started");
        let told = format!("#!/bin/sh\necho x > {}\n", started.display());
        for program in ["usr/bin/vtysh", "usr/sbin/birdc"] {
            place.write(program, &told);
        }
        assert_eq!(place.scan().await, [""; 0]);
        // The socket that a killed speaker leaves behind refuses connections.
        drop(place.socket("run/frr/bgpd.vty"));
        place.write("run/bird/bird.ctl", "");
        place.write(
            "etc/frr/frr.conf",
            "router bgp 1\n neighbor 192.0.2.9 remote-as 65002\n",
        );
        assert_eq!(place.scan().await, ["192.0.2.9/32 BGP neighbor in FRR"]);
        assert!(!started.exists());
        fs::remove_file(place.0.path().join("run/frr/bgpd.vty")).unwrap();
        let _running = place.socket("run/frr/bgpd.vty");
        assert_eq!(place.scan().await, [""; 0], "asked, and believed");
        assert!(started.exists());
    }

    #[tokio::test]
    async fn a_speaker_that_is_silent_is_read() {
        let place = Machine::new();
        let _running = place.socket("run/frr/bgpd.vty");
        place.write("usr/bin/vtysh", SILENT);
        place.write(
            "etc/frr/bgpd.conf",
            "router bgp 1\n neighbor 192.0.2.9 remote-as 65002\n",
        );
        place.write(
            "etc/bird.conf",
            "protocol bgp a { neighbor 192.0.2.8 as 65003; }\n",
        );
        assert_eq!(
            place.scan().await,
            [
                "192.0.2.9/32 BGP neighbor in FRR",
                "192.0.2.8/32 BGP neighbor in BIRD"
            ]
        );
    }

    #[tokio::test]
    async fn a_speaker_that_neither_answers_nor_can_be_read_is_an_error_that_says_what_to_do() {
        let place = Machine::new();
        place.write("usr/bin/vtysh", SILENT);
        assert_eq!(place.scan().await, [""; 0], "installed, not in use");
        let running = place.socket("run/frr/bgpd.vty");
        assert_eq!(
            place.scan().await,
            [
                "BGP neighbor in FRR: vtysh: Exiting: failed to connect to any daemons.; \
              may its user talk to FRR? (group frrvty)"
            ]
        );
        // A folder cannot be read as a file, not even by root.
        place.folder("etc/frr/frr.conf");
        let refused = place.scan().await.concat();
        assert!(refused.contains("; /etc/frr/frr.conf: "), "{refused}");
        place.write(
            "etc/bird.conf",
            "protocol bgp a { neighbor 192.0.2.8 as 65003; }\n",
        );
        let both = place.scan().await;
        assert_eq!(both[0], "192.0.2.8/32 BGP neighbor in BIRD");
        assert!(
            both[1].starts_with("BGP neighbor in FRR: vtysh: "),
            "{both:?}"
        );
        place.write("usr/sbin/birdc", SILENT);
        assert_eq!(place.scan().await, both, "its file is read");
        fs::remove_file(place.0.path().join("etc/bird.conf")).unwrap();
        let _bird = place.socket("run/bird/bird.ctl");
        let neither = place.scan().await;
        assert!(
            neither[1].starts_with("BGP neighbor in BIRD: birdc: "),
            "{neither:?}"
        );
        drop(running);
        let stopped = place.scan().await.concat();
        let said = "BGP neighbor in FRR: FRR does not run; /etc/frr/frr.conf: ";
        assert!(stopped.contains(said), "{stopped}");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_not_waited_for() {
        let place = Machine::new();
        place.write("usr/bin/vtysh", "#!/bin/sh\nexec sleep 60\n");
        let _running = place.socket("run/frr/bgpd.vty");
        let begun = std::time::Instant::now();
        let refused = place.scan().await.concat();
        assert!(
            refused.starts_with("BGP neighbor in FRR: vtysh: no answer within 3s"),
            "{refused}"
        );
        assert!(begun.elapsed().as_secs() < 5);
    }
}
