//! Route lookups in the kernel (I/O).

use std::net::IpAddr;

use super::answer::{Verdict, verdict};
use super::cure::{Causes, cure};
use super::fault::Fault;
use super::fib::Fib;
use super::finding::{Finding, Findings};
use super::leaks::leaks;
use super::order::Order;
use super::probes::{Question, addresses};
use super::read;
use super::report::{Kind, Leak, Report};
use super::route::answered;
use crate::config::KernelConfig;
use crate::netlink::family::AddressFamily;
use crate::netlink::names::Names;
use crate::netlink::{Questions, Reply};
use crate::prefix::{Prefix, PrefixSet};

/// How many lookups are sent at once.
const BATCH: usize = 4_096;
/// At most this many unexplained answers are kept.
const UNEXPLAINED: usize = 1_000;
/// Check whether everything in force is dropped. `progress` receives the number of prefixes that
/// are done.
///
/// # Errors
/// The kernel cannot be asked.
pub async fn verify(
    set: &PrefixSet,
    settings: &KernelConfig,
    seed: u64,
    mut progress: impl FnMut(u64),
) -> Result<Report, Fault> {
    let mut report = Report {
        prefixes: (set.v4.len(), set.v6.len()),
        seed,
        counts: Kind::NAMES.map(|(name, _)| (name, 0)).into(),
        ..Report::default()
    };
    let names = read::names().await?;
    let mut asking = Asking {
        questions: Questions::open().map_err(Fault::Socket)?,
        names,
        settings: settings.clone(),
        report: &mut report,
        progress: &mut progress,
        done: 0,
    };
    asking.family(&set.v4).await?;
    asking.family(&set.v6).await?;
    // By kind, both families together.
    report.leaks.sort_by_key(|leak| leak.kind);
    Ok(report)
}

struct Asking<'a> {
    questions: Questions,
    names: Names,
    settings: KernelConfig,
    report: &'a mut Report,
    progress: &'a mut dyn FnMut(u64),
    /// Prefixes that are done.
    done: u64,
}

/// Whether the kernel drops a packet of this machine to this address, by one question.
pub async fn drops(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => drops_one::<u32>(address.into()).await,
        IpAddr::V6(address) => drops_one::<u128>(address.into()).await,
    }
}

async fn drops_one<B: AddressFamily>(address: B) -> bool {
    let Ok(mut questions) = Questions::open() else {
        return false;
    };
    let mut drops = false;
    let answer = |_, reply: Reply<'_>| drops = verdict::<B>(reply) == Verdict::Dropped;
    let question = [Question::PLAIN.to(address)];
    questions.ask(&question, answer).await.is_ok() && drops
}

/// The kernel's answer for the address of a finding: the route, or `None` if no route matches.
type Said = Option<String>;

