//! The answers of the server: a refusal, lines as they come, or the JSON of a verb.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::Notify;

use super::output::Pieces;
use super::{EXIT, OutputPiece};
use crate::plan::sentences;

type Body = UnsyncBoxBody<Bytes, Infallible>;
pub(super) type Answer = Response<Body>;

pub(super) fn refusal(status: StatusCode, why: &str) -> Answer {
    let mut body = serde_json::json!({ "error": why }).to_string();
    body.push('\n');
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    answer
}

fn whole(body: String) -> Body {
    Full::new(Bytes::from(body)).boxed_unsync()
}

/// Each piece as it comes, a JSON value a line.
pub(super) fn lines(
    (first, pieces): (Option<OutputPiece>, Pieces),
    answered: Arc<Notify>,
) -> Answer {
    let next = |(first, mut pieces, answered): (Option<OutputPiece>, Pieces, Arc<Notify>)| async move {
        let said = match first {
            Some(first) => Some(first),
            None => pieces.next().await,
        };
        let Some(said) = said else {
            answered.notify_one();
            return None;
        };
        let line = serde_json::to_vec(&said).map_err(io::Error::from);
        let mut line = line.unwrap_or_default();
        line.push(b'\n');
        let frame = Ok::<_, Infallible>(Frame::data(Bytes::from(line)));
        Some((frame, (None, pieces, answered)))
    };
    let body = StreamBody::new(stream::unfold((first, pieces, answered), next));
    let mut answer = Response::new(body.boxed_unsync());
    let kind = HeaderValue::from_static("application/jsonl");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// All of it, as the JSON of the verb.
pub(super) async fn json((first, mut pieces): (Option<OutputPiece>, Pieces)) -> Answer {
    let (mut out, mut err, mut exit) = (String::new(), Vec::new(), None);
    let mut said = first;
    while let Some(piece) = said {
        match piece {
            OutputPiece::Out(text) => out.push_str(&text),
            OutputPiece::Err(line) => err.push(line),
            OutputPiece::Objections(against) => err.extend(sentences(&against)),
            OutputPiece::Exit(code) => exit = Some(code),
            OutputPiece::Taken | OutputPiece::Alone => {}
        }
        said = pieces.next().await;
    }
    let mut answer = match (out.is_empty(), exit) {
        (false, Some(_)) => Response::new(whole(out)),
        (_, exit) => {
            let status = match exit {
                Some(0) => StatusCode::OK,
                Some(64) => StatusCode::BAD_REQUEST,
                Some(_) => StatusCode::CONFLICT,
                None => StatusCode::INTERNAL_SERVER_ERROR,
            };
            refusal(status, &err.join("\n"))
        }
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(exit) = exit {
        headers.insert(EXIT, HeaderValue::from(u16::from(exit)));
    }
    answer
}
