//! `[kernel]`: the routes of this machine.

use std::time::Duration;

use super::Check;
use crate::config::model::KernelConfig;
use crate::config::written;
use crate::targets::kernel::{Kind, Mark};

impl Check<'_> {
    pub(super) fn kernel(&mut self, written: &written::Kernel) -> KernelConfig {
        let default = Mark::default();
        let most = i64::from(u32::MAX);
        // What is refused is never used, not even by a flush that makes do with a broken file: another
        // program's mark would make its routes look like ours.
        let mut table = self.number(
            "table",
            written.table.as_ref(),
            (1, most),
            default.table.into(),
        );
        if let Some(written) = written.table.as_ref().filter(|_| table == 255) {
            self.problem(
                written.span(),
                "table: 255 is the kernel's own table of local addresses",
            );
            table = default.table.into();
        }
        let mut protocol = self.number(
            "protocol",
            written.protocol.as_ref(),
            (0, 255),
            default.protocol.into(),
        );
        if let (Some(written), Some(owner)) =
            (&written.protocol, Mark::owner_of_protocol(protocol as u8))
        {
            let message = format!(
                "protocol: {protocol} belongs to {owner}, which may remove our routes or lose its own"
            );
            self.hinted(
                written.span(),
                message,
                format!("the default is {}", default.protocol),
            );
            protocol = default.protocol.into();
        }
        let metric = self.number(
            "metric",
            written.metric.as_ref(),
            (0, most),
            default.metric.into(),
        );
        let kind = written
            .r#type
            .as_ref()
            .and_then(|word| self.word("type", word, &Kind::NAMES));
        let on_stop = written
            .on_stop
            .as_ref()
            .and_then(|word| self.word("on_stop", word, &[("keep", false), ("withdraw", true)]));
        let table = table as u32;
        KernelConfig {
            enabled: written.enabled.unwrap_or(true),
            mark: Mark {
                table,
                protocol: protocol as u8,
                metric: metric as u32,
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
        let priority = self.number("rule", Some(rule), (0, 32_765), 0);
        let priority = u32::try_from(priority)
            .ok()
            .filter(|priority| *priority > 0)?;
        let has_one = match table {
            253 => "the default table has",
            254 => "the main table has",
            _ => {
                return Some(priority);
            }
        };
        let message = format!("rule: {has_one} its rule already");
        let hint = "a rule is for a table of its own, as in table = 1166".to_owned();
        self.hinted(rule.span(), message, hint);
        None
    }

    /// How often everything is compared with the kernel, whether it told of a change or not.
    fn audit(&mut self, written: &written::Kernel) -> Duration {
        let Some(audit) = &written.audit else {
            return KernelConfig::AUDIT;
        };
        if audit.get_ref().0 < KernelConfig::SHORTEST_AUDIT {
            self.problem(audit.span(), "audit: once in ten seconds at most (\"10s\")");
            return KernelConfig::AUDIT;
        }
        if audit.get_ref().0 > KernelConfig::LONGEST_AUDIT {
            self.problem(
                audit.span(),
                "audit: once in thirty days at least (\"30d\")",
            );
            return KernelConfig::AUDIT;
        }
        audit.get_ref().0
    }
}
