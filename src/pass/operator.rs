//! What the operator added and allowed by hand, as the decision needs it.

use std::sync::Arc;

use ipnet::IpNet;

use crate::feed::FeedCopy;
use crate::ledger::{self, OperatorRow};
use crate::pipeline::OperatorEntries;
use crate::policy::protect::Protected;
use crate::prefix::Written;
use crate::time::Timestamp;

/// What counts now as a list, and what counted for the last generation.
pub fn listed(rows: &[OperatorRow], now: Timestamp) -> OperatorEntries {
    let adds = || {
        rows.iter()
            .filter(|row| row.kind == ledger::OperatorEntry::Add)
    };
    OperatorEntries {
        now: Arc::new(copy(adds().filter(|row| row.counts(now)))),
        before: Arc::new(copy(adds())),
    }
}

fn copy<'a>(rows: impl Iterator<Item = &'a OperatorRow>) -> FeedCopy {
    let mut copy = FeedCopy::default();
    for row in rows {
        let written = match row.prefix {
            IpNet::V4(net) => Written::V4(net.into()),
            IpNet::V6(net) => Written::V6(net.into()),
        };
        copy.add(written, row.id, &describe(row));
    }
    copy
}

pub fn allowed(rows: &[OperatorRow], now: Timestamp) -> impl Iterator<Item = Protected> + '_ {
    let allows = rows
        .iter()
        .filter(|row| row.kind == ledger::OperatorEntry::Allow);
    let allows = allows.filter(move |row| row.counts(now));
    allows.map(|row| Protected {
        net: row.prefix,
        why: format!("allowed by hand: {}", describe(row)),
    })
}

/// When the next of them ends by itself.
pub fn next_end(rows: &[OperatorRow], now: Timestamp) -> Option<Timestamp> {
    let counting = rows.iter().filter(|row| row.counts(now));
    counting.filter_map(|row| row.until).min()
}

/// Its reason, who gave it, and how long it holds.
pub fn describe(row: &OperatorRow) -> String {
    let OperatorRow { reason, by, .. } = row;
    match row.until {
        Some(until) => format!("{reason} ({by}, until {until})"),
        None => format!("{reason} ({by})"),
    }
}
