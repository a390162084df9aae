//! The table of origins at hand (I/O): read when it changes, believed as long as it is not too old.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::config::{Config, OriginsConfig};
use crate::digest;
use crate::feed::file;
use crate::feed::origins::OriginTable;
use crate::files;
use crate::ledger::TableUsed;
use crate::time::{Timestamp, short};

/// What is known of the table.
#[derive(Clone, Debug, Default)]
pub enum Table {
    /// None is configured.
    #[default]
    Unset,
    /// It is at hand.
    Read(Arc<OriginTable>),
    /// It is older than the configuration permits: like an expired feed, it no longer counts.
    Expired,
    /// It cannot be read, or is no table.
    Failed,
}

impl Table {
    /// What the ledger remembers of it.
    pub fn used(&self) -> TableUsed {
        match self {
            Self::Read(table) => TableUsed::Now(Some(table.digest.clone())),
            Self::Unset => TableUsed::Now(None),
            Self::Expired | Self::Failed => TableUsed::AsBefore,
        }
    }

    /// It, where it is at hand.
    pub fn read(&self) -> Option<&OriginTable> {
        match self {
            Self::Read(table) => Some(table),
            Self::Unset | Self::Expired | Self::Failed => None,
        }
    }

    /// Whether there should be one and it cannot be read.
    pub fn failed(&self) -> bool {
        matches!(self, Self::Failed)
    }

    /// Whether another table was used before: what its prefixes were cannot be told any more.
    pub fn differs_from(&self, before: Option<&str>) -> bool {
        match (self, before) {
            (Self::Read(table), Some(before)) => table.digest != before,
            (Self::Failed, Some(_)) => true,
            _ => false,
        }
    }
}

/// Time limit for the file system to say whether the table has changed: a decision waits for it.
const ANSWER: Duration = Duration::from_millis(500);

/// The table as it was read last.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// Modification time in nanoseconds and size of the file that was read.
    stamp: Option<(u128, u64)>,
    table: Option<Arc<OriginTable>>,
    /// What was said about it last.
    said: String,
}

impl Remembered {
    /// The table that the configuration names.
    pub fn table(&mut self, config: &Config, now: Timestamp) -> Table {
        let Some(origins) = &config.origins else {
            return Table::Unset;
        };
        let (table, line) = match self.read(origins, config.fetch.max_bytes) {
            Err(why) => {
                let path = origins.table.display();
                (
                    Table::Failed,
                    format!("[asn] table {path}: {why}; origin ASes give no new prefixes"),
                )
            }
            Ok(modified) if modified.age(now) >= origins.max_age => {
                let (path, age) = (origins.table.display(), short(modified.age(now)));
                let line = format!(
                    "[asn] table {path}: {age} old (max_age {}); it no longer counts",
                    short(origins.max_age)
                );
                (Table::Expired, line)
            }
            Ok(_) => (
                self.table.clone().map_or(Table::Failed, Table::Read),
                String::new(),
            ),
        };
        if self.said != line && !line.is_empty() {
            tracing::warn!("{line}");
        }
        self.said = line;
        table
    }

    /// Read the file if it is another than before. Answers when it was last written.
    fn read(&mut self, origins: &OriginsConfig, max_bytes: u64) -> Result<Timestamp, String> {
        let about = files::within(&origins.table, ANSWER, |path| {
            let about = files::open(path)?.metadata()?;
            let since = about.modified()?.duration_since(UNIX_EPOCH);
            Ok((since.unwrap_or_default().as_nanos(), about.len()))
        });
        let stamp = match (about, self.stamp) {
            (Ok(stamp), _) => Some(stamp),
            // The table that was read is believed as long as it is young enough.
            (Err(error), Some(known)) if error.kind() == io::ErrorKind::TimedOut => Some(known),
            (Err(error), _) => return Err(error.to_string()),
        };
        let since = stamp.map_or(0, |(since, _)| since);
        if self.stamp != stamp {
            self.table = None;
            self.stamp = None;
            let local = file::read_now(&origins.table, max_bytes, files::PATIENCE);
            let body = local.map_err(|refused| refused.to_string())?;
            let table = OriginTable::parse(&body, digest::of(&body), max_bytes.saturating_mul(8));
            let table = table.map_err(|refused| refused.to_string())?;
            tracing::info!(
                "[asn] table {}  {} prefixes, {} of several origins are left out",
                origins.table.display(),
                table.prefixes,
                table.shared
            );
            self.table = Some(Arc::new(table));
            self.stamp = stamp;
        }
        Ok(Timestamp((since / 1_000_000_000) as i64))
    }
}
