//! Spamhaus ASN-DROP as JSON lines: `{"asn":…,"rir":…,"domain":…,"cc":…,"asname":…}` a line, closed
//! by its metadata. Publisher's page: <https://www.spamhaus.org/blocklists/do-not-route-or-peer/>.

use serde::Deserialize;

use super::Reader;
use super::json_lines::{self, Text};
use crate::feed::Refused;

#[derive(Deserialize)]
struct Record<'a> {
    asn: Option<u32>,
    #[serde(borrow)]
    asname: Option<Text<'a>>,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    json_lines::read(
        text,
        reader,
        "ASN-DROP list",
        |reader, line, record: &Record| {
            let Some(asn) = record.asn else {
                return false;
            };
            reader.origin(line, asn, record.asname.as_ref().map_or("", |text| &text.0));
            true
        },
    )
}

#[cfg(test)]
mod tests {
    use crate::feed::formats::{Format, Rules, parse_body};

    #[test]
    fn origins_are_read_with_their_names() {
        let records = "{\"asn\":64496,\"rir\":\"arin\",\"domain\":\"a.example\",\"cc\":\"US\",\"asname\":\"ONE\"}\n\
                       {\"asn\":64497,\"rir\":\"ripencc\",\"domain\":null,\"cc\":null,\"asname\":null}\n\
                       {\"asn\":0,\"asname\":\"NONE\"}\n";
        let list = format!(
            "{records}{{\"type\":\"metadata\",\"timestamp\":1708845305,\"size\":{},\"records\":3}}\n",
            records.len()
        );
        let copy = parse_body(list.as_bytes(), &Rules::of(Format::AsnDropJson)).unwrap();
        let read: Vec<_> = copy
            .origins
            .iter()
            .map(|o| (o.asn, o.line, copy.origin_reference(o)))
            .collect();
        assert_eq!(read, [(64_496, 1, "ONE"), (64_497, 2, "")]);
        assert_eq!(copy.remarks.private_asns, 1);
        let drop = list.replace("\"asn\"", "\"cidr\"");
        let refused = parse_body(drop.as_bytes(), &Rules::of(Format::AsnDropJson)).unwrap_err();
        assert!(
            refused.to_string().starts_with("no ASN-DROP list: "),
            "{refused}"
        );
    }
}
