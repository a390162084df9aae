//! A feed over a real socket: its last good copy is in force, then something else comes.

use crate::support::fed::Fed;
use crate::support::http::{Answer, Server};
use crate::support::{Place, Ran};

/// Wherever the tests run, nothing of the machine's own network is cut out of their lists.
pub const ALONE: &str = "[protect]\ndiscover = []\n";

/// A feed over HTTP with a good copy in force.
pub struct Incident {
    pub server: Server,
    pub place: Place,
    pub in_force: Vec<String>,
}

impl Incident {
    /// A feed with these keys, which has delivered this copy.
    pub fn after(keys: &str, good: Answer) -> Self {
        Self::with(keys, "", good)
    }

    /// The same with more than the feed in the configuration.
    pub fn with(keys: &str, more: &str, good: Answer) -> Self {
        let more = format!(
            "[fetch]\ntimeout = \"2s\"\nfirst_byte_timeout = \"1s\"\nmax_bytes = 2_000_000\n\
             {ALONE}{more}"
        );
        let Fed { server, place } = Fed::with(keys, &more, good);
        let mut incident = Self {
            server,
            place,
            in_force: Vec::new(),
        };
        incident.in_force = incident.listed();
        assert!(!incident.in_force.is_empty(), "nothing is in force");
        incident
    }

    pub fn listed(&self) -> Vec<String> {
        let ran = self.place.run(&["list"]).code(0);
        ran.lines().into_iter().map(str::to_owned).collect()
    }

    /// What really came. Answers what the operator reads.
    pub fn then(&self, answer: Answer) -> Ran {
        self.server.answer(answer);
        self.place.run(&["refresh"])
    }

    /// It changes nothing, is named, and shows in the status.
    #[track_caller]
    pub fn survives(&self, answer: Answer, state: &str, cause: &str) {
        let ran = self.then(answer).code(0);
        let line = format!("feed=partner  {state}: {cause}");
        assert!(
            ran.err.contains(&line),
            "expected {line:?} in:\n{}",
            ran.err
        );
        assert_eq!(self.listed(), self.in_force, "what was in force stays");
        let status = self.place.run(&["status", "--json"]).code(0).json();
        assert_eq!(status["feeds"][0]["state"], state);
    }

    #[track_caller]
    pub fn survives_body(&self, body: &str, state: &str, cause: &str) {
        self.survives(Answer::Body(body.to_owned()), state, cause);
    }
}

/// A plain list of `count` networks that do not join.
pub fn plain(count: u32) -> String {
    (0..count)
        .map(|i| format!("72.37.{}.0/24\n", 2 * i))
        .collect()
}

/// The same as Spamhaus text, generated at this hour of a day.
pub fn drop_text(count: u32, hour: u32) -> String {
    let entries: String = (0..count)
        .map(|i| format!("72.37.{}.0/24 ; SBL{i}\n", 2 * i))
        .collect();
    format!(
        "; Spamhaus DROP List\n; Expires: Thu, 06 Aug 2026 {hour:02}:00:00 GMT\n{entries}; EOF\n"
    )
}

/// The same as Spamhaus JSON.
pub fn drop_json(count: u32) -> String {
    let records: String = (0..count)
        .map(|i| {
            format!(
                "{{\"cidr\":\"72.37.{}.0/24\",\"sblid\":\"SBL{i}\",\"rir\":\"arin\"}}\n",
                2 * i
            )
        })
        .collect();
    let size = records.len();
    format!(
        "{records}{{\"type\":\"metadata\",\"timestamp\":1790000000,\"size\":{size},\"records\":{count}}}\n"
    )
}
