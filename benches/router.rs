//! A million prefixes as text, for each options of router file, on one core: `cargo bench --bench
//! router`.
//!
//! `bare` knows no listings, as other printers do; `explained` names the listing behind each
//! prefix. Both are of IPv4; `bare_v6` is of IPv6.

mod sample;

use std::fmt;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::policy::Policy;
use nullrouted::policy::limits::{Limits, Review};
use nullrouted::policy::protect::Protect;
use nullrouted::prefix::Effective;
use nullrouted::rib::{Rib, Source};
use nullrouted::targets::file::{
    Family, FileInput, FileOptions, Reasons, Role, ToUnconfigure, render,
};

fn main() {
    divan::main();
}

/// Prefixes on the list; some are inside of others.
const MANY: usize = 1_000_000;

/// A options by its name in the table.
#[derive(Clone)]
struct Named(FileOptions);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.family, self.0.role)
    }
}

/// Those with a line for each prefix.
fn all_options() -> Vec<Named> {
    let each = Family::NAMES.into_iter().flat_map(|(_, family)| {
        let roles = family.roles().iter();
        let long = roles.filter(|role| **role != Role::Edge);
        long.map(move |&role| Named(FileOptions::usual(family, role)))
    });
    each.collect()
}

fn rendered(bencher: Bencher, options: &FileOptions, list: &str, explained: bool) {
    let copy = parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap();
    let rib = Rib::merge(vec![Source {
        any_length: false,
        name: "bench".into(),
        reserved: false,
        copy: Arc::new(copy),
    }]);
    let policy = Policy {
        protect: Protect::new(Vec::new()),
        limits: Limits::default(),
        review: Review::default(),
    };
    let effective = Effective::new(policy.apply(&rib).set, []);
    let reasons = match explained {
        true => Reasons::of(&rib, &policy.limits),
        false => Reasons::default(),
    };
    let input = FileInput {
        effective: &effective,
        to_unconfigure: ToUnconfigure::nothing(),
        attributions: &[],
        reasons,
        own: &[],
        limits: &policy.limits,
        metric: 0,
        selected: None,
    };
    let size = render(options, &input).len();
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| render(options, &input).len());
}

#[divan::bench(args = all_options(), sample_count = 10)]
fn bare(bencher: Bencher, options: &Named) {
    rendered(bencher, &options.0, &sample::plain(MANY), false);
}

#[divan::bench(args = all_options(), sample_count = 10)]
fn bare_v6(bencher: Bencher, options: &Named) {
    rendered(bencher, &options.0, &sample::plain_v6(MANY), false);
}

#[divan::bench(args = all_options(), sample_count = 10)]
fn explained(bencher: Bencher, options: &Named) {
    rendered(bencher, &options.0, &sample::plain(MANY), true);
}
