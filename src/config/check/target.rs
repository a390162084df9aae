//! `[[router]]`: the router files.

use std::net::IpAddr;

use toml::Spanned;

use super::Check;
use crate::config::model::RouterConfig;
use crate::config::written;
use crate::policy::protect::Protected;
use crate::target::router::{AnnounceTo, Direction, Family, Lists, Role, Shape, Version};

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
                let (key, same) = if other.name == checked.name {
                    ("name", checked.name.clone())
                } else if other.path == checked.path {
                    ("path", checked.path.display().to_string())
                } else {
                    continue;
                };
                let message = format!("{key}: {same:?} is the {key} of another router");
                self.problem(router.span(), message);
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
            Some(word) => self.word("family", word, &Family::NAMES),
            None => {
                self.problem(written.span(), "a router without a family");
                None
            }
        };
        let path = match &router.path {
            Some(path) => Some(self.path(path)),
            None => {
                self.problem(written.span(), "a router without a path");
                None
            }
        };
        let role = match &router.role {
            Some(word) => self.word("role", word, &Role::NAMES)?,
            None => Role::default(),
        };
        if let (Some(family), Some(word)) = (family, &router.role)
            && !family.roles().contains(&role)
        {
            let roles: Vec<_> = family.roles().iter().map(Role::to_string).collect();
            let message = format!("role: {family} is never {:?}", word.get_ref());
            self.hinted(
                word.span(),
                message,
                format!("permitted are {}", roles.join(", ")),
            );
            return None;
        }
        let family = family?;
        let lists = self.lists(router.lists.as_ref(), family, role)?;
        let frr_version = self.frr_version(router.frr_version.as_ref(), family)?;
        let (announce_to, neighbors) = self.announced(router, family, role)?;
        let direction = self.direction(router.direction.as_ref(), family)?;
        let usual = family.commands(role);
        let check = self.command("check", router.check.as_ref(), family, usual.check);
        let reload = self.command("reload", router.reload.as_ref(), family, usual.reload);
        let verify = self.command("verify", router.verify.as_ref(), family, usual.verify);
        let shape = Shape {
            family,
            role,
            next_hop_v4: router.next_hop_v4.as_ref().map(|hop| *hop.get_ref()),
            next_hop_v6: router.next_hop_v6.as_ref().map(|hop| *hop.get_ref()),
            lists: lists.unwrap_or_default(),
            frr_version,
            announce_to,
            neighbors,
            direction,
        };
        let spans = [
            (
                "next_hop_v4",
                router.next_hop_v4.as_ref().map(Spanned::span),
            ),
            (
                "next_hop_v6",
                router.next_hop_v6.as_ref().map(Spanned::span),
            ),
        ];
        for ((key, span), hop) in spans.into_iter().zip(shape.next_hops()) {
            let (Some(span), Some(hop)) = (span, hop) else {
                continue;
            };
            if !family.has_next_hops(role) {
                let message = format!("{key}: {family} as {role} has no next hop");
                self.problem(span.clone(), message);
            }
            if let Some(own) = protected.iter().find(|own| own.net.contains(&hop)) {
                let message = format!("next hop: {hop} is protected ({})", own.why);
                self.hinted(
                    span,
                    message,
                    "what goes there is dropped: an address of nobody's",
                );
            } else if !is_host(&hop) {
                let hint = "the address of a host that a route can lead to, as 192.0.2.1 or 100::1";
                self.hinted(span, format!("next hop: {hop} is none"), hint);
            }
        }
        let selection = self.selection(router, &shape, feeds);
        Some(RouterConfig {
            name: name?,
            shape,
            selection,
            auto: lists.is_none(),
            path: path?,
            check: check?,
            reload: reload?,
            verify: verify?,
            adopt: router.adopt.unwrap_or(false),
        })
    }

    /// How the listed prefixes stand in the file, `Some(None)` where that is chosen before each load; as is usual where
    /// it is not written.
    fn lists(
        &mut self,
        written: Option<&Spanned<String>>,
        family: Family,
        role: Role,
    ) -> Option<Option<Lists>> {
        let usual = match family.has_auto(role) {
            true => None,
            false => Some(Lists::default()),
        };
        let Some(word) = written else {
            return Some(usual);
        };
        let mut names = vec![(Lists::AUTO, None)];
        names.extend(Lists::NAMES.map(|(name, lists)| (name, Some(lists))));
        let lists = self.word("lists", word, &names)?;
        let permitted = family.lists(role);
        let is_permitted = |lists: Lists| permitted.contains(&lists);
        if lists.map_or(family.has_auto(role), is_permitted) {
            return Some(lists);
        }
        let message = format!("lists: {family} as {role} has never {:?}", word.get_ref());
        let auto = family.has_auto(role).then(|| Lists::AUTO.to_owned());
        let permitted = permitted.iter().map(Lists::to_string);
        let permitted: Vec<_> = auto.into_iter().chain(permitted).collect();
        let hint = format!("permitted are {}", permitted.join(", "));
        self.hinted(word.span(), message, hint);
        None
    }

    /// The version of a router with FRR; `Some(None)` where it is not written.
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

    /// Which sessions a trigger announces to, and the neighbors that are named, each once, ascending.
    fn announced(
        &mut self,
        router: &written::Router,
        family: Family,
        role: Role,
    ) -> Option<(AnnounceTo, Vec<IpAddr>)> {
        let spans = [
            (
                "announce_to",
                router.announce_to.as_ref().map(Spanned::span),
            ),
            ("neighbors", router.neighbors.as_ref().map(Spanned::span)),
        ];
        if !family.announces(role) {
            for (key, span) in spans {
                let Some(span) = span else { continue };
                let message = format!("{key}: {family} as {role} announces nothing to neighbors");
                self.hinted(
                    span,
                    message,
                    "only a router as trigger announces: leave it out",
                );
            }
            return Some((AnnounceTo::default(), Vec::new()));
        }
        let announce_to = match &router.announce_to {
            Some(word) => self.word("announce_to", word, &AnnounceTo::NAMES)?,
            None => AnnounceTo::default(),
        };
        let named = router.neighbors.as_ref();
        let named = named.map_or(&[][..], |neighbors| neighbors.get_ref());
        if let (AnnounceTo::Ebgp, Some(word)) = (announce_to, &router.announce_to)
            && named.is_empty()
        {
            let message = "announce_to: \"ebgp\" without neighbors: no neighbor is permitted to \
                           receive the blackholes";
            let hint = "neighbors = [\"192.0.2.2\"] with the address of each eBGP neighbor that is to \
                        receive them";
            self.hinted(word.span(), message, hint);
            return None;
        }
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
        Some((announce_to, neighbors))
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

    /// Which packets the family drops; both where it is not written.
    fn direction(
        &mut self,
        written: Option<&Spanned<String>>,
        family: Family,
    ) -> Option<Direction> {
        let Some(word) = written else {
            return Some(Direction::default());
        };
        let direction = self.word("direction", word, &Direction::NAMES)?;
        if family.directions().contains(&direction) {
            return Some(direction);
        }
        let hint = "only nftables drops packets by their source or destination";
        let message = format!("direction: {family} is no packet filter");
        self.hinted(word.span(), message, hint);
        None
    }

    /// The words of a command, none where it is not written; `usual` stands for `"default"`.
    fn command(
        &mut self,
        key: &str,
        written: Option<&Spanned<written::Command>>,
        family: Family,
        usual: &[&str],
    ) -> Option<Vec<String>> {
        let Some(written) = written else {
            return Some(Vec::new());
        };
        match written.get_ref() {
            written::Command::Words(words) => Some(words.clone()),
            written::Command::Default if usual.is_empty() => {
                let message = format!("{key}: there is no default command for {family}");
                let hint = "write it as a list of words, with {file} for the file";
                self.hinted(written.span(), message, hint);
                None
            }
            written::Command::Default => Some(usual.iter().map(ToString::to_string).collect()),
        }
    }
}
