//! Golden files under `tests/golden/router/`, one for each family, role and case.
//! `GOLDEN=write cargo test golden` writes them anew; the difference is reviewed.

mod headers;
mod reading;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;

use super::*;
use crate::feed::formats::{Format, Rules, parse_body};
use crate::policy::limits::Limits;
use crate::policy::protect::Protected;
use crate::policy::selection::{Choice, Selection};
use crate::prefix::{Effective, NOTHING, PrefixSet};
use crate::rib::{Rib, Source};

/// Which each family has.
const CASES: [&str; 6] = ["4", "6", "mixed", "empty", "large", "asn"];

/// Those that a family has that takes away what is gone.
const GONE: &str = "gone";

/// That a trigger has, or a list: it does not get everything.
const SELECTED: &str = "selected";

const V4: &str = "72.37.186.0/23 # SBL123\n192.0.2.0/24\n203.0.113.7 # SBL 7, with \"more\"\n";
const V6: &str = "2001:db8:1234::/48 # SBL6\n2001:db8:1235::/48\n2001:db8:ffff::1\n";

/// What is in a golden file: lists, origins and credits.
#[derive(Default)]
struct Case {
    list: String,
    second: &'static str,
    origins: Vec<u32>,
    credits: Vec<&'static str>,
    gone: ToUnconfigure,
    metric: u32,
    selection: Option<Selection>,
}

fn case(name: &str) -> Case {
    let list = |list: &str| Case {
        list: list.to_owned(),
        ..Case::default()
    };
    match name {
        "4" => list(V4),
        "6" => list(V6),
        "mixed" => Case {
            second: "72.37.187.0/24 # ES-1\n2001:db8:1234:5::/64 # ES-2\n",
            credits: vec!["Example list, (c) Example, https://lists.example/terms"],
            ..list(&[V4, V6].concat())
        },
        "empty" => Case::default(),
        // Every other network, of changing lengths, so that none are joined.
        "large" => list(
            &(0..150)
                .flat_map(|n| {
                    let v4 = format!("72.{n}.{}.0/{} # SBL{n}\n", n % 3 * 2, 22 + n % 3);
                    [
                        v4,
                        format!("2001:db8:{:x}::/{} # SBL6-{n}\n", n * 2, 47 + n % 2),
                    ]
                })
                .collect::<String>(),
        ),
        "asn" => Case {
            origins: vec![64_496, 4_200_000_000],
            ..list(V4)
        },
        GONE => Case {
            gone: gone(),
            ..case("asn")
        },
        SELECTED => Case {
            selection: Some(Selection {
                choice: Choice {
                    feeds: Some(vec!["example".to_owned()]),
                    operator: false,
                },
                longest_v4: Some(24),
                longest_v6: Some(48),
            }),
            ..list("72.37.186.0/23 # SBL123\n2001:db8:1234::/48 # SBL6\n")
        },
        _ => unreachable!("no case of this name"),
    }
}

/// A prefix that is shorter now, one that is the operator's own, others that are not listed any
/// more, and an AS.
fn gone() -> ToUnconfigure {
    let nets = [
        "72.37.186.0/24",
        "198.51.100.0/24",
        "203.0.113.9/32",
        "2001:db8:99::/48",
    ];
    let nets = nets.map(|net| net.parse().unwrap());
    ToUnconfigure::of(nets, [64_511], &NOTHING)
}

/// What is protected, where nothing else is said.
const OWN: [&str; 2] = ["198.51.100.0/24", "2001:db8:1::/48"];

/// The file for these lists.
fn text(options: &FileOptions, case: &Case) -> String {
    text_of(options, case, &OWN)
}

