//! What an operator can do about a leak: advice, never done by us. Pure.

use super::names::Names;
use super::report::Kind;
use super::route::Route;
use super::rule::Rule;
use super::settings::Settings;
use crate::netlink::route::RTN_LOCAL;
use crate::target::kernel::Kin;

/// A table and a rule for examples: none that anybody else is known to use.
const TABLE: u32 = 1_166;
const PRIORITY: u32 = 5_000;

/// The routes and the rules behind a leak.
pub struct Causes<'a, B: Kin> {
    pub route: Option<&'a Route<B>>,
    pub rule: Option<&'a Rule<B>>,
    /// The rule whose `goto` leads past ours.
    pub jump: Option<&'a Rule<B>>,
}

/// The cure of a leak.
pub fn cure<B: Kin>(
    kind: Kind,
    causes: &Causes<'_, B>,
    settings: &Settings,
    names: &Names,
) -> String {
    let remove = causes.route.map(|route| route.removal(names));
    let remove = remove.map(|command| format!("remove it with: {command}"));
    let or_remove = |cure: Option<String>| match (cure, &remove) {
        (Some(cure), Some(remove)) => format!("{cure}; or {remove}"),
        (Some(cure), None) => cure,
        (None, Some(remove)) => remove.clone(),
        (None, None) => String::new(),
    };
    match kind {
        Kind::NoRule => no_rule::<B>(settings),
        Kind::Missing => "nullrouted refresh puts it back".to_owned(),
        Kind::MoreSpecific => or_remove(cover(causes.route, settings)),
        Kind::Metric => or_remove(metric(causes.route)),
        Kind::Occupied => or_remove(metric(causes.route).or_else(|| {
            Some(format!(
                "a table of our own: [kernel] table = {TABLE} and rule = {PRIORITY}"
            ))
        })),
        Kind::Rule | Kind::Vrf => rule(causes, settings, names),
        Kind::Local => local(causes.route, names),
        Kind::Unexplained => "see ip rule and ip route get ADDRESS; please tell us".to_owned(),
    }
}

fn no_rule<B: Kin>(settings: &Settings) -> String {
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

fn cover<B: Kin>(route: Option<&Route<B>>, settings: &Settings) -> Option<String> {
    // What only some packets take stands before every route of all packets.
    if route.is_some_and(|route| route.seen.conditional()) {
        return None;
    }
    Some(match settings.cover_more_specifics {
        true => "nullrouted refresh covers it".to_owned(),
        false => "[kernel] cover_more_specifics = true".to_owned(),
    })
}

/// A metric that is lower than that of the route, if there is one: 0 is 1024 in IPv6.
fn metric<B: Kin>(route: Option<&Route<B>>) -> Option<String> {
    let seen = &route?.seen;
    if seen.conditional() {
        return None;
    }
    let lower = match (seen.metric, B::WIDTH) {
        (2.., _) => 1,
        (1, 32) => 0,
        _ => return None,
    };
    Some(format!("[kernel] metric = {lower}"))
}

fn rule<B: Kin>(causes: &Causes<'_, B>, settings: &Settings, names: &Names) -> String {
    let rules = causes.jump.into_iter().chain(causes.rule);
    let first = rules.min_by_key(|rule| rule.priority);
    let Some(first) = first else {
        return String::new();
    };
    // The main table's rule, and the local one, are the kernel's own: nobody removes them.
    let remove = format!("remove it with: {}", first.removal(names));
    let removable = ![0, 32_766, 32_767].contains(&first.priority);
    let before = first
        .priority
        .checked_sub(1)
        .filter(|priority| *priority > 0);
    let own = settings.mark.table < 253;
    let own = own || settings.mark.table > 255;
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

fn local<B: Kin>(route: Option<&Route<B>>, names: &Names) -> String {
    let Some(route) = route else {
        return String::new();
    };
    let prefix = super::written(&route.seen.prefix);
    if route.seen.kind == RTN_LOCAL {
        let discover = "[protect] discover with \"addresses\" does so by itself";
        return format!("if it is rightly yours, nullrouted allow {prefix} ({discover})");
    }
    let removal = route.removal(names);
    format!(
        "[protect] discover with \"connected\" protects the network that it is of; or {removal}"
    )
}
