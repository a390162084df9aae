//! The written forms of a prefix, and why a text is not one.
//!
//! `std` and `ipnet` are not used: they refuse `72.37.186/23`, and `inet_aton` reads it as the
//! wrong network and `010.0.0.1` as octal. Every form here is accepted on purpose; every other text
//! is refused with its reason.

use std::fmt;
use std::net::Ipv6Addr;

use super::{Bits, Prefix};

/// The meaning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// An IPv4 prefix or address.
    V4(Prefix<u32>),
    /// An IPv6 prefix or address.
    V6(Prefix<u128>),
    /// First and last IPv4 address of a range, both included.
    Range4(u32, u32),
    /// First and last IPv6 address of a range, both included.
    Range6(u128, u128),
}

/// What to do with bits set to the right of the length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostBits {
    /// Refuse, naming the network that was probably meant: a download that is cut off inside the
    /// prefix length looks just like this (`223.155.16.0/22` cut to `/2`).
    #[default]
    Refuse,
    /// Clear them.
    Mask,
}

/// Why a text is not a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// There is no text.
    Empty,
    /// The text is not a written form of an address.
    NotAnAddress,
    /// An octet above 255.
    Octet(String),
    /// An octet such as `010`: octal to some programs, decimal to others.
    LeadingZero(String),
    /// Fewer than four octets and no length.
    TooFewOctets(usize),
    /// The length is not a plain decimal number.
    Length(String),
    /// The length is above the width of the family.
    LengthAbove(u8),
    /// A netmask whose ones are not all on the left.
    Netmask(String),
    /// Bits set to the right of the length; the network that was probably meant.
    HostBitsSet(String),
    /// An address with a zone (`fe80::1%eth0`) names a host on one link, not a network.
    Zone,
    /// A range whose ends are of two families, or whose end lies before its start.
    Range(&'static str),
    /// An address and a port; the address.
    Port(String),
    /// An IPv4-mapped network that is shorter than /96.
    ShortMapped(u8),
    /// Not a range, in a format that has nothing else.
    NotARange,
    /// A character that looks like a blank or a digit and is neither.
    NotAscii(char),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing there"),
            Self::NotAnAddress => f.write_str("not an address or a prefix"),
            Self::Octet(octet) => write!(f, "octet {octet} is above 255"),
            Self::LeadingZero(octet) => write!(
                f,
                "leading zero in {octet}: octal to some programs, decimal to others"
            ),
            Self::TooFewOctets(n) => write!(f, "{n} of 4 octets, and no /length"),
            Self::Length(text) => write!(f, "length {text:?} is not a number"),
            Self::LengthAbove(width) => write!(f, "length above {width}"),
            Self::Netmask(mask) => write!(f, "{mask} is not a netmask"),
            Self::HostBitsSet(meant) => {
                write!(f, "host bits set, probably {meant} was meant")
            }
            Self::Zone => f.write_str("a zone (%) names a link, not a network"),
            Self::Range(what) => f.write_str(what),
            Self::Port(_) => f.write_str("an address with a port"),
            Self::ShortMapped(len) => write!(
                f,
                "/{len} of IPv4-mapped addresses: 0.0.0.0/0 is ::ffff:0:0/96, so the length is from 96 to 128"
            ),
            Self::NotARange => f.write_str("not a range of addresses"),
            Self::NotAscii(c) => write!(f, "the character U+{:04X} in it", *c as u32),
        }
    }
}

impl std::error::Error for Malformed {}

