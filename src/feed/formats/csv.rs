//! CSV with a column that is named in the configuration: by its name in the first row, or by its
//! number from 1 where there is no row of names.
//!
//! The separator is the one of comma, semicolon, tab and bar that the first row has most of. Nothing
//! proves that the file is whole: a last row that is not ended is not believed.

use super::lines::Line;
use super::{Reader, lines};
use crate::feed::Refused;

/// Longest row, in bytes: fields cost memory each, so a line of commas would cost much of it.
pub(super) const LONGEST: usize = 65_536;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let Some(wanted) = reader.rules.field.clone() else {
        return Err(Refused::Foreign(
            "CSV, and the configuration names no column (field = \"…\")".to_owned(),
        ));
    };
    let reference = reader.rules.reference.clone();
    let mut columns: Option<(usize, Option<usize>)> = None;
    let mut separator = b',';
    for Line {
        number,
        text: line,
        ended,
    } in lines(text)
    {
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
            let fields = fields(row, separator);
            columns = find(&fields, &wanted, reference.as_deref());
            let has_names = wanted.parse::<usize>().is_err();
            match columns {
                Some((address, reason)) if !has_names && !names_in_comment => {
                    take(reader, number, line, ended, &fields, (address, reason));
                }
                None if !names_in_comment => {
                    return Err(Refused::Foreign(format!(
                        "no column {wanted:?} in line {number}; there are {}",
                        fields[..fields.len().min(20)].join(", ")
                    )));
                }
                // A number says nothing about a comment.
                Some(_) if !has_names => columns = None,
                _ => {}
            }
            continue;
        };
        if ended && goes_on(row, separator) {
            return Err(Refused::Foreign(format!(
                "line {number}: a field in quotes that goes on in the next line, where its text would \
                 be taken for a row"
            )));
        }
        take(
            reader,
            number,
            line,
            ended,
            &fields(row, separator),
            (address, reason),
        );
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

/// The places of the two columns.
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

/// Whether the last field is in quotes that are not closed.
fn goes_on(row: &str, separator: u8) -> bool {
    let (mut quoted, mut starts) = (false, true);
    for byte in row.bytes() {
        match byte {
            // A doubled quote closes and opens again.
            b'"' if quoted => quoted = false,
            b'"' if starts => quoted = true,
            _ => {}
        }
        starts = byte == separator || starts && byte == b' ' || byte == b'"' && !quoted;
    }
    quoted
}

/// The fields of one row, unquoted (RFC 4180, without line breaks inside a field) and trimmed.
pub(super) fn fields(row: &str, separator: u8) -> Vec<String> {
    let mut csv = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(::csv::Trim::All)
        .delimiter(separator)
        .buffer_capacity(row.len().max(1))
        .from_reader(row.as_bytes());
    let record = csv
        .records()
        .next()
        .and_then(Result::ok)
        .unwrap_or_default();
    record.iter().map(str::to_owned).collect()
}
