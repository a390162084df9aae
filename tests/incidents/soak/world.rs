//! The world around the daemon: lists and the server that breaks them, the disk, another program
//! among the routes, and the daemon's lives. All of it is in the namespace that this process is in.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NetlinkMessage};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use nullrouted::netlink::{Answer as Answered, Requests};

use crate::support::http::{Answer, Server};
use crate::support::notified::Notified;
use crate::support::{PROGRAM, Place, Ran};

// ── Lists ──────────────────────────────────────────────────────────────────────────────────────

/// Prefixes in a list; the first of each family are in all of them.
const V4: usize = 198_000;
const V6: usize = 2_000;
pub const ALWAYS: usize = 1_000;
/// From one list to the next so many leave and as many come.
const STEP: usize = 500;
/// After so many lists the first comes again.
const LISTS: usize = 8;

/// Every second /24, so that none can be joined.
pub fn listed_v4(at: usize) -> Ipv4Addr {
    Ipv4Addr::from(0x2c00_0000 + at as u32 * 512)
}

/// Every second /48.
pub fn listed_v6(at: usize) -> Ipv6Addr {
    Ipv6Addr::from((0x2001_0db8_u128 << 96) + ((at as u128 * 2) << 80))
}

/// The networks of one list.
fn nets(number: usize) -> impl Iterator<Item = IpNet> {
    let from = ALWAYS + number % LISTS * STEP;
    let v4 = (0..ALWAYS).chain(from..from + V4 - ALWAYS).map(listed_v4);
    let v6 = (0..V6).map(listed_v6);
    let v4 = v4.map(|first| IpNet::new(first.into(), 24).unwrap());
    v4.chain(v6.map(|first| IpNet::new(first.into(), 48).unwrap()))
}

fn list(number: usize) -> String {
    nets(number).fold(String::new(), |mut list, net| {
        writeln!(list, "{net}").unwrap();
        list
    })
}

// ── The server ─────────────────────────────────────────────────────────────────────────────────

/// Answers each request differently, with another list each time, and breaks every second one.
pub struct Publisher {
    server: Arc<Server>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// One list, whole, until it begins.
    pub fn open() -> Self {
        Self {
            server: Arc::new(Server::new(Answer::Body(list(0)))),
            ends: Arc::default(),
            thread: None,
        }
    }

