//! Last good copies on disk (I/O), one file for each feed and content: `NAME.DIGEST`.
//!
//! A copy is written completely, named by its digest, and only then named in the ledger. So no
//! crash leaves a partial copy in force, and the copy in force stays while a newer one is held.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::digest;
use crate::files;
use crate::owner;
use crate::time::Timestamp;

/// The folder of the copies.
#[derive(Clone, Debug)]
pub struct Copies {
    folder: PathBuf,
}

/// The suffix of the note that names the copy in force, instead of a digest.
const APPLIED: &str = "applied";

/// Largest note, in bytes: more than a digest has.
const NOTE: u64 = 1_024;

impl Copies {
    /// The copies under the state directory; the folder is made when the first is saved.
    pub fn under(state_dir: &Path) -> Self {
        Self {
            folder: state_dir.join("copies"),
        }
    }

    /// The folder itself, for messages.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keep a body under its digest. One that is there, whole, is not written again.
    pub fn save(&self, feed: &str, digest: &str, body: &[u8]) -> io::Result<()> {
        let path = self.path(feed, digest);
        if files::read(&path, u64::MAX).is_ok_and(|there| there == body) {
            return Ok(());
        }
        owner::make_private_dir(&self.folder)?;
        owner::tighten(&self.folder, owner::PRIVATE_DIR);
        owner::like_folder(&self.folder);
        let beside = self.folder.join(format!(".{feed}.new"));
        let written = owner::create_private(&beside).and_then(|mut file| {
            file.write_all(body)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&beside, &path)) {
            let _ = fs::remove_file(&beside);
            return Err(error);
        }
        owner::like_folder(&path);
        File::open(&self.folder)?.sync_all()
    }

    /// Note on the copy itself when it was last confirmed: a ledger that is lost can be rebuilt
    /// from the copies.
    pub fn confirm(&self, feed: &str, digest: &str, now: Timestamp) {
        let time = UNIX_EPOCH + Duration::from_secs(now.0.max(0) as u64);
        // A courtesy: without it the copy looks older than it is.
        let _ = File::open(self.path(feed, digest)).and_then(|file| file.set_modified(time));
    }

    /// Write down which copy of a feed is in force.
    pub fn note_applied(&self, feed: &str, digest: &str) -> io::Result<()> {
        let note = self.path(feed, APPLIED);
        if !self.path(feed, digest).exists() {
            // The copy itself is lost: there is nothing to begin with.
            return Ok(());
        }
        if files::read_text(&note, NOTE).is_ok_and(|noted| noted == digest) {
            return Ok(());
        }
        let beside = self.folder.join(format!(".{feed}.new"));
        owner::create_private(&beside)?.write_all(digest.as_bytes())?;
        owner::like_folder(&beside);
        fs::rename(&beside, &note)
    }

    /// The copy of a feed that was last in force: its digest, and when it was last confirmed.
    pub fn applied(&self, feed: &str) -> Option<(String, Timestamp)> {
        let digest = files::read_text(&self.path(feed, APPLIED), NOTE).ok()?;
        let confirmed = self.confirmed(feed, &digest)?;
        Some((digest, confirmed))
    }

    /// When a copy was last confirmed, by the note on itself.
    pub fn confirmed(&self, feed: &str, digest: &str) -> Option<Timestamp> {
        let about = fs::metadata(self.path(feed, digest)).ok()?;
        let age = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Timestamp(age.as_secs() as i64))
    }

    /// The body with this digest, if it is there and is still the same.
    pub fn load(&self, feed: &str, wanted: &str) -> io::Result<Vec<u8>> {
        let path = self.path(feed, wanted);
        let body = files::read(&path, u64::MAX)?;
        if digest::of(&body) != wanted {
            let what = format!("{}: the content has changed", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(body)
    }

    /// Remove the copies that nothing names any more: `(feed, digest)` of those that stay.
    pub fn keep_only(&self, named: &HashSet<(String, String)>) -> io::Result<()> {
        let names: HashSet<String> = named
            .iter()
            .flat_map(|(feed, digest)| [format!("{feed}.{digest}"), format!("{feed}.{APPLIED}")])
            .collect();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            // Copies are files.
            let named = names.contains(entry.file_name().to_string_lossy().as_ref());
            if !named && !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn path(&self, feed: &str, digest: &str) -> PathBuf {
        self.folder.join(format!("{feed}.{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_kept_until_nothing_names_it_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let copies = Copies::under(dir.path());
        let save = |body: &[u8]| {
            copies.save("noc", &digest::of(body), body).unwrap();
            digest::of(body)
        };
        let one = save(b"192.0.2.0/24\n");
        let two = save(b"198.51.100.0/24\n");
        assert_eq!(copies.load("noc", &one).unwrap(), b"192.0.2.0/24\n");

        copies
            .keep_only(&HashSet::from([("noc".to_owned(), two.clone())]))
            .unwrap();
        assert!(copies.load("noc", &one).is_err());

        fs::write(copies.path("noc", &two), b"0.0.0.0/0\n").unwrap();
        let error = copies.load("noc", &two).unwrap_err().to_string();
        assert!(error.ends_with("the content has changed"), "{error}");
        save(b"198.51.100.0/24\n");
        assert!(copies.load("noc", &two).is_ok(), "saving again repairs it");
    }
}
