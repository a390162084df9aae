//! What the operator added and allowed by hand, as the decision needs it.

use std::sync::Arc;

use ipnet::IpNet;

use crate::feed::FeedCopy;
use crate::feed::origins::OriginTable;
use crate::ledger::{self, OperatorRow};
use crate::pipeline::OperatorEntries;
use crate::policy::protect::{Protected, ProtectedAsn};
use crate::prefix::{Item, Written};
use crate::time::Timestamp;

/// What counts now as a list, and what counted for the last generation.
/// With a table of origins: also the prefixes of added ASes.
pub fn listed(
    rows: &[OperatorRow],
    table: Option<&OriginTable>,
    now: Timestamp,
) -> OperatorEntries {
    let adds = || {
        rows.iter()
            .filter(|row| row.kind == ledger::OperatorEntry::Add)
    };
    let made = |copy: FeedCopy| match table {
        Some(table) if !copy.origins.is_empty() => Arc::new(table.expand(&copy)),
        _ => Arc::new(copy),
    };
    OperatorEntries {
        now: made(copy(adds().filter(|row| row.counts(now)))),
        before: made(copy(adds())),
    }
}

fn copy<'a>(rows: impl Iterator<Item = &'a OperatorRow>) -> FeedCopy {
    let mut copy = FeedCopy::default();
    for row in rows {
        let why = describe(row);
        match row.item {
            Item::Prefix(IpNet::V4(net)) => copy.add(Written::V4(net.into()), row.id, &why),
            Item::Prefix(IpNet::V6(net)) => copy.add(Written::V6(net.into()), row.id, &why),
            Item::Origin(asn) => copy.add_origin(asn, row.id, &why),
        }
    }
    copy
}

/// The allowed prefixes, and the allowed ASes.
pub fn allowed(rows: &[OperatorRow], now: Timestamp) -> (Vec<Protected>, Vec<ProtectedAsn>) {
    let (mut nets, mut asns) = (Vec::new(), Vec::new());
    let allows = rows
        .iter()
        .filter(|row| row.kind == ledger::OperatorEntry::Allow);
    for row in allows.filter(|row| row.counts(now)) {
        let why = format!("allowed by hand: {}", describe(row));
        match row.item {
            Item::Prefix(net) => nets.push(Protected { net, why }),
            Item::Origin(asn) => asns.push(ProtectedAsn { asn, why }),
        }
    }
    (nets, asns)
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
