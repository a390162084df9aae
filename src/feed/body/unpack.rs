//! gzip and zip, recognised by their first bytes, whatever the URL or the server calls them.
//!
//! Both the size of the output and the work are limited: 64 MB of empty gzip members, or of empty
//! blocks in one member, unpack to nothing and take minutes. So packed bytes must contain
//! something, members must have a minimum size, and the time limit depends on the size of the
//! output.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use flate2::bufread::GzDecoder;
use memchr::memmem;
use zip::ZipArchive;

use crate::feed::{Refused, foreign};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK\x03\x04";
/// The magic of a tar archive (POSIX.1, pax), and its place in the first header.
const TAR: &[u8] = b"ustar";
const TAR_AT: usize = 257;
/// The start of each entry in the directory of a zip archive.
const ZIP_ENTRY: &[u8] = b"PK\x01\x02";
/// An archive with more entries is not read. By chance these four bytes occur in packed data once
/// in 4 GB.
const MOST_ENTRIES: usize = 16;
/// Formats of publishers that are not unpacked, by their first bytes: named in the error.
const OTHERS: [(&[u8], &str); 4] = [
    (b"BZh", "bzip2"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
    (b"7z\xbc\xaf", "7z"),
];

/// Number of gzip members that are always read …
const MEMBERS: u64 = 1_024;
/// … and one more for this many bytes of output: `bgzip` makes one for each 64 KiB.
const BYTES_PER_MEMBER: u64 = 4_096;
/// Packed bytes that may contain nothing. Beyond that the output must be at least half their size:
/// what cannot be compressed is stored, with five bytes for each 64 KiB.
const HOLLOW: u64 = 64 << 10;
/// Time that is always granted …
const TIME: Duration = Duration::from_secs(5);
/// … and one second more for this many bytes of output. The slowest machine unpacks faster.
const BYTES_PER_SECOND: u64 = 8 << 20;
/// Largest number of packed bytes between two checks of the limits.
const STEP: usize = 16 << 10;

/// Whether a body is packed, by its first bytes.
pub(super) fn is_packed(body: &[u8]) -> bool {
    let others = OTHERS.iter().map(|(magic, _)| *magic);
    [GZIP, ZIP]
        .into_iter()
        .chain(others)
        .any(|magic| body.starts_with(magic))
}

/// The body itself, or its content if it is packed: gzip of one or more members (RFC 1952, section
/// 2.2), or a zip archive with one file. At most `max_bytes` of output.
///
/// # Errors
/// [`Refused::Incomplete`] if the stream is truncated or damaged or is followed by something,
/// [`Refused::TooLarge`] beyond the limit, [`Refused::Foreign`] for formats that are not unpacked,
/// and for a body that takes far more work than it contains.
pub fn unpack(body: &[u8], max_bytes: u64) -> Result<Cow<'_, [u8]>, Refused> {
    let content = content(body, max_bytes)?;
    if content
        .get(TAR_AT..)
        .is_some_and(|rest| rest.starts_with(TAR))
    {
        return foreign("a tar archive; gzip and zip with one file are unpacked");
    }
    Ok(content)
}

fn content(body: &[u8], max_bytes: u64) -> Result<Cow<'_, [u8]>, Refused> {
    if body.starts_with(GZIP) {
        let unpacked = gzip(body, max_bytes)?;
        // Packed twice: by the publisher, and again by a server in between.
        if unpacked.starts_with(GZIP) {
            return gzip(&unpacked, max_bytes).map(Cow::Owned);
        }
        return Ok(Cow::Owned(unpacked));
    }
    if body.starts_with(ZIP) {
        return zip(body, max_bytes).map(Cow::Owned);
    }
    match OTHERS.iter().find(|(magic, _)| body.starts_with(magic)) {
        Some((_, name)) => foreign(format!("packed with {name}; gzip and zip are unpacked")),
        None => Ok(Cow::Borrowed(body)),
    }
}

