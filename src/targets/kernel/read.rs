//! The routes of our table, read from the kernel (I/O).

use std::time::{Duration, Instant};

use super::coverage::Coverage;
use super::message::{self, DumpFilter, Installed};
use super::{Fault, Mark};
use crate::netlink::family::AddressFamily;
use crate::netlink::message::RTM_NEWROUTE;
use crate::netlink::{DATAGRAM, DumpItem, Dumps};

/// Everything is read at least this often while other programs change routes, …
const TRIES: usize = 12;
/// … and for this long: on a busy machine each dump covers less of a table before it changes again.
const TRY_FOR: Duration = Duration::from_secs(5);

/// Bytes of a datagram in the second of these dumps; later dumps use longer ones.
const SHORT: usize = 24 * 1_024;

/// The result of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<B: AddressFamily> {
    /// The routes of one family in our table, ascending by [`Installed::key`].
    pub routes: Vec<Installed<B>>,
    /// Whether no route is missing that was there during the whole time.
    pub whole: bool,
}

/// Read the routes of one family in our table. The result is empty for a family or a table that the
/// kernel does not have.
///
/// On a router where routes change all the time no dump is ever complete, and each lacks different
/// routes (see `DumpItem::Pause`). Then the union of several dumps is used, once each part of the
/// table was listed without a pause by one of them. It may have a route that has gone since;
/// deleting it reports that it is gone.
///
/// # Errors
/// An error from the kernel.
pub async fn read<B: AddressFamily>(mark: &Mark, which: DumpFilter) -> Result<Read<B>, Fault> {
    let request = message::dump::<B>(which, mark);
    let mut routes: Vec<Installed<B>> = Vec::new();
    let mut coverage = Coverage::default();
    let mut dumps = Dumps::new(DATAGRAM).map_err(Fault::Dump)?;
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        if tries % TRIES == 1 {
            dumps = Dumps::new(SHORT + tries).map_err(Fault::Dump)?;
        }
        tries += 1;
        let mut these = Vec::new();
        coverage.begin();
        let each = |part: DumpItem<'_>| match part {
            DumpItem::Pause => coverage.pause(),
            DumpItem::Message(message) if message.kind == RTM_NEWROUTE => {
                if let Some(route) = message::read::<B>(message.payload, mark) {
                    coverage.pass(B::place(&route.prefix));
                    these.extend((which == DumpFilter::All || route.ours).then_some(route));
                }
            }
            DumpItem::Message(_) => {}
        };
        let dump = dumps.once(&request, Some(B::GROUP), each);
        let whole = dump.await.map_err(Fault::Dump)?;
        coverage.end();
        if whole {
            // Two of ours may differ in a field that we do not compare: both are listed.
            these.sort_by_key(Installed::key);
            return Ok(Read {
                routes: these,
                whole,
            });
        }
        // Routes that are listed again after a pause are the same.
        routes.append(&mut these);
        routes.sort_by_key(|route| (route.key(), route.protocol, route.kind));
        routes.dedup();
        let whole = coverage.is_all();
        if whole || tries >= TRIES && begun.elapsed() > TRY_FOR {
            return Ok(Read { routes, whole });
        }
    }
}
