//! Presets: one line in the configuration turns a publisher on.

use std::time::Duration;

use super::formats::Format;

/// A publisher's list.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name in the configuration.
    pub name: &'static str,
    /// Its address.
    pub url: &'static str,
    /// Its format, which knows what proves that a copy is complete.
    pub format: Format,
    /// Words that a comment of the right list contains, if its format alone does not identify it.
    pub header: Option<&'static str>,
    /// The interval, if the configuration names none.
    pub every: Duration,
    /// The publisher's minimum interval.
    pub floor: Duration,
    /// From this age on, by the publisher's own date, its entries are withdrawn.
    pub max_age: Option<Duration>,
    /// Whether it contains reserved space by design.
    pub reserved: bool,
    /// Expected IPv4 lengths; `None` if the list has no IPv4.
    pub lengths_v4: Option<(u8, u8)>,
    /// Expected IPv6 lengths; `None` if the list has no IPv6.
    pub lengths_v6: Option<(u8, u8)>,
    /// The page about one address on it, which contains `{address}`, if its publisher has one.
    pub record: Option<&'static str>,
    /// Credit that is printed in everything generated from the list.
    pub attribution: &'static str,
    /// The licence, or what is known of it.
    pub licence: &'static str,
    pub good_for: &'static str,
    /// What it is not good for, or what to mind.
    pub mind: &'static str,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

const V4: Option<(u8, u8)> = Some((8, 32));

/// A list of IPv4 networks and addresses, fetched every hour: the other presets differ from it.
const USUAL: Preset = Preset {
    name: "",
    url: "",
    format: Format::Cidr,
    header: None,
    every: HOUR,
    floor: Duration::from_secs(600),
    max_age: None,
    reserved: false,
    lengths_v4: V4,
    lengths_v6: None,
    record: None,
    attribution: "",
    licence: "",
    good_for: "",
    mind: "",
};

/// Spamhaus asks for at most one download an hour, and for credit where the data is used
/// (<https://www.spamhaus.org/drop/terms/>).
const SPAMHAUS: Preset = Preset {
    format: Format::SpamhausJson,
    every: HOUR.saturating_mul(12),
    floor: HOUR,
    attribution: "Spamhaus DROP, (c) The Spamhaus Project SLU, \
                  https://www.spamhaus.org/drop/terms/",
    licence: "free of charge with credit; date and copyright must stay with the data",
    ..USUAL
};

/// Team Cymru generates its bogon lists every four hours
/// (<https://www.team-cymru.com/bogon-networks>). Bogon space is allocated over time: an old list
/// drops legitimate networks.
const CYMRU: Preset = Preset {
    header: Some("last updated"),
    every: HOUR.saturating_mul(12),
    floor: HOUR.saturating_mul(4),
    max_age: Some(DAY.saturating_mul(7)),
    reserved: true,
    attribution: "Team Cymru fullbogons, https://www.team-cymru.com/bogon-networks",
    licence: "free community service",
    good_for: "unallocated networks: spoofed sources, hijacked space",
    mind: "read by source more than by destination; raise the limits for length and share",
    ..USUAL
};

/// FireHOL's lists are made of others' (<https://iplists.firehol.org/>); the bogons in them age.
const FIREHOL: Preset = Preset {
    format: Format::Firehol,
    every: HOUR.saturating_mul(6),
    floor: HOUR,
    max_age: Some(DAY.saturating_mul(30)),
    attribution: "FireHOL IP lists, https://iplists.firehol.org/",
    licence: "none stated; each source keeps its own",
    ..USUAL
};

/// UCEPROTECT's zones (<https://www.uceprotect.net/en/index.php?m=6>), made every hour.
const UCEPROTECT: Preset = Preset {
    format: Format::Rbldnsd,
    floor: HOUR,
    every: HOUR.saturating_mul(6),
    max_age: Some(DAY.saturating_mul(7)),
    attribution: "UCEPROTECT, https://www.uceprotect.net/",
    licence: "ISC-like; the copyright notice must stay with the data",
    ..USUAL
};

