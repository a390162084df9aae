//! Attacks, faults and operator mistakes that once broke a promise, by id. Each case fails on the
//! build that was attacked.

mod a10_path_overwrites;
mod a11_sessions;
mod a12_long_reload;
mod a13_leap_down;
mod a14_modes;
mod a15_silence_of_refresh;
mod a16_gzip_members;
mod a17_mark;
mod a18_churn;
mod a19_limits;
mod a19_small;
mod a1_dns_frees_a_list;
mod a20_counts;
mod a2_range_bomb;
mod a3_outputs;
mod a4_disk_full;
mod a5_blocking_file;
mod a6_blocking;
mod a7_lock;
mod a8_escape_sequences;
mod a9_clock;
mod reload_storm;
mod stalled;

use crate::support::cases::{Case, Group, case};

const ATTACKED: &str = "Attacks, faults and mistakes";

/// Every id, in its order: none is left out, none is there twice.
#[rustfmt::skip]
const TABLES: [(&str, &[&str]); 1] = [(ATTACKED, &[
    "A1 dns-frees-a-list",
    "A1 proven-by-tls",
    "A1 proven-by-http",
    "A1 not-proven",
    "A1 eight-in-all",
    "A2 range-bomb",
    "A3 outputs",
    "A3 terminal-gone",
    "A4 disk-full",
    "A4 disk-full-start",
    "A4 disk-full-flush",
    "A5 blocking-file",
    "A6 blocking-files",
    "A6 nobody-reads",
    "A7 umask",
    "A7 looser-before",
    "A7 shared-lock",
    "A7 innocent",
    "A7 handed-over",
    "A8 escape-sequences",
    "A8 every-verb",
    "A9 clock-ahead",
    "A9 clock-good-look",
    "A9 clock-future-rows",
    "A9 clock-off-for-a-week",
    "A9 clock-a-day-later",
    "A9 clock-daemon",
    "A10 path-overwrites",
    "A11 sessions",
    "A12 long-reload",
    "A13 leap-down",
    "A14 world-writable",
    "A14 owner",
    "A14 reload",
    "A14 group-writable",
    "A15 silence-of-refresh",
    "A15 status-check",
    "A16 gzip-members",
    "A17 mark-remembered",
    "A17 mark-unknown",
    "A17 mark-refused",
    "A18 churn",
    "A19 file-size",
    "A19 descriptors",
    "A19a limits-and-mapped",
    "A20 miscount",
    "pass-hangs",
    "pass-goes-on",
    "loop-stalls",
    "reload-storm",
])];

