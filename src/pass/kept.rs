//! What the ledger shows to be in force, as an order for the keeper: nothing is decided and nothing
//! written.

use std::sync::Arc;

use super::inputs::Cache;
use super::keeper::Order;
use super::{former_marks, protection, removable};
use crate::config::Config;
use crate::ledger::{Ledger, LedgerError, PinRow};
use crate::prefix::Effective;
use crate::targets::Wanted;

/// The order; `None` before the first generation, and under a mark that no pass has written down.
pub fn order(
    config: &Arc<Config>,
    ledger: &Ledger,
    cache: &mut Cache,
) -> Result<Option<Order>, LedgerError> {
    let now = cache.clock.now();
    let marks = ledger.marks()?;
    let is_known = marks.iter().any(|mark| mark.same_as(&config.kernel.mark));
    let Some(generation) = ledger.generation()?.filter(|_| is_known) else {
        return Ok(None);
    };
    let by_hand = ledger.operator(now)?;
    let sources = (&ledger.discovered()?[..], &by_hand[..]);
    let policy = protection::in_effect((config, ledger), cache, sources, now)?;
    let protected = policy.protect.set().clone();
    let pin = ledger.pinned()?;
    let desired = match pin.as_ref().is_some_and(PinRow::is_flush) {
        true => Effective::default(),
        false => policy.protect.cut_out_of(&ledger.in_force()?),
    };
    let wanted = Wanted {
        removable: removable(ledger, &protected)?,
        protected,
        former: former_marks(config, ledger)?,
        last: ledger.targets()?,
        ..Wanted::of(Arc::new(desired), config, now)
    };
    Ok(Some(Order {
        wanted: Arc::new(wanted),
        generation: generation.number,
        pin,
        clock: cache.clock.clone(),
        goes_on: false,
    }))
}
