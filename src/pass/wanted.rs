//! From a decision to what targets should have (I/O: the ledger).

use std::sync::Arc;
use std::time::Duration;

use super::inputs::Basis;
use super::sets::Sets;
use super::{former_marks, removable};
use crate::config::Config;
use crate::feed::standing::Standing;
use crate::ledger::{Ledger, LedgerError, RecentlyWithdrawn};
use crate::prefix::{Effective, PrefixSet};
use crate::targets::file::ToUnconfigure;
use crate::targets::{Removable, RoutersToUnconfigure, Wanted};

/// For this long a router file removes what is no longer in force. A router that loads it less
/// often has to be cleared first.
pub(super) const LATELY: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The credits of the publishers whose copies count and whose prefixes are in `desired`, of the
/// feeds that `has` names; `standings` in the order of the feeds.
pub fn credits(
    config: &Config,
    standings: &[Standing],
    desired: &PrefixSet,
    has: impl Fn(&str) -> bool,
) -> Vec<&'static str> {
    let mut credits = Vec::new();
    for (feed, standing) in config.feeds.iter().zip(standings) {
        let counts = standing.counts() && !desired.is_empty() && has(&feed.name);
        let credit = feed
            .attribution
            .filter(|credit| counts && !credits.contains(credit));
        credits.extend(credit);
    }
    credits
}

/// This in force, which the ledger knows already: what routers may still hold of before is what it
/// recorded.
pub fn recorded(
    basis: Basis,
    everything: Arc<Effective>,
    sets: &Sets,
) -> Result<Wanted, LedgerError> {
    let Basis { config, ledger, .. } = basis;
    let left = recently_withdrawn(config, ledger)?;
    Ok(Wanted {
        to_unconfigure: Arc::new(to_unconfigure((config, ledger), &everything, sets, left)?),
        removable: removable(ledger, basis.policy().protect.set())?,
        ..of(basis, everything, sets)?
    })
}

/// The same before the ledger knows of it: with what would leave by it.
pub fn proposed(basis: Basis, sets: &Sets) -> Result<Wanted, LedgerError> {
    let Basis { config, ledger, .. } = basis;
    let everything = Arc::new(basis.decision.desired.clone());
    let gone = proposed_to_unconfigure(config, ledger, &everything, sets)?;
    Ok(Wanted {
        to_unconfigure: Arc::new(gone),
        // A decision that goes with every feed read explains every route.
        removable: match basis.decision.adopts() {
            true => Removable::All,
            false => removable(ledger, basis.policy().protect.set())?,
        },
        ..of(basis, everything, sets)?
    })
}

fn of(basis: Basis, everything: Arc<Effective>, sets: &Sets) -> Result<Wanted, LedgerError> {
    let Basis {
        config,
        ledger,
        decision,
        now,
        ..
    } = basis;
    Ok(Wanted {
        routers: sets.routers().clone(),
        credits: credits(config, &decision.standings, &everything.nets, |_| true),
        decision: Some(decision.clone()),
        protected: basis.policy().protect.set().clone(),
        former: former_marks(config, ledger)?,
        last: ledger.targets()?,
        ..Wanted::of(everything, config, now)
    })
}

/// What routers may still hold when this is in force, before the ledger knows of it.
pub fn proposed_to_unconfigure(
    config: &Config,
    ledger: &Ledger,
    effective: &Effective,
    sets: &Sets,
) -> Result<RoutersToUnconfigure, LedgerError> {
    let mut left = recently_withdrawn(config, ledger)?;
    if let Some(left) = &mut left {
        let Effective { nets, origins } = ledger.in_force()?;
        left.nets.extend(nets.nets());
        left.asns.extend(origins);
    }
    to_unconfigure((config, ledger), effective, sets, left)
}

/// Of what left lately: what is not in force again.
fn to_unconfigure(
    (config, ledger): (&Config, &Ledger),
    effective: &Effective,
    sets: &Sets,
    left: Option<RecentlyWithdrawn>,
) -> Result<RoutersToUnconfigure, LedgerError> {
    let Some(left) = left else {
        return Ok(RoutersToUnconfigure::default());
    };
    Ok(RoutersToUnconfigure {
        routers: sets.to_unconfigure(config, ledger, effective, &left)?,
        everything: ToUnconfigure::of(left.nets, left.asns, effective),
    })
}

/// What the ledger knows to have left, where a router takes it away.
fn recently_withdrawn(
    config: &Config,
    ledger: &Ledger,
) -> Result<Option<RecentlyWithdrawn>, LedgerError> {
    let mut routers = config.routers.iter();
    let takes_away = routers.any(|router| router.options.family.kind().takes_away);
    takes_away
        .then(|| ledger.recently_withdrawn(LATELY))
        .transpose()
}
