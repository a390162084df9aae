//! A STIX 2.1 bundle: indicators whose pattern is a choice of addresses and networks.
//!
//! `[ipv4-addr:value = '198.51.100.0/24' OR ipv6-addr:value = '2001:db8::/32']`. A pattern with
//! more conditions (AND, NOT, a port) matches less than the address, and is left out, as are
//! revoked indicators. `valid_from` and `valid_until` bound an entry.
//! <https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html>, sections 4.7 and 9.

use serde::Deserialize;

use super::json::{WHOLE_DOCUMENT, document};
use super::{Reader, dates};
use crate::feed::{End, Refused, foreign};
use crate::time::Timestamp;

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    revoked: bool,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    pattern_type: String,
    #[serde(default)]
    indicator_types: Vec<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let bundle: Bundle = document(text, "STIX bundle")?;
    if bundle.kind != "bundle" {
        return foreign(format!("no STIX bundle: type {:?}", bundle.kind));
    }
    for (object, item) in bundle.objects.iter().zip(1..) {
        let benign = object.indicator_types.iter().any(|kind| kind == "benign");
        let is_pattern = object.kind == "indicator" && object.pattern_type == "stix";
        if !is_pattern || object.revoked || benign || !names_addresses(&object.pattern) {
            reader.left_out();
            continue;
        }
        let reference = match object.name.as_str() {
            "" => &object.id,
            name => name,
        };
        let time = |written: &Option<String>, end: fn(Timestamp) -> End| {
            let written = written.as_deref().filter(|time| !never(time));
            written.map(|time| dates::iso(time).map(end).ok_or(time.to_owned()))
        };
        let from = time(&object.valid_from, End::NotBefore);
        let until = time(&object.valid_until, End::At);
        let ends: Result<Vec<End>, String> = from.into_iter().chain(until).collect();
        let ends = match ends {
            Ok(ends) => ends,
            Err(written) => {
                reader.reject(item, &written, "no time in UTC");
                continue;
            }
        };
        // Any other pattern matches less than the address.
        for value in choice(&object.pattern).unwrap_or_default() {
            reader.entry_for(item, &value, reference, &ends);
        }
    }
    reader.proven(WHOLE_DOCUMENT);
    Ok(())
}

/// Whether a time is so far in the future that it means no end: `9999-12-31T23:59:59Z`.
fn never(time: &str) -> bool {
    time.get(..4)
        .and_then(|year| year.parse().ok())
        .is_some_and(|year: u32| year >= 2100)
}

fn names_addresses(pattern: &str) -> bool {
    ["ipv4-addr:value", "ipv6-addr:value"]
        .iter()
        .any(|path| pattern.contains(path))
}

/// The values of a pattern that is one or more observations of a choice of addresses.
fn choice(pattern: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut rest = pattern.trim();
    loop {
        rest = rest.strip_prefix('[')?;
        loop {
            rest = comparison(rest.trim_start(), &mut values)?.trim_start();
            match rest.strip_prefix("OR ") {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix(']')?.trim_start();
        if rest.is_empty() {
            return Some(values);
        }
        rest = rest.strip_prefix("OR ")?.trim_start();
    }
}

/// `ipv4-addr:value = '…'`, `ISSUBSET '…'` or `IN ('…', '…')`; returns the text after it.
fn comparison<'a>(text: &'a str, values: &mut Vec<String>) -> Option<&'a str> {
    let rest = text
        .strip_prefix("ipv4-addr:value")
        .or_else(|| text.strip_prefix("ipv6-addr:value"))?
        .trim_start();
    for operator in ["=", "ISSUBSET"] {
        if let Some(rest) = rest.strip_prefix(operator) {
            return literal(rest.trim_start(), values);
        }
    }
    let mut rest = rest.strip_prefix("IN")?.trim_start().strip_prefix('(')?;
    loop {
        rest = literal(rest.trim_start(), values)?.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.strip_prefix(')'),
        }
    }
}

fn literal<'a>(text: &'a str, values: &mut Vec<String>) -> Option<&'a str> {
    let (value, rest) = text.strip_prefix('\'')?.split_once('\'')?;
    values.push(value.to_owned());
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_this_century_is_no_end() {
        assert!(never("9999-12-31T23:59:59Z") && never("2100-01-01T00:00:00Z"));
        assert!(!never("2099-12-31T23:59:59Z") && !never("soon"));
    }

    #[test]
    fn only_a_choice_of_addresses_is_a_choice() {
        let two = Some(vec!["192.0.2.0/24".to_owned(), "2001:db8::1".to_owned()]);
        for pattern in [
            "[ipv4-addr:value = '192.0.2.0/24' OR ipv6-addr:value = '2001:db8::1']",
            "[ipv4-addr:value='192.0.2.0/24'] OR [ipv6-addr:value = '2001:db8::1']",
            "[ipv4-addr:value IN ('192.0.2.0/24', '2001:db8::1')]",
            "[ipv4-addr:value ISSUBSET '192.0.2.0/24' OR ipv6-addr:value = '2001:db8::1']",
        ] {
            assert_eq!(choice(pattern), two, "{pattern}");
        }
        for pattern in [
            "",
            "[ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 443]",
            "[ipv4-addr:value != '192.0.2.1']",
            "[ipv4-addr:value NOT = '192.0.2.1']",
            "[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [domain-name:value = 'a.example']",
            "[ipv4-addr:value = '192.0.2.1'",
            "[ipv4-addr:value = '192.0.2.1]",
            "[ipv4-addr:value LIKE '192.0.2.%']",
        ] {
            assert_eq!(choice(pattern), None, "{pattern}");
        }
    }
}
