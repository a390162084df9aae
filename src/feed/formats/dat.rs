//! eMule `ipfilter.dat`: `FIRST - LAST , level , name` per line; octets are decimal, padded with
//! zeros. A level above 127 means that the range is *not* blocked. Level and name may be missing,
//! and lists of other programs contain single addresses, too.

use super::{Reader, filled_lines, padded};
use crate::feed::Refused;

/// The highest level that is blocked.
const BLOCKED: u32 = 127;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    for (number, line, ended) in filled_lines(text) {
        if let Some(comment) = line.strip_prefix('#').or_else(|| line.strip_prefix("//")) {
            reader.comment(comment);
            continue;
        }
        if !ended {
            reader.unended(number, line);
            continue;
        }
        let mut fields = line.splitn(3, ',').map(str::trim);
        // Text programs turn a hyphen into an en dash.
        let range = fields.next().unwrap_or("").replace('\u{2013}', "-");
        let level = fields.next().map_or(Ok(0), str::parse::<u32>);
        match level {
            Ok(level) if level > BLOCKED => reader.left_out(),
            Ok(_) => {
                let name = fields.next().unwrap_or("");
                reader.take(number, line, padded::range_or_address(&range), name);
            }
            Err(_) => reader.reject(number, line, "the access level is no number"),
        }
    }
    Ok(())
}
