//! The statements of a configuration that is a tree: Junos in either of its forms, and Nokia's
//! MD-CLI.

use crate::prefix::{Bits, Prefix};
use crate::targets::file::Role;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::text::Text;

/// How they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `within { statement; }`
    Braces,
    /// `set within statement`
    Set,
    /// The same as the first, but a line ends a statement.
    MdCli,
}

/// Statements, one after the other.
pub struct Statements<'a> {
    pub out: &'a mut Text,
    form: Form,
    /// Within what the next one is.
    path: Vec<String>,
}

impl<'a> Statements<'a> {
    pub fn new(form: Form, out: &'a mut Text) -> Self {
        let path = Vec::new();
        Self { out, form, path }
    }

    pub fn say(&mut self, statement: &str) {
        self.begin();
        self.out.push(statement);
        self.out.push(match self.form {
            Form::Braces => ";\n",
            Form::Set | Form::MdCli => "\n",
        });
    }

    /// Those within another.
    pub fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.brace(name, " {\n");
        self.path.push(name.to_owned());
        inside(self);
        self.path.pop();
        self.brace("", "}\n");
    }

    fn brace(&mut self, name: &str, brace: &str) {
        if self.form != Form::Set {
            self.begin();
            self.out.push(name);
            self.out.push(brace);
        }
    }

    /// How the lines of prefixes within `name` are written, each with these attributes.
    pub fn line(&self, name: &str, before: &'static str, attributes: &[&str]) -> Line {
        let begin = match self.form {
            Form::Set => format!("{}{name} ", self.beginning()),
            Form::Braces | Form::MdCli => format!("    {}", self.beginning()),
        };
        let after = match (self.form, attributes) {
            (Form::Braces, []) => ";\n".to_owned(),
            (Form::Braces, _) => format!(" {{ {}; }}\n", attributes.join("; ")),
            (Form::Set | Form::MdCli, []) => "\n".to_owned(),
            (Form::Set | Form::MdCli, _) => format!(" {}\n", attributes.join(" ")),
        };
        Line {
            form: self.form,
            begin,
            before,
            after,
        }
    }

    /// What stands before a statement.
    pub fn begin(&mut self) {
        let begin = self.beginning();
        self.out.push(&begin);
    }

    fn beginning(&self) -> String {
        match self.form {
            Form::Set => ["set", &self.path.join(" "), ""].join(" "),
            Form::Braces | Form::MdCli => "    ".repeat(self.path.len()),
        }
    }
}

/// The configuration group that has all of ours in a role.
pub fn group(role: Role) -> &'static str {
    match role {
        Role::Trigger => "NULLROUTED",
        Role::Edge => "NULLROUTED-EDGE",
        Role::Filter => "NULLROUTED-FILTER",
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
