//! The formats: one file each, a pure function from text to [`FeedCopy`] or [`Refused`].
//!
//! Each format knows what proves that its file is whole and the right one. What all share stands
//! here: the rules a feed adds (families, expected lengths, host bits), and when a file with bad
//! lines is a bad file.

mod cidr;
mod spamhaus_json;
mod spamhaus_text;

use std::fmt;

use super::{FeedCopy, Refused};
use crate::prefix::{HostBits, Written, parse};

/// A format by the name it has in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One prefix or address a line, comments, IPv4 and IPv6 mixed.
    Cidr,
    /// Spamhaus DROP as text: `PREFIX ; SBLn`, closed by `; EOF`.
    SpamhausText,
    /// Spamhaus DROP as JSON lines, closed by a metadata record.
    SpamhausJson,
}

impl Format {
    /// Every format with its name in the configuration.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("cidr", Self::Cidr),
        ("spamhaus-text", Self::SpamhausText),
        ("spamhaus-json", Self::SpamhausJson),
    ];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, format)| *format == self)
            .map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a feed's configuration says about its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The format of the body.
    pub format: Format,
    /// Whether host bits are an error.
    pub host_bits: HostBits,
    /// Shortest and longest IPv4 length expected, or that no IPv4 is.
    pub lengths_v4: Option<(u8, u8)>,
    /// Shortest and longest IPv6 length expected, or that no IPv6 is.
    pub lengths_v6: Option<(u8, u8)>,
    /// Whether a list that holds comments and no entry means just that: true for the operator's own
    /// files, never for what is downloaded.
    pub may_be_empty: bool,
}

impl Rules {
    /// Rules for a format, with nothing expected beyond it.
    pub fn of(format: Format) -> Self {
        Self {
            format,
            host_bits: HostBits::Refuse,
            lengths_v4: Some((0, 32)),
            lengths_v6: Some((0, 128)),
            may_be_empty: false,
        }
    }
}

/// More than this share of bad lines, and the file is refused: a list with typing errors has few.
const MAX_BAD_SHARE: f64 = 0.05;
/// A file is never refused for so few bad lines, as long as most lines are good.
const FEW_BAD_LINES: usize = 3;

/// Parse one body.
///
/// # Errors
/// [`Refused`] when the body is not the whole list or not the right one. Single bad lines are no
/// error: they are counted in [`FeedCopy::rejected`].
pub fn parse_body(body: &[u8], rules: &Rules) -> Result<FeedCopy, Refused> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Refused::Foreign(format!("not UTF-8 text (byte {at})"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return Err(Refused::Empty);
    }
    if start.starts_with('<') {
        return Err(Refused::Foreign(
            "an HTML or XML page, not a list".to_owned(),
        ));
    }
    let mut reader = Reader {
        rules,
        copy: FeedCopy::default(),
        first_comment: None,
    };
    match rules.format {
        Format::Cidr => cidr::read(text, &mut reader)?,
        Format::SpamhausText => spamhaus_text::read(text, &mut reader)?,
        Format::SpamhausJson => spamhaus_json::read(text, &mut reader)?,
    }
    reader.finish()
}

/// Collects what a format reads; the same rules for every format.
struct Reader<'a> {
    rules: &'a Rules,
    copy: FeedCopy,
    first_comment: Option<String>,
}

