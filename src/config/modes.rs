//! Who may write the configuration: it names commands that run as the user of the program.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Problem;
use crate::owner;

/// Why a configuration is refused, if another user may have written it. The user of the service is
/// the owner of the state directory.
pub(super) fn problem(path: &Path, about: &Metadata, state_dir: &Path) -> Option<Problem> {
    let shown = path.display();
    let trusted = owner::trusted(state_dir);
    let (message, hint) = if !trusted.contains(&about.uid()) {
        let owner = owner::name(about.uid());
        (
            format!(
                "it belongs to {owner}, which is neither root nor the user of this program or of its service, and it \
                 names commands to run"
            ),
            format!("type `sudo chown root {shown}`"),
        )
    } else if about.mode() & 0o002 != 0 {
        let mode = about.mode() & 0o7777;
        (
            format!("every user may write it (mode {mode:04o}), and it names commands to run"),
            format!("type `sudo chmod o-w {shown}`"),
        )
    } else {
        return None;
    };
    Some(Problem {
        span: None,
        message,
        hint: Some(hint),
    })
}

/// Advice on a configuration that a group may write.
pub(super) fn advice(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    let mode = about.mode() & 0o7777;
    let shown = path.display();
    (mode & 0o020 != 0).then(|| {
        format!(
            "its group may write it (mode {mode:04o}), and it names commands to run; if only root should, type `sudo \
             chmod g-w {shown}`"
        )
    })
}
