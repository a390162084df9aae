//! Router files that would be written over something that is read or kept: every such path is a problem.

use std::path::Path;

use super::Written;
use crate::config::model::{Config, Origin};
use crate::config::places::Real;
use crate::config::problem::Problem;
use crate::run_dir::RunDir;

/// Judge where the router files of `config` go, which was written in the file at `path`. `real` says where a
/// path leads.
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
    // All of them at once.
    let of_routers = config.routers.iter().map(|router| &*router.path);
    let of_used = used.iter().map(|(path, _)| *path);
    let of_folders = folders.iter().map(|(path, _)| *path);
    let paths = of_routers.chain(of_used).chain(of_folders);
    let paths = real(&paths.map(Path::to_owned).collect::<Vec<_>>());
    let (places, paths) = paths.split_at(config.routers.len());
    let (of_used, of_folders) = paths.split_at(used.len());
    let mut others: Vec<(&Path, &str)> = Vec::new();
    for (router, place) in config.routers.iter().zip(places) {
        let written = written.router.iter().filter_map(|one| {
            let one = one.get_ref();
            let named = one.name.as_ref()?.get_ref() == &router.name;
            one.path.as_ref().filter(|_| named)
        });
        let span = written.map(|path| path.span()).next().unwrap_or(0..0);
        let mut problem = |why: String| {
            let message = format!("path: {} {why}", router.path.display());
            let hint = "a router file is written over: it needs a path of its own";
            problems.push(Problem::at(span.clone(), message).hint(hint));
        };
        let used = used.iter().zip(of_used).find(|(_, path)| *path == place);
        let mut folders = folders.iter().zip(of_folders);
        if let Some(((_, what), _)) = used {
            problem(format!("is {what}"));
        } else if let Some(((_, what), _)) = folders.find(|(_, dir)| place.starts_with(dir)) {
            problem(format!("is in {what}, which holds nullrouted's own files"));
        } else if let Some((_, name)) = others.iter().find(|(other, name)| {
            // The same path as it is written has been reported already.
            let written = |router: &&crate::config::RouterConfig| router.name == *name;
            let same = config.routers.iter().find(written);
            *other == place && same.is_some_and(|same| same.path != router.path)
        }) {
            problem(format!("leads to the file of the router {name:?}"));
        }
        others.push((place, &router.name));
    }
}

/// Every file that is read, with what it is.
fn used<'a>(path: &'a Path, config: &'a Config) -> Vec<(&'a Path, String)> {
    let mut used = vec![(path, "the configuration itself".to_owned())];
    for feed in &config.feeds {
        let name = &feed.name;
        if let Origin::Path(path) = &feed.origin {
            used.push((path, format!("the list of the feed {name:?}")));
        }
        let secrets = feed.access.files();
        used.extend(secrets.map(|(key, file)| (file, format!("the {key} of the feed {name:?}"))));
    }
    let protect = config.protect.files.iter();
    used.extend(protect.map(|file| (&**file, "one of [protect] files".to_owned())));
    let table = config.origins.iter().map(|origins| &*origins.table);
    used.extend(table.map(|table| (table, "the table of [asn]".to_owned())));
    let authorities = config.fetch.ca_file.as_deref();
    used.extend(authorities.map(|file| (file, "the ca_file of [fetch]".to_owned())));
    used
}
