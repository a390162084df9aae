//! What must hold for any bytes: the fuzz targets and `tests/it/fuzz.rs` both call [`run`].

use std::borrow::Cow;
use std::fmt::Debug;
use std::io::{Error, ErrorKind};
use std::path::Path;

use nullrouted::config;
use nullrouted::feed::body::{Latin1, decode, unpack};
use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::feed::{End, Entry, FeedCopy, Refused, Rejection};
use nullrouted::prefix::{Bits, HostBits, Prefix, Written, leading_v4, parse, prefixes_of_range};

/// Targets other than those of the formats, which have the names of the formats.
pub const OTHERS: [&str; 3] = ["body", "prefix", "config"];

/// Most bytes that a packed body may come to.
const MAX_BYTES: u64 = 1 << 20;
/// Longest message that a log should hold, in bytes.
const LONGEST_MESSAGE: usize = 4_000;

/// Check one input of one target.
///
/// # Panics
/// When an invariant does not hold, and for a target that does not exist.
pub fn run(target: &str, data: &[u8]) {
    match target {
        "body" => body(data),
        "prefix" => prefix(data),
        "config" => configuration(data),
        name => match Format::NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, wanted)) => format(*wanted, data),
            None => panic!("no target {name:?}"),
        },
    }
}

/// The same bytes by different rules.
fn format(format: Format, data: &[u8]) {
    let rules = Rules {
        field: matches!(format, Format::Csv | Format::Json).then(|| "ip".to_owned()),
        reference: Some("why".to_owned()),
        max_bytes: MAX_BYTES,
        ..Rules::of(format)
    };
    let narrow = Rules {
        host_bits: HostBits::Mask,
        lengths_v4: Some((8, 30)),
        lengths_v6: Some((19, 64)),
        ..rules.clone()
    };
    for rules in [&rules, &narrow] {
        let read = parse_body(data, rules);
        assert_eq!(
            read,
            parse_body(data, rules),
            "read twice, read differently"
        );
        match read {
            Ok(copy) => whole(&copy, rules, data),
            Err(refused) => named(&refused),
        }
    }
}

fn named(refused: &Refused) {
    message(&refused.to_string());
}

fn message(text: &str) {
    assert!(!text.is_empty(), "a reason that says nothing");
    assert!(
        text.len() < LONGEST_MESSAGE,
        "{} bytes of reason",
        text.len()
    );
    assert!(!text.contains(char::is_control), "{text:?}");
}

fn whole(copy: &FeedCopy, rules: &Rules, data: &[u8]) {
    assert_eq!(
        copy.len(),
        copy.v4.len() + copy.v6.len() + copy.origins.len()
    );
    assert!(
        !copy.is_empty() || copy.proof.is_some(),
        "empty, and nothing proves it"
    );
    assert_ne!(copy.format, Format::Auto, "nothing was recognised");
    assert_eq!(
        copy.rejections.len(),
        copy.rejected.min(FeedCopy::MAX_REJECTIONS)
    );
    let lines = lines_of(data, copy.format);
    for rejection in &copy.rejections {
        assert!(
            (1..=lines).contains(&(rejection.line as usize)),
            "{rejection}"
        );
        assert!(rejection.text.chars().count() <= Rejection::MAX_TEXT);
        message(&rejection.reason);
    }
    for origin in &copy.origins {
        assert!((1..=lines).contains(&(origin.line as usize)), "{origin:?}");
        let _ = copy.origin_reference(origin);
    }
    entries(copy, &copy.v4, &copy.ends_v4, rules.lengths_v4, lines);
    entries(copy, &copy.v6, &copy.ends_v6, rules.lengths_v6, lines);
    if rules.format == Format::Auto {
        let rules = Rules {
            format: copy.format,
            ..rules.clone()
        };
        assert_eq!(
            parse_body(data, &rules).as_ref(),
            Ok(copy),
            "recognised, read otherwise"
        );
    }
}

