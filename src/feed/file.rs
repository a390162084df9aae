//! Feeds that are local files (I/O).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Refused;

/// The bytes of a local list, at most `max_bytes` of them.
pub fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, Refused> {
    let failed =
        |error: std::io::Error| Refused::Unreachable(format!("{}: {error}", path.display()));
    let mut body = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(max_bytes + 1)
        .read_to_end(&mut body)
        .map_err(failed)?;
    if body.len() as u64 > max_bytes {
        return Err(Refused::TooLarge(max_bytes));
    }
    Ok(body)
}
