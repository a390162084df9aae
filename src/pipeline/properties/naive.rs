//! A model too simple to be wrong: a space of 256 cells for each family, and sets of single cells.

use std::collections::BTreeSet;
use std::fmt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::prefix::PrefixSet;

/// A prefix inside a space: of `len` bits more than the space has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Net {
    /// 0 for IPv4, 1 for IPv6.
    pub family: usize,
    /// Any cell in it.
    pub cell: u8,
    /// From 0, all of the space, to 8, a single cell.
    pub len: u8,
}

impl Net {
    pub fn new(family: usize, cell: u8, len: u8) -> Self {
        Self { family, cell, len }
    }

    /// Its cells, IPv4 before IPv6.
    fn cells(self) -> std::ops::Range<usize> {
        let size = 1 << (8 - self.len);
        let first = usize::from(self.cell) / size * size + 256 * self.family;
        first..first + size
    }
}

/// Where the cells are.
#[derive(Debug)]
pub struct Space {
    v4: [u8; 4],
    v6: [u16; 2],
    /// Length of the prefix that holds all of them, for each family.
    pub base: [u8; 2],
    /// This many cells more are no change of the share: ten times a /16, ten times a /28.
    pub small: [usize; 2],
    /// The cells that only a bogon feed may list: the first of them.
    reserved: [usize; 2],
    /// The cells that are never dropped.
    never: [usize; 2],
}

/// Single addresses; sixteen bits and eight more; half of it never to be dropped.
pub const SPACES: [Space; 3] = [
    Space {
        v4: [11, 0, 0, 0],
        v6: [0x2a10, 0],
        base: [24, 120],
        small: [10 << 16, usize::MAX],
        reserved: [0, 0],
        never: [0, 0],
    },
    Space {
        v4: [11, 0, 0, 0],
        v6: [0x2a10, 0],
        base: [8, 20],
        small: [10, 10],
        reserved: [0, 0],
        never: [0, 0],
    },
    Space {
        v4: [169, 254, 0, 0],
        v6: [0xfe80, 0],
        base: [15, 9],
        small: [10 << 7, 0],
        reserved: [128, 256],
        never: [128, 128],
    },
];

impl Space {
    /// The prefix as it is written.
    pub fn net(&self, net: Net) -> IpNet {
        let len = self.base[net.family] + net.len;
        if net.family == 0 {
            let base = u32::from_be_bytes(self.v4);
            let addr = base | u32::from(net.cell) << (24 - self.base[0]);
            return IpNet::V4(Ipv4Net::new_assert(addr.into(), len).trunc());
        }
        let base = u128::from(self.v6[0]) << 112 | u128::from(self.v6[1]) << 96;
        let addr = base | u128::from(net.cell) << (120 - self.base[1]);
        IpNet::V6(Ipv6Net::new_assert(addr.into(), len).trunc())
    }

    /// The cells of a set; it may hold no other address.
    pub fn cells(&self, set: &PrefixSet) -> Cells {
        let mut cells = Cells::default();
        for family in [0, 1] {
            let all = self.net(Net::new(family, 0, 0));
            let v4 = matches!(all, IpNet::V4(_));
            for net in set.nets().filter(|net| matches!(net, IpNet::V4(_)) == v4) {
                assert!(all.contains(&net), "{net} is in no list");
                assert!(net.prefix_len() <= self.base[family] + 8, "{net}");
            }
            for cell in 0..=255 {
                let net = self.net(Net::new(family, cell, 8));
                cells.0[256 * family + usize::from(cell)] = set.covering(net).is_some();
            }
        }
        cells
    }

    fn first(&self, count: [usize; 2]) -> Cells {
        let mut cells = Cells::default();
        for (family, count) in count.into_iter().enumerate() {
            cells.0[256 * family..256 * family + count].fill(true);
        }
        cells
    }

    /// The cells that only a bogon feed may list.
    pub fn reserved(&self) -> Cells {
        self.first(self.reserved)
    }

    /// The cells that are never dropped.
    pub fn never(&self) -> Cells {
        self.first(self.never)
    }
}

/// A set of cells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cells([bool; 512]);

impl Default for Cells {
    fn default() -> Self {
        Self([false; 512])
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries((0..512).filter(|cell| self.0[*cell]))
            .finish()
    }
}

impl Cells {
    /// The cells of prefixes.
    pub fn of(nets: impl IntoIterator<Item = Net>) -> Self {
        let mut cells = Self::default();
        for net in nets {
            cells.0[net.cells()].fill(true);
        }
        cells
    }

    fn each(self, other: Self, keep: impl Fn(bool, bool) -> bool) -> Self {
        Self(std::array::from_fn(|cell| {
            keep(self.0[cell], other.0[cell])
        }))
    }

    /// The cells of either.
    pub fn or(self, other: Self) -> Self {
        self.each(other, |a, b| a || b)
    }

    /// The cells of both.
    pub fn and(self, other: Self) -> Self {
        self.each(other, |a, b| a && b)
    }

    /// The cells of this one alone.
    pub fn minus(self, other: Self) -> Self {
        self.each(other, |a, b| a && !b)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Whether all of them are in the other.
    pub fn within(self, other: Self) -> bool {
        self.minus(other).is_empty()
    }

    /// How many of them are of this family.
    pub fn count(self, family: usize) -> usize {
        let cells = &self.0[256 * family..256 * (family + 1)];
        cells.iter().filter(|cell| **cell).count()
    }

    /// The fewest prefixes with these cells.
    pub fn nets(self) -> BTreeSet<Net> {
        let mut nets = BTreeSet::new();
        for family in [0, 1] {
            self.fill(Net::new(family, 0, 0), &mut nets);
        }
        nets
    }

    fn fill(self, net: Net, nets: &mut BTreeSet<Net>) {
        let cells = &self.0[net.cells()];
        if cells.iter().all(|cell| *cell) {
            nets.insert(net);
        } else if cells.contains(&true) {
            for cell in [net.cell, net.cell + (128 >> net.len)] {
                self.fill(Net::new(net.family, cell, net.len + 1), nets);
            }
        }
    }
}
