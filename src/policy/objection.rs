//! What speaks against an entry of the operator and has to be confirmed. Pure.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::limits::{Limits, Share};
use super::protect::Protect;
use super::reserved::{RESERVED, touching};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objection {
    /// Shorter than the limit for what is listed.
    Short { prefix: IpNet, limit: u8 },
    /// Protected space in it.
    Protected {
        prefix: IpNet,
        net: IpNet,
        why: String,
    },
    /// A protected origin AS.
    ProtectedAsn { asn: u32, why: String },
    /// Reserved space in it, or around it.
    Reserved {
        prefix: IpNet,
        net: IpNet,
        why: String,
    },
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { prefix, limit } => {
                let share = Share(0.5_f64.powi(i32::from(prefix.prefix_len())));
                let version = if prefix.addr().is_ipv4() { 4 } else { 6 };
                write!(
                    f,
                    "{prefix} is {share} of all IPv{version} addresses (shorter than shortest_v{version} {limit})"
                )
            }
            Self::Protected { prefix, net, why } => {
                write!(f, "{net} in {prefix} is protected and stays so: {why}")
            }
            Self::ProtectedAsn { asn, why } => {
                write!(f, "AS{asn} is protected and stays so: {why}")
            }
            Self::Reserved { prefix, net, why } => {
                write!(f, "{prefix} touches reserved space, {net}: {why}")
            }
        }
    }
}

/// Against an entry that drops it, or one that does not.
pub fn objections(
    drops: bool,
    prefix: IpNet,
    protect: &Protect,
    limits: &Limits,
) -> Vec<Objection> {
    let limit = match prefix {
        IpNet::V4(_) => limits.shortest_v4,
        IpNet::V6(_) => limits.shortest_v6,
    };
    let short = (prefix.prefix_len() < limit).then_some(Objection::Short { prefix, limit });
    let mut against: Vec<_> = short.into_iter().collect();
    if drops {
        let protected = protect.touching(prefix);
        against.extend(protected.map(|one| Objection::Protected {
            prefix,
            net: one.net,
            why: one.why.clone(),
        }));
        // What is protected in both was reported already.
        let told = |net: IpNet| {
            let both = if net.contains(&prefix) { prefix } else { net };
            protect.set().overlaps(both)
        };
        let reserved = touching(&RESERVED, prefix).filter(|(net, _)| !told(*net));
        against.extend(reserved.map(|(net, why)| Objection::Reserved {
            prefix,
            net,
            why: why.to_owned(),
        }));
    }
    against
}