#[rustfmt::skip]
const CASES: &[Case] = &[
    case(ATTACKED, "A1 dns-frees-a-list", "39 addresses of a name in a listed /23", a1_dns_frees_a_list::no_server),
    case(ATTACKED, "A1 proven-by-tls", "one of them proves the name by TLS", a1_dns_frees_a_list::tls),
    case(ATTACKED, "A1 proven-by-http", "one of them answers completely", a1_dns_frees_a_list::http),
    case(ATTACKED, "A1 not-proven", "cut short, or with a foreign certificate", a1_dns_frees_a_list::not_proven),
    case(ATTACKED, "A1 eight-in-all", "another address at every look, all answer", a1_dns_frees_a_list::eight_in_all),
    case(ATTACKED, "A2 range-bomb", "2 MB that stand for 7 million prefixes", a2_range_bomb::range_bomb),
    case(ATTACKED, "A3 outputs", "every verb, output that cannot be written", a3_outputs::every_verb),
    case(ATTACKED, "A3 terminal-gone", "a pty whose master is closed", a3_outputs::a_terminal_that_has_gone),
    case(ATTACKED, "A4 disk-full", "it protects and puts back from memory", a4_disk_full::the_daemon_protects_and_reinstalls_from_memory),
    case(ATTACKED, "A4 disk-full-start", "a daemon starts on a full disk", a4_disk_full::a_daemon_starts_and_installs_what_can_be_read),
    case(ATTACKED, "A4 disk-full-flush", "a flush while the disk is full", a4_disk_full::after_a_flush_nothing_is_installed_when_there_is_room),
    case(ATTACKED, "A5 blocking-file", "FIFOs, devices, a silent file system", a5_blocking_file::blocking_file),
    case(ATTACKED, "A6 blocking-files", "FIFOs at every path a flush meets", a6_blocking::every_path_a_fifo),
    case(ATTACKED, "A6 nobody-reads", "stderr is full before the routes are gone", a6_blocking::a_terminal_that_does_not_read),
    case(ATTACKED, "A7 umask", "state of root with umask 0", a7_lock::whatever_the_umask),
    case(ATTACKED, "A7 looser-before", "an earlier version made it wider", a7_lock::wider_before),
    case(ATTACKED, "A7 shared-lock", "flock -s by another user", a7_lock::another_user),
    case(ATTACKED, "A7 innocent", "the lock names a process that is gone", a7_lock::an_innocent_process),
    case(ATTACKED, "A7 handed-over", "root made the state before the user", a7_lock::made_by_root_before),
    case(ATTACKED, "A8 escape-sequences", "a reference that forges a line", a8_escape_sequences::reference),
    case(ATTACKED, "A8 every-verb", "whatever others wrote, in every verb", a8_escape_sequences::every_verb),
    case(ATTACKED, "A9 clock-ahead", "ten years ahead once", a9_clock::ten_years_ahead),
    case(ATTACKED, "A9 clock-good-look", "a good look while it is ahead", a9_clock::a_good_look_meanwhile),
    case(ATTACKED, "A9 clock-future-rows", "confirmed ten years in the future", a9_clock::confirmed_in_the_future),
    case(ATTACKED, "A9 clock-off-for-a-week", "expiry waits a day", a9_clock::off_for_a_week),
    case(ATTACKED, "A9 clock-a-day-later", "ahead for a day: it is believed", a9_clock::really_a_day_later),
    case(ATTACKED, "A9 clock-daemon", "ahead and back while the daemon runs", a9_clock::under_the_daemon),
    case(ATTACKED, "A10 path-overwrites", "a router file over another file", a10_path_overwrites::path_overwrites),
    case(ATTACKED, "A11 sessions", "39 connections to sshd, one login", a11_sessions::sessions),
    case(ATTACKED, "A12 long-reload", "a reload longer than systemd waits", a12_long_reload::ready_does_not_wait_for_it),
    case(ATTACKED, "A13 leap-down", "most addresses go in a few prefixes", a13_leap_down::leap_down),
    case(ATTACKED, "A14 world-writable", "configuration 0666, 0646", a14_modes::world_writable),
    case(ATTACKED, "A14 owner", "configuration of another user", a14_modes::another_owner),
    case(ATTACKED, "A14 reload", "while the daemon runs", a14_modes::at_a_reload),
    case(ATTACKED, "A14 group-writable", "advice of check", a14_modes::group_writable),
    case(ATTACKED, "A15 silence-of-refresh", "a feed that never had a copy", a15_silence_of_refresh::exit_codes),
    case(ATTACKED, "A15 status-check", "what monitoring reads", a15_silence_of_refresh::plugin),
    case(ATTACKED, "A16 gzip-members", "packed bytes that hold nothing", a16_gzip_members::gzip_members),
    case(ATTACKED, "A17 mark-remembered", "configuration and ledger gone", a17_mark::in_the_run_directory),
    case(ATTACKED, "A17 mark-unknown", "the run directory as well", a17_mark::unknown),
    case(ATTACKED, "A17 mark-refused", "--protocol of another program", a17_mark::of_another_program),
    case(ATTACKED, "A18 churn", "200 000 foreign routes come and go", a18_churn::an_address_is_protected_within_a_second),
    case(ATTACKED, "A19 file-size", "RLIMIT_FSIZE 0", a19_limits::file_size),
    case(ATTACKED, "A19 descriptors", "8 and 16, two for a flush", a19_limits::descriptors),
    case(ATTACKED, "A19a limits-and-mapped", "no limit, no effect, a NUL", a19_small::limits_and_mapped),
    case(ATTACKED, "A20 miscount", "begun again: all of the pass is counted", a20_counts::begun_again),
    case(ATTACKED, "pass-hangs", "the disk under the ledger hangs", stalled::pass_hangs),
    case(ATTACKED, "pass-goes-on", "and answers again", stalled::pass_goes_on),
    case(ATTACKED, "loop-stalls", "the loop that protects no longer runs", stalled::loop_stalls),
    case(ATTACKED, "reload-storm", "500 SIGHUPs a second", reload_storm::protection_does_not_starve_and_the_last_reload_counts),
];

pub fn group() -> Group {
    Group {
        name: "attacked",
        tables: &TABLES,
        cases: CASES.to_vec(),
        alone: false,
    }
}
