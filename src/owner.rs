//! Who owns what is made in the state directory, and who may read it (I/O).

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;

use nix::unistd::{Uid, User};

/// Give a new file or folder the owner of the folder it is in. The service has a user of its own;
/// what root makes there by hand must not lock it out. Who may not do that has nothing to give.
pub fn like_folder(path: &Path) {
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    if let Some(folder) = folder {
        let _ = chown(path, Some(folder.uid()), Some(folder.gid()));
    }
}

/// The name of a user, or its number.
pub fn name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// The users who may do anything here: root, ourselves, and the owner of the state directory, who
/// is the user of the service.
pub fn trusted(state_dir: &Path) -> Vec<u32> {
    let state = fs::metadata(state_dir).ok();
    let users = [0, Uid::effective().as_raw()].into_iter();
    users.chain(state.map(|state| state.uid())).collect()
}

/// Mode of the state directory and of the directory of the copies.
pub const PRIVATE_DIR: u32 = 0o700;
/// Mode of every file in them.
pub const PRIVATE_FILE: u32 = 0o600;

/// Make a directory that only its owner may enter, whatever the umask.
///
/// # Errors
/// As `mkdir(2)`.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let make = || DirBuilder::new().mode(PRIVATE_DIR).create(path);
    let made = match (make(), path.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent)?;
            make()
        }
        (made, _) => made,
    };
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(PRIVATE_DIR)),
    }
}

/// Make or empty a file that only its owner may read, whatever the umask.
///
/// # Errors
/// As `open(2)`.
pub fn create_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE)
        .open(path)?;
    tighten(path, PRIVATE_FILE);
    Ok(file)
}

/// Give a file or a directory of ours exactly this mode, whatever the umask made of it or an
/// earlier version left. What belongs to another user stays as it is, as does what is neither a
/// file nor a directory.
pub fn tighten(path: &Path, mode: u32) {
    let Ok(about) = fs::symlink_metadata(path) else {
        return;
    };
    let is_ours = about.uid() == Uid::effective().as_raw();
    let kind = about.file_type();
    let is_other = about.mode() & 0o7777 != mode;
    if is_ours && is_other && (kind.is_file() || kind.is_dir()) {
        let _ = fs::set_permissions(path, Permissions::from_mode(mode));
    }
}

/// Why `path` may not be used, where one of these belongs to another user, and what to type. For a
/// service whose state root made before there was its user.
pub fn why_denied(state_dir: &Path, others: &[&Path]) -> Option<String> {
    let us = Uid::effective();
    if us.is_root() {
        return None;
    }
    let mut all = std::iter::once(state_dir).chain(others.iter().copied());
    let (path, owner) = all.find_map(|path| {
        let about = fs::symlink_metadata(path).ok()?;
        (about.uid() != us.as_raw()).then(|| (path, about.uid()))
    })?;
    let (path, owner, us) = (path.display(), name(owner), name(us.as_raw()));
    let state = state_dir.display();
    Some(format!(
        "{path} belongs to {owner}, and this runs as {us}: type `sudo chown -R {us}: {state}` if {us} is the user of the \
         service, else run this as {owner}"
    ))
}
