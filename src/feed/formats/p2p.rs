//! PeerGuardian text: `name:FIRST-LAST` per line. The name may contain colons, so the range follows
//! the last one; the name is the reference. Names are often Latin-1.
//!
//! IPv4 only, as in the program: in `name:2:2001:db8::-2001:db8::f` nothing marks the end of the
//! name, and a wrong guess is most of the address space.

use super::{Reader, filled_lines, padded};
use crate::feed::Refused;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    for (number, line, ended) in filled_lines(text) {
        if let Some(comment) = line.strip_prefix(['#', ';']) {
            reader.comment(comment);
        } else if !ended {
            reader.unended(number, line);
        } else {
            match split(line) {
                Some((name, range)) => reader.take(number, line, padded::range(range), name.trim()),
                None => reader.reject(number, line, "no name and range with a colon between them"),
            }
        }
    }
    Ok(())
}

/// Name and range.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    line.rsplit_once(':')
}
