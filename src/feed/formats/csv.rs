//! CSV with a column that is named in the configuration: by its name in the first row, or by its
//! number from 1 where there is no row of names. And columns with blanks or tabs between them, as
//! external lists of Palo Alto firewalls have them: an address and free text.
//!
//! The separator of CSV is the most frequent one of comma, semicolon, tab and bar in the first row.
//! Nothing proves that the file is complete, so a last row without a newline is not accepted.

use std::borrow::Cow;

use super::lines::Line;
use super::unread_column::Candidates;
use super::{Format, Reader, Rules, lines};
use crate::feed::{Refused, foreign};

/// Longest row, in bytes: each field takes memory, so a line of commas would take much of it.
pub(super) const LONGEST: usize = 65_536;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let Some(wanted) = reader.rules.field.clone() else {
        return foreign("CSV, and the configuration names no column (field = \"…\")");
    };
    read_by(text, reader, &wanted, Split::Unknown)
}

/// The same for columns between blanks or tabs; the first one where the configuration names none.
pub(super) fn read_columns(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let wanted = reader.rules.field.clone();
    read_by(
        text,
        reader,
        wanted.as_deref().unwrap_or("1"),
        Split::Blanks,
    )
}

/// What stands between the fields of a row.
#[derive(Clone, Copy)]
enum Split {
    /// What the first row shows.
    Unknown,
    By(u8),
    /// Blanks or tabs, any number of them; `#`, `;` and `//` begin a comment.
    Blanks,
}

fn read_by(text: &str, reader: &mut Reader, wanted: &str, mut split: Split) -> Result<(), Refused> {
    let rules = reader.rules;
    let mut columns: Option<Columns> = None;
    let mut candidates = Candidates::default();
    for (number, line, ended) in lines(text) {
        let names_in_comment = line.starts_with('#') && columns.is_none();
        if line.len() > LONGEST {
            reader.reject(number, line, "a row longer than any table has");
            continue;
        }
        let row = line.trim_start_matches(['#', ' ']);
        if matches!(split, Split::Blanks) && line.trim_start().starts_with([';', '/']) {
            reader.comment(line);
            continue;
        }
        if line.trim_ascii().is_empty() || line.starts_with('#') && !names_in_comment {
            continue;
        }
        if names_in_comment {
            reader.comment(line);
        }
        let Some(columns) = &columns else {
            let shown = split.shown_by(row);
            let Row { fields, .. } = shown.row(row);
            let has_names = wanted.parse::<usize>().is_err();
            match Columns::find(&fields, wanted, rules) {
                // A number selects no column of a comment.
                Ok(_) if names_in_comment && !has_names => {}
                Ok(found) => {
                    candidates = found.candidates(&fields, has_names, rules);
                    if !has_names {
                        found.take(reader, (number, line, ended), &fields, &mut candidates);
                    }
                    (columns, split) = (Some(found), shown);
                }
                Err(_) if names_in_comment => {}
                Err(missing) => {
                    return foreign(format!(
                        "no column {missing:?} in line {number}; there are {}",
                        fields[..fields.len().min(20)].join(", ")
                    ));
                }
            }
            continue;
        };
        let read = split.row(row);
        if ended && read.open {
            return foreign(format!(
                "line {number}: a field in quotes that goes on in the next line, where its text would \
                 be taken for a row"
            ));
        }
        columns.take(reader, (number, line, ended), &read.fields, &mut candidates);
    }
    reader.copy.remarks.unread_column = candidates.found();
    Ok(())
}

impl Split {
    /// What is known of it with this row.
    fn shown_by(self, row: &str) -> Self {
        match self {
            Self::Unknown => Self::By(separator_of(row)),
            known => known,
        }
    }

    fn row(self, text: &str) -> Row {
        match self {
            Self::Unknown => self.shown_by(text).row(text),
            Self::By(separator) => Row::of(text, separator),
            Self::Blanks => {
                let words = text.split_ascii_whitespace();
                let words = words
                    .take_while(|word| !word.starts_with(['#', ';']) && !word.starts_with("//"));
                let (fields, open) = (words.map(str::to_owned).collect(), false);
                Row { fields, open }
            }
        }
    }
}

/// Names of columns that hold the numbers of ASes.
const OF_ASNS: [&str; 4] = ["asn", "as", "as_number", "autnum"];

/// The indices of the columns that are read.
struct Columns {
    address: usize,
    /// Whether its numbers are those of ASes.
    of_asns: bool,
    reference: Option<usize>,
    /// Whether what stands behind the address is the reference, as no column is named.
    is_free_text: bool,
    length: Option<usize>,
    last: Option<usize>,
}

