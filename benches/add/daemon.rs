//! One daemon that holds the routes, and the verb.

use std::fs;
use std::io::{BufRead, stdin};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nullrouted::netlink::make_room;
use nullrouted::netlink::message::{RTM_NEWROUTE, messages};

use super::sample;

/// `RTNLGRP_IPV4_ROUTE` as a bit.
const IPV4_ROUTE: u32 = 1 << 6;

/// A verb of a build that waits for a pass on a busy machine takes long.
const PATIENCE: Duration = Duration::from_secs(200);

/// A daemon that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Print what the daemon needs for this many lines, and then a line for each line that is asked.
pub fn measure(program: &str, lines: usize) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let dir = dir.path();
    fs::write(dir.join("list"), sample::plain(lines)).unwrap();
    let config = "state_dir = \"state\"\n[[feed]]\nname = \"list\"\npath = \"list\"\nevery = \"1d\"\n\
                  [limits]\nmax_routes = 4_000_000\nmax_share_v4 = \"100%\"\n";
    fs::write(dir.join("nullrouted.toml"), config).unwrap();
    let sh = |line: &str| Command::new("sh").args(["-c", line]).status().unwrap();
    sh(
        "ip link set lo up; ip link add wan0 type veth peer name wan1; ip link set wan0 up; ip link set wan1 up; ip address add 100.64.0.1/24 dev wan0",
    );
    let running = started(program, dir);
    let daemon = &running.0;
    let routes = settled(daemon, dir);
    println!("{routes} routes, daemon {}", memory(daemon));
    let heard = listen();
    for (at, word) in stdin().lock().lines().map(Result::unwrap).enumerate() {
        if word != "add" {
            break;
        }
        // Every second one: two that follow each other would be joined.
        let address = Ipv4Addr::new(198, 51, 100, 2 * at as u8 + 1);
        let [kernel, verb] = added(program, dir, address, &heard);
        println!("{kernel} {verb}");
        // The pass that a daemon may make after it is not part of the next sample.
        sleep(Duration::from_millis(2_500));
    }
    println!("daemon {}", memory(daemon));
}

fn command(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("NULLROUTED_RUN_DIR", dir.join("run"));
    command.arg("--config").arg(dir.join("nullrouted.toml"));
    command.stdout(Stdio::null());
    command
}

fn started(program: &str, dir: &Path) -> Running {
    let log = fs::File::create(dir.join("log")).unwrap();
    let daemon = command(program, dir).arg("run").stderr(log).spawn();
    Running(daemon.unwrap())
}

/// Wait until the kernel has all of them and the daemon does nothing any more. Returns their
/// number.
fn settled(daemon: &Child, dir: &Path) -> usize {
    let until = Instant::now() + Duration::from_secs(300);
    let mut before = String::new();
    loop {
        sleep(Duration::from_secs(3));
        assert!(Instant::now() < until, "the first pass");
        let log = fs::read_to_string(dir.join("log")).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.id())).unwrap();
        // Its user and system time.
        let spent = stat
            .split(' ')
            .skip(13)
            .take(2)
            .collect::<Vec<_>>()
            .join(" ");
        let line = log.lines().find(|line| line.contains("target=kernel"));
        if let (Some(line), true) = (line, spent == before) {
            let words = line.split("added ").nth(1).unwrap();
            return words.split(',').next().unwrap().parse().unwrap();
        }
        before = spent;
    }
}

fn memory(daemon: &Child) -> String {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let of = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    };
    format!("VmRSS {:.1} MiB, VmHWM {:.1} MiB", of("VmRSS"), of("VmHWM"))
}

/// Milliseconds until the kernel has the route, and until the verb has ended.
fn added(
    program: &str,
    dir: &Path,
    address: Ipv4Addr,
    heard: &Receiver<(Instant, Ipv4Addr)>,
) -> [f64; 2] {
    let mut verb = command(program, dir);
    verb.args(["add", &address.to_string(), "--reason", "bench"]);
    let begun = Instant::now();
    let mut child = verb.spawn().unwrap();
    let seen = loop {
        let (at, route) = heard.recv_timeout(PATIENCE).unwrap();
        if route == address {
            break at;
        }
    };
    assert!(child.wait().unwrap().success());
    [seen - begun, begun.elapsed()].map(|took| took.as_secs_f64() * 1e3)
}

/// The routes that are added, each with the time at which a listener reads of it.
fn listen() -> Receiver<(Instant, Ipv4Addr)> {
    let mut socket = Socket::new(NETLINK_ROUTE).unwrap();
    make_room(&socket, 64 << 20);
    socket.bind(&SocketAddr::new(0, IPV4_ROUTE)).unwrap();
    let (tell, heard) = channel();
    spawn(move || {
        let mut buffer = Vec::with_capacity(64 << 10);
        loop {
            buffer.clear();
            socket.recv(&mut buffer, 0).unwrap();
            let now = Instant::now();
            for message in messages(&buffer)
                .flatten()
                .filter(|one| one.kind == RTM_NEWROUTE)
            {
                let address = destination(message.payload);
                address
                    .into_iter()
                    .for_each(|address| tell.send((now, address)).unwrap());
            }
        }
    });
    heard
}

/// `RTA_DST` of an IPv4 route.
fn destination(payload: &[u8]) -> Option<Ipv4Addr> {
    let mut rest = payload.get(12..)?;
    while rest.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        let kind = u16::from_ne_bytes([rest[2], rest[3]]);
        if kind == 1 && length == 8 {
            let bytes: [u8; 4] = rest[4..8].try_into().ok()?;
            return Some(bytes.into());
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}
