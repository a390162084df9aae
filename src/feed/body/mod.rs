//! From the bytes of a body to its text: unpacking and decoding. Pure.
//!
//! ```text
//!  bytes ──unpack (gzip, zip)──► bytes ──decode (UTF-8, UTF-16, Latin-1)──► text
//! ```

mod decode;
mod unpack;

pub use decode::{Latin1, decode, end_last_line};
pub use unpack::unpack;
