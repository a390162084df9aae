//! `why`: the whole story of an address or prefix on one screen.

use std::path::Path;

use ipnet::IpNet;

use super::net::one_item;
use super::output::Talk;
use super::site::Reader;
use super::{Exit, Outcome, Stop, ask, block_on, load, output};
use crate::config::RouterConfig;
use crate::control::Question;
use crate::feed::record;
use crate::feed::standing::Standing;
use crate::ledger::{Ledger, OperatorEntry, Seen};
use crate::pass::inputs::{Basis, Inputs};
use crate::pass::operator::describe;
use crate::pass::sets::Sets;
use crate::pipeline::Decision;
use crate::plan::sentences;
use crate::policy::reserved::{RESERVED, touching};
use crate::prefix::{HostBits, Item, PrefixSet, overlap};
use crate::rib::OPERATOR;
use crate::targets::file::Role;
use crate::targets::{self, Absence, Presence, RouterSet, Runner, Wanted};
use crate::time::Timestamp;
use crate::view::{AsnStory, Former, ListedAsn, Now, Place, Story, Verdict};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// An address or a prefix, in any written form, or an origin AS
    #[arg(value_name = "ADDRESS|PREFIX|AS64500")]
    query: String,
    /// The story as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Warnings);
    let query = &arguments.query;
    one_item(query, HostBits::Mask)?;
    let config = load(path)?;
    let question = Question::Why {
        query: query.clone(),
    };
    match ask::question(&config, &question, arguments.json)? {
        Some(exit) => Ok(exit),
        None => answer(Reader::alone(config)?, query, arguments.json),
    }
}

/// Tell it.
pub(super) fn answer(mut reader: Reader, query: &str, json: bool) -> Outcome {
    match one_item(query, HostBits::Mask)? {
        Item::Prefix(net) => {
            let story = tell(&mut reader, query, net)?;
            reader.out.show(&story, json)?;
        }
        Item::Origin(asn) => {
            let story = tell_asn(&mut reader, asn)?;
            reader.out.show(&story, json)?;
        }
    }
    Ok(Exit::Done)
}

fn tell_asn(reader: &mut Reader, asn: u32) -> Result<AsnStory, Stop> {
    let now = reader.ledger.now()?;
    let Reader {
        config,
        ledger,
        cache,
        ..
    } = reader;
    let inputs = Inputs::read(config, ledger, cache, now)?;
    let table = cache.table(config, now);
    let decision = reader.decide(&inputs, now)?;
    let sources = decision.rib.sources().iter();
    let listings = sources.flat_map(|source| {
        let origins = source.copy.origins.iter().filter(|one| one.asn == asn);
        origins.map(|one| ListedAsn {
            feed: source.name.to_string(),
            reference: source.copy.origin_reference(one).to_owned(),
            line: one.line,
        })
    });
    let listings: Vec<ListedAsn> = listings.collect();
    let refused = inputs.in_force.has_origin(asn);
    let filters = reader.config.routers.iter();
    let filters = filters.filter(|router| router.options.role == Role::Filter);
    let protected = inputs.policy(&decision).protect.asns().iter();
    let prefixes = table
        .read()
        .map(|table| table.prefixes_of(asn).collect::<Vec<_>>());
    let nets = &inputs.in_force.nets;
    let blackholed = prefixes.iter().flatten().copied();
    Ok(AsnStory {
        asn,
        refused,
        filters: filters.map(|router| router.name.clone()).collect(),
        protected_by: protected
            .filter(|one| one.asn == asn)
            .map(|one| one.why.clone())
            .collect(),
        held: match (&inputs.pinned, refused != listings.is_empty()) {
            (_, true) => Vec::new(),
            (Some(pin), false) => vec![format!("pinned {}, until `nullrouted unpin`", pin.row)],
            (None, false) => sentences(&decision.verdict.reasons),
        },
        blackholed: blackholed.filter(|net| nets.overlaps(*net)).collect(),
        listings,
        prefixes,
    })
}

