//! What verbs show: values with a form as JSON (`Serialize`) and one as text ([`View`]). `--json`,
//! screens and the control socket share them.

mod feed;
mod feeds;
mod history;
mod list;
mod lists;
mod pass;
mod plan;
mod status;
mod why;
mod why_asn;

pub use feed::{FeedStatus, feeds, without_copy};
pub use feeds::Feeds;
pub use history::{Book, Diff, DiffItem, Entry, ItemHistory, PastRoute};
pub use list::{RouteCount, csv};
pub use lists::RouterLists;
pub use pass::{Flushed, Passed};
pub use plan::{Extent, Plan, TargetPlan, Waiting};
pub use status::{InKernel, Selected, Status, observed};
pub use why::{Former, Now, Place, Story, Verdict};
pub use why_asn::{AsnStory, ListedAsn};

use std::io;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::shown::Lines;

/// What a verb shows. Its JSON is that of `Serialize`.
pub trait View: Serialize {
    /// The same for a screen.
    ///
    /// # Errors
    /// Those of `out`.
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()>;
}

/// One network and why it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub prefix: ipnet::IpNet,
    pub why: String,
}

/// How many prefixes of each family there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Routes {
    pub v4: usize,
    pub v6: usize,
}

impl From<[usize; 2]> for Routes {
    fn from([v4, v6]: [usize; 2]) -> Self {
        Self { v4, v6 }
    }
}

/// A value whose JSON is made of parts of others.
fn composed<S: Serializer>(json: Value, serializer: S) -> Result<S::Ok, S::Error> {
    json.serialize(serializer)
}
