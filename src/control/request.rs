//! The requests: their paths and bodies, and which form the answer has. Pure.
//!
//! `GET /why?query=192.0.2.1` shows something, `POST /add` with a JSON body changes something. A
//! path is the name of a verb, its parameters are the verb's arguments.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::form_urlencoded::{Serializer, parse};

use crate::policy::objection::Objection;

/// A request that shows something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `why`
    Why {
        /// An address or a prefix.
        query: String,
    },
    /// `status`
    Status,
    /// `list`
    List {
        /// `--format`; without it JSON.
        format: Option<String>,
        /// `--count`
        count: bool,
    },
    /// `history`
    History(History),
}

/// The arguments of `history`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct History {
    /// Everything that ever touched this address or prefix, in any written form, or this origin AS
    #[arg(value_name = "ADDRESS|PREFIX|AS64500")]
    pub item: Option<String>,
    /// What the second generation has and the first had not, and the other way round; 0 is the time
    /// before the first
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["item", "generation"])]
    pub diff: Option<Vec<u64>>,
    /// The set that was in force with this generation
    #[arg(long, value_name = "N", conflicts_with = "item")]
    pub generation: Option<u64>,
    /// The whole log book, not only its newest entries
    #[arg(long, conflicts_with_all = ["item", "diff", "generation"])]
    pub all: bool,
}

/// A request that changes something. The names are those of the verbs and of the paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// `add`
    Add(Entry),
    /// `remove`
    Remove(End),
    /// `allow`
    Allow(Entry),
    /// `disallow`
    Disallow(End),
    /// `approve`
    Approve(Review),
    /// `reject`
    Reject(Review),
    /// `pin`
    Pin(Pin),
    /// `unpin`
    Unpin(Unpin),
    /// `refresh`
    Refresh(Refresh),
}

/// An entry of the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// A prefix or an address, such as 72.37.186/23, or an origin AS, such as AS64500
    pub prefix: String,
    /// Why: shown by why, list and history
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Expire after this long, such as 2h or 7d [default: never]
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    #[serde(rename = "for", default)]
    pub time: Option<String>,
    /// What speaks against it and was confirmed.
    #[arg(skip)]
    #[serde(default)]
    pub confirmed: Vec<Objection>,
}

/// A span of time as it is passed on.
fn span(text: &str) -> Result<String, humantime::DurationError> {
    let span = humantime::parse_duration(text)?;
    Ok(humantime::format_duration(span).to_string())
}

/// The end of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// The prefix, as it was entered
    pub prefix: String,
}

/// The answer to a held change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The ID of the held change, as plan and status show it
    pub id: String,
    /// Why: shown by history
    #[arg(long, value_name = "TEXT")]
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Pin {
    /// The generation to go back to, as history shows it; without it the one in force
    pub generation: Option<u64>,
    /// Why: shown by history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// The end of a pin or a flush.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Unpin {}

/// One pass over the feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Refresh {
    /// Look at this feed only
    #[arg(long, value_name = "NAME")]
    pub feed: Option<String>,
    /// Look at no feed: use the last good copies
    #[arg(long, conflicts_with = "feed")]
    pub offline: bool,
    /// Download whole bodies, also where the copy at hand may still be the current one
    #[arg(long, conflicts_with = "offline")]
    pub force: bool,
    /// Ignore the publisher's minimum interval (you may be blocked for it)
    #[arg(long, conflicts_with = "offline")]
    pub ignore_floor: bool,
}

/// Why a request is none of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bad {
    /// No such path.
    Path,
    /// The path exists, and is for the other method.
    Method,
    /// A parameter or the body is wrong.
    Content(String),
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => write!(
                f,
                "no such path; GET /{}, POST /{}",
                QUESTIONS.join(" /"),
                CHANGES.join(" /")
            ),
            Self::Method => f.write_str("GET shows something, POST changes something"),
            Self::Content(why) => f.write_str(why),
        }
    }
}

const QUESTIONS: [&str; 4] = ["why", "status", "list", "history"];
const CHANGES: [&str; 9] = [
    "add", "remove", "allow", "disallow", "approve", "reject", "pin", "unpin", "refresh",
];

/// Which verb a path names, and whether it changes something.
///
/// # Errors
/// There is no such path, or it is for the other method.
pub fn route<'p>(method: &str, path: &'p str) -> Result<(&'p str, bool), Bad> {
    let verb = path.strip_prefix('/').unwrap_or_default();
    match (method, QUESTIONS.contains(&verb), CHANGES.contains(&verb)) {
        ("GET", true, _) => Ok((verb, false)),
        ("POST", _, true) => Ok((verb, true)),
        (_, false, false) => Err(Bad::Path),
        _ => Err(Bad::Method),
    }
}

