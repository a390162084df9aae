//! CSV with a column that is named in the configuration: by its name in the first row, or by its
//! number from 1 where there is no row of names.
//!
//! The separator is the most frequent one of comma, semicolon, tab and bar in the first row.
//! Nothing proves that the file is complete, so a last row without a newline is not accepted.

use super::{Reader, lines};
use crate::feed::{Refused, foreign};

/// Longest row, in bytes: each field takes memory, so a line of commas would take much of it.
pub(super) const LONGEST: usize = 65_536;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let Some(wanted) = reader.rules.field.clone() else {
        return foreign("CSV, and the configuration names no column (field = \"…\")");
    };
    let reference = reader.rules.reference.clone();
    let mut columns: Option<(usize, Option<usize>)> = None;
    let mut separator = b',';
    for (number, line, ended) in lines(text) {
        let names_in_comment = line.starts_with('#') && columns.is_none();
        if line.len() > LONGEST {
            reader.reject(number, line, "a row longer than any table has");
            continue;
        }
        let row = line.trim_start_matches(['#', ' ']);
        if line.trim_ascii().is_empty() || line.starts_with('#') && !names_in_comment {
            continue;
        }
        if names_in_comment {
            reader.comment(line);
        }
        let Some((address, reason)) = columns else {
            separator = separator_of(row);
            let Row { fields, .. } = Row::of(row, separator);
            columns = find(&fields, &wanted, reference.as_deref());
            let has_names = wanted.parse::<usize>().is_err();
            match columns {
                Some((address, reason)) if !has_names && !names_in_comment => {
                    take(reader, number, line, ended, &fields, (address, reason));
                }
                None if !names_in_comment => {
                    return foreign(format!(
                        "no column {wanted:?} in line {number}; there are {}",
                        fields[..fields.len().min(20)].join(", ")
                    ));
                }
                // A number selects no column of a comment.
                Some(_) if !has_names => columns = None,
                _ => {}
            }
            continue;
        };
        let read = Row::of(row, separator);
        if ended && read.open {
            return foreign(format!(
                "line {number}: a field in quotes that goes on in the next line, where its text would \
                 be taken for a row"
            ));
        }
        take(reader, number, line, ended, &read.fields, (address, reason));
    }
    Ok(())
}

fn take(
    reader: &mut Reader,
    number: u32,
    line: &str,
    ended: bool,
    fields: &[String],
    (address, reason): (usize, Option<usize>),
) {
    if !ended {
        return reader.unended(number, line);
    }
    let reference = reason
        .and_then(|at| fields.get(at))
        .map_or("", String::as_str);
    match fields.get(address) {
        Some(address) => reader.entry(number, address, reference),
        None => reader.reject(number, line, "too few columns"),
    }
}

/// The indices of the two columns.
fn find(names: &[String], wanted: &str, reference: Option<&str>) -> Option<(usize, Option<usize>)> {
    let place = |wanted: &str| match wanted.parse::<usize>() {
        Ok(number) => number.checked_sub(1).filter(|at| *at < names.len()),
        Err(_) => names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(wanted)),
    };
    Some((place(wanted)?, reference.and_then(place)))
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
