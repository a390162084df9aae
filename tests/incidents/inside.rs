//! This program once more, inside a namespace of a test: a small server there, or whoever calls it.
//!
//! ```text
//! serve ADDRESS FILE     HTTP: whatever is asked for, it is the file as it is then
//! cut ADDRESS FILE       the same, and the connection ends before the whole file has come
//! tls ADDRESS FILE NAME  the same over TLS, with the certificate NAME beside the file
//! dns ADDRESS FILE       DNS over UDP: whatever name is asked for, its addresses are those of the file
//! connect ADDRESS        TCP: connected, and silent
//! ```

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::namespace::Namespace;
use crate::support::tls;

/// The argument that makes this program a helper.
pub const INSIDE: &str = "--inside";

/// A helper at work; it ends with this, or with its stdin.
pub struct Helper {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Helper {
    /// Start it, and wait until it is ready.
    #[track_caller]
    pub fn start(namespace: &Namespace, words: &[&str]) -> Self {
        let mut command = namespace.this_program();
        command.arg(INSIDE).args(words);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut helper = Self { child, said };
        assert_eq!(helper.line(), "ready", "{words:?}");
        helper
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn main(words: &[String]) -> ExitCode {
    in_the_namespace_made_for_it();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["serve", address, file] => serve(address, |stream| answer(stream, file, 0)),
        ["cut", address, file] => serve(address, |stream| answer(stream, file, 100)),
        ["tls", address, file, name] => {
            let dir = Path::new(file).parent().unwrap();
            let config = Arc::new(tls::server(dir, name));
            serve(address, |stream| {
                let tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
                answer(StreamOwned::new(tls, stream), file, 0)
            })
        }
        ["dns", address, file] => dns(address, file),
        ["connect", address] => connect(address),
        _ => panic!("{words:?}: no helper of this name"),
    };
    done.unwrap();
    ExitCode::SUCCESS
}

fn serve(address: &str, one: impl Fn(TcpStream) -> io::Result<()> + Send + Sync) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("ready");
    let one = &one;
    thread::scope(|scope| {
        scope.spawn(end_with_stdin);
        for stream in listener.incoming().flatten() {
            scope.spawn(move || one(stream));
        }
    });
    Ok(())
}

fn end_with_stdin() {
    let _ = io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0)
}

/// The file, announced longer than it is by so many bytes.
fn answer(mut stream: impl Read + Write, file: &str, lacking: usize) -> io::Result<()> {
    let mut head = BufReader::new(&mut stream).lines();
    while head
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let body = fs::read_to_string(file)?;
    let length = body.len() + lacking;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    stream.flush()
}

/// RFC 1035, section 4.1: the question comes back with the addresses, each in 16 bytes.
fn dns(address: &str, file: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    println!("ready");
    thread::spawn(end_with_stdin);
    let mut query = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut query)?;
        // The name is labels up to an empty one; type and class follow.
        let mut end = 12;
        while end < length && query[end] != 0 {
            end += 1 + usize::from(query[end]);
        }
        let question = &query[12..(end + 5).min(length)];
        let is_v4 = question.ends_with(&[0, 1, 0, 1]);
        let addresses = match is_v4 {
            true => fs::read_to_string(file)?,
            false => String::new(),
        };
        let addresses: Vec<Ipv4Addr> = addresses
            .lines()
            .map(|line| line.parse().unwrap())
            .collect();
        // An answer, with recursion; one question, and so many answers.
        let mut said = [
            &query[..2],
            &[0x81, 0x80, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0],
        ]
        .concat();
        said.extend(question);
        for ip in addresses {
            // The name of the question, A, IN, for no time.
            said.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
            said.extend(ip.octets());
        }
        socket.send_to(&said, from)?;
    }
}

fn connect(address: &str) -> io::Result<()> {
    let patience = Duration::from_secs(3);
    let _stream = TcpStream::connect_timeout(&address.parse().unwrap(), patience)?;
    println!("ready");
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
