//! Spamhaus DROP as JSON lines: `{"cidr":…,"sblid":…,"rir":…}` a line, closed by one
//! `{"type":"metadata",…}` whose `size` is the bytes before its line and `records` the lines.
//!
//! Both matched in 507 of 507 copies; they prove that a copy is whole.

use serde::Deserialize;

use super::{Reader, lines};
use crate::feed::Refused;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    cidr: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    sblid: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<std::borrow::Cow<'a, str>>,
    size: Option<u64>,
    records: Option<u64>,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut bytes_before = 0_u64;
    let mut records_before = 0_u64;
    let mut proven = false;
    for (number, line, _) in lines(text) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if proven {
            return Err(Refused::Foreign(format!(
                "line {number} stands after the metadata"
            )));
        }
        let read = serde_json::from_str::<Record>(line);
        let is_metadata = read
            .as_ref()
            .is_ok_and(|r| r.kind.as_deref() == Some("metadata"));
        if !is_metadata {
            // What stands there counts for the proof, also when it is no record.
            bytes_before += line.len() as u64 + 1;
            records_before += 1;
        }
        let record = match read {
            Ok(record) => record,
            Err(_) if number == 1 => {
                return Err(Refused::Foreign(
                    "the first line is no JSON object".to_owned(),
                ));
            }
            Err(error) => {
                reader
                    .copy
                    .reject(number, line, format!("no JSON: {error}"));
                continue;
            }
        };
        if is_metadata {
            check("size", record.size, bytes_before, "bytes")?;
            check("records", record.records, records_before, "lines")?;
            proven = true;
            continue;
        }
        match record.cidr {
            Some(cidr) => reader.entry(number, &cidr, record.sblid.as_deref().unwrap_or("")),
            None if number == 1 => {
                let what = format!(
                    "no Spamhaus list: {:?}",
                    line.chars().take(60).collect::<String>()
                );
                return Err(Refused::Foreign(what));
            }
            None => reader.copy.reject(number, line, "no \"cidr\" in it"),
        }
    }
    if proven {
        Ok(())
    } else {
        Err(Refused::Incomplete(
            "the metadata record is missing".to_owned(),
        ))
    }
}

fn check(name: &str, said: Option<u64>, seen: u64, unit: &str) -> Result<(), Refused> {
    match said {
        Some(said) if said == seen => Ok(()),
        Some(said) => Err(Refused::Incomplete(format!(
            "the metadata says {said} {unit}, there are {seen}"
        ))),
        None => Err(Refused::Incomplete(format!("the metadata has no {name:?}"))),
    }
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
            "no Spamhaus list: \"{\\\"status\\\":500}\""
        );
    }
}
