//! Emerging Threats block list: prefixes and addresses in sections, each under a comment that names
//! where they come from; that comment is the reference.
//!
//! Nothing in it proves that it is whole, and its last line has no newline: that one is not
//! believed. <https://rules.emergingthreats.net/fwrules/emerging-Block-IPs.txt>

use super::reader::contains_ignoring_case;
use super::{Reader, filled_lines};
use crate::feed::{Refused, foreign};

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut named = false;
    let mut section = "";
    for (number, line, ended) in filled_lines(text) {
        if let Some(comment) = line.strip_prefix('#') {
            named |= contains_ignoring_case(comment, "emerging threats");
            section = comment.trim_matches(['#', '*', ' ']);
            reader.comment(comment);
        } else if !named {
            return foreign(format!("no Emerging Threats header before line {number}"));
        } else if ended {
            reader.entry(number, line, section);
        } else {
            reader.unended(number, line);
        }
    }
    Ok(())
}
