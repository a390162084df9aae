//! Everything that ever touched one prefix, or one AS.

use std::time::Duration;

use super::super::{Exit, Outcome};
use super::Show;
use crate::ledger::{Event, Ledger, LedgerError, OperatorRow};
use crate::prefix::Item;
use crate::time::Timestamp;
use crate::view::{Entry, ItemHistory};

pub(super) fn run(ledger: &Ledger, item: Item, keep: Duration, (show, json): Show<'_>) -> Outcome {
    let (entries, since) = ledger.at_one_moment(|ledger| {
        let entries = entries(ledger, item)?;
        // Only where there is nothing else to say: it takes a look at every listing.
        let since = match entries.is_empty() {
            true => known_since(ledger, keep)?,
            false => None,
        };
        Ok::<_, LedgerError>((entries, since))
    })?;
    let history = ItemHistory {
        item,
        entries,
        since,
    };
    show.show(&history, json)?;
    Ok(Exit::Done)
}

fn entries(ledger: &Ledger, item: Item) -> Result<Vec<Entry>, LedgerError> {
    let mut entries = Vec::new();
    for seen in ledger.listings_near(item)? {
        if let Some(at) = seen.last_seen {
            entries.push(Entry::Delisted(seen.clone(), at));
        }
        entries.push(Entry::Listed(seen));
    }
    let events = ledger.events_near(item)?;
    let by_hand = ledger.operator(Timestamp(i64::MIN))?;
    let by_hand = by_hand.iter().filter(|row| row.item.meets(&item));
    // The log book tells of them as well, as far back as it goes.
    let untold = by_hand.map(entered).filter(|begun| {
        let same = |event: &Event| {
            (event.at, event.kind, &event.subject) == (begun.at, begun.kind, &begun.subject)
        };
        !events.iter().any(same)
    });
    entries.extend(untold.map(Entry::Event));
    entries.extend(events.into_iter().map(Entry::Event));
    entries.extend(ledger.changes_near(item)?.into_iter().map(Entry::Change));
    let routers = ledger.router_changes_near(item)?.into_iter();
    entries.extend(routers.map(Entry::RouterChange));
    Entry::sort(&mut entries);
    Ok(entries)
}

/// The beginning of what the operator did by hand, as the log book would tell it.
pub(crate) fn entered(row: &OperatorRow) -> Event {
    let until = row.until.map(|until| format!(" (until {until})"));
    Event {
        at: row.since,
        kind: row.kind.begins(),
        subject: row.item.to_string(),
        by: row.by.clone(),
        uid: None,
        text: format!("{}{}", row.reason, until.unwrap_or_default()),
        generation: None,
    }
}

/// From when on nothing was forgotten.
fn known_since(ledger: &Ledger, keep: Duration) -> Result<Option<Timestamp>, LedgerError> {
    let forgotten = ledger.pruned_at()?;
    let forgotten = forgotten.map(|at| Timestamp(at.0.saturating_sub_unsigned(keep.as_secs())));
    // What is still listed may be older than what is kept of everything else.
    Ok(ledger
        .oldest()?
        .map(|oldest| forgotten.map_or(oldest, |forgotten| oldest.max(forgotten))))
}
