//! CrowdSec decisions, as a list (`/v1/decisions`) or as a complete stream
//! (`/v1/decisions/stream?startup=true`): bans of addresses and ranges, each with a duration.
//! <https://docs.crowdsec.net/docs/local_api/intro/>

use std::time::Duration;

use serde::Deserialize;

use super::Reader;
use super::json::{WHOLE_DOCUMENT, document};
use crate::feed::{End, Refused};

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    List(Vec<Decision>),
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
    let document = document(text, "CrowdSec decisions")?;
    let decisions = match document {
        Document::List(decisions) | Document::Stream { new: decisions, .. } => decisions,
        Document::Nothing(()) => Vec::new(),
    };
    for (decision, item) in decisions.iter().zip(1..) {
        let of_addresses = ["Ip", "Range"]
            .iter()
            .any(|scope| decision.scope.eq_ignore_ascii_case(scope));
        // A captcha is not a ban, and a country is not a prefix.
        if decision.kind != "ban" || decision.simulated == Some(true) || !of_addresses {
            reader.left_out();
            continue;
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
    reader.proven(WHOLE_DOCUMENT);
    Ok(())
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
