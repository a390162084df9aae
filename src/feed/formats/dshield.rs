//! DShield block list: the 20 most active scanning /24 networks, in tab-separated columns.
//!
//! Start, end, length, targets, name, country, mail. The third column is the length and is right:
//! in 106 885 rows of 2023 the end was not the end of the block. Twenty rows prove that the file is
//! complete (31 784 of 31 787 copies). <https://www.dshield.org/block.txt>

use super::reader::{contains_ignoring_case, start_of};
use super::{Reader, dates, lines};
use crate::feed::{Refused, foreign, incomplete};

/// Rows of a complete list.
const ROWS: u32 = 20;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut named = false;
    let mut rows = 0;
    let mut cut = false;
    for (number, line, ended) in lines(text) {
        if let Some(comment) = line.strip_prefix('#') {
            named |= contains_ignoring_case(comment, "dshield");
            if let Some((_, date)) = comment.split_once("updated: ") {
                reader.generated(dates::iso(date).or_else(|| dates::unix(&utc_before_year(date))));
            }
            reader.comment(comment);
            continue;
        }
        // Until 2023 the row of column names was no comment.
        if line.trim_ascii().is_empty() || line.starts_with("Start\t") {
            continue;
        }
        if !named {
            return foreign(format!(
                "no DShield header before line {number}, {:?}",
                start_of(line)
            ));
        }
        rows += 1;
        let mut columns = line.split('\t').map(str::trim);
        let [start, _end, length, targets, name] = [(); 5].map(|()| columns.next().unwrap_or(""));
        if !ended {
            cut = true;
            reader.unended(number, line);
        } else if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            reader.reject(number, line, "no length in the third column");
        } else {
            let prefix = format!("{start}/{length}");
            reader.entry(number, &prefix, &reference(targets, name));
        }
    }
    if cut {
        return incomplete(format!("row {rows} has no newline"));
    }
    if rows == ROWS {
        reader.proven("twenty rows");
        return Ok(());
    }
    if rows == 0 && named {
        // Comments only: the end of the list, or an outage.
        return Ok(());
    }
    incomplete(format!("{rows} rows, and the list has {ROWS}"))
}

/// `Sun Jan  1 23:45:22 2023 UTC`, as it was written until 2023, in the order of `date`.
fn utc_before_year(date: &str) -> String {
    let words: Vec<&str> = date.split_ascii_whitespace().collect();
    match words[..] {
        [weekday, month, day, time, year, zone] => {
            format!("{weekday} {month} {day} {time} {zone} {year}")
        }
        _ => String::new(),
    }
}

fn reference(targets: &str, name: &str) -> String {
    let name = if matches!(name, "-" | "None" | ">>UNKNOWN<<") {
        ""
    } else {
        name
    };
    match (targets, name) {
        ("", name) => name.to_owned(),
        (targets, "") => format!("{targets} targets"),
        (targets, name) => format!("{targets} targets, {name}"),
    }
}
