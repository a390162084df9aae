//! Why there is no result.

use std::fmt;
use std::io;

/// Why the kernel cannot be asked.
#[derive(Debug)]
pub enum Fault {
    /// No netlink socket.
    Socket(io::Error),
    /// A dump failed, of this kind of object.
    Dump(&'static str, io::Error),
    /// A lookup failed, or the kernel does not answer.
    Answer(io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(error) => write!(f, "no netlink socket: {error}"),
            Self::Dump(what, error) => write!(f, "the {what} cannot be read: {error}"),
            Self::Answer(error) if error.kind() == io::ErrorKind::TimedOut => {
                f.write_str("the kernel does not answer")
            }
            Self::Answer(error) => write!(f, "the kernel cannot be asked: {error}"),
        }
    }
}

impl std::error::Error for Fault {}
