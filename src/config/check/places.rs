//! Router files, and files written by commands of routers, in the place of a file that is read or
//! kept: each such path is an error.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::{Written, written};
use crate::config::model::{Config, Origin, RouterConfig};
use crate::config::places::Real;
use crate::config::problem::Problem;
use crate::config::writes::writes;
use crate::run_dir::RunDir;
use crate::targets::file::publish::companions;

/// Check the paths of the router files of `config` and of the files that the commands of the
/// routers write. The configuration is at `path`. `real` resolves paths.
pub fn places(
    written: &Written,
    (path, config): (&Path, &Config),
    real: Real,
    problems: &mut Vec<Problem>,
) {
    if config.routers.is_empty() {
        return;
    }
    let used = used(path, config);
    let run_dir = RunDir::here();
    let folders = [
        (&*config.state_dir, "state_dir"),
        (run_dir.path(), "the run directory"),
    ];
    let mut ours = Vec::new();
    for router in &config.routers {
        ours.push(Ours::file(router, written));
        ours.extend(Ours::by_commands(router, written));
    }
    go_inside(&mut ours, real);
    // All of them at once.
    let of_ours = ours.iter().map(|one| &*one.path);
    let of_used = used.iter().map(|(path, _)| *path);
    let of_folders = folders.iter().map(|(path, _)| *path);
    let paths = of_ours.chain(of_used).chain(of_folders);
    let paths = real(&paths.map(Path::to_owned).collect::<Vec<_>>());
    let (leads, paths) = paths.split_at(ours.len());
    let (of_used, of_folders) = paths.split_at(used.len());
    for (one, leads) in ours.iter_mut().zip(leads) {
        // On another host it leads nowhere here.
        let is_here = one.by == By::Us || one.path.is_absolute();
        one.leads = if is_here { &leads.to } else { &one.path }.clone();
    }
    let beside: Vec<_> = ours.iter().flat_map(Ours::temporary_files).collect();
    ours.extend(beside);
    for (at, one) in ours.iter().enumerate() {
        let used = used.iter().zip(of_used);
        let mut used = used.filter(|(_, leads)| leads.to == one.leads);
        let mut folders = folders.iter().zip(of_folders);
        let why = if let Some(((_, what), _)) = used.next() {
            format!("is {what}")
        } else if let Some(((_, what), _)) = folders.find(|(_, dir)| one.leads.starts_with(&dir.to))
        {
            format!("is in {what}, which holds nullrouted's own files")
        } else if let Some(why) = ours.iter().enumerate().find_map(|(other_at, other)| {
            let differ = other.router.name != one.router.name;
            let meet = differ && other.leads == one.leads;
            meet.then(|| one.meets(other, other_at < at)).flatten()
        }) {
            why
        } else {
            continue;
        };
        problems
            .push(Problem::at(one.span.clone(), format!("{} {why}", one.named())).hint(one.hint()));
    }
}

/// A copy to a folder gets a path inside it.
fn go_inside(ours: &mut [Ours], real: Real) {
    let mut inside: Vec<_> = ours
        .iter_mut()
        .filter_map(|one| Some((one.inside.take()?, &mut one.path)))
        .collect();
    if inside.is_empty() {
        return;
    }
    let paths: Vec<_> = inside.iter().map(|(_, path)| (*path).clone()).collect();
    for ((inside, path), leads) in inside.iter_mut().zip(real(&paths)) {
        if leads.is_folder {
            **path = std::mem::take(inside);
        }
    }
}

/// A file that is written for a router.
#[derive(Clone)]
struct Ours<'a> {
    router: &'a RouterConfig,
    span: Range<usize>,
    by: By,
    path: PathBuf,
    /// Its path if that is the one of a folder.
    inside: Option<PathBuf>,
    /// The resolved path.
    leads: PathBuf,
}

/// What writes a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// It is the router file.
    Us,
    /// A temporary file next to it.
    UsTemporarily,
    /// A command with this key; `takes` says that it copies the router file, so that nothing else
    /// may be there afterwards.
    Command { key: &'static str, takes: bool },
}

impl<'a> Ours<'a> {
    fn file(router: &'a RouterConfig, written: &Written) -> Self {
        let path = of(router, written).and_then(|written| Some(written.path.as_ref()?.span()));
        Self {
            router,
            span: path.unwrap_or(0..0),
            by: By::Us,
            path: router.path.clone(),
            inside: None,
            leads: PathBuf::new(),
        }
    }

