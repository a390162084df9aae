//! The journal of systemd: each line begins with its priority (sd-daemon(3)), so that
//! `journalctl -p warning` finds what is wrong.

use std::fmt;
use std::io::stderr;
use std::os::fd::AsFd;
use std::sync::OnceLock;

use nix::sys::stat::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Whether stderr goes to the journal: `JOURNAL_STREAM` names its device and inode
/// (systemd.exec(5)).
/// A process that only inherited the variable writes elsewhere.
pub fn is_journal() -> bool {
    static IS: OnceLock<bool> = OnceLock::new();
    *IS.get_or_init(|| {
        let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
        let here = fstat(stderr().as_fd());
        here.is_ok_and(|here| named == format!("{}:{}", here.st_dev, here.st_ino))
    })
}

/// What a line that is no event of the log begins with: it is an error that ends the process.
pub const ERROR: &str = "<3>";

/// A line with its priority.
pub struct Journal;

impl<S, N> FormatEvent<S, N> for Journal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        write!(writer, "<{priority}>")?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
