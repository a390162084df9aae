//! `add` and `allow`: what is to be dropped, and what is not, by the operator's own hand.

use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use super::super::ask::{self, Handed};
use super::super::change::alone;
use super::super::history::entered;
use super::super::net::one_item;
use super::super::output::Out;
use super::super::site::Making;
use super::super::{Exit, Outcome, Stop, block_on, load, output};
use super::{apply, confirm, undo};
use crate::config::Config;
use crate::control::{Change, Entry, OutputPiece};
use crate::ledger::{Event, Ledger, OperatorEntry, OperatorRow};
use crate::pass::inputs::Cache;
use crate::pass::{self, At, discovery, operator, protection};
use crate::plan::joined;
use crate::policy::embedded::embedded_form;
use crate::policy::objection::{self, Objection};
use crate::policy::protect::Protect;
use crate::policy::reserved::{NEVER, nets};
use crate::prefix::{Effective, HostBits, Item, PrefixSet, is_public};
use crate::shown;
use crate::targets::file::Role;
use crate::time::{Timestamp, short};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    entry: Entry,
    /// Also where it touches protected space (which stays protected) or is shorter than the limit;
    /// to be confirmed on a terminal
    #[arg(long)]
    force: bool,
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Longest reason, in bytes: it is shown with the prefix, on one line.
const LONGEST_REASON: usize = 200;

pub(crate) fn run(kind: OperatorEntry, path: &Path, arguments: Arguments) -> Outcome {
    output::talk(output::Talk::Warnings);
    let config = load(path)?;
    let Arguments {
        mut entry,
        force,
        json,
    } = arguments;
    let item = Wanted::read(&entry)?.item;
    // The first answer may name what has to be confirmed.
    for _ in 0..2 {
        match ask::change(&config, &changed(kind, &entry), json)? {
            Handed::Done(exit) => return Ok(exit),
            Handed::Objections(against) => {
                confirmed_by_hand(&against, item, force)?;
                entry.confirmed = against;
            }
            Handed::Alone => break,
        }
    }
    // The answer may take long: no lock is held meanwhile.
    let against = objections_now(kind, item, &config)?;
    if against.iter().any(|one| !entry.confirmed.contains(one)) {
        confirmed_by_hand(&against, item, force)?;
        entry.confirmed = against;
    }
    alone(path, config, &changed(kind, &entry), json)
}

fn changed(kind: OperatorEntry, entry: &Entry) -> Change {
    match kind {
        OperatorEntry::Add => Change::Add(entry.clone()),
        OperatorEntry::Allow => Change::Allow(entry.clone()),
    }
}

/// An entry as it is understood.
struct Wanted {
    item: Item,
    reason: String,
    time: Option<Duration>,
}

impl Wanted {
    fn read(entry: &Entry) -> Result<Self, Stop> {
        let read = |text: &String| {
            let span = humantime::parse_duration(text);
            span.map_err(|error| Stop::usage(format!("--for {text}: {error}; nothing was changed")))
        };
        Ok(Self {
            item: one_item(&entry.prefix, HostBits::Refuse)?,
            reason: reason(&entry.reason)?,
            time: entry
                .time
                .as_ref()
                .map(read)
                .transpose()?
                .map(time)
                .transpose()?,
        })
    }
}

/// Enter it, with the lock of a pass.
pub(crate) async fn enter_now(
    mut making: Making<'_>,
    kind: OperatorEntry,
    entry: &Entry,
) -> Outcome {
    let Wanted { item, reason, time } = Wanted::read(entry)?;
    let (author, out) = (making.author, making.out);
    let At { config, ledger, .. } = making.site.at()?;
    let now = ledger.now()?;
    let protected = protection(config, ledger, out, now).await?;
    let against = objections(kind, item, &protected, config)?;
    if let Some(news) = against.iter().find(|one| !entry.confirmed.contains(one)) {
        match out {
            // Who is at the terminal is asked by the verb.
            Out::Client(outlet) if entry.confirmed.is_empty() => {
                let _ = outlet.send(OutputPiece::Objections(against));
                return Ok(Exit::Usage);
            }
            _ => {
                return Err(Stop::failed(format!(
                    "meanwhile {news}; nothing was changed"
                )));
            }
        }
    }
    let row = OperatorRow {
        id: 0,
        kind,
        item,
        reason,
        by: author.name.clone(),
        since: now,
        until: time.map(|time| now.after(time)),
        ended: None,
    };
    let before = ledger.atomically(|ledger| {
        let before = ledger.end_operator(kind, item, now, &row.by)?;
        ledger.write_operator(&row)?;
        ledger.note_event(&Event {
            uid: Some(author.uid),
            ..entered(&row)
        })?;
        Ok(before)
    })?;
    let (exit, outcome) = apply(&mut making, kind.begun()).await?;
    if making.json {
        return Ok(exit);
    }
    let At {
        config,
        ledger,
        cache,
    } = making.site.at()?;
    let in_force = cache.in_force(ledger)?;
    let line = tell(&row, before.as_ref(), (&in_force, config), &outcome);
    out.results(|out| writeln!(out, "{line}"))?;
    Ok(exit)
}

