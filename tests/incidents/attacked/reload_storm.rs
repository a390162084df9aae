//! Five hundred SIGHUPs a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{NOC, Place};

const BETWEEN: Duration = Duration::from_millis(2);

pub fn protection_does_not_starve_and_the_last_reload_counts() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let addresses = "[protect]\ndiscover = [\"addresses\"]\n";
    let place = Place::new(&format!("{NOC}{addresses}"));
    place.write("noc.list", "72.37.186.0/23\n198.51.100.0/24\n");
    let daemon = Daemon::start(&place, &router);
    eventually("all is in force", || router.ours().len() == 2);
    let is_over = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                daemon.signal(Signal::SIGHUP);
                sleep(BETWEEN);
            }
        });
        let free = |address: &str, net: &str| {
            router.ip(&format!("address add {address}/32 dev lo"));
            soon(&router, SECOND, &format!("{address} is free"), || {
                !router.ours().iter().any(|line| line.contains(net))
            });
        };
        // Whatever becomes of it, the storm ends.
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            free("72.37.186.9", " 72.37.186.0/23");
            router.ip("route del blackhole 198.51.100.0/24");
            soon(&router, SECOND, "the route is back", || {
                router
                    .ours()
                    .iter()
                    .any(|line| line.contains(" 198.51.100.0/24"))
            });
            // A change of the configuration counts while the storm goes on.
            place.configure(&format!(
                "{addresses}prefixes = [\"198.51.100.0/25\"]\n{NOC}"
            ));
            eventually("the new configuration is in force", || {
                router
                    .ours()
                    .iter()
                    .any(|line| line.contains(" 198.51.100.128/25"))
            });
        }));
        is_over.store(true, Ordering::Relaxed);
        held.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    daemon.stop();
}
