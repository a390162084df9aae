//! Plain lists: files for programs that are no routers.

pub mod csv;
pub mod json;
pub mod plain;