    pub fn begin(&mut self) {
        let (publishes, until) = (self.server.clone(), self.ends.clone());
        self.thread = Some(spawn(move || {
            let mut turn = 0;
            while !until.load(Ordering::Relaxed) {
                let asked = publishes.requests().len();
                turn += 1;
                publishes.answer(answer(turn));
                while publishes.requests().len() == asked && !until.load(Ordering::Relaxed) {
                    sleep(Duration::from_millis(20));
                }
            }
        }));
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub fn requests(&self) -> usize {
        self.server.requests().len()
    }

    /// From now on one list, whole. Answers what is in it.
    pub fn settle(&mut self) -> BTreeSet<IpNet> {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        self.server.answer(Answer::Body(list(1)));
        nets(1).collect()
    }
}

fn answer(turn: usize) -> Answer {
    let list = || list(turn);
    let broken = |turn| match turn % 7 {
        0 => Answer::Status("500 Internal Server Error", "no".to_owned()),
        1 => Answer::Short(list()),
        2 => Answer::Body("<!DOCTYPE html>\n<html><body>Please log in</body></html>\n".to_owned()),
        3 => Answer::Reset(list()),
        4 => Answer::Later("503 Service Unavailable", "1".to_owned()),
        5 => Answer::Drip,
        _ => Answer::Status("404 Not Found", String::new()),
    };
    let good = |turn| match turn % 4 {
        0 => Answer::Body(list()),
        1 => Answer::Bytes(zipped(&list())),
        2 => Answer::Pause(list(), Duration::from_millis(500)),
        _ => Answer::Tagged(list(), "\"soak\"".to_owned()),
    };
    match turn % 2 {
        0 => good(turn / 2),
        // The tag of the list before: it is the same.
        _ if turn % 8 == 7 => Answer::Tagged(list(), "\"soak\"".to_owned()),
        _ => broken(turn / 2),
    }
}

fn zipped(text: &str) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

// ── The disk ───────────────────────────────────────────────────────────────────────────────────

/// Room for the ledger and the copies, and not much more.
const SIZE: &str = "400m";

/// A small file system under the state directory.
pub struct Disk {
    ballast: PathBuf,
}

impl Disk {
    pub fn mount(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        let options = format!("size={SIZE},mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]);
        assert!(mount.arg(folder).status().unwrap().success());
        Self {
            ballast: folder.join("ballast"),
        }
    }

    /// Another program writes until nothing is left.
    pub fn fill(&self) -> JoinHandle<()> {
        let mut file = File::create(&self.ballast).unwrap();
        spawn(move || {
            for size in [1 << 20, 4_096, 1] {
                let block = vec![0; size];
                while file.write_all(&block).is_ok() {}
            }
        })
    }

    pub fn empty(&self) {
        fs::remove_file(&self.ballast).unwrap();
    }
}

// ── Another program among the routes ───────────────────────────────────────────────────────────

/// A route of another program: the destination, and where it stands.
type Foreign = (IpNet, u32);

/// Its routes come and go, a few hundred a second, and it removes some of ours.
pub struct Editor {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Edited>,
}

/// What it has done.
pub struct Edited {
    /// What it has not removed.
    pub left: BTreeSet<Foreign>,
    /// What it could not remove, for it was no longer there.
    pub lost: Vec<Foreign>,
    pub changes: usize,
    pub removed_of_ours: usize,
}

/// Its own routes stay for the whole time.
const STAY: usize = 300;
/// Between two of its changes.
const BETWEEN: Duration = Duration::from_millis(5);
/// After so many changes it removes one of our routes.
const OURS: usize = 60;
/// No route of another program has it, and ours have a better one.
const METRIC: u32 = 50_000;

impl Editor {
    pub fn begin() -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let until = ends.clone();
        let thread = spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(edit(&until))
        });
        Self { ends, thread }
    }

    pub fn end(self) -> Edited {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

async fn edit(until: &AtomicBool) -> Edited {
    let mut requests = Requests::open().unwrap();
    let mut edited = Edited {
        left: BTreeSet::new(),
        lost: Vec::new(),
        changes: 0,
        removed_of_ours: 0,
    };
    for at in 0..STAY {
        let route = foreign(at);
        assert!(change(&mut requests, add(&route)).await, "{route:?}");
        edited.left.insert(route);
    }
    while !until.load(Ordering::Relaxed) {
        tokio::time::sleep(BETWEEN).await;
        edited.changes += 1;
        let route = foreign(STAY + edited.changes * 7 % 2_000);
        if edited.left.remove(&route) {
            if !change(
                &mut requests,
                delete(&route, RouteProtocol::Static, RouteType::Unicast),
            )
            .await
            {
                edited.lost.push(route);
            }
        } else if change(&mut requests, add(&route)).await {
            edited.left.insert(route);
        }
        if edited.changes.is_multiple_of(OURS) {
            // Others each time: who keeps removing one route is no longer answered at once.
            let at = ALWAYS + edited.changes * 11 % (V4 - 2 * ALWAYS);
            let ours = (IpNet::new(listed_v4(at).into(), 24).unwrap(), 0);
            let delete = delete(&ours, RouteProtocol::Other(166), RouteType::BlackHole);
            edited.removed_of_ours += usize::from(change(&mut requests, delete).await);
        }
    }
    edited
}

/// Beside what is listed, inside of it, and in the same places with a metric that loses.
fn foreign(at: usize) -> Foreign {
    let listed = u32::from(listed_v4(ALWAYS / 2 + at % (ALWAYS / 2)));
    let (first, length) = match at % 3 {
        0 => (0x7000_0000 + at as u32 * 256, 24),
        1 => (listed + 64, 26),
        _ => (listed, 24),
    };
    let net = IpNet::new(Ipv4Addr::from(first).into(), length).unwrap();
    (net, METRIC + at as u32)
}

/// The router through which it leads.
const GATEWAY: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 2);

fn add(route: &Foreign) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = message(route, RouteProtocol::Static, RouteType::Unicast);
    let gateway = RouteAttribute::Gateway(RouteAddress::Inet(GATEWAY));
    message.attributes.push(gateway);
    let mut packet = NetlinkMessage::from(RouteNetlinkMessage::NewRoute(message));
    packet.header.flags = NLM_F_CREATE | NLM_F_EXCL;
    packet
}

