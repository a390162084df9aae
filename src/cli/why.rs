//! `why`: the whole story of an address or prefix on one screen.

mod story;

use std::collections::HashSet;
use std::path::Path;

use ipnet::IpNet;

use super::net::one_net;
use super::output::Talk;
use super::{Exit, Outcome, Stop, block_on, load, output, read_ledger};
use crate::config::{Config, RouterConfig};
use crate::feed::copies::Copies;
use crate::feed::record;
use crate::feed::standing::Standing;
use crate::ledger::{Hand, Ledger, Seen};
use crate::netlink::family::AddressFamily;
use crate::pass::hand::said;
use crate::pass::kernel;
use crate::pass::known::{Known, Memory};
use crate::pass::sets::Sets;
use crate::pipeline::Decision;
use crate::policy::reserved::{RESERVED, touching};
use crate::prefix::{HostBits, Prefix, overlap};
use crate::rib::OPERATOR;
use crate::targets::kernel::{DumpFilter, Fault, Installed, Mark, read};
use crate::time::Timestamp;
use story::{Former, Now, Place, Story, Verdict};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// An address or a prefix, in any written form
    #[arg(value_name = "ADDRESS|PREFIX")]
    query: String,
    /// The story as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Warnings);
    let query = &arguments.query;
    let net = one_net(query, HostBits::Mask)?;
    let config = load(path)?;
    let story = tell(&config, query, net)?;
    if arguments.json {
        output::json(&story.json())?;
    } else {
        output::results(|out| story.print(out))?;
    }
    Ok(Exit::Done)
}

fn tell(config: &Config, query: &str, net: IpNet) -> Result<Story, Stop> {
    let ledger = read_ledger(config)?;
    let copies = Copies::under(&config.state_dir);
    let now = ledger.now()?;
    let known = Known::read(config, &ledger, &copies, &mut Memory::default(), now)?;
    let decision = known.decide(now);
    let in_force = &known.in_force.nets;
    let rows = ledger.feeds()?;
    let mut listings = Vec::new();
    for listing in decision.rib.listings(net) {
        let first_seen = ledger.first_seen(&listing.feed, listing.prefix, &listing.reference)?;
        let last_seen = rows.get(&listing.feed).and_then(|row| row.confirmed_at);
        let feed = config.feeds.iter().find(|feed| feed.name == listing.feed);
        let preset = feed.and_then(|feed| feed.preset);
        listings.push(Now {
            record: record::link(preset, &listing.reference, listing.prefix),
            listing,
            first_seen,
            last_seen,
        });
    }
    let former = |seen: &crate::ledger::Seen| {
        !listings.iter().any(|now| {
            (
                &now.listing.feed,
                now.listing.prefix,
                &now.listing.reference,
            ) == (&seen.feed, seen.prefix, &seen.reference)
        })
    };
    let expired = |name: &str| {
        let mut feeds = config.feeds.iter().zip(&decision.standings);
        feeds.any(|(feed, standing)| feed.name == name && *standing == Standing::Expired)
    };
    let formerly = ledger.listings_covering(net)?;
    let formerly = formerly.into_iter().filter(former).map(|seen| Former {
        expired: seen.last_seen.is_none() && expired(&seen.feed),
        last_seen: seen
            .last_seen
            .or(rows.get(&seen.feed).and_then(|row| row.confirmed_at)),
        seen,
    });
    let mut formerly: Vec<Former> = formerly.collect();
    formerly.extend(by_hand(&ledger, net, now)?);

    let route = in_force.covering(net);
    let inside = in_force.nets().filter(|route| net.contains(route));
    let protected_by = protection(&known, &decision, net, !listings.is_empty());
    let verdict = if route.is_some() {
        Verdict::Blackholed
    } else if in_force.overlaps(net) {
        Verdict::Partly
    } else if decision.permitted.set.overlaps(net) {
        Verdict::Held
    } else if !listings.is_empty() && !protected_by.is_empty() {
        Verdict::Protected
    } else {
        Verdict::NotListed
    };
    let mut held = decision.verdict.reasons.clone();
    if let Some(pin) = &known.pinned {
        held = vec![format!("pinned {}, until `nullrouted unpin`", pin.row)];
    } else if held.is_empty() {
        held = vec!["it waits for the next pass".to_owned()];
    }
    // A hold is part of the story where it keeps something back, or keeps in force what none lists.
    let tells = verdict == Verdict::Held || route.is_some() && listings.is_empty();
    Ok(Story {
        query: query.to_owned(),
        verdict,
        route,
        inside: if route.is_none() {
            inside.collect()
        } else {
            Vec::new()
        },
        since: route
            .map(|route| ledger.route_since(route))
            .transpose()?
            .flatten(),
        listings,
        formerly,
        protected_by,
        change: (tells && decision.held()).then(|| decision.id.clone()),
        held: if tells { held } else { Vec::new() },
        places: match verdict {
            Verdict::Blackholed | Verdict::Partly => {
                let sets = Sets::as_written(config, &ledger, &known, &decision)?;
                let at = At {
                    config,
                    known: &known,
                    decision: &decision,
                    sets: &sets,
                };
                at.places(&ledger, route, net)?
            }
            Verdict::Protected | Verdict::Held | Verdict::NotListed => Vec::new(),
        },
    })
}

