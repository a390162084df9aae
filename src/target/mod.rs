//! Targets: where the effective set goes. Each compares with what is really there and changes only that.

mod command;
pub mod kernel;
pub mod publish;
pub mod router;
