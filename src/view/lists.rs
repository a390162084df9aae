//! The form of lists in the file of a router, where it is chosen automatically.

use serde::{Serialize, Serializer};
use serde_json::json;

use super::composed;
use crate::targets::file::{Chosen, Version};

pub struct RouterLists {
    pub router: String,
    pub chosen: Chosen,
}

impl Serialize for RouterLists {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { router, chosen } = self;
        let json = json!({
            "router": router, "lists": chosen.lists.to_string(), "entries": chosen.entries,
            "frr_version": chosen.version.as_ref().map(Version::to_string), "why": chosen.why(),
        });
        composed(json, serializer)
    }
}
