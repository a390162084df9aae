//! Who owns what is made in the state directory (I/O).

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

/// Give a new file or folder the owner of the folder it is in. The service has a user of its own; what
/// root makes there by hand must not lock it out. Who may not do that has nothing to give.
pub fn like_folder(path: &Path) {
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    if let Some(folder) = folder {
        let _ = chown(path, Some(folder.uid()), Some(folder.gid()));
    }
}
