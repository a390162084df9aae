//! The README in the order of a real first day: its commands, from the installation to the end, in
//! a fresh root with a network of its own.
//!
//! The root is an overlay over that of this machine, in a mount namespace that is gone afterwards.
//! The build is the binary under test, and `systemctl` writes down what it is asked.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::support::namespace::Namespace;
use crate::support::{PROGRAM, installed, is_root, left_out, repository};

/// What `systemctl` is asked, in order.
const SYSTEMCTL: [&str; 5] = [
    "enable --now nullrouted",
    "daemon-reload",
    "restart nullrouted",
    "disable --now nullrouted nullrouted-refresh.timer",
    "daemon-reload",
];

/// Commands that may end with another code than 0: `plan` has found changes.
const CODES: [(&str, &[i32]); 2] = [
    ("sudo nullrouted plan", &[0, 2]),
    ("sudo nullrouted plan --summary", &[0, 2]),
];

/// A block of the README between two headings.
enum Block {
    /// Commands, one a line.
    Shell(Vec<String>),
    Toml(String),
}

fn blocks(text: &str) -> Vec<Block> {
    let start = text.find("## Install\n").unwrap();
    let end = text.find("## Routers around it\n").unwrap();
    let mut blocks = Vec::new();
    for rest in text[start..end].split("```").skip(1).step_by(2) {
        let (language, body) = rest.split_once('\n').unwrap();
        match language {
            "sh" => {
                let lines = body.lines().map(|line| {
                    let command = line.split("  #").next().unwrap();
                    command.trim().to_owned()
                });
                blocks.push(Block::Shell(lines.collect()));
            }
            "toml" => blocks.push(Block::Toml(body.to_owned())),
            other => panic!("{other}: a block that is not run"),
        }
    }
    blocks
}

/// The folder of the overlay, and what is put into its root.
struct Fresh {
    dir: tempfile::TempDir,
}

impl Fresh {
    fn new() -> Self {
        // An overlay cannot have its upper part on another overlay: a file system in memory.
        let dir = tempfile::tempdir().unwrap();
        let fresh = Self { dir };
        for name in ["fs", "stubs", "asked"] {
            fs::create_dir(fresh.path(name)).unwrap();
        }
        fresh.stub("sudo", "exec \"$@\"");
        fresh.stub("git", "[ \"$*\" = pull ]");
        fresh.stub(
            "cargo",
            "[ \"$*\" = 'build --release' ] && mkdir -p target/release && cp /under-test target/release/nullrouted",
        );
        fresh.stub("systemctl", "echo \"$*\" >> /asked");
        fresh
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn stub(&self, name: &str, line: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("stubs").join(name);
        fs::write(&path, format!("#!/bin/sh\n{line}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The script that makes the root and runs these commands in it, each with its code.
    fn script(&self, commands: &[String]) -> String {
        let dir = self.dir.path().display();
        let repository = repository().display();
        let mut text = format!(
            "set -e
mount -t tmpfs tmpfs {dir}/fs
mkdir {dir}/fs/upper {dir}/fs/work {dir}/fs/root
mount -t overlay overlay -o lowerdir=/,upperdir={dir}/fs/upper,workdir={dir}/fs/work {dir}/fs/root
root={dir}/fs/root
for at in proc sys dev; do mount --rbind /$at $root/$at; done
mount -t tmpfs tmpfs $root/run
mount -t tmpfs tmpfs $root/tmp
rm -rf $root/etc/nullrouted $root/var/lib/nullrouted $root/usr/bin/nullrouted
cp {PROGRAM} $root/under-test
mkdir -p $root/stubs $root/source
cp {dir}/stubs/* $root/stubs/
cd {repository}
cp -r README.md CHANGELOG.md doc config systemd $root/source/
cat > $root/day <<'END-OF-THE-DAY'
export PATH=/stubs:/usr/sbin:/usr/bin:/sbin:/bin
unset NULLROUTED_CONFIG NULLROUTED_RUN_DIR
cd /source
"
        );
        for command in commands {
            text.push_str(&format!(
                "echo '$ {}'\n{command}\necho \"= $?\"\n",
                command.replace('\'', "'\\''")
            ));
        }
        text.push_str("END-OF-THE-DAY\nchroot $root sh /day 2>&1\ncat $root/asked > ");
        text.push_str(&format!("{dir}/asked/all\n"));
        text
    }
}

#[test]
fn the_commands_of_the_readme_work_in_their_order() {
    if !is_root() || !installed("systemd-sysusers") {
        return left_out("needs root and systemd-sysusers");
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("link set lo up");
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let mut commands = Vec::new();
    for block in blocks(&readme) {
        match block {
            Block::Shell(lines) => commands.extend(lines),
            // The list that is fetched is a file here: this network leads nowhere.
            Block::Toml(text) => {
                let text = text.replace(
                    "preset = \"spamhaus-drop-v4\"",
                    "path = \"/etc/nullrouted/drop.txt\"\nformat = \"spamhaus-text\"\n#",
                );
                assert!(text.contains("drop.txt"), "{text}");
                commands.push(format!(
                    "cat > /etc/nullrouted/nullrouted.toml <<'END'\n{text}END\n\
                     printf '; Spamhaus DROP List\\n192.0.2.0/24 ; SBL1\\n198.51.100.0/24 ; SBL2\\n; EOF\\n' > /etc/nullrouted/drop.txt\n\
                     echo '72.37.186/23' > /etc/nullrouted/noc.list\n\
                     touch -d '1 minute ago' /etc/nullrouted/drop.txt /etc/nullrouted/noc.list"
                ));
            }
        }
    }
    assert!(commands.len() > 30, "{commands:#?}");
    let fresh = Fresh::new();
    let mut command = router.command("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c"]);
    command.arg(fresh.script(&commands));
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if told.is_empty() && overlay_is_refused(&output) {
        return left_out("this machine permits no overlay");
    }
    judge(&told, &commands);
    let asked = fs::read_to_string(fresh.path("asked").join("all")).unwrap();
    assert_eq!(asked.lines().collect::<Vec<_>>(), SYSTEMCTL);
    assert!(router.ours().is_empty(), "{:?}", router.ours());
    for part in [
        "/etc/nullrouted/nullrouted.toml",
        "3 routes in force (3 IPv4, 0 IPv6), generation ",
        "everything is dropped: 3 prefixes in force",
        "72.37.187.9 is blackholed by 72.37.186.0/23",
        "72.37.190.0/24 added: it is blackholed now",
        "flushed; nothing is installed until `nullrouted unpin`",
    ] {
        assert!(told.contains(part), "{part:?} is missing:\n{told}");
    }
}

fn overlay_is_refused(output: &Output) -> bool {
    let err = String::from_utf8_lossy(&output.stderr);
    err.contains("overlay") || err.contains("permission denied")
}

/// Every command ended as it should.
fn judge(told: &str, commands: &[String]) {
    let codes: Vec<i32> = told
        .lines()
        .filter_map(|line| line.strip_prefix("= ")?.parse().ok())
        .collect();
    assert_eq!(codes.len(), commands.len(), "{told}");
    for (command, code) in commands.iter().zip(codes) {
        let known = CODES.iter().find(|(known, _)| known == command);
        let good = known.map_or(&[0][..], |(_, good)| good);
        assert!(good.contains(&code), "{command} ended with {code}:\n{told}");
    }
}
