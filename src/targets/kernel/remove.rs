//! Remove everything that carries a mark, by one descriptor and without a runtime (I/O): the last
//! means of a flush. It deletes what a dump shows and dumps again, until nothing is shown.

use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::rule::RuleMessage;
use nix::errno::Errno;

use super::message::{self, DumpFilter, Installed};
use super::rule::{self, PresentRule};
use super::{Fault, Mark};
use crate::netlink::family::AddressFamily;
use crate::netlink::message::RTM_NEWROUTE;
use crate::netlink::plain::Plain;
use crate::netlink::rule::RTM_NEWRULE;

/// At most this many dumps of one family: while other programs change routes, each may lack some.
const ROUNDS: usize = 20;

/// Remove all routes with these marks, and the policy rules that lead to them. Returns how many
/// routes there were.
///
/// # Errors
/// No socket can be opened, routes may not be changed, or some are still there.
pub fn remove_all(marks: &[Mark]) -> Result<usize, Fault> {
    let mut socket = Plain::open().map_err(Fault::Socket)?;
    let mut removed = 0;
    for mark in marks {
        removed += remove::<u32>(&mut socket, mark)?;
        removed += remove::<u128>(&mut socket, mark)?;
    }
    remove_rules(&mut socket, marks).map_err(fault)?;
    Ok(removed)
}

fn remove<B: AddressFamily>(socket: &mut Plain, mark: &Mark) -> Result<usize, Fault> {
    let mut removed = 0;
    let mut last = None;
    for _ in 0..ROUNDS {
        let mut ours: Vec<Installed<B>> = Vec::new();
        let dump = socket.dump(message::dump::<B>(DumpFilter::Ours, mark), |message| {
            if message.kind == RTM_NEWROUTE {
                let route = message::read::<B>(message.payload, mark);
                ours.extend(route.filter(|route| route.ours));
            }
        });
        dump.map_err(Fault::Dump)?;
        if ours.is_empty() {
            return Ok(removed);
        }
        for route in &ours {
            match socket.ask(message::deletion(route.prefix, route.metric, mark), 0) {
                Ok(()) => removed += 1,
                Err(error) if is_gone(&error) => {}
                Err(error) => match fault(error) {
                    Fault::Permission => return Err(Fault::Permission),
                    other => last = Some(other),
                },
            }
        }
    }
    Err(last.unwrap_or(Fault::Restless))
}

fn remove_rules(socket: &mut Plain, marks: &[Mark]) -> io::Result<()> {
    let mut rules = Vec::new();
    let all = RouteNetlinkMessage::GetRule(RuleMessage::default());
    socket.dump(all, |message| {
        if message.kind == RTM_NEWRULE {
            rules.extend(PresentRule::read(message.payload));
        }
    })?;
    let difference = rule::reconcile(&rules, None, marks);
    for rule in difference.remove {
        match socket.ask(rule.deletion(), 0) {
            Err(error) if !is_gone(&error) => return Err(error),
            _ => {}
        }
    }
    match difference.stuck.first() {
        None => Ok(()),
        Some((rule, other)) => Err(io::Error::other(rule.stuck_by(other))),
    }
}

fn is_gone(error: &io::Error) -> bool {
    [Errno::ESRCH, Errno::ENOENT]
        .iter()
        .any(|errno| error.raw_os_error() == Some(*errno as i32))
}

fn fault(error: io::Error) -> Fault {
    match error.raw_os_error() {
        Some(errno) if errno == Errno::EPERM as i32 => Fault::Permission,
        _ => Fault::Socket(error),
    }
}
