//! A9: the wall clock jumps. Nothing expires and nothing is forgotten for a day; what was dated by
//! a wrong clock is named, and grows old.

use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::faketime::{self, run};
use crate::support::http::{Answer, Server};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NO_KERNEL, PROGRAM, Place, Ran, has_time};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// With a minute for what the test takes.
const YEARS: i64 = 3_650 * DAY + 60;

/// A feed of 128 entries over HTTP, and a history; and the wall clock as it is set for it.
struct Watched {
    server: Server,
    place: Place,
    library: PathBuf,
}

impl Watched {
    fn new() -> Option<Self> {
        let library = faketime::library()?;
        let server = Server::new(good());
        let place = Place::new(&format!(
            "[[feed]]\nname = \"far\"\nurl = \"{}\"\nevery = \"1s\"\n\
             [fetch]\nfirst_byte_timeout = \"1s\"\n{NO_KERNEL}",
            server.url()
        ));
        place.run(&["refresh"]).code(0);
        for (net, time) in [("192.0.2.0/24", "2h"), ("203.0.113.0/24", "30d")] {
            let add = ["add", net, "--reason", "ticket 7", "--for", time];
            place.run(&add).code(0);
        }
        let mistake = ["add", "2001:db8::/32", "--reason", "a mistake"];
        place.run(&mistake).code(0);
        place.run(&["remove", "2001:db8::/32"]).code(0);
        assert_eq!(place.run(&["list"]).lines().len(), 130);
        Some(Self {
            server,
            place,
            library,
        })
    }

    /// A verb with the clock so many seconds ahead.
    fn at(&self, seconds: i64, verb: &[&str]) -> Ran {
        run(&self.place, &self.library, seconds, verb)
    }

    fn routes(&self) -> usize {
        self.place.run(&["list"]).lines().len()
    }

    /// Rows of what is kept.
    fn kept(&self) -> [i64; 4] {
        ["generation", "event", "operator", "listing"].map(|table| {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = self.place.ledger().query_row(&sql, [], |row| row.get(0));
            count.unwrap()
        })
    }
}

fn good() -> Answer {
    let list = (0..128).map(|i| format!("198.51.100.{}\n", 2 * i));
    Answer::Tagged(list.collect(), "\"one\"".to_owned())
}

const WORDS: &str = "3650d ahead of what the last pass and the uptime explain; was the machine off? Until \
                     the clock says 20";
const NEXT: &str =
    "and nothing expires or is forgotten by the new one; if it is wrong, set it (timedatectl)";

/// Ten years ahead once, the feed unreachable; then the clock is right again.
pub fn ten_years_ahead() {
    let Some(watched) = Watched::new() else {
        return;
    };
    let before = watched.kept();
    watched.server.answer(Answer::Silence);
    // Whatever verb sees it first goes by the same time as the pass that follows.
    watched.at(YEARS, &["plan"]).code(0).says("No changes: ");
    let ran = watched.at(YEARS, &["refresh"]).code(0);
    let ran = ran.says("clock  the clock says 20").says(WORDS).says(NEXT);
    assert!(
        !ran.err.contains("ledger  forgot") && !ran.err.contains("expired"),
        "{}",
        ran.err
    );
    assert_eq!((watched.routes(), watched.kept()), (130, before));
    // It is shown for as long as it is so.
    watched.at(YEARS + 60, &["refresh"]).code(0).says(NEXT);
    let status = watched.at(YEARS + 60, &["status"]).code(0);
    status.says("CLOCK  the clock says 20").says(NEXT);
    let status = watched.at(YEARS + 60, &["status", "--json"]).json();
    let clock = &status["clock"];
    assert_eq!(
        clock["ahead_seconds"].as_i64().unwrap() / HOUR,
        YEARS / HOUR,
        "{clock}"
    );
    for key in ["says", "taken_to_be", "doubted_since", "believed_at"] {
        assert!(clock[key].is_string(), "{key} in {clock}");
    }
    watched
        .at(YEARS, &["why", "198.51.100.2"])
        .code(0)
        .says("is blackholed");
    // A flush does not wait for the ledger to tell the time, and is not dated years ahead all the
    // same.
    watched.at(YEARS, &["flush"]).code(0);
    let ahead = "SELECT count(*) FROM (SELECT at FROM pin UNION ALL SELECT at FROM event UNION ALL SELECT at FROM \
                 generation UNION ALL SELECT at FROM target) WHERE at > unixepoch() + 3600";
    let ledger = watched.place.ledger();
    let ahead: i64 = ledger.query_row(ahead, [], |row| row.get(0)).unwrap();
    assert_eq!(ahead, 0);
    watched.at(YEARS, &["unpin"]).code(0);
    // What is entered meanwhile ends by the time that is gone by.
    let add = ["add", "192.0.2.1", "--reason", "now", "--for", "1h"];
    watched.at(YEARS, &add).code(0);

    // The clock is right again: nothing is left of it.
    let right = watched.at(60, &["refresh"]).code(0);
    right.says("is what was expected again");
    assert_eq!(
        watched.place.run(&["status", "--json"]).json()["clock"],
        serde_json::Value::Null
    );
    assert_eq!(watched.routes(), 130);
    assert!(
        watched
            .kept()
            .iter()
            .zip(before)
            .all(|(now, before)| *now >= before)
    );
    // And what ends, ends when it should: two hours later only what was added for so long.
    let later = watched.at(3 * HOUR, &["refresh"]).code(0);
    later
        .says("add 192.0.2.0/24  expired: ")
        .says("add 192.0.2.1/32  expired: ");
    assert_eq!(watched.routes(), 129);
}

