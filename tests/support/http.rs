//! A server on loopback that does to a client what real servers have done.

use std::io::{self, Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How the next requests are answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with this body.
    Body(String),
    /// 200 with these bytes.
    Bytes(Vec<u8>),
    /// 200 with this body and an `ETag`; 304 when it is named.
    Tagged(String, String),
    /// 200 with this body and a `Last-Modified`; 304 when it is named.
    Dated(String, String),
    /// Another status, with this body.
    Status(&'static str, String),
    /// Another status, with this `Retry-After`.
    Later(&'static str, String),
    Redirect(String),
    /// One answer for a path, another for all the rest.
    At(&'static str, Box<Answer>, Box<Answer>),
    /// A body that is announced longer than it is.
    Short(String),
    /// A body without length that ends with the connection.
    Open(String),
    /// A body in one chunk, with the last chunk (RFC 9112, section 7.1) or without.
    Chunked(String, bool),
    /// A body with a pause in the middle.
    Pause(String, Duration),
    /// One byte now and then, for ever.
    Drip,
    /// The request is read and nothing is said.
    Silence,
    /// The head and some of the body, and then a reset of the connection.
    Reset(String),
    /// What a proxy does: a tunnel to this port of ours, whatever was asked for.
    Tunnel(u16),
}

/// The server; it ends with the test process.
pub struct Server {
    pub port: u16,
    answer: Arc<Mutex<Answer>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(answer: Answer) -> Self {
        Self::with(answer, None)
    }

    /// The same over TLS.
    pub fn tls(answer: Answer, config: ServerConfig) -> Self {
        Self::with(answer, Some(Arc::new(config)))
    }

    fn with(answer: Answer, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            answer: Arc::new(Mutex::new(answer)),
            requests: Arc::default(),
        };
        let (answer, requests) = (server.answer.clone(), server.requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, requests) = (answer.clone(), requests.clone());
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    None => serve(&stream, &stream, &answer, &requests),
                    Some(tls) => {
                        let tls = ServerConnection::new(tls).unwrap();
                        let below = stream.try_clone()?;
                        let mut stream = StreamOwned::new(tls, stream);
                        serve(&mut stream, &below, &answer, &requests)?;
                        stream.conn.send_close_notify();
                        stream.flush()
                    }
                });
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/list.txt", self.port)
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The requests so far, whole heads.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// `below` is the connection that carries the stream.
fn serve(
    mut stream: impl Read + Write,
    below: &TcpStream,
    answer: &Mutex<Answer>,
    requests: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(char::from(byte[0]));
    }
    requests.lock().unwrap().push(head.clone());
    let mut answer = answer.lock().unwrap().clone();
    while let Answer::At(path, here, elsewhere) = answer {
        let asked = head.split(' ').nth(1) == Some(path);
        answer = if asked { *here } else { *elsewhere };
    }
    let whole = |status: &str, more: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
        )
    };
    let text = match answer {
        Answer::Body(body) => whole("200 OK", "", &body),
        Answer::Bytes(body) => {
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:";
            write!(stream, "{head} {}\r\n\r\n", body.len())?;
            return stream.write_all(&body);
        }
        Answer::Tagged(body, tag) if !head.contains(&format!("if-none-match: {tag}")) => {
            whole("200 OK", &format!("ETag: {tag}\r\n"), &body)
        }
        Answer::Tagged(_, tag) => {
            format!("HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\nConnection: close\r\n\r\n")
        }
        Answer::Dated(body, date) if !head.contains(&format!("if-modified-since: {date}")) => {
            whole("200 OK", &format!("Last-Modified: {date}\r\n"), &body)
        }
        Answer::Dated(..) => "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_owned(),
        Answer::Status(status, body) => whole(status, "", &body),
        Answer::Later(status, wait) => whole(status, &format!("Retry-After: {wait}\r\n"), ""),
        Answer::Redirect(to) => whole("302 Found", &format!("Location: {to}\r\n"), ""),
        Answer::At(..) => unreachable!("chosen above"),
        Answer::Short(body) => {
            let length = body.len() + 100;
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
        }
        Answer::Open(body) => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}"),
        Answer::Chunked(body, is_whole) => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
            let last = if is_whole { "0\r\n\r\n" } else { "" };
            format!("{head}{:x}\r\n{body}\r\n{last}", body.len())
        }
        Answer::Pause(body, pause) => {
            let text = whole("200 OK", "", &body);
            let (first, rest) = text.split_at(text.len() - body.len() / 2);
            stream.write_all(first.as_bytes())?;
            stream.flush()?;
            sleep(pause);
            rest.to_owned()
        }
        Answer::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")?;
            for _ in 0..600 {
                stream.write_all(b"#")?;
                sleep(Duration::from_millis(100));
            }
            return Ok(());
        }
        Answer::Silence => {
            sleep(Duration::from_secs(60));
            return Ok(());
        }
        Answer::Reset(body) => {
            let text = whole("200 OK", "", &body);
            stream.write_all(&text.as_bytes()[..text.len() - body.len() / 2])?;
            stream.flush()?;
            // Closed without a wait for what was not sent, it is a reset (socket(7)).
            let at_once = nix::libc::linger {
                l_onoff: 1,
                l_linger: 0,
            };
            return Ok(setsockopt(below, sockopt::Linger, &at_once)?);
        }
        Answer::Tunnel(port) => {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            return tunnel(below, &TcpStream::connect(("127.0.0.1", port))?);
        }
    };
    stream.write_all(text.as_bytes())
}

/// Carry bytes both ways until both ends have had enough.
fn tunnel(one: &TcpStream, other: &TcpStream) -> io::Result<()> {
    let carry = |mut from: &TcpStream, mut to: &TcpStream| {
        let _ = copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    thread::scope(|scope| {
        scope.spawn(|| carry(one, other));
        carry(other, one);
    });
    Ok(())
}
