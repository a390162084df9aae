//! Addresses and numbers in text, without `fmt`: a few characters that are put together here and
//! copied at once.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

/// Room for an IPv6 address, a length, and what is between them.
const ROOM: usize = 48;

/// No more than 48 ASCII characters, compared as text.
pub(crate) struct Short {
    bytes: [u8; ROOM],
    len: usize,
}

/// The digits of each octet, and how many they are: looked up, as no processor foresees how many it
/// will be.
const OCTETS: [([u8; 3], usize); 256] = {
    let mut octets = [([0; 3], 0); 256];
    let mut octet = 0;
    while octet < 256 {
        let [hundreds, tens, ones] = [octet / 100, octet / 10 % 10, octet % 10];
        let [hundreds, tens, ones] = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        octets[octet] = match octet {
            0..10 => ([ones, 0, 0], 1),
            10..100 => ([tens, ones, 0], 2),
            _ => ([hundreds, tens, ones], 3),
        };
        octet += 1;
    }
    octets
};

/// Both digits of each octet.
const HEXADECIMAL: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut octets = [[0; 2]; 256];
    let mut octet = 0;
    while octet < 256 {
        octets[octet] = [digits[octet >> 4], digits[octet & 0xf]];
        octet += 1;
    }
    octets
};

impl Short {
    /// Empty.
    pub fn new() -> Self {
        let bytes = [0; ROOM];
        Self { bytes, len: 0 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// An ASCII character.
    pub fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    pub fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.octets(address.to_bits()),
            IpAddr::V6(address) => self.groups(address),
        }
    }

    /// `72.37.186.0`.
    pub fn octets(&mut self, address: u32) {
        for octet in address.to_be_bytes() {
            self.octet(octet);
            self.byte(b'.');
        }
        self.len -= 1;
    }

    /// An origin ASN as [`super::autonomous`] writes it.
    pub fn autonomous(asn: u32) -> Self {
        let mut short = Self::new();
        short.byte(b'A');
        short.byte(b'S');
        short.number(asn);
        short
    }

    /// In decimal.
    pub fn octet(&mut self, octet: u8) {
        let (digits, len) = OCTETS[usize::from(octet)];
        self.bytes[self.len..][..3].copy_from_slice(&digits);
        self.len += len;
    }

    /// In decimal.
    pub fn number(&mut self, number: u32) {
        let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
        let mut rest = number;
        for place in self.bytes[self.len..][..digits].iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.len += digits;
    }

    /// As RFC 5952 wants it: the first of the longest runs of two or more zeros is `::`.
    fn groups(&mut self, address: Ipv6Addr) {
        if let Some(v4) = address.to_ipv4_mapped() {
            b"::ffff:".iter().for_each(|byte| self.byte(*byte));
            return self.octets(v4.to_bits());
        }
        let groups = address.segments();
        let (from, to) = zeros(groups);
        for (at, group) in groups.into_iter().enumerate() {
            if (from..to).contains(&at) {
                continue;
            }
            if at == to && from < to {
                self.byte(b':');
            }
            if at > 0 {
                self.byte(b':');
            }
            self.group(group);
        }
        if to == 8 {
            self.byte(b':');
            self.byte(b':');
        }
    }

    /// In hexadecimal, without leading zeros.
    fn group(&mut self, group: u16) {
        let [high, low] = group
            .to_be_bytes()
            .map(|octet| HEXADECIMAL[usize::from(octet)]);
        let digits = u32::from_be_bytes([high[0], high[1], low[0], low[1]]);
        let zeros = (group.leading_zeros() / 4).min(3);
        let first = (digits << (zeros * 8)).to_be_bytes();
        self.bytes[self.len..][..4].copy_from_slice(&first);
        self.len += 4 - zeros as usize;
    }
}

impl PartialEq for Short {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Short {}

impl PartialOrd for Short {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Short {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

/// Where the first of the longest runs of two or more zeros begins, and where it has ended; twice
/// the same where there is none.
fn zeros(groups: [u16; 8]) -> (usize, usize) {
    let mut longest = (0, 0);
    let mut from = 0;
    for (at, group) in groups.into_iter().enumerate() {
        if group != 0 {
            from = at + 1;
        } else if at > from && at + 1 - from > longest.1 - longest.0 {
            longest = (from, at + 1);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(short: &Short) -> String {
        str::from_utf8(short.bytes()).unwrap().to_owned()
    }

    fn shown(address: IpAddr) -> String {
        let mut short = Short::new();
        short.address(address);
        text(&short)
    }

    #[test]
    fn the_longest_address_with_its_length_has_room() {
        let mut short = Short::new();
        short.address(IpAddr::from([0xffff; 8]));
        short.byte(b'/');
        short.octet(128);
        assert_eq!(text(&short), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
    }

    proptest! {
        #[test]
        fn addresses_are_written_as_the_standard_library_does(groups: [u16; 8], zeros: u8, tight: u8) {
            // Few groups are zeros by themselves, and few have leading ones.
            let groups: [u16; 8] = std::array::from_fn(|at| match (zeros >> at & 1, tight >> at & 1) {
                (1, _) => 0,
                (_, 1) => groups[at] >> (groups[at] % 16),
                _ => groups[at],
            });
            let v6 = Ipv6Addr::from(groups);
            let v4 = std::net::Ipv4Addr::from_bits(v6.to_bits() as u32);
            for address in [v6.into(), v4.into(), v4.to_ipv6_mapped().into(), v4.to_ipv6_compatible().into()] {
                let address: IpAddr = address;
                prop_assert_eq!(shown(address), address.to_string());
            }
        }

        #[test]
        fn numbers_are_written_in_decimal(number: u32, shift in 0_u32..32) {
            for number in [number, number >> shift, 0, u32::MAX] {
                let mut short = Short::new();
                short.number(number);
                prop_assert_eq!(text(&short), number.to_string());
            }
            let mut short = Short::new();
            short.octet(number as u8);
            prop_assert_eq!(text(&short), (number as u8).to_string());
        }
    }
}
