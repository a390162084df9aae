//! `ipset save`: `create NAME hash:net …`, then `add NAME ENTRY [timeout N] [comment "…"]`.
//!
//! `del` and `flush` take back what stands before them. `nomatch` makes an exception (ipset(8)).
//! Sets of ports, interfaces or pairs of addresses are left out: their entries match less than the
//! address.

use super::named_sets::NamedSets;
use super::reader::ends_after;
use super::{Reader, lines};
use crate::feed::Refused;
use crate::prefix::parse;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut sets = NamedSets::of(reader);
    // Of sets that were exchanged, a flush empties another one than it names.
    let mut swapped = false;
    for (number, line, ended) in lines(text) {
        let line = line.trim_ascii();
        let mut words = command(line);
        let deletes = match words.next() {
            Some("flush" | "-F") => {
                if !swapped && words.next().is_none_or(|set| sets.is_wanted(set)) {
                    reader.flush();
                }
                continue;
            }
            Some("swap" | "-W") => {
                swapped = true;
                continue;
            }
            None | Some("create" | "destroy" | "COMMIT" | "-N" | "-X") => continue,
            Some(word) if word.starts_with('#') => {
                reader.comment(line);
                continue;
            }
            Some("add" | "-A") => false,
            Some("del" | "-D") => true,
            Some(_) => {
                reader.reject(number, line, "no command of ipset save");
                continue;
            }
        };
        let mut words = words.skip_while(|word| word.starts_with('-'));
        let (Some(set), Some(entry)) = (words.next(), words.next()) else {
            reader.reject(number, line, "no set and entry behind the command");
            continue;
        };
        if !sets.takes(set) {
            continue;
        }
        // A comment may contain any word, and stands anywhere among the options.
        let (before, comment, behind) = around_comment(line);
        let options: Vec<&str> = before
            .split_ascii_whitespace()
            .chain(behind.split_ascii_whitespace())
            .collect();
        if !ended {
            reader.unended(number, line);
        } else if deletes {
            reader.retract(number, entry);
        } else if options.contains(&"nomatch") {
            reader.exclude(number, line, parse(entry, reader.rules.host_bits));
        } else {
            let seconds = options.iter().skip_while(|word| **word != "timeout").nth(1);
            let seconds = seconds
                .and_then(|seconds| seconds.parse().ok())
                .filter(|s| *s > 0);
            let ends: Vec<_> = seconds.map(ends_after).into_iter().collect();
            reader.entry_for(number, entry, comment, &ends);
        }
    }
    sets.judge()
}

/// The words of a command, without the program and the options in front of it.
fn command(line: &str) -> impl Iterator<Item = &str> {
    let before = |word: &&str| ["ipset", "-exist", "-!"].contains(word);
    line.split_ascii_whitespace().skip_while(before)
}

/// Whether a line is one of `ipset save`, or of a script that calls ipset.
pub(super) fn is_ipset(line: &str) -> bool {
    matches!(
        command(line).next(),
        Some("add" | "create" | "del" | "flush" | "swap" | "destroy")
    )
}

/// The text before the comment, the comment, and the text after it. ipset(8): a comment contains no
/// quotes.
fn around_comment(line: &str) -> (&str, &str, &str) {
    let (before, rest) = line.split_once(" comment \"").unwrap_or((line, ""));
    let (comment, behind) = rest.split_once('"').unwrap_or((rest, ""));
    (before, comment, behind)
}
