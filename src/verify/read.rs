//! Reading the kernel's interfaces, policy rules and routes (I/O).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::RouteMessage;

use super::fault::Fault;
use super::fib::Fib;
use crate::files;
use crate::netlink::family::AddressFamily;
use crate::netlink::message::RTM_NEWROUTE;
use crate::netlink::names::Names;
use crate::netlink::rule::{GetRules, RTM_NEWRULE, Rule};
use crate::netlink::{dump_once, links};
use crate::prefix::Prefix;
use crate::targets::kernel::Mark;

/// A dump of the routes that a change interrupted is repeated this often at most.
const TRIES: usize = 5;
/// Where iproute2 keeps its names; later folders win.
const NAMES: [&str; 3] = ["/usr/lib/iproute2", "/usr/share/iproute2", "/etc/iproute2"];

/// The names of protocols, tables and interfaces.
pub async fn names() -> Result<Names, Fault> {
    let mut names = Names::default();
    for folder in NAMES {
        learn(&mut names, Path::new(folder));
    }
    let links = links().await;
    names.learn_links(links.map_err(|error| Fault::Dump("interfaces", error))?);
    Ok(names)
}

/// Largest file of names that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Names of protocols and tables; a missing file has none.
fn learn(names: &mut Names, folder: &Path) {
    let read = |path: &Path| files::read_text(path, MAX_BYTES).unwrap_or_default();
    let more = |name: &str| {
        let entries = fs::read_dir(folder.join(name))
            .into_iter()
            .flatten()
            .flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "conf"));
        paths.sort();
        paths
    };
    type Learn = fn(&mut Names, &str);
    let kinds = [
        ("rt_protos", Names::learn_protocols as Learn),
        ("rt_tables", Names::learn_tables),
    ];
    for (name, learn) in kinds {
        learn(names, &read(&folder.join(name)));
        for path in more(&format!("{name}.d")) {
            learn(names, &read(&path));
        }
    }
}

/// The policy rules, in order.
pub async fn rules<B: AddressFamily>() -> Result<Vec<Rule<B>>, Fault> {
    let request = GetRules {
        family: u8::from(B::FAMILY),
    };
    let mut rules = Vec::new();
    for _ in 0..TRIES {
        rules.clear();
        let whole = dump_once(&request, None, |rule| {
            if rule.kind == RTM_NEWRULE {
                rules.extend(Rule::read(rule.payload));
            }
        });
        if whole
            .await
            .map_err(|error| Fault::Dump("policy rules", error))?
        {
            break;
        }
    }
    Ok(rules)
}

/// The routes that matter, and whether the dump is whole: `false` if the routes changed during
/// every attempt.
pub async fn routes<'a, B: AddressFamily>(
    prefixes: &'a [Prefix<B>],
    mark: Mark,
    tables: &'a BTreeSet<u32>,
) -> Result<(Fib<'a, B>, bool), Fault> {
    let mut request = RouteMessage::default();
    request.header.address_family = B::FAMILY;
    let request = RouteNetlinkMessage::GetRoute(request);
    let mut tries = 0;
    loop {
        let mut fib = Fib::new(prefixes, mark, tables);
        let whole = dump_once(&request, Some(B::GROUP), |route| {
            if route.kind == RTM_NEWROUTE {
                fib.see(route.payload);
            }
        });
        let whole = whole.await.map_err(|error| Fault::Dump("routes", error))?;
        tries += 1;
        if whole || tries == TRIES {
            fib.sort();
            return Ok((fib, whole));
        }
    }
}