fn text_of(options: &FileOptions, case: &Case, own: &[&str]) -> String {
    let lists = [("example", case.list.as_str()), ("second", case.second)];
    let source = |(name, list): (&str, &str)| Source {
        name: name.into(),
        reserved: false,
        any_length: false,
        copy: Arc::new(parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap()),
    };
    let sources = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let rib = Rib::merge(sources.map(source).collect());
    let v4 = rib.entries::<u32>();
    let nets = v4.iter().map(|entry| entry.prefix().to_net());
    let v6 = rib.entries::<u128>();
    let nets = nets.chain(v6.iter().map(|entry| entry.prefix().to_net()));
    let effective = Effective::new(PrefixSet::of_nets(nets), case.origins.iter().copied());
    let limits = Limits::default();
    let protected = |net: &&str| Protected {
        net: net.parse().unwrap(),
        why: "[protect] prefixes".to_owned(),
    };
    let own: Vec<_> = own.iter().map(protected).collect();
    let input = FileInput {
        effective: &effective,
        to_unconfigure: &case.gone,
        attributions: &case.credits,
        reasons: Reasons::of(&rib, &limits),
        own: &own,
        limits: &limits,
        metric: case.metric,
        selected: case.selection.as_ref().map(|selection| Selected {
            selection: selection.clone(),
            left_out: [3, 1],
            joined: 0,
        }),
    };
    render(options, &input)
}

/// Every options that there is.
fn all_options() -> impl Iterator<Item = FileOptions> {
    Family::NAMES.into_iter().flat_map(|(_, family)| {
        let roles = family.roles().iter();
        roles.flat_map(move |&role| {
            let lists = family.lists(role).iter();
            let ways = lists.map(move |&lists| FileOptions {
                lists,
                ..FileOptions::usual(family, role)
            });
            let other = family
                .kind()
                .directions
                .iter()
                .filter(|&&direction| direction != Direction::default());
            let directions = other.map(move |&direction| FileOptions {
                direction,
                ..FileOptions::usual(family, role)
            });
            ways.chain(directions)
        })
    })
}

/// The same options for the eBGP neighbors that are named.
fn to_ebgp(options: &FileOptions) -> FileOptions {
    let neighbors = ["100.64.0.2", "2001:db8:1::2"];
    FileOptions {
        announce_to: AnnounceTo::Ebgp,
        neighbors: neighbors.map(|address| address.parse().unwrap()).to_vec(),
        ..options.clone()
    }
}

/// Triggers with what most have not: iBGP neighbors that are named, and next hops, which each kind
/// of text has in its own way.
fn others() -> impl Iterator<Item = (FileOptions, &'static str)> {
    let trigger = |family| FileOptions::usual(family, Role::Trigger);
    let named = [Family::Ios, Family::OpenBgpd, Family::GoBgp].map(|family| FileOptions {
        neighbors: vec!["192.0.2.2".parse().unwrap()],
        ..trigger(family)
    });
    let next_hops = [
        Family::Ios,
        Family::IosXr,
        Family::Junos,
        Family::SrOsClassic,
        Family::RouterOs,
    ];
    let next_hops = next_hops.map(|family| FileOptions {
        next_hop_v4: Some("192.0.2.9".parse().unwrap()),
        next_hop_v6: Some("100::9".parse().unwrap()),
        ..trigger(family)
    });
    let all = named.into_iter().chain(next_hops);
    all.map(|options| (options, "mixed"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/router")
}

/// `frr--mixed.conf`, `frr-edge--mixed.conf`.
fn name(options: &FileOptions, case: &str) -> String {
    let role = match options.role {
        Role::Trigger => String::new(),
        role => format!("-{role}"),
    };
    let lists = match options.lists {
        Lists::One => String::new(),
        lists => format!("-{lists}"),
    };
    let direction = match options.direction {
        Direction::Both => String::new(),
        direction => format!("-{direction}"),
    };
    let announced = match (options.announce_to, options.neighbors.as_slice()) {
        (AnnounceTo::Ibgp, []) => "",
        (AnnounceTo::Ibgp, _) => "-named",
        (AnnounceTo::Ebgp, _) => "-ebgp",
    };
    let next_hop = match options.next_hops() {
        [None, None] => "",
        _ => "-next-hop",
    };
    let extension = match options.family {
        Family::Nftables => "nft",
        Family::Ipset => "ipset",
        Family::Plain => "txt",
        Family::Csv => "csv",
        Family::Json => "json",
        _ => "conf",
    };
    format!(
        "{}{role}{lists}{direction}{announced}{next_hop}--{case}.{extension}",
        options.family
    )
}

#[test]
fn a_file_of_ours_is_recognised_in_every_family() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        assert!(is_ours(&content), "{}", path.display());
        let edited = [b"# by hand\n", &content[..]].concat();
        let by_its_start = ["csv", "json"].map(|end| path.extension().is_some_and(|e| e == end));
        assert!(by_its_start.contains(&true) || is_ours(&edited));
        seen += 1;
    }
    assert!(seen > 100);
    for theirs in [
        "frr defaults traditional\nhostname edge1\n",
        "{\"prefixes\":[]}",
        "prefix,why\n",
        // Ours was pasted into it.
        "!\n!\n!\n!\n! Written by nullrouted; changes made here are lost.\n",
        "",
    ] {
        assert!(!is_ours(theirs.as_bytes()), "{theirs}");
    }
}

