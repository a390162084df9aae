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

/// What is chosen for the file of this router with so many IPv4 and IPv6 prefixes, by what is
/// known. `None` where the configuration says it.
pub fn known(
    router: &RouterConfig,
    last: Option<&TargetRow>,
    routes: [usize; 2],
) -> Option<Chosen> {
    // What was said by another FRR, or by the configuration of then, has no meaning any more.
    let said = remembered(last).filter(|chosen| chosen.is_asked && is_asked(router));
    let said = said.and_then(|chosen| chosen.version.clone());
    by(router, last, routes, said)
}

/// The same before a load: by the version of the FRR that the default commands load into.
pub async fn asked(
    router: &RouterConfig,
    last: Option<&TargetRow>,
    routes: [usize; 2],
) -> Option<Chosen> {
    match is_asked(router) {
        true => match version().await {
            None => known(router, last, routes),
            said => by(router, last, routes, said),
        },
        false => known(router, last, routes),
    }
}

/// Whether the FRR of this machine is the one, and the configuration leaves its version to it.
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

/// The version of the bgpd that runs; `None` where it does not answer.
async fn version() -> Option<Version> {
    let mut version = None;
    let question = ["-d", "bgpd", "-c", "show version"];
    let read = |line: &str| version = version.take().or_else(|| Version::of_line(line));
    let asked = program::lines(Path::new("vtysh"), &question, PATIENCE, read).await;
    asked.ok().and(version)
}
