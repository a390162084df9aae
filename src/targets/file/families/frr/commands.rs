//! The default commands: `vtysh`, in scripts that load what differs from what FRR holds and tell by
//! what it says whether it was taken.
//!
//! Verified with FRR 8.4, 10.3 and 10.7:
//! * `vtysh -f` may end well where a line was refused (8.4, 10.3: `% Configuration failed.`), and
//!   then all lists and route-maps of the file are: what it says counts, and what bgpd holds
//!   afterwards. `vtysh -C` does not find all that bgpd refuses.
//! * A line with `%` is no refusal where FRR 10.7 has applied a file with notes, as `No changes
//!   found to be committed!`.
//! * Static routes are in the running configuration of staticd up to FRR 9, and in that of mgmtd
//!   since FRR 10. Where mgmtd does not run, `vtysh -f` loses the static routes of a file, says
//!   nothing and ends well.
//! * `route-map NAME permit N` turns a clause that denies into one that permits, and leaves what it
//!   matches.
//! * A `redistribute` with a route-map that is not there has nothing; a `call` of one permits.
//! * bgpd 8.4 does not show `match source-protocol` of a clause, so such a clause is entered at
//!   each whole load.
//! * Each `exit` behind a clause is a commit of its own, of 10 ms with 8.4: clauses follow each
//!   other without.
//! * Since FRR 10 mgmtd has the lists of zebra: a command to zebra about one does nothing. FRR 9
//!   has mgmtd, too, for static routes alone (by its source: `VTYSH_ZEBRA`).
//! * vtysh reads its own `vtysh.conf`, which FRR's user alone may read: for every other one it
//!   prints a line with `%` on stderr, and ends well.
//! * In a confederation `show bgp neighbors … json` has `nbrConfedInternalLink` for an iBGP
//!   neighbor, and `nbrConfedExternalLink` for every other one; `nbrCommonAdmin` tells those of the
//!   same confederation, to which bgpd sends what has no-export.
//! * A line of a clause replaces the one of the same subject; ` no match …` takes away whichever
//!   value there is.
//! * 8.4 prints `::ffff:192.0.2.1` in hexadecimal digits and 10.3 does not; both print
//!   `::192.0.2.1` so.

use crate::targets::file::parts::sent::{LEAKS, MAY};
use crate::targets::file::{Commands, Role};

const LOAD: &str = concat!(include_str!("plan.sh"), include_str!("load.sh"));
const VERIFY: &str = concat!(include_str!("plan.sh"), include_str!("verify.sh"));

pub(super) fn commands(_: Role) -> Commands {
    Commands {
        check: &["vtysh", "-C", "-f", "{file}"],
        reload: &["sh", "-c", LOAD, "sh", "{file}", "{delta}"],
        verify: &["sh", "-c", VERIFY, "sh", "{file}", MAY, LEAKS],
    }
}

#[cfg(test)]
mod tests;
