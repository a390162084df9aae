//! Into a user and network namespace of our own, or a clear word why not.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};

/// Leave the caller's network for a new, empty one. Without root, a user namespace gives the right.
pub fn enter() -> Result<(), String> {
    let (user, group) = (getuid(), getgid());
    if user.is_root() && unshare(CloneFlags::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).map_err(forbidden)?;
    let map = |file: &str, text: &str| fs::write(format!("/proc/self/{file}"), text);
    // In this order: user_namespaces(7) permits a group map only after setgroups is denied.
    map("setgroups", "deny")
        .and_then(|()| map("uid_map", &format!("0 {user} 1")))
        .and_then(|()| map("gid_map", &format!("0 {group} 1")))
        .map_err(|error: io::Error| {
            forbidden(error.raw_os_error().map_or(Errno::EPERM, Errno::from_raw))
        })
}

/// One more network namespace, within the rights we have.
pub fn enter_network() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(forbidden)
}

/// What the machine forbids, and the way out.
pub fn forbidden(errno: Errno) -> String {
    let mut text = format!(
        "this machine does not let us make a network namespace ({})",
        errno.desc()
    );
    let settings = [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            "kernel/unprivileged_userns_clone",
            "0",
            "kernel.unprivileged_userns_clone=1",
        ),
        (
            "user/max_user_namespaces",
            "0",
            "user.max_user_namespaces=10000",
        ),
    ];
    let forbids = |file: &str, value: &str| {
        fs::read_to_string(format!("/proc/sys/{file}")).is_ok_and(|is| is.trim() == value)
    };
    let found = settings
        .iter()
        .find(|(file, value, _)| forbids(file, value));
    if let Some((_, _, cure)) = found {
        text.push_str(&format!(
            ".\nPermit it until the next boot:  sudo sysctl -w {cure}"
        ));
    }
    text.push_str(
        ".\nOr run the demonstration as root; it still makes a namespace of its own:  sudo nullrouted demo\n\
         In a container: docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined …",
    );
    text
}
