//! Keeps the rule in the kernel (I/O).
//!
//! ```text
//!  begin: dump ── reconcile ──► add      routes come and go      end: remove ──► RuleReport
//! ```
//!
//! In this order no route of ours is ever in a table that no rule of ours leads to.

use std::collections::HashSet;
use std::io;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::rule::RuleMessage;
use nix::errno::Errno;

use super::{Family, PresentRule, RuleChange, RuleDifference, WantedRule, message, reconcile};
use crate::netlink::dump;
use crate::netlink::plain::Plain;
use crate::netlink::rule::RTM_NEWRULE;
use crate::targets::Note;
use crate::targets::kernel::Mark;

/// A change of rules that has begun.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    added: Vec<(Family, u32)>,
    difference: RuleDifference,
    failures: Vec<String>,
}

/// The result of a change of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleReport {
    /// What was done.
    pub changes: Vec<RuleChange>,
    /// What an operator should know.
    pub note: Option<Note>,
    /// What could not be done.
    pub failure: Option<String>,
    /// Rules of ours that are still there and should not be.
    pub left: Vec<PresentRule>,
}

/// All rules, in the order in which the kernel looks them up: one small dump.
///
/// # Errors
/// No socket can be opened, or an error from the kernel.
async fn present() -> io::Result<Vec<PresentRule>> {
    let request = RouteNetlinkMessage::GetRule(RuleMessage::default());
    let (mut rules, mut seen) = (Vec::new(), HashSet::new());
    dump(&request, None, |answer| {
        if answer.kind != RTM_NEWRULE {
            return;
        }
        let rule = PresentRule::read(answer.payload);
        rules.extend(rule.filter(|rule| seen.insert(rule.clone())));
    })
    .await?;
    Ok(rules)
}

/// The changes that would be needed.
///
/// # Errors
/// No socket can be opened, or an error from the kernel.
pub async fn difference(wanted: Option<&WantedRule>, marks: &[Mark]) -> io::Result<RuleDifference> {
    Ok(reconcile(&present().await?, wanted, marks))
}

/// Add what is missing. Without a mark no rule is ours, and the kernel is not asked.
pub async fn begin(wanted: Option<WantedRule>, marks: &[Mark]) -> Rules {
    let mut rules = Rules::default();
    if marks.is_empty() {
        return rules;
    }
    match difference(wanted.as_ref(), marks).await {
        Ok(difference) => rules.difference = difference,
        Err(error) => rules
            .failures
            .push(format!("the policy rules cannot be read: {error}")),
    }
    if let Some(wanted) = wanted.filter(|_| !rules.difference.add.is_empty()) {
        rules.add(wanted).await;
    }
    rules
}

impl Rules {
    /// Whether a rule was added, in one family or both.
    pub fn added(&self) -> bool {
        !self.added.is_empty()
    }

    async fn add(&mut self, wanted: WantedRule) {
        let priority = wanted.priority;
        for family in std::mem::take(&mut self.difference.add) {
            let rule = message(family, priority, wanted.table, wanted.protocol);
            let request = RouteNetlinkMessage::NewRule(rule);
            match ask(request, NLM_F_CREATE | NLM_F_EXCL) {
                Ok(()) => self.added.push((family, priority)),
                // This machine has no IPv6, so there is nothing to look up.
                Err(Errno::EAFNOSUPPORT) if family == Family::V6 => {}
                Err(Errno::EEXIST) => {
                    if let Some(why) = in_the_way(family, &wanted).await {
                        self.failures.push(why);
                    }
                }
                Err(why) => self.failures.push(format!(
                    "rule {priority} not added ({family}): {}",
                    reason(why)
                )),
            }
        }
    }

    /// Remove what is not wanted. If the wanted rule could not be added, the others stay: a rule
    /// with another priority is better than none.
    pub fn end(mut self) -> RuleReport {
        let surplus = std::mem::take(&mut self.difference.remove);
        let missing = !self.failures.is_empty();
        let (mut removed, mut left) = (Vec::new(), Vec::new());
        for (rule, other) in std::mem::take(&mut self.difference.stuck) {
            self.failures.push(rule.stuck_by(&other));
            left.push(rule);
        }
        if missing || surplus.is_empty() {
            left.extend(surplus);
            return self.ended(&removed, left);
        }
        for rule in surplus {
            match ask(rule.deletion(), 0) {
                Ok(()) | Err(Errno::ENOENT | Errno::ESRCH) => {
                    removed.push((rule.family, rule.priority));
                }
                Err(why) => {
                    self.failures.push(format!(
                        "rule {} not removed ({}): {}",
                        rule.priority,
                        rule.family,
                        reason(why)
                    ));
                    left.push(rule);
                }
            }
        }
        self.ended(&removed, left)
    }

    fn ended(self, removed: &[(Family, u32)], left: Vec<PresentRule>) -> RuleReport {
        let beside = &self.difference.beside;
        let note = beside.first().map(|first| Note::ForeignRules {
            count: beside.len(),
            first: first.text.clone(),
        });
        let mut done = changes(&self.added, true);
        done.extend(changes(removed, false));
        RuleReport {
            changes: done,
            note,
            failure: (!self.failures.is_empty()).then(|| self.failures.join("; ")),
            left,
        }
    }
}

/// Why the rule is missing although the kernel says that it exists; `None` if it is present after
/// all.
async fn in_the_way(family: Family, wanted: &WantedRule) -> Option<String> {
    let priority = wanted.priority;
    let there = match present().await {
        Ok(there) => there,
        Err(error) => return Some(format!("rule {priority} not added ({family}): {error}")),
    };
    if there.iter().any(|r| r.family == family && r.is(wanted)) {
        return None;
    }
    let same = |rule: &&PresentRule| {
        (rule.family, rule.priority, rule.protocol) == (family, priority, wanted.protocol)
    };
    let other = there.iter().find(same).map(|rule| rule.text.as_str());
    Some(format!(
        "rule {priority} not added ({family}): its place has a rule with our protocol number ({}); it is left alone",
        other.unwrap_or("gone already")
    ))
}

/// The same priority in both families is one change.
pub(super) fn changes(rules: &[(Family, u32)], added: bool) -> Vec<RuleChange> {
    let of = |family| {
        let rules = rules.iter().filter(move |(other, _)| *other == family);
        rules.map(|(_, priority)| *priority)
    };
    let change = |priority, family| RuleChange {
        priority,
        added,
        family,
    };
    let v6: Vec<u32> = of(Family::V6).collect();
    let v4: Vec<u32> = of(Family::V4).collect();
    let first = v4.iter().map(|priority| {
        let alone = (!v6.contains(priority)).then_some(Family::V4);
        change(*priority, alone)
    });
    let alone = v6.iter().filter(|priority| !v4.contains(priority));
    first
        .chain(alone.map(|priority| change(*priority, Some(Family::V6))))
        .collect()
}

/// Make one request. The kernel answers inside of the call.
fn ask(request: RouteNetlinkMessage, flags: u16) -> Result<(), Errno> {
    let done = Plain::open().and_then(|mut socket| socket.ask(request, flags));
    done.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))
}

/// The kernel's answer in words.
fn reason(errno: Errno) -> &'static str {
    match errno {
        Errno::EPERM | Errno::EACCES => "CAP_NET_ADMIN is missing",
        Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP => "this kernel has no policy rules",
        Errno::EAGAIN => "no answer from the kernel",
        errno => errno.desc(),
    }
}
