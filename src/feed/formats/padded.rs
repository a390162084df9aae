//! Addresses with leading zeros, `005.023.042.012`: decimal in the formats of Windows programs, and
//! refused everywhere else, where a zero may mean octal.

use std::borrow::Cow;

use crate::prefix::{HostBits, Malformed, Written, parse};

/// A range `FIRST-LAST`, whose octets may be padded to three digits.
pub(super) fn range(text: &str) -> Result<Written, Malformed> {
    match text.split_once('-') {
        Some(_) => parse(&unpadded(text), HostBits::Refuse),
        None => Err(Malformed::NotARange),
    }
}

/// The same, or one address.
pub(super) fn range_or_address(text: &str) -> Result<Written, Malformed> {
    match text.contains('/') {
        true => Err(Malformed::NotARange),
        false => parse(&unpadded(text), HostBits::Refuse),
    }
}

/// The text without leading zeros of its octets.
fn unpadded(text: &str) -> Cow<'_, str> {
    if text.contains(':') {
        return Cow::Borrowed(text);
    }
    let octet = |octet: &str| {
        let (blank, digits) = octet.split_at(octet.len() - octet.trim_start().len());
        let stripped = digits.trim_start_matches('0');
        let zero =
            stripped.len() < digits.len() && !stripped.starts_with(|c: char| c.is_ascii_digit());
        // More than three digits are no padding.
        let padded = digits.trim_end().len() <= 3;
        match (padded, zero) {
            (false, _) => format!("{blank}{digits}"),
            (true, true) => format!("{blank}0{stripped}"),
            (true, false) => format!("{blank}{stripped}"),
        }
    };
    let end = |end: &str| end.split('.').map(octet).collect::<Vec<_>>().join(".");
    Cow::Owned(text.split('-').map(end).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_in_front_are_decimal_here() {
        for (text, plain) in [
            ("005.023.042.012-005.023.042.015", "5.23.42.12-5.23.42.15"),
            ("000.000.000.000 - 031.000.010.009", "0.0.0.0 - 31.0.10.9"),
            ("1.2.3.4-1.2.3.9", "1.2.3.4-1.2.3.9"),
            ("0001.2.3.4-1.2.3.9", "0001.2.3.4-1.2.3.9"),
            ("2001:db8::-2001:db8::f", "2001:db8::-2001:db8::f"),
        ] {
            assert_eq!(unpadded(text), plain, "{text}");
        }
        assert_eq!(
            range("031.0.0.0-031.0.0.255").unwrap(),
            parse("31.0.0.0-31.0.0.255", HostBits::Refuse).unwrap()
        );
        assert_eq!(range("192.0.2.1"), Err(Malformed::NotARange));
    }
}
