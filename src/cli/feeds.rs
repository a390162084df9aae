//! `feeds`: what can be turned on, what is, and how it is doing.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::status::{FeedStatus, feeds};
use super::{Exit, Outcome, Stop, load, output};
use crate::feed::preset::{PRESETS, Preset, preset};
use crate::ledger::Ledger;
use crate::pass::inputs::Cache;
use crate::shown::Lines;
use crate::time::{Timestamp, short};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Everything about this preset
    #[arg(value_name = "PRESET")]
    preset: Option<String>,
    /// Everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(output::Talk::Warnings);
    let wanted = match &arguments.preset {
        Some(name) => Some(preset(name).ok_or_else(|| {
            let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
            Stop::usage(format!(
                "{name}: no preset of this name; there are {}",
                names.join(", ")
            ))
        })?),
        None => None,
    };
    // What can be had is shown without a configuration, too.
    let config = match path.exists() {
        true => Some(load(path)?),
        false => None,
    };
    let (now, configured) = match &config {
        Some(config) => {
            let ledger = Ledger::read(&config.state_dir)?;
            let now = ledger.now()?;
            (now, feeds(config, &ledger, Cache::default(), now)?)
        }
        None => (Timestamp::now(), Vec::new()),
    };
    let presets: Vec<&Preset> = PRESETS
        .iter()
        .filter(|preset| wanted.is_none_or(|wanted| wanted.name == preset.name))
        .collect();
    if arguments.json {
        let presets: Vec<_> = presets
            .iter()
            .map(|preset| preset_json(preset, &configured))
            .collect();
        let feeds: Vec<_> = configured.iter().map(FeedStatus::json).collect();
        output::json(&json!({ "feeds": feeds, "presets": presets }))?;
        return Ok(Exit::Done);
    }
    output::done(|out| match wanted {
        Some(preset) => describe(out, preset, &configured),
        None => list(out, path, config.is_some(), &configured, now),
    })
}

fn list(
    out: &mut Lines<'_>,
    path: &Path,
    is_configured: bool,
    configured: &[FeedStatus],
    now: Timestamp,
) -> io::Result<()> {
    match (is_configured, configured.len()) {
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
        feed.print(out, width, now)?;
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
