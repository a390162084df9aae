//! The settings that decide which prefixes are in force, by name, so that a change of them can be
//! reported. Pure.

use std::collections::BTreeMap;

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
        ("limits", format!("{:?}", feed.limits)),
    ]
}

/// The changed settings in words, without new ones. `gone` are feeds that are known to be removed.
pub fn differences(before: &Decisive, now: &Decisive, gone: &[String]) -> Vec<String> {
    let mut words: Vec<String> = gone.iter().map(|name| no_longer(name)).collect();
    for (key, old) in before {
        let feed = key.strip_prefix(FEED);
        let word = match now.get(key) {
            Some(new) if new == old => continue,
            Some(new) if key.ends_with(": limits") => {
                debug_assert_ne!(old, new);
                format!("{key} changed")
            }
            Some(new) => format!("{key} {old} -> {new}"),
            None => match feed {
                Some(name) if !name.contains(": ") => no_longer(name),
                Some(_) => continue,
                None => format!("{key} is no longer configured"),
            },
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn no_longer(feed: &str) -> String {
    format!("{FEED}{feed} is no longer configured")
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
        assert_eq!(
            differences(&before, &now, &["x".to_owned()]),
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
                .filter(|word| word.contains("feed a "))
                .count(),
            1
        );
    }
}
