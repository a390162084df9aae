use std::os::unix::fs::symlink;

use super::*;

struct Ground {
    dir: tempfile::TempDir,
    run: RunDir,
    state: PathBuf,
}

fn ground() -> Ground {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    Ground {
        run: RunDir::at(dir.path().join("run")),
        state,
        dir,
    }
}

fn flush() -> Flush {
    Flush {
        at: Timestamp(1_790_000_000),
        by: "alice".to_owned(),
        reason: String::new(),
    }
}

fn mark(table: u32, protocol: u8) -> Mark {
    Mark {
        table,
        protocol,
        ..Mark::default()
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_flush_is_there_until_it_is_ended_and_its_first_time_is_kept() {
    let Ground { run, state, .. } = &ground();
    assert_eq!(run.flush(state), None);
    run.end_flush(state).unwrap();
    run.set_flushed(state, &flush()).unwrap();
    let again = Flush {
        at: Timestamp(1_790_000_009),
        by: String::new(),
        reason: String::new(),
    };
    run.set_flushed(state, &again).unwrap();
    assert_eq!(run.flush(state), Some(flush()));
    let file = run.file(state, FLUSHED);
    assert_eq!((mode(&run.path), mode(&file)), (0o700, 0o600));
    run.end_flush(state).unwrap();
    assert!(!run.is_flushed(state));
}

#[test]
fn a_flush_is_of_one_state_directory() {
    let Ground { run, state, dir } = &ground();
    run.set_flushed(state, &flush()).unwrap();
    assert!(!run.is_flushed(&dir.path().join("other")));
    assert!(run.is_flushed(&state.join("")), "the same with a slash");
}

#[test]
fn a_marker_without_content_is_one() {
    let Ground { run, state, .. } = &ground();
    run.set_flushed(state, &flush()).unwrap();
    fs::write(run.file(state, FLUSHED), "").unwrap();
    let flush = run.flush(state).unwrap();
    assert_eq!(flush.by, "");
    assert!(flush.at.age(Timestamp::now()).as_secs() < 60, "{flush:?}");
}

#[test]
fn what_others_may_write_is_not_believed() {
    let Ground { run, state, dir } = &ground();
    run.set_flushed(state, &flush()).unwrap();
    run.remember_marks(state, &[mark(100, 77)]).unwrap();
    let file = run.file(state, FLUSHED);
    let permit = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o620, 0o602, 0o666] {
        permit(&file, mode);
        assert!(!run.is_flushed(state), "{mode:o}");
    }
    permit(&file, 0o600);
    assert!(run.is_flushed(state));
    permit(&run.path, 0o770);
    assert!(!run.is_flushed(state));
    assert_eq!(run.marks(state), []);
    assert_eq!(run.instances(state), []);
    let why = run.remember_marks(state, &[mark(100, 78)]).unwrap_err();
    let expected = format!(
        "{} is not used: others may write it (mode 0770)",
        run.path.display()
    );
    assert_eq!(why.to_string(), expected);
    permit(&run.path, 0o700);
    let real = dir.path().join("real");
    fs::rename(&file, &real).unwrap();
    symlink(&real, &file).unwrap();
    assert!(!run.is_flushed(state), "a symbolic link");
    run.end_flush(state).unwrap();
    assert!(real.exists());
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&run.path, &elsewhere).unwrap();
    symlink(&elsewhere, &run.path).unwrap();
    assert_eq!(run.marks(state), [], "a directory by a symbolic link");
}

#[test]
fn what_belongs_to_another_user_is_not_believed() {
    if !Uid::effective().is_root() {
        return;
    }
    let Ground { run, state, .. } = &ground();
    run.set_flushed(state, &flush()).unwrap();
    let file = run.file(state, FLUSHED);
    lchown(&file, Some(4_711), None).unwrap();
    assert!(!run.is_flushed(state));
    // The owner of the state directory is believed.
    lchown(state, Some(4_711), None).unwrap();
    assert!(run.is_flushed(state));
    lchown(state, Some(0), None).unwrap();
    lchown(&file, Some(0), None).unwrap();
    lchown(&run.path, Some(4_711), None).unwrap();
    assert!(!run.is_flushed(state));
}

#[test]
fn root_hands_it_over_to_the_owner_of_the_state_directory() {
    if !Uid::effective().is_root() {
        return;
    }
    let Ground { run, state, .. } = &ground();
    run.remember_marks(state, &[mark(254, 166)]).unwrap();
    lchown(state, Some(4_711), Some(4_712)).unwrap();
    run.set_flushed(state, &flush()).unwrap();
    for path in [
        run.path.clone(),
        run.file(state, MARKS),
        run.file(state, FLUSHED),
    ] {
        let at = fs::symlink_metadata(&path).unwrap();
        assert_eq!((at.uid(), at.gid()), (4_711, 4_712), "{}", path.display());
    }
    assert!(run.is_flushed(state));
}

#[test]
fn marks_are_remembered_with_the_instance_and_its_network() {
    let Ground { run, state, dir } = &ground();
    let marks = [mark(254, 166), mark(100, 77)];
    run.remember_marks(state, &marks).unwrap();
    assert_eq!(run.marks(state), marks);
    let file = run.file(state, MARKS);
    let written = fs::metadata(&file).unwrap().ino();
    run.remember_marks(state, &marks).unwrap();
    let again = fs::metadata(&file).unwrap().ino();
    assert_eq!(again, written, "nothing was written again");
    let other = dir.path().join("other");
    run.remember_marks(&other, &[mark(101, 78)]).unwrap();
    let mut here = run.instances(state);
    here.sort_by_key(|instance| instance.marks.len());
    let of = |state_dir: &Path, marks: &[Mark]| Instance {
        state_dir: state_dir.to_owned(),
        marks: marks.to_vec(),
    };
    assert_eq!(here, [of(&other, &[mark(101, 78)]), of(state, &marks)]);
    // Of another network namespace.
    let text = fs::read_to_string(&file).unwrap();
    let ours = format!("\"namespace\":{}", namespace().unwrap());
    assert!(text.contains(&ours), "{text}");
    fs::write(&file, text.replace(&ours, "\"namespace\":1")).unwrap();
    assert_eq!(run.instances(state), [of(&other, &[mark(101, 78)])]);
}

#[test]
fn a_mark_of_another_program_is_none_of_ours() {
    let Ground { run, state, .. } = &ground();
    let bird = mark(254, 12);
    run.remember_marks(state, &[bird, mark(254, 166)]).unwrap();
    assert_eq!(run.marks(state), [mark(254, 166)]);
}

#[test]
fn without_the_directory_nothing_is_known_and_nothing_fails_but_writing() {
    let Ground { state, dir, .. } = &ground();
    let run = RunDir::at(dir.path().join("missing/run"));
    assert!(!run.is_flushed(state));
    assert_eq!(run.marks(state), []);
    assert_eq!(run.instances(state), []);
    assert!(run.set_flushed(state, &flush()).is_err());
    run.end_flush(state).unwrap();
}