fn gzip(body: &[u8], max_bytes: u64) -> Result<Vec<u8>, Refused> {
    let meter = Meter::new();
    let mut packed = Packed::of(body, &meter);
    let mut unpacked = Vec::new();
    let mut members = 0;
    loop {
        let mut member = GzDecoder::new(packed);
        read(&mut member, max_bytes, &mut unpacked, &meter, "gzip")?;
        packed = member.into_inner();
        if packed.is_at_end() {
            return Ok(unpacked);
        }
        members += 1;
        let out = unpacked.len() as u64;
        if members > MEMBERS + out / BYTES_PER_MEMBER {
            return foreign(format!(
                "gzip with more than {members} members for {out} bytes, which no list has"
            ));
        }
    }
}

fn zip(body: &[u8], max_bytes: u64) -> Result<Vec<u8>, Refused> {
    // The directory would be held in memory completely.
    let entries = memmem::find_iter(body, ZIP_ENTRY).take(MOST_ENTRIES + 1);
    if entries.count() > MOST_ENTRIES {
        return foreign(format!(
            "a zip archive with more than {MOST_ENTRIES} files; one is expected"
        ));
    }
    let meter = Meter::new();
    let damaged = |error| Refused::Incomplete(format!("damaged zip archive ({error})"));
    let packed = Packed::of(body, &meter);
    let mut archive = ZipArchive::new(packed).map_err(damaged)?;
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let is_folder = archive.by_index(at).map_err(damaged)?.is_dir();
        files.extend((!is_folder).then_some(at));
    }
    let [at] = files[..] else {
        let files = match (files.len(), archive.len()) {
            (0, 1..) => "a folder and no file".to_owned(),
            (count, _) => format!("{count} files"),
        };
        return foreign(format!("a zip archive with {files}; one is expected"));
    };
    let mut file = archive.by_index(at).map_err(damaged)?;
    // Everything read so far was the directory.
    meter.packed.set(0);
    let mut unpacked = Vec::new();
    read(&mut file, max_bytes, &mut unpacked, &meter, "zip")?;
    Ok(unpacked)
}

/// Read to the end; `unpacked` is the beginning.
fn read(
    packed: &mut impl Read,
    max_bytes: u64,
    unpacked: &mut Vec<u8>,
    meter: &Meter,
    kind: &str,
) -> Result<(), Refused> {
    let mut chunk = [0; STEP];
    loop {
        let came = packed
            .read(&mut chunk)
            .map_err(|error| match error.kind() {
                io::ErrorKind::QuotaExceeded => Refused::Foreign(format!("{kind}: {error}")),
                _ => Refused::Incomplete(format!("damaged {kind} ({error})")),
            })?;
        if came == 0 {
            return Ok(());
        }
        unpacked.extend_from_slice(&chunk[..came]);
        if unpacked.len() as u64 > max_bytes {
            return Err(Refused::TooLarge(max_bytes));
        }
        meter.unpacked.set(unpacked.len() as u64);
    }
}

/// Bytes read and written.
struct Meter {
    packed: Cell<u64>,
    unpacked: Cell<u64>,
    begun: Instant,
}

impl Meter {
    fn new() -> Self {
        Self {
            packed: Cell::new(0),
            unpacked: Cell::new(0),
            begun: Instant::now(),
        }
    }

    /// Called before more packed bytes are read: whether their content justifies the work.
    fn take(&self, bytes: usize) -> io::Result<()> {
        let (packed, unpacked) = (self.packed.get(), self.unpacked.get());
        self.packed.set(packed + bytes as u64);
        let time = TIME + Duration::from_secs(unpacked / BYTES_PER_SECOND);
        let why = if packed > HOLLOW + 2 * unpacked {
            format!("{packed} packed bytes hold {unpacked}, so no list is in them")
        } else if self.begun.elapsed() > time {
            let seconds = time.as_secs();
            format!("{unpacked} bytes took more than {seconds} s to unpack")
        } else {
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::QuotaExceeded, why))
    }
}