impl Asking<'_> {
    async fn family<B: AddressFamily>(&mut self, prefixes: &[Prefix<B>]) -> Result<(), Fault> {
        if prefixes.is_empty() {
            return Ok(());
        }
        let order = Order::new(read::rules::<B>().await?, &self.names.vrfs());
        let table = self.settings.mark.table;
        let mut tables = order.reach(table, false).tables;
        let (mut fib, mut whole) = read::routes(prefixes, self.settings.mark, &tables).await?;
        let hides = fib.hides();
        if fib.throws() || hides {
            tables = order.reach(table, true).tables;
            tables.extend(hides.then_some(table));
            (fib, whole) = read::routes(prefixes, self.settings.mark, &tables).await?;
        }
        if !whole {
            let note = "the routes change faster than they can be read: some causes may be missing";
            self.report.notes.push(note.to_owned());
        }
        let (mut findings, cut_short) = leaks(&fib, &order, &self.names, &self.settings.mark);
        if cut_short {
            let note = "the rules are too many to follow every combination of them";
            self.report.notes.push(note.to_owned());
        }
        let mut asked = vec![None; findings.kept.len()];
        if self.probe(prefixes, &mut findings, &mut asked).await? {
            self.confirm(prefixes, &fib, &order, &findings, asked)
                .await?;
        } else {
            let family = if B::WIDTH == 128 { "IPv6" } else { "IPv4" };
            let count = prefixes.len();
            let note = format!("the kernel has no {family}: {count} prefixes lead nowhere");
            self.report.notes.push(note);
        }
        Ok(())
    }

    /// Look up addresses of every prefix. Returns `false` if the kernel does not have the family.
    async fn probe<B: AddressFamily>(
        &mut self,
        prefixes: &[Prefix<B>],
        findings: &mut Findings<B>,
        asked: &mut [Option<(B, Said)>],
    ) -> Result<bool, Fault> {
        let mut batch: Vec<(usize, B)> = Vec::with_capacity(BATCH);
        let mut there = true;
        for (index, prefix) in prefixes.iter().enumerate() {
            batch.extend(addresses(prefix, self.report.seed).map(|address| (index, address)));
            if batch.len() + 3 > BATCH || index + 1 == prefixes.len() {
                there &= self.batch(prefixes, &batch, findings, asked).await?;
                batch.clear();
                (self.progress)(self.done + index as u64 + 1);
            }
        }
        self.done += prefixes.len() as u64;
        Ok(there)
    }

    async fn batch<B: AddressFamily>(
        &mut self,
        prefixes: &[Prefix<B>],
        batch: &[(usize, B)],
        findings: &mut Findings<B>,
        asked: &mut [Option<(B, Said)>],
    ) -> Result<bool, Fault> {
        let questions: Vec<_> = batch
            .iter()
            .map(|(_, address)| Question::PLAIN.to(*address))
            .collect();
        let mut there = true;
        let (report, names, settings) = (&mut *self.report, &self.names, &self.settings);
        let counts = &mut report.asked;
        let answer = |at: usize, reply: Reply<'_>| {
            let (index, address) = batch[at];
            counts.addresses += 1;
            match verdict::<B>(reply) {
                Verdict::Dropped => counts.dropped += 1,
                Verdict::NoRoute => counts.no_route += 1,
                Verdict::NoFamily => {
                    counts.no_route += 1;
                    there = false;
                }
                Verdict::Refused(_) => counts.refused += 1,
                Verdict::Forwarded(route) => {
                    counts.forwarded += 1;
                    let prefix = prefixes[index];
                    match findings.explains(index, prefix, address) {
                        Some(Some(finding)) if asked[finding].is_none() => {
                            let route = answered::<B>(route, names);
                            asked[finding] = Some((address, Some(route)));
                        }
                        Some(_) => {}
                        None => {
                            findings.counts[Kind::Unexplained as usize] += 1;
                            if findings.counts[Kind::Unexplained as usize] <= UNEXPLAINED {
                                let route = answered::<B>(route, names);
                                let leak = unexplained(prefix, address, route, settings, names);
                                report.leaks.push(leak);
                            }
                        }
                    }
                }
            }
        };
        let done = self.questions.ask(&questions, answer).await;
        done.map_err(Fault::Answer)?;
        Ok(there)
    }

    /// Look up each finding that no answer has shown yet, if that is possible, and report it.
    async fn confirm<B: AddressFamily>(
        &mut self,
        prefixes: &[Prefix<B>],
        fib: &Fib<'_, B>,
        order: &Order<B>,
        findings: &Findings<B>,
        asked: Vec<Option<(B, Said)>>,
    ) -> Result<(), Fault> {
        let mut counts = findings.counts;
        let all: Vec<_> = findings.kept.iter().zip(asked).collect();
        for some in all.chunks(BATCH) {
            let open = some
                .iter()
                .enumerate()
                .filter(|(_, (_, asked))| asked.is_none());
            let open =
                open.filter_map(|(at, (finding, _))| Some((at, finding, finding.askable()?)));
            let open: Vec<_> = open.collect();
            let questions = open
                .iter()
                .map(|(_, finding, question)| question.to(finding.address));
            let questions: Vec<_> = questions.collect();
            let mut answers: Vec<_> = some.iter().map(|(_, asked)| asked.clone()).collect();
            let mut dropped = vec![false; some.len()];
            let names = &self.names;
            let answer = |question: usize, reply: Reply<'_>| {
                let (at, finding, _) = open[question];
                match verdict::<B>(reply) {
                    Verdict::Forwarded(route) => {
                        answers[at] = Some((finding.address, Some(answered::<B>(route, names))));
                    }
                    // Our route is missing, and packets are not forwarded only because no other
                    // route matches.
                    Verdict::NoRoute if matches!(finding.kind, Kind::Missing | Kind::NoRule) => {
                        answers[at] = Some((finding.address, None));
                    }
                    Verdict::Dropped | Verdict::NoRoute => {
                        dropped[at] = finding.stands_and_falls(order);
                    }
                    Verdict::NoFamily | Verdict::Refused(_) => {}
                }
            };
            let done = self.questions.ask(&questions, answer).await;
            done.map_err(Fault::Answer)?;
            for ((finding, _), (answer, dropped)) in
                some.iter().zip(answers.into_iter().zip(dropped))
            {
                let leak = self.leak(prefixes, fib, order, finding, answer);
                if dropped {
                    counts[finding.kind as usize] -= 1;
                    self.report.dropped_all_the_same.push(leak);
                } else {
                    self.report.leaks.push(leak);
                }
            }
        }
        for (name, kind) in Kind::NAMES {
            *self.report.counts.entry(name).or_default() += counts[kind as usize];
        }
        Ok(())
    }

    fn leak<B: AddressFamily>(
        &self,
        prefixes: &[Prefix<B>],
        fib: &Fib<'_, B>,
        order: &Order<B>,
        finding: &Finding<B>,
        asked: Option<(B, Said)>,
    ) -> Leak {
        let names = &self.names;
        let rule = |at: Option<usize>| at.and_then(|at| order.rules.get(at));
        let causes = Causes {
            route: finding.route.and_then(|at| fib.routes.get(at as usize)),
            rule: rule(finding.rule),
            jump: rule(finding.jump),
        };
        let packets = finding.packets.as_ref();
        Leak {
            kind: finding.kind,
            prefix: prefixes[finding.prefix].to_net(),
            prefixes: finding.prefixes,
            net: finding.net.to_net(),
            asked: asked.map(|(address, said)| (address.to_ip(), said)),
            packets: packets.and_then(|packets| packets.words(names)),
            rule: causes.rule.map(|rule| rule.text(names)),
            past: causes.jump.map(|rule| rule.text(names)),
            route: causes.route.map(|route| route.text(names)),
            protocol: causes
                .route
                .map(|route| names.protocol(route.route.protocol)),
            cure: cure(finding.kind, &causes, &self.settings, names),
        }
    }
}

fn unexplained<B: AddressFamily>(
    prefix: Prefix<B>,
    address: B,
    route: String,
    settings: &KernelConfig,
    names: &Names,
) -> Leak {
    Leak {
        kind: Kind::Unexplained,
        prefix: prefix.to_net(),
        prefixes: 1,
        net: Prefix::host(address).to_net(),
        asked: Some((address.to_ip(), Some(route))),
        packets: None,
        rule: None,
        past: None,
        route: None,
        protocol: None,
        cure: cure(Kind::Unexplained, &Causes::<B>::default(), settings, names),
    }
}
