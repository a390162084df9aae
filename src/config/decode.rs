//! From TOML text to the written shapes, with every problem on the way.
//!
//! A decoder stops at its first error. So the item with the error is noted, removed from the parsed
//! table, and the rest is decoded again, until there is no error.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::Problem;
use super::written::Written;

/// Decode as much as possible; the problems say what was left out. If the syntax is invalid the
/// values are guesses, see [`is_broken`].
pub fn decode(text: &str) -> (Written, Vec<Problem>) {
    let (mut table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<_> = errors.iter().map(|error| problem(error, None)).collect();
    if let Some(first) = problems.first_mut().filter(|_| looks_like_yaml(text)) {
        let hint = "this looks like YAML; the configuration is TOML: [[feed]], then name = \"...\"";
        first.hint = Some(hint.to_owned());
    }
    // The meaning of an invalid line is a guess: if the syntax is wrong, only that is reported, and
    // the rest is read nevertheless.
    let broken = !problems.is_empty();
    loop {
        let error = match Written::deserialize(Deserializer::from(table.clone())) {
            Ok(written) => return (written, problems),
            Err(error) => error,
        };
        let place = error.span().and_then(|span| find(table.get_ref(), &span));
        if !broken {
            problems.push(problem(&error, place.as_ref()));
        }
        let struck = place.is_some_and(|place| strike(table.get_mut(), &place));
        if !struck {
            return (Written::default(), problems);
        }
    }
}

/// Whether the first line that is no comment is a key of YAML: `feeds:`.
fn looks_like_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line == "---" || line.ends_with(':') || line.contains(": "))
}

/// Whether a text is not TOML.
pub fn is_broken(text: &str) -> bool {
    !DeTable::parse_recoverable(text).1.is_empty()
}

/// The path from the root to an item: keys, and indices in arrays.
type KeyPath = Vec<Step>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The deepest item whose key or value is at `span`.
fn find(table: &DeTable, span: &Range<usize>) -> Option<KeyPath> {
    for (key, value) in table {
        let mut place = vec![Step::Key(key.get_ref().to_string())];
        if key.span() == *span {
            return Some(place);
        }
        if let Some(rest) = find_in(value, span) {
            place.extend(rest);
            return Some(place);
        }
    }
    None
}

fn find_in(value: &Spanned<DeValue>, span: &Range<usize>) -> Option<KeyPath> {
    let inside = match value.get_ref() {
        DeValue::Table(table) => find(table, span),
        DeValue::Array(array) => array.iter().enumerate().find_map(|(index, item)| {
            let rest = find_in(item, span)?;
            Some([vec![Step::Index(index)], rest].concat())
        }),
        _ => None,
    };
    inside.or_else(|| (value.span() == *span).then(Vec::new))
}

/// Remove an item; `false` if it does not exist.
fn strike(table: &mut DeTable, place: &[Step]) -> bool {
    let Some((Step::Key(name), rest)) = place.split_first() else {
        return false;
    };
    let Some(key) = table.keys().find(|key| key.get_ref() == name).cloned() else {
        return false;
    };
    if rest.is_empty() {
        return table.remove(&key).is_some();
    }
    table
        .get_mut(&key)
        .is_some_and(|value| strike_in(value.get_mut(), rest))
}

fn strike_in(value: &mut DeValue, place: &[Step]) -> bool {
    match (value, place) {
        (DeValue::Array(array), [Step::Index(index)]) if *index < array.len() => {
            let others = array.clone().into_iter().enumerate();
            *array = others
                .filter(|(at, _)| at != index)
                .map(|(_, item)| item)
                .collect();
            true
        }
        (DeValue::Array(array), [Step::Index(index), rest @ ..]) => array
            .get_mut(*index)
            .is_some_and(|item| strike_in(item.get_mut(), rest)),
        (DeValue::Table(table), place) => strike(table, place),
        _ => false,
    }
}

/// The decoder's message, with the key first and the expectation before what was found.
fn problem(error: &toml::de::Error, place: Option<&KeyPath>) -> Problem {
    let message = error.message().trim().replace('\n', ", ");
    let key = place.and_then(|place| {
        place.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    });
    let span = error.span().unwrap_or(0..0);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (name, expected) = rest.split_once("`, expected ").unwrap_or((rest, ""));
        let permitted = expected
            .trim_start_matches("one of ")
            .replace('`', "")
            .replace(" or ", ", ");
        return Problem::at(span, format!("{name}: no such key here"))
            .hint(format!("permitted are {permitted}"));
    }
    let found = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split_once(", expected "));
    let message = match found {
        Some((found, "i64")) => format!("expected a number without quotes, found {found}"),
        Some((found, expected)) => format!("expected {expected}, found {found}"),
        None => message,
    };
    match key {
        Some(key) => Problem::at(span, format!("{key}: {message}")),
        None => Problem::at(span, message),
    }
}
