//! `[kernel]` and `[[router]]`: where the effective set goes.

use toml::Spanned;

use super::Check;
use crate::config::model::{KernelConfig, RouterConfig};
use crate::config::written;
use crate::target::kernel::{Kind, Mark};
use crate::target::router::Family;

impl Check<'_> {
    pub(super) fn kernel(&mut self, written: &written::Kernel) -> KernelConfig {
        let default = Mark::default();
        let most = i64::from(u32::MAX);
        // What is refused is never used, not even by a flush that makes do with a broken file: another
        // program's mark would make its routes look like ours.
        let mut table = self.number(
            "table",
            written.table.as_ref(),
            (1, most),
            default.table.into(),
        );
        if let Some(written) = written.table.as_ref().filter(|_| table == 255) {
            self.problem(
                written.span(),
                "table: 255 is the kernel's own table of local addresses",
            );
            table = default.table.into();
        }
        let mut protocol = self.number(
            "protocol",
            written.protocol.as_ref(),
            (0, 255),
            default.protocol.into(),
        );
        if let (Some(written), Some(owner)) =
            (&written.protocol, Mark::owner_of_protocol(protocol as u8))
        {
            let message = format!(
                "protocol: {protocol} belongs to {owner}, which may remove our routes or lose its own"
            );
            self.hinted(
                written.span(),
                message,
                format!("the default is {}", default.protocol),
            );
            protocol = default.protocol.into();
        }
        let metric = self.number(
            "metric",
            written.metric.as_ref(),
            (0, most),
            default.metric.into(),
        );
        let kinds = [
            ("blackhole", Kind::Blackhole),
            ("unreachable", Kind::Unreachable),
            ("prohibit", Kind::Prohibit),
        ];
        let kind = written
            .r#type
            .as_ref()
            .and_then(|word| self.word("type", word, &kinds));
        let on_stop = written
            .on_stop
            .as_ref()
            .and_then(|word| self.word("on_stop", word, &[("keep", false), ("withdraw", true)]));
        KernelConfig {
            enabled: written.enabled.unwrap_or(true),
            mark: Mark {
                table: table as u32,
                protocol: protocol as u8,
                metric: metric as u32,
                kind: kind.unwrap_or(default.kind),
            },
            withdraw_on_stop: on_stop.unwrap_or(false),
        }
    }

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
        Some(RouterConfig {
            name: name?,
            family: family?,
            path: path?,
            check: router.check.clone(),
            reload: router.reload.clone(),
        })
    }
}
