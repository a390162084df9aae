//! A path leads to what never answers: a FIFO, a device, a file system whose server is away.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::daemon::Daemon;
use crate::support::namespace::Namespace;
use crate::support::{NO_KERNEL, NOC, Place, Ran, has_time, left_out};

/// Longest time that a verb may take. The build that was attacked never ended.
const SOON: Duration = Duration::from_secs(20);

fn soon(run: impl FnOnce() -> Ran) -> Ran {
    let begun = Instant::now();
    let ran = run();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    ran
}

/// A place with a good feed, a FIFO, and this beside them.
fn place(more: &str) -> Place {
    let place = Place::new(&format!("{more}\n{NOC}{NO_KERNEL}"));
    place.write("noc.list", "192.0.2.0/24\n");
    mkfifo(&place.path("fifo"), Mode::S_IRWXU).unwrap();
    place
}

pub fn blocking_file() {
    if !has_time() {
        return;
    }
    const FIFO: &str = "this is a FIFO, not a regular file";
    let remote = "[[feed]]\nname = \"far\"\nurl = \"https://127.0.0.1:9/\"\n";
    // A feed that has no copy is exit code 1.
    for (more, code, said) in [
        (
            "[[feed]]\nname = \"far\"\npath = \"fifo\"\n".to_owned(),
            1,
            FIFO,
        ),
        (
            "[[feed]]\nname = \"far\"\npath = \"/dev/zero\"\n".to_owned(),
            1,
            "this is a device, not a regular file",
        ),
        (format!("{remote}bearer_file = \"fifo\"\n"), 1, FIFO),
        (format!("{remote}api_key_file = \"fifo\"\n"), 1, FIFO),
        (
            format!("{remote}user = \"a\"\npassword_file = \"fifo\"\n"),
            1,
            FIFO,
        ),
        (
            format!("{remote}client_certificate_file = \"fifo\"\n"),
            1,
            FIFO,
        ),
        (format!("{remote}[fetch]\nca_file = \"fifo\"\n"), 1, FIFO),
        ("[asn]\ntable = \"fifo\"\n".to_owned(), 0, FIFO),
        (
            "[[router]]\nname = \"r\"\nfamily = \"plain\"\npath = \"fifo\"\n".to_owned(),
            1,
            FIFO,
        ),
    ] {
        let place = place(&more);
        let ran = soon(|| place.run(&["refresh"]));
        assert_eq!(ran.code, Some(code), "{more}: {}", ran.err);
        ran.says(said);
        assert_eq!(place.run(&["list"]).out, "192.0.2.0/24\n", "{more}");
        soon(|| place.run(&["plan"]));
        soon(|| place.run(&["status"]));
    }
    // What protects must be whole: without it there is no configuration.
    let place = place("[protect]\nfiles = [\"fifo\"]\n");
    for verb in ["check", "refresh"] {
        let ran = soon(|| place.run(&[verb])).code(64);
        ran.clone().says(FIFO);
        let at = format!("{}:4:10: files: ", place.config().display());
        ran.says(&at);
    }
    silent_file_system();
}

/// A mount that nobody serves: every call waits in the kernel. It ends with this.
struct Silent(Child);

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mounted(namespace: &Namespace, at: &Path) -> Option<Silent> {
    std::fs::create_dir(at).unwrap();
    let mount = format!(
        "exec 7<>/dev/fuse && mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 silent {} && \
         echo mounted && exec sleep 600",
        at.display()
    );
    let mut command = namespace.command("sh");
    let mut child = command
        .args(["-c", &mount])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
    let child = Silent(child);
    (line == "mounted\n").then_some(child)
}

fn silent_file_system() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "[[feed]]\nname = \"far\"\npath = \"silent/list\"\nevery = \"1s\"\n\
         [[feed]]\nname = \"key\"\nurl = \"https://127.0.0.1:9/\"\nbearer_file = \"silent/key\"\n\
         {NOC}[fetch]\ntimeout = \"1s\"\n\
         [[router]]\nname = \"edge\"\nfamily = \"plain\"\npath = \"edge.list\"\n"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    let Some(silent) = mounted(&namespace, &place.path("silent")) else {
        return left_out("no mount of FUSE");
    };
    let ran = soon(|| place.run_in(&namespace, &["refresh"])).code(1);
    ran.clone()
        .says("silent/list: the file system did not answer within 1 s");
    ran.says("feed=key  failed: not complete after 1 s");
    assert!(namespace.ours()[0].starts_with("blackhole 192.0.2.0/24"));
    assert!(place.read("edge.list").contains("192.0.2.0/24"));
    let checked = soon(|| place.run_in(&namespace, &["check"])).code(0);
    assert!(
        checked.err.contains("silent/list: the file system "),
        "{}",
        checked.err
    );
    std::fs::remove_dir_all(place.path("state")).unwrap();
    // The daemon goes on, tries no second time while the first waits, and ends when it is told to.
    let daemon = Daemon::start(&place, &namespace);
    daemon.says("silent/list: the file system has still not answered an earlier attempt");
    let begun = Instant::now();
    daemon.stop();
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    drop(silent);
}
