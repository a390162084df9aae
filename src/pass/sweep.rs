//! After a decision: copies that nothing names any more go (I/O).

use std::collections::HashSet;
use std::error::Error;

use super::inputs::Cache;
use crate::config::Config;
use crate::ledger::Ledger;

/// Remove copies that nothing names any more, from disk and from memory. The targets are in step by
/// then: what goes wrong is said, and done again after the next pass.
pub(super) fn sweep(config: &Config, ledger: &Ledger, cache: &mut Cache) {
    if let Err(error) = try_sweep(config, ledger, cache) {
        tracing::warn!("copies  {error}");
    }
}

fn try_sweep(config: &Config, ledger: &Ledger, cache: &mut Cache) -> Result<(), Box<dyn Error>> {
    let (rows, copies) = (ledger.feeds()?, config.copies());
    // Of feeds that are no longer configured, too: while that is held, what is in force is
    // theirs.
    let mut named: HashSet<(String, String)> = rows
        .values()
        .flat_map(|row| [&row.digest, &row.applied].map(|d| Some((row.name.clone(), d.clone()?))))
        .flatten()
        .collect();
    cache.keep_only(&named);
    // Which copy was in force is noted in the folder: a ledger that is lost begins with that one.
    for (feed, digest) in config.fetched().filter_map(|feed| {
        let row = rows.get(&feed.name)?;
        Some((&feed.name, row.applied.as_ref()?))
    }) {
        copies.note_applied(feed, digest)?;
    }
    let unknown = config.fetched().map(|feed| &feed.name);
    let unknown = unknown.filter(|name| rows.get(*name).is_none_or(|row| row.digest.is_none()));
    named.extend(unknown.filter_map(|name| Some((name.clone(), copies.applied(name)?.0))));
    Ok(copies.keep_only(&named)?)
}