/// What was added by hand once and covers `net`.
fn by_hand(ledger: &Ledger, net: IpNet, now: Timestamp) -> Result<Vec<Former>, Stop> {
    let rows = ledger.operator(Timestamp::default())?;
    let over = rows
        .into_iter()
        .filter(|row| row.hand == Hand::Add && !row.counts(now) && row.prefix.contains(&net));
    let former = over.map(|row| Former {
        expired: false,
        last_seen: row.ended.or(row.until),
        seen: Seen {
            feed: OPERATOR.to_owned(),
            prefix: row.prefix,
            reference: said(&row),
            first_seen: row.since,
            last_seen: row.ended,
        },
    });
    Ok(former.collect())
}

/// Everything that keeps addresses of `net` from being dropped, every cause.
fn protection(
    known: &Known,
    decision: &Decision,
    net: IpNet,
    listed: bool,
) -> Vec<(IpNet, String)> {
    let typed = known.policy.protect.touching(net);
    let mut causes: Vec<(IpNet, String)> = typed.map(|p| (p.net, p.why.clone())).collect();
    let permitted = &decision.permitted;
    if listed && permitted.set.covering(net).is_none() {
        for (reserved, why) in touching(&RESERVED, net) {
            if !causes.iter().any(|(other, _)| *other == reserved) {
                causes.push((reserved, why.to_owned()));
            }
        }
        let refused = permitted
            .refused
            .iter()
            .filter(|listing| listing.prefix.contains(&net));
        causes.extend(refused.map(|listing| {
            (
                listing.prefix,
                format!("shorter than the limit, refused ({listing})"),
            )
        }));
        let dropped = permitted
            .dropped
            .iter()
            .filter(|dropped| overlap(dropped, &net));
        let why = "dropped whole: protected space in it would leave more than 128 pieces";
        causes.extend(dropped.map(|dropped| (*dropped, why.to_owned())));
    }
    causes
}

/// What is known of the targets.
struct At<'a> {
    config: &'a Config,
    known: &'a Known,
    decision: &'a Decision,
    /// As their files were made.
    sets: &'a Sets,
}

