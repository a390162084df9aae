//! Router files onto the disk (I/O): whole or not at all.
//!
//! ```text
//!  equal? ──yes──► nothing      write beside ──► check ──► rename ──► reload ──► verify
//!                                                 │ refused             └─────────┴── failed
//!                                                 └──► the old file is untouched   └──► the old file back, reload, verify
//! ```
//!
//! Without a `reload` something else loads the file: it stays in place whatever `verify` says, and
//! each time that is asked.
//!
//! A first file that `check` has taken, or that was loaded, stays: some routers are to include it,
//! and for that it must be there.
//!
//! A file that is in force stays where `verify` found that the router sends what is listed to
//! others, or does not drop it, or has other policies (`ALARMS`): the old file would do the same,
//! and what is delisted would never leave the router.
//!
//! Where the router holds the old file, and the family has something shorter that leads from there
//! to the new one, that is loaded; and the whole where it is not taken.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::{Failed, run, watched};

use crate::config::RouterConfig;
use crate::config::writes::writes;
use crate::files;
use crate::named::named;
use crate::progress::Progress;

/// Largest file that is read, in bytes: ten times one of a million prefixes.
const MAX_BYTES: u64 = 1 << 30;
/// Time limit for one step on the disk. A network file system whose server is away does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a `verify` ends that says of a file: it is in force, and all the same something is wrong at
/// the router. By 3 a neighbor was sent what is listed and may not have it, by 4 the router does
/// not drop what it should, by 5 it has other policies than the file says.
const ALARMS: [(i32, &str); 3] = [(3, "LEAK"), (4, "NOT DROPPED"), (5, "OTHER POLICY")];

/// Added to the message if `verify` fails and there is no `reload`.
const NOT_LOADED: &str = "the file is in place, and no reload is set that loads it";

named! {
    /// What became of a file.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Became {
        /// The content was there and loaded already.
        Unchanged = "unchanged",
        /// The content was there; whether it had been loaded was not known, so it was loaded again.
        Loaded = "loaded again",
        /// The file was replaced and, where a command says so, loaded.
        Replaced = "replaced",
        /// The file was replaced, and only the difference to the former one was loaded.
        Changed = "replaced, its difference loaded",
    }
}

/// What became of a file, and what the commands said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub became: Became,
    /// Output of the commands that loaded and verified it, in one line; usually empty.
    pub said: String,
    /// A problem at the router that `verify` found although the file is in force, in one line.
    pub alarm: Option<String>,
    /// Where foreign files are now that stood in its place, or where `reload` copies it, with
    /// `adopt = true`.
    pub adopted: Vec<PathBuf>,
}

/// A router with what is shown of it.
#[derive(Clone, Copy)]
struct Target<'a> {
    config: &'a RouterConfig,
    progress: &'a Progress,
}

impl Target<'_> {
    /// Runs one of its commands, which has this name.
    async fn run(
        self,
        name: &str,
        command: &[String],
        file: &Path,
        delta: &Path,
    ) -> Result<String, Failed> {
        let work = run(command, file, delta);
        watched(self.progress, &self.name, name, work).await
    }

    /// Whether it can load a part instead of the whole file.
    fn loads_deltas(self) -> bool {
        self.reload.iter().any(|word| word.contains("{delta}"))
    }
}

impl Deref for Target<'_> {
    type Target = RouterConfig;

    fn deref(&self) -> &RouterConfig {
        self.config
    }
}

