//! Shows text of others safely: on a terminal, in a log, in CSV and in JSON. Pure.
//!
//! Feeds, HTTP servers, router commands, interface names, process names, file names, an older
//! ledger and the configuration itself may contain any character. A control character moves the
//! cursor or changes the terminal, a bidirectional control reorders a line, a newline starts a line
//! that looks like ours.
//!
//! Two rules prevent that:
//!
//! * Foreign text is put into a sentence through [`line()`], [`path`] or [`clipped`].
//! * Every line is written through [`Lines`], which writes one line for one `writeln!`, whatever it
//!   contains. So a text that was forgotten, or that an earlier build stored, forges no line.
//!
//! A character that is not shown as it is becomes an escape of Rust: `\n`, `\u{1b}`, `\u{202e}`. A
//! tab becomes a blank. In JSON the value stays unchanged: [`Json`] writes such characters as
//! `\u001b`, which every parser reads back.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Characters above ASCII that are not shown: they move or hide text, or have no shape of their
/// own.
///
/// The C1 controls; general category Cf (format) except for the signs that have a shape; Zl and Zp;
/// and `Default_Ignorable_Code_Point`
/// (<https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>).
const HIDDEN: [(char, char); 20] = [
    ('\u{80}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1343f}', '\u{1343f}'),
    ('\u{13430}', '\u{1343e}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character is escaped.
pub fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' => false,
        c if c.is_ascii() => true,
        c => HIDDEN
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c)),
    }
}

/// Whether a text contains only plain ASCII: true for nearly every text.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The text in one line, with everything hidden escaped.
pub fn line(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push(&mut shown, c));
    Cow::Owned(shown)
}

fn push(shown: &mut String, c: char) {
    match c {
        '\t' => shown.push(' '),
        c if !is_hidden(c) => shown.push(c),
        // `escape_default` leaves only ASCII that is not hidden as it is.
        c => shown.extend(c.escape_default()),
    }
}

/// The known name that a word was probably meant to be, for a hint.
fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // A third of the characters may be wrong, and one always.
    let most = (word.chars().count() / 3).max(1);
    let distance = |name: &&str| strsim::damerau_levenshtein(&word, name);
    let near = known.into_iter().min_by_key(distance)?;
    (distance(&near) <= most).then_some(near)
}

/// What is permitted, and what of it was probably meant.
pub fn permitted(what: &str, word: &str, known: &[&str]) -> String {
    let all = format!("{what} {}", known.join(", "));
    match meant(word, known.iter().copied()) {
        Some(name) => format!("did you mean {name}? {all}"),
        None => all,
    }
}

/// A number with its thousands separated: `1,598`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3);
    // Digits are ASCII.
    let groups = groups.map(|group| String::from_utf8_lossy(group).into_owned());
    let head = (!head.is_empty()).then(|| head.to_owned());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

/// So much of something: `1 prefix`, `1,598 prefixes`, `0 entries`.
pub fn counted(number: usize, one: &str) -> String {
    let plural = match (number, one) {
        (1, _) => one.to_owned(),
        _ if one.ends_with(['x', 's']) => format!("{one}es"),
        (_, one) => match one.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{one}s"),
        },
    };
    format!("{} {plural}", thousands(number))
}

/// The first characters of a text, at most this many, as they are.
pub fn first(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most);
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// The same as [`line()`] with at most `max` characters as shown, cut between two characters of the
/// text.
pub fn clipped(text: &str, max: usize) -> String {
    let mut shown = String::new();
    let mut room = max;
    for c in text.chars() {
        let before = shown.len();
        push(&mut shown, c);
        let taken = shown[before..].chars().count();
        if taken > room {
            shown.truncate(before);
            break;
        }
        room -= taken;
    }
    shown
}

/// The path in one line; bytes that are not UTF-8 become U+FFFD.
pub fn path(path: &Path) -> String {
    line(&path.to_string_lossy()).into_owned()
}

/// A writer of lines. `writeln!` writes exactly one line: everything hidden, including newlines, is
/// escaped.
///
/// `write!` would write a line as well, so a line is put together before it is written.
pub struct Lines<'a>(&'a mut dyn Write);

impl<'a> Lines<'a> {
    /// Write lines to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self(out)
    }

    /// One line: this is what `writeln!` calls.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> io::Result<()> {
        let text = match arguments.as_str() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(arguments.to_string()),
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(line(text).as_bytes())?;
        self.0.write_all(b"\n")
    }

    /// Write a text of several lines that is ours, such as a router file. It should end with a
    /// newline.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        for part in text.split_inclusive('\n') {
            let (part, end) = match part.strip_suffix("\r\n") {
                Some(part) => (part, "\r\n"),
                None => match part.strip_suffix('\n') {
                    Some(part) => (part, "\n"),
                    None => (part, ""),
                },
            };
            // A tab is an indent here.
            for (at, piece) in part.split('\t').enumerate() {
                self.0.write_all(if at > 0 { b"\t" } else { b"" })?;
                self.0.write_all(line(piece).as_bytes())?;
            }
            self.0.write_all(end.as_bytes())?;
        }
        Ok(())
    }

    /// For an encoder that escapes by itself.
    pub fn encoded(&mut self) -> &mut dyn Write {
        self.0
    }
}

