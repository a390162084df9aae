//! Text in the encodings that lists come in: UTF-8 with or without a byte order mark, UTF-16 with
//! one, and Latin-1 where the format is known for it.

use std::borrow::Cow;

use super::unpack::is_packed;
use crate::feed::{Refused, foreign, incomplete};

/// Whether bytes that are no UTF-8 are Latin-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latin1 {
    /// They are: this format is known for it.
    Known,
    /// They are not: the body is refused.
    Refused,
}

/// The text of a body.
///
/// # Errors
/// [`Refused::Foreign`] if it is no text in any of these encodings.
pub fn decode(body: Cow<'_, [u8]>, latin1: Latin1) -> Result<Cow<'_, str>, Refused> {
    if let Some(rest) = body.strip_prefix(&[0xff, 0xfe]) {
        return utf16(rest, u16::from_le_bytes).map(Cow::Owned);
    }
    if let Some(rest) = body.strip_prefix(&[0xfe, 0xff]) {
        return utf16(rest, u16::from_be_bytes).map(Cow::Owned);
    }
    if body.contains(&0) {
        return foreign("not text (a zero byte in it)");
    }
    let text = match body {
        Cow::Borrowed(body) => std::str::from_utf8(body)
            .map(Cow::Borrowed)
            .map_err(|error| (body.to_vec(), error)),
        Cow::Owned(body) => String::from_utf8(body).map(Cow::Owned).map_err(|error| {
            let utf8 = error.utf8_error();
            (error.into_bytes(), utf8)
        }),
    };
    match (text, latin1) {
        (Ok(Cow::Borrowed(text)), _) => {
            Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)))
        }
        (Ok(Cow::Owned(mut text)), _) => {
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            Ok(Cow::Owned(text))
        }
        // Each byte of Latin-1 is the code point of its character (ISO 8859-1).
        (Err((body, _)), Latin1::Known) => {
            Ok(Cow::Owned(body.into_iter().map(char::from).collect()))
        }
        (Err((_, error)), Latin1::Refused) => {
            let at = error.valid_up_to();
            foreign(format!("not UTF-8 text (byte {at})"))
        }
    }
}

/// End the last line of a body that is known to be whole. Packed bytes are left as they are.
pub fn end_last_line(body: &mut Vec<u8>) {
    match body.as_slice() {
        [] | [.., b'\n' | b'\r'] => {}
        [0xff, 0xfe, .., b'\n' | b'\r', 0] => {}
        [0xff, 0xfe, ..] => body.extend(u16::to_le_bytes(0x0a)),
        [0xfe, 0xff, ..] => body.extend(u16::to_be_bytes(0x0a)),
        bytes if is_packed(bytes) => {}
        _ => body.push(b'\n'),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Refused> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return incomplete("UTF-16 with an odd number of bytes");
    }
    let text = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| Refused::Foreign("broken UTF-16".to_owned()))?;
    // UTF-32 begins with the mark of UTF-16.
    if text.contains('\0') {
        return foreign("not text (a zero character in it)");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8], latin1: Latin1) -> String {
        match decode(Cow::Borrowed(body), latin1) {
            Ok(text) => text.into_owned(),
            Err(refused) => format!("refused: {refused}"),
        }
    }

    #[test]
    fn utf8_and_utf16_are_read_with_their_marks() {
        assert_eq!(text("\u{feff}ü\n".as_bytes(), Latin1::Refused), "ü\n");
        let le: Vec<u8> = "\u{feff}ü\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let be: Vec<u8> = "\u{feff}ü\r\n"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(text(&le, Latin1::Refused), "ü\r\n");
        assert_eq!(text(&be, Latin1::Refused), "ü\r\n");
        assert_eq!(
            text(&le[..5], Latin1::Refused),
            "refused: cut short: UTF-16 with an odd number of bytes"
        );
    }

    #[test]
    fn the_last_line_of_a_whole_body_is_ended_in_its_encoding() {
        let ended = |body: &[u8]| {
            let mut body = body.to_vec();
            end_last_line(&mut body);
            body
        };
        assert_eq!(ended(b"192.0.2.1"), b"192.0.2.1\n");
        for whole in [
            &b""[..],
            b"192.0.2.1\n",
            b"192.0.2.1\r",
            b"\x1f\x8b\x08\x01",
            b"PK\x03\x04x",
        ] {
            assert_eq!(ended(whole), whole);
        }
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let body = |text: &str| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
            assert_eq!(ended(&body("\u{feff}1")), body("\u{feff}1\n"));
            assert_eq!(ended(&body("\u{feff}1\n")), body("\u{feff}1\n"));
        }
    }

    #[test]
    fn latin_1_is_read_where_a_format_is_known_for_it_and_refused_elsewhere() {
        assert_eq!(text(b"\xa92001\n", Latin1::Known), "\u{a9}2001\n");
        assert_eq!(
            text(b"\xa92001\n", Latin1::Refused),
            "refused: not UTF-8 text (byte 0)"
        );
        assert_eq!(
            text(b"1.2.3.4\0\n", Latin1::Known),
            "refused: not text (a zero byte in it)"
        );
    }
}
