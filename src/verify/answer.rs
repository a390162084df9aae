//! The meaning of the kernel's answer to a route lookup (`inet_rtm_getroute`,
//! `inet6_rtm_getroute`). Pure.

use nix::errno::Errno;

use super::route::Fate;
use crate::netlink::Reply;
use crate::netlink::family::AddressFamily;
use crate::netlink::message::RTM_NEWROUTE;
use crate::netlink::route::Route;

/// What happens to the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// A route or a rule drops it: blackhole (EINVAL), unreachable (EHOSTUNREACH), prohibit
    /// (EACCES), or the answer is a route of one of these types.
    Dropped,
    /// No route matches, or an unreachable rule does (ENETUNREACH).
    NoRoute,
    /// It takes this route (a message).
    Forwarded(&'a [u8]),
    /// The kernel does not have this family.
    NoFamily,
    /// Another error.
    Refused(Errno),
}

/// Read an answer.
pub fn verdict<B: AddressFamily>(reply: Reply<'_>) -> Verdict<'_> {
    match reply {
        Reply::Message(RTM_NEWROUTE, payload) => {
            let drops = Route::<B>::read(payload).is_some_and(|route| route.fate() == Fate::Drops);
            match drops {
                true => Verdict::Dropped,
                false => Verdict::Forwarded(payload),
            }
        }
        Reply::Message(..) => Verdict::Refused(Errno::EPROTO),
        Reply::Error(Errno::EINVAL | Errno::EHOSTUNREACH | Errno::EACCES) => Verdict::Dropped,
        Reply::Error(Errno::ENETUNREACH) => Verdict::NoRoute,
        Reply::Error(Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP) => Verdict::NoFamily,
        Reply::Error(errno) => Verdict::Refused(errno),
    }
}
