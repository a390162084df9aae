//! The routes of our table, read from the kernel (I/O).

use std::time::{Duration, Instant};

use super::message::{self, Installed, Kin, Which};
use super::seen::Seen;
use super::{Fault, Mark};
use crate::netlink::message::RTM_NEWROUTE;
use crate::netlink::{DATAGRAM, Dumps, Part};

/// So often everything is read, while others change routes, …
const TRIES: usize = 12;
/// … and so long: who has no processor for himself sees less of a table before it changes again.
const TRY_FOR: Duration = Duration::from_secs(5);

/// Bytes of a datagram in the second of these dumps; they grow from there.
const SHORT: usize = 24 * 1_024;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<B: Kin> {
    /// The routes of one family in our table, ascending by [`Installed::key`], each once.
    pub routes: Vec<Installed<B>>,
    /// Whether nothing that was there all the time is missing.
    pub whole: bool,
}

/// Read the routes of one family in our table. A family or a table that the kernel does not have has none.
///
/// On a router where routes change all the time no dump is ever whole, and each lacks others (see [`Part::Tear`]). Then
/// what several showed together is taken, until each part of the table was shown in one piece by one of them. It may
/// have a route that went meanwhile: whoever deletes it hears that it is gone.
///
/// # Errors
/// What the kernel answers.
pub async fn read<B: Kin>(mark: &Mark, which: Which) -> Result<Read<B>, Fault> {
    let request = message::dump::<B>(which, mark);
    let mut routes: Vec<Installed<B>> = Vec::new();
    let mut seen = Seen::default();
    let mut dumps = Dumps::new(DATAGRAM).map_err(Fault::Dump)?;
    let begun = Instant::now();
    for attempt in 0.. {
        if attempt >= TRIES && begun.elapsed() > TRY_FOR {
            break;
        }
        if attempt == 1 {
            dumps = Dumps::new(SHORT).map_err(Fault::Dump)?;
        }
        seen.begin();
        let each = |part: Part<'_>| match part {
            Part::Tear => seen.tear(),
            Part::Message(message) if message.kind == RTM_NEWROUTE => {
                if let Some(route) = message::read::<B>(message.payload, mark) {
                    seen.pass(B::place(&route.prefix));
                    routes.extend((which == Which::All || route.ours).then_some(route));
                }
            }
            Part::Message(_) => {}
        };
        let dump = dumps.once(&request, Some(B::GROUP), each);
        dump.await.map_err(Fault::Dump)?;
        seen.end();
        routes.sort_by_key(Installed::key);
        routes.dedup();
        if seen.is_all() {
            return Ok(Read {
                routes,
                whole: true,
            });
        }
    }
    Ok(Read {
        routes,
        whole: false,
    })
}
