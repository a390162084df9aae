//! The run directory (I/O): what must be known even if the ledger cannot be read or written.
//!
//! ```text
//!  /run/nullrouted/DIGEST.flushed   the flush marker: nothing is installed while it is there
//!                  DIGEST.marks     table, protocol and type of the routes that were installed last
//!                  control          the control socket of the usual state directory,
//!                  DIGEST.control   and that of another one
//! ```
//!
//! `DIGEST` is that of the path of the state directory: several instances may run on one machine. A
//! reboot empties the run directory, as it removes the routes. Nothing here is required: a program
//! that may not create the directory works without it.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, DirBuilder, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{
    DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown,
};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::Uid;
use serde::{Deserialize, Serialize};

use crate::targets::kernel::{Kind, Mark};
use crate::time::Timestamp;
use crate::{digest, files, owner};

/// Names another run directory.
pub const VARIABLE: &str = "NULLROUTED_RUN_DIR";

const DEFAULT: &str = "/run/nullrouted";
/// The state directory of the shipped service (systemd/tmpfiles.conf); its owner is the service's
/// user.
const SERVICE_DIR: &str = "/var/lib/nullrouted";

const FLUSHED: &str = "flushed";
const MARKS: &str = "marks";
const CONTROL: &str = "control";

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 10;
/// Largest number of files that are read if all instances are listed.
const MAX_INSTANCES: usize = 1_000;

/// The run directory of this machine, or the one that `NULLROUTED_RUN_DIR` names.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

/// A flush, according to its marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flush {
    /// When it was made.
    pub at: Timestamp,
    /// The user who flushed; empty if it could not be written.
    pub by: String,
    /// Why, if the user said it.
    pub reason: String,
}

/// An instance that installs routes, by its state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its state directory.
    pub state_dir: PathBuf,
    /// The marks that its routes may carry.
    pub marks: Vec<Mark>,
}

/// Why the flush marker is still there, and what to type.
#[derive(Debug)]
pub struct NotRemoved(PathBuf, io::Error);

impl fmt::Display for NotRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(path, error) = self;
        let path = path.display();
        write!(
            f,
            "{path}: the flush marker cannot be removed: {error}; still flushed. Type `sudo rm -f {path}`, \
             then run this again"
        )
    }
}

impl std::error::Error for NotRemoved {}

/// The content of a file, which names its instance.
#[derive(Serialize, Deserialize)]
struct Written {
    state_dir: PathBuf,
    /// The network namespace: inode of `/proc/self/ns/net`, if it could be read.
    namespace: Option<u64>,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum What {
    Flushed {
        at: i64,
        by: String,
        #[serde(default)]
        reason: String,
    },
    Marks {
        marks: Vec<WrittenMark>,
    },
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct WrittenMark {
    table: u32,
    protocol: u8,
    r#type: String,
}

impl From<&Mark> for WrittenMark {
    fn from(mark: &Mark) -> Self {
        Self {
            table: mark.table,
            protocol: mark.protocol,
            r#type: mark.kind.to_string(),
        }
    }
}

impl WrittenMark {
    /// `None` if it cannot be our mark: its protocol belongs to another program.
    fn read(&self) -> Option<Mark> {
        let kind: Kind = self.r#type.parse().ok()?;
        let is_free = Mark::owner_of_protocol(self.protocol).is_none();
        is_free.then_some(Mark {
            table: self.table,
            protocol: self.protocol,
            kind,
            metric: 0,
        })
    }
}

/// Whether the instance of this state directory was flushed, according to the run directory alone.
/// At most two calls of `lstat(2)`: it never waits, and opens nothing.
pub fn flushed(state_dir: &Path) -> bool {
    RunDir::here().is_flushed(state_dir)
}

impl RunDir {
    /// That of this machine, or the one named by the environment.
    pub fn here() -> Self {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        Self::at(named.map_or_else(|| PathBuf::from(DEFAULT), PathBuf::from))
    }

    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a trusted flush marker.
    pub fn is_flushed(&self, state_dir: &Path) -> bool {
        self.marker(state_dir).is_some()
    }

    /// The flush of the marker.
    pub fn flush(&self, state_dir: &Path) -> Option<Flush> {
        let file = self.marker(state_dir)?;
        // A marker without content counts as well: the directory was full.
        let (at, by, reason) = match read(&self.file(state_dir, FLUSHED)) {
            Some(Written {
                what: What::Flushed { at, by, reason },
                ..
            }) => (at, by, reason),
            _ => (file.mtime(), String::new(), String::new()),
        };
        Some(Flush {
            at: Timestamp(at),
            by,
            reason,
        })
    }

    fn marker(&self, state_dir: &Path) -> Option<Metadata> {
        let file = fs::symlink_metadata(self.file(state_dir, FLUSHED)).ok()?;
        let owners = Owners::of(state_dir);
        let dir = fs::symlink_metadata(&self.path).ok()?;
        (owners.believe_dir(&dir).is_ok() && owners.believe_file(&file)).then_some(file)
    }

