//! The little network of the demonstration: two namespaces, one wire, two web sites at the far end.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Stdio;
use std::time::Duration;

use futures_util::TryStreamExt;
use rtnetlink::{Handle, LinkUnspec, LinkVeth, RouteMessageBuilder};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{NEIGHBOUR, SHOP, namespace};

const NEAR: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 2);
const WIRE_LEN: u8 = 30;
const PATIENCE: Duration = Duration::from_secs(5);

/// The far host; it ends when this is dropped.
#[derive(Debug)]
pub struct Far {
    _child: Child,
}

/// Bring up our own loopback. The first thing that needs rights in the namespace, so this is where
/// a machine that gives namespaces without rights is noticed.
pub async fn loopback_up() -> Result<(), String> {
    let handle = open()?;
    let lo = index_of(&handle, "lo").await?;
    up(&handle, lo)
        .await
        .map_err(|_| namespace::forbidden(nix::errno::Errno::EPERM))
}

/// Start the far host in a namespace of its own and connect it by a pair of veth interfaces.
pub async fn far_host() -> Result<Far, String> {
    let program = std::env::current_exe().map_err(|error| format!("no path to myself: {error}"))?;
    let mut child = Command::new(program)
        .args(["demo", "--far"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the far host did not start: {error}"))?;
    let (Some(mut stdin), Some(stdout), Some(pid)) =
        (child.stdin.take(), child.stdout.take(), child.id())
    else {
        return Err("the far host has no pipes".to_owned());
    };
    let mut said = BufReader::new(stdout).lines();
    expect(&mut said, "namespace").await?;

    let handle = open()?;
    let pair = LinkVeth::new("wire", "far").build();
    let what = "a pair of veth interfaces (the kernel module may be missing)";
    handle
        .link()
        .add(pair)
        .execute()
        .await
        .map_err(|error| failed(what, &error))?;
    let peer = index_of(&handle, "far").await?;
    let moved = LinkUnspec::new_with_index(peer).setns_by_pid(pid).build();
    handle
        .link()
        .set(moved)
        .execute()
        .await
        .map_err(|error| failed("moving the far end", &error))?;
    let wire = index_of(&handle, "wire").await?;
    address(&handle, wire, NEAR, WIRE_LEN).await?;
    up(&handle, wire).await?;

    stdin
        .write_all(b"wired\n")
        .await
        .map_err(|error| format!("the far host: {error}"))?;
    expect(&mut said, "ready").await?;
    default_route(&handle, FAR).await?;
    // The child ends with its stdin.
    child.stdin = Some(stdin);
    Ok(Far { _child: child })
}

/// To the one who waits for us: without it there is nothing to do.
fn tell(word: &str) {
    let _ = writeln!(std::io::stdout(), "{word}");
}

/// The far host itself: wait for the wire, take the addresses, serve the sites until told to end.
pub async fn serve_far() -> Result<(), String> {
    tell("namespace");
    let mut told = BufReader::new(tokio::io::stdin()).lines();
    if !matches!(told.next_line().await, Ok(Some(line)) if line == "wired") {
        return Ok(());
    }
    let handle = open()?;
    let (lo, wire) = (
        index_of(&handle, "lo").await?,
        index_of(&handle, "far").await?,
    );
    for site in [SHOP, NEIGHBOUR] {
        let site = site.parse().map_err(|error| format!("{site}: {error}"))?;
        address(&handle, lo, site, 32).await?;
    }
    address(&handle, wire, FAR, WIRE_LEN).await?;
    up(&handle, lo).await?;
    up(&handle, wire).await?;
    let listener = TcpListener::bind(("0.0.0.0", 80))
        .await
        .map_err(|error| format!("port 80: {error}"))?;
    tell("ready");
    loop {
        tokio::select! {
            _ = told.next_line() => return Ok(()),
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(page(stream));
                }
            }
        }
    }
}

/// The page of the address that was asked for.
async fn page(mut stream: TcpStream) {
    let shop = stream
        .local_addr()
        .is_ok_and(|local| local.ip().to_string() == SHOP);
    let title = if shop {
        "Cheap pills, no questions"
    } else {
        "Bakery Example, since 1921"
    };
    let _ = stream.write_all(title.as_bytes()).await;
    let _ = stream.shutdown().await;
}

impl Far {
    /// Open a connection to port 80 of `address`: whether it answered, and how it went in words.
    pub async fn ask(&self, address: &str) -> (bool, String) {
        match timeout(PATIENCE, read_page(address)).await {
            Err(_) => (false, "no answer".to_owned()),
            Ok(Ok(title)) => (true, format!("answers: {title:?}")),
            // EINVAL: what the kernel says to a local packet whose route is a blackhole.
            Ok(Err(error)) if error.raw_os_error() == Some(nix::libc::EINVAL) => (
                false,
                "refused by the kernel: its route is a blackhole (EINVAL)".to_owned(),
            ),
            Ok(Err(error)) => (false, format!("no answer: {error}")),
        }
    }
}

async fn read_page(address: &str) -> std::io::Result<String> {
    let mut page = String::new();
    TcpStream::connect((address, 80))
        .await?
        .read_to_string(&mut page)
        .await?;
    Ok(page)
}

async fn expect(
    said: &mut tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    word: &str,
) -> Result<(), String> {
    match timeout(PATIENCE, said.next_line()).await {
        Ok(Ok(Some(line))) if line == word => Ok(()),
        other => Err(format!("the far host did not say {word:?} ({other:?})")),
    }
}

fn open() -> Result<Handle, String> {
    let (connection, handle, _) =
        rtnetlink::new_connection().map_err(|error| format!("no netlink socket: {error}"))?;
    tokio::spawn(connection);
    Ok(handle)
}

async fn index_of(handle: &Handle, name: &str) -> Result<u32, String> {
    let mut found = Box::pin(handle.link().get().match_name(name.to_owned()).execute());
    match found.try_next().await {
        Ok(Some(link)) => Ok(link.header.index),
        Ok(None) => Err(format!("no interface {name}")),
        Err(error) => Err(failed(name, &error)),
    }
}

async fn up(handle: &Handle, index: u32) -> Result<(), String> {
    let set = handle
        .link()
        .set(LinkUnspec::new_with_index(index).up().build());
    set.execute()
        .await
        .map_err(|error| failed("bringing an interface up", &error))
}

async fn address(handle: &Handle, index: u32, address: Ipv4Addr, len: u8) -> Result<(), String> {
    let add = handle.address().add(index, IpAddr::V4(address), len);
    add.execute()
        .await
        .map_err(|error| failed("setting an address", &error))
}

async fn default_route(handle: &Handle, gateway: Ipv4Addr) -> Result<(), String> {
    let route = RouteMessageBuilder::<Ipv4Addr>::new()
        .gateway(gateway)
        .build();
    handle
        .route()
        .add(route)
        .execute()
        .await
        .map_err(|error| failed("the default route", &error))
}

fn failed(what: &str, error: &rtnetlink::Error) -> String {
    format!("{what}: {error}")
}
