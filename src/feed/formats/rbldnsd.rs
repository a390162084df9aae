//! rbldnsd `ip4set` zone: a network or an address per line, followed by the answer for it.
//!
//! `$` starts a directive, `:` a default answer; `!` makes an exception, and exceptions always win
//! here. Short forms: `198.51.100` is a /24, `203.0.113.32-40` a range of the last octet.
//! `127.0.0.2` is the test entry that every zone has. rbldnsd(8); the zones of UCEPROTECT are
//! Latin-1.

use super::cidr::other_file;
use super::reader::contains_ignoring_case;
use super::{Reader, dates, filled_lines};
use crate::feed::{Refused, foreign};
use crate::prefix::{HostBits, Malformed, Written, parse};
use crate::time::Timestamp;

/// Every zone lists it, so that a mail server can test its setting.
const TEST_ENTRY: &str = "127.0.0.2";

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut zone = false;
    for (number, line, ended) in filled_lines(text) {
        let comment = line.strip_prefix(['#', ';']);
        if line.starts_with(['$', ':']) || comment.is_some() {
            if lets_through(line, comment.is_some()) {
                return foreign(format!(
                    "line {number} says that this is a list of what to let through"
                ));
            }
            // A list of another kind may have comments with a semicolon, and its entries too.
            zone |= !line.starts_with(';');
            reader.generated(line.strip_prefix("$SOA ").and_then(day_of_serial));
            comment.into_iter().for_each(|text| reader.comment(text));
            continue;
        }
        if let Some(kind) = other_file(line) {
            return foreign(format!("line {number}: {kind}, not a zone"));
        }
        if !ended {
            reader.unended(number, line);
            continue;
        }
        let at = line
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(line.len());
        let (entry, value) = (&line[..at], line[at..].trim());
        if let Some(exception) = entry.strip_prefix('!') {
            let read = network(exception, reader.rules.host_bits);
            reader.exclude(number, line, read);
        } else if !zone && !value.is_empty() && !value.starts_with(':') {
            // `192.0.2.7 is not allowed to fetch this` is no zone.
            reader.reject(
                number,
                line,
                "text behind it, and no comment, $SOA, $NS or default before",
            );
        } else if entry != TEST_ENTRY {
            let read = network(entry, reader.rules.host_bits);
            reader.take(number, line, read, text_of(value));
        }
    }
    Ok(())
}

/// Whether a line says that this is an allow list.
fn lets_through(line: &str, is_comment: bool) -> bool {
    let says = |words: &str| contains_ignoring_case(line, words);
    match is_comment {
        true => says("this is") && (says("whitelist") || says("allowlist")),
        false => says("whitelisted at") || says("is whitelisted") || says("allowlisted"),
    }
}

/// `:127.0.0.3:text` or `:3:text` or just the text.
fn text_of(value: &str) -> &str {
    match value.strip_prefix(':') {
        Some(rest) => rest.split_once(':').map_or(rest, |(_, text)| text),
        None => value,
    }
}

/// The day in a serial number such as `2026080612`. The last two digits are an hour or a counter
/// (RFC 1912, section 2.2), so they are ignored.
fn day_of_serial(soa: &str) -> Option<Timestamp> {
    let serial = soa.split_ascii_whitespace().nth(3)?;
    let digits = serial.len() == 10 && serial.bytes().all(|byte| byte.is_ascii_digit());
    let day = digits.then(|| {
        format!(
            "{}-{}-{} 00:00:00",
            &serial[..4],
            &serial[4..6],
            &serial[6..8]
        )
    })?;
    dates::iso(&day)
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
        // A single octet is `404 Not Found` more often than a /8.
        (false, dots @ 1..=2) => parse(&format!("{text}/{}", 8 * (dots + 1)), host_bits),
        _ => parse(text, host_bits),
    }
}
