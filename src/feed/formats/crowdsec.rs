//! CrowdSec decisions: bans of addresses and ranges, each with a duration. As a list
//! (`/v1/decisions`), as a complete stream (`/v1/decisions/stream?startup=true`), and as `cscli
//! decisions list` prints them: with `-o json` in the alerts that they belong to, with `-o raw` as
//! CSV. <https://docs.crowdsec.net/docs/local_api/intro/>

use std::time::Duration;

use serde::Deserialize;

use super::csv::Row;
use super::json::{WHOLE_DOCUMENT, document};
use super::reader::start_of;
use super::{Reader, filled_lines};
use crate::feed::{End, Refused, foreign};

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    List(Vec<Decision>),
    Alerts(Vec<Alert>),
    Stream {
        #[serde(deserialize_with = "nothing_is_empty")]
        new: Vec<Decision>,
        #[serde(default, rename = "deleted")]
        _deleted: Option<Vec<Decision>>,
    },
    /// The answer of a server without a decision.
    Nothing(()),
}

#[derive(Deserialize)]
struct Alert {
    #[serde(deserialize_with = "nothing_is_empty")]
    decisions: Vec<Decision>,
}

#[derive(Deserialize)]
struct Decision {
    duration: String,
    #[serde(default)]
    scenario: String,
    scope: String,
    #[serde(rename = "type")]
    kind: String,
    value: String,
    /// A decision of a scenario on trial: it is not applied.
    simulated: Option<bool>,
}

fn nothing_is_empty<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<Decision>, D::Error> {
    Ok(Option::<Vec<Decision>>::deserialize(d)?.unwrap_or_default())
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    if !text.trim_start().starts_with(['[', '{', 'n']) {
        return read_raw(text, reader);
    }
    let document = document(text, "CrowdSec decisions")?;
    let decisions = match document {
        Document::List(decisions) | Document::Stream { new: decisions, .. } => decisions,
        Document::Alerts(alerts) => alerts.into_iter().flat_map(|one| one.decisions).collect(),
        Document::Nothing(()) => Vec::new(),
    };
    for (decision, item) in decisions.iter().zip(1..) {
        take(decision, item, reader);
    }
    reader.proven(WHOLE_DOCUMENT);
    Ok(())
}

/// Names of the first columns of `cscli decisions list -o raw`.
pub(super) const RAW: &str = "id,source,ip,reason,action,";

fn read_raw(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut names: Option<Vec<String>> = None;
    for (number, line, ended) in filled_lines(text) {
        let Row { fields, .. } = Row::of(line, b',');
        let Some(names) = &names else {
            if !line.starts_with(RAW) {
                return foreign(format!("no CrowdSec decisions: {:?}", start_of(line)));
            }
            names = Some(fields);
            continue;
        };
        let field = |name: &str| {
            let at = names.iter().position(|one| one == name);
            at.and_then(|at| fields.get(at)).cloned()
        };
        let subject = field("ip");
        let subject = subject
            .as_deref()
            .and_then(|subject| subject.split_once(':'));
        match (subject, field("action"), field("expiration")) {
            _ if !ended => reader.unended(number, line),
            (Some((scope, value)), Some(kind), Some(duration)) => {
                let decision = Decision {
                    duration,
                    scenario: field("reason").unwrap_or_default(),
                    scope: scope.to_owned(),
                    kind,
                    value: value.to_owned(),
                    simulated: field("simulated").map(|text| text == "true"),
                };
                take(&decision, number, reader);
            }
            _ => reader.reject(number, line, "no scope and value, action and expiration"),
        }
    }
    Ok(())
}

/// Take a decision, unless it bans no address now.
fn take(decision: &Decision, item: u32, reader: &mut Reader) {
    let of_addresses = ["Ip", "Range"]
        .iter()
        .any(|scope| decision.scope.eq_ignore_ascii_case(scope));
    // A captcha is not a ban, and a country is not a prefix.
    if decision.kind != "ban" || decision.simulated == Some(true) || !of_addresses {
        return reader.left_out();
    }
    match go_duration(&decision.duration) {
        Some(left) if left.is_zero() => reader.left_out(),
        Some(left) => {
            let end = [End::After(left)];
            reader.entry_for(item, &decision.value, &decision.scenario, &end);
        }
        None => reader.reject(item, &decision.duration, "not a duration"),
    }
}

/// A duration as Go prints it, in whole seconds: `33h6m18.03174611s`; zero when it is negative.
fn go_duration(text: &str) -> Option<Duration> {
    let (past, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |at| digits + at);
        seconds += number
            * match &rest[digits..unit] {
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    let whole = !text.is_empty() && seconds < 1e10;
    whole.then(|| Duration::from_secs(if past { 0 } else { seconds as u64 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_prints_them() {
        for (text, seconds) in [
            ("33h6m18.03174611s", Some(119_178)),
            ("3h59m1s", Some(14_341)),
            ("-37m7.33s", Some(0)),
            ("500ms", Some(0)),
            ("", None),
            ("5", None),
            ("5y", None),
            ("h", None),
        ] {
            assert_eq!(go_duration(text).map(|d| d.as_secs()), seconds, "{text}");
        }
    }
}
