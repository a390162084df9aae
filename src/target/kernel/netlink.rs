//! Routes in and out of the kernel over rtnetlink (I/O).
//!
//! One request at a time for now; [`Kernel::apply`] takes a whole [`Difference`], which is the
//! seam where batches go.

use std::fmt;
use std::io;

use futures_util::StreamExt;
use netlink_packet_core::{
    ErrorMessage, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::RouteMessage;
use nix::errno::Errno;
use rtnetlink::Handle;

use super::message::{self, Installed, Kin};
use super::{Difference, Mark};
use crate::prefix::Prefix;

/// What was done in one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Routes added.
    pub added: usize,
    /// Routes removed.
    pub removed: usize,
    /// Routes that were there and stayed.
    pub kept: usize,
    /// Routes that the kernel refused; [`Report::first_failure`] says why.
    pub failed: usize,
    /// The first refusal.
    pub first_failure: Option<String>,
    /// Listed prefixes whose place a foreign route has.
    pub occupied: Vec<String>,
    /// Routes of ours that nothing explains, kept for now.
    pub unexplained: usize,
}

/// Why the kernel cannot be used as a target.
#[derive(Debug)]
pub enum Fault {
    /// No netlink socket.
    Socket(io::Error),
    /// The dump failed.
    Dump(rtnetlink::Error),
    /// Every dump was interrupted by a change (`NLM_F_DUMP_INTR`).
    Restless,
    /// Routes may not be changed here.
    Permission,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(error) => write!(f, "no netlink socket: {error}"),
            Self::Dump(error) => write!(f, "the routes cannot be read: {}", reason(error)),
            Self::Restless => f.write_str("the routes change faster than they can be read"),
            Self::Permission => f.write_str(
                "routes may not be changed: CAP_NET_ADMIN is missing (run as root, from the shipped \
                 unit, or give it with setcap cap_net_admin+ep)",
            ),
        }
    }
}

impl std::error::Error for Fault {}

/// An open way to the kernel's routes.
#[derive(Clone, Debug)]
pub struct Kernel {
    handle: Handle,
    mark: Mark,
}

/// So often is a dump asked again that was interrupted by a change.
const DUMP_TRIES: usize = 5;

