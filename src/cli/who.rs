//! Who is at the keyboard: for the log book.

use nix::unistd::{Uid, User};

use crate::shown;

/// Longest name of a user that is written down, in characters.
const LONGEST: usize = 64;

/// The user who logged in, where the kernel knows (`/proc/self/loginuid`, which `sudo` does not
/// change); else who called `sudo` (`SUDO_UID`, then `SUDO_USER`); else the user of this process.
/// In one line: `SUDO_USER` is what its caller made it.
pub(super) fn who() -> String {
    shown::clipped(&user(), LONGEST)
}

fn user() -> String {
    let login = std::fs::read_to_string("/proc/self/loginuid").ok();
    let login = login.and_then(|text| text.trim().parse().ok());
    // All ones: no login, as in a service or a container.
    let login = login.filter(|uid: &u32| *uid != u32::MAX);
    let name = |uid: Uid| User::from_uid(uid).ok().flatten().map(|user| user.name);
    let sudo = std::env::var("SUDO_UID").ok();
    let sudo = sudo.and_then(|uid| uid.parse().ok());
    login
        .and_then(|uid| name(Uid::from_raw(uid)))
        .or_else(|| name(Uid::from_raw(sudo?)))
        .or_else(|| {
            std::env::var("SUDO_USER")
                .ok()
                .filter(|name| !name.is_empty())
        })
        .or_else(|| name(Uid::current()))
        .unwrap_or_else(|| format!("uid {}", Uid::current()))
}
