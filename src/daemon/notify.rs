//! Notifications to the service manager (sd_notify(3)). Without a service manager nothing happens.
//!
//! A send blocks while the manager does not read its socket. So a thread of its own sends, and no
//! caller ever waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::shown;

/// At most this many messages wait for a manager that does not read; later ones are dropped.
const WAITING: usize = 64;

/// The service manager, and whether it waits for a start or a reload to end.
#[derive(Debug)]
pub struct Service {
    messages: Option<SyncSender<String>>,
    waits: AtomicBool,
}

impl Service {
    /// The state at the start.
    pub fn starting() -> Self {
        let (messages, to_send) = sync_channel::<String>(WAITING);
        let send = move || {
            for message in to_send {
                let _ = sd_notify::notify(&[NotifyState::Custom(&message)]);
            }
        };
        let sends = std::env::var_os("NOTIFY_SOCKET").is_some()
            && std::thread::Builder::new()
                .name("notify".to_owned())
                .spawn(send)
                .is_ok();
        Self {
            messages: sends.then_some(messages),
            waits: AtomicBool::new(true),
        }
    }

    fn tell(&self, message: NotifyState) {
        if let Some(messages) = &self.messages {
            let _ = messages.try_send(message.to_string());
        }
    }

    /// The kernel is as desired: the start or the reload has ended.
    pub fn ready(&self) {
        if self.waits.swap(false, Ordering::Relaxed) {
            self.tell(NotifyState::Ready);
        }
    }

    /// The result of a pass in one line.
    pub fn status(&self, status: &str) {
        // A newline would begin another assignment of the protocol.
        self.tell(NotifyState::Status(&shown::line(status)));
    }

    /// The configuration is being read again; [`ready`](Self::ready) follows.
    pub fn reloading(&self) {
        self.waits.store(true, Ordering::Relaxed);
        // Both belong into one message.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            let message = format!("{}\n{now}", NotifyState::Reloading);
            self.tell(NotifyState::Custom(&message));
        }
    }

    /// Request this much more time from the service manager, if it waits.
    pub fn extend(&self, by: Duration) {
        if self.waits.load(Ordering::Relaxed) {
            let by = u32::try_from(by.as_micros()).unwrap_or(u32::MAX);
            self.tell(NotifyState::ExtendTimeoutUsec(by));
        }
    }

    /// The loop that protects is running.
    pub fn beat(&self) {
        self.tell(NotifyState::Watchdog);
    }

    /// The daemon is about to end.
    pub fn stopping(&self) {
        self.tell(NotifyState::Stopping);
    }
}

/// The interval of the watchdog, if the unit sets one.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
