//! Lists of any size, the same at every run: shaped like a real union of lists (half of it hosts, a
//! third /24, the rest shorter), without any publisher's data.

#![allow(dead_code)]

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A generator of numbers that needs no crate (xorshift64*, Vigna).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// `count` lines of a plain list: addresses from 11.0.0.0 to 99.255.255.255.
pub fn plain(count: usize) -> String {
    let mut numbers = Numbers::new(42);
    let mut out = String::with_capacity(count * 18);
    for _ in 0..count {
        let n = numbers.next();
        let addr = ((n >> 32) as u32) % (89 << 24) + (11 << 24);
        let len = match n % 100 {
            0..55 => 32,
            55..88 => 24,
            88..96 => 22,
            _ => 20,
        };
        let addr = addr & (u32::MAX << (32 - len));
        let _ = match len {
            32 => writeln!(out, "{}", Ipv4Addr::from(addr)),
            _ => writeln!(out, "{}/{len}", Ipv4Addr::from(addr)),
        };
    }
    out
}

/// The same of IPv6: `2xxx::`, a half of it /48, others /32 and /64, some hosts.
pub fn plain_v6(count: usize) -> String {
    let mut numbers = Numbers::new(43);
    let mut out = String::with_capacity(count * 26);
    for _ in 0..count {
        let n = numbers.next();
        let high = u128::from(numbers.next() >> 3 | 0x2 << 60) << 64;
        let len = match n % 100 {
            0..5 => 128,
            5..30 => 64,
            30..80 => 48,
            _ => 32,
        };
        let addr = (high | u128::from(n)) & (u128::MAX << (128 - len));
        let _ = writeln!(out, "{}/{len}", Ipv6Addr::from(addr));
    }
    out
}

/// A list in the size and shape of DROP: 1 700 networks from /12 to /24, with SBL numbers.
pub fn drop_json() -> String {
    let mut numbers = Numbers::new(7);
    let mut records = String::new();
    for i in 0..1_700 {
        let n = numbers.next();
        let addr = ((n >> 32) as u32) % (89 << 24) + (11 << 24);
        let len = [24, 24, 24, 22, 22, 20, 19, 16][(n % 8) as usize];
        let net = Ipv4Addr::from(addr & (u32::MAX << (32 - len)));
        let _ = writeln!(
            records,
            "{{\"cidr\":\"{net}/{len}\",\"sblid\":\"SBL{}\",\"rir\":\"arin\"}}",
            100_000 + i
        );
    }
    let size = records.len();
    let _ = writeln!(
        records,
        "{{\"type\":\"metadata\",\"timestamp\":1790000000,\"size\":{size},\"records\":1700}}"
    );
    records
}
