//! `demo`: the real program on the real kernel, in namespaces of its own that are gone afterwards.
//!
//! ```text
//!   router namespace (this process)                    far namespace (a child)
//!  ┌────────────────────────────────────┐             ┌───────────────────────────────┐
//!  │ feeds on 127.0.0.1 (feeds)         │   veth      │ a shop on 72.37.186.1,        │
//!  │ nullrouted refresh, plan, why, …   ├─────────────┤ an honest site on 72.37.188.1 │
//!  └────────────────────────────────────┘ 100.64.0/30 └───────────────────────────────┘
//! ```
//!
//! Every step runs the program as an operator would and shows what it prints. The feeds are ours:
//! documentation prefixes and the network of the story, in the publishers' formats.

mod feeds;
mod namespace;
mod network;

use std::fmt::Display;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anstyle::{AnsiColor, Style};
use tokio::process::Command;

use super::{Exit, Outcome, Stop, block_on};
use crate::netlink::family::AddressFamily;
use crate::run_dir;
use crate::targets::kernel::{DumpFilter, Mark, read};
use feeds::{Feeds, Published};
use network::Far;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Show all steps at once, also on a terminal
    #[arg(long)]
    no_pause: bool,
    /// Be the far host of the demonstration
    #[arg(long, hide = true)]
    far: bool,
}

const TITLE: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
const COMMAND: Style = Style::new().bold();

/// The network of the story, and its neighbour, who is honest.
const SHOP: &str = "72.37.186.1";
const NEIGHBOUR: &str = "72.37.188.1";

pub(super) fn run(arguments: &Arguments) -> Outcome {
    if arguments.far {
        namespace::enter_network().map_err(Stop::failed)?;
        return block_on(network::serve_far())?
            .map(|()| Exit::Done)
            .map_err(Stop::failed);
    }
    // Before any thread is started: a user namespace is entered by a whole process or not at all.
    namespace::enter().map_err(Stop::failed)?;
    let folder = Folder::new().map_err(Stop::failed)?;
    let pauses = !arguments.no_pause && stdin().is_terminal() && stdout().is_terminal();
    block_on(tell(&folder.0, pauses))?
        .map(|()| Exit::Done)
        .map_err(Stop::failed)
}

/// The state of the demonstration: gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("nullrouted-demo-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn tell(folder: &Path, pauses: bool) -> Result<(), String> {
    let title = |number, text: &str| title(number, text, pauses);
    network::loopback_up().await?;
    let far = network::far_host().await?;
    let feeds = Feeds::serve(Published::first()).await?;
    let demo = Demo {
        folder,
        config: write_config(folder, feeds.port())?,
    };
    show(
        "This is a network namespace of its own: your routes are not touched, and it is gone at the end.",
    );

    title(
        1,
        "The traffic before: a spammer's shop in 72.37.186.0/23, and his honest neighbour",
    );
    far.visit(SHOP).await;
    far.visit(NEIGHBOUR).await;

    title(
        2,
        "The configuration: two lists in Spamhaus's format over HTTP, one of your own",
    );
    let text = std::fs::read_to_string(&demo.config).unwrap_or_default();
    show(text.trim_end());

    title(
        3,
        "One pass: feeds fetched, duplicates joined, protected space cut out, routes installed",
    );
    demo.nullrouted(&["refresh"]).await?;

    title(4, "The plan is empty now: what should be there is there");
    demo.nullrouted(&["plan"]).await?;

    title(5, "The routes in the kernel, as `ip route` prints them");
    show_routes().await?;

    title(
        6,
        "A packet to the shop is refused by the kernel; the neighbour is not touched",
    );
    let died = far.visit(SHOP).await;
    let lives = far.visit(NEIGHBOUR).await;
    if died || !lives {
        return Err("the kernel did not do what its routes say; please report this".to_owned());
    }

    title(7, "Why? Every cause, not the first one found");
    demo.nullrouted(&["why", "72.37.187.9"]).await?;
    demo.nullrouted(&["why", "203.0.113.70"]).await?;

    title(8, "The file for an FRR router");
    demo.nullrouted(&["render", "edge1"]).await?;

    title(
        9,
        "The publisher delists the shop. Your own list still has it: a prefix goes with its last reason",
    );
    feeds.publish(Published::delisted());
    demo.nullrouted(&["refresh"]).await?;
    far.visit(SHOP).await;

    title(10, "You delist it too, and traffic passes again");
    write(folder, "noc.list", feeds::NOC_LIST_DELISTED)?;
    demo.nullrouted(&["refresh"]).await?;
    let back = far.visit(SHOP).await;
    demo.nullrouted(&["why", "72.37.187.9"]).await?;
    if !back {
        return Err("the delisted network is still dropped; please report this".to_owned());
    }

    title(
        11,
        "Five networks at once are more than max_added_count: the change is held until you approve it",
    );
    feeds.publish(Published::grown());
    demo.held(&["refresh"]).await?;
    demo.held(&["plan"]).await?;
    let id = demo.held_id().await?;
    demo.nullrouted(&["approve", &id, "--reason", "asked the publisher"])
        .await?;

    title(
        12,
        "The brake: everything withdrawn, and it stays so until `nullrouted unpin`",
    );
    demo.nullrouted(&["flush"]).await?;
    show_routes().await?;
    demo.nullrouted(&["status"]).await?;
    show("\nThe namespace is gone now, and every route with it.");
    show(NEXT);
    Ok(())
}

