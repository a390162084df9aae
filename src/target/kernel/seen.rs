//! Which part of a table was listed in one piece. Pure.

/// Pieces of a table, each listed with nothing left out, by the places in the order of which the kernel lists it.
#[derive(Debug)]
pub(super) struct Seen<P> {
    /// Where each begins and ends, without the places that are named: a list may be torn within one. `None` is the
    /// beginning or the end of the table.
    pieces: Vec<(Option<P>, Option<P>)>,
    /// Those of the list that is read.
    these: Vec<(Option<P>, Option<P>)>,
    piece: Piece<P>,
    /// Whether the kernel lists them in the order that we know.
    is_ordered: bool,
}

/// The piece that is read.
#[derive(Clone, Copy, Debug)]
struct Piece<P> {
    from: From<P>,
    last: Option<P>,
}

#[derive(Clone, Copy, Debug)]
enum From<P> {
    Beginning,
    Torn,
    Place(P),
}

impl<P> Default for Seen<P> {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            these: Vec::new(),
            piece: Piece::BEGINNING,
            is_ordered: true,
        }
    }
}

impl<P> Piece<P> {
    const BEGINNING: Self = Self {
        from: From::Beginning,
        last: None,
    };
    const TORN: Self = Self {
        from: From::Torn,
        last: None,
    };
}

impl<P: Ord + Copy> Seen<P> {
    /// A list begins.
    pub(super) fn begin(&mut self) {
        self.these.clear();
        self.piece = Piece::BEGINNING;
        self.is_ordered = true;
    }

    /// It is at this place.
    pub(super) fn pass(&mut self, place: P) {
        if let From::Torn = self.piece.from {
            self.piece.from = From::Place(place);
        }
        self.is_ordered &= self.piece.last.is_none_or(|last| last <= place);
        self.piece.last = Some(place);
    }

    /// Something may be left out between the last place and the next.
    pub(super) fn tear(&mut self) {
        if self.piece.last.is_some() {
            self.cut(self.piece.last);
        }
        self.piece = Piece::TORN;
    }

    /// The list has ended.
    pub(super) fn end(&mut self) {
        self.cut(None);
        let is_torn = !matches!(self.these[..], [(None, None)]);
        if self.is_ordered || !is_torn {
            self.pieces.append(&mut self.these);
        }
    }

    fn cut(&mut self, until: Option<P>) {
        match self.piece.from {
            From::Torn => {}
            From::Beginning => self.these.push((None, until)),
            From::Place(from) => self.these.push((Some(from), until)),
        }
    }

    /// Whether every place was within a piece.
    pub(super) fn is_all(&mut self) -> bool {
        // `None` comes first.
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

    /// Lists of places, with `None` where one is torn.
    fn is_all(lists: &[&[Option<u32>]]) -> bool {
        let mut seen = Seen::default();
        for list in lists {
            seen.begin();
            for place in *list {
                match place {
                    Some(place) => seen.pass(*place),
                    None => seen.tear(),
                }
            }
            seen.end();
        }
        seen.is_all()
    }

    #[test]
    fn a_list_that_is_not_torn_is_all_and_one_that_is_needs_another() {
        let (one, two, three, four) = (Some(1), Some(2), Some(3), Some(4));
        assert!(!is_all(&[]));
        assert!(is_all(&[&[]]));
        assert!(is_all(&[&[one, two]]));
        let torn = [one, two, None, three, four];
        assert!(!is_all(&[&torn]));
        // Torn at the same place, or so that a place was at the end of a piece each time.
        assert!(!is_all(&[&torn, &torn]));
        assert!(!is_all(&[&torn, &[one, two, three, None, four]]));
        assert!(is_all(&[&torn, &[one, None, one, two, three, four]]));
        // One after the other covers the road.
        assert!(is_all(&[
            &[one, two, three, None, four],
            &[one, None, two, three, four]
        ]));
        assert!(!is_all(&[&[None, one], &[one, None]]));
        // What is listed in another order proves nothing where it is torn.
        assert!(is_all(&[&[two, one]]));
        assert!(!is_all(&[
            &[two, one, None, three, four],
            &[one, two, three, None, four]
        ]));
    }

    proptest! {
        /// However they are torn, and whatever is left out there: what is all lacks nothing.
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
