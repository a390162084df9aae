//! The decision of nullrouted inside another program: a list and what is protected go in, what
//! would be in force and why comes out. Nothing but the list is read: no configuration, no ledger,
//! no kernel, and the time is an argument.
//!
//! ```text
//! cargo run --example embed                          # the sample list
//! cargo run --example embed -- LIST [PROTECTED]...   # a file, and networks that are never dropped
//! ```

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use nullrouted::digest;
use nullrouted::feed::FeedCopy;
use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::feed::standing::Ages;
use nullrouted::pipeline::{AtHand, Configuration, Decision, Feed, Input, OperatorEntries, decide};
use nullrouted::plan::Unreadable;
use nullrouted::policy::Policy;
use nullrouted::policy::limits::{FeedLimits, Limits, Review};
use nullrouted::policy::protect::{Protect, Protected};
use nullrouted::prefix::Effective;
use nullrouted::time::Timestamp;

const SAMPLE: &str = "\
192.0.2.0/25 # SBL1001
192.0.2.128/25 # SBL1002
203.0.113.0/24 # SBL1003
2001:db8:bad::/48 # SBL1004
198.51.100.7/24 # host bits are set
0.0.0.0/0 # shorter than the limit
";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (list, protected) = match arguments.next() {
        Some(path) => (std::fs::read_to_string(path)?, arguments.collect()),
        None => (SAMPLE.to_owned(), vec!["203.0.113.64/26".to_owned()]),
    };
    print!("{}", report(&list, &protected, Timestamp::now())?);
    Ok(())
}

/// What would be in force, line by line, and why; then what would not.
pub fn report(list: &str, protected: &[String], now: Timestamp) -> Result<String, Box<dyn Error>> {
    // A list that is empty, cut short or a page of HTML is an error here, not an empty list.
    let copy = Arc::new(parse_body(list.as_bytes(), &Rules::of(Format::Cidr))?);
    let policy = Policy {
        protect: protect(protected)?,
        limits: Limits::default(),
        review: Review::default(),
    };
    let decision = decision(list, &copy, &policy, now);

    let mut report = String::new();
    for explained in decision.explain_additions(&decision.change) {
        let because = explained.because.iter().map(ToString::to_string);
        let because = because.collect::<Vec<_>>().join(", ");
        writeln!(report, "{}: dropped because of {because}", explained.prefix)?;
    }
    for reason in &decision.verdict.reasons {
        writeln!(report, "held, nothing changes: {reason}")?;
    }
    for net in &decision.permitted.cut {
        for protected in policy.protect.touching(*net) {
            let Protected { net: inside, why } = protected;
            writeln!(report, "{net}: not dropped in {inside}: {why}")?;
        }
    }
    for listing in &decision.permitted.refused {
        writeln!(report, "{}: refused: {listing}", listing.prefix)?;
    }
    for rejection in &copy.rejections {
        writeln!(report, "{rejection}")?;
    }
    Ok(report)
}

fn protect(networks: &[String]) -> Result<Protect, Box<dyn Error>> {
    let protected = networks.iter().map(|network| {
        Ok(Protected {
            net: network.parse()?,
            why: "our customers".to_owned(),
        })
    });
    Ok(Protect::new(
        protected.collect::<Result<_, Box<dyn Error>>>()?,
    ))
}

fn decision(list: &str, copy: &Arc<FeedCopy>, policy: &Policy, now: Timestamp) -> Decision {
    let feed = Feed {
        name: "sample".into(),
        reserved: false,
        limits: FeedLimits::default(),
        ages: Ages {
            stale_after: Duration::from_secs(24 * 3_600),
            expire_after: Duration::from_secs(7 * 24 * 3_600),
            max_age: None,
        },
        confirmed: Some(now),
        generated: None,
        current: Some(AtHand {
            digest: digest::of(list.as_bytes()),
            copy: Arc::clone(copy),
            fetched: now,
        }),
        unreadable: Unreadable::Copy,
        // Behind what is in force, so that a list that shrinks too fast is held. This one is new.
        applied: None,
    };
    decide(&Input {
        feeds: &[feed],
        operator: &OperatorEntries::default(),
        policy,
        in_force: &Effective::default(),
        restores: false,
        by_feed: false,
        pinned: None,
        protection: None,
        approved: None,
        configuration: &Configuration::default(),
        now,
    })
}
