//! Real copies of real lists, where the folder with them stands beside the repository or where
//! `NULLROUTED_REAL_FEEDS` says. It is not part of it: publishers grant no licence for that.

use std::fs;
use std::path::{Path, PathBuf};

pub fn folder() -> Option<PathBuf> {
    // Or wherever this says: a second checkout stands somewhere else.
    let named = std::env::var_os("NULLROUTED_REAL_FEEDS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let beside = named.unwrap_or_else(|| beside.join("shared/feeds"));
    if beside.is_dir() {
        return Some(beside);
    }
    eprintln!("left out: no folder of real feeds beside the repository");
    None
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}
