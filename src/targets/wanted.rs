//! What should be in force, as one value that targets share. Pure.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ipnet::IpNet;

use super::TargetRow;
use super::file::{FileInput, Reasons, Selected, ToUnconfigure};
use super::kernel::Mark;
use crate::config::{Config, RouterConfig};
use crate::pipeline::{Chosen, Decision};
use crate::plan::Change;
use crate::policy::Policy;
use crate::policy::selection::{SelectedPart, Selection};
use crate::prefix::{Effective, PrefixSet, cut_set, subtract_set};
use crate::run_dir;
use crate::time::Timestamp;

/// What should be in force, and what targets know of each other and of before.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub config: Arc<Config>,
    /// What all targets have that have no selection.
    pub everything: Arc<Effective>,
    /// What single routers have, by name; routers with one selection share it.
    pub routers: BTreeMap<String, Arc<RouterSet>>,
    /// Why each prefix is in force; `None` where only the set is known.
    pub decision: Option<Arc<Decision>>,
    /// The credits of the publishers whose lists are in it.
    pub credits: Vec<&'static str>,
    /// What routers may still hold of before.
    pub to_unconfigure: Arc<RoutersToUnconfigure>,
    /// The protected space that is excluded from it.
    pub protected: PrefixSet,
    /// Which routes of ours may be removed.
    pub removable: Removable,
    /// Marks of earlier configurations: their routes are removed.
    pub former: Vec<Mark>,
    /// The last result of each target.
    pub last: Vec<TargetRow>,
    /// Whether this is a flush itself. Everything else stops where one is noted.
    pub is_flush: bool,
    /// The time of the decision.
    pub now: Timestamp,
}

impl Wanted {
    /// This, of which nothing else is known.
    pub fn of(everything: Arc<Effective>, config: &Arc<Config>, now: Timestamp) -> Self {
        Self {
            config: config.clone(),
            everything,
            routers: BTreeMap::new(),
            decision: None,
            credits: Vec::new(),
            to_unconfigure: Arc::default(),
            protected: PrefixSet::default(),
            removable: Removable::All,
            former: Vec::new(),
            last: Vec::new(),
            is_flush: false,
            now,
        }
    }

    /// Nothing, whatever is there: a flush, and the end of a daemon that withdraws.
    pub fn nothing(config: &Arc<Config>, now: Timestamp) -> Self {
        Self {
            is_flush: true,
            ..Self::of(Arc::default(), config, now)
        }
    }

    /// Whether a flush was noted since, which has the last word.
    pub fn is_flushed(&self) -> bool {
        !self.is_flush && run_dir::flushed(&self.config.state_dir)
    }

    /// Exclude this space, too.
    pub fn protect(&mut self, space: &PrefixSet) {
        self.everything = Arc::new(Effective {
            nets: subtract_set(&self.everything.nets, space),
            origins: self.everything.origins.clone(),
        });
        self.protected = self.protected.union(space);
        if let Removable::OnlyRecorded { protected, .. } = &mut self.removable {
            *protected = protected.union(space);
        }
    }

    /// What of this space is not excluded.
    pub fn unprotected(&self, space: &PrefixSet) -> PrefixSet {
        cut_set(space, &self.protected)
    }

    /// The last result of the target with this name.
    pub fn last(&self, name: &str) -> Option<&TargetRow> {
        self.last.iter().find(|row| row.name == name)
    }

    /// What the file of a router is made of.
    pub fn input(&self, router: &RouterConfig) -> FileInput<'_> {
        let policy = &self.config.policy;
        let decision = self.decision.as_deref();
        let gone = self.to_unconfigure.routers.get(&router.name);
        let everything = FileInput {
            effective: &self.everything,
            to_unconfigure: gone.unwrap_or(&self.to_unconfigure.everything),
            attributions: &self.credits,
            reasons: decision.map_or_else(Reasons::default, |decision| {
                Reasons::of(decision.behind(), &policy.limits)
            }),
            own: policy.protect.typed(),
            limits: &policy.limits,
            metric: self.config.kernel.mark.metric,
            selected: None,
        };
        let Some(set) = self.routers.get(&router.name) else {
            return everything;
        };
        let is_of_kernel = router.options.family.is_of_kernel(router.options.role);
        let joined = || Change::of_nets(set.set(), &self.everything.nets).removed();
        FileInput {
            effective: set.effective(),
            attributions: &set.credits,
            reasons: Reasons::of(&set.chosen.rib, &policy.limits),
            selected: Some(Selected {
                selection: set.selection.clone(),
                left_out: set.part.left_out,
                joined: if is_of_kernel { joined() } else { 0 },
            }),
            ..everything
        }
    }
}

/// Which routes of ours may be removed when nothing desires them.
#[derive(Clone, Debug)]
pub enum Removable {
    /// All: the ledger explains every route that carries our mark.
    All,
    /// Only what the ledger has recorded, and what is protected. The rest is from before this
    /// ledger, and a feed that has not been read yet may be its reason.
    OnlyRecorded {
        /// Every prefix that was ever in force; what is inside of one is recorded, too.
        ever: Arc<HashSet<IpNet>>,
        protected: PrefixSet,
    },
}

impl Removable {
    /// Whether this route may be removed.
    pub fn permits(&self, prefix: IpNet) -> bool {
        match self {
            Self::All => true,
            Self::OnlyRecorded { ever, protected } => {
                // What covers a route of another program is inside of one.
                let mut around = std::iter::successors(Some(prefix), IpNet::supernet);
                around.any(|net| ever.contains(&net)) || protected.overlaps(prefix)
            }
        }
    }
}

/// What routers may still hold that is no longer in force.
#[derive(Clone, Debug, Default)]
pub struct RoutersToUnconfigure {
    /// One that gets everything, and always did.
    pub everything: ToUnconfigure,
    /// The others, by name.
    pub routers: BTreeMap<String, ToUnconfigure>,
}

/// What the routers with one selection have.
#[derive(Debug)]
pub struct RouterSet {
    pub selection: Selection,
    /// What the choice of feeds has.
    pub chosen: Arc<Chosen>,
    /// What the selection leaves of it.
    pub part: SelectedPart,
    /// Credits of the publishers whose lists are in it.
    pub credits: Vec<&'static str>,
}

impl RouterSet {
    /// What they have.
    pub fn effective(&self) -> &Effective {
        &self.part.effective
    }

    pub fn set(&self) -> &PrefixSet {
        &self.part.effective.nets
    }

    /// Its prefixes inside of `net`.
    pub fn inside(&self, net: IpNet) -> impl Iterator<Item = IpNet> + '_ {
        self.set().nets().filter(move |prefix| net.contains(prefix))
    }

    /// What its selection would have if everything went that its feeds list now.
    pub fn listed_now(&self, decision: &Decision, policy: &Policy) -> PrefixSet {
        let listed = decision.listed_now(&self.selection.choice, policy);
        self.selection.of(&listed).effective.nets
    }
}

/// The first of many prefixes, and how many there are.
pub fn first(nets: &[IpNet]) -> String {
    const SHOWN: usize = 5;
    let named = nets.iter().take(SHOWN).map(ToString::to_string);
    let named = named.collect::<Vec<_>>().join(", ");
    match nets.len() {
        count if count > SHOWN => format!("{named}, … ({count} prefixes)"),
        _ => named,
    }
}
