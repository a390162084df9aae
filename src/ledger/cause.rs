//! What a generation came from.

use std::fmt;

use serde::Serialize;

use crate::named::named;

named! {
    /// The verb, or what else a generation came from. The words stand in the ledger and in JSON,
    /// and are a stable interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum GenerationCause {
        /// The feeds, the configuration, or an entry that ended.
        Refresh = "refresh",
        /// Protected space that was found.
        Protect = "protect",
        Add = "add",
        Remove = "remove",
        Allow = "allow",
        Disallow = "disallow",
        Approve = "approve",
        Reject = "reject",
        Pin = "pin",
        Unpin = "unpin",
        Flush = "flush",
    }
}

/// The cause in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum WrittenCause {
    Known(GenerationCause),
    /// Of another version of this program, in its words.
    Former(String),
}

impl WrittenCause {
    pub(super) fn read(name: String) -> Self {
        let cause = name.parse();
        cause.map_or(Self::Former(name), Self::Known)
    }
}

impl fmt::Display for WrittenCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(cause) => cause.fmt(f),
            Self::Former(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written_and_an_unknown_one_is_shown_as_it_is() {
        for (name, cause) in GenerationCause::NAMES {
            let read = WrittenCause::read(name.to_owned());
            assert_eq!(read, WrittenCause::Known(cause));
            assert_eq!(serde_json::json!(read), name);
        }
        let unknown = WrittenCause::read("by the moon".to_owned());
        assert_eq!(unknown.to_string(), "by the moon");
        assert_eq!(serde_json::json!(unknown), "by the moon");
    }
}
