//! The checked configuration, with every default filled in.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::discover::Source;
use crate::feed::copies::Copies;
use crate::feed::fetch::{Access, FetchLimits, SecretFile};
use crate::feed::formats::Rules;
use crate::feed::schedule::Rhythm;
use crate::feed::standing::Ages;
use crate::feed::withdrawal::WithdrawAfter;
use crate::policy::Policy;
use crate::policy::limits::FeedLimits;
use crate::policy::selection::Selection;
use crate::targets::file::FileOptions;
use crate::targets::kernel::Mark;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the ledger and the copies are.
    pub state_dir: PathBuf,
    /// The feeds, in the order of the file.
    pub feeds: Vec<FeedConfig>,
    /// What may be dropped.
    pub policy: Policy,
    /// The protection as typed; its meaning is in the policy.
    pub protect: TypedProtect,
    /// Lists of networks that must not be dropped, in the order of the file.
    pub protect_feeds: Vec<FeedConfig>,
    /// Whether two different people must approve a held change.
    pub second_person: bool,
    /// The kernel as a target.
    pub kernel: KernelConfig,
    /// The router files.
    pub routers: Vec<RouterConfig>,
    /// Bounds of a download.
    pub fetch: FetchLimits,
    /// Turns origin ASes into prefixes.
    pub origins: Option<OriginsConfig>,
    /// How long the ledger keeps history.
    pub keep: Duration,
    /// Who may use the control socket.
    pub daemon: DaemonConfig,
}

/// `[daemon]`: who may use the control socket besides root and the user of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonConfig {
    /// Its members may read.
    pub group: Option<String>,
    /// Those of them that may also change something.
    pub writers: Vec<String>,
}

/// `[asn]`: the table of origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginsConfig {
    /// The file.
    pub table: PathBuf,
    /// Older tables are ignored.
    pub max_age: Duration,
}

/// `[protect]` as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedProtect {
    /// The prefixes, as written.
    pub prefixes: Vec<String>,
    pub files: Vec<PathBuf>,
    /// Origin ASes that no filter refuses.
    pub asns: Vec<u32>,
    /// The sources of automatic protection.
    pub discover: Vec<Source>,
}

/// Where a feed comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Over HTTP.
    Url(Url),
    /// Over HTTP, from the URL in this file: it is a secret.
    UrlFile(SecretFile),
    /// A local file.
    Path(PathBuf),
}

impl Origin {
    /// Whether it is asked for over HTTP.
    pub fn is_remote(&self) -> bool {
        !matches!(self, Self::Path(_))
    }

    /// For messages: the query of a URL may be a key.
    pub fn shown(&self) -> String {
        match self {
            Self::Url(url) if url.query().is_some() => {
                let mut url = url.clone();
                url.set_query(Some("…"));
                url.to_string().replace("%E2%80%A6", "…")
            }
            _ => self.to_string(),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(url) => write!(f, "{url}"),
            Self::UrlFile(file) => write!(f, "{} {file}", SecretFile::URL),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// Its name: file name of its copies, and its name in messages.
    pub name: String,
    /// The preset it was made from.
    pub preset: Option<&'static str>,
    /// Where it comes from.
    pub origin: Origin,
    /// Its authentication.
    pub access: Access,
    /// How its lines are parsed.
    pub rules: Rules,
    /// When it is fetched.
    pub rhythm: Rhythm,
    /// When its copy becomes stale and when it expires.
    pub ages: Ages,
    /// When a prefix that it no longer lists is withdrawn.
    pub withdraw_after: WithdrawAfter,
    /// Its own limits.
    pub limits: FeedLimits,
    /// Whether its reserved prefixes are kept.
    pub reserved: bool,
    /// Whether an empty but complete list is accepted after one with entries.
    pub believe_empty: bool,
    /// Credit for files generated from it.
    pub attribution: Option<&'static str>,
    /// Whether it protects what it lists.
    pub protects: bool,
}

/// The kernel as a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelConfig {
    /// Whether routes are installed.
    pub enabled: bool,
    /// What marks a route as ours.
    pub mark: Mark,
    /// Whether the routes are removed when the daemon stops.
    pub withdraw_on_stop: bool,
    /// Priority of the policy rule that leads to our table, if one is to be kept.
    pub rule: Option<u32>,
    /// How often the daemon compares everything with the kernel.
    pub audit: Duration,
    /// Whether foreign routes inside our prefixes are covered.
    pub cover_more_specifics: bool,
}

impl KernelConfig {
    /// Default of `audit`.
    pub const AUDIT: Duration = Duration::from_secs(3_600);
    /// Shortest of them.
    pub const SHORTEST_AUDIT: Duration = Duration::from_secs(10);
    /// Longest of them.
    pub const LONGEST_AUDIT: Duration = Duration::from_secs(30 * 24 * 3_600);
}

/// One router file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterConfig {
    /// Its name: argument of `render`.
    pub name: String,
    /// The kind of its file.
    pub options: FileOptions,
    /// Which prefixes in force are in it.
    pub selection: Selection,
    /// The path of the file.
    pub path: PathBuf,
    /// Whether `lists` is chosen before each load, see [`choose`](crate::targets::file::choose).
    pub auto: bool,
    /// Command that checks a new file, with `{file}`; empty for none.
    pub check: Vec<String>,
    /// Command that loads the new file, with `{file}`; empty for none.
    pub reload: Vec<String>,
    /// Command that verifies that it is in force, with `{file}`; empty for none.
    pub verify: Vec<String>,
    /// Whether a foreign file in its place is replaced; a copy of that is kept next to it.
    pub adopt: bool,
}

impl RouterConfig {
    /// Whether the default command loads its file: then the router runs on this machine.
    pub fn reloads_here(&self) -> bool {
        let usual = self.options.family.commands(self.options.role).reload;
        !usual.is_empty() && self.reload == usual
    }

    /// Whether its default command replaces what that of `other` loads.
    pub fn meets_here(&self, other: &Self) -> bool {
        let written = |router: &Self| {
            let options = &router.options;
            (options.family, options.family.loads_into(options.role))
        };
        self.reloads_here() && other.reloads_here() && written(self) == written(other)
    }
}

impl Config {
    /// Default of `[ledger] keep`.
    pub const KEEP: Duration = Duration::from_secs(400 * 24 * 3_600);
    /// Shortest value: what flaps within a day must be visible.
    pub const SHORTEST_KEEP: Duration = Duration::from_secs(24 * 3_600);

    /// Everything that is fetched: the feeds, and the lists that protect.
    pub fn fetched(&self) -> impl Iterator<Item = &FeedConfig> {
        self.feeds.iter().chain(&self.protect_feeds)
    }

    /// The last good copies of its feeds.
    pub fn copies(&self) -> Copies {
        Copies::under(&self.state_dir)
    }
}

impl FeedConfig {
    /// Default interval of a feed over HTTP.
    pub const EVERY_URL: Duration = Duration::from_secs(6 * 3_600);
    /// The same for a local file.
    pub const EVERY_PATH: Duration = Duration::from_secs(60);
    /// Default of `stale_after`.
    pub const STALE_AFTER: Duration = Duration::from_secs(24 * 3_600);
    /// Default of `[asn] max_age`.
    pub const TABLE_AGE: Duration = Duration::from_secs(30 * 24 * 3_600);
    /// Default of `expire_after`.
    pub const EXPIRE_AFTER: Duration = Duration::from_secs(7 * 24 * 3_600);
}