/// What speaks against it at this moment.
fn objections_now(
    kind: OperatorEntry,
    item: Item,
    config: &Config,
) -> Result<Vec<Objection>, Stop> {
    let ledger = Ledger::read(&config.state_dir)?;
    let now = ledger.now()?;
    let protected = block_on(protection(config, &ledger, &Out::Ours, now))??;
    objections(kind, item, &protected, config)
}

/// What speaks against it is confirmed on a terminal.
fn confirmed_by_hand(against: &[Objection], item: Item, force: bool) -> Result<(), Stop> {
    if !against.is_empty() && !force {
        return Err(Stop::usage(format!(
            "{}; nothing was changed (--force records the entry after a second confirmation; protected space is still not dropped)",
            joined(against, "; ")
        )));
    }
    match against.is_empty() {
        true => Ok(()),
        false => confirm::confirm(against, &item.to_string()),
    }
}

/// What is protected at this moment. The daemon knows it: the kernel notifies it of each change.
async fn protection(
    config: &Config,
    ledger: &Ledger,
    out: &Out,
    now: Timestamp,
) -> Result<Protect, Stop> {
    let remembered = ledger.discovered()?;
    let found = match out.is_daemon() {
        true => remembered,
        false => discovery::as_it_is(config, &remembered, now).await,
    };
    let newest = ledger.generation()?;
    let by_hand = ledger.operator(newest.map_or(now, |row| row.at))?;
    let (at, sources) = ((config, ledger), (&found[..], &by_hand[..]));
    Ok(protection::in_effect(at, &mut Cache::default(), sources, now)?.protect)
}

/// A time of nothing, or of more than a lifetime, is a typing error.
fn time(time: Duration) -> Result<Duration, Stop> {
    match (SHORTEST..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err(Stop::usage(format!(
            "--for must be between 1s and {}; nothing was changed",
            short(LONGEST)
        ))),
    }
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// The reason as it is kept.
pub(crate) fn reason(text: &str) -> Result<String, Stop> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_REASON || text.chars().any(char::is_control) {
        return Err(Stop::usage(format!(
            "--reason: one line of 1 to {LONGEST_REASON} bytes; nothing was changed"
        )));
    }
    if let Some(hidden) = text.chars().find(|c| shown::is_hidden(*c)) {
        return Err(Stop::usage(format!(
            "--reason: the character U+{:04X} in it cannot be seen; type it again without; nothing was changed",
            u32::from(hidden)
        )));
    }
    Ok(text.to_owned())
}

/// # Errors
/// What is never permitted, not even with `--force`.
fn permitted(kind: OperatorEntry, prefix: IpNet) -> Result<(), Stop> {
    let stop = |why: String| Err(Stop::usage(format!("{prefix}: {why}")));
    if prefix.prefix_len() == 0 {
        return stop(match kind {
            OperatorEntry::Add => {
                "the whole Internet is never dropped; nothing was changed".to_owned()
            }
            OperatorEntry::Allow => {
                "the whole Internet is never allowed by one entry; nothing was changed \
                                     (nullrouted flush withdraws everything)"
                    .to_owned()
            }
        });
    }
    if let (OperatorEntry::Add, IpNet::V6(net)) = (kind, prefix)
        && let Some(form) = embedded_form(net.into())
    {
        return stop(format!(
            "{form}: a route to it does not drop the IPv4 packets; nothing was changed (add the IPv4 network)"
        ));
    }
    let never = nets(&NEVER).find(|(net, _)| kind == OperatorEntry::Add && net.contains(&prefix));
    match never {
        Some((_, why)) => stop(format!("{why} is never dropped; nothing was changed")),
        None => Ok(()),
    }
}

