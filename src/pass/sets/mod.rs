//! The sets of the routers that do not get everything: what each is to have, and what it had (I/O:
//! the ledger).
//!
//! ```text
//!  choices of the configuration ──each once──► their sets ──selection──► the set of each router ──► its file
//!                                                  │                          │
//!                                               ledger ◄── what came and went ┘
//! ```
//!
//! Where no router has a selection nothing of this is done, but for one look into an empty table.

mod moves;
mod recorded;

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::inputs::Basis;
use super::wanted::{LATELY, credits};
use crate::config::{Config, RouterConfig};
use crate::ledger::{Event, EventKind, Ledger, LedgerError, RecentlyWithdrawn, SelectionRow};
use crate::pipeline::{Chosen, Former, each_once};
use crate::plan::Change;
use crate::policy::selection::{Choice, SelectedPart, Selection};
use crate::prefix::{Effective, NOTHING};
use crate::targets::RouterSet;
use crate::targets::file::ToUnconfigure;
use crate::time::Timestamp;
pub use moves::Move;
use recorded::{Recorded, has_everything, is_configured};

/// What each router has that does not get everything.
#[derive(Debug, Default)]
pub struct Sets {
    /// Routers with the same selection share a set.
    routers: BTreeMap<String, Arc<RouterSet>>,
    /// What the ledger knows; `None` where it has nothing to do with any router.
    recorded: Option<Recorded>,
    /// What comes and goes by the decision, at the routers whose files were made before.
    moves: Vec<Move>,
}

impl Sets {
    /// What the routers are to have by a decision, which is not written down yet.
    pub fn decided(basis: Basis) -> Result<Self, LedgerError> {
        let Basis {
            ledger,
            inputs,
            decision,
            ..
        } = basis;
        let recorded = Recorded::of(basis)?;
        let frozen = match (&recorded, decision.pinned) {
            (Some(_), Some(generation)) => ledger.choices_at(generation)?,
            _ => BTreeMap::new(),
        };
        let mut sets = Self::edited(basis, recorded, |choice, recorded, others| {
            let former = Former {
                in_force: recorded.choices.get(choice),
                others,
                frozen: frozen.get(choice),
            };
            decision.chosen(choice, inputs.policy(decision), former)
        });
        sets.moves = sets.moved(basis);
        Ok(sets)
    }

    /// What they have: as it is written down, and what an edit of the configuration selects of it.
    pub fn in_force(basis: Basis) -> Result<Self, LedgerError> {
        let has = |choice: &Choice, recorded: &Recorded, _: Option<&Effective>| {
            recorded.chosen(choice, basis)
        };
        Ok(Self::edited(basis, Recorded::of(basis)?, has))
    }

    /// What their files have: by the configuration of the last pass.
    pub fn as_written(basis: Basis) -> Result<Self, LedgerError> {
        let Some(recorded) = Recorded::of(basis)? else {
            return Ok(Self::default());
        };
        let routers = basis.config.routers.iter().filter_map(|router| {
            let row = recorded.rows.get(&router.name)?;
            Some((router.name.as_str(), row.selection.clone()))
        });
        let routers: Vec<_> = routers.collect();
        let has = |choice: &Choice| recorded.chosen(choice, basis);
        let routers = Self::of(basis, &routers, has);
        Ok(Self {
            routers,
            recorded: Some(recorded),
            moves: Vec::new(),
        })
    }

    /// By the configuration as it is now.
    fn edited(
        basis: Basis,
        recorded: Option<Recorded>,
        make: impl Fn(&Choice, &Recorded, Option<&Effective>) -> Chosen,
    ) -> Self {
        let Some(recorded) = recorded else {
            return Self::default();
        };
        let Basis {
            config, decision, ..
        } = basis;
        let routers = config.routers.iter();
        let routers = routers.filter(|router| !has_everything(router));
        let selected = routers.map(|router| {
            let selection = recorded.selection(basis, router);
            (router.name.as_str(), selection)
        });
        let selected: Vec<(&str, Selection)> = selected.collect();
        let has = |choice: &Choice| {
            let routers = selected.iter();
            let routers = routers.filter(|(_, selection)| selection.choice == *choice);
            let is_lost = || decision.lost.iter().any(|feed| choice.has(feed));
            let has_removed = || choice.may_have_removed(|feed| is_configured(config, feed));
            let others = match !decision.goes() && (is_lost() || has_removed()) {
                true => recorded.by_others(choice, routers.map(|(name, _)| *name)),
                false => None,
            };
            make(choice, &recorded, others.as_ref())
        };
        Self {
            routers: Self::of(basis, &selected, has),
            recorded: Some(recorded),
            moves: Vec::new(),
        }
    }

