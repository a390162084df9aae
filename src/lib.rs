//! nullrouted turns published lists of hostile networks into routing that drops them, on a Linux
//! router and on the BGP speakers around it. It must be *safe*, *explainable* and *reversible*.
//!
//! ```text
//!   feeds           entries         RIB              policy           plan            targets
//!  ────────        ─────────       ──────────       ──────────       ─────────       ──────────────
//!  http(s)   ──►   parse by  ──►   merge,     ──►   protect,   ──►   desired   ──►   kernel FIB
//!  file            format          every            reserved,        against         router files
//!                  reject with     listing          limits           in force
//!                  a reason        kept             ── held? ──►     difference
//!    I/O             pure            pure             pure             pure            I/O
//!                                                                        └──► ledger (what, when, why)
//! ```
//!
//! Where to start reading: [`pipeline`] is the whole decision on one page. [`pass`] walks it once
//! from the feeds to the targets, and is all that `refresh` and the `daemon` do. To see that a
//! protected address is never blackholed, read [`policy`], [`prefix::subtract`] and [`pipeline`].
//!
//! The modules below are in the order in which data flows. What is absent matters as much:
//! `prefix`, `feed::formats`, `rib`, `policy`, `plan` and `pipeline` know no clock, file or socket,
//! and nothing after the merge can add an address.

// Their macros panic where the output cannot be written; `cli/output.rs` has what does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod time;

mod clock;

pub mod digest;

pub mod shown;

pub mod progress;

mod named;

mod files;

mod owner;

mod allocator;

#[cfg(test)]
mod testing;

mod run_dir;

pub mod config;

pub mod prefix;

pub mod feed;

pub mod rib;

pub mod netlink;

pub mod discover;

pub mod policy;

pub mod plan;

pub mod pipeline;

pub mod targets;

mod verify;

pub mod ledger;

pub mod pass;

mod view;

mod control;

mod daemon;

pub mod cli;
