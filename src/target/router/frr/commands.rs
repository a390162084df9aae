//! The default commands: `vtysh`, in scripts that tell by what it says whether a file was taken.
//!
//! Verified with FRR 8.4, 10.3 and 10.7:
//! * `vtysh -f` may end well where a line was refused (8.4, 10.3: `% Configuration failed.`), and then all lists and
//!   route-maps of the file are: what it says counts, and what bgpd holds afterwards. `vtysh -C` does not find all that
//!   bgpd refuses.
//! * A line with `%` is no refusal where FRR 10.7 has applied a file with notes, as `No changes found to be committed!`.
//! * Static routes are in the running configuration of staticd up to FRR 9, and in that of mgmtd since FRR 10. Where
//!   mgmtd does not run, `vtysh -f` loses the static routes of a file, says nothing and ends well.

use crate::target::router::{Commands, Role};

const LOAD: &str = include_str!("load.sh");
const VERIFY: &str = include_str!("verify.sh");

pub(super) fn commands(role: Role) -> Commands {
    Commands {
        check: &["vtysh", "-C", "-f", "{file}"],
        reload: match role {
            // It has static routes.
            Role::Edge => &["sh", "-c", LOAD, "sh", "vtysh", "-f", "{file}"],
            // Each other daemon would take the lists for itself, and as long.
            Role::Trigger | Role::Filter => &[
                "sh", "-c", LOAD, "sh", "vtysh", "-d", "bgpd", "-f", "{delta}",
            ],
        },
        verify: &["sh", "-c", VERIFY, "sh", "{file}"],
    }
}

#[cfg(test)]
mod tests;
