//! The allocator of the C library in a daemon (I/O: the process itself).

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Settings of the allocator (mallopt(3)), which takes them from the environment at the start of a
/// program: a set of megabytes is returned to the system when it is freed. Otherwise a daemon keeps
/// most of what each of its threads has ever used at once.
const SETTINGS: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "1048576"),
    ("MALLOC_TRIM_THRESHOLD_", "1048576"),
];

/// Set where this was begun with them. The C library removes them for a program with capabilities
/// of its own.
const BEGUN: &str = "NULLROUTED_ALLOCATOR";

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// Begin again with these settings, in the same process. Settings of the operator stand, and where
/// it fails the daemon only needs more memory.
pub fn begin_again() {
    if is_set(BEGUN) || SETTINGS.iter().any(|(name, _)| is_set(name)) {
        return;
    }
    let mut words = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), words.next()) {
        let mut again = Command::new(program);
        again.arg0(name).args(words).envs(SETTINGS).env(BEGUN, "1");
        // It returns only where it fails.
        let _ = again.exec();
    }
}

/// The variables that a command of the operator does not inherit.
pub fn own_variables() -> impl Iterator<Item = &'static str> {
    let settings = SETTINGS.iter().map(|(name, _)| *name);
    settings.chain([BEGUN]).filter(|_| is_set(BEGUN))
}
