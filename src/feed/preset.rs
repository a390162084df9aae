//! Presets: one line in the configuration turns a publisher on.

use std::time::Duration;

use super::formats::Format;

/// What is known of a publisher's list.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name in the configuration.
    pub name: &'static str,
    /// Where the list is.
    pub url: &'static str,
    /// Its format.
    pub format: Format,
    /// How often to look, when the configuration does not say.
    pub every: Duration,
    /// The publisher's own rule: never look more often, not even when asked to.
    pub floor: Duration,
    /// Expected IPv4 lengths; `None` when the list holds no IPv4.
    pub lengths_v4: Option<(u8, u8)>,
    /// Expected IPv6 lengths; `None` when the list holds no IPv6.
    pub lengths_v6: Option<(u8, u8)>,
    /// Credit that goes into what is generated from the list.
    pub attribution: &'static str,
}

const HOUR: Duration = Duration::from_secs(3_600);

const SPAMHAUS: &str = "Spamhaus DROP, (c) The Spamhaus Project SLU, \
                        https://www.spamhaus.org/drop/terms/";

/// Every preset. Spamhaus asks for at most one download an hour and credit where the data is used
/// (<https://www.spamhaus.org/drop/terms/>). The lengths leave room around what was
/// seen: DROP v4 held /10 to /24 in eight years, DROP v6 /28 to /48.
pub const PRESETS: [Preset; 2] = [
    Preset {
        name: "spamhaus-drop-v4",
        url: "https://www.spamhaus.org/drop/drop_v4.json",
        format: Format::SpamhausJson,
        every: HOUR.saturating_mul(12),
        floor: HOUR,
        lengths_v4: Some((8, 32)),
        lengths_v6: None,
        attribution: SPAMHAUS,
    },
    Preset {
        name: "spamhaus-drop-v6",
        url: "https://www.spamhaus.org/drop/drop_v6.json",
        format: Format::SpamhausJson,
        every: HOUR.saturating_mul(12),
        floor: HOUR,
        lengths_v4: None,
        lengths_v6: Some((19, 64)),
        attribution: SPAMHAUS,
    },
];