    /// The sets of routers with these selections; each choice is made once.
    fn of(
        basis: Basis,
        selected: &[(&str, Selection)],
        make: impl Fn(&Choice) -> Chosen,
    ) -> BTreeMap<String, Arc<RouterSet>> {
        let standings = &basis.decision.standings;
        let choices = selected.iter().map(|(_, selection)| &selection.choice);
        let chosen = each_once(choices.cloned(), |choice| Arc::new(make(choice)));
        let selections = selected.iter().map(|(_, selection)| selection.clone());
        let sets = each_once(selections, |selection| {
            let chosen = chosen.get(&selection.choice).cloned().unwrap_or_default();
            let part = selection.of(&chosen.effective);
            let has = |feed: &str| selection.choice.has(feed);
            Arc::new(RouterSet {
                credits: credits(basis.config, standings, &part.effective.nets, has),
                selection: selection.clone(),
                chosen,
                part,
            })
        });
        let set = |(name, selection): &(&str, Selection)| {
            let set = sets.get(selection)?;
            Some(((*name).to_owned(), set.clone()))
        };
        selected.iter().filter_map(set).collect()
    }

    /// What a router selects with the next pass, where that is something else than its file was
    /// made of.
    pub fn edit(&self, basis: Basis, router: &RouterConfig) -> Option<Selection> {
        // A file that was never made has nothing to change.
        let recorded = self.recorded.as_ref()?;
        recorded.had(&router.name)?;
        let next = recorded.selection(basis, router);
        let written = match self.router(&router.name) {
            Some(set) => &set.selection,
            None => &Selection::EVERYTHING,
        };
        (next != *written).then_some(next)
    }

    /// They are to have nothing; `ledger` where there is one.
    pub fn nothing(config: &Config, ledger: Option<&Ledger>) -> Result<Self, LedgerError> {
        let nothing = |router: &RouterConfig| {
            let set = RouterSet {
                selection: router.selection.clone(),
                chosen: Arc::default(),
                part: SelectedPart::default(),
                credits: Vec::new(),
            };
            (router.name.clone(), Arc::new(set))
        };
        let selects = |router: &&RouterConfig| !has_everything(router);
        let recorded =
            ledger.map(|ledger| Recorded::read(config, ledger, || ledger.in_force().map(Arc::new)));
        Ok(Self {
            routers: config.routers.iter().filter(selects).map(nothing).collect(),
            recorded: recorded.transpose()?.flatten(),
            moves: Vec::new(),
        })
    }

    /// Whether some router selects, or did.
    pub fn select(&self) -> bool {
        self.recorded.is_some()
    }

    /// What one of them has; `None` for a router that gets everything.
    pub fn router(&self, name: &str) -> Option<&RouterSet> {
        self.routers.get(name).map(|set| &**set)
    }

    /// All of them, by name.
    pub fn routers(&self) -> &BTreeMap<String, Arc<RouterSet>> {
        &self.routers
    }

    /// What single routers may still hold, by name: those that have a selection, or had one.
    /// `everything` is what is to be in force, `left` what left that of late.
    pub fn to_unconfigure(
        &self,
        config: &Config,
        ledger: &Ledger,
        everything: &Effective,
        left: &RecentlyWithdrawn,
    ) -> Result<BTreeMap<String, ToUnconfigure>, LedgerError> {
        let recorded = self.recorded.as_ref();
        let mut gone = BTreeMap::new();
        let told = config.routers.iter();
        for router in told.filter(|router| router.options.family.kind().takes_away) {
            let name = &router.name;
            let mut had = ledger.recently_withdrawn_of(name, LATELY)?;
            let set = self.router(name);
            let selected = recorded.is_some_and(|recorded| recorded.rows.contains_key(name));
            if set.is_none() && !selected && had.nets.is_empty() && had.asns.is_empty() {
                continue;
            }
            if set.is_none() || recorded.is_some_and(|recorded| recorded.had_everything(name)) {
                had.nets.extend(&left.nets);
                had.asns.extend(&left.asns);
            } else if recorded.is_some_and(|recorded| recorded.may_hold_everything(name)) {
                // It may be one with another name, which holds what left everything.
                let is_gone = |net: &&IpNet| everything.nets.covering(**net) != Some(**net);
                had.nets.extend(left.nets.iter().filter(is_gone));
                let is_gone = |asn: &&u32| !everything.has_origin(**asn);
                had.asns.extend(left.asns.iter().filter(is_gone));
            }
            if let Some(content) = recorded.and_then(|recorded| recorded.had(name)) {
                had.nets.extend(content.nets.nets());
                had.asns.extend(&content.origins);
            }
            let effective = set.map_or(everything, RouterSet::effective);
            gone.insert(
                name.clone(),
                ToUnconfigure::of(had.nets, had.asns, effective),
            );
        }
        Ok(gone)
    }

