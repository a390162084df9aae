//! Read the netlink sockets of our network namespace (I/O).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Seek};

use super::room;
use super::table::{self, Socket};

/// The file of the calling thread: the threads of one process may be in several namespaces.
const TABLE: &str = "/proc/thread-self/net/netlink";

/// The open table.
#[derive(Debug, Default)]
pub struct Sockets {
    /// None where the file cannot be opened; then no listener is seen.
    file: Option<File>,
    text: String,
    /// The buffer sizes of the listeners seen so far.
    rooms: BTreeMap<u64, u32>,
}

impl Sockets {
    pub fn open() -> Self {
        Self {
            file: File::open(TABLE).ok(),
            text: String::new(),
            rooms: BTreeMap::new(),
        }
    }

    /// The listeners of route changes other than ourselves. Takes well below 100 µs.
    pub fn listeners(&mut self) -> Vec<Socket> {
        self.text.clear();
        let read = self.file.as_mut().and_then(|file| {
            file.rewind().ok()?;
            file.read_to_string(&mut self.text).ok()
        });
        if read.is_none() {
            return Vec::new();
        }
        let mut listeners: Vec<_> = table::listeners(&self.text).collect();
        if !listeners.is_empty() {
            let ours = of_process("self").unwrap_or_default();
            listeners.retain(|socket| !ours.contains(&socket.inode));
        }
        self.measure(&mut listeners);
        listeners
    }

    /// Fill in the buffer size of each listener; it is asked once for each.
    fn measure(&mut self, listeners: &mut [Socket]) {
        let is_known = |socket: &Socket| self.rooms.contains_key(&socket.inode);
        if !listeners.iter().all(is_known) {
            // The default size where the kernel cannot report one.
            self.rooms = room::all().unwrap_or_default();
            for socket in &*listeners {
                self.rooms.entry(socket.inode).or_insert(socket.room);
            }
        }
        for socket in listeners {
            socket.room = self
                .rooms
                .get(&socket.inode)
                .copied()
                .unwrap_or(socket.room);
        }
    }
}

/// The sockets of a process; `None` where we have no permission to look.
pub fn of_process(id: &str) -> Option<BTreeSet<u64>> {
    let files = fs::read_dir(format!("/proc/{id}/fd")).ok()?;
    let link = |file: fs::DirEntry| fs::read_link(file.path()).ok();
    Some(
        files
            .filter_map(|file| inode(link(file.ok()?)?.to_str()?))
            .collect(),
    )
}

/// The inode in the link of a file descriptor: `socket:[897905]`.
fn inode(link: &str) -> Option<u64> {
    let number = link.strip_prefix("socket:[")?.strip_suffix(']')?;
    number.parse().ok()
}