impl Kernel {
    /// Open a socket; a task of the current tokio runtime serves it.
    pub fn open(mark: Mark) -> Result<Self, Fault> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(Fault::Socket)?;
        tokio::spawn(connection);
        Ok(Self { handle, mark })
    }

    /// What marks a route as ours here.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// All routes of one family in our table. A family that the kernel does not have has none.
    pub async fn dump<B: Kin>(&self) -> Result<Vec<Installed<B>>, Fault> {
        for _ in 0..DUMP_TRIES {
            if let Some(routes) = self.dump_once().await? {
                return Ok(routes);
            }
        }
        Err(Fault::Restless)
    }

    /// One dump; `None` when the routes changed under it, so that it may be incomplete.
    async fn dump_once<B: Kin>(&self) -> Result<Option<Vec<Installed<B>>>, Fault> {
        let mut request = NetlinkMessage::from(RouteNetlinkMessage::GetRoute(message::dump::<B>()));
        request.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let mut answers = self.handle.clone().request(request).map_err(Fault::Dump)?;
        let mut routes = Vec::new();
        let mut whole = true;
        while let Some(answer) = answers.next().await {
            whole &= answer.header.flags & NLM_F_DUMP_INTR == 0;
            match answer.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) => {
                    routes.extend(message::read::<B>(&route, &self.mark));
                }
                NetlinkPayload::Error(error) if no_such_family(&error) => return Ok(Some(routes)),
                NetlinkPayload::Error(error) => {
                    return Err(Fault::Dump(rtnetlink::Error::NetlinkError(error)));
                }
                _ => {}
            }
        }
        Ok(whole.then_some(routes))
    }

    /// Make one family as the difference says. Answers by meaning: a route that is there already
    /// is added, one that is gone already is removed.
    ///
    /// # Errors
    /// [`Fault::Permission`] at the first refusal of that kind; other refusals are counted.
    pub async fn apply<B: Kin>(&self, difference: &Difference<B>) -> Result<Report, Fault> {
        let mut report = Report {
            kept: difference.keep,
            occupied: difference
                .occupied
                .iter()
                .map(|o| o.by.to_string())
                .collect(),
            unexplained: difference.unexplained,
            ..Report::default()
        };
        // Additions first: where neighbours are joined, no address is without its route meanwhile.
        let mut exists = Vec::new();
        for prefix in &difference.add {
            let message = message::route(*prefix, B::metric(&self.mark), &self.mark);
            match self.add(message).await {
                Ok(()) => report.added += 1,
                Err(error) => match meaning(&error) {
                    Meaning::Exists => exists.push(*prefix),
                    Meaning::NotPermitted => return Err(Fault::Permission),
                    _ => report.failure(format!("{prefix} not added: {}", reason(&error))),
                },
            }
        }
        for (prefix, metric) in &difference.remove {
            let message = message::route(*prefix, *metric, &self.mark);
            match self.handle.route().del(message).execute().await {
                Ok(()) => report.removed += 1,
                Err(error) => match meaning(&error) {
                    Meaning::Gone => report.removed += 1,
                    Meaning::NotPermitted => return Err(Fault::Permission),
                    _ => report.failure(format!("{prefix} not removed: {}", reason(&error))),
                },
            }
        }
        self.settle(&exists, &mut report).await?;
        Ok(report)
    }

    /// Prefixes that somebody added between the dump and us: ours is success, others' is occupied.
    async fn settle<B: Kin>(&self, exists: &[Prefix<B>], report: &mut Report) -> Result<(), Fault> {
        if exists.is_empty() {
            return Ok(());
        }
        let installed = self.dump::<B>().await?;
        for prefix in exists {
            let mut here = installed.iter().filter(|route| route.prefix == *prefix);
            if here.clone().any(|route| route.ours) {
                report.kept += 1;
            } else if let Some(other) = here.next() {
                report.occupied.push(other.to_string());
            } else {
                report.failure(format!("{prefix} not added: another program changes it"));
            }
        }
        Ok(())
    }

    /// `NLM_F_CREATE | NLM_F_EXCL`, never `NLM_F_REPLACE`, which takes a foreign route away.
    async fn add(&self, message: RouteMessage) -> Result<(), rtnetlink::Error> {
        self.handle.route().add(message).execute().await
    }
}

impl Report {
    fn failure(&mut self, what: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(what);
    }

    /// Both families in one report.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.added += other.added;
        self.removed += other.removed;
        self.kept += other.kept;
        self.failed += other.failed;
        self.unexplained += other.unexplained;
        self.first_failure = self.first_failure.or(other.first_failure);
        self.occupied.extend(other.occupied);
        self
    }
}

enum Meaning {
    Exists,
    Gone,
    NotPermitted,
    Other,
}

fn meaning(error: &rtnetlink::Error) -> Meaning {
    match errno(error) {
        Some(Errno::EEXIST) => Meaning::Exists,
        Some(Errno::ESRCH | Errno::ENOENT) => Meaning::Gone,
        Some(Errno::EPERM | Errno::EACCES) => Meaning::NotPermitted,
        _ => Meaning::Other,
    }
}

fn errno(error: &rtnetlink::Error) -> Option<Errno> {
    match error {
        rtnetlink::Error::NetlinkError(answer) => Some(Errno::from_raw(-answer.raw_code())),
        _ => None,
    }
}

/// The kernel's answer in words.
fn reason(error: &rtnetlink::Error) -> String {
    errno(error).map_or_else(|| error.to_string(), |errno| errno.desc().to_owned())
}

/// A kernel without IPv6, or with it switched off.
fn no_such_family(answer: &ErrorMessage) -> bool {
    let errno = Errno::from_raw(-answer.raw_code());
    matches!(errno, Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP)
}
