//! What kind of file a router gets.

use super::family::{Family, Role};

/// What the configuration says of the text of one router's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The family of the router.
    pub family: Family,
    /// What it is there for.
    pub role: Role,
}
