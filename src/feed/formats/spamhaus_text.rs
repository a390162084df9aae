//! Spamhaus DROP as text: `PREFIX ; SBLn` a line, comments with `;`.
//!
//! A whole file starts with a comment that names Spamhaus and ends with `; EOF` (every good copy
//! since 2024-02-29 does). Publisher's page: <https://www.spamhaus.org/drop/>.

use super::{Reader, dates, lines, reader};
use crate::feed::{Refused, foreign, incomplete};
use crate::time::Timestamp;

/// The publisher's `Expires` is the time of generation and this (in 301 of 301 pairs with the
/// JSON).
const VALID_FOR: i64 = 3_600;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut named = false;
    let mut closed = false;
    for (number, line, ended) in lines(text) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        closed = false;
        let (entry, comment) = line.split_once(';').unwrap_or((line, ""));
        let (entry, comment) = (entry.trim_ascii(), comment.trim_ascii());
        if entry.is_empty() {
            named |= comment.contains("Spamhaus");
            closed = ended && comment == "EOF";
            reader.generated(generated(comment));
            reader.comment(comment);
            continue;
        }
        if !named {
            return foreign(format!(
                "no Spamhaus header before line {number}, {:?}",
                reader::start_of(line)
            ));
        }
        reader.entry(number, entry, comment);
    }
    if !closed {
        return incomplete("the last line is not \"; EOF\"");
    }
    reader.proven("it ends with \"; EOF\"");
    Ok(())
}

fn generated(comment: &str) -> Option<Timestamp> {
    let expires = dates::http(comment.strip_prefix("Expires:")?)?;
    Some(Timestamp(expires.0 - VALID_FOR))
}

#[cfg(test)]
mod tests {
    use crate::feed::formats::{Format, Rules, parse_body};

    const LIST: &str = "\
; Spamhaus DROP List 2026/08/06 - (c) 2026 The Spamhaus Project SLU
; https://www.spamhaus.org/drop/drop.txt
72.37.186.0/23 ; SBL1001
192.0.2.0/24 ; SBL1002
192.0.2.0/24 ; SBL1003
; EOF
";

    fn read(text: &str) -> Result<Vec<String>, String> {
        let copy = parse_body(text.as_bytes(), &Rules::of(Format::SpamhausText))
            .map_err(|refused| refused.to_string())?;
        let shown = copy
            .v4
            .iter()
            .map(|e| format!("{} {} {}", e.line, e.prefix(), copy.reference(e)));
        Ok(shown.collect())
    }

    #[test]
    fn a_prefix_with_two_references_is_listed_twice() {
        assert_eq!(
            read(LIST).unwrap(),
            [
                "3 72.37.186.0/23 SBL1001",
                "4 192.0.2.0/24 SBL1002",
                "5 192.0.2.0/24 SBL1003"
            ]
        );
    }

    #[test]
    fn a_copy_cut_anywhere_is_refused() {
        // Up to the newline of the trailer itself, every cut is noticed.
        for end in 1..LIST.len() {
            assert!(read(&LIST[..end]).is_err(), "cut at {end}");
        }
        let cut = LIST.find("; EOF").unwrap();
        assert_eq!(
            read(&LIST[..cut]).unwrap_err(),
            "cut short: the last line is not \"; EOF\""
        );
    }

    #[test]
    fn another_publishers_list_under_this_name_is_refused() {
        let dshield = "192.0.2.0\t192.0.2.255\t24\n; EOF\n";
        assert_eq!(
            read(dshield).unwrap_err(),
            "no Spamhaus header before line 1, \"192.0.2.0\\t192.0.2.255\\t24\""
        );
    }

    #[test]
    fn the_tombstone_of_a_merged_list_is_named() {
        let tombstone = "; This list has been merged into https://lists.example/drop.txt
; Spamhaus EDROP List 2024/10/18
; EOF
";
        assert_eq!(
            read(tombstone).unwrap_err(),
            "retired by its publisher: \"This list has been merged into https://lists.example/drop.txt\""
        );
    }
}
