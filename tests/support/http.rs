//! A server on loopback that does to a client what real servers have done.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::Duration;

/// How the next requests are answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with this body.
    Body(String),
    /// 200 with this body and an `ETag`; 304 when it is named.
    Tagged(String, String),
    /// 200 with this body and a `Last-Modified`; 304 when it is named.
    Dated(String, String),
    /// Another status, with this body.
    Status(&'static str, String),
    /// A redirect to there.
    Redirect(String),
    /// A body that is announced longer than it is.
    Short(String),
    /// A body without length that ends with the connection.
    Open(String),
    /// One byte now and then, for ever.
    Drip,
    /// The request is read and nothing is said.
    Silence,
}

/// The server; it ends with the test process.
pub struct Server {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(answer: Answer) -> Self {
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
                thread::spawn(move || {
                    let _ = serve(stream, &answer, &requests);
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

fn serve(
    mut stream: TcpStream,
    answer: &Mutex<Answer>,
    requests: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    requests.lock().unwrap().push(head.clone());
    let answer = answer.lock().unwrap().clone();
    let whole = |status: &str, more: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
        )
    };
    let text = match answer {
        Answer::Body(body) => whole("200 OK", "", &body),
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
        Answer::Redirect(to) => whole("302 Found", &format!("Location: {to}\r\n"), ""),
        Answer::Short(body) => {
            let length = body.len() + 100;
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
        }
        Answer::Open(body) => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}"),
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
    };
    stream.write_all(text.as_bytes())
}
