//! The walk over plain lines and the long way read every text alike.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Reader, read, read_line};
use crate::feed::formats::lines::lines;
use crate::feed::formats::{Format, Rules};
use crate::prefix::HostBits;

fn octet() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => any::<u8>().prop_map(|octet| octet.to_string()),
        1 => (0_u32..1_000).prop_map(|octet| octet.to_string()),
        1 => any::<u8>().prop_map(|octet| format!("0{octet}")),
    ]
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => vec(octet(), 4).prop_map(|octets| octets.join(".")),
        1 => vec(octet(), 1..6).prop_map(|octets| octets.join(".")),
        1 => any::<u128>().prop_map(|addr| std::net::Ipv6Addr::from(addr).to_string()),
    ]
}

fn entry() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => address(),
        3 => (address(), 0_u32..40).prop_map(|(addr, len)| format!("{addr}/{len}")),
        // Without host bits, so that it is taken.
        4 => (any::<u32>(), 0_u8..=32).prop_map(|(addr, len)| {
            crate::prefix::Prefix::new(addr, len).to_string()
        }),
        1 => (address(), "[0-9]{0,4}").prop_map(|(addr, len)| format!("{addr}/{len}")),
        1 => (address(), address()).prop_map(|(first, last)| format!("{first}-{last}")),
        1 => "[0-9a-f:./ \t#;\r-]{0,12}",
    ]
}

fn line() -> impl Strategy<Value = String> {
    let blank = || prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\t"), 1 => Just("\r")];
    let comment = prop_oneof![
        6 => Just(String::new()),
        1 => "[#;][ -~]{0,8}",
        1 => "//[ -~]{0,8}",
        1 => Just("# last updated 1786017600 (noon)".to_owned()),
    ];
    (blank(), entry(), blank(), comment).prop_map(|(a, b, c, d)| format!("{a}{b}{c}{d}"))
}

/// Lines with ends of all kinds, or of one kind; the last one may have none.
fn text() -> impl Strategy<Value = String> {
    let any_end = prop_oneof![6 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r"), 1 => Just("")];
    let one_end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    prop_oneof![
        vec((line(), any_end), 0..12).prop_map(|lines| lines
            .iter()
            .map(|(line, end)| format!("{line}{end}"))
            .collect()),
        (vec(line(), 0..12), one_end, any::<bool>())
            .prop_map(|(lines, end, ended)| { lines.join(end) + if ended { end } else { "" } }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_ways_read_the_same(
        text in text(),
        mask in any::<bool>(),
        lengths_v4 in prop_oneof![
            3 => Just(Some((0, 32))),
            1 => Just(Some((8, 24))),
            1 => Just(None),
        ],
    ) {
        let rules = Rules {
            host_bits: if mask { HostBits::Mask } else { HostBits::Refuse },
            lengths_v4,
            ..Rules::of(Format::Cidr)
        };
        let mut short = Reader::new(&rules);
        let of_short = read(&text, &mut short);
        let mut long = Reader::new(&rules);
        let of_long = lines(&text)
            .try_for_each(|(number, line, ended)| read_line(number, line, ended, &mut long));
        prop_assert_eq!(&of_short, &of_long);
        prop_assert_eq!(&short.copy, &long.copy);
        if of_short.is_ok() {
            prop_assert_eq!(short.finish(), long.finish());
        }
    }
}
