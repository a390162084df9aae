//! Text that grows line by line. A million entries are written without `fmt`, which takes longer than all else.

use std::fmt::{self, Write};

use super::reasons::Reason;
use crate::prefix::{Bits, Prefix};

/// The text of a router file.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Empty, with room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    pub(super) fn done(self) -> String {
        self.0
    }

    pub(super) fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// `72.37.186.0/23`.
    pub(super) fn prefix<B: Bits>(&mut self, prefix: &Prefix<B>) {
        self.address_and_length(prefix, '/');
    }

    /// `72.37.186.0 23`.
    pub(super) fn spaced<B: Bits>(&mut self, prefix: &Prefix<B>) {
        self.address_and_length(prefix, ' ');
    }

    fn address_and_length<B: Bits>(&mut self, prefix: &Prefix<B>, between: char) {
        match prefix.first().to_ip() {
            std::net::IpAddr::V4(address) => self.octets(address.to_bits()),
            std::net::IpAddr::V6(address) => {
                let _ = write!(self.0, "{address}");
            }
        }
        self.0.push(between);
        self.number(prefix.len().into());
    }

    /// `72.37.186.0 255.255.254.0`.
    pub(super) fn masked(&mut self, prefix: &Prefix<u32>) {
        self.octets(prefix.first());
        self.0.push(' ');
        // A /0 has no bits to keep.
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix.len()));
        self.octets(mask.unwrap_or(0));
    }

    fn octets(&mut self, address: u32) {
        let [one, others @ ..] = address.to_be_bytes();
        self.number(one.into());
        for octet in others {
            self.0.push('.');
            self.number(octet.into());
        }
    }

    /// In decimal.
    pub(super) fn number(&mut self, number: u32) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.0.push(char::from(b'0' + (number % 10) as u8));
    }

    /// A line for a prefix with what stands before and after it, and behind that its listings as a comment, where they
    /// are known.
    pub(super) fn entry<B: Bits>(
        &mut self,
        before: &str,
        prefix: &Prefix<B>,
        after: &str,
        reason: &Reason,
    ) {
        self.push(before);
        self.prefix(prefix);
        self.push(after);
        if !reason.is_empty() {
            self.push(" # ");
            self.reason(reason);
        }
        self.push("\n");
    }

    /// The first listing of a prefix, in one word.
    pub(super) fn word(&mut self, reason: &Reason) {
        reason.write_word(&mut self.0);
    }

    /// The listings of a prefix.
    pub(super) fn reason(&mut self, reason: &Reason) {
        let _ = reason.write(&mut self.0);
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn prefixes_and_numbers_are_written_as_they_are_shown(v4: u32, v6: u128, len in 0_u8..=32) {
            for addr in [v4, v4 & 0x00ff_0a63, 0, u32::MAX] {
                let prefix = Prefix::new(addr, len);
                let mut text = Text::default();
                text.prefix(&prefix);
                text.push(" ");
                text.number(addr);
                prop_assert_eq!(text.done(), format!("{prefix} {addr}"));
            }
            let prefix = Prefix::new(v6, len * 4);
            let mut text = Text::default();
            text.prefix(&prefix);
            prop_assert_eq!(text.done(), prefix.to_string());
            let net = ipnet::Ipv4Net::new(v4.into(), len).unwrap().trunc();
            let mut text = Text::default();
            text.masked(&Prefix::from(net));
            prop_assert_eq!(text.done(), format!("{} {}", net.addr(), net.netmask()));
        }
    }
}
