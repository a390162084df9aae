//! The client: a verb asks the daemon, and prints what it answers (I/O).

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::request::ReplyFormat;
use super::server::{TAKE, monotonic};
use super::{CONFIG, Change, INSTANCE, OutputPiece, Question, UNTIL, View, WHO};
use crate::config::{Config, fingerprint};
use crate::policy::objection::Objection;
use crate::run_dir::{self, RunDir};
use crate::shown;

/// Longest wait for the beginning of an answer: what a busy daemon needs to say so, and a moment.
const PATIENCE: Duration = TAKE.saturating_add(Duration::from_millis(500));
/// Longest refusal that is read, in bytes.
const REFUSAL: usize = 64 << 10;

/// What a verb wants.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// To be shown something.
    Question(&'a Question),
    /// To change something, with the name for the log book.
    Change(&'a Change, &'a str),
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// The daemon did it, and the verb ends so.
    Done(u8),
    /// This speaks against an entry and has to be confirmed; nothing was changed.
    Objections(Vec<Objection>),
    /// The verb does it itself; the line, if there is one, is for the operator.
    Alone(Option<String>),
    /// The daemon does not permit it.
    Forbidden(String),
    /// The daemon began to work on it and its answer did not come to its end.
    BrokenOff,
}

/// Ask the daemon of this configuration, if there is one. Each piece of its output is given to
/// `print`.
pub async fn ask(
    config: &Config,
    wanted: Wanted<'_>,
    view: View,
    print: &mut dyn FnMut(OutputPiece),
) -> Asked {
    let answer = match connect(config).await {
        Ok(Some(stream)) => timeout(PATIENCE, send(config, wanted, view, stream)).await,
        Ok(None) => return Asked::Alone(None),
        Err(why) => return Asked::Alone(Some(why)),
    };
    // One that does not answer, that has gone, or that speaks another language.
    let Ok(Ok(answer)) = answer else {
        return Asked::Alone(None);
    };
    match answer.status() {
        StatusCode::OK => listen(answer.into_body(), print).await,
        StatusCode::FORBIDDEN => match refusal(answer.into_body()).await {
            Some(why) => Asked::Forbidden(why),
            None => Asked::Alone(None),
        },
        _ => Asked::Alone(None),
    }
}

/// The socket of the daemon; `None` where none answers.
async fn connect(config: &Config) -> Result<Option<UnixStream>, String> {
    let state_dir = &config.state_dir;
    let run_dir = RunDir::here();
    let connected = match run_dir.believed_control(state_dir) {
        Ok(Some(path)) => UnixStream::connect(&path).await,
        Ok(None) => return Ok(None),
        Err(error) => Err(error),
    };
    let why = match connected {
        Ok(stream) => return Ok(Some(stream)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // Without a group this is no news.
            let Some(group) = &config.daemon.group else {
                return Ok(None);
            };
            format!(
                "Permission denied: it is open to root, to the user of the daemon and to the members \
                 of group {group}"
            )
        }
        Err(error) if error.kind() == io::ErrorKind::Other => error.to_string(),
        Err(_) => return Ok(None),
    };
    let path = run_dir.control(state_dir);
    let path = shown::path(&path);
    Err(format!(
        "{path} is not used: {why}; this verb does its work itself"
    ))
}

type Sent = Result<Response<Incoming>, Box<dyn std::error::Error>>;

async fn send(config: &Config, wanted: Wanted<'_>, view: View, stream: UnixStream) -> Sent {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the runtime of the verb.
    tokio::spawn(connection);
    let mut request = match wanted {
        Wanted::Question(question) => Request::get(question.target()).body(Full::default())?,
        Wanted::Change(change, who) => {
            let (verb, body) = change.written();
            let until = monotonic() + TAKE.as_millis() as u64;
            let body = Full::new(Bytes::from(body));
            let mut request = Request::post(format!("/{verb}")).body(body)?;
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(WHO, HeaderValue::from_bytes(who.as_bytes())?);
            headers.insert(UNTIL, HeaderValue::from(until));
            request
        }
    };
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("nullrouted"));
    headers.insert(ACCEPT, HeaderValue::from_str(&ReplyFormat::written(view))?);
    headers.insert(CONFIG, HeaderValue::from_str(&fingerprint(config))?);
    let instance = run_dir::instance(&config.state_dir);
    let instance = instance.ok_or("the state directory cannot be seen")?;
    headers.insert(INSTANCE, HeaderValue::from_str(&instance)?);
    Ok(sender.send_request(request).await?)
}

/// Read the pieces until the last.
async fn listen(mut body: Incoming, print: &mut dyn FnMut(OutputPiece)) -> Asked {
    let mut rest: Vec<u8> = Vec::new();
    let mut objections = None;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        rest.extend_from_slice(&data);
        while let Some(end) = memchr::memchr(b'\n', &rest) {
            let said = serde_json::from_slice(&rest[..end]);
            rest.drain(..=end);
            match said {
                Ok(OutputPiece::Exit(code)) => {
                    return objections.map_or(Asked::Done(code), Asked::Objections);
                }
                Ok(OutputPiece::Alone) => return Asked::Alone(None),
                Ok(OutputPiece::Objections(against)) => objections = Some(against),
                Ok(said) => print(said),
                Err(_) => return Asked::BrokenOff,
            }
        }
    }
    Asked::BrokenOff
}

async fn refusal(body: Incoming) -> Option<String> {
    let body: Bytes = Limited::new(body, REFUSAL).collect().await.ok()?.to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).ok()?;
    Some(shown::line(body.get("error")?.as_str()?).into_owned())
}
