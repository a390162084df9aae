//! Router files onto the disk (I/O): whole or not at all.
//!
//! ```text
//!  equal? ──yes──► nothing      write beside ──► check ──► rename ──► reload ──► verify
//!                                                 │ refused             └─────────┴── failed
//!                                                 └──► the old file is untouched   └──► the old file back, reload, verify
//! ```
//!
//! Where the router holds the old file, and the family has something shorter that leads from there to the new one, that
//! is loaded; and the whole where it is not taken.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::command::run;
use super::router;
use crate::config::RouterConfig;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// The content was there and loaded already.
    Unchanged,
    /// The content was there; whether it had been loaded was not known, so it was loaded again.
    Loaded,
    /// The file was replaced and, where a command says so, loaded.
    Replaced,
    /// The file was replaced, and only the difference to the former one was loaded.
    Changed,
}

/// What became of a file, and what the commands said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What became of it.
    pub became: Became,
    /// What those that loaded and verified it said, in one line; mostly nothing.
    pub said: String,
}

/// Publish `text` as the file of `router`. `is_loaded` says of a text whether it was the last one to be loaded: a
/// program that dies between rename and reload leaves a file that is in place and not in force.
///
/// # Errors
/// One line: what failed, what the command said, and what is on disk now.
pub async fn publish(
    router: &RouterConfig,
    text: &str,
    is_loaded: impl Fn(&str) -> bool,
) -> Result<Published, String> {
    let path = &router.path;
    let old = match fs::read(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    if old.as_deref() == Some(text.as_bytes()) {
        // The router may have been started anew since, without what was loaded into it.
        let in_force = is_loaded(text) && run(&router.verify, path, path).await.is_ok();
        if in_force || router.reload.is_empty() {
            let (became, said) = (Became::Unchanged, String::new());
            return Ok(Published { became, said });
        }
        let became = Became::Loaded;
        let loaded = load(router).await.map(|said| Published { became, said });
        return loaded.map_err(|failure| format!("{failure}; the file is in place"));
    }
    let beside = beside(path);
    let kept = match old {
        Some(_) => "the old file stays",
        None => "there is no file",
    };
    write_synced(&beside, text.as_bytes(), path)
        .map_err(|error| discard(&beside, format!("{}: {error}; {kept}", beside.display())))?;
    if let Err(refusal) = run(&router.check, &beside, &beside).await {
        return Err(discard(
            &beside,
            format!("check refused the new file: {refusal}; {kept}"),
        ));
    }
    replace(&beside, path)
        .map_err(|error| discard(&beside, format!("{}: {error}; {kept}", path.display())))?;
    let loaded = match delta(router, old.as_deref(), text, is_loaded) {
        Some(delta) => load_delta(router, &delta).await,
        None => load(router).await.map(|said| (Became::Replaced, said)),
    };
    match loaded {
        Ok((became, said)) => Ok(Published { became, said }),
        Err(failure) => {
            let back = put_back(router, old.as_deref()).await;
            Err(format!("{failure}; {back}"))
        }
    }
}

/// What leads from the old file to the new one. Only where it is looked at afterwards what the router holds: it may
/// have been started anew since.
fn delta(
    router: &RouterConfig,
    old: Option<&[u8]>,
    text: &str,
    is_loaded: impl Fn(&str) -> bool,
) -> Option<String> {
    let wanted = router.reload.iter().any(|word| word.contains("{delta}"));
    if !wanted || router.verify.is_empty() {
        return None;
    }
    let old = str::from_utf8(old?).ok()?;
    let delta = router::delta(&router.shape, old, text);
    delta.filter(|_| is_loaded(old))
}

/// Load what leads to the file, and the whole file where that is not taken.
async fn load_delta(router: &RouterConfig, delta: &str) -> Result<(Became, String), String> {
    let place = hidden(&router.path, ".delta");
    let loaded = match write_synced(&place, delta.as_bytes(), &router.path) {
        Ok(()) => load_from(router, &place).await,
        Err(error) => Err(format!("{}: {error}", place.display())),
    };
    let _ = fs::remove_file(&place);
    match loaded {
        Ok(said) => Ok((Became::Changed, said)),
        Err(why) => {
            let said = load(router).await?;
            let whole = format!("the difference was not taken, so all was loaded ({why})");
            Ok((Became::Replaced, joined([whole, said])))
        }
    }
}

/// Load the file, and look whether it is in force. Answers what was said.
async fn load(router: &RouterConfig) -> Result<String, String> {
    load_from(router, &router.path).await
}

/// The same, but what is loaded is in another place.
async fn load_from(router: &RouterConfig, delta: &Path) -> Result<String, String> {
    let failed = |what: &str, why| format!("{what} failed: {why}");
    let loaded = run(&router.reload, &router.path, delta).await;
    let loaded = loaded.map_err(|why| failed("reload", why))?;
    let verified = run(&router.verify, &router.path, delta).await;
    let verified = verified.map_err(|why| failed("verify", why))?;
    Ok(joined([loaded, verified]))
}

fn joined(said: [String; 2]) -> String {
    let said: Vec<_> = said.into_iter().filter(|said| !said.is_empty()).collect();
    said.join("; ")
}

/// The name beside the file: on the same file system, so that the rename is one step.
fn beside(path: &Path) -> PathBuf {
    hidden(path, ".new")
}

fn hidden(path: &Path, ending: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(ending);
    path.with_file_name(name)
}

/// What a file has that replaces none: a router reads it as a user of its own.
const MODE: u32 = 0o644;

/// Write and sync; the new file gets the mode, the owner and the group of the one that it will replace. What stands at
/// its place, left by a pass that died or put there by somebody else, is not written into.
fn write_synced(beside: &Path, content: &[u8], like: &Path) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).open(beside)?;
    match fs::metadata(like) {
        Ok(old) => {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(old.permissions())?;
        }
        Err(_) => file.set_permissions(Permissions::from_mode(MODE))?,
    }
    file.write_all(content)?;
    file.sync_all()
}

/// Rename, and sync the folder so that the name survives a power cut.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn discard(beside: &Path, message: String) -> String {
    let _ = fs::remove_file(beside);
    message
}

/// After a failed reload: the old content again, loaded again; or no file where there was none.
async fn put_back(router: &RouterConfig, old: Option<&[u8]>) -> String {
    let Some(old) = old else {
        return match fs::remove_file(&router.path) {
            Ok(()) => {
                "there was no file before, so the new one is removed; what the router took of it \
                       stays there"
                    .to_owned()
            }
            Err(error) => format!("the new file could not be removed: {error}"),
        };
    };
    let beside = beside(&router.path);
    let restored =
        write_synced(&beside, old, &router.path).and_then(|()| replace(&beside, &router.path));
    if let Err(error) = restored {
        return discard(
            &beside,
            format!("the old file could not be put back: {error}"),
        );
    }
    match load(router).await {
        Ok(_) => "the old file is back and loaded".to_owned(),
        Err(why) => format!("the old file is back, but loading it failed as well: {why}"),
    }
}

#[cfg(test)]
mod tests;
