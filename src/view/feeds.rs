//! `feeds`: what can be turned on, what is, and how it is doing.

use std::io;
use std::path::Path;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{FeedStatus, View, composed};
use crate::feed::preset::{PRESETS, Preset};
use crate::shown::Lines;
use crate::time::{Timestamp, short};

pub struct Feeds<'a> {
    /// The configuration file, …
    pub path: &'a Path,
    /// … and whether it is there.
    pub is_there: bool,
    pub configured: Vec<FeedStatus<'a>>,
    /// The only preset that is shown; `None` for all.
    pub preset: Option<&'static Preset>,
    pub now: Timestamp,
}

impl Serialize for Feeds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wanted = |preset: &&Preset| self.preset.is_none_or(|one| one.name == preset.name);
        let presets = PRESETS.iter().filter(wanted);
        let presets = presets.map(|preset| preset_json(preset, &self.configured));
        let presets: Vec<_> = presets.collect();
        composed(
            json!({ "feeds": self.configured, "presets": presets }),
            serializer,
        )
    }
}

impl View for Feeds<'_> {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        match self.preset {
            Some(preset) => describe(out, preset, &self.configured),
            None => self.list(out),
        }
    }
}

impl Feeds<'_> {
    fn list(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let Self {
            path, configured, ..
        } = self;
        match (self.is_there, configured.len()) {
            (false, _) => writeln!(out, "{}: not there; no feed is configured", path.display())?,
            (true, 0) => writeln!(out, "no feed is configured")?,
            (true, _) => {}
        }
        let width = configured
            .iter()
            .map(|feed| feed.config.name.len())
            .max()
            .unwrap_or(0);
        for feed in configured {
            feed.print(out, width, self.now)?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "presets, turned on by preset = \"NAME\" in a [[feed]] (`nullrouted feeds NAME` says more):"
        )?;
        let width = PRESETS
            .iter()
            .map(|preset| preset.name.len())
            .max()
            .unwrap_or(0);
        for preset in &PRESETS {
            let sign = match used_by(preset, configured).is_empty() {
                true => ' ',
                false => '*',
            };
            writeln!(out, "{sign} {:<width$}  {}", preset.name, preset.good_for)?;
        }
        Ok(())
    }
}

fn describe(out: &mut Lines<'_>, preset: &Preset, configured: &[FeedStatus]) -> io::Result<()> {
    writeln!(out, "{}", preset.name)?;
    let mut line = |name: &str, text: &str| writeln!(out, "  {name:<12} {text}");
    line("good for", preset.good_for)?;
    line("mind", preset.mind)?;
    line("url", preset.url)?;
    line("format", preset.format.name())?;
    let (every, floor) = (short(preset.every), short(preset.floor));
    line(
        "every",
        &format!("{every}; never more often than every {floor}, at the publisher's wish"),
    )?;
    if let Some(max_age) = preset.max_age {
        let text = format!(
            "{} by the publisher's own date; older entries no longer count",
            short(max_age)
        );
        line("max_age", &text)?;
    }
    line("lengths", &lengths(preset))?;
    if preset.reserved {
        line(
            "reserved",
            "private and reserved space is left in: it is what the list is about",
        )?;
    }
    line("credit", preset.attribution)?;
    line("licence", preset.licence)?;
    match used_by(preset, configured) {
        names if names.is_empty() => line("configured", "no"),
        names => line("configured", &format!("as {}", names.join(", "))),
    }
}

fn lengths(preset: &Preset) -> String {
    let one = |family: &str, lengths: Option<(u8, u8)>| {
        lengths.map(|(shortest, longest)| format!("{family} /{shortest} to /{longest}"))
    };
    let both = [
        one("IPv4", preset.lengths_v4),
        one("IPv6", preset.lengths_v6),
    ];
    both.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The names of the feeds that a preset was made into.
fn used_by<'a>(preset: &Preset, configured: &'a [FeedStatus]) -> Vec<&'a str> {
    let of_it = |feed: &&FeedStatus| feed.config.preset == Some(preset.name);
    configured
        .iter()
        .filter(of_it)
        .map(|feed| feed.config.name.as_str())
        .collect()
}

fn preset_json(preset: &Preset, configured: &[FeedStatus]) -> Value {
    json!({
        "name": preset.name,
        "url": preset.url,
        "format": preset.format.name(),
        "every_seconds": preset.every.as_secs(),
        "floor_seconds": preset.floor.as_secs(),
        "max_age_seconds": preset.max_age.map(|age| age.as_secs()),
        "lengths_v4": preset.lengths_v4,
        "lengths_v6": preset.lengths_v6,
        "reserved": preset.reserved,
        "good_for": preset.good_for,
        "mind": preset.mind,
        "attribution": preset.attribution,
        "licence": preset.licence,
        "configured_as": used_by(preset, configured),
    })
}
