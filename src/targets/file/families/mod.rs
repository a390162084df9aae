//! The families of routers: each renders its file, and says in its `KIND` what it can be.

pub mod bird;
pub mod eos;
pub mod exabgp;
pub mod frr;
pub mod gobgp;
pub mod ios;
pub mod ios_xr;
pub mod ipset;
pub mod junos;
pub mod junos_set;
pub mod nftables;
pub mod nx_os;
pub mod openbgpd;
pub mod routeros;
pub mod sros;
pub mod sros_classic;
pub mod vrp;
pub mod vyos;
