//! The names of the processes that listen (I/O).

use std::fmt;
use std::fs;

use serde::{Deserialize, Serialize};

use super::Neighbor;
use super::sockets::of_process;
use crate::shown;

/// The process that has a listener's socket open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// Its name, as `ps` shows it.
    Process(String),
    /// It cannot be found: the port of the socket.
    Port(u32),
}

impl Owner {
    /// Whether its process has this name.
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Self::Process(process) if process == name)
    }

    /// Whether it is another nullrouted process.
    pub fn is_us(&self) -> bool {
        self.is(env!("CARGO_PKG_NAME"))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(name) => f.write_str(name),
            Self::Port(port) => write!(f, "port {port}"),
        }
    }
}

/// The process that has each listener's socket open. It cannot always be found: other processes are
/// hidden from the shipped unit, and sockets of other users from a process that is not root. May
/// take some ten milliseconds: every process is examined where the port is not the ID of one.
pub fn owners(neighbors: &[Neighbor]) -> Vec<Owner> {
    let mut names: Vec<_> = neighbors.iter().map(by_port).collect();
    if names.iter().any(Option::is_none) {
        for id in processes() {
            let Some(sockets) = of_process(&id) else {
                continue;
            };
            for (name, neighbor) in names.iter_mut().zip(neighbors) {
                if name.is_none() && sockets.contains(&neighbor.socket.inode) {
                    *name = command(&id);
                }
            }
        }
    }
    let names = names.into_iter().zip(neighbors);
    let owner = |(name, neighbor): (Option<String>, &Neighbor)| match name {
        Some(name) => Owner::Process(name),
        None => Owner::Port(neighbor.socket.port),
    };
    names.map(owner).collect()
}

/// The first socket of a process gets the process ID as its port (`netlink_autobind`).
fn by_port(neighbor: &Neighbor) -> Option<String> {
    let id = neighbor.socket.port.to_string();
    of_process(&id)?
        .contains(&neighbor.socket.inode)
        .then(|| command(&id))?
}

fn processes() -> impl Iterator<Item = String> {
    let all = fs::read_dir("/proc").into_iter().flatten();
    let names = all.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn command(id: &str) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
    // A process can give itself any name (`PR_SET_NAME`).
    Some(shown::line(name.trim_end()).into_owned())
}
