//! Real kernels, real routers, real packets: everything here is in namespaces that the test makes.
//! Routers, chroots and system units need root; a test that cannot run says so and passes, and with
//! `NULLROUTED_TESTS=all` it fails.
//!
//! ```text
//! cargo test --test privileged kernel::      one module
//! ```
//!
//! `tests/routers/suite` runs the modules that talk to routers once more, in a chroot of another
//! Debian suite.

#[path = "../support/mod.rs"]
mod support;

mod brake;
mod control;
mod crash;
mod discover;
mod disk;
mod fib;
mod first_day;
mod frr;
mod included;
mod judges;
mod kernel;
mod killed;
mod lists;
mod neighbors;
mod networkd;
mod packets;
mod rtbh;
mod rule;
mod sources;
mod speakers;
mod suites;
mod systemd;
mod tables;
mod takeover;
mod verify;
mod waits;
