//! The configuration as understood, as TOML with every default written out.

use std::fmt::Write;
use std::time::Duration;

use super::model::{Config, Origin};
use crate::feed::fetch::{Access, FetchLimits, Secret};
use crate::policy::selection::{Choice, Selection};
use crate::prefix::HostBits;
use crate::targets::file::{FileOptions, Lists};

/// The text of `check --print`: what [`super::parse`] reads as the same configuration.
pub fn print(config: &Config) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_all(&mut out, config);
    escapes_of_toml(&out)
}

/// Strings are written as Rust's `Debug` has them. TOML has the same escapes but for `\u{…}` and `\0`
/// (<https://toml.io/en/v1.0.0#string>), and backslashes stand nowhere else.
fn escapes_of_toml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let code = escape
            .strip_prefix("\\u{")
            .and_then(|code| code.split_once('}'));
        let (escape, behind) = match (code, escape.strip_prefix("\\0")) {
            (Some((code, behind)), _) => (format!("\\U{code:0>8}"), behind),
            (None, Some(behind)) => ("\\u0000".to_owned(), behind),
            // The escaped character is ASCII: a backslash, a quotation mark, or the letter of a control character.
            (None, None) => {
                let (escape, behind) = escape.split_at(escape.len().min(2));
                (escape.to_owned(), behind)
            }
        };
        out.push_str(&escape);
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn write_all(out: &mut String, config: &Config) -> std::fmt::Result {
    writeln!(out, "state_dir = {:?}", config.state_dir)?;
    for feed in &config.feeds {
        writeln!(out, "\n[[feed]]\nname         = {:?}", feed.name)?;
        if let Some(preset) = feed.preset {
            writeln!(out, "preset       = {preset:?}")?;
        }
        match &feed.origin {
            Origin::Url(url) => writeln!(out, "url          = {:?}", url.as_str())?,
            Origin::Path(path) => writeln!(out, "path         = {path:?}")?,
        }
        writeln!(out, "format       = {:?}", feed.rules.format.name())?;
        writeln!(out, "every        = {}", duration(feed.rhythm.every))?;
        writeln!(out, "stale_after  = {}", duration(feed.ages.stale_after))?;
        writeln!(out, "expire_after = {}", duration(feed.ages.expire_after))?;
        let host_bits = match feed.rules.host_bits {
            HostBits::Refuse => "refuse",
            HostBits::Mask => "mask",
        };
        writeln!(out, "withdraw_after = \"{}\"", feed.withdraw_after)?;
        if let Some(max_age) = feed.ages.max_age {
            writeln!(out, "max_age      = {}", duration(max_age))?;
        }
        writeln!(out, "host_bits    = {host_bits:?}")?;
        writeln!(out, "lengths_v4   = {}", lengths(feed.rules.lengths_v4))?;
        writeln!(out, "lengths_v6   = {}", lengths(feed.rules.lengths_v6))?;
        if let Some(field) = &feed.rules.field {
            writeln!(out, "field        = {field:?}")?;
        }
        if let Some(reference) = &feed.rules.reference {
            writeln!(out, "reference    = {reference:?}")?;
        }
        writeln!(out, "reserved     = {}", feed.reserved)?;
        writeln!(out, "believe_empty = {}", feed.believe_empty)?;
        write_access(out, &feed.access)?;
        if let Some(share) = feed.limits.max_added {
            writeln!(out, "max_added    = \"{share}\"")?;
        }
        if let Some(share) = feed.limits.max_removed {
            writeln!(out, "max_removed  = \"{share}\"")?;
        }
        write_counts(
            out,
            feed.limits.max_added_count,
            feed.limits.max_removed_count,
        )?;
    }
    writeln!(out, "\n[protect]")?;
    writeln!(out, "prefixes = {:?}", config.protect.prefixes)?;
    writeln!(out, "files    = {:?}", config.protect.files)?;
    let discover: Vec<_> = config
        .protect
        .discover
        .iter()
        .map(|source| source.name())
        .collect();
    writeln!(out, "discover = {discover:?}")?;
    if let Some(origins) = &config.origins {
        writeln!(out, "\n[asn]\ntable   = {:?}", origins.table)?;
        writeln!(out, "max_age = {}", duration(origins.max_age))?;
    }
    let limits = &config.policy.limits;
    writeln!(out, "\n[limits]")?;
    writeln!(out, "shortest_v4  = {}", limits.shortest_v4)?;
    writeln!(out, "shortest_v6  = {}", limits.shortest_v6)?;
    writeln!(out, "max_routes   = {}", limits.max_routes)?;
    writeln!(out, "max_added    = \"{}\"", limits.max_added)?;
    writeln!(out, "max_removed  = \"{}\"", limits.max_removed)?;
    write_counts(out, limits.max_added_count, limits.max_removed_count)?;
    writeln!(out, "max_share_v4 = \"{}\"", limits.max_share_v4)?;
    writeln!(out, "max_share_v6 = \"{}\"", limits.max_share_v6)?;
    writeln!(out, "small_change = {}", limits.small_change)?;
    writeln!(out, "\n[review]\nmode = {:?}", config.policy.review.name())?;
    writeln!(out, "\n[ledger]\nkeep = {}", duration(config.keep))?;
    let kernel = &config.kernel;
    writeln!(out, "\n[kernel]")?;
    writeln!(out, "enabled  = {}", kernel.enabled)?;
    writeln!(out, "table    = {}", kernel.mark.table)?;
    writeln!(out, "protocol = {}", kernel.mark.protocol)?;
    writeln!(out, "metric   = {}", kernel.mark.metric)?;
    writeln!(out, "type     = \"{}\"", kernel.mark.kind)?;
    let on_stop = if kernel.withdraw_on_stop {
        "withdraw"
    } else {
        "keep"
    };
    writeln!(out, "on_stop  = {on_stop:?}")?;
    if let Some(priority) = kernel.rule {
        writeln!(out, "rule     = {priority}")?;
    }
    writeln!(out, "audit    = {}", duration(kernel.audit))?;
    let cover = kernel.cover_more_specifics;
    writeln!(out, "cover_more_specifics = {cover}")?;
    for router in &config.routers {
        writeln!(out, "\n[[router]]\nname   = {:?}", router.name)?;
        let FileOptions {
            family,
            role,
            next_hop_v4,
            next_hop_v6,
            lists,
            ref frr_version,
            announce_to,
            ref neighbors,
            direction,
        } = router.options;
        writeln!(out, "family = \"{family}\"")?;
        if family.roles().len() > 1 {
            writeln!(out, "role   = \"{role}\"")?;
        }
        if let Some(hop) = next_hop_v4 {
            writeln!(out, "next_hop_v4 = \"{hop}\"")?;
        }
        if let Some(hop) = next_hop_v6 {
            writeln!(out, "next_hop_v6 = \"{hop}\"")?;
        }
        if family.lists(role).len() > 1 {
            match router.auto {
                true => writeln!(out, "lists  = \"{}\"", Lists::AUTO)?,
                false => writeln!(out, "lists  = \"{lists}\"")?,
            }
        }
        if let Some(version) = frr_version {
            writeln!(out, "frr_version = \"{version}\"")?;
        }
        if family.announces(role) {
            writeln!(out, "announce_to = \"{announce_to}\"")?;
            let neighbors: Vec<_> = neighbors.iter().map(ToString::to_string).collect();
            writeln!(out, "neighbors   = {neighbors:?}")?;
        }
        if !family.directions().is_empty() {
            writeln!(out, "direction = \"{direction}\"")?;
        }
        write_selection(out, &router.selection)?;
        writeln!(out, "path   = {:?}", router.path)?;
        writeln!(out, "check  = {:?}", router.check)?;
        writeln!(out, "reload = {:?}", router.reload)?;
        writeln!(out, "verify = {:?}", router.verify)?;
        writeln!(out, "adopt  = {}", router.adopt)?;
    }
    write_fetch(out, &config.fetch)
}