impl Question {
    /// What a path and its parameters ask for.
    ///
    /// # Errors
    /// A parameter is unknown, missing or wrong.
    pub fn read(verb: &str, parameters: &str) -> Result<Self, Bad> {
        let mut given = Parameters::of(parameters);
        let question = match verb {
            "why" => {
                let missing =
                    || Bad::Content("query: an address or a prefix is missing".to_owned());
                let query = given.take("query").ok_or_else(missing)?;
                Self::Why { query }
            }
            "status" => Self::Status,
            "list" => Self::List {
                format: given.take("format"),
                count: given.flag("count")?,
            },
            "history" => {
                let (from, to) = (given.number("from")?, given.number("to")?);
                Self::History(History {
                    item: given.take("prefix"),
                    diff: from.zip(to).map(|(from, to)| vec![from, to]),
                    generation: given.number("generation")?,
                    all: given.flag("all")?,
                })
            }
            _ => return Err(Bad::Path),
        };
        given.end()?;
        Ok(question)
    }

    /// The path with its parameters.
    pub fn target(&self) -> String {
        let mut given = Serializer::new(String::new());
        let verb = match self {
            Self::Why { query } => {
                given.append_pair("query", query);
                "why"
            }
            Self::Status => "status",
            Self::List { format, count } => {
                if let Some(format) = format {
                    given.append_pair("format", format);
                }
                if *count {
                    given.append_pair("count", "true");
                }
                "list"
            }
            Self::History(History {
                item,
                diff,
                generation,
                all,
            }) => {
                if let Some(item) = item {
                    given.append_pair("prefix", item);
                }
                if let Some([from, to]) = diff.as_deref() {
                    given.append_pair("from", &from.to_string());
                    given.append_pair("to", &to.to_string());
                }
                if let Some(number) = generation {
                    given.append_pair("generation", &number.to_string());
                }
                if *all {
                    given.append_pair("all", "true");
                }
                "history"
            }
        };
        match given.finish().as_str() {
            "" => format!("/{verb}"),
            given => format!("/{verb}?{given}"),
        }
    }
}

impl Change {
    /// What a path and its body ask for.
    ///
    /// # Errors
    /// The body is no JSON, or not that of the verb.
    pub fn read(verb: &str, body: &[u8]) -> Result<Self, Bad> {
        let wrong = |error: serde_json::Error| Bad::Content(format!("body: {error}"));
        let body: serde_json::Value = match body {
            [] => serde_json::json!({}),
            body => serde_json::from_slice(body).map_err(wrong)?,
        };
        let tagged = serde_json::Map::from_iter([(verb.to_owned(), body)]);
        serde_json::from_value(tagged.into()).map_err(wrong)
    }

    /// The verb and the JSON of its body.
    pub fn written(&self) -> (String, String) {
        let written = serde_json::to_value(self).unwrap_or_default();
        let parts = written.as_object().and_then(|parts| parts.iter().next());
        parts.map_or_else(Default::default, |(verb, body)| {
            (verb.clone(), body.to_string())
        })
    }

    /// Whether it waits for downloads, so that it cannot be done while a pass is under way.
    pub fn is_long(&self) -> bool {
        matches!(self, Self::Refresh(_))
    }
}

/// The parameters of a path.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(text: &str) -> Self {
        Self(parse(text.as_bytes()).into_owned().collect())
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn flag(&mut self, name: &str) -> Result<bool, Bad> {
        match self.take(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("" | "true") => Ok(true),
            Some(_) => Err(Bad::Content(format!("{name}: true or false"))),
        }
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>, Bad> {
        let number = self.take(name).map(|text| text.parse());
        let number = number.transpose();
        number.map_err(|_| Bad::Content(format!("{name}: a whole number")))
    }

    fn end(self) -> Result<(), Bad> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(Bad::Content(format!("{name}: no such parameter here"))),
        }
    }
}

/// Which form an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFormat {
    /// The JSON of the verb, and nothing else.
    Json,
    /// For the command line: each piece of output as a JSON line, as it comes
    /// ([`super::OutputPiece`]).
    Lines(View),
}

/// What a verb shows on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// `--json`
    pub json: bool,
}

impl ReplyFormat {
    const LINES: &str = "application/jsonl";

    /// As `Accept` asks for.
    pub fn read(accept: &str) -> Self {
        let mut words = accept.split(';').map(str::trim);
        if words.next() != Some(Self::LINES) {
            return Self::Json;
        }
        let mut view = View::default();
        for word in words {
            view.json |= word == "view=json";
        }
        Self::Lines(view)
    }