/// Publish `text` as the file of `router`. `is_loaded` says of a text whether it was the last one
/// to be loaded: a program that dies between rename and reload leaves a file that is in place and
/// not in force. The commands are shown on `progress` while they last.
///
/// # Errors
/// One line: what failed, what the command said, and what is on disk now.
pub async fn publish(
    router: &RouterConfig,
    text: &str,
    is_loaded: impl Fn(&str) -> bool,
    progress: &Progress,
) -> Result<Published, String> {
    let router = Target {
        config: router,
        progress,
    };
    let there = on_disk(&router.path, resolve_and_read).await;
    let (path, old) = there.map_err(|error| format!("{}: {error}", router.path.display()))?;
    let path = &*path;
    if old.as_deref() == Some(text.as_bytes()) {
        // The router may have been started again since, without what was loaded into it; where we
        // do not load, that is all there is to do.
        if is_loaded(text) || router.reload.is_empty() {
            match verify(router, path, path).await {
                Ok(verified) => {
                    let said = String::new();
                    return Ok(Published { said, ..verified });
                }
                Err(failure) if router.reload.is_empty() => {
                    return Err(format!("{failure}; {NOT_LOADED}"));
                }
                Err(_) => {}
            }
        }
        let adopted = adopt(router, None, &is_loaded).await?;
        return match load(router).await {
            Ok(loaded) => Ok(Published {
                became: Became::Loaded,
                adopted,
                ..loaded
            }),
            Err(failure) => Err(format!("{failure}; the file is in place")),
        };
    }
    let own = old.as_deref().map(|old| (path, old));
    let adopted = adopt(router, own, &is_loaded).await?;
    let beside = beside(path);
    let kept = match old {
        Some(_) => "the old file stays",
        None => "there is no file",
    };
    if let Err(error) = write(&beside, text.as_bytes(), path).await {
        let why = format!("{}: {error}; {kept}", beside.display());
        return Err(discard(&beside, why).await);
    }
    if let Err(refusal) = router.run("check", &router.check, &beside, &beside).await {
        let why = format!("check refused the new file: {refusal}; {kept}");
        return Err(discard(&beside, why).await);
    }
    if let Err(why) = leave_former(router, path, old.as_deref(), text).await {
        let why = format!("what the former role had could not be taken away: {why}; {kept}");
        return Err(discard(&beside, why).await);
    }
    if let Err(error) = rename(&beside, path).await {
        let why = format!("{}: {error}; {kept}", path.display());
        return Err(discard(&beside, why).await);
    }
    let loaded = match delta(router, old.as_deref(), text, is_loaded) {
        Some(delta) => load_delta(router, &delta).await,
        None => load(router).await,
    };
    let failure = match loaded {
        Ok(loaded) => return Ok(Published { adopted, ..loaded }),
        Err(failure) => failure,
    };
    let back = match (&failure, old) {
        // The old one would not be in force either, and what loads the new one must find it.
        (Failure::Verify(_), _) if router.reload.is_empty() => NOT_LOADED.to_owned(),
        (_, Some(old)) => put_back(router, path, &old).await,
        (Failure::Reload(_), None) if router.check.is_empty() => match remove(path).await {
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

/// Take away what only the former file has, where that is one of ours of another role. This comes
/// before the rename: a program that dies between them finds the former file again, and does both.
async fn leave_former(
    router: Target<'_>,
    path: &Path,
    old: Option<&[u8]>,
    text: &str,
) -> Result<(), String> {
    let ours = old.filter(|old| router.loads_deltas() && super::is_ours(old));
    let former = ours.and_then(|old| str::from_utf8(old).ok());
    let Some(gone) = former.and_then(|former| super::former(&router.options, former, text)) else {
        return Ok(());
    };
    let taken = async |place: &Path| router.run("reload", &router.reload, path, place).await;
    with_delta(path, &gone, taken).await.map(drop)
}

/// Run `work` with a temporary file of this content, in the folder of the router file.
async fn with_delta<T, E: fmt::Display>(
    path: &Path,
    content: &str,
    work: impl AsyncFnOnce(&Path) -> Result<T, E>,
) -> Result<T, String> {
    let place = delta_of(path);
    let done = match write(&place, content.as_bytes(), path).await {
        Ok(()) => work(&place).await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{}: {error}", place.display())),
    };
    let _ = remove(&place).await;
    done
}

/// What leads from the old file to the new one. Only where it is looked at afterwards what the
/// router holds: it may have been restarted since.
fn delta(
    router: Target<'_>,
    old: Option<&[u8]>,
    text: &str,
    is_loaded: impl Fn(&str) -> bool,
) -> Option<String> {
    if !router.loads_deltas() || router.verify.is_empty() {
        return None;
    }
    let old = str::from_utf8(old?).ok()?;
    let delta = super::delta(&router.options, old, text);
    delta.filter(|_| is_loaded(old))
}

/// Load the difference, and the whole file if the difference is refused.
async fn load_delta(router: Target<'_>, delta: &str) -> Result<Published, Failure> {
    let loaded = async |place: &Path| load_from(router, place).await;
    match with_delta(&router.path, delta, loaded).await {
        Ok(loaded) => Ok(Published {
            became: Became::Changed,
            ..loaded
        }),
        Err(why) => {
            let whole = load(router).await?;
            let said = format!("the difference was not taken, so all was loaded ({why})");
            let said = joined([said, whole.said]);
            Ok(Published { said, ..whole })
        }
    }
}

/// Load the file, and check whether it is in force.
async fn load(router: Target<'_>) -> Result<Published, Failure> {
    load_from(router, &router.path).await
}

/// The same, but what is loaded is in another place.
async fn load_from(router: Target<'_>, delta: &Path) -> Result<Published, Failure> {
    let (reload, path) = (&router.reload, &router.path);
    let loaded = router.run("reload", reload, path, delta).await;
    let loaded = loaded.map_err(|failed| Failure::Reload(failed.to_string()))?;
    let verified = verify(router, path, delta).await?;
    Ok(Published {
        became: Became::Replaced,
        said: joined([loaded, verified.said]),
        ..verified
    })
}

/// Check whether the file is in force, and which neighbors were sent its prefixes.
async fn verify(router: Target<'_>, path: &Path, delta: &Path) -> Result<Published, Failure> {
    let (said, alarm) = match router.run("verify", &router.verify, path, delta).await {
        Ok(said) => (said, None),
        Err(failed) => {
            let by_code = |(code, _): &&(i32, &str)| failed.code == Some(*code);
            let alarm = ALARMS.iter().find(by_code);
            let (_, word) = alarm.ok_or_else(|| Failure::Verify(failed.to_string()))?;
            (String::new(), Some(format!("{word}: {}", failed.said)))
        }
    };
    Ok(Published {
        became: Became::Unchanged,
        said,
        alarm,
        adopted: Vec::new(),
    })
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

/// The temporary files in the folder of a router file.
pub fn companions(path: &Path) -> [PathBuf; 2] {
    [beside(path), delta_of(path)]
}

/// A name in the same folder: on the same file system, so that the rename is atomic.
fn beside(path: &Path) -> PathBuf {
    hidden(path, ".new")
}

fn delta_of(path: &Path) -> PathBuf {
    hidden(path, ".delta")
}

/// A name that no other program uses: a file with it is left over from a pass that died.
fn hidden(path: &Path, ending: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".nullrouted");
    name.push(ending);
    path.with_file_name(name)
}

/// Whether a file has something in it that we did not write: it lacks the head that all our files
/// have, and it is not the one that was loaded last.
fn is_foreign(old: &[u8], is_loaded: impl Fn(&str) -> bool) -> bool {
    let blank = old.trim_ascii().is_empty();
    let loaded = || str::from_utf8(old).is_ok_and(&is_loaded);
    !(blank || super::is_ours(old) || loaded())
}

/// A copy of the router file that `reload` makes on this machine.
struct Copied {
    path: PathBuf,
    /// Its path if that is the one of a folder.
    inside: Option<PathBuf>,
}

fn copied_to(router: &RouterConfig) -> Vec<Copied> {
    let copies = writes(&router.reload).into_iter();
    let copies = copies.filter(|write| write.copies);
    let places = copies.filter_map(|write| {
        let path = write.path(&router.path, &delta_of(&router.path))?;
        let inside = write.inside(&path, &router.path);
        Some(Copied { path, inside })
    });
    places.filter(|copied| copied.path != router.path).collect()
}

/// The same as [`resolve_and_read`], of a copy.
fn look_at_copy(path: &Path, inside: Option<&Path>) -> io::Result<(PathBuf, Option<Vec<u8>>)> {
    resolve_and_read(inside.filter(|_| path.is_dir()).unwrap_or(path))
}

/// Foreign files in the place of the router file, which is `own`, and where it is copied to:
/// refused, or kept under another name in the same folder. Answers where those are.
async fn adopt(
    router: Target<'_>,
    own: Option<(&Path, &[u8])>,
    is_loaded: &impl Fn(&str) -> bool,
) -> Result<Vec<PathBuf>, String> {
    let mut there: Vec<_> = own
        .map(|(path, old)| (path.to_owned(), old.to_owned()))
        .into_iter()
        .collect();
    for Copied { path, inside } in copied_to(router.config) {
        let looked = on_disk(&path, move |path| look_at_copy(path, inside.as_deref())).await;
        let (path, old) = looked.map_err(|error| format!("{}: {error}", path.display()))?;
        there.extend(old.map(|old| (path, old)));
    }
    there.retain(|(_, old)| is_foreign(old, is_loaded));
    if let Some((path, _)) = there.first().filter(|_| !router.adopt) {
        return Err(refusal(path));
    }
    let mut kept = Vec::new();
    for (path, old) in there {
        kept.push(keep(&path, &old).await?);
    }
    Ok(kept)
}

/// Why the file in the place of this router's is not replaced, or one that `reload` would write
/// over, if it is not; for who only looks.
pub fn refused(router: &RouterConfig, is_loaded: impl Fn(&str) -> bool) -> Option<String> {
    let own = Copied {
        path: router.path.clone(),
        inside: None,
    };
    let places = std::iter::once(own).chain(copied_to(router));
    places.into_iter().find_map(|Copied { path, inside }| {
        let looked = move |path: &Path| look_at_copy(path, inside.as_deref());
        match files::within(&path, files::PATIENCE, looked) {
            Ok((path, Some(old))) => {
                (is_foreign(&old, &is_loaded) && !router.adopt).then(|| refusal(&path))
            }
            Ok((_, None)) => None,
            Err(error) => Some(format!("{}: {error}", path.display())),
        }
    })
}

fn refusal(path: &Path) -> String {
    format!(
        "{}: this file was not written by nullrouted, so it stays as it is; name another path, or set \
         adopt = true on this router to replace it (a copy of it stays beside it)",
        path.display()
    )
}

/// Keep a copy of the file that is replaced. An earlier copy is not overwritten.
async fn keep(path: &Path, old: &[u8]) -> Result<PathBuf, String> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".before-nullrouted");
    for number in 1..=MOST_KEPT {
        let mut name = name.clone();
        if number > 1 {
            name.push(format!(".{number}"));
        }
        let place = path.with_file_name(name);
        match on_disk(&place, |place| files::read(place, MAX_BYTES)).await {
            Ok(kept) if kept == old => return Ok(place),
            Ok(_) => continue,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}; it stays as it is", place.display()));
            }
            Err(_) => {}
        }
        let beside = beside(&place);
        return match write_and_rename(&beside, &place, old, path).await {
            Ok(()) => Ok(place),
            Err(error) => {
                let why = format!("{}: {error}; it stays as it is", place.display());
                Err(discard(&beside, why).await)
            }
        };
    }
    Err(format!(
        "{}: adopt = true replaced it {MOST_KEPT} times; it stays as it is, since something else writes it",
        path.display()
    ))
}

