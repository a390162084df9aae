//! Between two passes: what somebody changes is put back, and everything is read now and then (I/O).

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::{PAUSE, RETRY, lock};
use crate::config::Config;
use crate::ledger::{Ledger, LedgerError};
use crate::pass::PassError;
use crate::pass::known::Memory;
use crate::pass::mend::{Why, mend};
use crate::pass::neighbors;
use crate::pass::senses::{News, Senses};
use crate::pass::watched;
use crate::target::kernel::Report;

/// Looks after the routes.
pub(super) struct Guard {
    audited: Instant,
    /// What an audit or a large change did, until it is compared with what FRR holds.
    to_compare: Option<Box<Report>>,
}

impl Guard {
    /// The first audit is due after the span of the configuration; the first pass reads everything anyway.
    pub fn new() -> Self {
        Self {
            audited: Instant::now(),
            to_compare: None,
        }
    }

    /// Wait so long, or until there is something that a pass has to look at.
    pub async fn wait(
        &mut self,
        config: &Config,
        memory: &mut Memory,
        senses: &mut Senses,
        wait: Duration,
    ) {
        let begun = Instant::now();
        loop {
            let now = memory.clock.now();
            let postponed = senses.fib.next().map(|next| now.age(next));
            let why = tokio::select! {
                () = sleep_until(begun + wait) => return,
                news = senses.changed() => match news {
                    // Whatever flaps, never more than so often.
                    News::Around => return sleep_until(begun + PAUSE.min(wait)).await,
                    News::Routes => Why::Told,
                },
                () = sleep(postponed.unwrap_or(wait)), if postponed.is_some() => Why::Told,
                () = sleep_until(self.audited + config.kernel.audit) => Why::Audit,
                done = neighbors::audited(config, memory, self.to_compare.as_deref()), if self.to_compare.is_some() => {
                    self.to_compare = None;
                    if let Err(error) = done {
                        tracing::error!("zebra  {error}");
                    }
                    continue;
                }
            };
            let looked = look_after(config, memory, senses, why).await;
            if why == Why::Audit && !matches!(looked, Ok(Looked::Busy)) {
                self.audited = Instant::now();
            }
            let pause = match looked {
                Ok(Looked::Done(report)) => {
                    if why == Why::Audit || neighbors::may_differ(&report) {
                        self.to_compare = Some(report);
                    }
                    PAUSE
                }
                Ok(Looked::Busy | Looked::Nothing) => RETRY,
                Err(error) => {
                    tracing::error!("watch  {error}");
                    senses.fib.doubt();
                    senses.fib.disturb();
                    RETRY
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = senses.around.changed() => return sleep_until(begun + PAUSE.min(wait)).await,
            }
        }
    }
}

/// What came of looking after the routes.
enum Looked {
    /// A pass of a verb is under way.
    Busy,
    /// There is nothing to keep, or it could not be done.
    Nothing,
    /// They are as they should be.
    Done(Box<Report>),
}

async fn look_after(
    config: &Config,
    memory: &mut Memory,
    senses: &mut Senses,
    why: Why,
) -> Result<Looked, PassError> {
    let Ok(_lock) = lock(config).await? else {
        // What the verb leaves is looked at after it.
        senses.fib.doubt();
        senses.fib.disturb();
        return Ok(Looked::Busy);
    };
    let ledger = Ledger::open(&config.state_dir)?;
    let report = mend(config, &ledger, memory, &mut senses.fib, why).await?;
    Ok(report.map_or(Looked::Nothing, |report| Looked::Done(Box::new(report))))
}

/// For `status`: whether somebody listens, and when nobody removes routes any more.
pub(super) fn tell(
    config: &Config,
    memory: &Memory,
    senses: &mut Senses,
    begins: bool,
) -> Result<(), LedgerError> {
    let now = memory.clock.now();
    let (alarm, is_new) = senses.fib.alarm(now);
    let (text, is_alarm) = match senses.fib.listens() {
        _ if !config.kernel.enabled => return Ok(()),
        false => (
            "cannot listen: what is removed is noticed at the next audit",
            true,
        ),
        true if begins => ("listening", false),
        true => ("nobody removes routes any more", false),
    };
    if begins || is_new && alarm.is_none() {
        Ledger::open(&config.state_dir)?.observe(&watched::state(text, is_alarm, now))?;
    }
    Ok(())
}