#[test]
fn golden_files() {
    let write = std::env::var_os("GOLDEN").is_some_and(|value| value == "write");
    let mut names = BTreeSet::new();
    let cases = all_options().flat_map(|options| {
        let gone = options.family.kind().takes_away && options.role != Role::Edge;
        let usual = options == FileOptions::usual(options.family, Role::Trigger);
        let all = CASES.into_iter().chain(gone.then_some(GONE));
        let all = all.chain(usual.then_some(SELECTED));
        // Five hundred lists, whatever is in them; a direction changes the rules alone.
        let one = options.lists == Lists::Octets || options.direction != Direction::default();
        let all = all.filter(|case| !one || *case == "mixed");
        let usual = all.map(|case| (options.clone(), case));
        let to_ebgp = (options.family.kind().announces.contains(&options.role))
            .then(|| (to_ebgp(&options), "mixed"));
        let usual: Vec<_> = usual.chain(to_ebgp).collect();
        usual
    });
    for (options, case_name) in cases.chain(others()) {
        let text = text(&options, &case(case_name));
        // Where the file does not depend on who is announced to, one is enough.
        let usual = FileOptions {
            announce_to: AnnounceTo::Ibgp,
            neighbors: Vec::new(),
            ..options.clone()
        };
        let is_named = options.announce_to == AnnounceTo::Ibgp;
        if is_named || text != self::text(&usual, &case(case_name)) {
            let name = name(&options, case_name);
            let path = folder().join(&name);
            if write {
                std::fs::write(&path, &text).unwrap();
            }
            let expected = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                text == expected,
                "{name} differs; GOLDEN=write cargo test golden writes it anew:\n{text}"
            );
            names.insert(name);
        }
    }
    let there = std::fs::read_dir(folder()).unwrap();
    let there = there.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), names, "and no others");
}

/// Some routers cut a line at 254 characters, and what is cut off is taken for a line of its own.
#[test]
fn a_long_selection_has_lines_that_are_short_enough_and_are_comments() {
    let feeds: Vec<String> = (0..60).map(|n| format!("{n}-{}", "x".repeat(60))).collect();
    let last = feeds[59].clone();
    let case = Case {
        selection: Some(Selection {
            choice: Choice {
                feeds: Some(feeds),
                operator: true,
            },
            ..Selection::EVERYTHING
        }),
        ..case("mixed")
    };
    let mut seen = 0;
    for options in all_options().filter(|options| options.role != Role::Edge) {
        let all = text(&options, &case);
        let names = |line: &&str| line.contains(&"x".repeat(60));
        let lines: Vec<&str> = all.lines().filter(names).collect();
        if [Family::Csv, Family::Json].contains(&options.family) || options.lists == Lists::None {
            continue;
        }
        assert!(
            lines.len() > 30 && lines[lines.len() - 1].contains(&last),
            "{all}"
        );
        for line in lines {
            assert!(line.starts_with(['#', '!']) && line.len() < 254, "{line}");
        }
        seen += 1;
    }
    assert!(seen > 30);
}

