//! The formats: one file each, a pure function from text to [`FeedCopy`] or [`Refused`].
//!
//! Each format knows what proves that its file is complete and the right one. `reader` has what all
//! formats share: the rules of a feed (families, expected lengths, host bits), and when a file with
//! invalid lines is refused. To add a format: its file, its variant of [`Format`] with its name,
//! which puts it into `Format::NAMES`, its arm in `read`, its golden pairs in `tests/golden/feed`.

mod abusech;
mod asndrop;
mod cidr;
mod crowdsec;
mod csv;
mod dat;
mod dates;
mod dshield;
mod emerging_threats;
mod firehol;
mod ipset;
mod json;
mod json_lines;
mod lines;
mod misp;
mod named_sets;
mod nft;
mod nginx;
mod p2p;
mod padded;
mod rbldnsd;
mod reader;
mod recognise;
mod rsc;
mod spamhaus_json;
mod spamhaus_text;
mod stix;
mod unread_column;

use std::borrow::Cow;

use super::body::{Latin1, decode, unpack};
use super::{FeedCopy, Refused, foreign};
use crate::named::named;
use crate::prefix::HostBits;
use lines::{filled_lines, lines};
use reader::Reader;

named! {
    /// A format by the name it has in the configuration.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Format {
        /// Recognised by its content.
        Auto = "auto",
        /// One prefix or address a line, comments, IPv4 and IPv6 mixed.
        #[default]
        Cidr = "cidr",
        /// Spamhaus DROP as text: `PREFIX ; SBLn`, closed by `; EOF`.
        SpamhausText = "spamhaus-text",
        /// Spamhaus DROP as JSON lines, closed by a metadata record.
        SpamhausJson = "spamhaus-json",
        /// Spamhaus ASN-DROP: origin ASes as JSON lines, closed by a metadata record.
        AsnDropJson = "asndrop-json",
        /// FireHOL netset and ipset: a header that states the number of entries.
        Firehol = "firehol",
        /// DShield block list: twenty rows of tab-separated columns.
        Dshield = "dshield",
        /// Emerging Threats block list: sections of addresses and prefixes.
        EmergingThreats = "emerging-threats",
        /// abuse.ch as CSV, closed by `# END n entries`.
        AbusechCsv = "abusech-csv",
        /// abuse.ch as text: an address a line, closed by `# END n entries`.
        AbusechText = "abusech-text",
        /// CSV with a named column.
        Csv = "csv",
        /// Columns between blanks or tabs.
        Columns = "columns",
        /// JSON, an array or lines, with a path to the field.
        Json = "json",
        /// PeerGuardian text: `name:FIRST-LAST`.
        P2p = "p2p",
        /// eMule `ipfilter.dat`: `FIRST - LAST , level , name`.
        Dat = "dat",
        /// rbldnsd `ip4set` zone.
        Rbldnsd = "rbldnsd",
        /// MikroTik RouterOS script with address lists.
        Rsc = "rsc",
        /// `ipset save`.
        Ipset = "ipset",
        /// nftables sets and scripts.
        Nft = "nft",
        /// nginx `deny` lines.
        Nginx = "nginx",
        /// STIX 2.1 bundle with indicators.
        Stix = "stix",
        /// MISP event.
        Misp = "misp",
        /// CrowdSec decisions, as a list or a stream.
        Crowdsec = "crowdsec",
    }
}

impl Format {
    /// Whether bytes of this format that are not UTF-8 are Latin-1.
    fn latin1(self) -> Latin1 {
        match self {
            Self::Rbldnsd | Self::P2p | Self::Dat => Latin1::Known,
            _ => Latin1::Refused,
        }
    }
}

/// What to do with an address that has a port (`192.0.2.1:443`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ports {
    /// The line is rejected: less than the address was listed.
    #[default]
    Refuse,
    /// The address is listed.
    Ignore,
}

/// What the configuration of a feed says about its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The format of the body.
    pub format: Format,
    /// Whether host bits are an error.
    pub host_bits: HostBits,
    /// Shortest and longest IPv4 length expected; `None` if the list has no IPv4.
    pub lengths_v4: Option<(u8, u8)>,
    /// Shortest and longest IPv6 length expected; `None` if the list has no IPv6.
    pub lengths_v6: Option<(u8, u8)>,
    /// Words that a comment of the list must contain; without them it is another list. ASCII.
    pub header: Option<&'static str>,
    /// Where the address is: a column of CSV, a path in JSON, the name of a set in a file of sets.
    pub field: Option<String>,
    /// Where the reference is: another column of CSV, another key of the same JSON object.
    pub reference: Option<String>,
    /// Where the length of the prefix is, if it stands beside the address: as for the reference.
    pub length: Option<String>,
    /// Where the last address of the range is, if the address is the first one.
    pub last: Option<String>,
    /// What to do with ports.
    pub ports: Ports,
    /// A file with at most this many invalid lines is not refused if most lines are valid: 1 for a
    /// download, more for a local list, which is short and typed by hand. Beyond that, up to 5 %
    /// are accepted.
    pub few_bad_lines: usize,
    /// Whether a list of comments without an entry counts as empty: true for local files, never for
    /// downloads.
    pub may_be_empty: bool,
    /// Whether an empty body counts as an empty list: the operator says so.
    pub believe_empty: bool,
    /// Largest size of the unpacked body, in bytes.
    pub max_bytes: u64,
    /// Largest number of entries that are read: no more than can come into force.
    pub max_entries: usize,
}

