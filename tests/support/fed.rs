//! A feed over HTTP that has delivered one good copy, with no kernel among the targets.

use super::http::{Answer, Server};
use super::{NO_KERNEL, Place, Ran};

pub struct Fed {
    pub server: Server,
    pub place: Place,
}

impl Fed {
    /// A feed `partner` with these keys.
    pub fn new(keys: &str, list: &str) -> Self {
        Self::with(keys, "", Answer::Body(list.to_owned()))
    }

    /// The same with more than the feed in the configuration.
    pub fn with(keys: &str, more: &str, good: Answer) -> Self {
        let server = Server::new(good);
        let place = Place::new(&format!(
            "[[feed]]\nname = \"partner\"\nurl = \"{}\"\n{keys}\n{NO_KERNEL}{more}",
            server.url()
        ));
        place.run(&["refresh"]).code(0).says("feed=partner  ");
        Self { server, place }
    }

    /// The next pass, with this answer.
    pub fn answered(&self, answer: Answer) -> Ran {
        self.server.answer(answer);
        self.place.run(&["refresh"])
    }

    pub fn sent(&self, list: &str) -> Ran {
        self.answered(Answer::Body(list.to_owned()))
    }

    /// What is in force.
    pub fn list(&self) -> Vec<String> {
        let ran = self.place.run(&["list"]).code(0);
        ran.lines().into_iter().map(str::to_owned).collect()
    }

    pub fn listed(&self) -> usize {
        self.list().len()
    }

    pub fn state(&self) -> String {
        let status = self.place.run(&["status", "--json"]).json();
        status["feeds"][0]["state"].as_str().unwrap().to_owned()
    }
}
