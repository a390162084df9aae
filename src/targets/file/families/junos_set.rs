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
use crate::targets::file::parts::junos_statements::{Form, Statements};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Role};

pub const KIND: Kind = Kind {
    name: "junos-set",
    next_hops: &[Role::Trigger],
    render,
    ..Kind::ROUTER
};

fn render(options: &FileOptions, input: &FileInput) -> String {
    let mut group = Statements::new(Form::Set, 6_000 + input.set().len() * 95);
    group.within("groups", |file| junos::group(file, options, input));
    let group = group.out.done();
    let (first, name) = (group.lines().next(), junos::name(options.role));
    let mut out = Text::with_room(4_000 + group.len());
    out.push(&junos::head("#", LOAD, options, input));
    // What is deleted is there, also the first time.
    for line in first.into_iter().chain([&*format!("delete groups {name}")]) {
        out.push(line);
        out.push("\n");
    }
    out.push(&group);
    out.done()
}

const LOAD: &str = "\
Load:   configure exclusive
        load set /var/tmp/THIS-FILE                     (where it says that there were errors: rollback 0)
        show | compare
        commit confirmed 5
        commit                                          (within these minutes, when all is well)
";
