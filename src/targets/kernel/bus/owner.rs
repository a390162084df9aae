//! The names of the processes that listen (I/O).

use std::fs;

use super::Neighbor;
use super::sockets::of_process;
use crate::shown;

/// The name of our own processes.
pub const US: &str = env!("CARGO_PKG_NAME");

/// The process that has each listener's socket open, as `ps` names it; `port 12345` where it cannot
/// be found (other processes are hidden from the shipped unit, and sockets of other users from a
/// process that is not root). May take some ten milliseconds: every process is examined where the
/// port is not the ID of one.
pub fn names(neighbors: &[Neighbor]) -> Vec<String> {
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
    let name = |(name, neighbor): (Option<String>, &Neighbor)| {
        name.unwrap_or_else(|| format!("port {}", neighbor.socket.port))
    };
    names.map(name).collect()
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
