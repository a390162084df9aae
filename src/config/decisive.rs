//! The settings that decide which prefixes are in force, by name, so that a change of them can be
//! reported. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Config, FeedConfig};

/// The name and the value of each setting.
pub type Decisive = BTreeMap<String, String>;

/// The decisive settings of a configuration. Protection is not among them, nor the expiry of
/// copies, nor the source of a list: another list counts as the publisher's change.
pub fn decisive(config: &Config) -> Decisive {
    let limits = &config.policy.limits;
    let count =
        |most: Option<usize>| most.map_or_else(|| "none".to_owned(), |most| most.to_string());
    let mut parts: Decisive = [
        ("shortest_v4", limits.shortest_v4.to_string()),
        ("shortest_v6", limits.shortest_v6.to_string()),
        ("max_routes", limits.max_routes.to_string()),
        ("max_added", limits.max_added.to_string()),
        ("max_removed", limits.max_removed.to_string()),
        ("max_added_count", count(limits.max_added_count)),
        ("max_removed_count", count(limits.max_removed_count)),
        ("max_share_v4", limits.max_share_v4.to_string()),
        ("max_share_v6", limits.max_share_v6.to_string()),
        ("small_change", limits.small_change.to_string()),
    ]
    .into_iter()
    .map(|(key, value)| (format!("[limits] {key}"), value))
    .collect();
    let review = config.policy.review.name().to_owned();
    parts.insert("[review] mode".to_owned(), review);
    if let Some(origins) = &config.origins {
        let table = origins.table.display().to_string();
        parts.insert("[asn] table".to_owned(), table);
    }
    for feed in &config.feeds {
        let name = &feed.name;
        parts.insert(format!("{FEED}{name}"), String::new());
        let named = of_feed(feed).into_iter();
        parts.extend(named.map(|(key, value)| (format!("{FEED}{name}: {key}"), value)));
    }
    parts
}

/// The prefix of the settings of a feed.
const FEED: &str = "feed ";

fn of_feed(feed: &FeedConfig) -> Vec<(&'static str, String)> {
    // The pattern has no `..`, so that no field is forgotten.
    let crate::feed::formats::Rules {
        format,
        host_bits,
        lengths_v4,
        lengths_v6,
        header,
        field,
        reference,
        length,
        last,
        ports,
        believe_empty: _,
        few_bad_lines: _,
        may_be_empty: _,
        max_bytes: _,
        max_entries: _,
    } = &feed.rules;
    let lengths = |lengths: &Option<(u8, u8)>| {
        lengths.map_or_else(
            || "none".to_owned(),
            |(least, most)| format!("{least} to {most}"),
        )
    };
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    vec![
        ("reserved", feed.reserved.to_string()),
        ("format", format.name().to_owned()),
        ("host_bits", format!("{host_bits:?}").to_lowercase()),
        ("lengths_v4", lengths(lengths_v4)),
        ("lengths_v6", lengths(lengths_v6)),
        ("header", text(*header)),
        ("field", text(field.as_deref())),
        ("reference", text(reference.as_deref())),
        ("length", text(length.as_deref())),
        ("last", text(last.as_deref())),
        ("ports", format!("{ports:?}").to_lowercase()),
        ("limits", format!("{:?}", feed.limits)),
    ]
}

/// A changed setting that decides which prefixes are in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingChange {
    /// A feed is no longer configured.
    FeedGone(String),
    /// Another setting is no longer configured.
    Gone(String),
    /// The limits of a feed; the name of the setting.
    Limits(String),
    Value {
        setting: String,
        before: String,
        now: String,
    },
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FeedGone(feed) => write!(f, "{FEED}{feed} is no longer configured"),
            Self::Gone(setting) => write!(f, "{setting} is no longer configured"),
            Self::Limits(setting) => write!(f, "{setting} changed"),
            Self::Value {
                setting,
                before,
                now,
            } => write!(f, "{setting} {before} -> {now}"),
        }
    }
}

/// The changed settings, without new ones. `gone` are feeds that are known to be removed.
pub fn differences(before: &Decisive, now: &Decisive, gone: &[String]) -> Vec<SettingChange> {
    let mut changes: Vec<_> = gone.iter().cloned().map(SettingChange::FeedGone).collect();
    for (key, old) in before {
        // Only these keys of a feed have a colon.
        let feed = key.strip_prefix(FEED).map(|feed| feed.split_once(": "));
        let change = match (now.get(key), feed) {
            (Some(new), _) if new == old => continue,
            (Some(_), Some(Some((_, "limits")))) => SettingChange::Limits(key.clone()),
            (Some(new), _) => SettingChange::Value {
                setting: key.clone(),
                before: old.clone(),
                now: new.clone(),
            },
            (None, Some(None)) => SettingChange::FeedGone(key[FEED.len()..].to_owned()),
            (None, Some(Some(_))) => continue,
            (None, None) => SettingChange::Gone(key.clone()),
        };
        if !changes.contains(&change) {
            changes.push(change);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(parts: &[(&str, &str)]) -> Decisive {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        parts.iter().map(owned).collect()
    }

    #[test]
    fn what_is_otherwise_is_named_and_what_is_new_is_not() {
        let before = parts(&[
            ("feed a", ""),
            ("feed a: reserved", "true"),
            ("feed b", ""),
            ("feed b: reserved", "true"),
            ("[limits] shortest_v4", "8"),
            ("[asn] table", "/a"),
        ]);
        let now = parts(&[
            ("feed b", ""),
            ("feed b: reserved", "false"),
            ("feed c", ""),
            ("[limits] shortest_v4", "24"),
        ]);
        let shown = |gone: &str| {
            let changes = differences(&before, &now, &[gone.to_owned()]);
            changes.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            shown("x"),
            [
                "feed x is no longer configured",
                "[asn] table is no longer configured",
                "[limits] shortest_v4 8 -> 24",
                "feed a is no longer configured",
                "feed b: reserved true -> false",
            ]
        );
        assert!(differences(&now, &now, &[]).is_empty());
        assert_eq!(
            differences(&before, &now, &["a".to_owned()])
                .iter()
                .filter(|change| **change == SettingChange::FeedGone("a".to_owned()))
                .count(),
            1
        );
    }
}