impl Rules {
    /// More entries than any list has.
    pub const MAX_ENTRIES: usize = 10_000_000;

    /// The rules of a format, without expectations of a feed.
    pub fn of(format: Format) -> Self {
        Self {
            format,
            host_bits: HostBits::Refuse,
            lengths_v4: Some((0, 32)),
            lengths_v6: Some((0, 128)),
            header: None,
            field: None,
            reference: None,
            length: None,
            last: None,
            ports: Ports::default(),
            few_bad_lines: 1,
            may_be_empty: false,
            believe_empty: false,
            max_bytes: u64::MAX,
            max_entries: Self::MAX_ENTRIES,
        }
    }
}

/// Parse one body: unpack, decode, read, and judge it as a whole.
///
/// # Errors
/// [`Refused`] if the body is not the complete list or not the right one. Single invalid lines are
/// no error: [`FeedCopy::rejected`] counts them.
pub fn parse_body(body: &[u8], rules: &Rules) -> Result<FeedCopy, Refused> {
    let body = unpack(body, rules.max_bytes)?;
    // Both kinds of packing prove with a checksum that their content is whole.
    let is_proven = matches!(body, Cow::Owned(_));
    let mut text = decode_as(body, rules.format)?;
    if is_proven && !text.ends_with(['\n', '\r']) {
        text.to_mut().push('\n');
    }
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return match rules.believe_empty {
            true => Ok(FeedCopy::empty(EMPTY)),
            false => Err(Refused::Empty),
        };
    }
    if start.starts_with('<') {
        return foreign("an HTML or XML page, not a list");
    }
    if let Some(end) = lines::other_line_end(start) {
        return foreign(format!(
            "its lines end with U+{:04X}, which is no end of a line",
            end as u32
        ));
    }
    let format = match rules.format {
        Format::Auto => recognise::recognise(&text)?,
        format => format,
    };
    let mut reader = Reader::of_text(rules, &text);
    reader.copy.format = format;
    read(format, &text, &mut reader)?;
    reader.finish()
}

/// The proof that an empty body is the whole list: the word of the operator.
const EMPTY: &str = "believe_empty = true";

/// Latin-1 is known only for a format: a text whose format is not known yet is tried as both.
fn decode_as(body: Cow<'_, [u8]>, format: Format) -> Result<Cow<'_, str>, Refused> {
    if format != Format::Auto || std::str::from_utf8(&body).is_ok() {
        return decode(body, format.latin1());
    }
    let text = decode(body.clone(), Latin1::Known)?;
    match recognise::recognise(&text)?.latin1() {
        Latin1::Known => Ok(Cow::Owned(text.into_owned())),
        Latin1::Refused => decode(body, Latin1::Refused),
    }
}

fn read(format: Format, text: &str, reader: &mut Reader) -> Result<(), Refused> {
    match format {
        Format::Auto | Format::Cidr => cidr::read(text, reader),
        Format::SpamhausText => spamhaus_text::read(text, reader),
        Format::SpamhausJson => spamhaus_json::read(text, reader),
        Format::AsnDropJson => asndrop::read(text, reader),
        Format::Firehol => firehol::read(text, reader),
        Format::Dshield => dshield::read(text, reader),
        Format::EmergingThreats => emerging_threats::read(text, reader),
        Format::AbusechCsv => abusech::read_csv(text, reader),
        Format::AbusechText => abusech::read_text(text, reader),
        Format::Csv => csv::read(text, reader),
        Format::Columns => csv::read_columns(text, reader),
        Format::Json => json::read(text, reader),
        Format::P2p => p2p::read(text, reader),
        Format::Dat => dat::read(text, reader),
        Format::Rbldnsd => rbldnsd::read(text, reader),
        Format::Rsc => rsc::read(text, reader),
        Format::Ipset => ipset::read(text, reader),
        Format::Nft => nft::read(text, reader),
        Format::Nginx => nginx::read(text, reader),
        Format::Stix => stix::read(text, reader),
        Format::Misp => misp::read(text, reader),
        Format::Crowdsec => crowdsec::read(text, reader),
    }
}

#[cfg(test)]
mod tests;
