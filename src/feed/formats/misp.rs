//! A MISP event: attributes of the types `ip-src` and `ip-dst`, also inside objects, that are
//! marked for detection (`to_ids`). Attributes that match less than an address (`ip-dst|port`) or
//! name a host as well (`domain|ip`) are left out.
//! <https://www.misp-project.org/datamodels/>

use serde::Deserialize;

use super::Reader;
use super::json::{WHOLE_DOCUMENT, document};
use crate::feed::Refused;

/// One event, or the answer of a search.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Search { response: Vec<Wrapped> },
    One(Wrapped),
    Bare(Event),
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "Event")]
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    info: String,
    #[serde(rename = "Attribute")]
    attributes: Vec<Attribute>,
    #[serde(default, rename = "Object")]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default, rename = "Attribute")]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "type")]
    kind: String,
    value: String,
    #[serde(default)]
    to_ids: bool,
    #[serde(default)]
    deleted: bool,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let document = document(text, "MISP event")?;
    let events = match document {
        Document::Search { response } => response.into_iter().map(|one| one.event).collect(),
        Document::One(one) => vec![one.event],
        Document::Bare(event) => vec![event],
    };
    let mut item = 0;
    for event in &events {
        let inside = event.objects.iter().flat_map(|object| &object.attributes);
        for attribute in event.attributes.iter().chain(inside) {
            item += 1;
            let of_address = matches!(attribute.kind.as_str(), "ip-src" | "ip-dst");
            match attribute.to_ids && !attribute.deleted && of_address {
                true => reader.entry(item, &attribute.value, &event.info),
                false => reader.left_out(),
            }
        }
    }
    reader.proven(WHOLE_DOCUMENT);
    Ok(())
}
