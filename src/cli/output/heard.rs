//! The log of a daemon, for the verb whose work it does: what the verb would say on stderr by
//! itself.

use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::{Out, Talk};

/// Who hears the log now, the innermost last: a change may be made while another pass is under way.
static LISTENERS: Mutex<Vec<(Talk, Out)>> = Mutex::new(Vec::new());

/// As long as this lives, a verb hears what is logged.
pub struct Listening(());

/// The verb that writes to `out` hears what it would say itself.
pub fn listen(talk: Talk, out: &Out) -> Listening {
    let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    listeners.push((talk, out.clone()));
    Listening(())
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.pop();
    }
}

/// Passes the lines on.
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), Level::DEBUG);
    Heard.with_filter(ours)
}

struct Heard;

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((talk, out)) = listeners.last() else {
            return;
        };
        let most = match talk {
            Talk::Warnings => Level::WARN,
            Talk::Steps => Level::DEBUG,
            Talk::Daemon => Level::INFO,
        };
        if *event.metadata().level() <= most {
            let mut line = Message::default();
            event.record(&mut line);
            out.say(&line.0);
        }
    }
}

/// The text of an event.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
