//! What passes have in memory, for those who only read it: the verbs that a daemon answers.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::cache::Cache;
use crate::config::{Config, fingerprint};
use crate::pipeline::Decided;

/// What the last pass had in memory. Large parts are shared with it, not copied.
#[derive(Clone, Debug, Default)]
pub struct Published(Arc<Mutex<Option<Shared>>>);

#[derive(Debug)]
struct Shared {
    config: Arc<Config>,
    fingerprint: String,
    cache: Cache,
    /// It is not kept: the worker frees a decision before it makes the next one.
    decided: Weak<Decided>,
}

/// What a reader gets.
#[derive(Debug)]
pub struct Reading {
    /// The configuration that the pass was made with.
    pub config: Arc<Config>,
    pub fingerprint: String,
    /// What the pass had in memory.
    pub cache: Cache,
}

impl Published {
    /// A pass with this configuration has this in memory.
    pub fn put(&self, config: &Arc<Config>, mut cache: Cache) {
        let decided = cache.take_decided();
        let decided = decided.as_ref().map(Arc::downgrade).unwrap_or_default();
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let former = shared.take();
        let former = former.filter(|shared| Arc::ptr_eq(&shared.config, config));
        *shared = Some(Shared {
            config: config.clone(),
            fingerprint: former.map_or_else(|| fingerprint(config), |known| known.fingerprint),
            cache,
            decided,
        });
    }

    /// What there is to read; `None` before the first pass.
    pub fn read(&self) -> Option<Reading> {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = shared.as_ref()?;
        let mut cache = shared.cache.clone();
        cache.put_decided(shared.decided.upgrade());
        Some(Reading {
            config: shared.config.clone(),
            fingerprint: shared.fingerprint.clone(),
            cache,
        })
    }

    /// The fingerprint of the configuration.
    pub fn fingerprint(&self) -> Option<String> {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.as_ref().map(|shared| shared.fingerprint.clone())
    }
}
