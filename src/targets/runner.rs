//! The same with every target, one after the other (I/O).

use ipnet::IpNet;

use super::{AnyTarget, Done, Outcome, Presence, Wanted};

/// All targets.
pub struct Runner {
    targets: Vec<AnyTarget>,
}

impl Runner {
    /// Of these, in their order.
    pub fn new(targets: Vec<AnyTarget>) -> Self {
        Self { targets }
    }

    /// What [`apply`](Self::apply) would do. Reads only.
    pub async fn plan(&mut self, wanted: &Wanted) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for target in &mut self.targets {
            outcomes.extend(target.plan(wanted).await);
        }
        outcomes
    }

    /// Makes each as wanted, and gives `done` what came of it. One that fails does not stop the
    /// others; before each after the first, `goes_on` says whether it has its turn.
    pub async fn apply(
        &mut self,
        wanted: &Wanted,
        goes_on: impl Fn() -> bool,
        mut done: impl FnMut(Done),
    ) {
        for (at, target) in self.targets.iter_mut().enumerate() {
            if at > 0 && !goes_on() {
                tracing::warn!("flushed meanwhile: the remaining targets are left to the flush");
                return;
            }
            done(target.apply(wanted).await);
        }
    }

    /// Whether a prefix is at each of them, with its name and place.
    pub async fn presence(
        &mut self,
        net: IpNet,
        route: Option<IpNet>,
        wanted: &Wanted,
    ) -> Vec<(String, String, Presence)> {
        let mut found = Vec::new();
        for target in &mut self.targets {
            let presence = target.presence(net, route, wanted).await;
            found.push((
                target.name().to_owned(),
                target.place(&wanted.config),
                presence,
            ));
        }
        found
    }
}
