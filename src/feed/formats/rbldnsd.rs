//! rbldnsd `ip4set` zone: a network or an address a line, what is answered for it behind.
//!
//! `$` starts a directive, `:` a default answer; `!` makes an exception, and exceptions always win here.
//! Short forms: `198.51.100` is a /24, `203.0.113.32-40` a range of the last octet. `127.0.0.2` is the
//! test entry that every zone has. rbldnsd(8); the zones of UCEPROTECT are Latin-1.

use super::lines::Line;
use super::reader::contains_ignoring_case;
use super::{Reader, lines};
use crate::feed::Refused;
use crate::prefix::{HostBits, Malformed, Written, parse};

/// Every zone lists it, so that a mail server can test its setting.
const TEST_ENTRY: &str = "127.0.0.2";

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    for Line {
        number,
        text: line,
        ended,
    } in lines(text)
    {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(['$', ':']) {
            continue;
        }
        if let Some(comment) = line.strip_prefix(['#', ';']) {
            if contains_ignoring_case(comment, "whitelist")
                && contains_ignoring_case(comment, "this is")
            {
                return Err(Refused::Foreign(format!(
                    "line {number} says that this is a list of what to let through"
                )));
            }
            reader.comment(comment);
            continue;
        }
        if !ended {
            reader.unended(number, line);
            continue;
        }
        let at = line
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(line.len());
        let (entry, value) = (&line[..at], line[at..].trim());
        match entry.strip_prefix('!') {
            Some(exception) => reader.exclude(
                number,
                line,
                network(exception.trim(), reader.rules.host_bits),
            ),
            None if entry == TEST_ENTRY => {}
            None => {
                let read = network(entry, reader.rules.host_bits);
                reader.take(number, line, read, text_of(value));
            }
        }
    }
    Ok(())
}

/// `:127.0.0.3:text` or `:3:text` or just the text.
fn text_of(value: &str) -> &str {
    match value.strip_prefix(':') {
        Some(rest) => rest.split_once(':').map_or(rest, |(_, text)| text),
        None => value,
    }
}

/// A network in the forms of rbldnsd.
fn network(text: &str, host_bits: HostBits) -> Result<Written, Malformed> {
    if let Some((first, last)) = text.split_once('-') {
        let dots = first.matches('.').count();
        if dots == 3 && !last.contains('.') {
            let start = first.rfind('.').map_or("", |at| &first[..=at]);
            return parse(&format!("{first}-{start}{last}"), host_bits);
        }
        return parse(text, host_bits);
    }
    match (text.contains(['/', ':']), text.matches('.').count()) {
        (false, dots @ 0..=2) => parse(&format!("{text}/{}", 8 * (dots + 1)), host_bits),
        _ => parse(text, host_bits),
    }
}
