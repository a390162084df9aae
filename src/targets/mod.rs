//! Targets: where the effective set goes. Each compares with what is really there and changes only that.

pub mod file;
pub mod kernel;
mod list;