/// Copies of files that were adopted.
const MOST_KEPT: usize = 9;

/// The real path of the file and its content. The target of a link is replaced, and not the link.
fn resolve_and_read(path: &Path) -> io::Result<(PathBuf, Option<Vec<u8>>)> {
    let real = fs::canonicalize(path).ok().filter(|_| path.is_symlink());
    let path = real.unwrap_or_else(|| path.to_owned());
    match files::read(&path, MAX_BYTES) {
        Ok(old) => Ok((path, Some(old))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((path, None)),
        Err(error) => Err(error),
    }
}

/// One step on the disk, on a thread of its own.
async fn on_disk<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    files::within_async(path, PATIENCE, work).await
}

async fn write(place: &Path, content: &[u8], like: &Path) -> io::Result<()> {
    let (content, like) = (content.to_owned(), like.to_owned());
    on_disk(place, move |place| write_synced(place, &content, &like)).await
}

async fn write_and_rename(from: &Path, to: &Path, content: &[u8], like: &Path) -> io::Result<()> {
    write(from, content, like).await?;
    rename(from, to).await
}

async fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let to = to.to_owned();
    on_disk(from, move |from| replace(from, &to)).await
}

async fn remove(path: &Path) -> io::Result<()> {
    on_disk(path, |path| fs::remove_file(path)).await
}

/// What a file has that replaces none: a router reads it as a user of its own.
const MODE: u32 = 0o644;

/// Write and sync; the new file gets the mode of the one that it will replace, and its owner and
/// group where we may give it away: who runs a verb by hand may be root, and the service is not.
/// A file that is already there, from a pass that died or from another program, is removed first.
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

async fn discard(beside: &Path, message: String) -> String {
    let _ = remove(beside).await;
    message
}

/// The old content again, loaded again.
async fn put_back(router: Target<'_>, path: &Path, old: &[u8]) -> String {
    let beside = beside(path);
    if let Err(error) = write_and_rename(&beside, path, old, path).await {
        let why = format!("the old file could not be put back: {error}");
        return discard(&beside, why).await;
    }
    match load(router).await {
        // Its lines take nothing away that only the new file had.
        Ok(_) if router.options.family.kind().takes_away => {
            "the old file is back and loaded; what the router took of the new one may stay until the next load"
                .to_owned()
        }
        Ok(_) => "the old file is back and loaded".to_owned(),
        Err(why) => format!("the old file is back, but loading it failed as well: {why}"),
    }
}

#[cfg(test)]
mod tests;
