//! A router file as a target (I/O).

use std::path::Path;

use ipnet::IpNet;

use super::publish::{Became, publish, refused};
use super::{FileInput, lists, render};
use crate::config::{Config, RouterConfig};
use crate::digest;
use crate::files;
use crate::progress::Progress;
use crate::targets::{
    Absence, Doing, Done, Fault, Note, Outcome, Presence, Removable, Report, RouterSet, Target,
    TargetRow, Wanted, What,
};

/// Largest router file that is compared with what would be written, in bytes.
const LARGEST: u64 = 1 << 30;

/// The file of one router, with the commands that load it.
pub struct RouterFile {
    router: RouterConfig,
    progress: Progress,
}

impl Target for RouterFile {
    fn name(&self) -> &str {
        &self.router.name
    }

    fn place(&self, _: &Config) -> String {
        self.router.path.display().to_string()
    }

    fn plan<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Vec<Outcome>> {
        Box::pin(async move { vec![Outcome::new(self.name(), self.would(wanted))] })
    }

    fn apply<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Done> {
        Box::pin(async move { Done::of(self.name(), self.write(wanted).await) })
    }

    fn presence<'a>(
        &'a mut self,
        net: IpNet,
        route: Option<IpNet>,
        wanted: &'a Wanted,
    ) -> Doing<'a, Presence> {
        Box::pin(async move { self.has(net, route, wanted) })
    }
}

impl RouterFile {
    pub fn new(router: &RouterConfig, progress: &Progress) -> Self {
        Self {
            router: router.clone(),
            progress: progress.clone(),
        }
    }

    /// The file as it would be written.
    pub fn text(&self, wanted: &Wanted) -> String {
        self.rendered(&wanted.input(&self.router), wanted)
    }

    fn rendered(&self, input: &FileInput, wanted: &Wanted) -> String {
        let router = &self.router;
        let chosen = lists::known(router, wanted.last(&router.name), input.set().counts());
        render(&lists::options(router, chosen.as_ref()), input)
    }

    fn would(&self, wanted: &Wanted) -> Result<Report, Fault> {
        let path = &self.router.path;
        if self.is_from_before(wanted) {
            return Ok(Report::new(What::FileFromBefore(path.clone()), false));
        }
        let input = wanted.input(&self.router);
        let text = self.rendered(&input, wanted);
        let old = files::within(path, files::PATIENCE, |path| files::read(path, LARGEST));
        let is_same = old.is_ok_and(|old| old == text.as_bytes());
        if let Some(why) = self.refusal(wanted).filter(|_| !is_same) {
            return Err(Fault::File { why, lists: None });
        }
        let became = match is_same {
            true => Became::Unchanged,
            false => Became::Replaced,
        };
        Ok(self.report(became, input))
    }

    fn report(&self, became: Became, input: FileInput<'_>) -> Report {
        let what = What::File {
            path: self.router.path.clone(),
            became,
            prefixes: input.set().len(),
            selected: input.selected,
        };
        Report::new(what, became != Became::Unchanged)
    }

    /// Why the file would not be replaced, if it would not.
    fn refusal(&self, wanted: &Wanted) -> Option<String> {
        let last = wanted.last(&self.router.name);
        refusal(&self.router, last)
    }

    async fn write(&self, wanted: &Wanted) -> Result<Report, Fault> {
        let Self { router, progress } = self;
        let last = wanted.last(&router.name);
        let input = wanted.input(router);
        let chosen = lists::asked(router, last, input.set().counts()).await;
        if self.is_from_before(wanted) {
            return Ok(Report {
                notes: vec![Note::FileFromBefore],
                lists: chosen,
                ..Report::new(What::FileFromBefore(router.path.clone()), false)
            });
        }
        let written = last.and_then(|row| row.digest.as_ref());
        let text = render(&lists::options(router, chosen.as_ref()), &input);
        let new = loaded(router, &text);
        let is_loaded = |other: &str| match other == text {
            true => written == Some(&new),
            false => written == Some(&loaded(router, other)),
        };
        let published = publish(router, &text, is_loaded, progress).await;
        let published = published.map_err(|why| Fault::File {
            why,
            lists: chosen.clone(),
        })?;
        Ok(Report {
            state: Some(new),
            lists: chosen,
            alarm: published.alarm,
            adopted: published.adopted,
            printed: published.said,
            ..self.report(published.became, input)
        })
    }

    /// Whether the file was there before this ledger, and is not replaced yet. One that we tried to
    /// write, with whatever result, is ours.
    fn is_from_before(&self, wanted: &Wanted) -> bool {
        let is_young = matches!(wanted.removable, Removable::OnlyRecorded { .. });
        let tried = |row: &TargetRow| row.failed || row.digest.is_some();
        let was_tried = wanted.last(&self.router.name).is_some_and(tried);
        // One that does not answer is reported when it is read.
        let exists = |path: &Path| path.try_exists();
        is_young
            && !was_tried
            && files::within(&self.router.path, files::PATIENCE, exists).unwrap_or(false)
    }

    /// Whether it has a prefix, as far as is known without a look at the router.
    fn has(&self, net: IpNet, route: Option<IpNet>, wanted: &Wanted) -> Presence {
        let absent = match wanted.last(&self.router.name) {
            None => Some(Absence::NotWritten),
            Some(row) if row.failed => Some(Absence::Failed(row.report.clone())),
            Some(_) => None,
        };
        let set = wanted.routers.get(&self.router.name);
        let parts: Vec<IpNet> = match (route, set) {
            (Some(_), _) => Vec::new(),
            (None, Some(set)) => set.inside(net).collect(),
            (None, None) => {
                let all = wanted.everything.nets.nets();
                all.filter(|prefix| net.contains(prefix)).collect()
            }
        };
        // What it is not to have is no failure of its.
        let absent = match set.filter(|_| parts.is_empty()) {
            Some(set) => self.why_not(set, net, route.unwrap_or(net)).or(absent),
            None => absent,
        };
        match absent {
            Some(absent) => Presence::Absent(absent),
            None if parts.is_empty() => Presence::Here,
            None => Presence::Partly(parts),
        }
    }

    /// Why it has no route to all of `net`, to which the kernel has this `route`.
    fn why_not(&self, set: &RouterSet, net: IpNet, route: IpNet) -> Option<Absence> {
        let options = &self.router.options;
        if let Some(own) = set.set().covering(net) {
            let joined = own != route && options.family.is_of_kernel(options.role);
            return joined.then_some(Absence::Joined { own, route });
        }
        let parts: Vec<IpNet> = set.inside(net).collect();
        if !parts.is_empty() {
            return Some(Absence::Parts(parts));
        }
        let selection = set.selection.clone();
        Some(match set.chosen.effective.nets.overlaps(net) {
            true => Absence::LeftOut(selection),
            false => Absence::NotSelected(selection),
        })
    }
}

/// The name of a text that was loaded: from this place, by this command.
fn loaded(router: &RouterConfig, text: &str) -> String {
    let loaded = format!("{text}\n{}\n{:?}", router.path.display(), router.reload);
    digest::of(loaded.as_bytes())
}

/// Why the file of a router would not be replaced, if it would not.
pub fn refusal(router: &RouterConfig, last: Option<&TargetRow>) -> Option<String> {
    let written = last.and_then(|row| row.digest.as_ref());
    refused(router, |other| written == Some(&loaded(router, other)))
}
