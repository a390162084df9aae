//! A soak: everything goes wrong at once, and addresses appear inside of listed prefixes all the
//! time.
//!
//! It lasts ten seconds, or as many as `NULLROUTED_SOAK_SECONDS` says; `tests/run` says 120. All of
//! it runs in a network and a mount namespace of its own; where there is none it is left out.

mod measured;
mod world;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, ExitCode};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use nix::sys::signal::Signal;
use nullrouted::ledger::Ledger;

use crate::support::cases::{Group, case, note};
use crate::support::holes::{Holes, MARKED};
use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::namespace::Namespace;
use crate::support::soon::breathe;
use crate::support::{Place, Ran, has_time};
use measured::{Taken, Waiting};
use world::{ALWAYS, Disk, Editor, Lives, Publisher, ip, listed_v4, listed_v6};

const SOAK: &str = "Soak";
/// The word with which this program is started once more, inside.
pub const INSIDE: &str = "--soak";

/// No address stays blackholed for so long.
const LIMIT: Duration = Duration::from_secs(5);
/// A daemon that was killed is ready again within this time.
const START: Duration = Duration::from_secs(30);
/// When nothing goes wrong any more, all sets agree within this time.
const AGREE: Duration = Duration::from_secs(60);

/// Between two addresses, two hangups, two samples.
const ADDRESSES: Duration = Duration::from_millis(700);
const HANGUPS: Duration = Duration::from_secs(3);
const SAMPLES: Duration = Duration::from_millis(500);
/// So long an address stays after it is protected.
const STAYS: Duration = Duration::from_secs(2);

pub fn group() -> Group {
    Group {
        name: "soak",
        tables: &[(SOAK, &["soak"])],
        cases: vec![case(SOAK, "soak", "everything goes wrong at once", outside)],
        alone: true,
    }
}

pub fn main() -> ExitCode {
    in_the_namespace_made_for_it();
    soak(Duration::from_secs(seconds()));
    ExitCode::SUCCESS
}

fn seconds() -> u64 {
    let seconds = std::env::var("NULLROUTED_SOAK_SECONDS").ok();
    seconds.map_or(10, |text| text.parse().expect("a number of seconds"))
}

