//! Which parts of a table were listed without a pause. Pure.

/// Parts of a table, each listed completely. A place is a position in the order in which the kernel
/// lists the table.
#[derive(Debug)]
pub(super) struct Coverage<P> {
    /// The beginning and end of each part, excluding these places: of several routes at one place,
    /// some may be on the other side of the pause. `None` is the beginning or the end of the table.
    pieces: Vec<(Option<P>, Option<P>)>,
    /// The parts of the list that is being read.
    these: Vec<(Option<P>, Option<P>)>,
    piece: Piece<P>,
    /// Whether the kernel lists the places in the expected order.
    is_ordered: bool,
}

/// The first and the last place read so far of the current part.
#[derive(Clone, Copy, Debug)]
struct Piece<P> {
    is_first: bool,
    ends: Option<(P, P)>,
}

impl<P> Piece<P> {
    /// A part that starts at the beginning of the table.
    const FIRST: Self = Self {
        is_first: true,
        ends: None,
    };
    /// A part that starts after a pause.
    const LATER: Self = Self {
        is_first: false,
        ends: None,
    };
}

impl<P> Default for Coverage<P> {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            these: Vec::new(),
            piece: Piece::FIRST,
            is_ordered: true,
        }
    }
}

impl<P: Ord + Copy> Coverage<P> {
    /// A list begins.
    pub(super) fn begin(&mut self) {
        self.these.clear();
        self.piece = Piece::FIRST;
        self.is_ordered = true;
    }

    /// The list has reached this place.
    pub(super) fn pass(&mut self, place: P) {
        let (first, last) = self.piece.ends.unwrap_or((place, place));
        self.is_ordered &= last <= place;
        self.piece.ends = Some((first, place));
    }

    /// Routes may be left out between the last place and the next.
    pub(super) fn pause(&mut self) {
        if let Some((_, last)) = self.piece.ends {
            self.these.push((self.from(), Some(last)));
        }
        self.piece = Piece::LATER;
    }

    /// The list has ended, without a pause after the last place.
    pub(super) fn end(&mut self) {
        if self.piece.is_first || self.piece.ends.is_some() {
            self.these.push((self.from(), None));
        }
        if self.is_ordered {
            self.pieces.append(&mut self.these);
        }
    }

    fn from(&self) -> Option<P> {
        let (first, _) = self.piece.ends?;
        (!self.piece.is_first).then_some(first)
    }

    /// Whether every place was within a part.
    pub(super) fn is_all(&mut self) -> bool {
        // `None` sorts first.
        self.pieces.sort_unstable();
        let mut reached = None;
        for (from, until) in &self.pieces {
            let continues = match (reached, from) {
                (_, None) => true,
                (Some(reached), Some(from)) => *from < reached,
                (None, Some(_)) => false,
            };
            match until {
                _ if !continues => return false,
                None => return true,
                Some(until) => reached = reached.max(Some(*until)),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lists of places, with `None` where there is a pause.
    fn is_all(lists: &[&[Option<u32>]]) -> bool {
        let mut seen = Coverage::default();
        for list in lists {
            seen.begin();
            for place in *list {
                match place {
                    Some(place) => seen.pass(*place),
                    None => seen.pause(),
                }
            }
            seen.end();
        }
        seen.is_all()
    }

    #[test]
    fn a_list_without_a_pause_is_all_and_one_with_a_pause_needs_another() {
        let (one, two, three, four) = (Some(1), Some(2), Some(3), Some(4));
        assert!(!is_all(&[]));
        assert!(is_all(&[&[]]));
        assert!(is_all(&[&[one, two]]));
        // Routes may be left out before the first known one.
        assert!(!is_all(&[&[None, one, two]]));
        let paused = [one, two, None, three, four];
        assert!(!is_all(&[&paused]));
        // The pauses are at the same place, or one place was at the end of a part each time.
        assert!(!is_all(&[&paused, &paused]));
        assert!(!is_all(&[&paused, &[one, two, three, None, four]]));
        assert!(is_all(&[&paused, &[one, None, one, two, three, four]]));
        assert!(is_all(&[
            &[one, two, three, None, four],
            &[one, None, two, three, four]
        ]));
        // A pause at the end, with nothing after it.
        assert!(!is_all(&[&[one, two, None]]));
        assert!(!is_all(&[&[one, None], &[two, None, three]]));
        // A list in an unexpected order proves nothing.
        assert!(!is_all(&[
            &[two, one, None, three, four],
            &[one, two, three, None, four]
        ]));
    }

    proptest! {
        /// Wherever the lists pause and whatever they leave out there: a list that counts as
        /// complete lacks nothing.
        #[test]
        fn nothing_is_missing_where_all_was_seen(
            lists in prop::collection::vec(prop::collection::vec((1_u32..6, 0_u32..3), 0..8), 1..6),
        ) {
            const PLACES: u32 = 12;
            let listed: Vec<Vec<Option<u32>>> = lists
                .iter()
                .map(|pieces| {
                    let (mut listed, mut at) = (Vec::new(), 0);
                    for (long, left_out) in pieces {
                        listed.extend((at..PLACES.min(at + long)).map(Some));
                        listed.push(None);
                        at += long + left_out;
                    }
                    listed.extend((at..PLACES).map(Some));
                    listed
                })
                .collect();
            let lists: Vec<&[Option<u32>]> = listed.iter().map(Vec::as_slice).collect();
            let found = |place| listed.iter().any(|list| list.contains(&Some(place)));
            prop_assert!(!is_all(&lists) || (0..PLACES).all(found));
        }
    }
}
