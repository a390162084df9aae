//! How the listed prefixes stand in a router's file, where `lists = "auto"` leaves that to us (I/O:
//! it asks FRR).

use std::path::Path;
use std::time::Duration;

use super::{Chosen, FileOptions, Version, choose};
use crate::config::RouterConfig;
use crate::discover::program;
use crate::targets::TargetRow;

/// A bgpd that is busy answers late; then the version that it had the last time counts.
const PATIENCE: Duration = Duration::from_secs(10);

/// How lists stand in the file of this router, by what is known without asking FRR; `routes` is the
/// number of IPv4 and IPv6 prefixes. `None` if the configuration says it.
pub fn known(
    router: &RouterConfig,
    last: Option<&TargetRow>,
    routes: [usize; 2],
) -> Option<Chosen> {
    // The version of another FRR, or from an earlier configuration, does not count.
    let said = remembered(last).filter(|chosen| chosen.is_asked && is_asked(router));
    let said = said.and_then(|chosen| chosen.version.clone());
    by(router, last, routes, said)
}

/// The same before a load, by the version of the FRR that the default commands load into.
pub async fn asked(
    router: &RouterConfig,
    last: Option<&TargetRow>,
    routes: [usize; 2],
) -> Option<Chosen> {
    let said = match is_asked(router) {
        true => version(Path::new("vtysh"), "bgpd").await,
        false => None,
    };
    match said {
        None => known(router, last, routes),
        said => by(router, last, routes, said),
    }
}

/// Whether the file is loaded into the FRR of this machine, and the configuration names no version.
fn is_asked(router: &RouterConfig) -> bool {
    router.auto && router.options.frr_version.is_none() && router.reloads_here()
}

pub fn options(router: &RouterConfig, chosen: Option<&Chosen>) -> FileOptions {
    let mut options = router.options.clone();
    if let Some(chosen) = chosen {
        options.lists = chosen.lists;
        options.frr_version = chosen.version.clone();
    }
    options
}

/// What was chosen and why, in words.
pub fn said(chosen: &Chosen) -> String {
    format!(
        "lists = \"auto\" chose \"{}\": {}",
        chosen.lists,
        chosen.why()
    )
}

/// `said` is the version by the FRR of this machine.
fn by(
    router: &RouterConfig,
    last: Option<&TargetRow>,
    routes: [usize; 2],
    said: Option<Version>,
) -> Option<Chosen> {
    let configured = router.options.frr_version.clone();
    let is_asked = configured.is_none() && said.is_some();
    let before = remembered(last);
    let longest = routes.into_iter().max().unwrap_or(0);
    router.auto.then(|| Chosen {
        is_asked,
        ..choose(configured.or(said), longest, before)
    })
}

fn remembered(last: Option<&TargetRow>) -> Option<&Chosen> {
    last?.lists.as_ref()
}

/// The version of an FRR daemon that runs; `None` where it does not answer.
pub async fn version(vtysh: &Path, daemon: &str) -> Option<Version> {
    let mut version = None;
    let question = ["-d", daemon, "-c", "show version"];
    let read = |line: &str| version = version.take().or_else(|| Version::of_line(line));
    let asked = program::lines(vtysh, &question, PATIENCE, read).await;
    asked.ok().and(version)
}
