//! Notifications of routes and policy rules that other programs change (I/O).

use std::io;

use crate::netlink::Notifications;
use crate::netlink::message::{Message, RTM_DELADDR, RTM_DELLINK, RTM_NEWLINK, number};

/// `RTNLGRP_IPV4_ROUTE`, `RTNLGRP_IPV6_ROUTE`; `RTNLGRP_LINK`, `RTNLGRP_IPV4_IFADDR`;
/// `RTNLGRP_IPV4_RULE`, `RTNLGRP_IPV6_RULE`; `RTNLGRP_NEXTHOP` (since Linux 5.3).
const GROUPS: [u32; 7] = [7, 11, 1, 5, 8, 19, 32];
/// A nexthop object was removed (`include/uapi/linux/rtnetlink.h`).
pub(super) const RTM_DELNEXTHOP: u16 = 105;

/// `IFF_UP` and `IFF_LOWER_UP` (`include/uapi/linux/if.h`), and their offset in `struct ifinfomsg`.
const UP: u32 = 1 | 1 << 16;
const LINK_FLAGS: usize = 8;

/// Whether an interface or one of its addresses disappears, and routes with it.
pub(super) fn takes_routes(message: Message<'_>) -> bool {
    match message.kind {
        RTM_DELLINK | RTM_DELADDR => true,
        RTM_NEWLINK => {
            let flags = message.payload.get(LINK_FLAGS..).and_then(number);
            flags.is_some_and(|flags| flags & UP != UP)
        }
        _ => false,
    }
}

/// Size of the receive buffer for notifications, in bytes; each route takes about 1 KiB.
const ROOM: usize = 16 << 20;

/// Receives every change of a route or a rule.
pub(super) struct Monitor {
    notifications: Notifications,
    closed: Vec<u32>,
}

impl Monitor {
    /// Receive notifications from now on.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            notifications: Notifications::open(&GROUPS, ROOM)?,
            closed: Vec::new(),
        })
    }

    /// Leave one group during a large change of our own: the kernel would notify us of each route,
    /// too.
    pub fn close(&mut self, group: u32) {
        let closed = self.notifications.socket().drop_membership(group);
        if closed.is_ok() && !self.closed.contains(&group) {
            self.closed.push(group);
        }
    }

    /// Join the groups again. The notifications in between are lost.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn reopen(&mut self) -> io::Result<()> {
        for group in std::mem::take(&mut self.closed) {
            self.notifications.socket().add_membership(group)?;
        }
        Ok(())
    }

    /// See [`Notifications::receive`].
    pub async fn receive(&mut self) -> io::Result<&[u8]> {
        self.notifications.receive().await
    }

    /// See [`Notifications::try_receive`].
    pub fn try_receive(&mut self) -> Option<io::Result<&[u8]>> {
        self.notifications.try_receive()
    }
}
