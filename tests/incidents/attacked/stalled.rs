//! A pass that hangs in a system call, and a protection loop that no longer runs. `strace` holds up
//! one system call of the daemon, as a disk or a kernel would.

use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{PROGRAM, Place, has_time, installed, left_out};

const LIST: &str = "72.37.186.0/23\n11.0.1.0/24\n11.0.3.0/24\n";
/// Whatever is written to the disk waits for two minutes.
const HANGS: &str = "fsync,fdatasync:delay_enter=120000000";
/// The watchdog expects a message twice in this time.
const INTERVAL: Duration = Duration::from_millis(200);

/// A daemon, what it tells the service manager, and its namespace.
struct World {
    daemon: Daemon,
    manager: UnixDatagram,
    place: Place,
    router: Namespace,
}

impl World {
    fn new() -> Option<Self> {
        if !installed("strace") {
            left_out("strace is not installed");
            return None;
        }
        let router = Namespace::new()?;
        let place = Place::new(
            "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\nevery = \"1s\"\n\
             [protect]\ndiscover = [\"addresses\"]\n",
        );
        place.write("noc.list", LIST);
        let socket = place.path("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_nonblocking(true).unwrap();
        let mut program = router.command("env");
        program
            .arg(format!("NOTIFY_SOCKET={}", socket.display()))
            .arg(format!("WATCHDOG_USEC={}", INTERVAL.as_micros()))
            .arg(PROGRAM);
        let daemon = Daemon::start_with(&place, program, &["run", "--pass-timeout", "2s"]);
        Some(Self {
            daemon,
            manager,
            place,
            router,
        })
    }

    /// Hold up the daemon: `whom` are the options of strace that say which threads.
    fn hold(&self, whom: &[&str], inject: &str) -> Strace {
        let (call, _) = inject.split_once(':').unwrap();
        let log = self.place.path("strace");
        let child = Command::new("strace")
            .args(["-qq", "-o", log.to_str().unwrap()])
            .args(whom)
            .args(["-p", &self.daemon.pid().to_string()])
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={inject}")])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", self.daemon.pid());
        eventually("strace is attached", || {
            let status = std::fs::read_to_string(&status).unwrap();
            status.lines().any(|line| {
                line.strip_prefix("TracerPid:")
                    .is_some_and(|pid| pid.trim() != "0")
            })
        });
        Strace(child)
    }

    /// How often the watchdog was fed in so much time.
    fn beats(&self, during: Duration) -> usize {
        let mut buffer = [0; 4_096];
        while self.manager.recv(&mut buffer).is_ok() {}
        let begun = Instant::now();
        let mut beats = 0;
        while begun.elapsed() < during {
            match self.manager.recv(&mut buffer) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&buffer[..length]);
                    beats += text.matches("WATCHDOG=1").count();
                }
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        beats
    }

    fn drops(&self, prefix: &str) -> bool {
        let ours = self.router.ours();
        ours.contains(&format!("blackhole {prefix}"))
    }
}

/// It ends with this, and what it held goes on.
struct Strace(Child);

impl Drop for Strace {
    fn drop(&mut self) {
        // A tracer that dies lets go of what it traced (ptrace(2)).
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The disk under the ledger hangs: the pass cannot even be cancelled. Addresses are protected,
/// routes come back, the watchdog is fed, the operator is told, and SIGTERM still ends the daemon.
pub fn pass_hangs() {
    if !has_time() {
        return;
    }
    let Some(world) = World::new() else { return };
    let held = world.hold(&["-f"], HANGS);
    world
        .place
        .write("noc.list", &format!("{LIST}11.0.5.0/24\n"));
    world.daemon.says("the pass has been at work for ");
    let line = world.daemon.line("the pass has been at work for ").unwrap();
    let rest = "and cannot be cancelled: a disk or a file system does not answer; addresses are protected \
                and routes put back meanwhile, and the next pass begins when it answers";
    assert!(line.contains(rest), "{line}");

    world.router.ip("address add 72.37.187.9/32 dev lo");
    soon(&world.router, SECOND, "the address is protected", || {
        !world.drops("72.37.186.0/23") && world.drops("72.37.186.0/24")
    });
    world.router.ip("route del blackhole 11.0.3.0/24");
    soon(&world.router, SECOND, "the route is back", || {
        world.drops("11.0.3.0/24")
    });
    assert!(world.beats(INTERVAL * 5) >= 5);

    world.daemon.signal(Signal::SIGTERM);
    let begun = Instant::now();
    eventually("it has ended", || !world.daemon.runs());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    drop(held);
    assert!(
        world
            .daemon
            .line("the pass under way does not answer and is left behind")
            .is_some()
    );
}

/// The disk answers again: the next pass goes on where the last one was.
pub fn pass_goes_on() {
    if !has_time() {
        return;
    }
    let Some(world) = World::new() else { return };
    let held = world.hold(&["-f"], HANGS);
    world
        .place
        .write("noc.list", &format!("{LIST}11.0.5.0/24\n"));
    world.daemon.says("cannot be cancelled");
    world.router.ip("address add 72.37.187.9/32 dev lo");
    soon(&world.router, SECOND, "the address is protected", || {
        !world.drops("72.37.186.0/23")
    });
    drop(held);
    eventually("the new entry is in force", || world.drops("11.0.5.0/24"));
    assert!(!world.drops("72.37.186.0/23") && world.drops("72.37.186.0/24"));
    // The pass that hung may have decided before the address was there; then its next round writes
    // it down.
    eventually("it is written down", || {
        let listed = world.place.run(&["list"]).code(0).out;
        !listed.contains("72.37.186.0/23\n")
    });
    world.daemon.stop();
}

/// The kernel no longer answers the loop that protects: then nothing feeds the watchdog, although
/// the process has other threads that run.
pub fn loop_stalls() {
    let Some(world) = World::new() else { return };
    assert!(world.beats(INTERVAL * 5) >= 5);
    // Only the first thread, and only its answers.
    let _held = world.hold(&[], "recvfrom:error=EAGAIN");
    world
        .place
        .write("noc.list", &format!("{LIST}11.0.5.0/24\n"));
    eventually("nothing feeds the watchdog", || {
        world.beats(INTERVAL * 5) == 0
    });
    assert_eq!(world.beats(INTERVAL * 10), 0);
    assert!(world.daemon.runs());
}
