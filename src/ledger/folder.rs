//! The state directory: only its owner may enter it (I/O).

use std::io;
use std::path::Path;

use super::{Ledger, Lock, reserve};
use crate::owner;

/// What we make there.
const COPIES: &str = "copies";
const LEFT_OVER: &str = "lost+found";

/// Make the state directory where it is missing, for its owner alone. One that an earlier version
/// made wider, and that belongs to us, is tightened; one that has files of others is left as it is.
pub(super) fn prepare(state_dir: &Path) -> io::Result<()> {
    owner::make_private_dir(state_dir)?;
    if is_only_ours(state_dir) {
        owner::tighten(state_dir, owner::PRIVATE_DIR);
    }
    Ok(())
}

/// Make the ledger for its owner alone before SQLite does for all; SQLite gives the files beside it
/// the mode of this one.
pub(super) fn prepare_ledger(path: &Path) {
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt;
    // Where it cannot be made, SQLite says why.
    let _ = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(owner::PRIVATE_FILE)
        .open(path);
    for beside in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        owner::tighten(Path::new(&name), owner::PRIVATE_FILE);
    }
}

/// Nothing but what we make: `/tmp` as a state directory must not be closed for everybody else.
fn is_only_ours(state_dir: &Path) -> bool {
    let Ok(entries) = state_dir.read_dir() else {
        return false;
    };
    let ours = [Lock::PASS, Lock::DAEMON, COPIES, reserve::FILE, LEFT_OVER];
    let is_ours = |name: &str| name.starts_with(Ledger::FILE) || ours.contains(&name);
    entries.flatten().all(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(is_ours)
    })
}