impl Columns {
    /// # Errors
    /// The name of a column that there is not.
    fn find<'a>(names: &[String], address: &'a str, rules: &'a Rules) -> Result<Self, &'a str> {
        let place = |wanted: &'a str| {
            let at = match wanted.parse::<usize>() {
                Ok(number) => number.checked_sub(1).filter(|at| *at < names.len()),
                Err(_) => names
                    .iter()
                    .position(|name| name.eq_ignore_ascii_case(wanted)),
            };
            at.ok_or(wanted)
        };
        let also = |wanted: &'a Option<String>| wanted.as_deref().map(place).transpose();
        Ok(Self {
            address: place(address)?,
            of_asns: OF_ASNS
                .iter()
                .any(|name| name.eq_ignore_ascii_case(address)),
            reference: rules
                .reference
                .as_deref()
                .and_then(|wanted| place(wanted).ok()),
            is_free_text: rules.format == Format::Columns && rules.reference.is_none(),
            length: also(&rules.length)?,
            last: also(&rules.last)?,
        })
    }

    /// Columns that may belong to the address and are not read. Without names: the next one.
    fn candidates(&self, fields: &[String], has_names: bool, rules: &Rules) -> Candidates {
        if rules.length.is_some() || rules.last.is_some() {
            return Candidates::default();
        }
        let next = self.address + 1;
        match has_names {
            true => Candidates::among(fields.iter().map(String::as_str).enumerate(), Some(next)),
            false => {
                let number = (next + 1).to_string();
                Candidates::among([(next, &*number)].into_iter(), Some(next))
            }
        }
    }

    fn take(
        &self,
        reader: &mut Reader,
        (number, line, ended): Line,
        fields: &[String],
        candidates: &mut Candidates,
    ) {
        if !ended {
            return reader.unended(number, line);
        }
        let cell = |at: Option<usize>| fields.get(at?).map(String::as_str);
        let Some(address) = cell(Some(self.address)) else {
            return reader.reject(number, line, "too few columns");
        };
        candidates.see(address, |at, _| cell(Some(at)).map(Cow::Borrowed));
        let reference = match self.is_free_text {
            true => Cow::Owned(fields[self.address + 1..].join(" ")),
            false => Cow::Borrowed(cell(self.reference).unwrap_or_default()),
        };
        let reference = &*reference;
        if self.of_asns
            && let Ok(asn) = address.parse::<u32>()
        {
            return reader.origin(number, asn, reference);
        }
        reader.entry_with(
            number,
            address,
            [cell(self.length), cell(self.last)],
            reference,
        );
    }
}

fn separator_of(row: &str) -> u8 {
    let count = |separator: &u8| row.bytes().filter(|byte| byte == separator).count();
    *[b'|', b'\t', b';', b',']
        .iter()
        .max_by_key(|separator| count(separator))
        .unwrap_or(&b',')
}

/// The fields of one row, unquoted (RFC 4180) and trimmed, and whether the last one has an unclosed
/// quote. Parsed here: a reader of the csv crate takes longer to make than a row takes to read.
pub(super) struct Row {
    pub fields: Vec<String>,
    pub open: bool,
}

impl Row {
    pub fn of(text: &str, separator: u8) -> Self {
        let separator = char::from(separator);
        let (mut fields, mut field) = (Vec::new(), String::new());
        let (mut open, mut quoted) = (false, false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if open && chars.peek() == Some(&'"') => {
                    chars.next();
                    field.push('"');
                }
                '"' if open => open = false,
                '"' if !quoted && field.is_empty() => (open, quoted) = (true, true),
                c if c == separator && !open => {
                    fields.push(field.trim().to_owned());
                    field.clear();
                    quoted = false;
                }
                c => field.push(c),
            }
        }
        fields.push(field.trim().to_owned());
        Self { fields, open }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_split_as_the_csv_crate_splits_it() {
        for row in [
            "a,b,c",
            " a , \"b, c\" ,d",
            "\"a \"\"b\"\" c\",,",
            "5\" disk,x",
            "\"a\"b,c",
            "\"\",\"\"",
            "ü,\" ö \"",
        ] {
            let mut csv = ::csv::ReaderBuilder::new()
                .has_headers(false)
                .trim(::csv::Trim::All)
                .from_reader(row.as_bytes());
            let record = csv.records().next().unwrap().unwrap();
            let read = Row::of(row, b',');
            assert!(!read.open, "{row}");
            assert_eq!(read.fields, record.iter().collect::<Vec<_>>(), "{row}");
        }
        assert!(Row::of("1,\"open", b',').open);
        assert!(Row::of("1,\"open \"\"", b',').open);
    }
}