    /// The temporary files next to the router file, once its resolved path is known.
    fn temporary_files(&self) -> Vec<Self> {
        if self.by != By::Us {
            return Vec::new();
        }
        let beside = companions(&self.leads).into_iter().map(|path| Self {
            by: By::UsTemporarily,
            leads: path.clone(),
            path,
            ..self.clone()
        });
        beside.collect()
    }

    /// The files that the operator's own commands write.
    fn by_commands(router: &'a RouterConfig, written: &Written) -> Vec<Self> {
        let spans = |key| {
            let commands = of(router, written)?.commands();
            let command = commands.into_iter().find(|(other, _)| *other == key)?;
            Some(command.1.as_ref()?.span())
        };
        let usual = router.options.family.commands(router.options.role);
        let [_, delta] = companions(&router.path);
        let mut all = Vec::new();
        for (key, words, usual) in [
            ("check", &router.check, usual.check),
            ("reload", &router.reload, usual.reload),
            ("verify", &router.verify, usual.verify),
        ] {
            if words == usual {
                continue;
            }
            let names = |word: &String| word.contains("{file}") || word.contains("{delta}");
            let takes = words.iter().any(names);
            all.extend(writes(words).into_iter().filter_map(|write| {
                let takes = takes && !write.appends;
                let path = write.path(&router.path, &delta);
                // On another host only another router's command can write the same file.
                let there = || Some(PathBuf::from(write.filled(&router.path, &delta)));
                let inside = path
                    .as_ref()
                    .and_then(|path| write.inside(path, &router.path));
                let path = path.or_else(|| there().filter(|_| write.is_elsewhere()))?;
                Some(Self {
                    router,
                    span: spans(key).unwrap_or(0..0),
                    by: By::Command { key, takes },
                    path,
                    inside,
                    leads: PathBuf::new(),
                })
            }));
        }
        all
    }

    /// Why it must not be in the place of a file of another router, which is checked `before` it.
    fn meets(&self, other: &Self, before: bool) -> Option<String> {
        let name = &other.router.name;
        match (self.by, other.by) {
            // Two equal paths have been reported already.
            (By::Us, By::Us) if before && self.path != other.path => {
                Some(format!("leads to the file of the router {name:?}"))
            }
            (By::UsTemporarily | By::Command { .. }, By::Us) => {
                Some(format!("is the file of the router {name:?}"))
            }
            (By::Command { .. }, By::UsTemporarily) => Some(format!(
                "is made for a moment beside the file of the router {name:?}"
            )),
            (By::Command { takes: true, .. }, By::Command { key, takes: true }) if before => Some(
                format!("is written by the {key} of the router {name:?} as well"),
            ),
            _ => None,
        }
    }

    fn named(&self) -> String {
        let path = self.path.display();
        match self.by {
            By::Us => format!("path: {path}"),
            By::UsTemporarily => format!("path: {path}, which is made for a moment beside it,"),
            By::Command { key, .. } => format!("{key}: it writes {path}, which"),
        }
    }

    fn hint(&self) -> &'static str {
        match self.by {
            By::Us | By::UsTemporarily => {
                "a router file is written over: it needs a path of its own"
            }
            By::Command { .. } => "what a command writes needs a path of its own",
        }
    }
}

/// The written form of a router.
fn of<'w>(router: &RouterConfig, written: &'w Written) -> Option<&'w written::Router> {
    let mut routers = written.router.iter().map(Spanned::get_ref);
    routers.find(|one| {
        one.name
            .as_ref()
            .is_some_and(|name| *name.get_ref() == router.name)
    })
}

/// Every file that is read, with its description.
fn used<'a>(path: &'a Path, config: &'a Config) -> Vec<(&'a Path, String)> {
    let mut used = vec![(path, "the configuration itself".to_owned())];
    for feed in config.fetched() {
        let name = &feed.name;
        if let Origin::Path(path) = &feed.origin {
            used.push((path, format!("the list of the feed {name:?}")));
        }
        let secrets = feed.access.files();
        let secrets = secrets.filter_map(|(key, file)| Some((key, file.path()?)));
        used.extend(secrets.map(|(key, file)| (file, format!("the {key} of the feed {name:?}"))));
        if let Origin::UrlFile(file) = &feed.origin {
            let file = file.path().into_iter();
            used.extend(file.map(|file| (file, format!("the url_file of the feed {name:?}"))));
        }
    }
    let protect = config.protect.files.iter();
    used.extend(protect.map(|file| (&**file, "one of [protect] files".to_owned())));
    let table = config.origins.iter().map(|origins| &*origins.table);
    used.extend(table.map(|table| (table, "the table of [asn]".to_owned())));
    let authorities = config.fetch.ca_file.as_deref();
    used.extend(authorities.map(|file| (file, "the ca_file of [fetch]".to_owned())));
    used
}
