//! Prefixes and the arithmetic on them, for IPv4 and IPv6 alike.
//!
//! ```text
//!  text ──parse──► Written ──range──► Prefix ──aggregate──► PrefixSet ──subtract──► PrefixSet
//! ```
//!
//! Everything below [`PrefixSet`] is generic over [`Bits`], the integer that holds an address, so
//! that one algorithm serves both families. [`ipnet::IpNet`] is the type at the edges of the
//! library, where the family no longer matters.
//!
//! ```
//! use nullrouted::prefix::{HostBits, PrefixSet, parse, subtract_set};
//!
//! # fn main() -> Result<(), nullrouted::prefix::Malformed> {
//! let set = |texts: &[&str]| {
//!     let written = texts.iter().map(|text| parse(text, HostBits::Refuse));
//!     Ok(PrefixSet::of_written(written.collect::<Result<Vec<_>, _>>()?))
//! };
//! let shown = |set: &PrefixSet| set.nets().map(|net| net.to_string()).collect::<Vec<_>>();
//!
//! // A range and the /24 after it are joined: the fewest prefixes that cover the same addresses.
//! let listed = set(&["72.37.186/23", "192.0.2.0-192.0.2.255", "192.0.3.0/24"])?;
//! assert_eq!(shown(&listed), ["72.37.186.0/23", "192.0.2.0/23"]);
//!
//! // Cutting a network out leaves the prefixes around it, and adds no address.
//! let left = subtract_set(&listed, &set(&["192.0.2.0/25"])?);
//! assert_eq!(shown(&left), ["72.37.186.0/23", "192.0.2.128/25", "192.0.3.0/24"]);
//!
//! // What could mean two networks is refused, with the one that was probably meant.
//! let refused = parse("192.0.2.9/24", HostBits::Refuse).unwrap_err();
//! assert_eq!(refused.to_string(), "host bits set, probably 192.0.2.0/24 was meant");
//! # Ok(())
//! # }
//! ```

mod aggregate;
mod effective;
mod item;
mod parse;
mod range;
mod set;
mod short;
mod subtract;

pub use aggregate::{Aggregate, aggregate};
pub use effective::{Effective, NOTHING, autonomous, lacking};
pub(crate) use item::{Item, asn_of, is_public};
pub use parse::{HostBits, Malformed, Written, leading_v4, parse};
pub use range::prefixes_of_range;
pub use set::PrefixSet;
pub(crate) use set::{covering, inside};
pub(crate) use short::Short;
pub use subtract::{MAX_PIECES, Subtracted, cut, cut_set, subtract, subtract_set};

use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// An address as an integer: `u32` for IPv4, `u128` for IPv6, most significant bit first.
pub trait Bits: Copy + Default + Ord + Eq + Hash + fmt::Debug + Send + Sync + 'static {
    /// Number of bits in an address: 32 or 128.
    const WIDTH: u8;
    /// The lowest address.
    const ZERO: Self;
    /// The highest address.
    const MAX: Self;
    /// The sort key of a [`Prefix`]: one integer if one is wide enough.
    type Key: Ord;

    /// The netmask of `len` leading ones, `len` in `0..=WIDTH`.
    fn netmask(len: u8) -> Self;
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// Bitwise or.
    fn or(self, other: Self) -> Self;
    /// Bitwise complement.
    fn not(self) -> Self;
    /// The address after this one, `None` at the end of the space.
    fn next(self) -> Option<Self>;
    /// Number of zero bits at the right end.
    fn trailing_zeros(self) -> u8;
    /// Number of leading bits in common with `other`.
    fn common_len(self, other: Self) -> u8;
    /// The sort key of a prefix.
    fn key(self, len: u8) -> Self::Key;
    /// The address as the standard library writes it.
    fn to_ip(self) -> IpAddr;
}

macro_rules! impl_bits {
    ($int:ty, $width:expr, $key:ty, $to_key:expr, $to_ip:expr) => {
        impl Bits for $int {
            const WIDTH: u8 = $width;
            const ZERO: Self = 0;
            const MAX: Self = <$int>::MAX;
            type Key = $key;

            #[inline]
            fn netmask(len: u8) -> Self {
                match len {
                    0 => 0,
                    len => <$int>::MAX << ($width - len),
                }
            }
            #[inline]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline]
            fn not(self) -> Self {
                !self
            }
            #[inline]
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            #[inline]
            fn trailing_zeros(self) -> u8 {
                <$int>::trailing_zeros(self) as u8
            }
            #[inline]
            fn common_len(self, other: Self) -> u8 {
                (self ^ other).leading_zeros() as u8
            }
            #[inline]
            fn key(self, len: u8) -> $key {
                $to_key(self, len)
            }
            fn to_ip(self) -> IpAddr {
                $to_ip(self)
            }
        }
    };
}

