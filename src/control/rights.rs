//! Who may do what over the control socket, and whose name the ledger gets. Pure.

use std::fmt;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It shows something.
    Read,
    /// It changes something.
    Write,
}

/// Who may change something besides root and the user of the daemon. Reading is permitted to every
/// peer: the mode of the socket decides who can connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// The uid of the daemon.
    pub own: u32,
    /// `[daemon] writers`.
    pub writers: Vec<u32>,
}

/// A peer may not do this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    uid: u32,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uid = self.uid;
        write!(
            f,
            "uid {uid} may read and not change: that is for root, the user of the daemon and \
             [daemon] writers; nothing was changed"
        )
    }
}

impl Rights {
    /// Whether the peer with this uid, as the kernel names it, may do this.
    ///
    /// # Errors
    /// It may not.
    pub fn permit(&self, uid: u32, access: Access) -> Result<(), Forbidden> {
        let writes = uid == 0 || uid == self.own || self.writers.contains(&uid);
        match access {
            Access::Write if !writes => Err(Forbidden { uid }),
            _ => Ok(()),
        }
    }
}

/// Who made a change, for the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The uid of the process, as the kernel names it.
    pub uid: u32,
    /// The name in the log book.
    pub name: String,
}

impl Author {
    /// Longest name, in characters.
    pub const LONGEST: usize = 64;

    /// The author behind a peer. The name that the verb found (login uid, `SUDO_USER`) is believed
    /// only from root: every other user can put any name there. `known` is the name of the uid.
    pub fn of_peer(uid: u32, claimed: Option<&str>, known: Option<String>) -> Self {
        let claimed = claimed.filter(|name| uid == 0 && !name.is_empty());
        let name = claimed.map(str::to_owned).or(known);
        Self {
            uid,
            name: name.unwrap_or_else(|| format!("uid {uid}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_may_read_and_only_some_may_write() {
        let rights = Rights {
            own: 990,
            writers: vec![1_001],
        };
        for uid in [0, 990, 1_001, 1_002] {
            assert_eq!(rights.permit(uid, Access::Read), Ok(()));
        }
        for uid in [0, 990, 1_001] {
            assert_eq!(rights.permit(uid, Access::Write), Ok(()));
        }
        let refused = rights.permit(1_002, Access::Write).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "uid 1002 may read and not change: that is for root, the user of the daemon and \
             [daemon] writers; nothing was changed"
        );
    }

    #[test]
    fn a_name_is_believed_only_from_root() {
        let of = |uid, claimed, known: Option<&str>| {
            Author::of_peer(uid, claimed, known.map(str::to_owned)).name
        };
        assert_eq!(of(0, Some("alice"), Some("root")), "alice");
        assert_eq!(of(0, Some(""), Some("root")), "root");
        assert_eq!(of(0, None, Some("root")), "root");
        assert_eq!(of(1_001, Some("alice"), Some("bob")), "bob");
        assert_eq!(of(1_001, Some("alice"), None), "uid 1001");
    }
}
