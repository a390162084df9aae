//! The routes of our table, read from the kernel (I/O).

use super::message::{self, Installed, Kin, Which};
use super::{Fault, Mark};
use crate::netlink::dump_once;
use crate::netlink::message::RTM_NEWROUTE;

/// So often is a dump asked again that was interrupted by a change.
const TRIES: usize = 5;

/// The routes of one family in our table, in the kernel's order. A family or a table that the kernel does not have
/// has none.
///
/// On a router where routes change all the time no dump is ever whole. The last one is taken then: a route that it
/// lacks is refused as existing when it is added, one too many as gone when it is removed.
///
/// # Errors
/// What the kernel answers.
pub async fn read<B: Kin>(mark: &Mark, which: Which) -> Result<Vec<Installed<B>>, Fault> {
    let request = message::dump::<B>(which, mark);
    let mut routes = Vec::new();
    for _ in 0..TRIES {
        routes.clear();
        let whole = dump_once(&request, |message| {
            if message.kind == RTM_NEWROUTE {
                let route = message::read::<B>(message.payload, mark);
                routes.extend(route.filter(|route| which == Which::All || route.ours));
            }
        });
        if whole.await.map_err(Fault::Dump)? {
            break;
        }
    }
    Ok(routes)
}
