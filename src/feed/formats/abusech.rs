//! abuse.ch: CSV with a row of names, or an address a line; both closed by `# END n entries`, which
//! proves that the file is whole. <https://feodotracker.abuse.ch/blocklist/>

use super::{Reader, csv, dates, filled_lines};
use crate::feed::{Refused, foreign, incomplete};

/// Columns that hold the address, and those that say why, by their names in the lists.
const ADDRESS: [&str; 4] = ["dst_ip", "dstip", "ip_address", "ip"];
const REASON: [&str; 4] = ["malware", "threat", "reference", "dstport"];

pub(super) fn read_csv(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut names: Option<Vec<String>> = None;
    read(text, reader, |reader, number, line, is_comment| {
        if line.len() > csv::LONGEST {
            reader.reject(number, line, "a row longer than any table has");
            return Ok(true);
        }
        let fields = csv::Row::of(line, b',').fields;
        if names.is_none() && is_names(&fields) {
            names = Some(fields);
            return Ok(false);
        }
        if is_comment {
            return Ok(false);
        }
        let Some(names) = &names else {
            return foreign(format!(
                "no abuse.ch list: no row of names before line {number}"
            ));
        };
        let field = |wanted: &[&str]| {
            let named = |name: &&String| wanted.iter().any(|w| name.eq_ignore_ascii_case(w));
            let at = names.iter().position(|name| named(&name))?;
            fields.get(at).map(String::as_str)
        };
        match field(&ADDRESS) {
            Some(address) => reader.entry(number, address, field(&REASON).unwrap_or("")),
            None => reader.reject(number, line, "no address in it"),
        }
        Ok(true)
    })
}

pub(super) fn read_text(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    read(text, reader, |reader, number, line, is_comment| {
        if !is_comment {
            reader.entry(number, line, "");
        }
        Ok(!is_comment)
    })
}

fn is_names(fields: &[String]) -> bool {
    fields.iter().any(|field| {
        ADDRESS
            .iter()
            .any(|name| field.trim().eq_ignore_ascii_case(name))
    })
}

/// The frame of both: comments, rows (`row` answers whether it was one), and the count at the end.
fn read(
    text: &str,
    reader: &mut Reader,
    mut row: impl FnMut(&mut Reader, u32, &str, bool) -> Result<bool, Refused>,
) -> Result<(), Refused> {
    let mut rows = 0;
    let mut said = None;
    for (number, line, _) in filled_lines(text) {
        if said.is_some() {
            return foreign(format!("line {number} stands after the end"));
        }
        if let Some(comment) = line.strip_prefix('#') {
            said = end(comment);
            if let Some((_, date)) = comment.split_once("Last updated: ") {
                reader.generated(dates::iso(date.trim_end_matches(['#', ' '])));
            }
            row(reader, number, comment.trim(), true)?;
            reader.comment(comment);
        } else if row(reader, number, line, false)? {
            rows += 1;
        }
    }
    match said {
        Some(said) if said == rows => {
            reader.proven("its last line counts every entry");
            Ok(())
        }
        Some(said) => incomplete(format!(
            "the last line says {said} entries, there are {rows}"
        )),
        // A list that was given up has no count any more, but says so.
        None if rows == 0 => Ok(()),
        None => incomplete("the last line is not \"# END n entries\""),
    }
}

/// `END 28 entries` or `END (114) entries`.
fn end(comment: &str) -> Option<u64> {
    let count = comment
        .trim()
        .strip_prefix("END ")?
        .strip_suffix(" entries")?;
    count.trim_matches(['(', ')']).parse().ok()
}
