//! A daemon with its configuration and its lists.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Situation, listed};

/// Prefixes that are always listed; a change to a list of 200 000 changes as many others.
const ALWAYS: usize = 20_000;
const MORE: usize = 180_000;
const CHANGED: usize = 10_000;

/// The feed's file.
pub const LIST: &str = "big.list";

pub struct Place {
    dir: TempDir,
    situation: Situation,
}

/// A child that ends with this.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    pub fn new(situation: Situation) -> Self {
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
            situation,
        };
        put(&place.path(LIST), &place.list(0));
        let every = match situation {
            Situation::Refresh => "1s",
            _ => "1h",
        };
        let config = format!(
            "state_dir = \"state\"\n[[feed]]\nname = \"big\"\npath = \"big.list\"\nevery = \"{every}\"\n\
             [protect]\ndiscover = [\"addresses\", \"connected\", \"gateways\"]\n\
             [limits]\nmax_share_v4 = \"100%\"\nmax_added = \"100%\"\nmax_removed = \"100%\"\n"
        );
        fs::write(place.path("nullrouted.toml"), config).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// How many are listed always.
    pub fn count(&self) -> usize {
        ALWAYS
    }

    /// The list; each of two numbers gives another one where it is to change.
    pub fn list(&self, number: usize) -> String {
        let more = match self.situation {
            Situation::Refresh => MORE,
            _ => 0,
        };
        let first = ALWAYS + number * CHANGED;
        let nets = (0..ALWAYS).chain(first..first + more).map(listed);
        nets.fold(String::new(), |mut list, net| {
            writeln!(list, "{net}/24").unwrap();
            list
        })
    }

    pub fn daemon(&self, program: &Path) -> Running {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut command = Command::new(program);
        command.env("NULLROUTED_RUN_DIR", self.path("run"));
        command.arg("--config").arg(self.path("nullrouted.toml"));
        Running::start(command.arg("run").stdout(Stdio::null()).stderr(log))
    }

    /// Without the daemon: the next one begins with nothing.
    pub fn clear(self) {
        sh(
            "for family in -4 -6; do ip $family route flush proto 166; ip $family route flush proto static; done",
        );
    }
}

/// Whole or not at all.
pub fn put(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

pub fn sh(line: &str) {
    let status = Command::new("sh").args(["-c", line]).status().unwrap();
    assert!(status.success(), "{line}");
}
