//! A RouterOS script with address lists: `add list=NAME address=PREFIX comment="…"`, in one line
//! with `/ip firewall address-list`, below it, or inside `:do { … } on-error={}`.
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/130220180/Address-lists>

use std::borrow::Cow;

use super::named_sets::NamedSets;
use super::{Reader, lines};
use crate::feed::{Refused, foreign, incomplete};

/// The menu that holds address lists; any other may have commands with an `address` too.
const MENU: &str = "firewall address-list";

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut sets = NamedSets::of(reader);
    let (mut known, mut inside) = (false, false);
    let mut before = String::new();
    for (number, line, ended) in lines(text) {
        let line = line.trim_ascii();
        // A long command continues on the next line, as `export` prints it.
        if let Some(part) = line.strip_suffix('\\')
            && before.len() + part.len() <= LONGEST
        {
            before.push_str(part);
            continue;
        }
        let whole = match before.is_empty() {
            true => Cow::Borrowed(line),
            false => Cow::Owned(std::mem::take(&mut before) + line),
        };
        let line = &*whole;
        if let Some(comment) = line.strip_prefix('#') {
            reader.comment(comment);
            continue;
        }
        if line.contains(MENU) {
            (known, inside) = (true, true);
        } else if line.starts_with('/') {
            inside = false;
        }
        let Some(command) = words_behind_add(line) else {
            continue;
        };
        if !known {
            return foreign(format!(
                "no RouterOS address list: line {number} stands under no \"{MENU}\""
            ));
        }
        if !inside {
            continue;
        }
        let words = Words(command);
        let Some(list) = words.value("list") else {
            reader.reject(number, line, "no list= in it");
            continue;
        };
        if !sets.takes(list) || words.value("disabled") == Some("yes") {
            continue;
        }
        match words.value("address") {
            _ if !ended => reader.unended(number, line),
            Some(address) => reader.entry(number, address, words.value("comment").unwrap_or("")),
            None => reader.reject(number, line, "no address= in it"),
        }
    }
    if !before.is_empty() {
        return incomplete("the last command goes on in a line that is not there");
    }
    if !known {
        return foreign("no RouterOS address list in it");
    }
    sets.judge()
}

/// Longest command, in bytes: no address list has longer ones.
const LONGEST: usize = 4_096;

/// The text after the command `add`.
fn words_behind_add(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("add ") {
        return Some(rest);
    }
    let at = line.find(" add ").or_else(|| line.find("{add "))?;
    Some(&line[at + 5..])
}

/// The words of a command: `key=value`, where a quoted value may contain anything.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn value(&self, wanted: &str) -> Option<&'a str> {
        let mut rest = self.0;
        loop {
            rest = rest.trim_start();
            let end = rest.find([' ', '\t', '=', '}', ';'])?;
            let (key, behind) = rest.split_at(end);
            let Some(value) = behind.strip_prefix('=') else {
                rest = behind.strip_prefix([' ', '\t'])?;
                continue;
            };
            let (value, behind) = match value.strip_prefix('"') {
                Some(quoted) => quoted.split_at(closing_quote(quoted)?),
                None => value.split_at(value.find([' ', '\t', '}', ';']).unwrap_or(value.len())),
            };
            if key == wanted {
                return Some(value);
            }
            rest = behind.strip_prefix('"').unwrap_or(behind);
        }
    }
}

/// The end of the quoted text; `\"` is a quote inside it.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}
