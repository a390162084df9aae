//! The families of routers by name, and what each can be.

use std::fmt;

use super::families::{
    bird, eos, exabgp, frr, gobgp, ios, ios_xr, ipset, junos, junos_set, nftables, nx_os, openbgpd,
    routeros, sros, sros_classic, vrp, vyos,
};
use crate::targets::file::head::Words;
use crate::targets::file::options::{Direction, Lists, Role};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions};
use crate::targets::list::{csv, json, plain};

/// Commands of a family, `{file}` in them; empty where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Whether the router's own parser takes a new file.
    pub check: &'static [&'static str],
    /// Loads it.
    pub reload: &'static [&'static str],
    /// Whether it is in force.
    pub verify: &'static [&'static str],
}

impl Commands {
    /// None: the file is for another machine, or for whatever reads it.
    pub const NONE: Self = Self {
        check: &[],
        reload: &[],
        verify: &[],
    };
}

/// A file: the text of its head, which is empty where it has none, and what writes its lines.
pub type File = (&'static str, fn(&mut Text, &FileOptions, &FileInput));

const NO_FILE: File = ("", |_, _, _| {});

/// What a family is: each says it in its own file, as `KIND`.
pub struct Kind {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it can be. A list is no router, and has the first role alone.
    pub roles: &'static [Role],
    /// The roles in whose files a next hop stands.
    pub next_hops: &'static [Role],
    /// The roles in which it announces routes to neighbors.
    pub announces: &'static [Role],
    /// Whether it sends what it announces to every neighbor, iBGP or eBGP, unless the neighbors are
    /// named.
    pub needs_neighbors: bool,
    /// How its files are usually checked, loaded and verified on the machine where they are
    /// written.
    pub commands: fn(Role) -> Commands,
    /// What the usual command that loads a file writes, on the machine where it runs. Of two files
    /// with the same, one alone can be in force there.
    pub loads_into: fn(Role) -> &'static str,
    /// How the listed prefixes can stand in its file, the usual first.
    pub lists: fn(Role) -> &'static [Lists],
    /// Which packets it can drop; none where it is no packet filter.
    pub directions: &'static [Direction],
    /// The roles in which a choice between one list and many is left to us.
    pub auto: &'static [Role],
    /// Whether what is gone stays at the router until a line of the file takes it away.
    pub takes_away: bool,
    /// Whether the router announces routes that the kernel has, and the file only says which.
    pub of_kernel: fn(Role) -> bool,
    /// What leads from a file that was loaded to the next one, where a router takes that better
    /// than the whole.
    pub delta: Option<fn(&str, &str) -> Option<String>>,
    /// What takes away the rest of a former file, where the next one does not do so itself.
    pub former: Option<fn(&str, &str) -> Option<String>>,
    /// Which way to take instead, where so many IPv4 and IPv6 prefixes are more than the router
    /// takes well.
    pub too_many: fn(&FileOptions, usize, usize) -> Option<String>,
    /// Bytes that a prefix takes in the file, for the most part.
    pub room: usize,
    /// How a comment begins.
    pub mark: &'static str,
    /// A line before the head.
    pub first: &'static str,
    /// What the head of a file says for names in braces.
    pub words: fn(&FileOptions, &FileInput) -> Words,
    /// The most routes of a neighbor that an edge can be told to take.
    pub most_routes: usize,
    /// The file of each role.
    pub trigger: File,
    pub edge: File,
    pub filter: File,
    /// The end of a file, whatever its role.
    pub end: fn(&mut Text, Role),
}

impl Kind {
    /// What most routers that speak BGP have in common: they are somewhere else, and take lists as
    /// they are.
    pub const ROUTER: Self = Self {
        name: "",
        roles: &[Role::Trigger, Role::Edge, Role::Filter],
        next_hops: &[],
        announces: &[Role::Trigger],
        needs_neighbors: false,
        commands: |_| Commands::NONE,
        loads_into: |_| "",
        lists: |_| &[Lists::One],
        directions: &[],
        auto: &[],
        takes_away: false,
        of_kernel: |_| false,
        delta: None,
        former: None,
        too_many: |_, _, _| None,
        room: 80,
        mark: "#",
        first: "",
        words: |_, _| Vec::new(),
        most_routes: usize::MAX,
        trigger: NO_FILE,
        edge: NO_FILE,
        filter: NO_FILE,
        end: |_, _| {},
    };

    /// The file of a role.
    pub fn file(&self, role: Role) -> &File {
        match role {
            Role::Trigger => &self.trigger,
            Role::Edge => &self.edge,
            Role::Filter => &self.filter,
        }
    }

    /// The same of lists, which are no routers.
    pub const LIST: Self = Self {
        roles: &[Role::Trigger],
        announces: &[],
        ..Self::ROUTER
    };
}

/// Declares the families, each with the module that has its `KIND`.
macro_rules! families {
    ($($(#[$about:meta])* $Family:ident = $module:ident,)+) => {
        /// A family of routers by its name in the configuration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Family {
            $($(#[$about])* $Family,)+
        }

        impl Family {
            /// Every family with its name in the configuration.
            pub const NAMES: [(&'static str, Self); [$(Self::$Family),+].len()] =
                [$(($module::KIND.name, Self::$Family)),+];

            pub(in crate::targets) const fn kind(self) -> &'static Kind {
                match self {
                    $(Self::$Family => &$module::KIND,)+
                }
            }
        }
    };
}

families! {
    /// FRRouting.
    Frr = frr,
    /// BIRD 2.
    Bird = bird,
    /// OpenBGPD.
    OpenBgpd = openbgpd,
    /// GoBGP.
    GoBgp = gobgp,
    /// ExaBGP.
    ExaBgp = exabgp,
    /// Cisco IOS and IOS-XE.
    Ios = ios,
    /// Cisco IOS-XR.
    IosXr = ios_xr,
    /// Cisco NX-OS.
    NxOs = nx_os,
    /// Arista EOS.
    Eos = eos,
    /// Juniper Junos, with braces.
    Junos = junos,
    /// Juniper Junos, `set` commands.
    JunosSet = junos_set,
    /// Nokia SR OS, MD-CLI.
    SrOs = sros,
    /// Nokia SR OS, classic CLI.
    SrOsClassic = sros_classic,
    /// Huawei VRP.
    Vrp = vrp,
    /// MikroTik RouterOS 7.
    RouterOs = routeros,
    /// VyOS.
    VyOs = vyos,
    /// nftables: sets, and rules that drop from and to them.
    Nftables = nftables,
    /// `ipset restore`: sets for iptables.
    Ipset = ipset,
    /// One prefix a line.
    Plain = plain,
    /// RFC 4180, one listing a record.
    Csv = csv,
    /// One object with the prefixes and their listings.
    Json = json,
}

impl Family {
    /// How its files are usually checked, loaded and verified on the machine where they are
    /// written.
    pub fn commands(self, role: Role) -> Commands {
        (self.kind().commands)(role)
    }

    /// What its default command that loads a file writes: of two files with the same, one alone can
    /// be in force.
    pub fn loads_into(self, role: Role) -> &'static str {
        (self.kind().loads_into)(role)
    }

    /// Whether a next hop stands in its file.
    pub fn has_next_hops(self, role: Role) -> bool {
        self.kind().next_hops.contains(&role)
    }

    /// Whether it announces routes to neighbors.
    pub fn announces(self, role: Role) -> bool {
        self.kind().announces.contains(&role)
    }

    /// Whether the neighbors of a trigger must be named, as it knows no other way to tell them
    /// apart.
    pub fn needs_neighbors(self) -> bool {
        self.kind().needs_neighbors
    }

    /// What it can be. A list is no router, and has the first role alone.
    pub fn roles(self) -> &'static [Role] {
        self.kind().roles
    }

    /// How the listed prefixes can stand in its file, the usual first.
    pub fn lists(self, role: Role) -> &'static [Lists] {
        (self.kind().lists)(role)
    }

    /// Which packets it can drop; none where it is no packet filter.
    pub fn directions(self) -> &'static [Direction] {
        self.kind().directions
    }

    /// Whether the router announces routes that the kernel has. They are those of all feeds
    /// together.
    pub fn is_of_kernel(self, role: Role) -> bool {
        (self.kind().of_kernel)(role)
    }

    /// Whether a choice between one list and many is left to us, where the configuration says
    /// nothing.
    pub fn has_auto(self, role: Role) -> bool {
        self.kind().auto.contains(&role)
    }

    /// Whether its files say what is gone, see [`ToUnconfigure`](super::ToUnconfigure).
    pub fn takes_away(self) -> bool {
        self.kind().takes_away
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name)
    }
}
