//! What is measured: how long an address waits, and whether memory and descriptors stay flat.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::support::soon::LOOK;

/// A time by a clock that stands still while the machine does, and by that of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waited {
    pub counted: Duration,
    pub by_the_clock: Duration,
}

/// Addresses that are waited for.
#[derive(Default)]
pub struct Waiting {
    open: Vec<(IpAddr, Waited)>,
    done: Vec<(IpAddr, Waited)>,
    last: Option<Instant>,
}

impl Waiting {
    pub fn begin(&mut self, address: IpAddr) {
        self.open.push((address, Waited::default()));
    }

    /// Those that are not protected yet.
    pub fn open(&self) -> Vec<IpAddr> {
        self.open.iter().map(|(address, _)| *address).collect()
    }

    /// After a look: the answer for each of [`open`](Self::open), in that order. Answers who is
    /// protected now. Without a daemon no time counts.
    pub fn see(&mut self, dropped: &[bool], is_served: bool) -> Vec<IpAddr> {
        let look = self.last.replace(Instant::now());
        let look = look.map_or(Duration::ZERO, |last| last.elapsed());
        let mut protected = Vec::new();
        let mut dropped = dropped.iter();
        let done = &mut self.done;
        self.open.retain_mut(|(address, waited)| {
            if is_served {
                waited.counted += look.min(LOOK);
                waited.by_the_clock += look;
            } else {
                *waited = Waited::default();
            }
            let still = dropped.next().is_none_or(|dropped| *dropped);
            if !still {
                protected.push(*address);
                done.push((*address, *waited));
            }
            still
        });
        protected
    }

    /// Who waited longest, protected or not.
    pub fn longest(&self) -> Option<(IpAddr, Waited)> {
        let all = self.open.iter().chain(&self.done);
        all.max_by_key(|(_, waited)| waited.counted).copied()
    }

    /// In a line: how long the addresses waited that are protected.
    pub fn shown(&self) -> String {
        let of = |time: fn(&Waited) -> Duration| {
            let mut all: Vec<_> = self.done.iter().map(|(_, waited)| time(waited)).collect();
            all.sort();
            let at = |share: usize| {
                let at = (all.len() * share / 100).min(all.len().saturating_sub(1));
                all.get(at).map_or(0, Duration::as_millis)
            };
            format!("{} / {} / {} / {}", at(50), at(90), at(99), at(100))
        };
        format!(
            "{} addresses appeared; until protected, median / p90 / p99 / longest: {} ms, by the clock {} ms",
            self.done.len(),
            of(|waited| waited.counted),
            of(|waited| waited.by_the_clock),
        )
    }
}

/// What one process takes, over time.
#[derive(Default)]
pub struct Taken {
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    kib: u64,
    descriptors: u64,
}

/// Fewer samples say nothing about a trend.
const ENOUGH: usize = 20;
/// So much more the last third may take than the middle one: of memory a tenth, and 8 MiB; of
/// descriptors four.
const MORE_KIB: u64 = 8 * 1_024;
const MORE_DESCRIPTORS: u64 = 4;

impl Taken {
    /// One more sample; none of a process that has ended.
    pub fn sample(&mut self, pid: u32) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = status.lines().find_map(|line| {
            let words = line.strip_prefix("VmRSS:")?;
            words.split_whitespace().next()?.parse().ok()
        });
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count);
        if let (Some(kib), Ok(descriptors)) = (kib, descriptors) {
            let descriptors = descriptors as u64;
            self.samples.push(Sample { kib, descriptors });
        }
    }

    /// The most of the middle third and of the last, in a line; the first is for warming up.
    /// Whether there is no growth.
    pub fn flat(&self) -> (String, bool) {
        let third = self.samples.len() / 3;
        if self.samples.len() < ENOUGH {
            let count = self.samples.len();
            return (format!("{count} samples of memory say nothing"), true);
        }
        let (middle, last) = self.samples[third..].split_at(third);
        let most = |part: &[Sample], of: fn(&Sample) -> u64| part.iter().map(of).max().unwrap_or(0);
        let kib = [middle, last].map(|part| most(part, |sample| sample.kib));
        let descriptors = [middle, last].map(|part| most(part, |sample| sample.descriptors));
        let is_flat = kib[1] <= kib[0] + kib[0] / 10 + MORE_KIB
            && descriptors[1] <= descriptors[0] + MORE_DESCRIPTORS;
        let shown = format!(
            "memory {} MiB, then {} MiB; descriptors {}, then {}",
            kib[0] / 1_024,
            kib[1] / 1_024,
            descriptors[0],
            descriptors[1]
        );
        (shown, is_flat)
    }
}
