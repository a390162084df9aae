//! What the ledger knows of the files of routers as they were made last (I/O: the ledger).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{Config, RouterConfig};
use crate::ledger::{Ledger, LedgerError, SelectionRow};
use crate::pass::inputs::Basis;
use crate::pipeline::{Chosen, Former};
use crate::policy::selection::{Choice, Selection};
use crate::prefix::Effective;

/// What the ledger knows of them.
#[derive(Debug)]
pub(super) struct Recorded {
    pub rows: BTreeMap<String, SelectionRow>,
    pub choices: BTreeMap<Choice, Effective>,
    /// Routers whose files were made before.
    targets: Vec<String>,
    in_force: Arc<Effective>,
}

impl Recorded {
    /// `None` where every router gets and got everything. `in_force` is what the ledger has.
    pub fn read(
        config: &Config,
        ledger: &Ledger,
        in_force: impl FnOnce() -> Result<Arc<Effective>, LedgerError>,
    ) -> Result<Option<Self>, LedgerError> {
        let rows = ledger.selections()?;
        if rows.is_empty() && config.routers.iter().all(has_everything) {
            return Ok(None);
        }
        Ok(Some(Self {
            rows,
            choices: ledger.choices()?,
            targets: ledger.targets()?.into_iter().map(|row| row.name).collect(),
            in_force: in_force()?,
        }))
    }

    /// The same, for a decision.
    pub fn of(basis: Basis) -> Result<Option<Self>, LedgerError> {
        let in_force = || Ok(basis.inputs.in_force.clone());
        Self::read(basis.config, basis.ledger, in_force)
    }

    /// What the file of a router had last; `None` for a new one.
    pub fn had(&self, router: &str) -> Option<Cow<'_, Effective>> {
        let Some(SelectionRow { selection, .. }) = self.rows.get(router) else {
            let everything = Cow::Borrowed(&*self.in_force);
            return self.had_everything(router).then_some(everything);
        };
        let content = self.content(&selection.choice)?;
        Some(Cow::Owned(selection.of(content).effective))
    }

    /// What a router selects by the configuration. While it is held or frozen what a feed listed
    /// that is no longer configured, a router that named it keeps that feed.
    pub fn selection(&self, basis: Basis, router: &RouterConfig) -> Selection {
        let mut selection = router.selection.clone();
        if let Some(row) = self
            .rows
            .get(&router.name)
            .filter(|_| !basis.decision.goes())
        {
            let before = &row.selection.choice;
            let is_configured = |feed: &str| is_configured(basis.config, feed);
            selection.choice = selection.choice.keeping(before, is_configured);
        }
        selection
    }

    /// What a choice has as it is written down, or of what is in force where no router had it.
    pub fn chosen(&self, choice: &Choice, basis: Basis) -> Chosen {
        let Basis {
            inputs, decision, ..
        } = basis;
        let mut chosen = decision.chosen(choice, inputs.policy(decision), Former::default());
        chosen.effective = match self.content(choice) {
            Some(effective) => effective.clone(),
            None => chosen.effective.intersection(&inputs.in_force),
        };
        chosen
    }

    /// Where no router had a choice: what all those `routers` had that begin with it, by the
    /// choices they had before. So none of them gets anything by it.
    pub fn by_others<'a>(
        &self,
        choice: &Choice,
        routers: impl Iterator<Item = &'a str>,
    ) -> Option<Effective> {
        if self.choices.contains_key(choice) {
            return None;
        }
        let had = routers.filter_map(|router| match self.rows.get(router) {
            Some(row) => self.content(&row.selection.choice),
            None => self.had_everything(router).then_some(&*self.in_force),
        });
        had.cloned().reduce(|all, one| all.intersection(&one))
    }

    pub fn content(&self, choice: &Choice) -> Option<&Effective> {
        match choice.has_everything() {
            true => Some(&self.in_force),
            false => self.choices.get(choice),
        }
    }

    /// Whether the file of a router had everything, and was made.
    pub fn had_everything(&self, router: &str) -> bool {
        !self.rows.contains_key(router) && self.targets.iter().any(|name| name == router)
    }

    /// Whether a router may hold all that was in force of late: its file had everything, or nothing
    /// is known of it.
    pub fn may_hold_everything(&self, router: &str) -> bool {
        !self.rows.contains_key(router)
    }

    /// What routers had that are no longer configured left their files: they may come back.
    pub fn forget_others(
        &self,
        config: &Config,
        ledger: &Ledger,
        generation: u64,
    ) -> Result<(), LedgerError> {
        let configured = |name: &&String| config.routers.iter().any(|router| router.name == **name);
        let mut others = self.rows.keys().filter(|name| !configured(name));
        others.try_for_each(|name| self.note_all(ledger, name, generation))
    }

    /// All that a router had left its file.
    pub fn note_all(
        &self,
        ledger: &Ledger,
        router: &str,
        generation: u64,
    ) -> Result<(), LedgerError> {
        match self.had(router) {
            Some(had) => ledger.note_moved(router, generation, ('-', had.items())),
            None => Ok(()),
        }
    }
}

pub(super) fn is_configured(config: &Config, feed: &str) -> bool {
    config.feeds.iter().any(|known| known.name == feed)
}

pub(super) fn has_everything(router: &RouterConfig) -> bool {
    router.selection.has_everything()
}
