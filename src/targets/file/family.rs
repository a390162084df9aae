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
    /// None: the file is for another machine or program.
    pub const NONE: Self = Self {
        check: &[],
        reload: &[],
        verify: &[],
    };
}

/// The number of prefixes that a router copes with.
pub struct TooMany {
    pub most: usize,
    /// Whether IPv4 and IPv6 are counted separately.
    pub each: bool,
    /// What happens above that.
    pub says: &'static str,
    /// Which way to take instead.
    pub instead: &'static str,
}

/// A file: the text of its head, which is empty where it has none, and what writes its lines.
pub type File = (&'static str, fn(&mut Text, &FileOptions, &FileInput));

const NO_FILE: File = ("", |_, _, _| {});

/// The properties of a family: each declares its own as `KIND`.
pub struct Kind {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its possible roles. A list is no router, and has the first role alone.
    pub roles: &'static [Role],
    /// The roles in whose files a next hop stands.
    pub next_hops: &'static [Role],
    /// The roles in which it announces routes to neighbors.
    pub announces: &'static [Role],
    /// Whether it announces routes to every neighbor, iBGP or eBGP, unless neighbors are named.
    pub needs_neighbors: bool,
    /// How its files are usually checked, loaded and verified on the machine where they are
    /// written.
    pub commands: fn(Role) -> Commands,
    /// What the default reload command overwrites on its machine. Of two files with the same place,
    /// only one can be in force.
    pub loads_into: fn(Role) -> &'static str,
    /// How the listed prefixes can stand in its file, the usual first.
    pub lists: fn(Role) -> &'static [Lists],
    /// Which packets it can drop; none where it is no packet filter.
    pub directions: &'static [Direction],
    /// The roles in which a choice between one list and many is left to us.
    pub auto: &'static [Role],
    /// Whether the router keeps entries until a line of the file removes them.
    pub takes_away: bool,
    /// Whether the router announces routes of the kernel, and the file only selects them.
    pub of_kernel: fn(Role) -> bool,
    /// The commands that lead from the loaded file to the next one, if the router takes them better
    /// than the whole file.
    pub delta: Option<fn(&str, &str) -> Option<String>>,
    /// The commands that remove what is left of a former file, if the next one does not.
    pub former: Option<fn(&str, &str) -> Option<String>>,
    /// The number of prefixes that the router copes with.
    pub too_many: fn(&FileOptions) -> Option<TooMany>,
    /// Bytes that a prefix takes in the file, for the most part.
    pub room: usize,
    /// How a comment begins.
    pub mark: &'static str,
    /// A line before the head.
    pub first: &'static str,
    /// The values of the names in braces in the text of a head.
    pub words: fn(&FileOptions, &FileInput) -> Words,
    /// The highest prefix limit that an edge can be configured with.
    pub most_routes: usize,
    /// The file of each role.
    pub trigger: File,
    pub edge: File,
    pub filter: File,
    /// The end of a file, whatever its role.
    pub end: fn(&mut Text, Role),
}

impl Kind {
    /// The defaults for a BGP router: it is another machine, and takes lists as they are.
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
        too_many: |_| None,
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

            pub(crate) const fn kind(self) -> &'static Kind {
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

    /// What it can be. A list is no router, and has the first role alone.
    pub fn roles(self) -> &'static [Role] {
        self.kind().roles
    }

    /// How the listed prefixes can stand in its file, the usual first.
    pub fn lists(self, role: Role) -> &'static [Lists] {
        (self.kind().lists)(role)
    }

    /// Whether the router announces routes that the kernel has. They are those of all feeds
    /// together.
    pub fn is_of_kernel(self, role: Role) -> bool {
        (self.kind().of_kernel)(role)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name)
    }
}