/// The lines of one that the other lacks.
fn lost<'a>(from: &'a str, to: &str) -> Vec<&'a str> {
    let there: BTreeSet<&str> = to.lines().collect();
    from.lines().filter(|line| !there.contains(line)).collect()
}

/// How many lines a prefix has, and how many take it away.
fn lines_a_prefix(options: &FileOptions) -> (usize, usize) {
    match (options.family, options.role) {
        (_, Role::Edge) => (0, 0),
        _ if options.lists == Lists::None => (0, 0),
        // A line of it names one attribute of a route, and is one step of taking it away.
        (Family::SrOsClassic, Role::Trigger) => (2, 2),
        // Lists are written anew.
        (Family::IosXr | Family::Eos | Family::SrOsClassic | Family::GoBgp, Role::Filter) => (1, 0),
        _ => (1, 1),
    }
}

#[test]
fn one_changed_prefix_changes_one_line_and_those_about_all() {
    let all: Vec<String> = (0..200)
        .flat_map(|n| [format!("72.{n}.0.0/16\n"), format!("2001:db8:{n:x}::/48\n")])
        .collect();
    // Every third one: neighbours would be joined.
    let all: Vec<&str> = all.iter().step_by(3).map(String::as_str).collect();
    let of = |options: &FileOptions, list: &[&str]| {
        let list = list.concat();
        text(
            options,
            &Case {
                list,
                ..Case::default()
            },
        )
    };
    for options in all_options() {
        let before = of(&options, &all);
        // The count, and what a router is asked for.
        let about_all = match before.contains("IPv4 and ") {
            true => 1 + usize::from(before.contains(" of the lines above")),
            false => 0,
        };
        for gone in [0, 7, all.len() - 1] {
            if gone > 7 && options.family == Family::Json {
                // An array has no comma behind its last element.
                continue;
            }
            let mut fewer = all.clone();
            fewer.remove(gone);
            let after = of(&options, &fewer);
            let (lost, new) = (lost(&before, &after), lost(&after, &before));
            let per_prefix = lines_a_prefix(&options).0;
            assert_eq!(lost.len(), about_all + per_prefix, "{options:?}: {lost:?}");
            assert_eq!(new.len(), about_all, "{options:?}: {new:?}");
        }
    }
}

#[test]
fn what_is_gone_is_taken_away_once_before_anything_is_added() {
    for options in all_options().filter(|options| options.family.kind().takes_away) {
        let (with, without) = (text(&options, &case(GONE)), text(&options, &case("asn")));
        let new = lost(&with, &without);
        let is_script = matches!(options.family, Family::GoBgp | Family::ExaBgp);
        // A static route for one's own network is left, with a comment.
        let (taken, said) = match options.role {
            Role::Trigger if is_script => (4, 0),
            Role::Trigger => (3, 1),
            Role::Edge => (0, 0),
            Role::Filter => (5, 0),
        };
        let taken = taken * lines_a_prefix(&options).1;
        assert_eq!(new.len(), taken + said, "{options:?}: {new:#?}");
        let own = new.iter().filter(|line| line.contains("198.51.100.0"));
        let own: Vec<_> = own.collect();
        if options.role == Role::Trigger && !is_script {
            let is_comment = |line: &str| line.starts_with(['!', '#']) && line.contains("your own");
            assert!(own.len() == 1 && is_comment(own[0]), "{options:?}: {own:?}");
        }
        assert_eq!(lost(&without, &with), [""; 0], "{options:?}");
        let at = |part: &str| with.lines().position(|line| line.contains(part));
        if let (Some(gone), Some(there)) = (at("72.37.186.0/24"), at("72.37.186.0/23")) {
            assert!(gone < there, "{options:?}");
        }
    }
}