/// Every preset. The lengths leave room around the observed ones: DROP v4 held /10 to /24 in eight
/// years, DROP v6 /28 to /48, fullbogons v6 go up to /1.
pub const PRESETS: [Preset; 18] = [
    Preset {
        name: "spamhaus-drop-v4",
        url: "https://www.spamhaus.org/drop/drop_v4.json",
        good_for: "networks that criminals run themselves, IPv4: the list to begin with",
        mind: "a removal waits for two copies: one in ten comes back within a day",
        ..SPAMHAUS
    },
    Preset {
        name: "spamhaus-drop-v6",
        url: "https://www.spamhaus.org/drop/drop_v6.json",
        lengths_v4: None,
        lengths_v6: Some((19, 64)),
        good_for: "networks that criminals run themselves, IPv6",
        mind: "fewer than a hundred entries",
        ..SPAMHAUS
    },
    Preset {
        name: "spamhaus-asndrop",
        url: "https://www.spamhaus.org/drop/asndrop.json",
        format: Format::AsnDropJson,
        every: DAY,
        good_for: "origin ASes that criminals run: an as-path list for the routers",
        mind: "lists ASes; prefixes only with a table of origins, [asn] table",
        ..SPAMHAUS
    },
    Preset {
        name: "cymru-fullbogons-v4",
        url: "https://www.team-cymru.org/Services/Bogons/fullbogons-ipv4.txt",
        ..CYMRU
    },
    Preset {
        name: "cymru-fullbogons-v6",
        url: "https://www.team-cymru.org/Services/Bogons/fullbogons-ipv6.txt",
        lengths_v4: None,
        lengths_v6: Some((1, 128)),
        mind: "130 000 prefixes and more, some as short as /1: [limits] shortest_v6 refuses those",
        ..CYMRU
    },
    Preset {
        name: "dshield",
        record: Some("https://isc.sans.edu/ipinfo/{address}"),
        url: "https://feeds.dshield.org/block.txt",
        format: Format::Dshield,
        lengths_v4: Some((24, 24)),
        attribution: "DShield.org recommended block list, https://www.dshield.org/",
        licence: "CC BY-NC-SA 2.5: not for commercial use",
        good_for: "the 20 most active scanning /24s",
        mind: "a quarter of it changes every day, and research scanners are on it",
        ..USUAL
    },
    Preset {
        name: "emerging-threats",
        url: "https://rules.emergingthreats.net/fwrules/emerging-Block-IPs.txt",
        format: Format::EmergingThreats,
        every: HOUR.saturating_mul(12),
        floor: HOUR,
        attribution: "Emerging Threats block list, https://rules.emergingthreats.net/",
        licence: "BSD; the notice must stay with the data",
        good_for: "DROP, DShield and Feodo in one file",
        mind: "has nothing that the three have not, and lags behind them",
        ..USUAL
    },
    Preset {
        name: "feodo",
        record: Some("https://feodotracker.abuse.ch/browse/host/{address}/"),
        url: "https://feodotracker.abuse.ch/downloads/ipblocklist.csv",
        format: Format::AbusechCsv,
        floor: MINUTE.saturating_mul(5),
        lengths_v4: Some((32, 32)),
        attribution: "abuse.ch Feodo Tracker, https://feodotracker.abuse.ch/",
        licence: "CC0 by its page",
        good_for: "control servers of Emotet, Dridex, QakBot and their like",
        mind: "a handful of hosts, at times none: an empty list may be right",
        ..USUAL
    },
    Preset {
        name: "firehol-level1",
        url: "https://iplists.firehol.org/files/firehol_level1.netset",
        header: Some("firehol_level1"),
        lengths_v4: Some((3, 32)),
        good_for: "DROP, DShield, Feodo and bogons in one file",
        mind: "holds private and multicast space by design, which is cut out here",
        ..FIREHOL
    },
    Preset {
        name: "firehol-level2",
        url: "https://iplists.firehol.org/files/firehol_level2.netset",
        header: Some("firehol_level2"),
        good_for: "attacks of the last 48 hours, from many sources",
        mind: "a third of it changes every day: more for a firewall than for a routing table",
        ..FIREHOL
    },
    Preset {
        name: "firehol-level3",
        url: "https://iplists.firehol.org/files/firehol_level3.netset",
        header: Some("firehol_level3"),
        good_for: "attacks, spyware and viruses of the last 30 days",
        mind: "a third of it changes every day, and it has false positives",
        ..FIREHOL
    },
    Preset {
        name: "uceprotect-level1",
        url: "http://wget-mirrors.uceprotect.net/rbldnsd-all/dnsbl-1.uceprotect.net.gz",
        header: Some("UCEPROTECT-BLACKLIST LEVEL 1"),
        good_for: "hosts that sent spam in the last seven days: for mail servers",
        mind: "single hosts of innocent providers; not for a backbone",
        ..UCEPROTECT
    },
    Preset {
        name: "uceprotect-level2",
        url: "http://wget-mirrors.uceprotect.net/rbldnsd-all/dnsbl-2.uceprotect.net.gz",
        header: Some("UCEPROTECT-BLACKLIST LEVEL 2"),
        good_for: "networks around such hosts: for mail servers",
        mind: "punishes neighbors; its publisher warns of false positives",
        ..UCEPROTECT
    },
    Preset {
        name: "uceprotect-level3",
        url: "http://wget-mirrors.uceprotect.net/rbldnsd-all/dnsbl-3.uceprotect.net.gz",
        header: Some("UCEPROTECT-BLACKLIST LEVEL 3"),
        good_for: "whole providers, as pressure: not for blackholing",
        mind: "has held 1.1.1.0/24 and the networks that serve other feeds",
        ..UCEPROTECT
    },
    Preset {
        name: "blocklist-de",
        url: "https://lists.blocklist.de/lists/all.txt",
        lengths_v4: Some((32, 32)),
        lengths_v6: Some((32, 128)),
        attribution: "blocklist.de, https://www.blocklist.de/",
        licence: "free of charge by its page",
        good_for: "hosts that attacked servers in the last 48 hours",
        mind: "nothing in it proves that a copy is whole, and dynamic addresses change hands",
        ..USUAL
    },
    Preset {
        name: "cins",
        url: "https://cinsscore.com/list/ci-badguys.txt",
        lengths_v4: Some((32, 32)),
        attribution: "CINS Army list, https://cinsscore.com/",
        licence: "free of charge by its page",
        good_for: "hosts with a bad score at Sentinel's sensors",
        mind: "always cut to 15 000 hosts; has been served empty",
        ..USUAL
    },
    Preset {
        name: "greensnow",
        url: "https://blocklist.greensnow.co/greensnow.txt",
        lengths_v4: Some((32, 32)),
        attribution: "GreenSnow, https://greensnow.co/",
        licence: "free of charge by its page",
        good_for: "hosts that scan and try passwords",
        mind: "nothing in it proves that a copy is whole",
        ..USUAL
    },
    Preset {
        name: "tor-exits",
        url: "https://check.torproject.org/torbulkexitlist",
        lengths_v4: Some((32, 32)),
        attribution: "The Tor Project, https://check.torproject.org/",
        licence: "public",
        good_for: "a network that must not be reached through Tor",
        mind: "people use Tor for good reasons: this is policy, not abuse",
        ..USUAL
    },
];