    /// What comes and goes at the routers whose files were made before, where that is not what
    /// comes and goes for all.
    fn moved(&self, basis: Basis) -> Vec<Move> {
        let Some(recorded) = &self.recorded else {
            return Vec::new();
        };
        let Basis {
            inputs, decision, ..
        } = basis;
        let routers = basis.config.routers.iter();
        let moved = routers.filter_map(|RouterConfig { name, .. }| {
            let set = self.router(name);
            let row = recorded.rows.get(name);
            if set.is_none() && row.is_none() {
                return None;
            }
            let old = recorded.had(name)?;
            let new = set.map_or(&decision.desired, RouterSet::effective);
            let change = Change::between(&old, new);
            if change.is_empty() {
                return None;
            }
            let is_same = row.map(|row| &row.selection) == set.map(|set| &set.selection);
            let why = match set.filter(|_| is_same) {
                Some(set) => {
                    let came = new.without(&old).nets;
                    moves::why(&set.selection.choice, &came, decision, &inputs.operator)
                }
                None => moves::SELECTS.to_owned(),
            };
            let all = (&*inputs.in_force, &decision.desired);
            Some(Move {
                router: name.clone(),
                came: change.came().collect(),
                went: change.went().collect(),
                apart: moves::is_apart((&old, new), all),
                why,
            })
        });
        moved.collect()
    }

    /// What comes and goes by the decision at the routers with a part of what is in force.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// The same of one of them.
    pub fn moves_of(&self, router: &str) -> Option<&Move> {
        self.moves.iter().find(|one| one.router == router)
    }

    /// Whether a router gets something else than before by the decision.
    pub fn change(&self) -> bool {
        !self.moves.is_empty()
    }

    /// Write down what they have from this generation on; part of [`Ledger::atomically`]. `apart`
    /// says that the set in force is the same as before.
    pub fn write(
        &self,
        config: &Config,
        ledger: &Ledger,
        (generation, apart, now): (u64, bool, Timestamp),
    ) -> Result<(), LedgerError> {
        let Some(recorded) = &self.recorded else {
            return Ok(());
        };
        for name in self.routers.keys() {
            if recorded.may_hold_everything(name) {
                ledger.note_all_left(name, LATELY)?;
            }
        }
        for one in &self.moves {
            let (text, router) = (one.describe(), &one.router);
            tracing::info!("generation {generation}  router {router}: {text}");
            for (op, items) in [('-', &one.went), ('+', &one.came)] {
                ledger.note_moved(router, generation, (op, items.iter().cloned()))?;
            }
            if apart || one.apart {
                let same = match apart {
                    true => ", the set in force is the same",
                    false => "",
                };
                ledger.note_event(&Event {
                    at: now,
                    kind: EventKind::Router,
                    subject: router.clone(),
                    by: String::new(),
                    uid: None,
                    text: format!("generation {generation}: {text}; {}{same}", one.why),
                    generation: None,
                })?;
            }
        }
        recorded.forget_others(config, ledger, generation)?;
        self.write_rows(recorded, ledger)?;
        let needed: BTreeMap<&Choice, &Arc<Chosen>> = self
            .routers
            .values()
            .map(|set| (&set.selection.choice, &set.chosen))
            .filter(|(choice, _)| !choice.has_everything())
            .collect();
        for (choice, chosen) in &needed {
            let had = recorded.choices.get(choice);
            ledger.write_choice(choice, generation, had, &chosen.effective)?;
        }
        // Where there is no new generation, the one in force still had them.
        let without = match apart && !self.change() {
            true => generation + 1,
            false => generation,
        };
        let over = recorded.choices.keys();
        over.filter(|choice| !needed.contains_key(choice))
            .try_for_each(|choice| ledger.end_choice(choice, without))
    }

    fn write_rows(&self, recorded: &Recorded, ledger: &Ledger) -> Result<(), LedgerError> {
        for (name, set) in &self.routers {
            let row = SelectionRow {
                selection: set.selection.clone(),
                routes: set.set().counts(),
                left_out: set.part.left_out,
            };
            if recorded.rows.get(name) != Some(&row) {
                ledger.write_selection(name, Some(&row))?;
            }
        }
        let over = recorded.rows.keys();
        over.filter(|name| !self.routers.contains_key(*name))
            .try_for_each(|name| ledger.write_selection(name, None))
    }

    /// Write down that a flush took everything away; part of [`Ledger::atomically`].
    pub fn write_flush(&self, ledger: &Ledger, generation: u64) -> Result<(), LedgerError> {
        let Some(recorded) = &self.recorded else {
            return Ok(());
        };
        for (name, row) in &recorded.rows {
            recorded.note_all(ledger, name, generation)?;
            let row = SelectionRow {
                routes: [0; 2],
                left_out: [0; 2],
                ..row.clone()
            };
            ledger.write_selection(name, Some(&row))?;
        }
        let mut choices = recorded.choices.iter();
        choices.try_for_each(|(choice, had)| {
            ledger.write_choice(choice, generation, Some(had), &NOTHING)
        })
    }
}
