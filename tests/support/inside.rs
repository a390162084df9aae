//! A test that runs itself once more, inside of a namespace that it made.

use std::fs::read_link;
use std::process::Command;

use super::namespace::Namespace;

const HOLDER: &str = "NULLROUTED_INSIDE";
const OUTSIDE: &str = "NULLROUTED_OUTSIDE";

impl Namespace {
    /// This program once more, in the namespace; it refuses any other.
    pub fn this_program(&self) -> Command {
        let this = std::env::current_exe().unwrap();
        let mut command = self.command(this.to_str().unwrap());
        command.env(HOLDER, self.pid().to_string());
        command.env(OUTSIDE, read_link("/proc/self/ns/net").unwrap());
        command
    }

    /// One of the tests of this program, which is ignored otherwise.
    pub fn test_inside(&self, name: &str) -> Command {
        let mut command = self.this_program();
        command.args(["--exact", name, "--ignored", "--nocapture"]);
        command
    }
}

/// Only in the namespace that another test made and holds; anywhere else it refuses.
pub fn in_the_namespace_made_for_it() {
    let holder = std::env::var(HOLDER).expect("refusing: not started by its test");
    let of = |pid: &str| read_link(format!("/proc/{pid}/ns/net")).unwrap();
    let here = of("self");
    assert_eq!(
        here,
        of(&holder),
        "refusing: not in the namespace that was made"
    );
    let outside = std::env::var_os(OUTSIDE).unwrap();
    assert_ne!(
        here.as_os_str(),
        outside,
        "refusing: the network we were given"
    );
}
