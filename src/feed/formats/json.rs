//! JSON with a path to the field: one document, or one per line.
//!
//! A path is names separated by dots; `[]` after a name, or alone, means each item of an array:
//! `prefixes[].ipv4Prefix`, `[].ip`, `v4[]`; `prefixes[].ipv4Prefix|ipv6Prefix` takes whichever
//! there is. The reference is another key of the object that holds the field, and so is the length
//! or the last address. A document that parses is complete; of lines only those with a newline are
//! accepted. Of lines, the first record and the last may be without the field; others without it
//! are bad lines.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::lines::Line;
use super::reader::start_of;
use super::unread_column::Candidates;
use super::{Reader, Rules, lines};
use crate::feed::{Refused, foreign};

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let Some(path) = reader.rules.field.clone() else {
        return foreign("JSON, and the configuration names no field (field = \"…\")");
    };
    let rules = reader.rules;
    let mut walk = Walk {
        reader,
        rules,
        found: 0,
        candidates: None,
    };
    if is_lines(text) {
        return walk.json_lines(text, &path);
    }
    let document: Value = document(text, "JSON")?;
    let mut item = 0;
    let known = walk.document(&document, &path, &mut || {
        item += 1;
        item
    });
    if !known {
        return Err(without(&path, text));
    }
    let unread = walk.candidates.and_then(Candidates::found);
    reader.copy.remarks.unread_column = unread;
    reader.proven(WHOLE_DOCUMENT);
    Ok(())
}

fn without(path: &str, text: &str) -> Refused {
    Refused::Foreign(format!("JSON without {path:?}: {:?}", start_of(text)))
}

/// The proof that a document is complete: it parses.
pub(super) const WHOLE_DOCUMENT: &str = "a whole JSON document";

/// Read a whole document as `T`; `what` names it in errors.
pub(super) fn document<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Refused> {
    bounded(text)?;
    serde_json::from_str(text).map_err(|error| match error.is_eof() {
        true => Refused::Incomplete(error.to_string()),
        false => Refused::Foreign(format!("no {what}: {error}")),
    })
}

/// Whether the first line is a document by itself and more follow.
fn is_lines(text: &str) -> bool {
    let mut lines = lines(text).filter(|(_, line, _)| !line.trim().is_empty());
    let (first, second) = (lines.next(), lines.next());
    let whole = |(_, line, _): Line| serde_json::from_str::<IgnoredAny>(line).is_ok();
    second.is_some() && first.is_some_and(whole)
}

/// Largest number of objects in one document.
const MAX_OBJECTS: usize = 1_000_000;

/// Largest number of values in one document, of any type.
const MAX_VALUES: usize = 4_000_000;

/// A document is held in memory completely: an object of a few bytes takes hundreds, a value of two
/// bytes dozens.
fn bounded(text: &str) -> Result<(), Refused> {
    let (mut objects, mut values) = (0, 0);
    for byte in text.bytes() {
        objects += usize::from(byte == b'{');
        // Each value but the first follows one of these.
        values += usize::from(matches!(byte, b'{' | b'[' | b','));
    }
    for (count, most, what) in [
        (objects, MAX_OBJECTS, "objects"),
        (values, MAX_VALUES, "values"),
    ] {
        if count > most {
            return foreign(format!(
                "JSON with more than {most} {what} in one document, which no list has"
            ));
        }
    }
    Ok(())
}

struct Walk<'a, 'b> {
    reader: &'a mut Reader<'b>,
    rules: &'b Rules,
    found: u64,
    candidates: Option<Candidates>,
}

/// Where a value was found: its object, if it is in one, and the reference.
#[derive(Clone, Copy)]
struct Place<'a> {
    object: Option<&'a Value>,
    reference: &'a str,
}

