//! `[kernel]`: the routes of this machine.

use std::time::Duration;

use super::{Check, MOST, place, span};
use crate::config::model::KernelConfig;
use crate::config::written;
use crate::targets::kernel::{Kind, Mark};

impl Check<'_> {
    pub(super) fn kernel(&mut self, written: &written::Kernel) -> KernelConfig {
        let default = Mark::default();
        // A refused value is never used, not even by a flush that works with a broken file: with
        // another program's mark its routes would look like ours.
        let table = self.number("table", &written.table, 1..=MOST);
        let mut table = table.unwrap_or(default.table);
        if let (Some(written), 255) = (&written.table, table) {
            let message = "table: 255 is the kernel's own table of local addresses";
            self.problem(written.span(), message);
            table = default.table;
        }
        let protocol = self.number("protocol", &written.protocol, 0..=255);
        let mut protocol = protocol.unwrap_or(default.protocol);
        if let (Some(written), Some(owner)) = (&written.protocol, Mark::owner_of_protocol(protocol))
        {
            let message = format!(
                "protocol: {protocol} belongs to {owner}, which may remove our routes or lose its own"
            );
            let hint = format!("the default is {}", default.protocol);
            self.hinted(written.span(), message, hint);
            protocol = default.protocol;
        }
        let metric = self.number("metric", &written.metric, 0..=MOST);
        let kind = self.word("type", &written.r#type, &Kind::NAMES);
        let words = [("keep", false), ("withdraw", true)];
        let on_stop = self.word("on_stop", &written.on_stop, &words);
        KernelConfig {
            enabled: written.enabled.unwrap_or(true),
            mark: Mark {
                table,
                protocol,
                metric: metric.unwrap_or(default.metric),
                kind: kind.unwrap_or(default.kind),
            },
            withdraw_on_stop: on_stop.unwrap_or(false),
            rule: self.rule(written, table),
            audit: self.audit(written),
            cover_more_specifics: written.cover_more_specifics.unwrap_or(false),
        }
    }

    /// The priority of a rule that leads to our table.
    fn rule(&mut self, written: &written::Kernel, table: u32) -> Option<u32> {
        let rule = written.rule.as_ref()?;
        let priority = self.number("rule", &written.rule, 0..=32_765)?;
        // 0 is none.
        (priority > 0).then_some(())?;
        let has_one = match table {
            253 => "the default table has",
            254 => "the main table has",
            _ => return Some(priority),
        };
        let message = format!("rule: {has_one} its rule already");
        let hint = "a rule is for a table of its own, as in table = 1166".to_owned();
        self.hinted(rule.span(), message, hint);
        None
    }

    /// How often everything is compared with the kernel, with or without notifications.
    fn audit(&mut self, written: &written::Kernel) -> Duration {
        let audit = span(&written.audit).unwrap_or(KernelConfig::AUDIT);
        let message = match () {
            () if audit < KernelConfig::SHORTEST_AUDIT => "audit: must be at least \"10s\"",
            () if audit > KernelConfig::LONGEST_AUDIT => "audit: must be at most \"30d\"",
            () => return audit,
        };
        self.problem(place(&written.audit).unwrap_or_default(), message);
        KernelConfig::AUDIT
    }
}
