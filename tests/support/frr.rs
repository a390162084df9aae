//! FRR's daemons, where they can be run.

use std::process::{Child, Command};

use super::{installed, is_root, left_out, wants_routers};

/// FRR's daemons change their user and group, which a namespace of an ordinary user does not allow.
pub fn can_run(daemon: &str) -> bool {
    if !wants_routers() {
        return false;
    }
    if !installed("vtysh") || !installed(daemon) {
        left_out("FRR is not installed");
        return false;
    }
    if !is_root() {
        left_out("FRR's daemons start as root only");
        return false;
    }
    true
}

/// A process, ended with this.
pub struct Running(pub Child);

impl Running {
    pub fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        kill.args([signal, &self.0.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
