//! What a copy was read as where that is not what stands in it. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The remarks on one copy. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remarks {
    /// Entries in the form `::ffff:192.0.2.1` (RFC 4291, section 2.5.5.2), read as IPv4.
    pub mapped: usize,
    /// Addresses whose port was ignored.
    pub ports: usize,
    /// Records without an entry: without the field, or of another kind.
    pub left_out: usize,
    /// ASNs that no network on the Internet has: reserved or for private use.
    pub private_asns: usize,
    /// A column that is not read and looks as if it belonged to the address.
    pub unread_column: Option<UnreadColumn>,
}

/// A column beside the address, and the key that would read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadColumn {
    pub column: String,
    pub key: EntryPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryPart {
    /// The length of the prefix.
    Length,
    /// The last address of a range.
    Last,
}

impl Remarks {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for UnreadColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, key) = match self.key {
            EntryPart::Length => ("lengths of prefixes", "length"),
            EntryPart::Last => ("last addresses of ranges", "last"),
        };
        let column = &self.column;
        write!(
            f,
            "column {column:?} looks like {what}, and single addresses are read; {key} = {column:?} reads it"
        )
    }
}

impl fmt::Display for Remarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (
                self.mapped,
                "entry",
                "entries",
                "written as IPv4-mapped IPv6, read as IPv4",
            ),
            (self.ports, "port", "ports", "ignored"),
            (self.left_out, "record", "records", "left out"),
            (
                self.private_asns,
                "private or reserved ASN",
                "private or reserved ASNs",
                "left out",
            ),
        ];
        let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
        let counts = counts.map(|(count, one, more, what)| match count {
            1 => format!("1 {one} {what}"),
            count => format!("{count} {more} {what}"),
        });
        let column = self.unread_column.iter().map(UnreadColumn::to_string);
        f.write_str(&counts.chain(column).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remark_is_one_clause() {
        let remarks = Remarks {
            mapped: 1,
            ports: 2,
            left_out: 1,
            private_asns: 3,
            unread_column: Some(UnreadColumn {
                column: "prefix".to_owned(),
                key: EntryPart::Length,
            }),
        };
        assert_eq!(
            remarks.to_string(),
            "1 entry written as IPv4-mapped IPv6, read as IPv4; 2 ports ignored; 1 record left out; \
             3 private or reserved ASNs left out; column \"prefix\" looks like lengths of prefixes, and \
             single addresses are read; length = \"prefix\" reads it"
        );
        assert!(Remarks::default().is_empty());
        assert_eq!(Remarks::default().to_string(), "");
    }
}
