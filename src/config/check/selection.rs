//! Which prefixes in force a router gets: `feeds`, `operator`, `families`, `max_length_v4`,
//! `max_length_v6`.

use toml::Spanned;

use super::{Check, place};
use crate::config::written;
use crate::policy::selection::{Choice, Selection};
use crate::targets::file::{Family, Lists, Role};

/// The two families by their names; `true` is IPv4.
const FAMILIES: [(&str, bool); 2] = [("ipv4", true), ("ipv6", false)];

impl Check<'_> {
    /// Everything if nothing is written. `feeds` are the names of all feeds.
    pub(super) fn selection(
        &mut self,
        router: &written::Router,
        family: Family,
        role: Role,
        lists: Lists,
        feeds: &[&str],
    ) -> Selection {
        if self.selects_in_vain(router, family, role, lists) {
            return Selection::EVERYTHING;
        }
        let named = router
            .feeds
            .as_ref()
            .map(|named| self.feeds_of(named, feeds));
        let operator = router.operator.as_ref().is_none_or(|word| *word.get_ref());
        if let (Some([]), false, Some(word)) = (named.as_deref(), operator, &router.feeds)
            && word.get_ref().is_empty()
        {
            let message = "feeds: no feed, and operator = false: the router would get nothing";
            let hint = "name a feed, or set operator = true for what is added by hand alone";
            self.hinted(word.span(), message, hint);
        }
        let wanted = router.families.as_ref();
        let wanted = wanted.map_or([true; 2], |words| self.families(words));
        let [longest_v4, longest_v6] = [
            ("max_length_v4", &router.max_length_v4, wanted[0], 32),
            ("max_length_v6", &router.max_length_v6, wanted[1], 128),
        ]
        .map(|(key, written, wanted, width)| {
            if let (Some(written), false) = (written, wanted) {
                let message = format!("{key}: families leaves this family out");
                self.hinted(written.span(), message, "leave one of the two out");
            }
            let longest = self.number(key, written, 1..=width.into());
            wanted.then_some(longest.unwrap_or(width))
        });
        Selection {
            choice: Choice {
                feeds: named,
                operator,
            },
            longest_v4,
            longest_v6,
        }
    }

    /// Whether a selection is written for a file without listed prefixes, or for one with another
    /// program's selection.
    fn selects_in_vain(
        &mut self,
        router: &written::Router,
        family: Family,
        role: Role,
        lists: Lists,
    ) -> bool {
        let (why, hint) = if role == Role::Edge {
            (
                format!("{family} as edge has no listed prefixes"),
                "select at the trigger that announces to it",
            )
        } else if lists == Lists::None {
            (
                "lists = \"none\" announces whatever the kernel drops".to_owned(),
                "a router with a selection of its own has lists of its own: lists = \"octets\"",
            )
        } else {
            return false;
        };
        let mut selects = false;
        for (key, span) in [
            ("feeds", place(&router.feeds)),
            ("operator", place(&router.operator)),
            ("families", place(&router.families)),
            ("max_length_v4", place(&router.max_length_v4)),
            ("max_length_v6", place(&router.max_length_v6)),
        ] {
            let Some(span) = span else { continue };
            self.hinted(span, format!("{key}: {why}"), hint);
            selects = true;
        }
        selects
    }

    /// The named feeds, each once, ascending.
    fn feeds_of(&mut self, named: &Spanned<Vec<Spanned<String>>>, feeds: &[&str]) -> Vec<String> {
        let permitted: Vec<(&str, &str)> = feeds.iter().map(|name| (*name, *name)).collect();
        let mut found = Vec::new();
        for word in named.get_ref() {
            if permitted.is_empty() {
                let message = format!("feeds: {:?} is not known", word.get_ref());
                self.hinted(word.span(), message, "no [[feed]] has a name");
            } else if let Some(name) = self.one_of("feeds", word, &permitted) {
                found.push(name.to_owned());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether IPv4 and IPv6 are selected.
    fn families(&mut self, words: &Spanned<Vec<Spanned<String>>>) -> [bool; 2] {
        let mut wanted = [false; 2];
        for word in words.get_ref() {
            match self.one_of("families", word, &FAMILIES) {
                Some(true) => wanted[0] = true,
                Some(false) => wanted[1] = true,
                None => {}
            }
        }
        if words.get_ref().is_empty() {
            let message = "families: none: the router would get nothing";
            self.hinted(words.span(), message, "permitted are ipv4, ipv6");
        }
        wanted
    }
}