fn outside() {
    if !has_time() {
        return;
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    let ran = Ran::of(router.this_program().arg(INSIDE).output().unwrap());
    ran.out.lines().for_each(note);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

/// What happens, and when: in parts of the whole time.
const EVENTS: [(f32, Event); 7] = [
    (0.15, Event::Kill),
    (0.25, Event::Fill),
    (0.35, Event::Kill),
    (0.45, Event::Empty),
    (0.50, Event::Kill),
    (0.70, Event::Fill),
    (0.80, Event::Empty),
];

#[derive(Clone, Copy, Debug)]
enum Event {
    Kill,
    Fill,
    Empty,
}

fn soak(time: Duration) {
    ip("link set lo up");
    ip("link add wan0 type veth peer name wan1");
    ip("link set wan0 up");
    ip("link set wan1 up");
    ip("address add 100.64.0.1/24 dev wan0");
    let marked = Command::new("sh").args(["-ec", MARKED]).status();
    assert!(marked.unwrap().success());

    let mut publisher = Publisher::open();
    let place = Place::new(&format!(
        "[[feed]]\nname = \"big\"\nurl = \"{}\"\nevery = \"1s\"\n\
         [fetch]\ntimeout = \"10s\"\nfirst_byte_timeout = \"1s\"\n\
         [protect]\ndiscover = [\"addresses\", \"connected\", \"gateways\", \"feed-hosts\"]\n\
         [limits]\nmax_share_v6 = \"100%\"\n\
         [[router]]\nname = \"edge\"\nfamily = \"plain\"\npath = \"edge.list\"\n",
        publisher.url()
    ));
    let disk = Disk::mount(&place.path("state"));
    let mut lives = Lives::begin(&place);
    let mut holes = Holes::open();
    let all = [0, 1, ALWAYS - 2, ALWAYS - 1].map(inside);
    let begun = Instant::now();
    while !lives.serves() || !holes.are_dropped(&all).iter().all(|dropped| *dropped) {
        assert!(begun.elapsed() < START * 2, "the first pass");
        sleep(Duration::from_millis(20));
    }
    publisher.begin();
    let editor = Editor::begin();

    let mut story = Story::new(time);
    while story.goes_on() {
        story.events(&mut lives, &disk, &place);
        story.addresses(&mut lives, &mut holes);
        breathe(Command::new("ip"));
    }
    let kept = story.end(&mut holes);

    let listed = publisher.settle();
    let edited = editor.end();
    println!(
        "{} s; {} requests, {} changes by another program, {} of our routes removed by it, {} hangups",
        time.as_secs(),
        publisher.requests(),
        edited.changes,
        edited.removed_of_ours,
        story.hangups,
    );
    println!("{}", story.waiting.shown());
    println!("ready after kill -9: {:.1?}", &lives.starts[1..]);
    println!("{}", kept.0);
    let (address, longest) = story.waiting.longest().expect("addresses appeared");
    assert!(
        longest.counted < LIMIT,
        "{address} was blackholed for {longest:?}"
    );
    assert!(kept.1, "{}", kept.0);
    let enough = 1 + time.as_secs() as usize / 60;
    assert!(publisher.requests() >= enough, "the feed is looked at");
    assert_eq!(edited.lost, [], "routes of another program were lost");
    assert_eq!(world::foreign_routes(), edited.left, "none was moved");
    agree(&place, &listed, &mut lives);
}

/// What goes on, and what was seen of it.
struct Story {
    begun: Instant,
    time: Duration,
    events: std::slice::Iter<'static, (f32, Event)>,
    filling: Option<JoinHandle<()>>,
    waiting: Waiting,
    /// Of the daemon's last life.
    taken: Taken,
    /// Those that are protected, since when.
    protected: Vec<(IpAddr, Instant)>,
    appeared: usize,
    hangups: usize,
    next_address: Instant,
    next_hangup: Instant,
    next_sample: Instant,
}

impl Story {
    fn new(time: Duration) -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            time,
            events: EVENTS.iter(),
            filling: None,
            waiting: Waiting::default(),
            taken: Taken::default(),
            protected: Vec::new(),
            appeared: 0,
            hangups: 0,
            next_address: now,
            next_hangup: now + HANGUPS,
            next_sample: now,
        }
    }

    fn goes_on(&self) -> bool {
        self.begun.elapsed() < self.time
    }

    fn events(&mut self, lives: &mut Lives, disk: &Disk, place: &Place) {
        let now = Instant::now();
        let is_due = |part: f32| self.begun + self.time.mul_f32(part) <= now;
        if let Some((_, event)) = self
            .events
            .as_slice()
            .first()
            .filter(|(part, _)| is_due(*part))
        {
            self.events.next();
            match event {
                Event::Kill => {
                    lives.kill(place);
                    self.taken = Taken::default();
                }
                Event::Fill => self.filling = Some(disk.fill()),
                Event::Empty => {
                    let filled = self.filling.take().map(JoinHandle::join);
                    filled.expect("it was filled").unwrap();
                    disk.empty();
                }
            }
        }
        if self.next_hangup <= now && lives.serves() {
            lives.signal(Signal::SIGHUP);
            self.hangups += 1;
            self.next_hangup = now + HANGUPS;
        }
        if self.next_sample <= now {
            self.taken.sample(lives.pid());
            self.next_sample = now + SAMPLES;
        }
    }

    fn addresses(&mut self, lives: &mut Lives, holes: &mut Holes) {
        let is_served = lives.serves();
        assert!(lives.began_within(START), "not ready within {START:?}");
        let open = self.waiting.open();
        let dropped = holes.are_dropped(&open);
        let now = Instant::now();
        let protected = self.waiting.see(&dropped, is_served);
        self.protected
            .extend(protected.into_iter().map(|one| (one, now)));
        self.protected.retain(|(address, since)| {
            let stays = since.elapsed() < STAYS;
            if !stays {
                holes.remove(*address);
            }
            stays
        });
        if self.next_address <= now {
            let address = inside(self.appeared);
            self.appeared += 1;
            self.next_address = now + ADDRESSES;
            // One that was protected a moment ago may still be free.
            if holes.is_dropped(address) {
                holes.add(address);
                self.waiting.begin(address);
            }
        }
    }

    /// No address is left. Answers what the daemon took.
    fn end(&mut self, holes: &mut Holes) -> (String, bool) {
        let open = self.waiting.open();
        let protected = self.protected.drain(..).map(|(address, _)| address);
        protected
            .chain(open)
            .for_each(|address| holes.remove(address));
        self.taken.flat()
    }
}

/// An address of a prefix that is listed always, and where no other program has a route.
fn inside(at: usize) -> IpAddr {
    let prefix = at / 2 % (ALWAYS / 2);
    match at % 2 {
        0 => Ipv4Addr::from(u32::from(listed_v4(prefix)) + 7).into(),
        _ => Ipv6Addr::from(u128::from(listed_v6(prefix)) + 7).into(),
    }
}

/// The ledger, the kernel, `list --json` and the router file have what the last list has.
fn agree(place: &Place, listed: &BTreeSet<IpNet>, lives: &mut Lives) {
    let begun = Instant::now();
    loop {
        lives.serves();
        let sets = sets(place);
        let differs = sets.iter().find(|(_, set)| set != listed);
        let Some((name, set)) = differs else {
            return;
        };
        let less = listed.difference(set).take(3).collect::<Vec<_>>();
        let more = set.difference(listed).take(3).collect::<Vec<_>>();
        assert!(
            begun.elapsed() < AGREE,
            "{name}: {} of {}; it lacks {less:?}, and has {more:?}",
            set.len(),
            listed.len()
        );
        sleep(Duration::from_millis(500));
    }
}

fn sets(place: &Place) -> [(&'static str, BTreeSet<IpNet>); 4] {
    let ledger = Ledger::read(&place.path("state")).and_then(|ledger| ledger.in_force());
    let ledger = ledger.unwrap().nets.nets().collect();
    let list = place.run(&["list", "--json"]).code(0).json();
    let list = list.as_array().unwrap().iter();
    let list = list.map(|route| route["prefix"].as_str().unwrap().parse().unwrap());
    let file = place.read("edge.list");
    let file = file
        .lines()
        .filter(|line| !line.starts_with(['#', ';', '!']));
    // After the prefix stands who lists it.
    let net = |line: &str| line.split(' ').next()?.parse().ok();
    let file = file.map(|line| net(line).unwrap_or_else(|| panic!("{line}")));
    [
        ("the ledger", ledger),
        ("the kernel", world::our_routes()),
        ("list --json", list.collect()),
        ("the router file", file.collect()),
    ]
}
