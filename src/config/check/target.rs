//! `[[router]]`: the router files.

use toml::Spanned;

use super::Check;
use crate::config::model::RouterConfig;
use crate::config::written;
use crate::target::router::{Family, Role, Shape};

impl Check<'_> {
    pub(super) fn routers(&mut self, written: &[Spanned<written::Router>]) -> Vec<RouterConfig> {
        let mut routers: Vec<RouterConfig> = Vec::new();
        for router in written {
            let Some(checked) = self.router(router) else {
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

    fn router(&mut self, written: &Spanned<written::Router>) -> Option<RouterConfig> {
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
        let shape = Shape {
            family: family?,
            role,
        };
        Some(RouterConfig {
            name: name?,
            shape,
            path: path?,
            check: router.check.clone(),
            reload: router.reload.clone(),
        })
    }
}
