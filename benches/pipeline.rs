//! The pure middle, in one process on one core: `cargo bench --bench pipeline`.

mod sample;

use std::sync::Arc;

use divan::{Bencher, black_box, counter::BytesCount};
use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::policy::Policy;
use nullrouted::policy::limits::{Limits, Review};
use nullrouted::policy::protect::Protect;
use nullrouted::prefix::PrefixSet;
use nullrouted::rib::{Rib, Source};

fn main() {
    divan::main();
}

const MILLION: usize = 1_000_000;

fn policy() -> Policy {
    Policy {
        protect: Protect::new(Vec::new()),
        limits: Limits::default(),
        review: Review::default(),
    }
}

fn effective(list: &str) -> PrefixSet {
    let copy = parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap();
    let source = Source {
        any_length: false,
        name: "bench".into(),
        reserved: false,
        copy: Arc::new(copy),
    };
    policy().apply(&Rib::merge(vec![source])).set
}

/// The whole way of a million lines: parsed, merged with provenance, cut, aggregated.
#[divan::bench(sample_count = 20)]
fn million_lines_parsed_merged_aggregated(bencher: Bencher) {
    let list = sample::plain(MILLION);
    bencher
        .counter(BytesCount::of_str(&list))
        .bench_local(|| black_box(effective(&list)).len());
}

#[divan::bench(sample_count = 20)]
fn million_lines_parsed(bencher: Bencher) {
    let list = sample::plain(MILLION);
    bencher.counter(BytesCount::of_str(&list)).bench_local(|| {
        parse_body(list.as_bytes(), &Rules::of(Format::Cidr))
            .unwrap()
            .len()
    });
}

#[divan::bench(sample_count = 100)]
fn drop_json_parsed(bencher: Bencher) {
    let list = sample::drop_json();
    bencher.counter(BytesCount::of_str(&list)).bench_local(|| {
        parse_body(list.as_bytes(), &Rules::of(Format::SpamhausJson))
            .unwrap()
            .len()
    });
}
