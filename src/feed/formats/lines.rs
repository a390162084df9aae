//! The lines of a text, with any line ending: LF, CRLF, or CR alone.

/// One line: its number from 1, the text without its end, and whether it has an end. A last line
/// without one may be truncated.
pub(super) type Line<'a> = (u32, &'a str, bool);

/// The line ending of a text. CR alone only in a text without any LF: an old Macintosh file, not a
/// stray byte.
pub(super) fn line_end(text: &str) -> char {
    if text.contains('\n') { '\n' } else { '\r' }
}

pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    lines_ended_by(line_end(text), text)
}

/// The lines of a part of a text with this line ending.
pub(super) fn lines_ended_by(end: char, text: &str) -> impl Iterator<Item = Line<'_>> {
    text.split_inclusive(end)
        .zip(1_u32..)
        .map(move |(line, number)| {
            let ended = line.ends_with(end);
            let text = line.strip_suffix(end).unwrap_or(line);
            (number, text.strip_suffix('\r').unwrap_or(text), ended)
        })
}

/// The lines of a text that are not blank, trimmed.
pub(super) fn filled_lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let trimmed = lines(text).map(|(number, line, ended)| (number, line.trim_ascii(), ended));
    trimmed.filter(|(_, line, _)| !line.is_empty())
}

/// The line separator of a text, if it is neither LF, CRLF nor CR alone: most of the list would be
/// taken for the comment of its first entry. JSON may contain such characters.
pub(super) fn other_line_end(text: &str) -> Option<char> {
    if text.starts_with(['{', '[']) {
        return None;
    }
    // Nearly every list has no such character, which one fast scan shows.
    if memchr::memchr3(b'\r', 0x0b, 0x0c, text.as_bytes()).is_none() && text.is_ascii() {
        return None;
    }
    let bytes = |byte: u8| text.bytes().filter(|b| *b == byte).count();
    let (lf, cr) = (bytes(b'\n'), bytes(b'\r'));
    let lines = if lf > 0 { lf } else { cr };
    let chars = |c: char| (!text.is_ascii()).then(|| text.matches(c).count());
    // Each LF may have its CR; CR CR LF comes from programs that convert twice.
    let lone_cr = match lf > 0 && cr > lf {
        true => cr - text.matches("\r\n").count() - text.matches("\r\r\n").count(),
        false => 0,
    };
    [
        (lone_cr, '\r'),
        (bytes(0x0b), '\u{b}'),
        (bytes(0x0c), '\u{c}'),
        (chars('\u{85}').unwrap_or(0), '\u{85}'),
        (chars('\u{2028}').unwrap_or(0), '\u{2028}'),
        (chars('\u{2029}').unwrap_or(0), '\u{2029}'),
    ]
    .into_iter()
    .find(|(count, _)| *count > lines)
    .map(|(_, end)| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, &str, bool)> {
        lines(text).collect()
    }

    #[test]
    fn lines_end_with_lf_crlf_or_cr_alone() {
        assert_eq!(
            read("a\nb\r\n\nc"),
            [
                (1, "a", true),
                (2, "b", true),
                (3, "", true),
                (4, "c", false)
            ]
        );
        assert_eq!(read("a\rb\r"), [(1, "a", true), (2, "b", true)]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn a_text_whose_lines_end_in_another_way_shows_it() {
        for (text, end) in [
            ("192.0.2.1 # a\u{85}192.0.2.2 # b\u{85}", Some('\u{85}')),
            ("a\u{2028}b\u{2028}c\n", Some('\u{2028}')),
            ("a # b\rc # d\re # f\rg # h\n", Some('\r')),
            ("a\r\r\nb\r\r\n", None),
            ("a\r\nb\u{c}\r\n", None),
            ("a\rb\r", None),
            ("{\"a\":\"\u{85}\u{85}\"}", None),
        ] {
            assert_eq!(other_line_end(text), end, "{text:?}");
        }
    }
}
