//! This program once more, inside a namespace of a test: a small server there, or whoever calls it.
//!
//! ```text
//! serve ADDRESS FILE     HTTP: whatever is asked for, it is the file as it is then
//! listen ADDRESS         TCP: every line comes back
//! connect ADDRESS        TCP: lines of stdin go there, what comes back is printed
//! ```

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::namespace::Namespace;

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

    /// Hand it a line, and read what it has to say about it.
    pub fn ask(&mut self, line: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        self.line()
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
        ["serve", address, file] => serve(address, |stream| answer(stream, file)),
        ["listen", address] => serve(address, echo),
        ["connect", address] => connect(address),
        _ => panic!("{words:?}: no helper of this name"),
    };
    done.unwrap();
    ExitCode::SUCCESS
}

fn serve(address: &str, one: impl Fn(TcpStream) -> io::Result<()> + Send + Copy) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("ready");
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(0)
        });
        for stream in listener.incoming().flatten() {
            scope.spawn(move || one(stream));
        }
    });
    Ok(())
}

fn answer(mut stream: TcpStream, file: &str) -> io::Result<()> {
    let mut head = BufReader::new(stream.try_clone()?).lines();
    while head
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let body = fs::read_to_string(file)?;
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut from = stream.try_clone()?;
    io::copy(&mut from, &mut stream).map(drop)
}

fn connect(address: &str) -> io::Result<()> {
    let patience = Duration::from_secs(3);
    let mut stream = TcpStream::connect_timeout(&address.parse().unwrap(), patience)?;
    stream.set_read_timeout(Some(patience))?;
    println!("ready");
    let mut back = BufReader::new(stream.try_clone()?);
    for line in io::stdin().lines() {
        writeln!(stream, "{}", line?)?;
        let mut said = String::new();
        match back.read_line(&mut said) {
            Ok(_) => println!("{}", said.trim_end()),
            Err(error) => println!("nothing came back: {error}"),
        }
    }
    Ok(())
}