    /// Set the flush marker: from now on nothing is installed for this state directory. The time of
    /// an earlier flush is kept.
    ///
    /// # Errors
    /// The directory cannot be created or written, or is not trusted.
    pub fn set_flushed(&self, state_dir: &Path, flush: &Flush) -> io::Result<()> {
        if self.is_flushed(state_dir) {
            return Ok(());
        }
        let what = What::Flushed {
            at: flush.at.0,
            by: flush.by.clone(),
            reason: flush.reason.clone(),
        };
        self.write(state_dir, FLUSHED, what, Full::EmptyFile)
    }

    /// Remove the flush marker.
    ///
    /// # Errors
    /// The marker is still there, or cannot be looked up.
    pub fn end_flush(&self, state_dir: &Path) -> Result<(), NotRemoved> {
        let path = self.file(state_dir, FLUSHED);
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error)
                if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) =>
            {
                Ok(())
            }
            Err(error) => Err(NotRemoved(path, error)),
        }
    }

    /// Write down the marks that routes of this state directory may carry. Nothing is written if
    /// they are known.
    ///
    /// # Errors
    /// As [`set_flushed`](Self::set_flushed).
    pub fn remember_marks(&self, state_dir: &Path, marks: &[Mark]) -> io::Result<()> {
        let new: Vec<WrittenMark> = marks.iter().map(WrittenMark::from).collect();
        let path = self.file(state_dir, MARKS);
        let is_known = matches!(
            read(&path),
            Some(Written { what: What::Marks { marks }, namespace: at, .. })
                if marks == new && at == namespace()
        );
        let is_believed = || {
            let file = fs::symlink_metadata(&path);
            file.is_ok_and(|file| Owners::of(state_dir).believe_file(&file))
        };
        if is_known && is_believed() {
            return Ok(());
        }
        self.write(state_dir, MARKS, What::Marks { marks: new }, Full::Error)
    }

    /// The marks that routes of this state directory may carry, if the file is trusted.
    pub fn marks(&self, state_dir: &Path) -> Vec<Mark> {
        let path = self.file(state_dir, MARKS);
        let instance = self.instance(&path, &Owners::of(state_dir));
        instance.map_or_else(Vec::new, |(instance, _)| instance.marks)
    }

    /// Every instance that installed routes in our network namespace, by files that are trusted for
    /// the owner of `state_dir`. If our namespace is unknown, those of all namespaces.
    pub fn instances(&self, state_dir: &Path) -> Vec<Instance> {
        let owners = Owners::of(state_dir);
        let ours = namespace();
        let Ok(entries) = fs::read_dir(&self.path) else {
            return Vec::new();
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let paths: Vec<_> = paths
            .filter(|path| path.extension() == Some(OsStr::new(MARKS)))
            .take(MAX_INSTANCES)
            .collect();
        let instances = paths.iter().filter_map(|path| self.instance(path, &owners));
        let here = instances
            .filter(|(_, namespace)| ours.is_none() || namespace.is_none() || *namespace == ours);
        here.map(|(instance, _)| instance).collect()
    }

    fn instance(&self, path: &Path, owners: &Owners) -> Option<(Instance, Option<u64>)> {
        let dir = fs::symlink_metadata(&self.path).ok()?;
        let file = fs::symlink_metadata(path).ok()?;
        if owners.believe_dir(&dir).is_err() || !owners.believe_file(&file) {
            return None;
        }
        let Written {
            state_dir,
            namespace,
            what: What::Marks { marks },
        } = read(path)?
        else {
            return None;
        };
        // A copy under another name belongs to another instance.
        let is_its_own = *path == self.file(&state_dir, MARKS);
        let marks = marks.iter().filter_map(WrittenMark::read).collect();
        let instance = Instance { state_dir, marks };
        is_its_own.then_some((instance, namespace))
    }

    /// Where the control socket of a daemon is.
    pub fn control(&self, state_dir: &Path) -> PathBuf {
        match state_dir
            .components()
            .eq(Path::new(SERVICE_DIR).components())
        {
            true => self.path.join(CONTROL),
            false => self.file(state_dir, CONTROL),
        }
    }

    /// The same for a client: `None` where there is no socket.
    ///
    /// # Errors
    /// Another user may have put it there, or it may not be looked at.
    pub fn believed_control(&self, state_dir: &Path) -> io::Result<Option<PathBuf>> {
        let path = self.control(state_dir);
        let socket = match fs::symlink_metadata(&path) {
            Ok(socket) => socket,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(error),
            Err(_) => return Ok(None),
        };
        let dir = fs::symlink_metadata(&self.path)?;
        let owners = Owners::of(state_dir);
        owners.believe_dir(&dir).map_err(io::Error::other)?;
        if !socket.file_type().is_socket() {
            return Err(io::Error::other("it is no socket"));
        }
        // Its group may write, which is to connect.
        let believed = owners.believe_but(&socket, 0o002);
        believed.map_err(io::Error::other)?;
        Ok(Some(path))
    }

    /// Make the directory where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or is not believed.
    pub fn prepare(&self, state_dir: &Path) -> io::Result<()> {
        self.make(state_dir)
    }

    /// The file of an instance.
    fn file(&self, state_dir: &Path, what: &str) -> PathBuf {
        let absolute = std::path::absolute(state_dir);
        let absolute = absolute.unwrap_or_else(|_| state_dir.to_owned());
        // A trailing slash makes no difference.
        let absolute: PathBuf = absolute.components().collect();
        let digest = digest::of(absolute.as_os_str().as_bytes());
        self.path.join(format!("{digest}.{what}"))
    }

    /// Write a file completely or not at all, with mode 0600 and the owner of the directory.
    fn write(&self, state_dir: &Path, name: &str, what: What, full: Full) -> io::Result<()> {
        self.make(state_dir)?;
        let path = self.file(state_dir, name);
        let beside = path.with_extension(format!("{name}.{}", std::process::id()));
        let _ = fs::remove_file(&beside);
        let written = Written {
            state_dir: std::path::absolute(state_dir)?,
            namespace: namespace(),
            what,
        };
        let text = serde_json::to_vec(&written)?;
        let done = self.write_new(&beside, &text, full);
        let done = done.and_then(|()| fs::rename(&beside, &path));
        if done.is_err() {
            let _ = fs::remove_file(&beside);
        }
        done
    }

    fn write_new(&self, path: &Path, text: &[u8], full: Full) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        // Whatever the umask.
        file.set_permissions(Permissions::from_mode(0o600))?;
        // Owned like the directory, so that root's verbs do not lock out the service.
        let dir = fs::symlink_metadata(&self.path)?;
        if dir.uid() != file.metadata()?.uid() {
            fchown(&file, Some(dir.uid()), Some(dir.gid()))?;
        }
        match file.write_all(text) {
            Err(_) if full == Full::EmptyFile => file.set_len(0).or(Ok(())),
            done => done,
        }
    }

    /// Create the directory if it is missing, owned like the state directory.
    fn make(&self, state_dir: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.path) {
            Ok(()) => fs::set_permissions(&self.path, Permissions::from_mode(0o700))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let dir = fs::symlink_metadata(&self.path)?;
        let owners = Owners::of(state_dir);
        owners.believe_dir(&dir).map_err(|why| {
            let why = format!("{} is not used: {why}", self.path.display());
            io::Error::new(ErrorKind::PermissionDenied, why)
        })?;
        self.hand_over(&dir, state_dir);
        Ok(())
    }

    /// Root may have created the directory before the state directory had its owner.
    fn hand_over(&self, dir: &Metadata, state_dir: &Path) {
        let Ok(state) = fs::metadata(state_dir) else {
            return;
        };
        if !Uid::effective().is_root() || dir.uid() != 0 || state.uid() == 0 {
            return;
        }
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits())
            .open(&self.path);
        let owner = (Some(state.uid()), Some(state.gid()));
        let Ok(opened) = opened else { return };
        for what in [FLUSHED, MARKS] {
            let _ = lchown(self.file(state_dir, what), owner.0, owner.1);
        }
        let _ = fchown(&opened, owner.0, owner.1);
    }
}