impl At<'_> {
    /// Where the route really is, or the parts of what was asked for: the kernel is asked for a route, the files are as
    /// the last pass left them.
    fn places(
        &self,
        ledger: &Ledger,
        route: Option<IpNet>,
        net: IpNet,
    ) -> Result<Vec<Place>, Stop> {
        let config = self.config;
        let mut places = Vec::new();
        if let Some(route) = route.filter(|_| config.kernel.enabled) {
            let absent = block_on(absent_from_kernel(config, route, net))?;
            let absent = absent.unwrap_or_else(|fault| Some(fault.to_string()));
            places.push(Place {
                name: kernel::KERNEL.to_owned(),
                at: format!("table {}", config.kernel.mark.table),
                absent,
                part: Vec::new(),
                differs: None,
            });
        }
        let rows = ledger.targets()?;
        for router in &config.routers {
            let row = rows.iter().find(|row| row.name == router.name);
            let absent = match row {
                None => Some("not written yet".to_owned()),
                Some(row) if row.failed => Some(row.report.clone()),
                Some(_) => None,
            };
            places.push(self.router(router, absent, route, net));
        }
        Ok(places)
    }

    /// A router whose file is there, unless it is `absent` for this reason.
    fn router(
        &self,
        router: &RouterConfig,
        absent: Option<String>,
        route: Option<IpNet>,
        net: IpNet,
    ) -> Place {
        let mut place = Place {
            name: router.name.clone(),
            at: router.path.display().to_string(),
            absent,
            part: Vec::new(),
            differs: None,
        };
        let Some(set) = self.sets.router(&router.name) else {
            if route.is_none() && place.absent.is_none() {
                let in_force = self.known.in_force.nets.nets();
                place.part = in_force.filter(|prefix| net.contains(prefix)).collect();
            }
            place.differs = self.edit(router);
            return place;
        };
        // What it is not to have is no failure of its.
        let now = set.listed_now(self.decision, &self.known.policy);
        let waits = self.waits();
        if route.is_none() {
            place.part = set.inside(net).collect();
        }
        if place.part.is_empty() {
            let route = route.unwrap_or(net);
            let not = set.why_not(net, route, (&now, &waits), &router.options);
            place.absent = not.or(place.absent);
        }
        let has = set.set().overlaps(net);
        let no_longer = has && !now.overlaps(net);
        let selection = set.selection();
        let mut lost = self.decision.lost.iter();
        let lost = lost.find(|feed| selection.choice.has(feed));
        let no_longer = no_longer.then(|| match lost {
            Some(feed) => format!("the copy of feed {feed} cannot be read: what it had stays"),
            None => format!("its selection no longer lists it ({selection}): {waits}"),
        });
        place.differs = no_longer.or_else(|| self.edit(router));
        place
    }

    /// What an edit of the configuration does to it.
    fn edit(&self, router: &RouterConfig) -> Option<String> {
        let next = self.sets.edit(self.config, self.decision, router)?;
        Some(format!(
            "its [[router]] was changed, and the next pass writes what it selects now: {next}"
        ))
    }

    /// What keeps a router from what its feeds list now.
    fn waits(&self) -> String {
        match &self.known.pinned {
            Some(pin) => format!("pinned {}, until `nullrouted unpin`", pin.row),
            None if self.decision.held() => {
                let id = &self.decision.id;
                format!("change {id} is held (nullrouted plan shows it)")
            }
            None => "the next pass writes it".to_owned(),
        }
    }
}

async fn absent_from_kernel(
    config: &Config,
    route: IpNet,
    net: IpNet,
) -> Result<Option<String>, Fault> {
    let mark = &config.kernel.mark;
    match (route, net) {
        (IpNet::V4(route), IpNet::V4(net)) => {
            absent_in_family::<u32>(mark, route.into(), net.into()).await
        }
        (IpNet::V6(route), IpNet::V6(net)) => {
            absent_in_family::<u128>(mark, route.into(), net.into()).await
        }
        _ => Ok(None),
    }
}

async fn absent_in_family<B: AddressFamily>(
    mark: &Mark,
    route: Prefix<B>,
    net: Prefix<B>,
) -> Result<Option<String>, Fault> {
    let installed = read::<B>(mark, DumpFilter::All).await?.routes;
    let here: HashSet<Prefix<B>> = ours(&installed).map(|route| route.prefix).collect();
    let covered = |other: &Installed<B>| match other.prefix.halves() {
        Some((low, high)) => here.contains(&low) && here.contains(&high),
        None => ours(&installed)
            .any(|route| route.prefix == other.prefix && route.metric < other.metric),
    };
    // Longest match wins, unless something of ours covers it.
    let inside = installed.iter().filter(|other| {
        let longer = other.prefix.len() > route.len() && route.contains(&other.prefix);
        !other.ours && longer && !covered(other)
    });
    let wins = inside.filter(|other| other.prefix.overlaps(&net) && other.forwards());
    if let Some(other) = wins.max_by_key(|other| other.prefix.len()) {
        return Ok(Some(format!(
            "a more specific route that is not ours wins: {other}"
        )));
    }
    let mut here = installed.iter().filter(|other| other.prefix == route);
    if let Some(ours) = here.clone().find(|other| other.ours) {
        let mut better = here.filter(|o| !o.ours && o.metric < ours.metric && o.forwards());
        return Ok(better.next().map(|other| {
            format!("a route that is not ours, with a better metric, wins: {other}")
        }));
    }
    Ok(Some(match here.next() {
        Some(other) => format!("its place has a route that is not ours: {other}"),
        None => "there is no such route; the next pass puts it back".to_owned(),
    }))
}

fn ours<B: AddressFamily>(installed: &[Installed<B>]) -> impl Iterator<Item = &Installed<B>> {
    installed.iter().filter(|route| route.ours)
}