impl Walk<'_, '_> {
    fn json_lines(mut self, text: &str, path: &str) -> Result<(), Refused> {
        // The first record and the last one may describe the list.
        let mut without_field: Option<(u32, &str)> = None;
        let mut records = 0;
        for (number, line, ended) in lines(text) {
            if line.trim().is_empty() {
                continue;
            }
            bounded(line)?;
            if let Some((number, line)) = without_field.take() {
                self.reader
                    .reject(number, line, format!("no {path:?} in this record"));
            }
            records += 1;
            match serde_json::from_str::<Value>(line) {
                _ if !ended => self.reader.unended(number, line),
                Ok(value) => {
                    let (found, left_out) = (self.found, self.reader.copy.remarks.left_out);
                    self.document(&value, path, &mut || number);
                    if self.found == found {
                        self.reader.copy.remarks.left_out = left_out;
                        match records {
                            1 => self.reader.left_out(),
                            _ => without_field = Some((number, line)),
                        }
                    }
                }
                Err(error) => self
                    .reader
                    .reject(number, line, format!("no JSON: {error}")),
            }
        }
        if self.found == 0 {
            return Err(without(path, text));
        }
        without_field.iter().for_each(|_| self.reader.left_out());
        self.reader.copy.remarks.unread_column = self.candidates.and_then(Candidates::found);
        Ok(())
    }

    /// Read everything at the path; `number` returns the line of the next item. Returns whether the
    /// path exists: an empty array counts.
    fn document(&mut self, value: &Value, path: &str, number: &mut dyn FnMut() -> u32) -> bool {
        let steps: Vec<&str> = path.split('.').collect();
        let place = Place {
            object: None,
            reference: "",
        };
        self.step(value, &steps, place, number)
    }

    fn step(
        &mut self,
        value: &Value,
        steps: &[&str],
        place: Place<'_>,
        number: &mut dyn FnMut() -> u32,
    ) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            return self.leaf(value, place, number());
        };
        let (name, each) = match step.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (*step, false),
        };
        let reason = self.rules.reference.as_ref();
        let reason = reason.and_then(|key| value.get(key)).map(words);
        let place = Place {
            object: Some(value)
                .filter(|value| value.is_object())
                .or(place.object),
            reference: reason.as_deref().unwrap_or(place.reference),
        };
        // Names with a bar between them: the first one that the object has.
        let next = match name {
            "" => Some(value),
            names => names.split('|').find_map(|name| value.get(name)),
        };
        match next {
            Some(Value::Array(items)) if each => {
                let mut any = items.is_empty();
                for item in items {
                    match self.step(item, rest, place, number) {
                        true => any = true,
                        false => self.reader.left_out(),
                    }
                }
                any
            }
            Some(next) if !each => self.step(next, rest, place, number),
            _ => false,
        }
    }

    fn leaf(&mut self, value: &Value, Place { object, reference }: Place, line: u32) -> bool {
        let cell = |key: &str| Some(Cow::Owned(words(object?.get(key)?)));
        match value {
            Value::Null => {
                self.reader.left_out();
                return true;
            }
            Value::String(text) => {
                let Rules { length, last, .. } = self.rules;
                if length.is_none() && last.is_none() {
                    let candidates = self.candidates.get_or_insert_with(|| candidates(object));
                    candidates.see(text, |_, key| cell(key));
                }
                let cells = [length, last].map(|key| cell(key.as_deref()?));
                let cells = cells
                    .each_ref()
                    .map(|cell: &Option<Cow<str>>| cell.as_deref());
                self.reader.entry_with(line, text, cells, reference);
            }
            other => {
                let text = other.to_string();
                self.reader.reject(line, &text, "not a text");
            }
        }
        self.found += 1;
        true
    }
}

/// The keys of an object that may belong to its address.
fn candidates(object: Option<&Value>) -> Candidates {
    let keys = object.and_then(Value::as_object).into_iter().flatten();
    Candidates::among(keys.map(|(key, _)| &**key).enumerate(), None)
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
