//! The checked configuration as TOML with every default.

use std::fmt::{Debug, Write};
use std::time::Duration;

use super::model::{Config, FeedConfig, KernelConfig, Origin, RouterConfig};
use crate::digest;
use crate::feed::fetch::{FetchLimits, Secret};
use crate::feed::formats::{Ports, Rules};
use crate::policy::limits::Limits;
use crate::policy::selection::{Choice, Selection};
use crate::prefix::HostBits;
use crate::targets::file::{FileOptions, Lists};

/// The text of `check --print`, which [`super::parse`] reads as the same configuration.
pub fn print(config: &Config) -> String {
    let mut out = Out(String::new());
    out.put("state_dir", &config.state_dir);
    config.feeds.iter().for_each(|feed| out.feed(feed));
    out.head("[protect]");
    out.put("prefixes", &config.protect.prefixes);
    out.put("files   ", &config.protect.files);
    out.put("asns    ", &config.protect.asns);
    let discover = config.protect.discover.iter();
    out.put(
        "discover",
        discover.map(|source| source.name()).collect::<Vec<_>>(),
    );
    let lists = config.protect_feeds.iter();
    lists.for_each(|feed| out.protect_feed(feed));
    if let Some(origins) = &config.origins {
        out.head("[asn]");
        out.put("table  ", &origins.table);
        out.put("max_age", duration(origins.max_age));
    }
    out.limits(&config.policy.limits);
    out.head("[review]");
    out.put("mode", config.policy.review.name());
    out.put("second_person", config.second_person);
    out.head("[ledger]");
    out.put("keep", duration(config.keep));
    out.head("[daemon]");
    out.put_some("group  ", config.daemon.group.as_ref());
    out.put("writers", &config.daemon.writers);
    out.kernel(&config.kernel);
    config.routers.iter().for_each(|router| out.router(router));
    out.fetch(&config.fetch);
    escapes_of_toml(&out.0)
}

/// Names what a configuration says: two that say the same have the same one. What the files of
/// `[protect]` hold is part of it.
pub fn fingerprint(config: &Config) -> String {
    let mut text = print(config);
    for one in config.policy.protect.typed() {
        let _ = writeln!(text, "{} {}", one.net, one.why);
    }
    digest::of(text.as_bytes())
}

/// Strings are printed by Rust's `Debug`. TOML has the same escapes except for `\u{…}` and `\0`
/// (<https://toml.io/en/v1.0.0#string>), and there are no other backslashes.
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
            // The escaped character is ASCII: a backslash, a quotation mark, or the letter of a
            // control character.
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

/// The text so far.
struct Out(String);

impl Out {
    /// A table begins.
    fn head(&mut self, head: &str) {
        let _ = writeln!(self.0, "\n{head}");
    }