/// What a router gets, where that is not everything.
fn write_selection(out: &mut String, selection: &Selection) -> std::fmt::Result {
    let Selection {
        choice: Choice { feeds, operator },
        longest_v4,
        longest_v6,
    } = selection;
    if let Some(feeds) = feeds {
        writeln!(out, "feeds  = {feeds:?}")?;
    }
    if !operator {
        writeln!(out, "operator = false")?;
    }
    match (longest_v4, longest_v6) {
        (Some(_), None) => writeln!(out, "families = [\"ipv4\"]")?,
        (None, Some(_)) => writeln!(out, "families = [\"ipv6\"]")?,
        _ => {}
    }
    for (key, longest) in ["max_length_v4", "max_length_v6"]
        .into_iter()
        .zip(selection.limits())
    {
        if let Some(longest) = longest {
            writeln!(out, "{key} = {longest}")?;
        }
    }
    Ok(())
}

fn write_counts(
    out: &mut String,
    added: Option<usize>,
    removed: Option<usize>,
) -> std::fmt::Result {
    for (key, count) in [("max_added_count  ", added), ("max_removed_count", removed)] {
        if let Some(count) = count {
            writeln!(out, "{key} = {count}")?;
        }
    }
    Ok(())
}

/// Only where secrets are, never what they are.
fn write_access(out: &mut String, access: &Access) -> std::fmt::Result {
    if let Some(Secret::Basic { user, .. }) = &access.secret {
        writeln!(out, "user         = {user:?}")?;
    }
    for (key, file) in access.files() {
        writeln!(out, "{key} = {file:?}")?;
    }
    Ok(())
}

fn write_fetch(out: &mut String, fetch: &FetchLimits) -> std::fmt::Result {
    writeln!(out, "\n[fetch]")?;
    if let Some(contact) = &fetch.contact {
        writeln!(out, "contact            = {contact:?}")?;
    }
    let spans = [
        ("connect_timeout   ", fetch.connect_timeout),
        ("first_byte_timeout", fetch.first_byte_timeout),
        ("timeout           ", fetch.timeout),
        ("min_speed_time    ", fetch.min_speed_time),
    ];
    for (key, span) in spans {
        writeln!(out, "{key} = {}", duration(span))?;
    }
    writeln!(out, "min_speed          = {}", fetch.min_speed)?;
    writeln!(out, "max_bytes          = {}", fetch.max_bytes)?;
    if let Some(proxy) = &fetch.proxy {
        writeln!(out, "proxy              = {:?}", proxy.as_str())?;
    }
    if let Some(file) = &fetch.ca_file {
        writeln!(out, "ca_file            = {file:?}")?;
    }
    Ok(())
}

fn lengths(lengths: Option<(u8, u8)>) -> String {
    match lengths {
        Some((shortest, longest)) => format!("\"{shortest}-{longest}\""),
        None => "\"none\"".to_owned(),
    }
}

fn duration(span: Duration) -> String {
    format!("\"{}\"", humantime::format_duration(span))
}
