//! Looking around for space that must not be dropped, and writing down what is found (I/O).

use super::known::Memory;
use super::say;
use crate::config::{Config, Origin};
use crate::discover::{Host, Look, Names, Remembered, Root, Source, Wanted, Watch, look, remember};
use crate::ledger::{Event, Ledger, LedgerError};
use crate::time::Timestamp;

/// So many changes are told one by one at most.
const TOLD: usize = 10;

/// Who notices that an address or a gateway appears. Where the kernel tells nobody, a pass still looks.
pub fn watch(config: &Config) -> Watch {
    Watch::open(&config.protect.discover).unwrap_or_else(|error| {
        tracing::warn!(
            "protect  what appears is noticed at the next pass only: no netlink socket: {error}"
        );
        Watch::blind()
    })
}

/// Look around, and bring what is remembered in step. `watch` learns what is known now. Answers whether
/// there is something new.
pub(super) async fn look_around(
    config: &Config,
    ledger: &Ledger,
    memory: &mut Memory,
    at: Where,
    watch: &mut Watch,
) -> Result<bool, LedgerError> {
    let looks = looks(config, at).await;
    watch.know(&looks);
    complain(&looks, memory);
    let now = Timestamp::now();
    let before = ledger.discovered()?;
    let found = remember(&before, &looks, now);
    if found == before {
        return Ok(false);
    }
    ledger.atomically(|ledger| {
        let new = tell(ledger, &before, &found, now)?;
        ledger.write_discovered(&found)?;
        Ok(new)
    })
}

/// Where a pass looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// At the kernel and in files, which answer at once.
    Near,
    /// At other programs and at names, which may keep us waiting.
    Far,
}

impl Where {
    fn is_at(self, source: Source) -> bool {
        let far = [Source::BgpNeighbors, Source::FeedHosts].contains(&source);
        far == (self == Self::Far)
    }
}

/// What would be remembered after a look; writes nothing down, and asks neither names nor other programs.
pub async fn as_it_is(config: &Config, before: &[Remembered], now: Timestamp) -> Vec<Remembered> {
    remember(before, &looks(config, Where::Near).await, now)
}

/// One look at the sources that are asked; the others keep what they showed.
async fn looks(config: &Config, at: Where) -> Vec<Look> {
    let (asked, others): (Vec<Source>, Vec<Source>) = config
        .protect
        .discover
        .iter()
        .partition(|source| at.is_at(**source));
    let mut looks = look(&Wanted {
        sources: &asked,
        hosts: &hosts(config),
        names: Names::Ask,
        root: Root::default(),
    })
    .await;
    let not_asked = |source| (source, Err(NOT_ASKED.to_owned()));
    looks.extend(others.into_iter().map(not_asked));
    looks
}

const NOT_ASKED: &str = "not asked";

/// Whoever must be reached to fetch the feeds.
fn hosts(config: &Config) -> Vec<Host> {
    let feeds = config.feeds.iter().filter_map(|feed| match &feed.origin {
        Origin::Url(url) => Some((url, format!("feed {}", feed.name))),
        Origin::Path(_) => None,
    });
    let proxy = config
        .fetch
        .proxy
        .iter()
        .map(|url| (url, "the proxy".to_owned()));
    let named = feeds.chain(proxy).filter_map(|(url, feed)| {
        let name = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some(Host { name, feed })
    });
    named.collect()
}

/// A source that cannot be looked at is named once.
fn complain(looks: &[Look], memory: &mut Memory) {
    let failed: Vec<String> = looks
        .iter()
        .filter_map(|(source, look)| Some(format!("{source}: {}", look.as_ref().err()?)))
        .filter(|line| !line.ends_with(NOT_ASKED))
        .collect();
    for line in &failed {
        let line = format!("protect  {line}; what it showed before stays protected");
        say::warning(memory.around.insert(line.clone()), &line);
    }
}

/// What is protected now and was not, and the other way round. Answers whether there is something new.
fn tell(
    ledger: &Ledger,
    before: &[Remembered],
    found: &[Remembered],
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let lacking = |these: &[Remembered], those: &[Remembered]| -> Vec<Remembered> {
        let same = |one: &Remembered, other: &Remembered| {
            (one.source, &one.found) == (other.source, &other.found)
        };
        let new = these
            .iter()
            .filter(|one| !those.iter().any(|other| same(one, other)));
        new.cloned().collect()
    };
    let (new, gone) = (lacking(found, before), lacking(before, found));
    if before.is_empty() || new.len() + gone.len() > TOLD {
        let (all, new, gone) = (found.len(), new.len(), gone.len());
        tracing::info!("protect  {all} networks found by looking around, {new} new, {gone} gone");
    }
    let told = !before.is_empty() && new.len() + gone.len() <= TOLD;
    for (what, one) in new
        .iter()
        .map(|one| ("protected", one))
        .chain(gone.iter().map(|one| ("unprotected", one)))
    {
        let (net, why) = (one.found.net, &one.found.why);
        // Names have other addresses all the time.
        say::news(
            told && one.source != Source::FeedHosts,
            &format!("protect  {net} is {what} now: {why}"),
        );
        if one.source != Source::FeedHosts {
            ledger.note_event(&Event {
                at: now,
                what: what.to_owned(),
                subject: net.to_string(),
                by: String::new(),
                text: why.clone(),
            })?;
        }
    }
    Ok(!new.is_empty())
}
