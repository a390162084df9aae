//! `[[router]]`: the router files.

use std::net::IpAddr;

use toml::Spanned;

use super::{Check, place};
use crate::config::model::RouterConfig;
use crate::config::written;
use crate::policy::protect::Protected;
use crate::targets::file::{
    AnnounceTo, Commands, Direction, Family, FileOptions, Lists, Role, Version,
};

/// Whether it can be a next hop of BGP.
fn is_host(address: &IpAddr) -> bool {
    let local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(local || address.is_unspecified() || address.is_multicast() || address.is_loopback())
}

impl Check<'_> {
    pub(super) fn routers(
        &mut self,
        written: &[Spanned<written::Router>],
        feeds: &[&str],
        protected: &[Protected],
    ) -> Vec<RouterConfig> {
        let mut routers: Vec<RouterConfig> = Vec::new();
        for router in written {
            let Some(checked) = self.router(router, feeds, protected) else {
                continue;
            };
            for other in &routers {
                let (key, same, other) = if other.name == checked.name {
                    let path = other.path.display();
                    (
                        "name",
                        checked.name.clone(),
                        format!("that with path {path}"),
                    )
                } else if other.path == checked.path {
                    let path = checked.path.display().to_string();
                    ("path", path, format!("{:?}", other.name))
                } else {
                    continue;
                };
                let message = format!("{key}: {same:?} is the {key} of another router, {other}");
                let hint = format!("give each router a {key} of its own");
                self.hinted(router.span(), message, hint);
            }
            if let Some(other) = routers.iter().find(|other| other.meets_here(&checked)) {
                let options = &checked.options;
                let message = format!(
                    "reload: the default loads the routers {:?} and {:?} into the {} of this machine, and both write {}: \
                     only one of them can be in force",
                    other.name,
                    checked.name,
                    options.family,
                    options.family.loads_into(options.role)
                );
                let hint = "keep one of them, with the feeds of both; the other needs a reload of its own, or none where it \
                            is on another machine";
                let at = place(&router.get_ref().reload).unwrap_or(router.span());
                self.hinted(at, message, hint);
            }
            routers.push(checked);
        }
        routers
    }

    fn router(
        &mut self,
        written: &Spanned<written::Router>,
        feeds: &[&str],
        protected: &[Protected],
    ) -> Option<RouterConfig> {
        let router = written.get_ref();
        let name = self.name("router", router.name.as_ref(), &written.span());
        let family = match &router.family {
            Some(word) => self.one_of("family", word, &Family::NAMES),
            None => {
                let names = Family::NAMES.map(|(name, _)| name);
                let hint = format!("permitted are {}", names.join(", "));
                self.hinted(written.span(), "a router without a family", hint);
                None
            }
        };
        let path = match &router.path {
            Some(path) => Some(self.path(path)),
            None => {
                let hint = "path = \"/etc/nullrouted/NAME.conf\", the file that is written for it";
                self.hinted(written.span(), "a router without a path", hint);
                None
            }
        };
        let role = match &router.role {
            Some(word) => self.one_of("role", word, &Role::NAMES),
            None => Some(Role::default()),
        };
        let is = family.zip(role);
        let is = is.filter(|(family, role)| self.has_role(router, *family, *role));
        // First what depends on neither, then what depends on the family alone: no error hides
        // another.
        self.next_hops(router, is, protected);
        let neighbors = self.neighbors(router);
        let frr_version =
            family.and_then(|family| self.frr_version(router.frr_version.as_ref(), family));
        let direction = family.and_then(|family| self.direction(router.direction.as_ref(), family));
        let usual = is.map_or(Commands::default(), |(family, role)| family.commands(role));
        let mut usual = [usual.check, usual.reload, usual.verify].into_iter();
        let [check, reload, verify] = router.commands().map(|(key, written)| {
            let usual = usual.next().unwrap_or_default();
            self.command(key, written.as_ref(), is, usual)
        });
        let (family, role) = is?;
        let lists = self.lists(router.lists.as_ref(), family, role);
        let announced = self.announced(written, family, role, neighbors);
        let shown = lists.flatten().unwrap_or_default();
        let selection = self.selection(router, family, role, shown, feeds);
        let (announce_to, neighbors) = announced?;
        Some(RouterConfig {
            name: name?,
            options: FileOptions {
                family,
                role,
                next_hop_v4: router.next_hop_v4.as_ref().map(|hop| *hop.get_ref()),
                next_hop_v6: router.next_hop_v6.as_ref().map(|hop| *hop.get_ref()),
                lists: shown,
                frr_version: frr_version?,
                announce_to,
                neighbors,
                direction: direction?,
            },
            selection,
            auto: lists?.is_none(),
            path: path?,
            check: check?,
            reload: reload?,
            verify: verify?,
            adopt: router.adopt.unwrap_or(false),
        })
    }

    /// Whether the family can have this role. A family without roles is always a trigger.
    fn has_role(&mut self, router: &written::Router, family: Family, role: Role) -> bool {
        let (Some(word), false) = (&router.role, family.roles().contains(&role)) else {
            return true;
        };
        let roles: Vec<_> = family.roles().iter().map(Role::to_string).collect();
        let message = format!("role: {family} is never {:?}", word.get_ref());
        let hint = format!("permitted are {}", roles.join(", "));
        self.hinted(word.span(), message, hint);
        false
    }

    /// Both next hops; whether the file needs one depends on family and role, `is`.
    fn next_hops(
        &mut self,
        router: &written::Router,
        is: Option<(Family, Role)>,
        protected: &[Protected],
    ) {
        let v4 = router.next_hop_v4.as_ref();
        let v6 = router.next_hop_v6.as_ref();
        let hops = [
            v4.map(|hop| ("next_hop_v4", IpAddr::from(*hop.get_ref()), hop.span())),
            v6.map(|hop| ("next_hop_v6", IpAddr::from(*hop.get_ref()), hop.span())),
        ];
        for (key, hop, span) in hops.into_iter().flatten() {
            if let Some((family, role)) = is
                && !family.kind().next_hops.contains(&role)
            {
                let message = format!("{key}: {family} as {role} has no next hop");
                self.hinted(span.clone(), message, "leave it out");
            }
            if let Some(own) = protected.iter().find(|own| own.net.contains(&hop)) {
                let message = format!("{key}: {hop} is protected ({})", own.why);
                let hint = "what goes there is dropped: take an address that nothing uses, as 192.0.2.1 or 100::1";
                self.hinted(span, message, hint);
            } else if !is_host(&hop) {
                let hint = "the address of a host that a route can lead to, as 192.0.2.1 or 100::1";
                let message = format!("{key}: {hop} is not the address of a host");
                self.hinted(span, message, hint);
            }
        }
    }

    /// How the listed prefixes are written in the file; `Some(None)` if that is chosen before each
    /// load; by default the usual way.
    fn lists(
        &mut self,
        written: Option<&Spanned<String>>,
        family: Family,
        role: Role,
    ) -> Option<Option<Lists>> {
        let usual = match family.kind().auto.contains(&role) {
            true => None,
            false => Some(Lists::default()),
        };
        let Some(word) = written else {
            return Some(usual);
        };
        let mut names = vec![(Lists::AUTO, None)];
        names.extend(Lists::NAMES.map(|(name, lists)| (name, Some(lists))));
        let lists = self.one_of("lists", word, &names)?;
        let permitted = family.lists(role);
        let is_permitted = |lists: Lists| permitted.contains(&lists);
        if lists.map_or(family.kind().auto.contains(&role), is_permitted) {
            return Some(lists);
        }
        let message = format!("lists: {family} as {role} has never {:?}", word.get_ref());
        let auto = family
            .kind()
            .auto
            .contains(&role)
            .then(|| Lists::AUTO.to_owned());
        let permitted = permitted.iter().map(Lists::to_string);
        let permitted: Vec<_> = auto.into_iter().chain(permitted).collect();
        let hint = format!("permitted are {}", permitted.join(", "));
        self.hinted(word.span(), message, hint);
        None
    }

    /// The version of a router with FRR; `Some(None)` if it is not written.
    fn frr_version(
        &mut self,
        written: Option<&Spanned<String>>,
        family: Family,
    ) -> Option<Option<Version>> {
        let Some(word) = written else {
            return Some(None);
        };
        let version = Version::parse(word.get_ref());
        let wrong = match (family, &version) {
            (Family::Frr, Some(_)) => return Some(version),
            (Family::Frr, None) => {
                format!("frr_version: {:?} is no version of FRR", word.get_ref())
            }
            (family, _) => format!("frr_version: {family} is not FRR"),
        };
        let hint = match family {
            Family::Frr => "as `vtysh -c 'show version'` says it at the router, such as \"10.3\"",
            _ => "leave it out",
        };
        self.hinted(word.span(), wrong, hint);
        None
    }

    /// Which sessions a trigger announces to, and the named neighbors.
    fn announced(
        &mut self,
        written: &Spanned<written::Router>,
        family: Family,
        role: Role,
        neighbors: Vec<IpAddr>,
    ) -> Option<(AnnounceTo, Vec<IpAddr>)> {
        let (router, at) = (written.get_ref(), written.span());
        let spans = [
            ("announce_to", place(&router.announce_to)),
            ("neighbors", place(&router.neighbors)),
        ];
        if !family.kind().announces.contains(&role) {
            for (key, span) in spans {
                let Some(span) = span else { continue };
                let message = format!("{key}: {family} as {role} announces nothing to neighbors");
                let hint = "only a router as trigger announces: leave it out";
                self.hinted(span, message, hint);
            }
            return Some((AnnounceTo::default(), Vec::new()));
        }
        let announce_to = match &router.announce_to {
            Some(word) => self.one_of("announce_to", word, &AnnounceTo::NAMES)?,
            None => AnnounceTo::default(),
        };
        let none = router
            .neighbors
            .as_ref()
            .is_none_or(|named| named.get_ref().is_empty());
        if let (AnnounceTo::Ebgp, Some(word), true) = (announce_to, &router.announce_to, none) {
            let message = "announce_to: \"ebgp\" without neighbors: no neighbor is permitted to \
                           receive the blackholes";
            let hint = "neighbors = [\"192.0.2.2\"] with the address of each eBGP neighbor that is to \
                        receive them";
            self.hinted(word.span(), message, hint);
            return None;
        }
        if family.kind().needs_neighbors && none {
            let message = format!(
                "neighbors: none is named, and {family} cannot tell iBGP from eBGP: it would send the blackholes to \
                 every neighbor"
            );
            let hint = "neighbors = [\"192.0.2.2\"] with the address of each neighbor that is to receive them";
            self.hinted(place(&router.neighbors).unwrap_or(at), message, hint);
            return None;
        }
        Some((announce_to, neighbors))
    }

    /// The named neighbors, each once, ascending.
    fn neighbors(&mut self, router: &written::Router) -> Vec<IpAddr> {
        let named = router.neighbors.as_ref();
        let named = named.map_or(&[][..], |neighbors| neighbors.get_ref());
        let mut neighbors = Vec::new();
        for word in named {
            let Some(address) = self.neighbor(word) else {
                continue;
            };
            if neighbors.contains(&address) {
                let message = format!("neighbors: {address} is named twice");
                self.hinted(word.span(), message, "leave one of them out");
            }
            neighbors.push(address);
        }
        neighbors.sort_unstable();
        neighbors
    }

    /// The address of a neighbor.
    fn neighbor(&mut self, word: &Spanned<String>) -> Option<IpAddr> {
        let address: Option<IpAddr> = word.get_ref().parse().ok();
        let is_neighbor = |address: &IpAddr| match address {
            IpAddr::V4(address) => {
                !(address.is_unspecified() || address.is_multicast() || address.is_broadcast())
            }
            IpAddr::V6(address) => {
                !(address.is_unspecified() || address.is_multicast())
                    && address.to_ipv4_mapped().is_none()
            }
        };
        let address = address.filter(is_neighbor);
        if address.is_none() {
            let message = format!(
                "neighbors: {:?} is not the address of a neighbor",
                word.get_ref()
            );
            let hint = "the address that the session has at the router, such as 192.0.2.2 or 2001:db8::2; \
                        no name, no group, no prefix";
            self.hinted(word.span(), message, hint);
        }
        address
    }

    /// Which packets the family drops; by default both directions.
    fn direction(
        &mut self,
        written: Option<&Spanned<String>>,
        family: Family,
    ) -> Option<Direction> {
        let Some(word) = written else {
            return Some(Direction::default());
        };
        let direction = self.one_of("direction", word, &Direction::NAMES)?;
        if family.kind().directions.contains(&direction) {
            return Some(direction);
        }
        let hint = "only nftables drops packets by their source or destination";
        let message = format!("direction: {family} is no packet filter");
        self.hinted(word.span(), message, hint);
        None
    }

    /// The words of a command, empty if it is not written; `usual` stands for `"default"`.
    fn command(
        &mut self,
        key: &str,
        written: Option<&Spanned<written::Command>>,
        is: Option<(Family, Role)>,
        usual: &[&str],
    ) -> Option<Vec<String>> {
        let Some(written) = written else {
            return Some(Vec::new());
        };
        match written.get_ref() {
            written::Command::Words(words) => Some(words.clone()),
            written::Command::Default if usual.is_empty() => {
                // The default is known only if family and role are.
                let (family, _) = is?;
                let message = format!("{key}: there is no default command for {family}");
                let hint = "write it as a list of words, with {file} for the file";
                self.hinted(written.span(), message, hint);
                None
            }
            written::Command::Default => Some(usual.iter().map(ToString::to_string).collect()),
        }
    }
}
