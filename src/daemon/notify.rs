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

enum Message {
    Ready,
    Status(String),
    Reloading,
    Extend(Duration),
    Watchdog,
    Stopping,
}

/// The service manager, and whether it waits for a start or a reload to end.
#[derive(Debug)]
pub struct Service {
    messages: Option<SyncSender<Message>>,
    waits: AtomicBool,
}

impl Service {
    /// The state at the start.
    pub fn starting() -> Self {
        let (messages, to_send) = sync_channel(WAITING);
        let send = move || to_send.iter().for_each(|message| send(&message));
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

    fn tell(&self, message: Message) {
        if let Some(messages) = &self.messages {
            let _ = messages.try_send(message);
        }
    }

    /// The kernel is as desired: the start or the reload has ended.
    pub fn ready(&self) {
        if self.waits.swap(false, Ordering::Relaxed) {
            self.tell(Message::Ready);
        }
    }

    /// The result of a pass in one line.
    pub fn status(&self, status: &str) {
        // A newline would begin another assignment of the protocol.
        self.tell(Message::Status(shown::line(status).into_owned()));
    }

    /// The configuration is being read again; [`ready`](Self::ready) follows.
    pub fn reloading(&self) {
        self.waits.store(true, Ordering::Relaxed);
        self.tell(Message::Reloading);
    }

    /// Request this much more time from the service manager, if it waits.
    pub fn extend(&self, by: Duration) {
        if self.waits.load(Ordering::Relaxed) {
            self.tell(Message::Extend(by));
        }
    }

    /// The loop that protects is running.
    pub fn beat(&self) {
        self.tell(Message::Watchdog);
    }

    /// The daemon is about to end.
    pub fn stopping(&self) {
        self.tell(Message::Stopping);
    }
}

fn send(message: &Message) {
    let _ = match message {
        Message::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Message::Status(status) => sd_notify::notify(&[NotifyState::Status(status)]),
        Message::Reloading => NotifyState::monotonic_usec_now()
            .and_then(|time| sd_notify::notify(&[NotifyState::Reloading, time])),
        Message::Extend(by) => {
            let by = u32::try_from(by.as_micros()).unwrap_or(u32::MAX);
            sd_notify::notify(&[NotifyState::ExtendTimeoutUsec(by)])
        }
        Message::Watchdog => sd_notify::notify(&[NotifyState::Watchdog]),
        Message::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    };
}

/// The interval of the watchdog, if the unit sets one.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
