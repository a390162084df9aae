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
use crate::shown;

/// Decode as much as possible; the problems say what was left out. If the syntax is invalid the
/// values are guesses, see [`is_broken`].
pub fn decode(text: &str) -> (Written, Vec<Problem>) {
    let (mut table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<_> = errors.iter().map(|error| problem(error, None)).collect();
    let other = match () {
        () if looks_like_yaml(text) => Some("YAML"),
        () if looks_like_ini(text) => Some("INI"),
        () => None,
    };
    if let (Some(first), Some(other)) = (problems.first_mut(), other) {
        first.hint = Some(format!(
            "this looks like {other}; the configuration is TOML: [[feed]], then name = \"...\""
        ));
    }
    // The meaning of an invalid line is a guess: if the syntax is wrong, only that is reported, and
    // the rest is read nevertheless.
    let broken = !problems.is_empty();
    loop {
        let error = match Written::deserialize(Deserializer::from(table.clone())) {
            Ok(written) => return (written, problems),
            Err(error) => error,
        };
        let key = error.span().and_then(|span| strike(table.get_mut(), &span));
        if !broken {
            problems.push(problem(&error, key.as_deref()));
        }
        if key.is_none() {
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

/// Whether a text has a value that only INI has without quotes: `name = partner`.
fn looks_like_ini(text: &str) -> bool {
    let mut values = text.lines().filter_map(|line| line.split_once('='));
    values.any(|(key, value)| {
        let value = value.trim();
        let is_word = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        !key.trim_start().starts_with(['#', ';'])
            && is_word
            && !["true", "false", "inf", "nan"].contains(&value)
    })
}

/// Whether a text is not TOML.
pub fn is_broken(text: &str) -> bool {
    !DeTable::parse_recoverable(text).1.is_empty()
}

/// What was removed of a value.
enum Struck {
    /// It is the item, which its owner has to remove.
    Itself,
    /// An item of its array.
    Item,
    /// Something under this key of its tables.
    Under(String),
}

/// Remove the deepest item whose key or value is at `span`. Returns the key it was under; `None` if
/// there is no such item.
fn strike(table: &mut DeTable, span: &Range<usize>) -> Option<String> {
    let (key, struck) = table.iter_mut().find_map(|(key, value)| {
        let struck = match key.span() == *span {
            true => Struck::Itself,
            false => strike_in(value, span)?,
        };
        Some((key.clone(), struck))
    })?;
    if let Struck::Itself = struck {
        table.remove(&key);
    }
    Some(match struck {
        Struck::Under(inner) => inner,
        Struck::Itself | Struck::Item => key.get_ref().to_string(),
    })
}

fn strike_in(value: &mut Spanned<DeValue>, span: &Range<usize>) -> Option<Struck> {
    let struck = match value.get_mut() {
        DeValue::Table(table) => strike(table, span).map(Struck::Under),
        DeValue::Array(array) => {
            let mut items = array.iter_mut().enumerate();
            let struck = items.find_map(|(at, item)| Some((at, strike_in(item, span)?)));
            struck.map(|(index, struck)| match struck {
                Struck::Itself => {
                    let items = array.clone().into_iter().enumerate();
                    let others = items.filter(|(at, _)| *at != index);
                    *array = others.map(|(_, item)| item).collect();
                    Struck::Item
                }
                inside => inside,
            })
        }
        _ => None,
    };
    struck.or_else(|| (value.span() == *span).then_some(Struck::Itself))
}

/// What the decoder expects, as an operator would say it.
fn in_words(expected: &str) -> &str {
    match expected {
        "i64" => "a number without quotes",
        "a boolean" => "true or false without quotes",
        "a string" => "a text in quotes",
        "a sequence" => "a list in brackets, such as [\"…\"]",
        table if table.starts_with("struct ") => "a table of keys",
        other => other,
    }
}

/// What it found.
fn found_in_words(found: &str) -> String {
    let value = found
        .split_once(' ')
        .map_or("", |(_, value)| value)
        .trim_matches('`');
    match found.split(' ').next() {
        Some("integer" | "floating") => {
            format!("the number {}", value.trim_start_matches("point `"))
        }
        Some("boolean") => value.to_owned(),
        Some("string") => format!("the text {value}"),
        Some("sequence") => "a list".to_owned(),
        Some("map") => "a table of keys".to_owned(),
        _ => found.to_owned(),
    }
}

/// The decoder's message, with the key first and the expectation before what was found.
fn problem(error: &toml::de::Error, key: Option<&str>) -> Problem {
    let message = error.message().trim().replace('\n', ", ");
    let span = error.span().unwrap_or(0..0);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (name, expected) = rest.split_once("`, expected ").unwrap_or((rest, ""));
        let permitted = expected
            .trim_start_matches("one of ")
            .replace('`', "")
            .replace(" or ", ", ");
        let names: Vec<&str> = permitted.split(", ").collect();
        return Problem::at(span, format!("{name}: no such key here")).hint(shown::permitted(
            "permitted are",
            name,
            &names,
        ));
    }
    let found = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split_once(", expected "));
    let message = match found {
        Some((found, expected)) => {
            let (expected, found) = (in_words(expected), found_in_words(found));
            format!("expected {expected}, found {found}")
        }
        None => message,
    };
    match key {
        Some(key) => Problem::at(span, format!("{key}: {message}")),
        None => Problem::at(span, message),
    }
}