/// A good look while the clock is ahead is one of the right time: it does not keep the feed fresh
/// for ten years.
pub fn a_good_look_meanwhile() {
    if !has_time() {
        return;
    }
    let Some(watched) = Watched::new() else {
        return;
    };
    watched.at(YEARS, &["refresh"]).code(0).says(WORDS);
    watched
        .at(YEARS, &["status"])
        .code(0)
        .says("feed far  fresh");
    watched.server.answer(Answer::Silence);
    watched.at(0, &["refresh"]).code(0);
    let half_days = |half: i64, text: &str| {
        watched.at(half * DAY / 2 + 60, &["refresh"]).code(0);
        watched
            .at(half * DAY / 2 + 60, &["status"])
            .code(0)
            .says(text);
    };
    watched.at(DAY / 2, &["refresh"]).code(0);
    for half in 2..14 {
        half_days(half, "feed far  stale");
    }
    half_days(15, "feed far  expired");
    assert_eq!(watched.routes(), 1, "what was added for thirty days");
}

/// A ledger that an older version wrote while the clock was ahead, or that was believed for a day.
pub fn confirmed_in_the_future() {
    let Some(watched) = Watched::new() else {
        return;
    };
    watched.server.answer(Answer::Silence);
    let Watched { place, .. } = &watched;
    place.edit("UPDATE feed SET confirmed_at = confirmed_at + 315360000");
    let ran = place.run(&["refresh"]).code(0);
    let ran = ran
        .says("feed=far  confirmed 36")
        .says(" in the future (20");
    ran.says("while the clock was wrong: stale, and its age is counted from now on until the next good look");
    let status = place.run(&["status"]).code(0).says("feed far  stale");
    status
        .says(", confirmed 36")
        .says(" in the future, next look");
    assert!(
        !place
            .run(&["refresh"])
            .code(0)
            .err
            .contains("in the future (20"),
        "said once"
    );
    place.edit("UPDATE feed SET ahead_since = ahead_since - 7 * 86400");
    place.run(&["refresh"]).code(0).says("stale -> expired");
    assert_eq!(watched.routes(), 2, "what was added by hand");
    // A good look takes its place.
    watched.server.answer(good());
    place.run(&["refresh"]).code(0);
    place.run(&["status"]).code(0).says("feed far  fresh");
    assert_eq!(watched.routes(), 130);
}

