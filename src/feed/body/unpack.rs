//! gzip and zip, recognised by their first bytes, whatever the URL or the server calls them.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use crate::feed::Refused;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK\x03\x04";
/// Formats that publishers use and we do not unpack, by their first bytes: said by name.
const OTHERS: [(&[u8], &str); 4] = [
    (b"BZh", "bzip2"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
    (b"7z\xbc\xaf", "7z"),
];

/// The body itself, or what is packed in it: gzip of one or more members (RFC 1952, section 2.2),
/// or a zip archive with one file. At most `max_bytes` come out.
///
/// # Errors
/// [`Refused::Incomplete`] when the stream is cut or damaged or has something behind it,
/// [`Refused::TooLarge`] beyond the limit, [`Refused::Foreign`] for what we do not unpack.
pub fn unpack(body: &[u8], max_bytes: u64) -> Result<Cow<'_, [u8]>, Refused> {
    if body.starts_with(GZIP) {
        let unpacked = read(MultiGzDecoder::new(body), max_bytes, "gzip")?;
        // Packed twice: by the publisher, and once more by a server on the way.
        if unpacked.starts_with(GZIP) {
            return read(MultiGzDecoder::new(&unpacked[..]), max_bytes, "gzip").map(Cow::Owned);
        }
        return Ok(Cow::Owned(unpacked));
    }
    if body.starts_with(ZIP) {
        return zip(body, max_bytes).map(Cow::Owned);
    }
    match OTHERS.iter().find(|(magic, _)| body.starts_with(magic)) {
        Some((_, name)) => Err(Refused::Foreign(format!(
            "packed with {name}; gzip and zip are unpacked"
        ))),
        None => Ok(Cow::Borrowed(body)),
    }
}

fn zip(body: &[u8], max_bytes: u64) -> Result<Vec<u8>, Refused> {
    let damaged = |error| Refused::Incomplete(format!("damaged zip archive ({error})"));
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(damaged)?;
    if archive.len() != 1 {
        return Err(Refused::Foreign(format!(
            "a zip archive with {} files; one is expected",
            archive.len()
        )));
    }
    let file = archive.by_index(0).map_err(damaged)?;
    read(file, max_bytes, "zip")
}

fn read(packed: impl Read, max_bytes: u64, kind: &str) -> Result<Vec<u8>, Refused> {
    let mut unpacked = Vec::new();
    packed
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|error| Refused::Incomplete(format!("damaged {kind} ({error})")))?;
    if unpacked.len() as u64 > max_bytes {
        return Err(Refused::TooLarge(max_bytes));
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, options).unwrap();
            writer.write_all(text).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn refusal(body: &[u8]) -> String {
        unpack(body, 1_000).unwrap_err().to_string()
    }

    #[test]
    fn gzip_of_one_or_more_members_and_zip_of_one_file_are_unpacked() {
        assert_eq!(&*unpack(b"plain", 1_000).unwrap(), b"plain");
        assert_eq!(&*unpack(&gzip(b"one"), 1_000).unwrap(), b"one");
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(&*unpack(&two, 1_000).unwrap(), b"one two");
        assert_eq!(&*unpack(&gzip(&gzip(b"twice")), 1_000).unwrap(), b"twice");
        assert_eq!(
            &*unpack(&zipped(&[("a.txt", b"zipped")]), 1_000).unwrap(),
            b"zipped"
        );
    }

    #[test]
    fn a_packed_body_that_is_cut_anywhere_is_incomplete() {
        let whole = gzip(b"192.0.2.0/24\n198.51.100.0/24\n");
        for end in 2..whole.len() {
            let refused = unpack(&whole[..end], 1_000).unwrap_err();
            assert_eq!(refused.state(), "incomplete", "cut at {end}: {refused}");
        }
        let mut longer = whole;
        longer.extend(b"<html>");
        assert!(
            refusal(&longer).starts_with("cut short: damaged gzip ("),
            "{}",
            refusal(&longer)
        );
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let bomb = gzip(&vec![b'#'; 16 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(refusal(&bomb), "larger than 1000 bytes");
        assert_eq!(refusal(&gzip(&bomb)), "larger than 1000 bytes");
    }

    #[test]
    fn what_is_not_unpacked_is_said_by_name() {
        assert_eq!(
            refusal(b"BZh91AY"),
            "packed with bzip2; gzip and zip are unpacked"
        );
        assert_eq!(
            refusal(&zipped(&[("a", b"1"), ("b", b"2")])),
            "a zip archive with 2 files; one is expected"
        );
        assert!(refusal(b"PK\x03\x04rest").starts_with("cut short: damaged zip archive ("));
    }
}
