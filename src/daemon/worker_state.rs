//! What the main thread sees of the worker.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::Config;

#[derive(Clone, Debug)]
pub(super) struct WorkerState(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    begun: Option<Instant>,
    config: Arc<Config>,
    clock: Clock,
}

impl WorkerState {
    pub fn new(config: &Arc<Config>) -> Self {
        Self(Arc::new(Mutex::new(State {
            begun: None,
            config: config.clone(),
            clock: Clock::default(),
        })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Work begins that a disk may keep from its end.
    pub fn begin(&self) {
        self.with(|state| state.begun = Some(Instant::now()));
    }

    pub fn end(&self) {
        self.with(|state| state.begun = None);
    }

    /// When the running work began.
    pub fn begun(&self) -> Option<Instant> {
        self.with(|state| state.begun)
    }

    /// The configuration in use.
    pub fn config(&self) -> Arc<Config> {
        self.with(|state| state.config.clone())
    }

    /// This is the configuration in use from here on.
    pub fn set_config(&self, config: &Arc<Config>) {
        self.with(|state| state.config = config.clone());
    }

    /// The clock of the last pass.
    pub fn clock(&self) -> Clock {
        self.with(|state| state.clock.clone())
    }

    /// This is the clock of the last pass.
    pub fn set_clock(&self, clock: &Clock) {
        self.with(|state| state.clock = clock.clone());
    }
}
