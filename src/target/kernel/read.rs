//! The routes of our table, read from the kernel (I/O).

use super::message::{self, Installed, Kin, Which};
use super::{Fault, Mark};
use crate::netlink::dump_once;
use crate::netlink::message::RTM_NEWROUTE;

/// So often everything is read at most, while others change routes.
const TRIES: usize = 12;

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
/// On a router where routes change all the time no dump is ever whole, and each lacks others (see [`dump_once`]). Then
/// what several showed together is taken, until one shows nothing more. It may have a route that went meanwhile:
/// whoever deletes it hears that it is gone.
///
/// # Errors
/// What the kernel answers.
pub async fn read<B: Kin>(mark: &Mark, which: Which) -> Result<Read<B>, Fault> {
    let request = message::dump::<B>(which, mark);
    let mut all: Vec<Installed<B>> = Vec::new();
    for attempt in 0..TRIES {
        let mut routes = Vec::new();
        let whole = dump_once(&request, Some(B::GROUP), |message| {
            if message.kind == RTM_NEWROUTE {
                let route = message::read::<B>(message.payload, mark);
                routes.extend(route.filter(|route| which == Which::All || route.ours));
            }
        });
        let whole = whole.await.map_err(Fault::Dump)?;
        routes.sort_by_key(Installed::key);
        if whole {
            return Ok(Read { routes, whole });
        }
        routes.extend(all.iter().cloned());
        routes.sort_by_key(Installed::key);
        routes.dedup();
        let is_news = routes.len() > all.len();
        all = routes;
        if attempt > 0 && !is_news {
            return Ok(Read {
                routes: all,
                whole: true,
            });
        }
    }
    Ok(Read {
        routes: all,
        whole: false,
    })
}
