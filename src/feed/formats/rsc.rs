//! A RouterOS script with address lists: `add list=NAME address=PREFIX comment="…"`, in one line with
//! `/ip firewall address-list`, below it, or inside `:do { … } on-error={}`.
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/130220180/Address-lists>

use super::lines::Line;
use super::named_sets::NamedSets;
use super::{Reader, lines};
use crate::feed::Refused;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut sets = NamedSets::of(reader);
    let mut known = false;
    for Line {
        number,
        text: line,
        ended,
    } in lines(text)
    {
        let line = line.trim_ascii();
        if let Some(comment) = line.strip_prefix('#') {
            reader.comment(comment);
            continue;
        }
        known |= line.contains("address-list");
        let Some(command) = words_behind_add(line) else {
            continue;
        };
        if !known {
            return Err(Refused::Foreign(format!(
                "no RouterOS address list: line {number} stands under no \"address-list\""
            )));
        }
        let list = value(command, "list").unwrap_or_default();
        if !sets.takes(&list) || value(command, "disabled").as_deref() == Some("yes") {
            continue;
        }
        match value(command, "address") {
            _ if !ended => reader.unended(number, line),
            Some(address) => {
                let comment = value(command, "comment").unwrap_or_default();
                reader.entry(number, &address, &comment);
            }
            None => reader.reject(number, line, "no address= in it"),
        }
    }
    if !known {
        return Err(Refused::Foreign(
            "no RouterOS address list in it".to_owned(),
        ));
    }
    sets.judge()
}

/// What stands behind the command `add`.
fn words_behind_add(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("add ") {
        return Some(rest);
    }
    let at = line.find(" add ").or_else(|| line.find("{add "))?;
    Some(&line[at + 5..])
}

/// The value of `key=`, with or without quotes.
fn value(command: &str, key: &str) -> Option<String> {
    let mut rest = command;
    loop {
        let at = rest.find(key)?;
        let alone = at == 0 || rest[..at].ends_with([' ', '\t']);
        let behind = &rest[at + key.len()..];
        match behind.strip_prefix('=') {
            Some(value) if alone => {
                let end = |value: &str| value.find([' ', '\t', '}', ';']).unwrap_or(value.len());
                return Some(match value.strip_prefix('"') {
                    Some(quoted) => quoted.split('"').next().unwrap_or("").to_owned(),
                    None => value[..end(value)].to_owned(),
                });
            }
            _ => rest = behind,
        }
    }
}
