//! Golden files under `tests/golden/router/`, one for each family and case.
//! `GOLDEN=write cargo test golden` writes them anew; the difference is reviewed.

use std::path::Path;

use super::*;

fn set(nets: &[&str]) -> PrefixSet {
    PrefixSet::of_nets(nets.iter().map(|net| net.parse().unwrap()))
}

fn golden(name: &str, family: Family, nets: &[&str], attributions: &[&str]) {
    golden_with(name, family, nets, &[], attributions);
}

fn golden_with(name: &str, family: Family, nets: &[&str], origins: &[u32], attributions: &[&str]) {
    let set = set(nets);
    let text = render(
        family,
        &Sheet {
            set: &set,
            origins,
            attributions,
        },
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/router")
        .join(name);
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "{name} differs; GOLDEN=write cargo test golden writes it anew:\n{text}"
    );
}

const V4: [&str; 3] = ["72.37.186.0/23", "192.0.2.0/24", "203.0.113.7/32"];
const V6: [&str; 3] = [
    "2001:db8:1234::/48",
    "2001:db8:1235::/48",
    "2001:db8:ffff::1/128",
];

#[test]
fn frr_golden_files() {
    golden("frr--4.conf", Family::Frr, &V4, &[]);
    golden("frr--6.conf", Family::Frr, &V6, &[]);
    let both = [&V4[..], &V6[..]].concat();
    golden(
        "frr--mixed.conf",
        Family::Frr,
        &both,
        &["Example list, (c) Example, https://lists.example/terms"],
    );
    golden_with(
        "frr--asn.conf",
        Family::Frr,
        &V4,
        &[64_496, 4_200_000_000],
        &[],
    );
}

#[test]
fn an_empty_set_renders_a_list_that_matches_nothing() {
    golden("frr--empty.conf", Family::Frr, &[], &[]);
    let empty = render(
        Family::Frr,
        &Sheet {
            set: &set(&[]),
            origins: &[],
            attributions: &[],
        },
    );
    assert!(
        !empty
            .lines()
            .any(|line| line.contains("prefix-list") && line.contains(" permit "))
    );
    for list in [
        "ip prefix-list NULLROUTED-V4 seq",
        "ipv6 prefix-list NULLROUTED-V6 seq",
    ] {
        let denies = empty
            .lines()
            .filter(|line| line.starts_with(list) && line.contains(" deny "));
        assert_eq!(
            denies.count(),
            2,
            "a list without an entry would permit everything"
        );
    }
}

#[test]
fn one_changed_prefix_changes_one_line_and_the_count() {
    let all: Vec<String> = (0..200)
        .flat_map(|i| [format!("10.{i}.0.0/16"), format!("2001:db8:{i:x}::/48")])
        .collect();
    // Every other one: neighbours would be joined.
    let nets: Vec<&str> = all.iter().step_by(3).map(String::as_str).collect();
    let text = |nets: &[&str]| {
        render(
            Family::Frr,
            &Sheet {
                set: &set(nets),
                origins: &[],
                attributions: &[],
            },
        )
    };
    let before = text(&nets);
    for gone in [0, 7, nets.len() - 1] {
        let mut fewer = nets.clone();
        fewer.remove(gone);
        let after = text(&fewer);
        let lost = before
            .lines()
            .filter(|line| !after.lines().any(|other| other == *line));
        assert_eq!(lost.count(), 2, "the entry and the header's count");
        let new = after
            .lines()
            .filter(|line| !before.lines().any(|other| other == *line));
        assert_eq!(new.count(), 1, "the header's count");
    }
}

#[test]
fn equal_sets_give_equal_bytes() {
    let one = set(&["192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32"]);
    let two = set(&["2001:db8::/32", "192.0.2.0/24"]);
    let text = |set: &PrefixSet| {
        render(
            Family::Frr,
            &Sheet {
                set,
                origins: &[],
                attributions: &[],
            },
        )
    };
    assert_eq!(text(&one), text(&two));
}
