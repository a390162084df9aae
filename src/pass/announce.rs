//! What a decision changes, in words: each thing once (I/O: the log, and what the ledger knows was
//! said).

use ipnet::IpNet;

use super::inputs::Cache;
use super::log_once;
use crate::config::Config;
use crate::feed::standing::Standing;
use crate::ledger::{Ledger, LedgerError};
use crate::pipeline::Decision;
use crate::policy::Permitted;
use crate::rib::Listing;

/// Say what changed: a feed's standing, what the policy took, what the gate said; each once.
pub fn decision(
    config: &Config,
    ledger: &Ledger,
    decision: &Decision,
    cache: &mut Cache,
) -> Result<(), LedgerError> {
    let rows = ledger.feeds()?;
    for (feed, standing) in config.feeds.iter().zip(&decision.standings) {
        let Some(row) = rows.get(&feed.name) else {
            continue;
        };
        if row.standing == Some(*standing) {
            continue;
        }
        let what = match standing {
            Standing::Expired => format!("; its {} entries no longer count", row.entries),
            Standing::Stale => format!("; its {} entries still count", row.entries),
            _ => String::new(),
        };
        match row.standing {
            None => tracing::debug!("feed={}  {standing}{what}", feed.name),
            Some(old) => tracing::warn!("feed={}  {old} -> {standing}{what}", feed.name),
        }
        ledger.announce_standing(&feed.name, *standing)?;
    }

    let effect = Some(PolicyEffect::of(&decision.permitted));
    log_once::news(cache.policy_effect != effect, &policy_line(decision));
    cache.policy_effect = effect;
    match decision.pinned {
        Some(0) => tracing::debug!(
            "pinned to nothing by flush: nothing is installed until `nullrouted unpin`"
        ),
        Some(number) => tracing::debug!("pinned to generation {number} until `nullrouted unpin`"),
        None => {}
    }
    let known = ledger.hold()?.is_some_and(|hold| hold.id == decision.id);
    let id = &decision.id;
    for reason in &decision.verdict.reasons {
        let line = format!("plan {id}  held, reason: {reason}");
        log_once::warning(!known, &line);
    }
    if decision.held() && decision.approvable() {
        let line =
            format!("plan {id}  nullrouted plan shows it, nullrouted approve {id} applies it");
        log_once::warning(!known, &line);
    }
    Ok(())
}

/// What is left after the policy, and how much it took away: the line is logged where this changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyEffect {
    counts: [usize; 5],
    first_dropped: Option<IpNet>,
    first_refused: Option<Listing>,
}

impl PolicyEffect {
    fn of(permitted: &Permitted) -> Self {
        Self {
            counts: [
                permitted.set.len(),
                permitted.cut.len(),
                permitted.reserved.len(),
                permitted.refused_entries,
                permitted.dropped.len(),
            ],
            first_dropped: permitted.dropped.first().copied(),
            first_refused: permitted.refused.first().cloned(),
        }
    }
}

/// What is left after the policy and what it took away.
fn policy_line(decision: &Decision) -> String {
    let permitted = &decision.permitted;
    let mut parts = vec![format!("{} routes", permitted.set.len())];
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    count(permitted.cut.len(), "cut by protect");
    count(permitted.reserved.len(), "cut by reserved space");
    count(permitted.refused_entries, "refused as too short");
    count(
        permitted.dropped.len(),
        "dropped whole, because protected space would leave more than 128 pieces",
    );
    let mut first = String::new();
    if let Some(net) = permitted.dropped.first() {
        first.push_str(&format!("; first dropped whole: {net}"));
    }
    if let Some(listing) = permitted.refused.first() {
        first.push_str(&format!("; first refused: {} ({listing})", listing.prefix));
    }
    format!("policy  {}{first}", parts.join(", "))
}