/// Compact JSON in which everything hidden is escaped, and whose strings read back unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Formatter for Json {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if is_plain(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Write one JSON value.
///
/// # Errors
/// Those of the writer, and of the value.
pub fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut Serializer::with_formatter(out, Json))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Lines<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut Lines::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_moves_or_hides_text_is_escaped_and_all_else_stays() {
        let evil = "a\u{1b}[2Jb\nc\rd\u{9b}e\u{202e}f\u{2028}g\u{200b}h\u{7f}i\u{e0041}j\tk";
        let shown =
            "a\\u{1b}[2Jb\\nc\\rd\\u{9b}e\\u{202e}f\\u{2028}g\\u{200b}h\\u{7f}i\\u{e0041}j k";
        assert_eq!(line(evil), shown);
        let fine = "Zürich 北京 e\u{301} \\ \" '";
        assert_eq!(line(fine), fine);
        assert!(matches!(line(fine), Cow::Borrowed(_)));
    }

    #[test]
    fn every_control_bidirectional_and_separating_character_is_hidden() {
        let controls = ('\0'..=char::MAX).filter(|c| c.is_control());
        let bidi = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        let others = "\u{2028}\u{2029}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{fffb}";
        for c in controls.chain(bidi.chars()).chain(others.chars()) {
            assert!(is_hidden(c), "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn thousands_are_separated_and_plurals_are_right() {
        let shown = [0, 999, 1_000, 1_598, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "1,598", "1,234,567"]);
        let all = [
            (0, "prefix"),
            (1, "prefix"),
            (2_000, "route"),
            (3, "entry"),
            (5, "address"),
        ];
        let shown = all.map(|(number, one)| counted(number, one));
        assert_eq!(
            shown,
            [
                "0 prefixes",
                "1 prefix",
                "2,000 routes",
                "3 entries",
                "5 addresses"
            ]
        );
    }

    #[test]
    fn a_clipped_text_counts_what_is_shown_and_is_cut_between_characters() {
        assert_eq!(clipped("abc", 2), "ab");
        assert_eq!(clipped("ab\u{1b}c", 7), "ab");
        assert_eq!(clipped("ab\u{1b}c", 8), "ab\\u{1b}");
        assert_eq!(clipped("ab\u{1b}c", 9), "ab\\u{1b}c");
    }

    #[test]
    fn one_writeln_is_one_line_whatever_is_in_it() {
        let evil = "x\nkernel  ok\r\n";
        let text = written(|out| writeln!(out, "target {evil}  FAILED {evil}"));
        assert_eq!(
            text,
            "target x\\nkernel  ok\\r\\n  FAILED x\\nkernel  ok\\r\\n\n"
        );
        assert_eq!(written(|out| writeln!(out, "{evil}")).lines().count(), 1);
        assert_eq!(written(|out| writeln!(out)), "\n");
    }

    #[test]
    fn a_text_of_ours_keeps_its_lines_and_indents() {
        let text = "a {\n\tb;\r\n\u{1b}[0m}\n";
        let shown = "a {\n\tb;\r\n\\u{1b}[0m}\n";
        assert_eq!(written(|out| out.text(text)), shown);
    }

    proptest! {
        #[test]
        fn json_reads_back_and_hides_nothing(text in any::<String>(), more in "[\u{0}-\u{20}\u{7f}-\u{a0}\u{2000}-\u{2070}\u{e0000}-\u{e0fff}]{0,8}") {
            let text = format!("{text}{more}");
            let mut out = Vec::new();
            json(&mut out, &serde_json::json!({ &text: [&text] })).unwrap();
            let out = String::from_utf8(out).unwrap();
            prop_assert!(!out.chars().any(is_hidden), "{out:?}");
            let read: serde_json::Value = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(&read[&text][0], &serde_json::Value::from(text.as_str()));
        }

        #[test]
        fn a_line_hides_nothing_and_is_its_own_shown_form(text in any::<String>()) {
            let shown = line(&text);
            prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
            prop_assert_eq!(line(&shown), shown.clone());
            let max = text.chars().count();
            prop_assert!(shown.starts_with(&clipped(&text, max)));
        }
    }
}