/// Read one prefix, address or range. Surrounding blanks are ignored. IPv4-mapped IPv6
/// (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is IPv4: so are the packets.
pub fn parse(text: &str, host_bits: HostBits) -> Result<Written, Malformed> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(Malformed::Empty);
    }
    if let Some((addr, len, read)) = leading_v4(text.as_bytes())
        && read == text.len()
    {
        return network(addr, len, host_bits).map(Written::V4);
    }
    if let Some(c) = text.chars().find(|c| !c.is_ascii()) {
        return Err(Malformed::NotAscii(c));
    }
    if let Some((first, last)) = text.split_once('-') {
        return parse_range(first.trim_ascii(), last.trim_ascii());
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    if let Some(address) = without_port(address).filter(|_| length.is_none()) {
        return Err(Malformed::Port(address.to_owned()));
    }
    if address.contains(':') {
        let addr = parse_v6(address)?;
        let len = match length {
            Some(length) => parse_length(length, 128)?,
            None => 128,
        };
        return match mapped(addr) {
            Some(_) if len < MAPPED => Err(Malformed::ShortMapped(len)),
            Some(addr) => network(addr, len - MAPPED, host_bits).map(Written::V4),
            None => network(addr, len, host_bits).map(Written::V6),
        };
    }
    let (addr, octets) = parse_v4(address)?;
    let len = match length {
        Some(length) if length.contains('.') => parse_netmask(length)?,
        Some(length) => parse_length(length, 32)?,
        None if octets == 4 => 32,
        None => return Err(Malformed::TooFewOctets(octets)),
    };
    network(addr, len, host_bits).map(Written::V4)
}

/// The IPv4 address or prefix that a text starts with, in its plain form (`192.0.2.7`,
/// `192.0.2.0/24`): address, length, and the number of bytes it takes. `None` for every other form,
/// which [`parse`] may still read. Host bits are not checked.
#[inline(always)]
pub fn leading_v4(bytes: &[u8]) -> Option<(u32, u8, usize)> {
    let mut addr = 0;
    let mut rest = bytes;
    for octet in 0..4 {
        let (value, behind) = leading_number(rest)?;
        if value > 255 {
            return None;
        }
        addr = addr << 8 | value;
        rest = match (octet, behind) {
            (0..3, [b'.', behind @ ..]) => behind,
            (3, behind) => behind,
            _ => return None,
        };
    }
    let mut len = 32;
    if let [b'/', behind @ ..] = rest {
        (len, rest) = leading_number(behind)?;
    }
    (len <= 32).then_some((addr, len as u8, bytes.len() - rest.len()))
}

/// A number of up to three digits without a leading zero, and the bytes after it.
#[inline(always)]
fn leading_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let value = |digit: &u8| u32::from(digit - b'0');
    match bytes {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
            Some((value(a) * 100 + value(b) * 10 + value(c), rest))
        }
        [a @ b'1'..=b'9', b @ b'0'..=b'9', rest @ ..] => Some((value(a) * 10 + value(b), rest)),
        // A digit after a zero is left over, where the caller expects a dot or the end.
        [a @ b'0'..=b'9', rest @ ..] => Some((value(a), rest)),
        _ => None,
    }
}

/// Length of the prefix before an IPv4 address in an IPv4-mapped one.
const MAPPED: u8 = 96;

/// The IPv4 address that an IPv4-mapped one stands for.
fn mapped(addr: u128) -> Option<u32> {
    Ipv6Addr::from(addr).to_ipv4_mapped().map(u32::from)
}

/// The address of `192.0.2.1:443` or `[2001:db8::1]:443` (RFC 3986, section 3.2). `None` for a text
/// of another form; `2001:db8::1:443` is an address.
fn without_port(text: &str) -> Option<&str> {
    let (address, port) = text.rsplit_once(':')?;
    let is_port = port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit());
    let bracketed = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_address = match bracketed {
        Some(address) => parse_v6(address).is_ok(),
        None => parse_whole_v4(address).is_ok(),
    };
    (is_port && is_address).then(|| bracketed.unwrap_or(address))
}

/// The part of a text that a reason quotes: the text may be as long as the file.
fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}

fn network<B: Bits>(addr: B, len: u8, host_bits: HostBits) -> Result<Prefix<B>, Malformed> {
    let prefix = Prefix::new(addr, len);
    if prefix.first() != addr && host_bits == HostBits::Refuse {
        return Err(Malformed::HostBitsSet(prefix.to_string()));
    }
    Ok(prefix)
}

fn parse_range(first: &str, last: &str) -> Result<Written, Malformed> {
    match (first.contains(':'), last.contains(':')) {
        (true, true) => {
            let (first, last) = (parse_v6(first)?, parse_v6(last)?);
            match (mapped(first), mapped(last)) {
                (Some(first), Some(last)) => {
                    ordered(first, last).map(|(first, last)| Written::Range4(first, last))
                }
                (None, None) => {
                    ordered(first, last).map(|(first, last)| Written::Range6(first, last))
                }
                _ => Err(Malformed::Range("a range of two address families")),
            }
        }
        (false, false) => {
            let (first, last) = (parse_whole_v4(first)?, parse_whole_v4(last)?);
            ordered(first, last).map(|(first, last)| Written::Range4(first, last))
        }
        _ => Err(Malformed::Range("a range of two address families")),
    }
}