/// Lists that their publishers have given up, and what to use instead.
pub const RETIRED: [(&str, &str); 3] = [
    (
        "spamhaus-edrop",
        "merged into DROP by its publisher in April 2024: use spamhaus-drop-v4",
    ),
    (
        "sslbl",
        "given up by its publisher, abuse.ch, in January 2025: the list is empty",
    ),
    (
        "nixspam",
        "given up by its publisher, heise, in January 2025",
    ),
];

/// Why a preset is no longer there.
pub fn retired(name: &str) -> Option<&'static str> {
    RETIRED
        .iter()
        .find(|(one, _)| *one == name)
        .map(|(_, why)| *why)
}

pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_says_everything_about_its_list() {
        for preset in &PRESETS {
            let name = preset.name;
            assert!(preset.url.parse::<reqwest::Url>().is_ok(), "{name}");
            assert!(
                preset.every >= preset.floor && !preset.floor.is_zero(),
                "{name}"
            );
            for text in [
                preset.attribution,
                preset.licence,
                preset.good_for,
                preset.mind,
            ] {
                assert!(!text.is_empty() && text.is_ascii(), "{name}: {text:?}");
            }
            assert!(
                preset.lengths_v4.is_some() || preset.lengths_v6.is_some(),
                "{name}"
            );
            assert_ne!(preset.format, Format::Auto, "{name}");
        }
    }

    #[test]
    fn the_page_on_feeds_names_every_preset_and_format() {
        let page = include_str!("../../doc/feeds.md");
        let presets = PRESETS.iter().map(|preset| preset.name);
        for name in presets.chain(Format::NAMES.map(|(name, _)| name)) {
            let said = page.contains(&format!("`{name}`")) || page.contains(&format!("\"{name}\""));
            assert!(said, "{name}");
        }
    }
}
