//! Tests of the judgement, for single steps and for random histories.

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
const NOW: i64 = 1_796_000_000;

fn reading(wall: i64, up: u64, boot: &str) -> Reading {
    Reading {
        wall: Timestamp(wall),
        up: Duration::from_secs(up),
        boot: boot.to_owned(),
    }
}

/// Judge these readings one after the other, and return the results.
fn history(readings: &[(i64, u64, &str)]) -> Vec<(ClockState, ClockVerdict)> {
    let mut last: Option<ClockState> = None;
    let judged = readings.iter().map(|(wall, up, boot)| {
        let (seen, turn) = evaluate(last.as_ref(), reading(*wall, *up, boot));
        last = Some(seen.clone());
        (seen, turn)
    });
    judged.collect()
}

fn times(readings: &[(i64, u64, &str)]) -> Vec<i64> {
    let times = history(readings).into_iter();
    times.map(|(seen, _)| seen.time.0 - NOW).collect()
}

fn turns(readings: &[(i64, u64, &str)]) -> Vec<ClockVerdict> {
    history(readings)
        .into_iter()
        .map(|(_, turn)| turn)
        .collect()
}

#[test]
fn a_clock_that_jumps_ten_years_is_doubted_and_the_time_goes_on() {
    let jump = [
        (NOW, 100, "a"),
        (NOW + 10 * YEAR, 160, "a"),
        (NOW + 10 * YEAR + 60, 220, "a"),
        (NOW + 180, 280, "a"),
    ];
    assert_eq!(times(&jump), [0, 61, 121, 180]);
    assert_eq!(
        turns(&jump),
        [
            ClockVerdict::Believed,
            ClockVerdict::Doubted,
            ClockVerdict::StillDoubted,
            ClockVerdict::RightAgain
        ]
    );
    let seen = &history(&jump)[1].0;
    assert_eq!(
        seen.to_string(),
        "the clock says 2036-11-27T12:53:20Z, 3649d 23h ahead of what the last pass and the uptime \
         explain; was the machine off? Until the clock says 2036-11-28T12:53:20Z the time is taken to be \
         2026-11-30T00:54:20Z, and nothing expires or is forgotten by the new one; if it is wrong, set it \
         (timedatectl)"
            .replace("2036-11-27T12:53:20Z", &seen.reading.wall.to_string())
            .replace("2036-11-28T12:53:20Z", &seen.believed_at().unwrap().to_string())
            .replace("2026-11-30T00:54:20Z", &seen.time.to_string())
    );
}

#[test]
fn what_the_uptime_explains_is_no_jump_however_long_no_pass_was_made() {
    let week = [(NOW, 100, "a"), (NOW + 7 * DAY, 100 + 7 * DAY as u64, "a")];
    assert_eq!(
        turns(&week),
        [ClockVerdict::Believed, ClockVerdict::Believed]
    );
    assert_eq!(times(&week), [0, 7 * DAY]);
}

#[test]
fn a_machine_that_was_off_for_a_week_waits_a_day() {
    let off = [
        (NOW, 100, "a"),
        (NOW + 7 * DAY, 20, "b"),
        (NOW + 7 * DAY + DAY - 1, 20 + DAY as u64 - 1, "b"),
        (NOW + 8 * DAY, 20 + DAY as u64, "b"),
    ];
    assert_eq!(times(&off), [0, 1, DAY, 8 * DAY]);
    let doubt = Doubt {
        wall: Timestamp(NOW + 7 * DAY),
        time: Timestamp(NOW + 1),
    };
    assert_eq!(
        turns(&off)[1..],
        [
            ClockVerdict::Doubted,
            ClockVerdict::StillDoubted,
            ClockVerdict::Accepted(doubt, 7 * DAY - 1)
        ]
    );
    assert_eq!(
        turns(&[(NOW, 1, "a"), (NOW + DAY, 1, "b")])[1],
        ClockVerdict::Believed
    );
}