fn delete(
    route: &Foreign,
    protocol: RouteProtocol,
    kind: RouteType,
) -> NetlinkMessage<RouteNetlinkMessage> {
    let message = message(route, protocol, kind);
    NetlinkMessage::from(RouteNetlinkMessage::DelRoute(message))
}

fn message((net, metric): &Foreign, protocol: RouteProtocol, kind: RouteType) -> RouteMessage {
    let mut message = RouteMessage::default();
    let IpAddr::V4(first) = net.network() else {
        unreachable!("it has IPv4 routes only")
    };
    message.header = RouteHeader {
        address_family: AddressFamily::Inet,
        destination_prefix_length: net.prefix_len(),
        table: RouteHeader::RT_TABLE_MAIN,
        protocol,
        scope: RouteScope::Universe,
        kind,
        ..RouteHeader::default()
    };
    message.attributes = vec![
        RouteAttribute::Destination(RouteAddress::Inet(first)),
        RouteAttribute::Priority(*metric),
    ];
    message
}

/// Whether the kernel has done it.
async fn change(requests: &mut Requests, mut change: NetlinkMessage<RouteNetlinkMessage>) -> bool {
    requests.push(&mut change);
    let answer = requests.send().await.unwrap();
    matches!(answer, Answered::Done(refusals) if refusals.is_empty())
}

// ── The daemon ─────────────────────────────────────────────────────────────────────────────────

/// One life of the daemon after the other.
pub struct Lives {
    child: Child,
    notified: Notified,
    log: PathBuf,
    began: Instant,
    is_ready: bool,
    /// How long each took from its start until it was ready.
    pub starts: Vec<Duration>,
}

impl Lives {
    pub fn begin(place: &Place) -> Self {
        let notified = Notified::at(&place.path("notify"));
        let log = place.path("log");
        Self {
            child: start(place, &notified, &log),
            notified,
            log,
            began: Instant::now(),
            is_ready: false,
            starts: Vec::new(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is running: neither dead nor about to begin.
    pub fn serves(&mut self) -> bool {
        while let Some(told) = self.notified.next(Duration::ZERO) {
            if told.starts_with("READY=1") && !self.is_ready {
                self.is_ready = true;
                self.starts.push(self.began.elapsed());
            }
        }
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the daemon ended: {ended:?}");
        self.is_ready
    }

    /// Whether this one is ready, or may still be about to begin.
    pub fn began_within(&self, limit: Duration) -> bool {
        self.is_ready || self.began.elapsed() < limit
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).unwrap();
    }

    /// `kill -9`, and the next one begins.
    pub fn kill(&mut self, place: &Place) {
        self.serves();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // What it still said.
        while self.notified.next(Duration::ZERO).is_some() {}
        self.child = start(place, &self.notified, &self.log);
        (self.began, self.is_ready) = (Instant::now(), false);
    }

    /// The last it said.
    fn tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Drop for Lives {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.tail());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(place: &Place, notified: &Notified, log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).unwrap();
    let mut command = place.command(Command::new(PROGRAM), &["run"]);
    let command = notified.by(&mut command);
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

// ── What is there ──────────────────────────────────────────────────────────────────────────────

/// What a command of `ip` shows.
pub fn ip(words: &str) -> String {
    let mut command = Command::new("ip");
    command.args(words.split_whitespace());
    Ran::of(command.output().unwrap()).code(0).out
}

/// The static routes of IPv4, by destination and metric.
pub fn foreign_routes() -> BTreeSet<Foreign> {
    let all = ip("-4 route show proto static");
    let route = |line: &str| -> Foreign {
        let mut words = line.split_whitespace();
        let net = words.next().unwrap();
        let metric = words.skip_while(|word| *word != "metric").nth(1);
        (net.parse().unwrap(), metric.unwrap().parse().unwrap())
    };
    all.lines().map(route).collect()
}

/// Our routes of both families.
pub fn our_routes() -> BTreeSet<IpNet> {
    let all = [ip("-4 route show proto 166"), ip("-6 route show proto 166")].concat();
    let net = |line: &str| {
        let net = line.split_whitespace().nth(1).unwrap();
        let host = || IpNet::from(net.parse::<IpAddr>().unwrap());
        net.parse().unwrap_or_else(|_| host())
    };
    all.lines().map(net).collect()
}
