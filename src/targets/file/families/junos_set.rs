//! Juniper Junos, `set` commands: what they say is in [`junos`].
//!
//! By Juniper's documentation; no such router took these files here:
//! * `load set` goes on behind a command that is refused, and says how many were: then nothing is
//!   to be committed.
//! * A command names several attributes of a route behind each other: `discard tag 666` is one
//!   line.
//! * The group is deleted and written again in the candidate; what is committed is the difference
//!   alone. A `delete` that finds nothing is a warning at the command line, and an error to PyEZ,
//!   Ansible and NAPALM: so the first statement stands before it once more.
//! * There is no comment on a line, so the listings are in the form with braces alone.

use crate::targets::file::families::junos;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::statements::{self, Form, Statements};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions};

pub const KIND: Kind = Kind {
    name: "junos-set",
    room: 95,
    mark: "#",
    words: |options, _| junos::words(options, include_str!("../texts/junos-set-load.txt")),
    trigger: (junos::KIND.trigger.0, write),
    edge: (junos::KIND.edge.0, write),
    filter: (junos::KIND.filter.0, write),
    ..junos::KIND
};

fn write(out: &mut Text, options: &FileOptions, input: &FileInput) {
    let mut group = Text::with_room(input.set().len() * KIND.room);
    Statements::new(Form::Set, &mut group)
        .within("groups", |file| junos::group(file, options, input));
    let group = group.done();
    // What is deleted is there, also the first time.
    if let Some(first) = group.lines().next() {
        out.push(first);
    }
    let name = statements::group(options.role);
    out.push(&format!("\ndelete groups {name}\n"));
    out.push(&group);
}
