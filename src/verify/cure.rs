//! Advice for the operator about a leak; the program never carries it out. Pure.

use super::report::Kind;
use super::route::Kept;
use crate::config::KernelConfig;
use crate::netlink::family::AddressFamily;
use crate::netlink::family::written;
use crate::netlink::names::Names;
use crate::netlink::route::Route;
use crate::netlink::route::{RTN_LOCAL, RTPROT_KERNEL, SHARED_TABLES, word};
use crate::netlink::rule::Rule;
use crate::targets::kernel::{self as target, NotCovered};

/// A table and a rule for examples; no other program is known to use them.
const TABLE: u32 = 1_166;
const PRIORITY: u32 = 5_000;

/// The routes and the rules behind a leak.
pub struct Causes<'a, B: AddressFamily> {
    pub route: Option<&'a Kept<B>>,
    pub rule: Option<&'a Rule<B>>,
    /// The rule whose `goto` skips ours.
    pub jump: Option<&'a Rule<B>>,
}

/// The advice of a cure without the command for this one leak: the same for many leaks.
pub fn advice(cure: &str) -> &str {
    cure.split(": ip ").next().unwrap_or_default()
}

/// The cure of a leak.
pub fn cure<B: AddressFamily>(
    kind: Kind,
    causes: &Causes<'_, B>,
    settings: &KernelConfig,
    names: &Names,
) -> String {
    match kind {
        Kind::NoRule => no_rule::<B>(settings),
        Kind::Missing => "nullrouted refresh puts it back".to_owned(),
        Kind::MoreSpecific | Kind::Metric | Kind::Occupied => {
            in_our_table(kind, causes, settings, names)
        }
        Kind::Rule | Kind::Vrf => rule(causes, settings, names),
        Kind::Local => local(causes.route, names),
        Kind::Unexplained => "see ip rule and ip route get ADDRESS; please tell us".to_owned(),
    }
}

fn no_rule<B: AddressFamily>(settings: &KernelConfig) -> String {
    let family = if B::WIDTH == 128 { " -6" } else { "" };
    let table = settings.mark.table;
    match settings.rule {
        Some(priority) => format!(
            "nullrouted refresh adds rule {priority}; or: ip{family} rule add pref {priority} lookup {table}"
        ),
        None => format!(
            "[kernel] rule = {PRIORITY}; or: ip{family} rule add pref {PRIORITY} lookup {table}"
        ),
    }
}

/// A foreign route at or inside a prefix of ours, in our table.
fn in_our_table<B: AddressFamily>(
    kind: Kind,
    causes: &Causes<'_, B>,
    settings: &KernelConfig,
    names: &Names,
) -> String {
    let Some(route) = causes.route else {
        return String::new();
    };
    let seen = &route.route;
    if seen.is_local() && seen.kind != RTN_LOCAL {
        return local(causes.route, names);
    }
    let first = match () {
        // A route for only some packets precedes every route for all packets.
        () if seen.conditional() => None,
        () if seen.is_local() => Some(local(causes.route, names)),
        // No advice overrides a network of the operator's own.
        () if kind == Kind::MoreSpecific || seen.protocol == RTPROT_KERNEL => {
            Some(cover(route, causes, settings, names))
        }
        () => Some(metric(seen).unwrap_or_else(|| cover(route, causes, settings, names))),
    };
    let remove = format!("remove it with: {}", route.removal(names));
    first.map_or_else(|| remove.clone(), |first| format!("{first}; or {remove}"))
}

