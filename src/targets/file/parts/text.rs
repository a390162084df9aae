//! Text that grows line by line. A million entries are written without `fmt`, which takes longer
//! than all else.

use std::fmt::{self, Write};
use std::net::IpAddr;

use crate::digest;
use crate::prefix::Short;
use crate::prefix::{Bits, Prefix};
use crate::targets::file::parts::reasons::Reason;

/// The text of a router file. Only text is pushed, so its encoding is checked once, at the end.
#[derive(Debug, Default)]
pub struct Text(Vec<u8>);

impl Text {
    /// Empty, with this capacity in bytes.
    pub fn with_room(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub fn done(self) -> String {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        String::from_utf8(self.0).unwrap_or_else(|error| lossy(error.as_bytes()))
    }

    pub fn push(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn short(&mut self, short: &Short) {
        self.0.extend_from_slice(short.bytes());
    }

    /// `72.37.186.0/23`.
    pub fn prefix<B: Bits>(&mut self, prefix: &Prefix<B>) {
        self.short(&prefix.text(b'/'));
    }

    /// `72.37.186.0 23`.
    pub fn spaced<B: Bits>(&mut self, prefix: &Prefix<B>) {
        self.short(&prefix.text(b' '));
    }

    /// `72.37.186.0 255.255.254.0`; IPv6 has no masks.
    pub fn masked<B: Bits>(&mut self, prefix: &Prefix<B>) {
        let IpAddr::V4(address) = prefix.first().to_ip() else {
            return self.prefix(prefix);
        };
        let mut short = Short::new();
        short.octets(address.to_bits());
        short.byte(b' ');
        // A /0 has no bits to keep.
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix.len()));
        short.octets(mask.unwrap_or(0));
        self.short(&short);
    }

    /// In decimal.
    pub fn number(&mut self, number: u32) {
        let mut short = Short::new();
        short.number(number);
        self.short(&short);
    }

    /// A last line with the digest of all before it: so a router can be asked whether it holds this
    /// very file.
    pub fn seal(&mut self, before: &str, after: &str) {
        let digest = digest::of(&self.0);
        self.push(before);
        self.push(&digest);
        self.push(after);
        self.push("\n");
    }

    /// A line for a prefix with what stands before and after it, and behind that its listings as a
    /// comment, where they are known.
    pub fn entry<B: Bits>(
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

    /// A line for each prefix, with what stands before and after it.
    pub fn lines<'a, B: Bits>(
        &mut self,
        before: &str,
        prefixes: impl IntoIterator<Item = &'a Prefix<B>>,
        after: &str,
    ) {
        for prefix in prefixes {
            self.push(before);
            self.prefix(prefix);
            self.push(after);
            self.push("\n");
        }
    }

    /// The first listing of a prefix in one word, with what stands before it; nothing where none is
    /// known.
    pub fn word(&mut self, before: &str, reason: &Reason) {
        if !reason.is_empty() {
            self.push(before);
            let _ = reason.write_word(self);
        }
    }

    /// The listings of a prefix.
    pub fn reason(&mut self, reason: &Reason) {
        let _ = reason.write(self);
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn prefixes_and_numbers_are_written_as_they_are_shown(v4: u32, v6: u128, len in 0_u8..=32) {
            for addr in [v4, v4 & 0x00ff_0a63, v4 >> (v6 % 32) as u32, 0, u32::MAX] {
                let prefix = Prefix::new(addr, len);
                let mut text = Text::default();
                text.prefix(&prefix);
                text.push(" ");
                text.number(addr);
                prop_assert_eq!(text.done(), format!("{prefix} {addr}"));
            }
            let net = ipnet::Ipv4Net::new(v4.into(), len).unwrap().trunc();
            let mut text = Text::default();
            text.masked(&Prefix::from(net));
            prop_assert_eq!(text.done(), format!("{} {}", net.addr(), net.netmask()));
        }
    }
}
