//! A daemon in a namespace, and what it says.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::namespace::{Namespace, eventually};
use super::{PROGRAM, Place};

/// A daemon at work; it ends with this.
pub struct Daemon {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    /// How many lines [`Daemon::goes_on`] has seen.
    seen: AtomicUsize,
}

impl Daemon {
    /// Start it, and wait until its first pass is made.
    #[track_caller]
    pub fn start(place: &Place, namespace: &Namespace) -> Self {
        Self::start_by(place, namespace.command(PROGRAM))
    }

    /// The same by a command of its own, which becomes the daemon.
    #[track_caller]
    pub fn start_by(place: &Place, program: Command) -> Self {
        Self::start_with(place, program, &["run"])
    }

    /// The same with a verb of its own, which is `run` with options.
    #[track_caller]
    pub fn start_with(place: &Place, program: Command, verb: &[&str]) -> Self {
        let daemon = Self::begin(place, program, verb);
        daemon.says("target=kernel");
        daemon
    }

    /// The same, and nothing is waited for.
    pub fn begin(place: &Place, program: Command, verb: &[&str]) -> Self {
        Self::spawn(place.command(program, verb))
    }

    /// The same with a command that is complete.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, heard) = (
            BufReader::new(child.stderr.take().unwrap()).lines(),
            said.clone(),
        );
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            said,
            seen: AtomicUsize::new(0),
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn runs(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        status.is_ok_and(|status| !status.contains("State:\tZ"))
    }

    /// Everything it said.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// The first line with these words.
    pub fn line(&self, words: &str) -> Option<String> {
        self.said().into_iter().find(|line| line.contains(words))
    }

    /// Wait until it has said this.
    #[track_caller]
    pub fn says(&self, words: &str) {
        let start = std::time::Instant::now();
        while self.line(words).is_none() {
            let late = start.elapsed().as_secs() >= 30;
            assert!(!late, "expected {words:?} in {:#?}", self.said());
            thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Wait for a line with these words after those that this has seen.
    #[track_caller]
    pub fn goes_on(&self, words: &str) -> String {
        let start = std::time::Instant::now();
        loop {
            let said = self.said();
            let seen = self.seen.load(Ordering::Relaxed);
            let next = said[seen..].iter();
            if let Some(at) = next.clone().position(|line| line.contains(words)) {
                self.seen.store(seen + at + 1, Ordering::Relaxed);
                return said[seen + at].clone();
            }
            let late = start.elapsed().as_secs() >= 30;
            assert!(!late, "expected {words:?} in {:#?}", next.as_slice());
            thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// End it as a loss of power would.
    pub fn dies(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Wait for its end.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Tell it to stop, and wait for its end, which is a good one.
    #[track_caller]
    pub fn stop(mut self) -> Vec<String> {
        self.signal(Signal::SIGTERM);
        let code = self.child.wait().unwrap().code();
        assert_eq!(code, Some(0), "{:#?}", self.said());
        eventually("its last words", || self.line("stopped").is_some());
        self.said()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