fn entries<B: Bits + Debug>(
    copy: &FeedCopy,
    entries: &[Entry<B>],
    ends: &[(u32, End)],
    lengths: Option<(u8, u8)>,
    lines: usize,
) {
    let shortest = lengths.map_or(0, |(shortest, _)| shortest);
    for entry in entries {
        assert!(
            (1..=lines).contains(&(entry.line as usize)),
            "{entry:?} of {lines} lines"
        );
        assert!(entry.prefix().len() >= shortest, "{entry:?}");
        assert_eq!(
            Prefix::new(entry.prefix().first(), entry.prefix().len()),
            entry.prefix()
        );
        let _ = copy.reference(entry);
    }
    assert!(ends.iter().all(|(at, _)| (*at as usize) < entries.len()));
    assert!(ends.is_sorted_by_key(|(at, _)| at));
}

/// An upper bound for the lines of a body; of a document for its items.
fn lines_of(data: &[u8], format: Format) -> usize {
    let text = unpack(data, MAX_BYTES).unwrap_or(Cow::Borrowed(data));
    match format {
        Format::Json | Format::Stix | Format::Misp | Format::Crowdsec => text.len(),
        _ => {
            1 + text
                .iter()
                .filter(|byte| matches!(byte, b'\n' | b'\r'))
                .count()
        }
    }
}

fn body(data: &[u8]) {
    let unpacked = unpack(data, MAX_BYTES);
    assert_eq!(unpacked, unpack(data, MAX_BYTES));
    let bytes = match unpacked {
        Ok(bytes) => bytes,
        Err(refused) => return named(&refused),
    };
    let packed = matches!(bytes, Cow::Owned(_));
    assert!(!packed || bytes.len() as u64 <= MAX_BYTES);
    for latin1 in [Latin1::Known, Latin1::Refused] {
        match decode(bytes.clone(), latin1) {
            Ok(text) => assert!(!text.contains('\0')),
            Err(refused) => named(&refused),
        }
    }
}

fn prefix(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (strict, mask) = (parse(&text, HostBits::Refuse), parse(&text, HostBits::Mask));
    match &strict {
        Ok(written) => {
            assert_eq!(Ok(*written), mask);
            again(written);
        }
        Err(reason) => message(&reason.to_string()),
    }
    mask.iter().for_each(again);
    // The short way reads nothing that the long one reads otherwise.
    if let Some((addr, len, taken)) = leading_v4(data) {
        let start = std::str::from_utf8(&data[..taken]).unwrap_or_default();
        let read = parse(start, HostBits::Mask);
        assert_eq!(read, Ok(Written::V4(Prefix::new(addr, len))), "{start:?}");
    }
}

/// What was read, written out, is read as the same.
fn again(written: &Written) {
    let text = match written {
        Written::V4(prefix) => prefix.to_string(),
        Written::V6(prefix) => prefix.to_string(),
        Written::Range4(first, last) => return covered(*first, *last),
        Written::Range6(first, last) => return covered(*first, *last),
    };
    assert_eq!(
        parse(&text, HostBits::Refuse).as_ref(),
        Ok(written),
        "{text}"
    );
}

/// The prefixes of a range follow on each other, from its first address to its last.
fn covered<B: Bits + Debug>(first: B, last: B) {
    let prefixes: Vec<_> = prefixes_of_range(first, last).collect();
    assert_eq!(prefixes.first().map(Prefix::first), Some(first));
    assert_eq!(prefixes.last().map(Prefix::last), Some(last));
    for pair in prefixes.windows(2) {
        assert_eq!(pair[0].last().next(), Some(pair[1].first()));
    }
}

fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let no_file = |_: &Path| Err(Error::from(ErrorKind::NotFound));
    match config::parse(Path::new("nullrouted.toml"), &text, &no_file) {
        Ok(config) => {
            let _ = config::print(&config);
        }
        Err(problems) => {
            assert!(problems.count() > 0, "refused without a problem");
            assert!(!problems.to_string().is_empty());
        }
    }
}
