//! Comparison of what FRR's zebra holds with what is installed (I/O).
//!
//! zebra learns the kernel's routes from notifications and never reads them again. If a
//! notification is lost, zebra lacks the route, or announces it forever. Here its output is
//! compared with a dump of the kernel's routes.

mod compare;
mod shown;

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::Mark;
use super::message::{self, DumpFilter};
use crate::discover::Root;
use crate::discover::program;
use crate::files;
use crate::netlink;
use crate::netlink::family::AddressFamily;
use crate::prefix::Prefix;
use crate::targets::file::Version;
use crate::targets::file::lists::version;

use compare::Kernel;
pub use compare::Mismatch;
use shown::Shown;

/// The name of FRR's routing daemon, as `ps` shows it.
pub const ZEBRA: &str = "zebra";

/// Timeout for `show ip route`: 300 000 routes take 0.6 s (FRR 8.4).
const PATIENCE: Duration = Duration::from_secs(10);
/// zebra works through its queue of notifications; while the difference shrinks, it is waited for
/// at most this long.
const SETTLE: Duration = Duration::from_secs(20);
/// Time between two looks during this wait.
const PAUSE: Duration = Duration::from_millis(500);

/// The difference is real after this many looks without a decrease. A single second may be one in
/// which zebra got no processor time.
const STILL: u32 = 5;

/// FRR's main table.
const MAIN: u32 = 254;

/// What zebra holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// How many routes of ours should be there.
    pub wanted: usize,
    /// Installed, and not held by zebra.
    pub missing: Mismatch,
    /// Held by zebra as routes that drop, and not in the kernel.
    pub ghosts: Mismatch,
    /// The version of zebra, read only if something is wrong.
    pub version: Option<Version>,
}

impl Held {
    /// The number of differences.
    fn distance(&self) -> usize {
        self.missing.count + self.ghosts.count
    }
}

/// Why it is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// `vtysh` is not installed.
    NotInstalled,
    /// `vtysh` failed, in its words.
    Vtysh(String),
    /// The kernel's routes cannot be read.
    Routes(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str("vtysh is not installed"),
            Self::Vtysh(why) => write!(f, "vtysh: {why}; may its user talk to FRR? (group frrvty)"),
            Self::Routes(error) => write!(f, "the routes cannot be read: {error}"),
        }
    }
}

/// Compare what zebra holds with what is installed. Waits some seconds while the difference
/// shrinks, or until `stop`. `None` where zebra does not look: in tables other than the main one
/// and those of VRFs, or in a zebra of another network namespace.
///
/// # Errors
/// `vtysh` is missing, refused or does not answer; the kernel's routes cannot be read.
pub async fn compare(
    root: &Root,
    mark: &Mark,
    stop: &impl Fn() -> bool,
) -> Result<Option<Held>, Fault> {
    let vtysh = root.program("vtysh").ok_or(Fault::NotInstalled)?;
    if is_elsewhere(root) {
        return Ok(None);
    }
    let Some(vrf) = vrf(&vtysh, mark.table).await? else {
        return Ok(None);
    };
    let begun = Instant::now();
    let mut held = once(&vtysh, &vrf, mark).await?;
    let mut still = 0;
    while held.distance() > 0 && still < STILL && begun.elapsed() < SETTLE && !stop() {
        sleep(PAUSE).await;
        let before = held.distance();
        held = once(&vtysh, &vrf, mark).await?;
        still = if held.distance() < before {
            0
        } else {
            still + 1
        };
    }
    if held.distance() > 0 {
        held.version = version(&vtysh, ZEBRA).await;
    }
    Ok(Some(held))
}

/// The newest version that removes a ghost when its route is added and deleted again. 10.7.1 keeps
/// ghosts.
const FORGETS: (u32, u32) = (10, 3);

impl Held {
    /// Whether zebra removes a ghost when its route is added and deleted again.
    pub fn forgets(&self) -> bool {
        let (major, minor) = FORGETS;
        let version = self.version.as_ref();
        version.is_some_and(|version| version.is_at_most(major, minor))
    }
}

async fn once(vtysh: &Path, vrf: &str, mark: &Mark) -> Result<Held, Fault> {
    let mut held = Held::default();
    family::<u32>(vtysh, "ip", vrf, mark, &mut held).await?;
    family::<u128>(vtysh, "ipv6", vrf, mark, &mut held).await?;
    Ok(held)
}

