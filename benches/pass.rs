//! Passes inside one process, as the daemon makes them: `cargo bench --bench pass [-- LINES …]`.
//!
//! Prints the first pass, the one after it, the median of those that change nothing, and the median
//! of those that change ten lines, and the median of those that bring about one entry of the
//! operator, with the ledger kept open. Kernel and network are left out, so it needs no rights.
//! Otherwise the ledger is opened for each pass and closed after it, on the disk of the temporary
//! folder.

mod sample;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nullrouted::config::{self, Config};
use nullrouted::ledger::{GenerationCause, Ledger, OperatorEntry, OperatorRow};
use nullrouted::pass::gather::{FeedSelection, FetchMode};
use nullrouted::pass::inputs::Cache;
use nullrouted::pass::keeper::Server;
use nullrouted::pass::{NoInbox, Pass};
use nullrouted::progress::Progress;

const RUNS: usize = 9;

fn main() {
    let words = std::env::args().skip(1);
    let mut sizes: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 100_000, 1_000_000];
    }
    println!(
        "     lines       first      second   unchanged  ten changed    one entry   (ms; the latter medians of {RUNS})"
    );
    for lines in sizes {
        passes(lines);
    }
}

fn passes(lines: usize) {
    let dir = tempfile::tempdir().unwrap();
    let list = sample::plain(lines);
    let path = dir.path().join("some.list");
    let config = dir.path().join("some.toml");
    let text = "state_dir = \"state\"\n[[feed]]\nname = \"some\"\npath = \"some.list\"\n[protect]\ndiscover = []\n\
                [limits]\nmax_routes = 4_000_000\nmax_share_v4 = \"100%\"\n[kernel]\nenabled = false\n";
    fs::write(&config, text).unwrap();
    fs::write(&path, &list).unwrap();
    let mut cache = Cache::default();
    let mut pass = || pass(&config, &mut cache);
    let first = pass();
    let second = pass();
    let unchanged = median((0..RUNS).map(|_| pass()).collect());
    // Ten lines go, and come back.
    let fewer = list
        .lines()
        .skip(10)
        .fold(String::new(), |text, line| text + line + "\n");
    let changed = (0..RUNS).map(|run| {
        fs::write(&path, if run % 2 == 0 { &fewer } else { &list }).unwrap();
        pass()
    });
    let changed = median(changed.collect());
    let config = Arc::new(config::load(&config).unwrap());
    let ledger = Ledger::open(&config.state_dir).unwrap();
    made(&config, &ledger, &mut cache, FeedSelection::Offline);
    let entered = (0..RUNS).map(|run| {
        let start = Instant::now();
        enter(&ledger, run);
        made(&config, &ledger, &mut cache, FeedSelection::Offline);
        start.elapsed()
    });
    let entered = median(entered.collect());
    let [first, second, unchanged, changed, entered] =
        [first, second, unchanged, changed, entered].map(|time| time.as_secs_f64() * 1e3);
    println!(
        "{lines:>10}  {first:>10.1}  {second:>10.1}  {unchanged:>10.1}  {changed:>11.1}  {entered:>11.1}"
    );
}

/// One address is added by hand.
fn enter(ledger: &Ledger, run: usize) {
    let row = OperatorRow {
        id: 0,
        kind: OperatorEntry::Add,
        item: format!("198.51.100.{run}/32").parse().unwrap(),
        reason: "bench".to_owned(),
        by: "bench".to_owned(),
        since: ledger.now().unwrap(),
        until: None,
        ended: None,
    };
    let written = ledger.atomically(|ledger| ledger.write_operator(&row));
    written.unwrap();
}

fn pass(config: &Path, cache: &mut Cache) -> Duration {
    let config = Arc::new(config::load(config).unwrap());
    let start = Instant::now();
    let ledger = Ledger::open(&config.state_dir).unwrap();
    made(&config, &ledger, cache, FeedSelection::All);
    drop(ledger);
    start.elapsed()
}

fn made(config: &Arc<Config>, ledger: &Ledger, cache: &mut Cache, selection: FeedSelection) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (keeper, mut server, _events) = Server::of_verb(config.clone());
        let pass = Pass {
            config,
            ledger,
            cache,
            selection,
            mode: FetchMode::default(),
            cause: GenerationCause::Refresh,
            progress: &Progress::default(),
            keeper: &keeper,
            in_step: &mut || {},
            inbox: &NoInbox,
        };
        tokio::select! {
            outcome = pass.run() => outcome.unwrap(),
            never = server.serve() => match never {},
        }
    });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
