//! JSON with a path to the field: one document, or one per line.
//!
//! A path is names separated by dots; `[]` after a name, or alone, means each item of an array:
//! `prefixes[].ipv4Prefix`, `[].ip`, `v4[]`. The reference is another key of the object that holds
//! the field. A document that parses is complete; of lines only those with a newline are accepted.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::lines::Line;
use super::reader::start_of;
use super::{Reader, lines};
use crate::feed::{Refused, foreign};

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let Some(path) = reader.rules.field.clone() else {
        return foreign("JSON, and the configuration names no field (field = \"…\")");
    };
    let reference = reader.rules.reference.clone();
    let mut walk = Walk {
        reader,
        reference: reference.as_deref(),
        found: 0,
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

struct Walk<'a, 'b, 'c> {
    reader: &'a mut Reader<'b>,
    reference: Option<&'c str>,
    found: u64,
}

impl Walk<'_, '_, '_> {
    fn json_lines(mut self, text: &str, path: &str) -> Result<(), Refused> {
        for (number, line, ended) in lines(text) {
            if line.trim().is_empty() {
                continue;
            }
            bounded(line)?;
            match serde_json::from_str::<Value>(line) {
                _ if !ended => self.reader.unended(number, line),
                Ok(value) => {
                    // A record without the field is something else: metadata.
                    self.document(&value, path, &mut || number);
                }
                Err(error) => self
                    .reader
                    .reject(number, line, format!("no JSON: {error}")),
            }
        }
        if self.found == 0 {
            return Err(without(path, text));
        }
        Ok(())
    }

    /// Read everything at the path; `number` returns the line of the next item. Returns whether the
    /// path exists: an empty array counts.
    fn document(&mut self, value: &Value, path: &str, number: &mut dyn FnMut() -> u32) -> bool {
        let steps: Vec<&str> = path.split('.').collect();
        self.step(value, &steps, "", number)
    }

    fn step(
        &mut self,
        value: &Value,
        steps: &[&str],
        reference: &str,
        number: &mut dyn FnMut() -> u32,
    ) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            return self.leaf(value, reference, number());
        };
        let (name, each) = match step.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (*step, false),
        };
        let reason = self.reference.and_then(|key| value.get(key)).map(words);
        let reference = reason.as_deref().unwrap_or(reference);
        let next = match name {
            "" => Some(value),
            name => value.get(name),
        };
        match next {
            Some(Value::Array(items)) if each => {
                let mut any = items.is_empty();
                for item in items {
                    any |= self.step(item, rest, reference, number);
                }
                any
            }
            Some(next) if !each => self.step(next, rest, reference, number),
            _ => false,
        }
    }

    fn leaf(&mut self, value: &Value, reference: &str, line: u32) -> bool {
        match value {
            Value::Null => return true,
            Value::String(text) => self.reader.entry(line, text, reference),
            other => {
                let text = other.to_string();
                self.reader.reject(line, &text, "not a text");
            }
        }
        self.found += 1;
        true
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