/// What speaks against it.
///
/// # Errors
/// What is never permitted.
fn objections(
    kind: OperatorEntry,
    item: Item,
    protect: &Protect,
    config: &Config,
) -> Result<Vec<Objection>, Stop> {
    let prefix = match item {
        Item::Prefix(prefix) => prefix,
        Item::Origin(asn) => return objections_to_asn(kind, asn, protect),
    };
    permitted(kind, prefix)?;
    let (drops, limits) = (kind == OperatorEntry::Add, &config.policy.limits);
    Ok(objection::objections(drops, prefix, protect, limits))
}

/// The same for an origin AS.
fn objections_to_asn(
    kind: OperatorEntry,
    asn: u32,
    protect: &Protect,
) -> Result<Vec<Objection>, Stop> {
    if kind == OperatorEntry::Allow {
        return Ok(Vec::new());
    }
    if !is_public(asn) {
        return Err(Stop::usage(format!(
            "AS{asn}: no network on the Internet has this number (RFC 6996, RFC 7300, RFC 7607); nothing was changed"
        )));
    }
    let protected = protect.asns().iter().filter(|one| one.asn == asn);
    let against = protected.map(|one| Objection::ProtectedAsn {
        asn,
        why: one.why.clone(),
    });
    Ok(against.collect())
}

/// What came of it, in one line.
fn tell(
    row: &OperatorRow,
    before: Option<&OperatorRow>,
    (in_force, config): (&Effective, &Config),
    outcome: &pass::Outcome,
) -> String {
    let OperatorRow { item, .. } = row;
    let what = match row.kind {
        // Where it is not in force is said on stderr, line by line.
        _ if outcome.failed() => {
            let failed = outcome.targets.iter().filter(|target| target.failed);
            let names: Vec<&str> = failed.map(|target| target.name.as_str()).collect();
            format!("recorded, and NOT in force at {}", names.join(", "))
        }
        OperatorEntry::Add if is_covered(*item, in_force) => match item {
            Item::Prefix(_) => "added: it is blackholed now".to_owned(),
            Item::Origin(_) => format!("added: {}", reach(config)),
        },
        OperatorEntry::Add => match (&outcome.pinned, item) {
            (Some(pin), _) => {
                format!("recorded, and not in force: pinned {pin}, until `nullrouted unpin`")
            }
            (None, Item::Prefix(prefix)) => added_in_part(*prefix, &in_force.nets),
            (None, Item::Origin(_)) => "added, and not refused: it is protected".to_owned(),
        },
        OperatorEntry::Allow => match item {
            Item::Prefix(_) => "allowed: nothing of it is blackholed".to_owned(),
            Item::Origin(_) if config.origins.is_some() => {
                "allowed: no filter refuses it, and none of its prefixes is blackholed".to_owned()
            }
            Item::Origin(_) => {
                "allowed: no filter refuses it (without [asn] table its prefixes are not known)"
                    .to_owned()
            }
        },
    };
    let until = match row.until {
        Some(until) => format!(", until {until} ({})", short(row.since.age(until))),
        None => String::new(),
    };
    let instead = match before {
        Some(before) => format!("; it takes the place of: {}", operator::describe(before)),
        None => String::new(),
    };
    let undo = undo(row.kind, *item);
    format!(
        "{item} {what}{until}{instead}; generation {}; undo: {undo}",
        outcome.generation
    )
}

/// Whether all of it is in force.
fn is_covered(item: Item, in_force: &Effective) -> bool {
    match item {
        Item::Prefix(prefix) => in_force.nets.covering(prefix).is_some(),
        Item::Origin(asn) => in_force.has_origin(asn),
    }
}

/// Where an added AS is refused, and what of it is blackholed.
fn reach(config: &Config) -> String {
    let filters = config
        .routers
        .iter()
        .filter(|router| router.options.role == Role::Filter);
    let filters = match filters.count() {
        0 => "no router of role filter is configured, so nothing refuses it".to_owned(),
        1 => "1 router of role filter refuses its routes".to_owned(),
        count => format!("{count} routers of role filter refuse its routes"),
    };
    let prefixes = match config.origins.is_some() {
        true => "the prefixes that [asn] table knows of it are blackholed",
        false => "without [asn] table none of its prefixes is blackholed",
    };
    format!("{filters}; {prefixes}")
}

fn added_in_part(prefix: IpNet, in_force: &PrefixSet) -> String {
    match in_force.overlaps(prefix) {
        true => "added: it is blackholed but for what is protected in it".to_owned(),
        false => "added, and not blackholed: all of it is protected".to_owned(),
    }
}