    /// The `Accept` of the command line.
    pub fn written(view: View) -> String {
        let lines = Self::LINES;
        match view.json {
            true => format!("{lines}; view=json"),
            false => lines.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_verb_and_the_method_says_what_it_does() {
        assert_eq!(route("GET", "/why"), Ok(("why", false)));
        assert_eq!(route("POST", "/add"), Ok(("add", true)));
        assert_eq!(route("GET", "/add"), Err(Bad::Method));
        assert_eq!(route("POST", "/status"), Err(Bad::Method));
        assert_eq!(route("DELETE", "/add"), Err(Bad::Method));
        for path in ["/", "", "why", "/flush", "/why/", "//why", "/../why"] {
            assert_eq!(route("GET", path), Err(Bad::Path), "{path}");
        }
        assert_eq!(
            Bad::Path.to_string(),
            "no such path; GET /why /status /list /history, POST /add /remove /allow /disallow \
             /approve /reject /pin /unpin /refresh"
        );
    }

    #[test]
    fn a_question_is_read_as_it_was_written() {
        let questions = [
            Question::Why {
                query: "2001:db8::/32 &x=%".to_owned(),
            },
            Question::Status,
            Question::List {
                format: Some("csv".to_owned()),
                count: true,
            },
            Question::History(History {
                item: Some("192.0.2.0/24".to_owned()),
                diff: Some(vec![1, 2]),
                generation: Some(3),
                all: true,
            }),
        ];
        for question in questions {
            let target = question.target();
            let (path, parameters) = target.split_once('?').unwrap_or((&target, ""));
            let (verb, changes) = route("GET", path).unwrap();
            assert!(!changes);
            assert_eq!(Question::read(verb, parameters), Ok(question));
        }
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let wrong = |verb, parameters| Question::read(verb, parameters).unwrap_err().to_string();
        assert_eq!(wrong("why", ""), "query: an address or a prefix is missing");
        assert_eq!(wrong("why", "query=1&x=2"), "x: no such parameter here");
        assert_eq!(wrong("list", "count=7"), "count: true or false");
        assert_eq!(
            wrong("history", "generation=-1"),
            "generation: a whole number"
        );
    }

    #[test]
    fn a_change_is_read_as_it_was_written() {
        let entry = Entry {
            prefix: "192.0.2.0/24".to_owned(),
            reason: "t".to_owned(),
            time: Some("2h".to_owned()),
            confirmed: vec![Objection::Short {
                prefix: "192.0.0.0/7".parse().unwrap(),
                limit: 8,
            }],
        };
        let changes = [
            Change::Add(entry.clone()),
            Change::Allow(entry),
            Change::Remove(End::default()),
            Change::Disallow(End::default()),
            Change::Approve(Review::default()),
            Change::Reject(Review::default()),
            Change::Pin(Pin::default()),
            Change::Unpin(Unpin {}),
            Change::Refresh(Refresh::default()),
        ];
        let mut verbs = Vec::new();
        for change in changes {
            let (verb, body) = change.written();
            assert_eq!(Change::read(&verb, body.as_bytes()), Ok(change));
            verbs.push(verb);
        }
        verbs.sort();
        let mut all = CHANGES;
        all.sort_unstable();
        assert_eq!(verbs, all);
    }

    #[test]
    fn a_wrong_body_is_named_and_what_may_be_left_out_may_be() {
        let read = |verb, body: &str| Change::read(verb, body.as_bytes());
        assert_eq!(read("unpin", ""), Ok(Change::Unpin(Unpin {})));
        assert_eq!(read("pin", "{}"), Ok(Change::Pin(Pin::default())));
        let wrong = |verb, body| read(verb, body).unwrap_err().to_string();
        assert_eq!(wrong("add", "{}"), "body: missing field `prefix`");
        assert!(wrong("unpin", "{\"x\": 1}").starts_with("body: unknown field `x`"));
        assert!(wrong("add", "no").starts_with("body: expected"));
    }

    #[test]
    fn the_command_line_gets_lines_and_everybody_else_json() {
        for accept in ["", "*/*", "application/json", "text/html; q=1"] {
            assert_eq!(ReplyFormat::read(accept), ReplyFormat::Json);
        }
        for json in [false, true] {
            let view = View { json };
            assert_eq!(
                ReplyFormat::read(&ReplyFormat::written(view)),
                ReplyFormat::Lines(view)
            );
        }
    }
}
