//! Network namespaces made by the tests, held by a process that ends with them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Ran, is_root, left_out};

/// Says that it is there, and waits. An address is used at once (`ip-sysctl`, `accept_dad`): nobody
/// else is on these wires, and a link-local address that is tried first takes seconds.
const HOLDER: &str =
    "echo 0 2>/dev/null >/proc/sys/net/ipv6/conf/default/accept_dad; echo $$; exec cat";

/// A namespace of our own, with its own mounts; an ordinary user gets a user namespace around it.
pub struct Namespace {
    holder: Child,
    user: bool,
}

impl Namespace {
    /// A new, empty network; `None`, having said why, where the machine forbids it.
    pub fn new() -> Option<Self> {
        let user = !is_root();
        let flags: &[&str] = if user {
            &["--user", "--map-root-user"]
        } else {
            &[]
        };
        Self::hold(Command::new("unshare").args(flags), user)
    }

    /// One more network beside this one, within the same rights.
    pub fn another(&self) -> Option<Self> {
        // `nsenter` of util-linux 2.41 wants to be told a namespace.
        let mut command = self.enter(&["--net"]);
        Self::hold(command.arg("unshare"), self.user)
    }

    fn hold(unshare: &mut Command, user: bool) -> Option<Self> {
        let ours = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
        let held = unshare
            .args(["--net", "--mount", "sh", "-c", HOLDER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut holder = match held {
            Ok(holder) => holder,
            Err(error) => {
                left_out(format!("unshare: {error}"));
                return None;
            }
        };
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        if line.is_empty() {
            drop(holder.stdin.take());
            let why = Ran::of(holder.wait_with_output().unwrap());
            left_out(format!("no namespace: {}", why.err.trim()));
            return None;
        }
        let namespace = Self { holder, user };
        let pid = namespace.pid().to_string();
        assert_ne!(
            ours(&pid),
            ours("self"),
            "refusing to touch the network we were given"
        );
        let links = namespace.run("ip", &["-o", "link"]);
        assert_eq!(
            links.out.lines().count(),
            1,
            "refusing a network that is not empty: {}",
            links.out
        );
        namespace.ip("link set lo up");
        Some(namespace)
    }

    /// The process that holds it.
    pub fn pid(&self) -> u32 {
        self.holder.id()
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = self.enter(&["--net", "--mount"]);
        command.arg(program);
        command
    }

    fn enter(&self, more: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid().to_string()]);
        if self.user {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(more).arg("--");
        command
    }

    pub fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        let output: Output = self.command(program).args(arguments).output().unwrap();
        Ran::of(output)
    }

    /// `ip …`, which must work.
    #[track_caller]
    pub fn ip(&self, words: &str) -> String {
        let words: Vec<_> = words.split_whitespace().collect();
        self.run("ip", &words).code(0).out
    }

    /// A shell line, which must work.
    #[track_caller]
    pub fn sh(&self, line: &str) -> String {
        self.run("sh", &["-ec", line]).code(0).out
    }

    /// The routes of ours, as `ip` prints them, without blanks at the end.
    pub fn ours(&self) -> Vec<String> {
        let v4 = self.ip("-4 route show proto 166");
        let v6 = self.ip("-6 route show proto 166");
        let lines = v4.lines().chain(v6.lines());
        lines.map(|line| line.trim_end().to_owned()).collect()
    }

    /// All routes that are not ours.
    pub fn foreign(&self) -> Vec<String> {
        let all = [
            self.ip("-4 route show table all"),
            self.ip("-6 route show table all"),
        ]
        .concat();
        let foreign = all.lines().filter(|line| !line.contains("proto 166"));
        foreign.map(|line| line.trim_end().to_owned()).collect()
    }

    /// The policy rules of both families, as `ip` prints them: those with this protocol, or all
    /// others.
    pub fn rules(&self, protocol: &str, with_it: bool) -> Vec<String> {
        let all = [self.ip("-4 rule show"), self.ip("-6 rule show")].concat();
        let word = format!("proto {protocol}");
        let wanted = all.lines().filter(|line| line.contains(&word) == with_it);
        wanted
            .map(|line| line.replace('\t', " ").trim_end().to_owned())
            .collect()
    }

    /// What `ip monitor` shows of these things, `route` among them, while something is done.
    pub fn watched(&self, file: &Path, what: &[&str], act: impl FnOnce()) -> String {
        let seen = || fs::read_to_string(file).unwrap();
        // Whoever has seen this has seen everything before it.
        let marked = |mark: &str| {
            self.ip(&format!("route add blackhole {mark}"));
            self.ip(&format!("route del blackhole {mark}"));
            seen().contains(&format!("Deleted blackhole {mark}"))
        };
        let mut monitor = self.command("ip");
        monitor.arg("monitor").args(what);
        let mut monitor = monitor
            .stdout(fs::File::create(file).unwrap())
            .spawn()
            .unwrap();
        eventually("the monitor listens", || marked("203.0.113.77"));
        act();
        eventually("the monitor has seen all", || marked("203.0.113.78"));
        monitor.kill().unwrap();
        monitor.wait().unwrap();
        seen()
    }

    /// A wire between two namespaces: interface names and addresses at both ends.
    pub fn wire(
        &self,
        name: &str,
        address: &str,
        other: &Self,
        other_name: &str,
        other_address: &str,
    ) {
        let pid = other.pid();
        self.ip(&format!(
            "link add {name} type veth peer name {other_name} netns {pid}"
        ));
        self.address(name, address);
        other.address(other_name, other_address);
        self.ip(&format!("link set {name} up"));
        other.ip(&format!("link set {other_name} up"));
    }

    /// One echo request, by these words of `ping` to this address. On a wire of a test an answer
    /// comes within a millisecond, so 0.3 s without one mean that there is none.
    pub fn ping(&self, words: &[&str]) -> Ran {
        let one = ["-n", "-c", "1", "-W", "0.3"];
        self.run("ping", &[&one, words].concat())
    }

    /// Whether an echo request to there is answered.
    pub fn answers(&self, address: &str) -> bool {
        self.ping(&[address]).code == Some(0)
    }

    pub fn address(&self, device: &str, addresses: &str) {
        for address in addresses.split_whitespace() {
            let nodad = if address.contains(':') { " nodad" } else { "" };
            self.ip(&format!("address add {address} dev {device}{nodad}"));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The holder ends with its stdin; the namespace with the last process in it.
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// Wait until something is so, at most thirty seconds.
#[track_caller]
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "not within thirty seconds: {what}"
        );
        sleep(Duration::from_millis(20));
    }
}
