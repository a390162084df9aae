//! What a generation came from.

use std::fmt;

use serde::Serialize;

/// The verb, or what else a generation came from. The words are a stable interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GenerationCause {
    /// The feeds, the configuration, or an entry that ended.
    Refresh,
    /// Protected space that was found.
    Protect,
    Add,
    Remove,
    Allow,
    Disallow,
    Approve,
    Reject,
    Pin,
    Unpin,
    Flush,
    /// Of another version of this program, in its words.
    Former(String),
}

impl GenerationCause {
    const NAMES: [(&str, Self); 11] = [
        ("refresh", Self::Refresh),
        ("protect", Self::Protect),
        ("add", Self::Add),
        ("remove", Self::Remove),
        ("allow", Self::Allow),
        ("disallow", Self::Disallow),
        ("approve", Self::Approve),
        ("reject", Self::Reject),
        ("pin", Self::Pin),
        ("unpin", Self::Unpin),
        ("flush", Self::Flush),
    ];

    /// As it stands in the ledger and in JSON.
    pub fn name(&self) -> &str {
        match self {
            Self::Former(words) => words,
            known => {
                let name = Self::NAMES.iter().find(|(_, cause)| cause == known);
                name.map_or("", |(name, _)| name)
            }
        }
    }

    pub(super) fn of_name(name: String) -> Self {
        match Self::NAMES.into_iter().find(|(known, _)| *known == name) {
            Some((_, cause)) => cause,
            None => Self::Former(name),
        }
    }
}

impl fmt::Display for GenerationCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for GenerationCause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written_and_an_unknown_one_is_shown_as_it_is() {
        for (name, cause) in GenerationCause::NAMES {
            assert_eq!(cause.name(), name);
            assert_eq!(GenerationCause::of_name(name.to_owned()), cause);
        }
        let unknown = GenerationCause::of_name("by the moon".to_owned());
        assert_eq!(unknown.to_string(), "by the moon");
        assert_eq!(serde_json::json!(unknown), "by the moon");
    }
}
