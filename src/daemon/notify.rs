//! Notifications to the service manager (sd_notify(3)). Without a service manager nothing happens.
//!
//! A send blocks while the manager does not read its socket. So a thread of its own sends, and no
//! caller ever waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::shown;

/// At most this many messages wait for a manager that does not read; later ones are dropped.
const WAITING: usize = 64;

/// What the sending thread is given.
#[derive(Debug)]
enum Message {
    Tell(String),
    /// Answer when everything before it has been sent.
    Sent(SyncSender<()>),
}

/// The service manager, and whether it waits for a start or a reload to end.
#[derive(Debug)]
pub struct Service {
    messages: Option<SyncSender<Message>>,
    waits: AtomicBool,
}

fn send_all(messages: Receiver<Message>, send: impl Fn(String)) {
    for message in messages {
        match message {
            Message::Tell(text) => send(text),
            Message::Sent(answer) => drop(answer.send(())),
        }
    }
}

impl Service {
    /// The state at the start.
    pub fn starting() -> Self {
        let send = |text: String| {
            let _ = sd_notify::notify(&[NotifyState::Custom(&text)]);
        };
        Self::sending(std::env::var_os("NOTIFY_SOCKET").map(|_| send))
    }

    fn sending(send: Option<impl Fn(String) + Send + 'static>) -> Self {
        let (messages, to_send) = sync_channel(WAITING);
        let sends = send.is_some_and(|send| {
            let thread = std::thread::Builder::new().name("notify".to_owned());
            thread.spawn(move || send_all(to_send, send)).is_ok()
        });
        Self {
            messages: sends.then_some(messages),
            waits: AtomicBool::new(true),
        }
    }

    fn tell(&self, message: NotifyState) {
        if let Some(messages) = &self.messages {
            let _ = messages.try_send(Message::Tell(message.to_string()));
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

    /// Wait until everything told so far has been sent, for `limit` at most: the process must not
    /// end before its last message.
    pub fn flush(&self, limit: Duration) {
        let Some(messages) = &self.messages else {
            return;
        };
        let (answer, sent) = sync_channel(1);
        if messages.try_send(Message::Sent(answer)).is_ok() {
            let _ = sent.recv_timeout(limit);
        }
    }
}

/// The interval of the watchdog, if the unit sets one.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::thread::sleep;
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_last_message_is_sent_before_the_process_ends() {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let slow = {
            let sent = sent.clone();
            move |text| {
                sleep(Duration::from_millis(20));
                sent.lock().unwrap().push(text);
            }
        };
        let service = Service::sending(Some(slow));
        service.beat();
        service.stopping();
        service.flush(Duration::from_secs(30));
        assert_eq!(*sent.lock().unwrap(), ["WATCHDOG=1", "STOPPING=1"]);
    }

    #[test]
    fn a_service_manager_that_does_not_read_delays_the_end_by_the_limit() {
        let never = |_| loop {
            std::thread::park();
        };
        let service = Service::sending(Some(never));
        service.stopping();
        let limit = Duration::from_millis(20);
        let begun = Instant::now();
        service.flush(limit);
        assert!(begun.elapsed() >= limit);
        // No limit is waited for where there is no room for a message.
        (0..WAITING).for_each(|_| service.beat());
        service.flush(Duration::from_secs(1_000));
        Service::sending(None::<fn(String)>).flush(Duration::from_secs(1_000));
    }
}