/// Compare one family and add the result to `held`.
async fn family<B: AddressFamily + Shown>(
    vtysh: &Path,
    word: &str,
    vrf: &str,
    mark: &Mark,
    held: &mut Held,
) -> Result<(), Fault> {
    let mut zebra = Vec::<Prefix<B>>::new();
    let question = format!("show {word} route{vrf} kernel");
    ask(vtysh, &question, |line| zebra.extend(shown::drops(line))).await?;
    // Later than zebra's: what changes in between is compared again.
    let mut kernel = Kernel::default();
    let request = message::dump::<B>(DumpFilter::All, mark);
    let read = netlink::dump(&request, Some(B::GROUP), |found| {
        if let Some(route) = message::read(found.payload, mark) {
            kernel.add(&route);
        }
    });
    read.await
        .map_err(|error| Fault::Routes(error.to_string()))?;
    kernel.compare(zebra, held);
    Ok(())
}

/// Run a `show` command in zebra only: the other daemons are not asked.
async fn ask(vtysh: &Path, question: &str, read: impl FnMut(&str)) -> Result<(), Fault> {
    program::lines(vtysh, &["-d", "zebra", "-c", question], PATIENCE, read)
        .await
        .map_err(Fault::Vtysh)
}

/// The part of a command that names this table: nothing for the main one, ` vrf NAME` for that of a
/// VRF.
async fn vrf(vtysh: &Path, table: u32) -> Result<Option<String>, Fault> {
    if table == MAIN {
        return Ok(Some(String::new()));
    }
    let mut found = None;
    ask(vtysh, "show vrf", |line| {
        if let Some(name) = shown::vrf(line, table) {
            found = Some(format!(" vrf {name}"));
        }
    })
    .await?;
    Ok(found)
}

/// Whether the zebra that `vtysh` talks to runs in another network namespace than ours.
fn is_elsewhere(root: &Root) -> bool {
    let id = files::read_text(&root.path("/run/frr/zebra.pid"), 1_024).unwrap_or_default();
    let theirs = fs::read_link(format!("/proc/{}/ns/net", id.trim()));
    let ours = fs::read_link("/proc/thread-self/ns/net");
    matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours != theirs)
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    /// A `vtysh` that is a script.
    fn root(script: &str) -> (tempfile::TempDir, Root) {
        let place = tempfile::tempdir().unwrap();
        let draft = place.path().join("draft");
        fs::write(&draft, format!("#!/bin/sh\n{script}")).unwrap();
        fs::create_dir_all(place.path().join("usr/bin")).unwrap();
        // Written by another process: see ETXTBSY.
        let mut install = std::process::Command::new("install");
        install.args(["-m", "755"]).arg(draft);
        let status = install.arg(place.path().join("usr/bin/vtysh")).status();
        assert!(status.unwrap().success());
        let root = Root::at(place.path());
        (place, root)
    }

    async fn compared(script: &str, table: u32) -> Result<Option<Held>, Fault> {
        let (_place, root) = root(script);
        let mark = Mark {
            table,
            protocol: 251,
            kind: Kind::Blackhole,
            metric: 0,
        };
        compare(&root, &mark, &|| true).await
    }

    #[tokio::test]
    async fn a_table_that_zebra_does_not_look_at_is_not_compared() {
        let script =
            "[ \"$*\" = '-d zebra -c show vrf' ] || exit 9\necho 'vrf red id 7 table 1000'\n";
        assert_eq!(compared(script, 1_166).await, Ok(None));
    }

    #[tokio::test]
    async fn a_vrf_is_asked_for_by_its_name() {
        let script = "case \"$4\" in\n'show vrf') echo 'vrf red id 7 table 64999' ;;\n\
                      'show ip route vrf red kernel') echo 'K>* 192.0.2.1/32 [0/0] unreachable (blackhole), 1d' ;;\n\
                      'show ipv6 route vrf red kernel') ;;\n*) exit 9 ;;\nesac\n";
        let held = compared(script, 64_999).await.unwrap().unwrap();
        assert_eq!(held.ghosts.to_string(), "1 (192.0.2.1/32)");
        assert_eq!((held.wanted, held.missing.count), (0, 0));
    }

    #[tokio::test]
    async fn without_permission_the_error_says_what_to_do() {
        let script = "echo 'Exiting: failed to connect to any daemons.' >&2\nexit 1\n";
        let why = compared(script, MAIN).await.unwrap_err();
        assert_eq!(
            why.to_string(),
            "vtysh: Exiting: failed to connect to any daemons.; may its user talk to FRR? (group frrvty)"
        );
        let (place, root) = root("");
        fs::remove_file(place.path().join("usr/bin/vtysh")).unwrap();
        let why = compare(&root, &Mark::default(), &|| true).await;
        assert_eq!(why.unwrap_err(), Fault::NotInstalled);
    }
}