impl_bits!(
    u32,
    32,
    u64,
    |addr: u32, len: u8| (u64::from(addr) << 8) | u64::from(len),
    |addr: u32| IpAddr::V4(Ipv4Addr::from(addr))
);
impl_bits!(
    u128,
    128,
    (u128, u8),
    |addr: u128, len: u8| (addr, len),
    |addr: u128| IpAddr::V6(Ipv6Addr::from(addr))
);

/// A network: an address whose host bits are zero, and a length in `0..=B::WIDTH`.
///
/// The order is by address and then by length, so a covering prefix sorts before those it covers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix<B> {
    addr: B,
    len: u8,
}

impl<B: Bits> Prefix<B> {
    /// The prefix of `len` bits that holds `addr`; host bits are cleared.
    ///
    /// # Panics
    /// If `len` is above the width of the family.
    #[inline]
    pub fn new(addr: B, len: u8) -> Self {
        assert!(len <= B::WIDTH, "prefix length {len} above {}", B::WIDTH);
        Self {
            addr: addr.and(B::netmask(len)),
            len,
        }
    }

    /// The single address `addr`.
    pub fn host(addr: B) -> Self {
        Self {
            addr,
            len: B::WIDTH,
        }
    }

    /// The lowest address.
    #[inline]
    pub fn first(&self) -> B {
        self.addr
    }

    /// The highest address.
    #[inline]
    pub fn last(&self) -> B {
        self.addr.or(B::netmask(self.len).not())
    }

    /// The length in bits.
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u8 {
        self.len
    }

    /// Whether every address of `other` is in `self`.
    #[inline]
    pub fn contains(&self, other: &Self) -> bool {
        self.len <= other.len && other.addr.and(B::netmask(self.len)) == self.addr
    }

    /// Whether the two share an address: one then contains the other.
    #[inline]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The prefix one bit shorter, `None` for the whole space.
    #[inline]
    pub fn parent(&self) -> Option<Self> {
        (self.len > 0).then(|| Self::new(self.addr, self.len - 1))
    }

    /// The two halves, one bit longer each, `None` for a single address.
    #[inline]
    pub fn halves(&self) -> Option<(Self, Self)> {
        if self.len == B::WIDTH {
            return None;
        }
        let len = self.len + 1;
        let low = Self {
            addr: self.addr,
            len,
        };
        let half_bit = B::netmask(len).and(B::netmask(self.len).not());
        let high = Self {
            addr: self.addr.or(half_bit),
            len,
        };
        Some((low, high))
    }

    /// Number of addresses as a share of the whole family, `0.0..=1.0`.
    pub fn share(&self) -> f64 {
        // Two to the power of minus `len`, composed from its bits: the sign and the fraction are 0,
        // the exponent is biased.
        f64::from_bits((1023 - u64::from(self.len)) << 52)
    }

    /// The integer or pair that sorts like the prefix itself.
    #[inline]
    pub fn key(&self) -> B::Key {
        self.addr.key(self.len)
    }

    /// As text: `192.0.2.0/24`, with `/` or another character between address and length.
    pub(crate) fn text(&self, between: u8) -> Short {
        let mut text = Short::new();
        text.address(self.addr.to_ip());
        text.byte(between);
        text.octet(self.len);
        text
    }

    /// The prefix as [`IpNet`], the type for both families.
    pub fn to_net(&self) -> IpNet {
        match self.addr.to_ip() {
            IpAddr::V4(addr) => IpNet::V4(Ipv4Net::new_assert(addr, self.len)),
            IpAddr::V6(addr) => IpNet::V6(Ipv6Net::new_assert(addr, self.len)),
        }
    }
}

impl<B: Bits> fmt::Display for Prefix<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(b'/').as_str())
    }
}

impl<B: Bits> fmt::Debug for Prefix<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether two networks share an address: one then contains the other.
pub fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

impl From<Ipv4Net> for Prefix<u32> {
    fn from(net: Ipv4Net) -> Self {
        Self::new(net.addr().into(), net.prefix_len())
    }
}

impl From<Ipv6Net> for Prefix<u128> {
    fn from(net: Ipv6Net) -> Self {
        Self::new(net.addr().into(), net.prefix_len())
    }
}
