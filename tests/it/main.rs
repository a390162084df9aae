//! What needs no rights: the verbs, the feeds, the files, the ledger and the repository itself. A
//! few tests make a namespace, which most machines permit to an ordinary user; one that cannot says
//! so and passes.
//!
//! ```text
//! cargo test --test it pin::      one module
//! ```

#[path = "../support/mod.rs"]
mod support;

mod cli;
mod control;
mod daemon;
mod demo;
mod every_real_feed;
mod feed_states;
mod feeds_http;
mod fetch;
mod fuzz;
mod golden_feeds;
mod habits;
mod hand;
mod history;
mod origins;
mod pin;
mod progress;
mod protect_feeds;
mod real_feeds;
mod replay;
mod review;
mod routers;
mod safety;
mod screen;
mod sets;
mod target;
mod tls;
