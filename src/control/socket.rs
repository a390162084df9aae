//! The socket in the file system: made, given to a group, replaced where its daemon is dead (I/O).

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt,
};
use nix::unistd::Group;
use std::os::fd::AsRawFd;

use crate::run_dir::RunDir;
use crate::shown;

/// The socket of a daemon. It goes with this.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    /// Device and inode: what another daemon has put in its place stays.
    file: (u64, u64),
}

/// Why there is no socket, in one line. Verbs do their work themselves.
#[derive(Debug)]
pub enum NoSocket {
    /// Another process answers there.
    Taken(PathBuf, Option<i32>),
    /// What stands there is no socket.
    Other(PathBuf),
    /// It cannot be made.
    Failed(PathBuf, io::Error),
}

impl fmt::Display for NoSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = "verbs do their work themselves";
        match self {
            Self::Taken(path, pid) => {
                let pid = pid.map_or_else(String::new, |pid| format!(" {pid}"));
                let path = shown::path(path);
                write!(f, "{path}: process{pid} already answers here; {rest}")
            }
            Self::Other(path) => {
                let path = shown::path(path);
                write!(f, "{path}: this is no socket and is left as it is; {rest}")
            }
            Self::Failed(path, error) => {
                write!(f, "{}: no socket: {error}; {rest}", shown::path(path))
            }
        }
    }
}

/// What is known of a socket before it is replaced.
enum Found {
    Nothing,
    /// Its process has ended.
    Stale,
    Answers(Option<i32>),
    Other,
}

impl Socket {
    /// Make it, for its owner alone. A socket whose process has ended is replaced.
    ///
    /// # Errors
    /// A process answers there, or it cannot be made.
    pub fn bind(run_dir: &RunDir, state_dir: &Path) -> Result<(UnixListener, Self), NoSocket> {
        let path = run_dir.control(state_dir);
        let failed = |error| NoSocket::Failed(path.clone(), error);
        run_dir.prepare(state_dir).map_err(failed)?;
        match find(&path).map_err(failed)? {
            Found::Nothing | Found::Stale => {}
            Found::Answers(pid) => return Err(NoSocket::Taken(path, pid)),
            Found::Other => return Err(NoSocket::Other(path)),
        }
        // Made under another name and renamed: no client connects before the mode is right.
        let beside = path.with_extension(format!("control.{}", std::process::id()));
        let _ = fs::remove_file(&beside);
        let made = || {
            let listener = UnixListener::bind(&beside)?;
            fs::set_permissions(&beside, Permissions::from_mode(0o600))?;
            let about = fs::symlink_metadata(&beside)?;
            fs::rename(&beside, &path)?;
            Ok((listener, (about.dev(), about.ino())))
        };
        let made = made();
        if made.is_err() {
            let _ = fs::remove_file(&beside);
        }
        let (listener, file) = made.map_err(failed)?;
        Ok((listener, Self { path, file }))
    }

    /// Open it to the members of a group, or to its owner alone.
    ///
    /// # Errors
    /// There is no such group, or the daemon may not give files to it.
    pub fn give_to(&self, run_dir: &RunDir, group: Option<&str>) -> Result<(), String> {
        let path = shown::path(&self.path);
        let Some(name) = group else {
            let closed = fs::set_permissions(&self.path, Permissions::from_mode(0o600));
            return closed.map_err(|error| format!("{path}: {error}"));
        };
        let found = Group::from_name(name).ok().flatten();
        let gid = found.ok_or_else(|| format!("group {name}: there is no such group"))?;
        let gid = gid.gid.as_raw();
        let denied = |error: io::Error| {
            format!(
                "{path} is not opened to group {name}: {error}; the user of the daemon must be a \
                 member of it"
            )
        };
        lchown(&self.path, None, Some(gid)).map_err(denied)?;
        fs::set_permissions(&self.path, Permissions::from_mode(0o660)).map_err(denied)?;
        // Its members have to get through the folder; what is in it they neither list nor read.
        lchown(run_dir.path(), None, Some(gid)).map_err(denied)?;
        fs::set_permissions(run_dir.path(), Permissions::from_mode(0o710)).map_err(denied)
    }

    /// Take it away, unless another daemon has put its own in this place.
    pub fn remove(&self) {
        let about = fs::symlink_metadata(&self.path);
        if about.is_ok_and(|about| (about.dev(), about.ino()) == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.remove();
    }
}

fn find(path: &Path) -> io::Result<Found> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    if !about.file_type().is_socket() {
        return Ok(Found::Other);
    }
    match connected(path) {
        Ok(pid) => Ok(Found::Answers(pid)),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Found::Stale),
        // Its queue is full: a process listens.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Found::Answers(None)),
        Err(error) => Err(error),
    }
}

/// Connect without waiting, and ask the kernel who answers.
fn connected(path: &Path) -> io::Result<Option<i32>> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let ours = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(ours.as_raw_fd(), &UnixAddr::new(path)?)?;
    let ours = UnixStream::from(ours);
    let peer = getsockopt(&ours, sockopt::PeerCredentials);
    Ok(peer.ok().map(|peer| peer.pid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground() -> (tempfile::TempDir, RunDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let state_dir = dir.path().join("state");
        fs::create_dir(&state_dir).unwrap();
        let run_dir = RunDir::at(dir.path().join("run"));
        (dir, run_dir, state_dir)
    }

    #[test]
    fn it_is_for_its_owner_alone_and_goes_with_its_daemon() {
        let (_dir, run_dir, state_dir) = ground();
        let (_listener, socket) = Socket::bind(&run_dir, &state_dir).unwrap();
        let path = socket.path().to_owned();
        let about = fs::symlink_metadata(&path).unwrap();
        assert!(about.file_type().is_socket());
        assert_eq!(about.mode() & 0o777, 0o600);
        assert_eq!(path, run_dir.control(&state_dir));
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn the_socket_of_a_dead_daemon_is_replaced_and_that_of_another_is_not() {
        let (_dir, run_dir, state_dir) = ground();
        let (listener, socket) = Socket::bind(&run_dir, &state_dir).unwrap();
        let path = socket.path().to_owned();
        let told = Socket::bind(&run_dir, &state_dir).unwrap_err().to_string();
        let (pid, at) = (std::process::id(), path.display());
        assert_eq!(
            told,
            format!("{at}: process {pid} already answers here; verbs do their work themselves")
        );
        // As after kill -9: the file is there, and no process listens.
        drop(listener);
        let (_listener, newer) = Socket::bind(&run_dir, &state_dir).unwrap();
        // The older one does not take it away.
        drop(socket);
        assert!(path.exists());
        drop(newer);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_socket_is_left_as_it_is() {
        let (_dir, run_dir, state_dir) = ground();
        run_dir.prepare(&state_dir).unwrap();
        let path = run_dir.control(&state_dir);
        fs::write(&path, "mine").unwrap();
        let told = Socket::bind(&run_dir, &state_dir).unwrap_err().to_string();
        let at = path.display();
        assert_eq!(
            told,
            format!("{at}: this is no socket and is left as it is; verbs do their work themselves")
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_group_that_does_not_exist_is_named() {
        let (_dir, run_dir, state_dir) = ground();
        let (_listener, socket) = Socket::bind(&run_dir, &state_dir).unwrap();
        assert_eq!(
            socket.give_to(&run_dir, Some("no-such-group")),
            Err("group no-such-group: there is no such group".to_owned())
        );
        socket.give_to(&run_dir, None).unwrap();
    }
}