fn ordered<B: Bits>(first: B, last: B) -> Result<(B, B), Malformed> {
    if first <= last {
        Ok((first, last))
    } else {
        Err(Malformed::Range("a range that ends before it starts"))
    }
}

fn parse_whole_v4(text: &str) -> Result<u32, Malformed> {
    match parse_v4(text)? {
        (addr, 4) => Ok(addr),
        (_, octets) => Err(Malformed::TooFewOctets(octets)),
    }
}

/// One to four octets, the missing ones on the right zero. Returns how many were written.
fn parse_v4(text: &str) -> Result<(u32, usize), Malformed> {
    let bytes = text.as_bytes();
    let mut addr: u32 = 0;
    let mut octets = 0;
    let mut at = 0;
    loop {
        let start = at;
        let mut octet: u32 = 0;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            octet = (octet * 10 + u32::from(bytes[at] - b'0')).min(1000);
            at += 1;
        }
        if at == start || octets == 4 {
            return Err(Malformed::NotAnAddress);
        }
        if at - start > 1 && bytes[start] == b'0' {
            // `0x0a` stops at the x and is refused as not an address; this is `010`.
            return Err(Malformed::LeadingZero(start_of(&text[start..at])));
        }
        if octet > 255 {
            return Err(Malformed::Octet(start_of(&text[start..at])));
        }
        octets += 1;
        addr |= octet << (32 - 8 * octets);
        match bytes.get(at) {
            None => return Ok((addr, octets)),
            Some(b'.') => at += 1,
            Some(_) => return Err(Malformed::NotAnAddress),
        }
    }
}

fn parse_v6(text: &str) -> Result<u128, Malformed> {
    if text.contains('%') {
        return Err(Malformed::Zone);
    }
    text.parse::<Ipv6Addr>()
        .map(u128::from)
        .map_err(|_| Malformed::NotAnAddress)
}

fn parse_length(text: &str, width: u8) -> Result<u8, Malformed> {
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    if !plain {
        return Err(Malformed::Length(start_of(text)));
    }
    match text.parse::<u8>() {
        Ok(len) if len <= width => Ok(len),
        _ => Err(Malformed::LengthAbove(width)),
    }
}

