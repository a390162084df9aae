//! Juniper Junos, `set` commands: what they say is in [`junos`].
//!
//! By Juniper's documentation; no such router took these files here:
//! * `load set` goes on behind a command that is refused, and says how many were: then nothing is to be committed.
//! * A command names several attributes of a route behind each other: `discard tag 666` is one line.
//! * The group is deleted and said anew in the candidate; what is committed is the difference alone. The first time it
//!   finds nothing to delete, and warns.
//! * There is no comment on a line, so the listings are in the form with braces alone.

use super::family::Kind;
use super::junos;
use super::junos_statements::{Form, Statements};
use super::{Role, Shape, Sheet};

pub(super) const KIND: Kind = Kind {
    name: "junos-set",
    next_hops: &[Role::Trigger],
    render,
    ..Kind::ROUTER
};

fn render(shape: &Shape, sheet: &Sheet) -> String {
    let mut file = Statements::new(Form::Set, 6_000 + sheet.set.len() * 95);
    file.out.push(&junos::head("#", LOAD, shape.role, sheet));
    file.out.push("delete groups ");
    file.out.push(junos::name(shape.role));
    file.out.push("\n");
    file.within("groups", |file| junos::group(file, shape, sheet));
    file.out.done()
}

const LOAD: &str = "\
Load:   configure exclusive
        load set /var/tmp/THIS-FILE                     (where it says that there were errors: rollback 0)
        show | compare
        commit confirmed 5
        commit                                          (within these minutes, when all is well)
";