/// A packed body, read in metered steps.
struct Packed<'a> {
    body: Cursor<&'a [u8]>,
    meter: &'a Meter,
}

impl<'a> Packed<'a> {
    fn of(body: &'a [u8], meter: &'a Meter) -> Self {
        Self {
            body: Cursor::new(body),
            meter,
        }
    }

    fn is_at_end(&self) -> bool {
        self.body.position() >= self.body.get_ref().len() as u64
    }
}

impl BufRead for Packed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.meter.take(0)?;
        let rest = self.body.fill_buf()?;
        Ok(&rest[..rest.len().min(STEP)])
    }

    fn consume(&mut self, amount: usize) {
        self.body.consume(amount);
        self.meter
            .packed
            .set(self.meter.packed.get() + amount as u64);
    }
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(STEP);
        let came = self.body.read(&mut buffer[..most])?;
        self.meter.take(came)?;
        Ok(came)
    }
}

impl Seek for Packed<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.body.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedState;
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
            assert_eq!(
                refused.state(),
                FeedState::Incomplete,
                "cut at {end}: {refused}"
            );
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

    /// One gzip member around a raw deflate stream that gives nothing.
    fn member_of(deflate: &[u8]) -> Vec<u8> {
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        [&head[..], deflate, &[0; 8]].concat()
    }

    #[test]
    fn empty_members_are_given_up_before_they_cost_anything() {
        let begun = Instant::now();
        let body = gzip(b"").repeat((64 << 20) / 20);
        assert_eq!(
            refusal(&body),
            "gzip with more than 1025 members for 0 bytes, which no list has"
        );
        // With a byte in each, and packed twice.
        let body = gzip(b"#").repeat(100_000);
        assert_eq!(
            unpack(&body, 1 << 20).unwrap_err().to_string(),
            "gzip with more than 1025 members for 1025 bytes, which no list has"
        );
        assert_eq!(
            unpack(&gzip(&body), 64 << 20).unwrap_err().to_string(),
            "gzip with more than 1025 members for 1025 bytes, which no list has"
        );
        assert!(begun.elapsed() < Duration::from_secs(10));
        // As `bgzip` makes them.
        let text = vec![b'#'; 8 << 20];
        let blocks: Vec<u8> = text.chunks(0xff00).flat_map(gzip).collect();
        assert_eq!(unpack(&blocks, 8 << 20).unwrap().len(), text.len());
    }

    #[test]
    fn empty_blocks_are_given_up_before_they_cost_anything() {
        let begun = Instant::now();
        // RFC 1951: a block that is not the last, of fixed codes, and its end: 10 bits, so four in
        // five bytes.
        let fixed = [0b0000_0010, 0b0000_1000, 0b0010_0000, 0b1000_0000, 0];
        // One that is stored and has no bytes.
        let stored = [0, 0, 0, 0xff, 0xff];
        for block in [fixed, stored] {
            let refused = refusal(&member_of(&block.repeat((64 << 20) / 5)));
            assert!(
                refused.starts_with("gzip: 6")
                    && refused.ends_with(" packed bytes hold 0, so no list is in them"),
                "{refused}"
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_cannot_be_packed_is_read_all_the_same() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(4 << 20)
        .collect();
        assert_eq!(&*unpack(&gzip(&noise), 8 << 20).unwrap(), noise);
        let archive = zipped(&[("a", &noise)]);
        assert_eq!(&*unpack(&archive, 8 << 20).unwrap(), noise);
    }

    #[test]
    fn the_directory_of_a_zip_archive_is_not_read_where_it_is_long() {
        let body = [
            &b"PK\x03\x04"[..],
            &[b"PK\x01\x02", &[0; 42][..]].concat().repeat(1_000_000),
        ]
        .concat();
        assert_eq!(
            refusal(&body),
            "a zip archive with more than 16 files; one is expected"
        );
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
