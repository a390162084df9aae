//! PeerGuardian text: `name:FIRST-LAST` a line. The name may hold colons, so the range stands behind the
//! last one that is followed by a range; it is the reference. Names are often Latin-1.

use super::lines::Line;
use super::{Reader, lines, padded};
use crate::feed::Refused;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    for Line {
        number,
        text: line,
        ended,
    } in lines(text)
    {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
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

/// Name and range. An IPv6 range has colons itself: it starts where an address does.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let mut colons = line.match_indices(':').map(|(at, _)| at);
    if line.contains('.') {
        let at = colons.next_back()?;
        return Some((&line[..at], &line[at + 1..]));
    }
    let range = colons.find(|at| padded::range(&line[at + 1..]).is_ok())?;
    Some((&line[..range], &line[range + 1..]))
}