#[test]
fn passes_of_a_timer_see_the_day_pass_without_an_uptime() {
    // Each reading is from another start of the machine, or one where the uptime cannot be read.
    let readings = [0, 12, 25].map(|hours| (NOW + 10 * YEAR + hours * 3_600, 0, "b"));
    let all = [&[(NOW, 9, "a")][..], &readings].concat();
    assert_eq!(times(&all)[..3], [0, 1, 12 * 3_600 + 1]);
    assert!(matches!(turns(&all)[3], ClockVerdict::Accepted(_, by) if by == 10 * YEAR - 1));
}

#[test]
fn a_machine_that_is_off_most_of_the_time_is_believed_at_its_next_start() {
    let starts = [
        (NOW, 100, "a"),
        (NOW + 9 * DAY, 5, "b"),
        (NOW + 18 * DAY, 5, "c"),
    ];
    assert!(matches!(turns(&starts)[2], ClockVerdict::Accepted(..)));
    let broken = [
        (NOW, 100, "a"),
        (NOW + YEAR, 105, "a"),
        (NOW + 3 * YEAR, 110, "a"),
    ];
    assert_eq!(
        turns(&broken)[2],
        ClockVerdict::Doubted,
        "a clock that jumps about"
    );
}

#[test]
fn a_jump_during_a_doubt_begins_the_day_again_and_keeps_the_first_time() {
    let all = [
        (NOW, 0, "a"),
        (NOW + YEAR, 60, "a"),
        (NOW + 2 * YEAR, 120, "a"),
        (NOW + 2 * YEAR + DAY - 1, 119 + DAY as u64, "a"),
        (NOW + 2 * YEAR + DAY, 120 + DAY as u64, "a"),
    ];
    let judged = history(&all);
    assert_eq!(judged[2].1, ClockVerdict::Doubted);
    assert_eq!(judged[3].1, ClockVerdict::StillDoubted);
    let ClockVerdict::Accepted(doubt, by) = judged[4].1 else {
        panic!("{:?}", judged[4]);
    };
    assert_eq!((doubt.time, by), (Timestamp(NOW + 61), 2 * YEAR - 122));
}

#[test]
fn a_clock_that_was_reset_is_doubted_as_well() {
    // A board without a battery starts in 1970, and is set right a minute later.
    let board = [
        (NOW, 500, "a"),
        (10, 10, "b"),
        (70, 70, "b"),
        (NOW + 300, 130, "b"),
    ];
    assert_eq!(times(&board), [0, 1, 61, 300]);
    assert_eq!(turns(&board)[3], ClockVerdict::RightAgain);
    let (seen, _) = &history(&board)[1];
    assert!(
        seen.to_string().contains("behind what the last pass"),
        "{seen}"
    );
}

proptest! {
    /// Whatever a clock says, a pass never runs more than a day ahead of what is explained, before
    /// the clock has been consistent for a day.
    #[test]
    fn no_history_runs_ahead_before_a_day_is_over(
        steps in prop::collection::vec((-20_i64 * YEAR..20 * YEAR, 0_u64..3 * DAY as u64, any::<bool>(), 0_u8..4), 1..40)
    ) {
        let (mut wall, mut up, mut boot) = (NOW, 0_u64, 0_u32);
        let mut last = ClockState::first(reading(wall, up, "0"));
        for (jump, elapsed, restarts, jumps) in steps {
            boot += u32::from(restarts);
            up = if restarts { 0 } else { up + elapsed };
            wall += elapsed as i64 + if jumps == 0 { jump } else { 0 };
            let read = reading(wall, up, &boot.to_string());
            let explained = read.since(&last.reading).as_secs() as i64;
            let (seen, turn) = evaluate(Some(&last), read);
            let ran = seen.time.0 - last.time.0;
            match turn {
                ClockVerdict::Accepted(doubt, _) => {
                    prop_assert!(wall - doubt.wall.0 >= DAY);
                    prop_assert!(last.doubt.is_some_and(|before| before.wall == doubt.wall));
                    prop_assert_eq!(seen.time.0, wall);
                }
                ClockVerdict::Doubted => prop_assert_eq!(ran, explained + 1),
                _ => prop_assert!(ran <= explained + DAY, "{ran} {explained}"),
            }
            prop_assert_eq!(seen.doubt.is_some(), matches!(turn, ClockVerdict::Doubted | ClockVerdict::StillDoubted));
            last = seen;
        }
    }
}
