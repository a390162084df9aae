//! Speakers end to end: a neighbor, the files that we write, and the commands that are the default.

mod bird;
mod exabgp;
mod gobgp;
mod lab;
mod leak;
mod limit;
mod openbgpd;
