//! What systemd is told (sd_notify(3)). Without systemd nothing happens.

use sd_notify::NotifyState;

use crate::shown;

/// Ready, and what for. The first call ends the start.
pub fn ready(status: &str) {
    // A newline would begin another assignment of the protocol.
    let status = shown::line(status);
    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// The configuration is read again; [`ready`] follows after the next pass.
pub fn reloading() {
    let time = NotifyState::monotonic_usec_now();
    if let Ok(time) = time {
        let _ = sd_notify::notify(&[NotifyState::Reloading, time]);
    }
}

/// About to end.
pub fn stopping() {
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
}

/// Tell the watchdog twice in its interval that the program is alive, where the unit asks for it.
pub fn watchdog() {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    tokio::spawn(async move {
        loop {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
            tokio::time::sleep(interval / 2).await;
        }
    });
}