fn tell(reader: &mut Reader, query: &str, net: IpNet) -> Result<Story, Stop> {
    let now = reader.ledger.now()?;
    let Reader {
        config,
        ledger,
        cache,
        ..
    } = reader;
    let inputs = Inputs::read(config, ledger, cache, now)?;
    let decision = reader.decide(&inputs, now)?;
    let (config, ledger) = (&reader.config, &reader.ledger);
    let in_force = &inputs.in_force.nets;
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
    formerly.extend(by_hand(ledger, net, now)?);

    let route = in_force.covering(net);
    let inside = in_force.nets().filter(|route| net.contains(route));
    let protected_by = protection(&inputs, &decision, net, !listings.is_empty());
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
    let mut held = sentences(&decision.verdict.reasons);
    if let Some(pin) = &inputs.pinned {
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
        // All of them are looked at, so not where none can be.
        inside: if verdict == Verdict::Partly {
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
        is_unread: {
            let standings = &decision.standings;
            !standings.is_empty() && standings.iter().all(|one| *one == Standing::Missing)
        },
        held: if tells { held } else { Vec::new() },
        places: match verdict {
            Verdict::Blackholed | Verdict::Partly => {
                let basis = Basis {
                    config,
                    ledger,
                    inputs: &inputs,
                    decision: &decision,
                    now,
                };
                let at = At {
                    basis,
                    reader,
                    sets: Sets::as_written(basis)?,
                };
                at.places(route, net)?
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
        .filter(|row| row.kind == OperatorEntry::Add && !row.counts(now));
    let former = over.filter_map(|row| match row.item {
        Item::Prefix(prefix) if prefix.contains(&net) => Some(Former {
            expired: false,
            last_seen: row.ended.or(row.until),
            seen: Seen {
                feed: OPERATOR.to_owned(),
                prefix,
                reference: describe(&row),
                first_seen: row.since,
                last_seen: row.ended,
            },
        }),
        _ => None,
    });
    Ok(former.collect())
}

/// Everything that keeps addresses of `net` from being dropped, every cause.
fn protection(
    inputs: &Inputs,
    decision: &Decision,
    net: IpNet,
    listed: bool,
) -> Vec<(IpNet, String)> {
    let typed = inputs.policy(decision).protect.touching(net);
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
    basis: Basis<'a>,
    reader: &'a Reader,
    /// As their files were made.
    sets: Sets,
}

impl At<'_> {
    /// Where the route really is, or the parts of what was asked for: the kernel is asked for a
    /// route, the files are as the last pass left them.
    fn places(&self, route: Option<IpNet>, net: IpNet) -> Result<Vec<Place>, Stop> {
        let Basis {
            config,
            ledger,
            inputs,
            now,
            ..
        } = self.basis;
        let in_force = inputs.in_force.clone();
        let wanted = Wanted {
            last: ledger.targets()?,
            routers: self.sets.routers().clone(),
            ..Wanted::of(in_force, config, now)
        };
        let kernel = self.reader.kernel();
        let mut runner = Runner::new(targets::all(config, kernel, output::progress()));
        let found = block_on(runner.presence(net, route, &wanted))?.into_iter();
        let places = found.filter_map(|(name, at, presence)| {
            let (absent, part) = match presence {
                Presence::NotConcerned => return None,
                Presence::Here => (None, Vec::new()),
                Presence::Partly(parts) => (None, parts),
                Presence::Absent(absence) => (Some(self.reason(&name, net, absence)), Vec::new()),
                Presence::Unknown(fault) => (Some(fault.to_string()), Vec::new()),
            };
            Some(Place {
                differs: self.differs(&name, net),
                name,
                at,
                absent,
                part,
            })
        });
        Ok(places.collect())
    }

    /// Why it is not there. What its feeds list now may wait.
    fn reason(&self, name: &str, net: IpNet, absence: Absence) -> String {
        match (&absence, self.sets.router(name)) {
            (Absence::NotSelected(selection), Some(set)) if self.listed_now(set).overlaps(net) => {
                let waits = self.waits();
                format!("its selection lists it now ({selection}): {waits}")
            }
            _ => absence.to_string(),
        }
    }

    /// Why a router has something else than its feeds list now, or than it selects now.
    fn differs(&self, name: &str, net: IpNet) -> Option<String> {
        let mut routers = self.basis.config.routers.iter();
        let router = routers.find(|router| router.name == name)?;
        let set = self.sets.router(name);
        let no_longer =
            set.filter(|set| set.set().overlaps(net) && !self.listed_now(set).overlaps(net));
        let no_longer = no_longer.map(|set| {
            let mut lost = self.basis.decision.lost.iter();
            match lost.find(|feed| set.selection.choice.has(feed)) {
                Some(feed) => format!("the copy of feed {feed} cannot be read: what it had stays"),
                None => {
                    let (selection, waits) = (&set.selection, self.waits());
                    format!("its selection no longer lists it ({selection}): {waits}")
                }
            }
        });
        no_longer.or_else(|| self.edit(router))
    }

    fn listed_now(&self, set: &RouterSet) -> PrefixSet {
        set.listed_now(self.basis.decision, self.basis.policy())
    }

    /// What an edit of the configuration does to it.
    fn edit(&self, router: &RouterConfig) -> Option<String> {
        let next = self.sets.edit(self.basis, router)?;
        Some(format!(
            "its [[router]] was changed, and the next pass writes what it selects now: {next}"
        ))
    }

    /// What keeps a router from what its feeds list now.
    fn waits(&self) -> String {
        match &self.basis.inputs.pinned {
            Some(pin) => format!("pinned {}, until `nullrouted unpin`", pin.row),
            None if self.basis.decision.held() => {
                let id = &self.basis.decision.id;
                format!("change {id} is held (nullrouted plan shows it)")
            }
            None => "the next pass writes it".to_owned(),
        }
    }
}
