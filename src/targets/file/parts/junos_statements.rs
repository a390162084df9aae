//! The statements of a Junos configuration, in either of its forms.

use crate::prefix::{Bits, Prefix};
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::text::Text;

/// How they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `within { statement; }`
    Braces,
    /// `set within statement`
    Set,
}

/// Statements, one after the other.
pub struct Statements {
    /// What is written so far.
    pub out: Text,
    form: Form,
    /// Within what the next one is.
    path: Vec<String>,
}

impl Statements {
    /// None, with room for so many bytes.
    pub fn new(form: Form, bytes: usize) -> Self {
        Self {
            out: Text::with_room(bytes),
            form,
            path: Vec::new(),
        }
    }

    pub fn say(&mut self, statement: &str) {
        self.out.push(&self.begin());
        self.out.push(statement);
        self.out.push(match self.form {
            Form::Braces => ";\n",
            Form::Set => "\n",
        });
    }

    /// Those within another.
    pub fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        if self.form == Form::Braces {
            let line = format!("{}{name} {{\n", self.begin());
            self.out.push(&line);
        }
        self.path.push(name.to_owned());
        inside(self);
        self.path.pop();
        if self.form == Form::Braces {
            let line = format!("{}}}\n", self.begin());
            self.out.push(&line);
        }
    }

    /// How the lines of prefixes within `name` are written, each with these attributes.
    pub fn line(&self, name: &str, before: &'static str, attributes: &[&str]) -> Line {
        let (begin, after) = match (self.form, attributes) {
            (Form::Braces, []) => (format!("    {}", self.begin()), ";\n".to_owned()),
            (Form::Braces, _) => (
                format!("    {}", self.begin()),
                format!(" {{ {}; }}\n", attributes.join("; ")),
            ),
            (Form::Set, []) => (format!("{}{name} ", self.begin()), "\n".to_owned()),
            (Form::Set, _) => (
                format!("{}{name} ", self.begin()),
                format!(" {}\n", attributes.join(" ")),
            ),
        };
        Line {
            form: self.form,
            begin,
            before,
            after,
        }
    }

    fn begin(&self) -> String {
        match self.form {
            Form::Braces => "    ".repeat(self.path.len()),
            Form::Set => ["set", &self.path.join(" "), ""].join(" "),
        }
    }
}

/// How the line of a prefix is written.
pub struct Line {
    form: Form,
    begin: String,
    before: &'static str,
    after: String,
}

impl Line {
    /// One, with its listings before it where the form has room for them.
    pub fn write<B: Bits>(&self, out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
        out.push(&self.begin);
        if self.form == Form::Braces && !reason.is_empty() {
            out.push("/* ");
            out.reason(reason);
            out.push(" */ ");
        }
        out.push(self.before);
        out.prefix(prefix);
        out.push(&self.after);
    }
}
