//! Spamhaus DROP as JSON lines: `{"cidr":…,"sblid":…,"rir":…}` a line, closed by its metadata.

use serde::Deserialize;

use super::Reader;
use super::json_lines::{self, Text};
use crate::feed::Refused;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    cidr: Option<Text<'a>>,
    #[serde(borrow)]
    sblid: Option<Text<'a>>,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    json_lines::read(
        text,
        reader,
        "Spamhaus DROP list",
        |reader, line, record: &Record| {
            let Some(cidr) = &record.cidr else {
                return false;
            };
            let reference = record.sblid.as_ref().map_or("", |text| &text.0);
            reader.entry(line, &cidr.0, reference);
            true
        },
    )
}

#[cfg(test)]
mod tests {
    use crate::feed::formats::{Format, Rules, parse_body};

    fn list() -> String {
        let records = "{\"cidr\":\"72.37.186.0/23\",\"sblid\":\"SBL1001\",\"rir\":\"arin\"}\n\
                       {\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1002\",\"rir\":null}\n";
        format!(
            "{records}{{\"type\":\"metadata\",\"timestamp\":1782987242,\"size\":{},\"records\":2,\
             \"copyright\":\"(c)\",\"terms\":\"https://lists.example/terms\"}}\n",
            records.len()
        )
    }

    fn read(text: &str) -> Result<Vec<String>, String> {
        let copy = parse_body(text.as_bytes(), &Rules::of(Format::SpamhausJson))
            .map_err(|refused| refused.to_string())?;
        let shown = copy
            .v4
            .iter()
            .map(|e| format!("{} {} {}", e.line, e.prefix(), copy.reference(e)));
        Ok(shown.collect())
    }

    #[test]
    fn records_are_read_with_their_sbl_numbers() {
        assert_eq!(
            read(&list()).unwrap(),
            ["1 72.37.186.0/23 SBL1001", "2 192.0.2.0/24 SBL1002"]
        );
    }

    #[test]
    fn a_copy_cut_anywhere_is_refused() {
        let list = list();
        for end in 1..list.len() - 1 {
            assert!(read(&list[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_lost_record_is_noticed() {
        let list = list();
        let one_lost = &list[list.find('\n').unwrap() + 1..];
        assert!(
            read(one_lost)
                .unwrap_err()
                .starts_with("cut short: the metadata says ")
        );
    }

    #[test]
    fn an_error_object_is_no_list() {
        assert_eq!(
            read("{\"status\":500}\n").unwrap_err(),
            "no Spamhaus DROP list: \"{\\\"status\\\":500}\""
        );
    }
}
