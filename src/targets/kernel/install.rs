//! Apply a difference to the kernel (I/O).

use std::collections::HashSet;

use nix::errno::Errno;
use tokio::task::yield_now;

use super::bus::Pace;
use super::message::Request;
use super::reconcile::{Difference, RouteId};
use super::report::Unreported;
use super::{Fault, Mark, Report};
use crate::netlink::family::AddressFamily;
use crate::netlink::{Answer, Refusal, Requests};

/// The result of a change.
#[derive(Debug)]
pub struct Done<B: AddressFamily> {
    /// How many routes were added, removed and refused.
    pub report: Report,
    /// Not added: the kernel has a route to this prefix with this metric, ours or a foreign one.
    pub exists: Vec<RouteId<B>>,
    /// Not added or not removed, for another reason.
    pub refused: Vec<RouteId<B>>,
    /// Answers were lost: only a dump shows what was done.
    pub lost: bool,
    /// A route to be removed was not there: only a dump shows whether another program removed it.
    pub vanished: bool,
}

impl<B: AddressFamily> Done<B> {
    /// The routes of the difference that were not changed.
    pub fn not_done(&self) -> HashSet<RouteId<B>> {
        self.refused.iter().chain(&self.exists).copied().collect()
    }
}

/// Add and remove the routes of the difference. A route that is already gone counts as removed.
/// Additions come first: where adjacent prefixes are joined, no address is without a route in
/// between. May be dropped between two batches; `unreported` then has what was done.
///
/// # Errors
/// [`Fault::Permission`] at the first refusal of that kind, and a socket that fails.
pub async fn install<B: AddressFamily>(
    requests: &mut Requests,
    pace: &mut Pace,
    mark: Mark,
    difference: &Difference<B>,
    unreported: &mut Unreported,
) -> Result<Done<B>, Fault> {
    let Difference { add, remove, .. } = difference;
    let (mut exists, mut refused) = (Vec::new(), Vec::new());
    let mut report = Report::default();

    let create = &mut Request::add(mark);
    let added = &mut unreported.added;
    let lost_additions = send(requests, pace, add, create, added, |route, refusal| {
        match refusal.errno {
            Errno::EEXIST => exists.push(route),
            _ => refuse(route, "added", refusal, &mut refused, &mut report)?,
        }
        Ok(())
    })
    .await?;
    report.added = add.len() - exists.len() - refused.len();

    let refused_additions = refused.len();
    let mut vanished = false;
    let delete = &mut Request::delete(mark);
    let removed = &mut unreported.removed;
    let lost_removals = send(requests, pace, remove, delete, removed, |route, refusal| {
        match refusal.errno {
            Errno::ESRCH | Errno::ENOENT => vanished = true,
            _ => refuse(route, "removed", refusal, &mut refused, &mut report)?,
        }
        Ok(())
    })
    .await?;
    report.removed = remove.len() - (refused.len() - refused_additions);

    Ok(Done {
        report,
        exists,
        refused,
        lost: lost_additions || lost_removals,
        vanished,
    })
}

/// Send a request for each route, no faster than the listeners read, and pass on the refusals.
/// Returns whether answers were lost; `done` counts the routes that were not refused.
async fn send<B: AddressFamily>(
    requests: &mut Requests,
    pace: &mut Pace,
    routes: &[RouteId<B>],
    request: &mut Request,
    done: &mut usize,
    mut refused: impl FnMut(RouteId<B>, Refusal) -> Result<(), Fault>,
) -> Result<bool, Fault> {
    let mut lost = false;
    let mut first = 0;
    requests.clear();
    for (at, (prefix, metric)) in routes.iter().enumerate() {
        let has_room = requests.push(request.of(*prefix, *metric));
        let is_enough = requests.packed() >= pace.batch_size();
        if has_room && !is_enough && at + 1 < routes.len() {
            continue;
        }
        pace.wait_for_room(requests.packed()).await;
        // The kernel applies the requests when they are sent, so they are counted before the
        // answers: this may be dropped in between.
        *done += at + 1 - first;
        match requests.send().await.map_err(Fault::Socket)? {
            Answer::Done(refusals) => {
                *done -= refusals.len();
                for refusal in refusals {
                    refused(routes[first + refusal.index], refusal)?;
                }
            }
            Answer::Lost => lost = true,
        }
        first = at + 1;
        // Other tasks do not wait for a million routes.
        yield_now().await;
    }
    Ok(lost)
}

fn refuse<B: AddressFamily>(
    route: RouteId<B>,
    what: &str,
    refusal: Refusal,
    refused: &mut Vec<RouteId<B>>,
    report: &mut Report,
) -> Result<(), Fault> {
    let Refusal { errno, words, .. } = refusal;
    if errno == Errno::EPERM {
        return Err(Fault::Permission);
    }
    let words = words.map_or_else(String::new, |words| format!(" ({words})"));
    report.failure(format!("{} not {what}: {}{words}", route.0, errno.desc()));
    refused.push(route);
    Ok(())
}
