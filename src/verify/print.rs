//! The report for the screen. Pure.

use std::io;

use super::cure::Cure;
use super::report::{Kind, Leak, Report};
use crate::shown::{Lines, counted, thousands};

/// How many leaks of a kind are shown if there are few kinds, and if there are many.
const SHOWN: usize = 3;
const SHOWN_OF_MANY: usize = 1;
const MANY: usize = 3;

impl Report {
    /// Print it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        self.print_verdict(out)?;
        let kinds = Kind::NAMES.map(|(_, kind)| kind).into_iter();
        let kinds = kinds.filter(|kind| self.count(*kind) > 0);
        let shown = match kinds.clone().count() {
            0..=MANY => SHOWN,
            _ => SHOWN_OF_MANY,
        };
        for kind in kinds {
            self.print_kind(out, kind, shown)?;
        }
        if let Some(leak) = self.dropped_all_the_same.first() {
            let count = self.dropped_all_the_same.len();
            writeln!(
                out,
                "note: {count} that rules and routes let through are dropped all the same, as {}: {}",
                leak.prefix,
                leak.route.as_deref().unwrap_or(leak.kind.heading()),
            )?;
        }
        for note in &self.notes {
            writeln!(out, "note: {note}")?;
        }
        // Whether packets from the set are dropped.
        self.sources
            .iter()
            .try_for_each(|line| writeln!(out, "{line}"))
    }

    fn count(&self, kind: Kind) -> usize {
        self.counts.get(kind.name()).copied().unwrap_or(0)
    }

    fn print_verdict(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let (v4, v6) = self.prefixes;
        let asked = &self.asked;
        let all = counted(v4 + v6, "prefix");
        let families = format!("({} IPv4, {} IPv6)", thousands(v4), thousands(v6));
        let sampled = counted(asked.addresses as usize, "sampled address");
        let seed = self.seed;
        let leaks: usize = self.counts.values().sum();
        let leaks = counted(leaks, "leak");
        match (self.all_dropped(), asked.forwarded) {
            (true, _) => writeln!(
                out,
                "everything is dropped: {all} in force {families}, {sampled}, random seed {seed}"
            )?,
            (false, 0) => writeln!(
                out,
                "NOT everything is dropped: {leaks} in {all}: none of {sampled} gets through; the leaks are in rules and routes; random seed {seed}"
            )?,
            (false, through) => writeln!(
                out,
                "NOT everything is dropped: {leaks} in {all}: {} of {sampled} {} through, random seed {seed}",
                thousands(through as usize),
                if through == 1 { "gets" } else { "get" }
            )?,
        }
        if asked.refused > 0 {
            writeln!(
                out,
                "the kernel gave no answer for {} addresses",
                asked.refused
            )?;
        }
        if asked.no_route > 0 {
            let count = asked.no_route;
            writeln!(
                out,
                "{count} of them are not dropped: no route leads there now"
            )?;
        }
        Ok(())
    }

    fn print_kind(&self, out: &mut Lines<'_>, kind: Kind, shown: usize) -> io::Result<()> {
        let count = self.count(kind);
        writeln!(out, "{} ({count}): {}", kind.name(), kind.heading())?;
        let leaks = || self.leaks.iter().filter(|leak| leak.kind == kind);
        for leak in leaks().take(shown) {
            leak.print(out)?;
        }
        // Advice that is the same for several leaks is shown once.
        let mut told: Vec<&Cure> = Vec::new();
        for leak in leaks().take(shown).filter(|leak| !leak.cure.is_empty()) {
            if told.iter().any(|cure| cure.is_same_advice(&leak.cure)) {
                continue;
            }
            match told.is_empty() {
                true => writeln!(out, "  cure: {}", leak.cure)?,
                false => writeln!(out, "  cure of {}: {}", leak.net, leak.cure)?,
            }
            told.push(&leak.cure);
        }
        match count.saturating_sub(shown) {
            0 => Ok(()),
            more => writeln!(out, "  … {more} more (--json shows them)"),
        }
    }
}

impl Leak {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let prefix = self.prefix;
        let open = match self.prefixes {
            1 => prefix.to_string(),
            count => format!("{count} prefixes, {prefix} the first of them"),
        };
        match &self.route {
            Some(route) => writeln!(out, "  {open}: {route}")?,
            None => writeln!(out, "  {open}")?,
        }
        let named = matches!(self.kind, Kind::Rule | Kind::Vrf) || self.packets.is_some();
        if let Some(rule) = self.rule.as_ref().filter(|_| named) {
            match &self.past {
                Some(past) => writeln!(out, "    by rule {rule}, after {past}")?,
                None => writeln!(out, "    by rule {rule}")?,
            }
        }
        if let Some(packets) = &self.packets {
            writeln!(out, "    {packets}")?;
        }
        match &self.asked {
            None => Ok(()),
            Some((address, None)) => writeln!(
                out,
                "    the kernel answers: nothing leads to {address} now"
            ),
            Some((address, Some(answer))) if self.is_route(answer) => {
                writeln!(out, "    the kernel answers: {address} goes there")
            }
            Some((address, Some(answer))) => {
                writeln!(out, "    the kernel answers: {address} by {answer}")
            }
        }
    }
    /// Whether an answer is the route that we named. Until a rule is added for the first time the
    /// kernel keeps the local and the main table in one (`fib_unmerge`), and does not say which of
    /// them has the route.
    fn is_route(&self, answer: &str) -> bool {
        let bare = |text: &str| text.replace(" table local", "");
        let route = self.route.as_deref();
        route.is_some_and(|route| bare(route) == bare(answer))
    }
}
