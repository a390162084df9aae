//! Router files onto the disk (I/O): whole or not at all.
//!
//! ```text
//!  equal? ──yes──► nothing      write beside ──► check ──► rename ──► reload ──► verify
//!                                                 │ refused             └─────────┴── failed
//!                                                 └──► the old file is untouched   └──► the old file back, reload, verify
//! ```
//!
//! A first file that `check` has taken, or that was loaded, stays: some routers are to include it, and for that it must be
//! there.
//!
//! Where the router holds the old file, and the family has something shorter that leads from there to the new one, that
//! is loaded; and the whole where it is not taken.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::command::run;
use super::router;
use crate::config::RouterConfig;
use crate::files;

/// Largest router file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

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
    // What is named by a link is replaced, and not the link.
    let real = fs::canonicalize(&router.path);
    let real = real.ok().filter(|_| router.path.is_symlink());
    let path = real.as_ref().unwrap_or(&router.path);
    let old = match files::read(path, MAX_BYTES) {
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
    let failure = match loaded {
        Ok((became, said)) => return Ok(Published { became, said }),
        Err(failure) => failure,
    };
    let back = match (&failure, old) {
        (_, Some(old)) => put_back(router, path, &old).await,
        (Failure::Reload(_), None) if router.check.is_empty() => match fs::remove_file(path) {
            Ok(()) => {
                "there was no file before, so the new one is removed; what the router took of it \
                       stays there"
                    .to_owned()
            }
            Err(error) => format!("the new file could not be removed: {error}"),
        },
        // Mostly nothing includes it yet, and where something does, that does not start without it.
        (_, None) => "the file stays, as there was none before".to_owned(),
    };
    Err(format!("{failure}; {back}"))
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
async fn load_delta(router: &RouterConfig, delta: &str) -> Result<(Became, String), Failure> {
    let place = hidden(&router.path, ".delta");
    let loaded = match write_synced(&place, delta.as_bytes(), &router.path) {
        Ok(()) => {
            let loaded = load_from(router, &place).await;
            loaded.map_err(|failure| failure.to_string())
        }
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
async fn load(router: &RouterConfig) -> Result<String, Failure> {
    load_from(router, &router.path).await
}

/// The same, but what is loaded is in another place.
async fn load_from(router: &RouterConfig, delta: &Path) -> Result<String, Failure> {
    let loaded = run(&router.reload, &router.path, delta).await;
    let loaded = loaded.map_err(Failure::Reload)?;
    let verified = run(&router.verify, &router.path, delta).await;
    let verified = verified.map_err(Failure::Verify)?;
    Ok(joined([loaded, verified]))
}

/// Why a file is not in force, or not known to be.
enum Failure {
    Reload(String),
    Verify(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reload(why) => write!(f, "reload failed: {why}"),
            Self::Verify(why) => write!(f, "verify failed: {why}"),
        }
    }
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

/// Write and sync; the new file gets the mode of the one that it will replace, and its owner and group where we may
/// give it away: who runs a verb by hand may be root, and the service is not. What stands at its place, left by a pass
/// that died or put there by somebody else, is not written into.
fn write_synced(beside: &Path, content: &[u8], like: &Path) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).open(beside)?;
    match fs::metadata(like) {
        Ok(old) => {
            let new = file.metadata()?;
            let mut mode = old.permissions().mode();
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                match fchown(&file, Some(old.uid()), Some(old.gid())) {
                    // The router may be one of that group: then it reads as one of the others.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => mode |= 0o044,
                    done => done?,
                }
            }
            file.set_permissions(Permissions::from_mode(mode))?;
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

/// The old content again, loaded again.
async fn put_back(router: &RouterConfig, path: &Path, old: &[u8]) -> String {
    let beside = beside(path);
    let restored = write_synced(&beside, old, path).and_then(|()| replace(&beside, path));
    if let Err(error) = restored {
        return discard(
            &beside,
            format!("the old file could not be put back: {error}"),
        );
    }
    match load(router).await {
        // Its lines take nothing away that only the new file had.
        Ok(_) if router.shape.family.takes_away() => {
            "the old file is back and loaded; what the router took of the new one may stay until the next load"
                .to_owned()
        }
        Ok(_) => "the old file is back and loaded".to_owned(),
        Err(why) => format!("the old file is back, but loading it failed as well: {why}"),
    }
}

#[cfg(test)]
mod tests;
