//! The lines of a text, whichever way they end: LF, CRLF, or CR alone.

/// One line: its number from 1, the text without its end, and whether it was ended at all. A last
/// line that was not may have been cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub number: u32,
    pub text: &'a str,
    pub ended: bool,
}

/// The lines of a text. CR alone ends a line only in a text that has no LF at all: an old Macintosh's
/// file, not a stray byte.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    text.split_inclusive(end)
        .zip(1_u32..)
        .map(move |(line, number)| {
            let ended = line.ends_with(end);
            let text = line.strip_suffix(end).unwrap_or(line);
            Line {
                number,
                text: text.strip_suffix('\r').unwrap_or(text),
                ended,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, &str, bool)> {
        lines(text).map(|l| (l.number, l.text, l.ended)).collect()
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
}