impl Reader<'_> {
    /// A line that should hold an entry: listed, or rejected with the reason.
    fn entry(&mut self, line: u32, text: &str, reference: &str) {
        let written = match parse(text, self.rules.host_bits) {
            Ok(written) => written,
            Err(reason) => return self.copy.reject(line, text, reason),
        };
        match self.unexpected(&written) {
            None => self.copy.add(written, line, reference),
            Some(reason) => self.copy.reject(line, text, reason),
        }
    }

    /// Why the feed's own rules forbid this entry. Ranges are held by the limits of the policy.
    fn unexpected(&self, written: &Written) -> Option<String> {
        let (family, len, expected) = match written {
            Written::V4(prefix) => ("IPv4", Some(prefix.len()), self.rules.lengths_v4),
            Written::V6(prefix) => ("IPv6", Some(prefix.len()), self.rules.lengths_v6),
            Written::Range4(..) => ("IPv4", None, self.rules.lengths_v4),
            Written::Range6(..) => ("IPv6", None, self.rules.lengths_v6),
        };
        match (expected, len) {
            (None, _) => Some(format!("this feed lists no {family}")),
            (Some((shortest, longest)), Some(len)) if len < shortest || len > longest => {
                Some(format!("this feed lists /{shortest} to /{longest}"))
            }
            _ => None,
        }
    }

    /// Remember the first comment: in a list without entries it often says why.
    fn comment(&mut self, text: &str) {
        if self.first_comment.is_none() && !text.trim().is_empty() {
            let start: String = text.trim().chars().take(100).collect();
            self.first_comment = Some(start);
        }
    }

    fn finish(self) -> Result<FeedCopy, Refused> {
        let (good, bad) = (self.copy.len(), self.copy.rejected);
        let lines = good + bad;
        let too_many = bad as f64 > lines as f64 * MAX_BAD_SHARE;
        if too_many && (bad > FEW_BAD_LINES || good == 0) {
            let first = self.copy.rejections.first();
            return Err(Refused::TooManyBadLines {
                bad,
                lines,
                first: first.map(ToString::to_string).unwrap_or_default(),
            });
        }
        if good == 0 && !self.rules.may_be_empty {
            return Err(Refused::NoEntries(self.first_comment));
        }
        Ok(self.copy)
    }
}

/// The lines of a text with their numbers from 1, ends of line removed, and whether each was ended.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str, bool)> {
    text.split_inclusive('\n')
        .zip(1_u32..)
        .map(|(line, number)| {
            let ended = line.ends_with('\n');
            let line = line.strip_suffix('\n').unwrap_or(line);
            (number, line.strip_suffix('\r').unwrap_or(line), ended)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &[u8], format: Format) -> String {
        parse_body(body, &Rules::of(format))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn an_error_body_is_never_a_list() {
        for format in [Format::Cidr, Format::SpamhausText, Format::SpamhausJson] {
            for body in [
                "<!DOCTYPE html><html><body>8.8.8.8 1.10.0.1/8</body></html>",
                "  \n<html>",
                "error code: 520",
                "{\"status\":500,\"message\":\"Internal Server Error\"}",
                "Could not connect: \n",
                "",
                "  \n \n",
            ] {
                let refused = parse_body(body.as_bytes(), &Rules::of(format));
                assert!(refused.is_err(), "{format}: {body:?} gave {refused:?}");
            }
        }
    }

    #[test]
    fn the_refusal_says_what_was_seen() {
        assert_eq!(
            refusal(b"<html>", Format::Cidr),
            "an HTML or XML page, not a list"
        );
        assert_eq!(refusal(b"\n", Format::Cidr), "empty");
        assert_eq!(
            refusal(b"192.0.2.1\n\xa9\n", Format::Cidr),
            "not UTF-8 text (byte 10)"
        );
        assert_eq!(
            refusal(b"error code: 520\n", Format::Cidr),
            "1 of 1 lines are no entries (line 1: \"error code: 520\": not an address or a prefix)"
        );
    }

    #[test]
    fn a_feed_of_one_family_rejects_the_other_and_odd_lengths() {
        let rules = Rules {
            lengths_v4: Some((8, 24)),
            lengths_v6: None,
            ..Rules::of(Format::Cidr)
        };
        let body = b"192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n192.0.2.1\n2001:db8::/32\n";
        let copy = parse_body(body, &rules).unwrap();
        let reasons: Vec<_> = copy.rejections.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(
            reasons,
            ["this feed lists /8 to /24", "this feed lists no IPv6"]
        );
        assert_eq!(copy.len(), 3);
    }
}