/// A cover, or the alternatives where the kernel target makes none.
fn cover<B: AddressFamily>(
    route: &Kept<B>,
    causes: &Causes<'_, B>,
    settings: &KernelConfig,
    names: &Names,
) -> String {
    let seen = &route.route;
    let setting = "[kernel] cover_more_specifics = true";
    let own = own_table(causes, settings);
    let or = |why: String, cures: [Option<String>; 2]| {
        let cures: Vec<String> = cures.into_iter().flatten().collect();
        match cures.is_empty() {
            true => why,
            false => format!("{why}; {}", cures.join("; or ")),
        }
    };
    match target::cover(&seen.foreign(), settings.mark.metric_of::<B>()) {
        Ok(_) => match settings.cover_more_specifics {
            true => "nullrouted refresh covers it".to_owned(),
            false => setting.to_owned(),
        },
        Err(NotCovered::Kernel) => format!(
            "the kernel keeps it for an interface and no cover is made; if it is rightly yours, nullrouted allow {} \
             ([protect] discover with \"connected\" does so by itself)",
            written(&seen.prefix)
        ),
        Err(NotCovered::Kind) => {
            let why = format!("no cover is made for a {} route", word(seen.kind));
            or(why, [own, None])
        }
        Err(NotCovered::Best) => {
            let metric = seen.metric;
            let why = format!("nothing wins over a single address with metric {metric}");
            // IPv6 has no metric 0, so no metric is better than 1.
            let worse = metric.max(u32::from(B::WIDTH == 128)) + 1;
            let owner = names.protocol(seen.protocol);
            let and = match settings.cover_more_specifics {
                true => ", which is covered".to_owned(),
                false => format!(" and {setting}"),
            };
            let raise = format!("have its owner (proto {owner}) set metric {worse} or more{and}");
            or(why, [own, Some(raise)])
        }
    }
}

/// If our table is shared with other programs: a table of our own that is looked up first.
fn own_table<B: AddressFamily>(causes: &Causes<'_, B>, settings: &KernelConfig) -> Option<String> {
    if !SHARED_TABLES.contains(&settings.mark.table) {
        return None;
    }
    let rules = causes.jump.into_iter().chain(causes.rule);
    let first = rules.map(|rule| rule.priority).min();
    let before = first.map_or(PRIORITY, |first| first.saturating_sub(1).min(PRIORITY));
    (before > 0).then(|| {
        format!(
            "a table of our own that is asked first: [kernel] table = {TABLE} and rule = {before}"
        )
    })
}

/// A metric that is lower than that of the route, if there is one. A configured 0 means 1024 in
/// IPv6.
fn metric<B: AddressFamily>(seen: &Route<B>) -> Option<String> {
    let lower = match (seen.metric, B::WIDTH) {
        (2.., _) => 1,
        (1, 32) => 0,
        _ => return None,
    };
    Some(format!("[kernel] metric = {lower}"))
}

fn rule<B: AddressFamily>(
    causes: &Causes<'_, B>,
    settings: &KernelConfig,
    names: &Names,
) -> String {
    let rules = causes.jump.into_iter().chain(causes.rule);
    let first = rules.min_by_key(|rule| rule.priority);
    let Some(first) = first else {
        return String::new();
    };
    // The rules of the main and the local table are the kernel's own and must not be removed.
    let remove = format!("remove it with: {}", first.removal(names));
    let removable = ![0, 32_766, 32_767].contains(&first.priority);
    let before = first
        .priority
        .checked_sub(1)
        .filter(|priority| *priority > 0);
    let own = !SHARED_TABLES.contains(&settings.mark.table);
    let ahead = before.map(|priority| match own {
        true => format!("ask our table first: [kernel] rule = {priority}"),
        false => format!(
            "a table of our own that is asked first: [kernel] table = {TABLE} and rule = {priority}"
        ),
    });
    match (ahead, removable) {
        (Some(ahead), true) => format!("{ahead}; or {remove}"),
        (Some(ahead), false) => ahead,
        (None, true) => remove,
        (None, false) => "no rule can be asked before that one".to_owned(),
    }
}

fn local<B: AddressFamily>(route: Option<&Kept<B>>, names: &Names) -> String {
    let Some(route) = route else {
        return String::new();
    };
    let prefix = written(&route.route.prefix);
    if route.route.kind == RTN_LOCAL {
        let discover = "[protect] discover with \"addresses\" does so by itself";
        return format!("if it is rightly yours, nullrouted allow {prefix} ({discover})");
    }
    let removal = route.removal(names);
    format!(
        "[protect] discover with \"connected\" protects the network that it is of; or remove it with: {removal}"
    )
}