const NEXT: &str = "\
Next, on the router (README, \"Install\"):
  sudo nullrouted init      writes a configuration with comments
  sudo nullrouted check     finds what is wrong with it
  sudo nullrouted plan      shows what would change
  sudo nullrouted refresh   fetches, decides and installs; undo: sudo nullrouted flush";

/// The next step. On a terminal it waits for the reader.
fn title(number: usize, text: &str, pauses: bool) {
    if pauses && number > 1 {
        let _ = write!(stdout(), "\nEnter: the next step ");
        let _ = stdout().flush();
        let _ = stdin().read_line(&mut String::new());
    }
    show(format_args!("\n{TITLE}{number}. {text}{TITLE:#}"));
}

/// Print it in its colours, where there are any. Without a reader the demonstration goes on.
fn show(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

struct Demo<'a> {
    folder: &'a Path,
    config: PathBuf,
}

impl Demo<'_> {
    /// Run this very program with these words, its output going where ours goes.
    async fn nullrouted(&self, words: &[&str]) -> Result<(), String> {
        self.ends_with(words, Exit::Done).await
    }

    /// The same where a change is held.
    async fn held(&self, words: &[&str]) -> Result<(), String> {
        self.ends_with(words, Exit::Held).await
    }

    async fn ends_with(&self, words: &[&str], exit: Exit) -> Result<(), String> {
        // What a word has blanks in is one word.
        let quoted = words.iter().map(|word| match word.contains(' ') {
            true => format!("\"{word}\""),
            false => (*word).to_owned(),
        });
        let line = quoted.collect::<Vec<_>>().join(" ");
        show(format_args!("{COMMAND}$ nullrouted {line}{COMMAND:#}"));
        // One stream, so that messages and results keep their order.
        let talk = stdout().as_fd().try_clone_to_owned();
        let talk = talk.map_err(|error| format!("stdout: {error}"))?;
        let status = self.command(words)?.stderr(talk).status().await;
        let status: ExitStatus = status.map_err(|error| format!("nullrouted {line}: {error}"))?;
        if status.code() == Some(exit.code().into()) {
            return Ok(());
        }
        Err(format!("nullrouted {line} ended with {status}"))
    }

    /// The ID of the change that waits.
    async fn held_id(&self) -> Result<String, String> {
        let words = ["plan", "--json"];
        let ran = self.command(&words)?.output().await;
        let ran = ran.map_err(|error| format!("nullrouted plan --json: {error}"))?;
        let plan: serde_json::Value = serde_json::from_slice(&ran.stdout)
            .map_err(|error| format!("nullrouted plan --json: {error}"))?;
        Ok(plan["id"].as_str().unwrap_or_default().to_owned())
    }

    fn command(&self, words: &[&str]) -> Result<Command, String> {
        let program =
            std::env::current_exe().map_err(|error| format!("no path to myself: {error}"))?;
        let mut command = Command::new(program);
        command
            .arg("--config")
            .arg(&self.config)
            .args(words)
            .current_dir(self.folder)
            // The feeds are on loopback: a proxy of the caller's has no part in this.
            .env("NO_PROXY", "*")
            .env(run_dir::VARIABLE, self.folder.join("run"))
            // A step is short.
            .env_remove("PAGER")
            .stdin(Stdio::null());
        Ok(command)
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    let written = std::fs::write(&path, text);
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn write_config(folder: &Path, port: u16) -> Result<PathBuf, String> {
    write(folder, "noc.list", feeds::NOC_LIST)?;
    let text = format!(
        r#"state_dir = "state"

[[feed]]
name   = "drop-v4"
url    = "http://127.0.0.1:{port}/drop_v4.json"
format = "spamhaus-json"
max_added_count = 3               # more new networks at once wait for you

[[feed]]
name   = "drop-v6"
url    = "http://127.0.0.1:{port}/dropv6.txt"
format = "spamhaus-text"

[[feed]]
name = "noc"
path = "noc.list"

[protect]
prefixes = ["203.0.113.64/26"]    # a customer of ours, in the middle of a listed network

[[router]]
name   = "edge1"
family = "frr"
path   = "edge1.conf"
"#
    );
    write(folder, "nullrouted.toml", &text)
}

/// Our routes in the kernel, read again.
async fn show_routes() -> Result<(), String> {
    let mut lines = lines_of::<u32>().await?;
    lines.extend(lines_of::<u128>().await?);
    if lines.is_empty() {
        show("(none)");
    }
    lines.iter().for_each(show);
    Ok(())
}

async fn lines_of<B: AddressFamily>() -> Result<Vec<String>, String> {
    let routes = read::<B>(&Mark::default(), DumpFilter::Ours).await;
    let routes = routes.map_err(|fault| fault.to_string())?.routes;
    Ok(routes.iter().map(ToString::to_string).collect())
}

impl Far {
    /// Try to open a page at an address and tell how it went; true when it answered.
    async fn visit(&self, address: &str) -> bool {
        let (answered, story) = self.ask(address).await;
        show(format_args!("  http://{address}/  {story}"));
        answered
    }
}