/// What to do if a file cannot be written completely.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Full {
    Error,
    /// Its existence is enough.
    EmptyFile,
}

/// The trusted users: root, ourselves, and the owner of the state directory.
struct Owners(Vec<u32>);

impl Owners {
    fn of(state_dir: &Path) -> Self {
        let mut owners = owner::trusted(state_dir);
        // Not by name: a name service may take long.
        let service = fs::metadata(SERVICE_DIR).ok();
        owners.extend(service.map(|state| state.uid()));
        Self(owners)
    }

    fn believe_dir(&self, dir: &Metadata) -> Result<(), String> {
        if !dir.file_type().is_dir() {
            return Err("it is no directory".to_owned());
        }
        self.believe(dir)
    }

    fn believe_file(&self, file: &Metadata) -> bool {
        file.file_type().is_file() && self.believe(file).is_ok()
    }

    fn believe(&self, at: &Metadata) -> Result<(), String> {
        self.believe_but(at, 0o022)
    }

    /// Believe what has none of these bits in its mode.
    fn believe_but(&self, at: &Metadata, bits: u32) -> Result<(), String> {
        if !self.0.contains(&at.uid()) {
            return Err(format!("it belongs to uid {}", at.uid()));
        }
        match at.mode() & bits {
            0 => Ok(()),
            _ => Err(format!(
                "others may write it (mode {:04o})",
                at.mode() & 0o7777
            )),
        }
    }
}

/// Names the state directory and the network namespace of this process: two processes for which it
/// is the same mean the same daemon.
pub fn instance(state_dir: &Path) -> Option<String> {
    let at = fs::metadata(state_dir).ok()?;
    Some(format!("{}:{}:{}", at.dev(), at.ino(), namespace()?))
}

fn read(path: &Path) -> Option<Written> {
    let text = files::read(path, MAX_BYTES).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Our network namespace.
fn namespace() -> Option<u64> {
    let at = fs::metadata("/proc/self/ns/net").ok()?;
    Some(at.ino())
}

#[cfg(test)]
mod tests;
