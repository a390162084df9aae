//! What goes on while an address appears.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Situation;
use super::place::{LIST, Place, put};

const FOREIGN: u32 = 200_000;
const RELOADS: Duration = Duration::from_millis(2);
/// A feed is looked at once a second.
const CHANGES: Duration = Duration::from_millis(700);

/// It ends with this.
pub struct Load {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    pub fn begin(situation: Situation, place: &Place, daemon: u32) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let until = ends.clone();
        let thread = match situation {
            Situation::Quiet => None,
            Situation::Churn => {
                let files = ["add", "del"].map(|verb| {
                    let file = place.path(verb);
                    fs::write(&file, foreign(verb)).unwrap();
                    file
                });
                Some(spawn(move || {
                    for file in files.iter().cycle() {
                        if until.load(Ordering::Relaxed) {
                            return;
                        }
                        let mut ip = Command::new("ip");
                        assert!(ip.arg("-batch").arg(file).status().unwrap().success());
                    }
                }))
            }
            Situation::Refresh => {
                let (file, lists) = (place.path(LIST), [1, 0].map(|number| place.list(number)));
                Some(spawn(move || {
                    for list in lists.iter().cycle() {
                        if until.load(Ordering::Relaxed) {
                            return;
                        }
                        put(&file, list);
                        sleep(CHANGES);
                    }
                }))
            }
            Situation::Reloads => Some(spawn(move || {
                while !until.load(Ordering::Relaxed) {
                    kill(Pid::from_raw(daemon as i32), Signal::SIGHUP).unwrap();
                    sleep(RELOADS);
                }
            })),
        };
        Self { ends, thread }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Routes of another program to networks that no feed lists, of both families.
fn foreign(verb: &str) -> String {
    (0..FOREIGN / 2).fold(String::new(), |mut lines, at| {
        let net = Ipv4Addr::from(0x7000_0000 + at * 256);
        writeln!(lines, "route {verb} {net}/24 via 100.64.0.2 proto static").unwrap();
        let net = Ipv6Addr::from((0x2a00_u128 << 112) + (u128::from(at) << 80));
        writeln!(lines, "route {verb} {net}/48 via fd00:64::2 proto static").unwrap();
        lines
    })
}