/// A machine that was off for a week: expiry waits a day, and the feeds do not wait for it.
pub fn off_for_a_week() {
    let Some(watched) = Watched::new() else {
        return;
    };
    let before = watched.kept();
    watched.server.answer(Answer::Silence);
    let week = 8 * DAY + 60;
    let ran = watched.at(week, &["refresh"]).code(0);
    ran.says("8d ahead of what the last pass and the uptime explain; was the machine off?")
        .says(NEXT);
    assert_eq!((watched.routes(), watched.kept()), (130, before));
    // A day later it is believed, and what ended meanwhile goes: the feed has not been seen for
    // nine days.
    watched.at(week + 20 * HOUR, &["refresh"]).code(0);
    assert_eq!(
        watched.routes(),
        129,
        "added for two hours, of which twenty are over"
    );
    let ran = watched.at(week + 25 * HOUR, &["refresh"]).code(0);
    ran.says("the clock has gone on for a day since 20")
        .says("fresh -> expired");
    assert_eq!(watched.routes(), 1);
    assert_eq!(
        watched.at(week + 25 * HOUR, &["status", "--json"]).json()["clock"],
        serde_json::Value::Null
    );
}

/// The same with a feed that answers meanwhile: it was confirmed when it was, by the clock that is
/// believed.
pub fn really_a_day_later() {
    let Some(watched) = Watched::new() else {
        return;
    };
    watched.at(YEARS, &["refresh"]).code(0).says(WORDS);
    watched
        .at(
            YEARS,
            &["add", "192.0.2.8", "--reason", "meanwhile", "--for", "30h"],
        )
        .code(0);
    let end = "SELECT until FROM operator WHERE prefix = '192.0.2.8/32'";
    let end = || -> i64 {
        watched
            .place
            .ledger()
            .query_row(end, [], |row| row.get(0))
            .unwrap()
    };
    let doubted = end();
    watched.server.answer(Answer::Silence);
    for hours in [12, 23] {
        watched.at(YEARS + hours * HOUR, &["refresh"]).code(0);
        assert_eq!(
            watched.routes(),
            130,
            "192.0.2.0/24 ended, not what is in it"
        );
    }
    let ran = watched.at(YEARS + 25 * HOUR, &["refresh"]).code(0);
    ran.says("and is believed from now on; what was written meanwhile is dated by it")
        .says("forgot");
    assert_eq!(
        (end() - doubted) / HOUR,
        YEARS / HOUR,
        "it still ends after thirty hours"
    );
    let status = watched.at(YEARS + 25 * HOUR, &["status"]).code(0);
    status
        .says("feed far  stale")
        .says("confirmed 1d 1h ago")
        .says("192.0.2.8/32");
    assert_eq!(
        watched.routes(),
        129,
        "the feed, and what was added meanwhile"
    );
}

/// The daemon: its clock jumps between two passes, and back.
pub fn under_the_daemon() {
    let (Some(library), Some(router)) = (faketime::library(), Namespace::new()) else {
        return;
    };
    let place =
        Place::new("[[feed]]\nname = \"noc\"\npath = \"noc.list\"\nexpire_after = \"7d\"\n");
    place.write("noc.list", "198.51.100.0/24\n192.0.2.0/24\n");
    let file = place.path("clock");
    place.write("clock", "+0\n");
    let mut program = router.command(PROGRAM);
    faketime::ahead_by_file(&mut program, &library, &file);
    let daemon = Daemon::start_by(&place, program);
    let routes = router.ours();
    assert_eq!(routes.len(), 2);
    std::fs::remove_file(place.path("noc.list")).unwrap();
    place.write("clock", &format!("+{YEARS}\n"));
    daemon.signal(Signal::SIGHUP);
    daemon.says("ahead of what the last pass and the uptime explain; was the machine off?");
    // Another pass has nothing new to say of it.
    place.run_in(&router, &["status", "--json"]).code(0);
    daemon.signal(Signal::SIGHUP);
    // A route that is removed meanwhile is put back.
    router.ip("route del blackhole 192.0.2.0/24 proto 166");
    eventually("it is put back", || router.ours() == routes);
    place.write("clock", "+0\n");
    daemon.signal(Signal::SIGHUP);
    daemon.says("is what was expected again");
    assert_eq!(router.ours(), routes);
    let said = daemon.stop();
    let told = said.iter().filter(|line| line.contains("the clock says"));
    assert_eq!(told.count(), 1, "once: {said:#?}");
    assert!(
        !said
            .iter()
            .any(|line| line.contains("ledger  forgot") || line.contains("expired")),
        "{said:#?}"
    );
}
