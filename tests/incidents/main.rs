//! What has really gone wrong with tools like this one, by name, in the order of the tables of
//! incidents.
//!
//! Comes through: what was in force stays, nothing outside the list is dropped, no route of anybody
//! else's moves, and one line names the cause.
//!
//! Beside them stand the brake in every situation (`flush`), attacks and faults (`attacked`), and
//! everything at once (`soak`). This binary has no usual harness: it prints what it survived as
//! tables, with the time of each row.
//!
//! ```text
//! cargo test --test incidents -- redirect         only those with this in their name
//! cargo test --test incidents -- incidents::      only the tables of incidents
//! cargo test --test incidents -- flush::          only the brake
//! cargo test --test incidents -- attacked::A13    only one attack
//! cargo test --test incidents -- --skip soak::    all but the soak
//! ```

#[path = "../support/mod.rs"]
mod support;

mod attacked;
mod delivery;
mod feed_lies;
mod flush;
mod ground;
mod inside;
mod over_http;
mod own_network;
mod reached;
mod right_list;
mod soak;

use std::process::ExitCode;

use over_http::{Incident, drop_json, drop_text, plain};
use support::cases::{Case, Group, case};

const LIES: &str = "The feed lies";
const HURTS: &str = "The list is right and still hurts";

/// The tables with their ids, in their order: nothing is left out, and nothing is there twice.
const TABLES: [(&str, &[&str]); 2] = [
    (
        LIES,
        &[
            "html-page",
            "error-body",
            "network-down",
            "cut-in-the-mask",
            "cut-at-newline",
            "default-route",
            "sum-is-default",
            "tombstone",
            "legal-jump",
            "flip-flop",
            "header-lies",
            "older-copy",
            "bogons-age",
            "rbldnsd-exclusion",
            "hosts-file",
            "wrong-list",
            "dshield-columns",
            "glued-lines",
            "gz-bomb",
            "latin-1, utf-16, bom, crlf, nel",
            "redirect-home",
        ],
    ),
    (
        HURTS,
        &[
            "private-space",
            "resolver",
            "own-prefix",
            "feed-host",
            "login",
            "shared-ownership",
            "stale-ban",
            "mass-expiry",
            "more-specific",
        ],
    ),
];

#[rustfmt::skip]
const CASES: [Case; 30] = [
    case(LIES, "html-page", "an HTML page comes as the list", feed_lies::html_page),
    case(LIES, "error-body", "an error text comes as the list", feed_lies::error_body),
    case(LIES, "network-down", "the server does not answer", delivery::network_down),
    case(LIES, "cut-in-the-mask", "a cut makes a /23 a /2", delivery::cut_in_the_mask),
    case(LIES, "cut-at-newline", "a cut leaves whole lines", delivery::cut_at_newline),
    case(LIES, "default-route", "0.0.0.0/0 is on the list", feed_lies::default_route),
    case(LIES, "sum-is-default", "the entries together are everything", feed_lies::sum_is_default),
    case(LIES, "tombstone", "the list has been given up", feed_lies::tombstone),
    case(LIES, "legal-jump", "the list grows by a third at once", feed_lies::legal_jump),
    case(LIES, "flip-flop", "entries go and come back", feed_lies::flip_flop),
    case(LIES, "header-lies", "Last-Modified says nothing", feed_lies::header_lies),
    case(LIES, "older-copy", "yesterday's list comes again", feed_lies::older_copy),
    case(LIES, "bogons-age", "a bogon list of 2022 comes today", feed_lies::bogons_age),
    case(LIES, "rbldnsd-exclusion", "a zone excludes with !", feed_lies::rbldnsd_exclusion),
    case(LIES, "hosts-file", "a hosts file comes as the list", feed_lies::hosts_file),
    case(LIES, "wrong-list", "another publisher's list comes", feed_lies::wrong_list),
    case(LIES, "dshield-columns", "end column wrong, header uncommented", feed_lies::dshield_columns),
    case(LIES, "glued-lines", "two lists joined without a newline", feed_lies::glued_lines),
    case(LIES, "gz-bomb", "a body without end", delivery::gz_bomb),
    case(LIES, "latin-1, utf-16, bom, crlf, nel", "encodings and ends of lines", delivery::encodings),
    case(LIES, "redirect-home", "redirected to a login page, home, a file", delivery::redirect_home),
    case(HURTS, "private-space", "RFC 1918, loopback, 224/3 are listed", right_list::private_space),
    case(HURTS, "resolver", "the system's resolver is listed", own_network::resolver),
    case(HURTS, "own-prefix", "own network, gateway, neighbor, customer", own_network::own_prefix),
    case(HURTS, "feed-host", "the feed lists its own server", reached::feed_host),
    case(HURTS, "login", "the operator's way in is listed", reached::login),
    case(HURTS, "shared-ownership", "one of two feeds drops a prefix", right_list::shared_ownership),
    case(HURTS, "stale-ban", "bans that nobody lifts", right_list::stale_ban),
    case(HURTS, "mass-expiry", "an outage longer than a copy lives", right_list::mass_expiry),
    case(HURTS, "more-specific", "a longer route wins over the blackhole", right_list::more_specific),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == inside::INSIDE => return inside::main(rest),
        Some((first, _)) if first == soak::INSIDE => return soak::main(),
        _ => {}
    }
    let incidents = Group {
        name: "incidents",
        tables: &TABLES,
        cases: CASES.into(),
        alone: false,
    };
    let groups = [incidents, flush::group(), attacked::group(), soak::group()];
    support::cases::main(&groups, &words)
}
