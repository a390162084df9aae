//! Room in the state directory for a flush on a full disk (I/O).
//!
//! A flush is written down as a pin. On a full disk there is no room for it, so a file keeps some:
//! it is given up where a pin cannot be written otherwise, and made again when there is room.

use std::io::{self, Write};
use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::owner;

/// Name of the file under the state directory.
pub(super) const FILE: &str = "reserve";

/// What a pin takes, in bytes: the index of the log of SQLite (32 KiB), some pages in that log, and
/// as many in the ledger.
const BYTES: usize = 256 << 10;
/// Less room than this on a disk, in bytes, and it counts as full.
const FULL: u64 = 64 << 10;
/// The file is not made again while there is less room than this, in bytes.
const ROOM: u64 = 8 << 20;

/// Keep the room, where it is not kept yet. Nothing depends on it, so no failure is told.
pub(super) fn keep(state_dir: &Path) {
    let path = state_dir.join(FILE);
    let is_kept = path.metadata().is_ok_and(|file| file.len() >= BYTES as u64);
    if is_kept || room(state_dir).is_none_or(|room| room < ROOM) {
        return;
    }
    if write(&path).is_err() {
        let _ = std::fs::remove_file(&path);
    }
    owner::like_folder(&path);
}

/// Give the room up. Answers whether there was any.
pub(super) fn give_up(state_dir: &Path) -> bool {
    std::fs::remove_file(state_dir.join(FILE)).is_ok()
}

/// Whether the disk under a path is full.
pub(super) fn is_full(path: &Path) -> bool {
    let folder = path.ancestors().find(|path| path.is_dir());
    folder.and_then(room).is_some_and(|room| room < FULL)
}

/// Bytes that an ordinary user may still write.
fn room(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = owner::create_private(path)?;
    // A hole would keep nothing.
    file.write_all(&vec![0; BYTES])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_kept_given_up_once_and_kept_again() {
        let dir = tempfile::tempdir().unwrap();
        keep(dir.path());
        let path = dir.path().join(FILE);
        let kept = path.metadata().unwrap();
        assert_eq!(kept.len(), BYTES as u64);
        let blocks = std::os::unix::fs::MetadataExt::blocks(&kept) * 512;
        assert!(blocks >= BYTES as u64, "it is no hole");
        assert!(give_up(dir.path()));
        assert!(!give_up(dir.path()));
        keep(dir.path());
        assert!(path.exists());
        assert!(!is_full(dir.path()));
    }
}