    /// A key, with the blanks that align it, and its value: texts in quotes.
    fn put(&mut self, key: &str, value: impl Debug) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "{key} = {value:?}");
    }

    /// The same where there is a value.
    fn put_some(&mut self, key: &str, value: Option<impl Debug>) {
        value.into_iter().for_each(|value| self.put(key, value));
    }

    fn protect_feed(&mut self, feed: &FeedConfig) {
        self.head("[[protect.feed]]");
        self.source(feed);
        self.host_bits(feed.rules.host_bits);
        self.columns(&feed.rules);
    }

    /// The name of a feed, where it comes from, and when it is fetched.
    fn source(&mut self, feed: &FeedConfig) {
        self.put("name        ", &feed.name);
        self.put_some("preset      ", feed.preset);
        match &feed.origin {
            Origin::Url(url) => self.put("url         ", url.as_str()),
            Origin::UrlFile(file) => self.put("url_file    ", file.to_string()),
            Origin::Path(path) => self.put("path        ", path),
        }
        self.put("format      ", feed.rules.format.name());
        self.put("every       ", duration(feed.rhythm.every));
        self.put("stale_after ", duration(feed.ages.stale_after));
    }

    fn host_bits(&mut self, host_bits: HostBits) {
        let word = match host_bits {
            HostBits::Refuse => "refuse",
            HostBits::Mask => "mask",
        };
        self.put("host_bits   ", word);
    }

    fn columns(&mut self, rules: &Rules) {
        self.put_some("field       ", rules.field.as_ref());
        self.put_some("reference   ", rules.reference.as_ref());
        self.put_some("length      ", rules.length.as_ref());
        self.put_some("last        ", rules.last.as_ref());
    }

    fn feed(&mut self, feed: &FeedConfig) {
        self.head("[[feed]]");
        self.source(feed);
        self.put("expire_after", duration(feed.ages.expire_after));
        self.put("withdraw_after", feed.withdraw_after.to_string());
        self.put_some("max_age     ", feed.ages.max_age.map(duration));
        self.host_bits(feed.rules.host_bits);
        self.put("lengths_v4  ", lengths(feed.rules.lengths_v4));
        self.put("lengths_v6  ", lengths(feed.rules.lengths_v6));
        self.columns(&feed.rules);
        let ports = match feed.rules.ports {
            Ports::Refuse => "refuse",
            Ports::Ignore => "ignore",
        };
        self.put("ports       ", ports);
        self.put("reserved    ", feed.reserved);
        self.put("believe_empty", feed.believe_empty);
        // Only the files of secrets, never their content.
        if let Some(Secret::Basic { user, .. }) = &feed.access.secret {
            self.put("user        ", user);
        }
        for (key, file) in feed.access.files() {
            match &feed.access.secret {
                Some(Secret::Header { name, .. }) if key == "header" => {
                    let file = file.to_string();
                    // As in `put`: writing to a String does not fail.
                    let _ = writeln!(
                        self.0,
                        "header = {{ name = {:?}, file = {file:?} }}",
                        name.as_str()
                    );
                }
                _ => self.put(key, file.to_string()),
            }
        }
        let limits = &feed.limits;
        self.put_some("max_added   ", limits.max_added.map(|max| max.to_string()));
        self.put_some(
            "max_removed ",
            limits.max_removed.map(|max| max.to_string()),
        );
        self.put_some("max_added_count  ", limits.max_added_count);
        self.put_some("max_removed_count", limits.max_removed_count);
    }

    fn limits(&mut self, limits: &Limits) {
        self.head("[limits]");
        self.put("shortest_v4 ", limits.shortest_v4);
        self.put("shortest_v6 ", limits.shortest_v6);
        self.put("max_routes  ", limits.max_routes);
        self.put("max_added   ", limits.max_added.to_string());
        self.put("max_removed ", limits.max_removed.to_string());
        self.put_some("max_added_count  ", limits.max_added_count);
        self.put_some("max_removed_count", limits.max_removed_count);
        self.put("max_share_v4", limits.max_share_v4.to_string());
        self.put("max_share_v6", limits.max_share_v6.to_string());
        self.put("small_change", limits.small_change);
    }

    fn kernel(&mut self, kernel: &KernelConfig) {
        self.head("[kernel]");
        self.put("enabled ", kernel.enabled);
        self.put("table   ", kernel.mark.table);
        self.put("protocol", kernel.mark.protocol);
        self.put("metric  ", kernel.mark.metric);
        self.put("type    ", kernel.mark.kind.to_string());
        let on_stop = match kernel.withdraw_on_stop {
            true => "withdraw",
            false => "keep",
        };
        self.put("on_stop ", on_stop);
        self.put_some("rule    ", kernel.rule);
        self.put("audit   ", duration(kernel.audit));
        self.put("cover_more_specifics", kernel.cover_more_specifics);
    }

    fn router(&mut self, router: &RouterConfig) {
        self.head("[[router]]");
        self.put("name  ", &router.name);
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
        self.put("family", family.to_string());
        if family.roles().len() > 1 {
            self.put("role  ", role.to_string());
        }
        self.put_some("next_hop_v4", next_hop_v4.map(|hop| hop.to_string()));
        self.put_some("next_hop_v6", next_hop_v6.map(|hop| hop.to_string()));
        if family.lists(role).len() > 1 {
            match router.auto {
                true => self.put("lists ", Lists::AUTO),
                false => self.put("lists ", lists.to_string()),
            }
        }
        let version = frr_version.as_ref().map(ToString::to_string);
        self.put_some("frr_version", version);
        if family.kind().announces.contains(&role) {
            self.put("announce_to", announce_to.to_string());
            let neighbors: Vec<_> = neighbors.iter().map(ToString::to_string).collect();
            self.put("neighbors  ", neighbors);
        }
        if !family.kind().directions.is_empty() {
            self.put("direction", direction.to_string());
        }
        self.selection(&router.selection);
        self.put("path  ", &router.path);
        self.put("check ", &router.check);
        self.put("reload", &router.reload);
        self.put("verify", &router.verify);
        self.put("adopt ", router.adopt);
    }

    /// The selection of a router, if it is not everything.
    fn selection(&mut self, selection: &Selection) {
        let Selection {
            choice: Choice { feeds, operator },
            longest_v4,
            longest_v6,
        } = selection;
        self.put_some("feeds ", feeds.as_ref());
        self.put_some("operator", (!operator).then_some(false));
        match (longest_v4, longest_v6) {
            (Some(_), None) => self.put("families", ["ipv4"]),
            (None, Some(_)) => self.put("families", ["ipv6"]),
            _ => {}
        }
        let [longest_v4, longest_v6] = selection.limits();
        self.put_some("max_length_v4", longest_v4);
        self.put_some("max_length_v6", longest_v6);
    }

    fn fetch(&mut self, fetch: &FetchLimits) {
        self.head("[fetch]");
        self.put_some("contact           ", fetch.contact.as_ref());
        self.put("connect_timeout   ", duration(fetch.connect_timeout));
        self.put("first_byte_timeout", duration(fetch.first_byte_timeout));
        self.put("timeout           ", duration(fetch.timeout));
        self.put("min_speed_time    ", duration(fetch.min_speed_time));
        self.put("min_speed         ", fetch.min_speed);
        self.put("max_bytes         ", fetch.max_bytes);
        let proxy = fetch.proxy.as_ref().map(|url| url.as_str());
        self.put_some("proxy             ", proxy);
        self.put_some("ca_file           ", fetch.ca_file.as_ref());
    }
}

fn lengths(lengths: Option<(u8, u8)>) -> String {
    match lengths {
        Some((shortest, longest)) => format!("{shortest}-{longest}"),
        None => "none".to_owned(),
    }
}

fn duration(span: Duration) -> String {
    humantime::format_duration(span).to_string()
}