/// The lines about this prefix.
fn about(text: &str, net: IpNet) -> Vec<&str> {
    let (addr, len) = (net.addr(), net.prefix_len());
    let forms = [format!("{addr}/{len}"), format!("{addr} {len}")];
    let is_about = |line: &&str| {
        let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_digit());
        let mut forms = forms.iter();
        forms.any(|form| line.split(form).skip(1).any(ends))
    };
    text.lines().filter(is_about).collect()
}

/// The protected networks of each case are 198.51.100.0/24 and 2001:db8:1::/48.
#[test]
fn an_edge_names_what_covers_the_own_networks_as_far_as_the_limits_let_it_in() {
    let limits = Limits::default();
    let own: [IpNet; 2] = OWN.map(|net| net.parse().unwrap());
    let edges = all_options().filter(|options| options.role == Role::Edge);
    // BIRD has a word for what covers a network.
    for options in edges.filter(|options| options.family != Family::Bird) {
        let text = text(&options, &case("empty"));
        for (own, shortest) in own
            .into_iter()
            .zip([limits.shortest_v4, limits.shortest_v6])
        {
            let supernets = std::iter::successors(own.supernet(), IpNet::supernet);
            for net in supernets.filter(|net| net.prefix_len() > 0) {
                let lines = about(&text, net);
                let expected = usize::from(net.prefix_len() >= shortest);
                assert_eq!(lines.len(), expected, "{options:?}: {net}\n{text}");
                // It, and nothing inside of it.
                let len = net.prefix_len();
                let exact = |line: &&str| {
                    let inside = [" le ", " less-equal ", "longer", "through", "dst in "];
                    !inside.iter().any(|word| line.contains(word))
                        && (!line.contains("..") || line.contains(&format!("\"{len}..{len}\"")))
                };
                assert!(lines.iter().all(exact), "{options:?}: {lines:?}");
            }
        }
    }
}

/// So many that a router takes long for them.
#[test]
fn too_many_covers_are_not_named_and_the_head_says_so() {
    let hosts: Vec<String> = (0..20)
        .map(|n| format!("2001:db8:{n:x}:1::1/128"))
        .collect();
    let own: Vec<&str> = hosts.iter().map(String::as_str).chain([OWN[0]]).collect();
    for options in
        all_options().filter(|options| options.role == Role::Edge && options.family != Family::Bird)
    {
        let text = text_of(&options, &case("empty"), &own);
        let told = "IPv6 prefixes cover your own networks, too many to be named";
        assert_eq!(text.matches(told).count(), 1, "{options:?}");
        assert!(about(&text, "2001:db8::/32".parse().unwrap()).is_empty());
        assert_eq!(about(&text, "198.51.0.0/16".parse().unwrap()).len(), 1);
    }
}

#[test]
fn equal_sets_give_equal_bytes() {
    for options in all_options() {
        let of = |list: &str| {
            let list = list.to_owned();
            text(
                &options,
                &Case {
                    list,
                    ..Case::default()
                },
            )
        };
        assert_eq!(
            of("192.0.2.0/25\n192.0.2.128/25\n2001:db8::/32\n"),
            of("2001:db8::/32\n192.0.2.0/25\n192.0.2.128/25\n")
        );
    }
}

/// Without a list a metric of our own is what tells our routes from those of others.
#[test]
fn without_a_list_frr_announces_routes_of_our_metric_alone() {
    let of = |metric| {
        let options = FileOptions {
            lists: Lists::None,
            ..FileOptions::usual(Family::Frr, Role::Trigger)
        };
        text(
            &options,
            &Case {
                metric,
                ..case("4")
            },
        )
    };
    let with = of(0x0100_0000 + 166);
    assert_eq!(with.matches("\n match metric 166\n").count(), 2, "{with}");
    assert!(with.contains("main table of metric 166 is announced, whoever made it."));
    // Another clause than without: what is left of the other is seen by whoever compares.
    assert_eq!(with.matches(" permit 31\n").count(), 2);
    for without in [0, 0x0100_0000] {
        let without = of(without);
        assert!(!without.contains("match metric") && without.matches(" permit 30\n").count() == 2);
    }
}