fn parse_netmask(text: &str) -> Result<u8, Malformed> {
    let mask = parse_whole_v4(text)?;
    let len = mask.leading_ones() as u8;
    if u32::netmask(len) == mask {
        Ok(len)
    } else {
        Err(Malformed::Netmask(start_of(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str) -> String {
        match parse(text, HostBits::Refuse) {
            Ok(Written::V4(prefix)) => prefix.to_string(),
            Ok(Written::V6(prefix)) => prefix.to_string(),
            Ok(Written::Range4(first, last)) => format!("{}-{}", first.to_ip(), last.to_ip()),
            Ok(Written::Range6(first, last)) => format!("{}-{}", first.to_ip(), last.to_ip()),
            Err(reason) => format!("refused: {reason}"),
        }
    }

    #[test]
    fn every_written_form_of_the_design_has_its_meaning() {
        for (text, expected) in [
            ("72.37.186/23", "72.37.186.0/23"),
            ("72.37.186.0/23", "72.37.186.0/23"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("10/8", "10.0.0.0/8"),
            ("172.16/12", "172.16.0.0/12"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::7", "2001:db8::7/128"),
            ("192.0.2.0-192.0.3.255", "192.0.2.0-192.0.3.255"),
            ("192.0.2.0 - 192.0.2.9", "192.0.2.0-192.0.2.9"),
            ("2001:db8::-2001:db8::f", "2001:db8::-2001:db8::f"),
            ("192.0.2.0/255.255.254.0", "192.0.2.0/23"),
            ("  192.0.2.0/24\t", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::FFFF:c000:207", "192.0.2.7/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:192.0.2.1-::ffff:192.0.2.9", "192.0.2.1-192.0.2.9"),
            ("::192.0.2.7", "::c000:207/128"),
            ("2001:db8::1:443", "2001:db8::1:443/128"),
        ] {
            assert_eq!(meaning(text), expected, "{text}");
        }
    }

    #[test]
    fn every_other_form_is_refused_with_its_reason() {
        for (text, expected) in [
            ("", "nothing there"),
            (
                "192.0.2.9/24",
                "host bits set, probably 192.0.2.0/24 was meant",
            ),
            (
                "2001:db8::9/32",
                "host bits set, probably 2001:db8::/32 was meant",
            ),
            (
                "223.155.16.0/2",
                "host bits set, probably 192.0.0.0/2 was meant",
            ),
            (
                "192.0.2.9/255.255.255.0",
                "host bits set, probably 192.0.2.0/24 was meant",
            ),
            ("192.0.2.0/0.0.0.255", "0.0.0.255 is not a netmask"),
            (
                "010.0.0.1",
                "leading zero in 010: octal to some programs, decimal to others",
            ),
            ("1.2.3", "3 of 4 octets, and no /length"),
            ("10", "1 of 4 octets, and no /length"),
            ("16909060", "octet 16909060 is above 255"),
            ("0x0a.1.2.3", "not an address or a prefix"),
            ("1.2.3.4/33", "length above 32"),
            ("1.2.3.4/132", "length above 32"),
            ("10.0.0.0/232", "length above 32"),
            ("10.0.0.0/320", "length above 32"),
            ("1.2.3.4/08", "length \"08\" is not a number"),
            ("1.2.3.4/", "length \"\" is not a number"),
            ("1.2.3.4/+8", "length \"+8\" is not a number"),
            (
                "1.2.3.4/1/webpanel",
                "length \"1/webpanel\" is not a number",
            ),
            ("2001:db8::/129", "length above 128"),
            ("fe80::1%eth0", "a zone (%) names a link, not a network"),
            ("1.2.3.4.5", "not an address or a prefix"),
            ("1.2.3.", "not an address or a prefix"),
            ("256.1.2.3", "octet 256 is above 255"),
            ("v4.1.2.3.4", "not an address or a prefix"),
            ("x2001:db8::1", "not an address or a prefix"),
            ("1.2.3.4:443", "an address with a port"),
            ("[2001:db8::1]:443", "an address with a port"),
            ("1.2.3.4:99999", "not an address or a prefix"),
            ("1.2.3:443", "not an address or a prefix"),
            ("::ffff:192.0.2.1:443", "not an address or a prefix"),
            (
                "::ffff:0:0/95",
                "/95 of IPv4-mapped addresses: 0.0.0.0/0 is ::ffff:0:0/96, so the length is from 96 to 128",
            ),
            (
                "::ffff:192.0.2.9/120",
                "host bits set, probably 192.0.2.0/24 was meant",
            ),
            (
                "::ffff:192.0.2.9-2001:db8::",
                "a range of two address families",
            ),
            ("1.2.3.0-255", "1 of 4 octets, and no /length"),
            ("192.0.2.9-192.0.2.1", "a range that ends before it starts"),
            ("192.0.2.9-2001:db8::", "a range of two address families"),
            ("-1.2.3.4", "not an address or a prefix"),
            ("!10.0.0.0/8", "not an address or a prefix"),
            ("\"1.2.3.4\"", "not an address or a prefix"),
            ("176.221.42.3254.174.140.223", "octet 3254 is above 255"),
        ] {
            let expected = format!("refused: {expected}");
            let got = meaning(text);
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn a_reason_quotes_the_start_of_a_long_text_only() {
        for text in ["9".repeat(10_000), "1.2.3.4/".repeat(10_000)] {
            let reason = parse(&text, HostBits::Refuse).unwrap_err().to_string();
            assert!(reason.len() < 200, "{} bytes", reason.len());
        }
    }

    #[test]
    fn host_bits_are_cleared_only_where_that_is_allowed() {
        assert_eq!(
            parse("192.0.2.9/24", HostBits::Mask),
            Ok(Written::V4(Prefix::new(0xc000_0200, 24)))
        );
    }
}
