//! Which flow a segment belongs to: the four-tuple in either direction, within its tags and tunnels.

use halfopen_wire::{Address, EncapId, Segment};
use std::hash::{BuildHasher, RandomState};

/// Both endpoints, the smaller first, and the encapsulation. 40 bytes without padding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    low: [u64; 2],
    high: [u64; 2],
    low_port: u16,
    high_port: u16,
    /// The part of the encapsulation that both directions share; bit 31 is set for IPv6.
    encap: u32,
}

const V6: u32 = 1 << 31;

const fn halves(address: Address) -> [u64; 2] {
    [(address.bits >> 64) as u64, address.bits as u64]
}

impl Key {
    /// The key of a segment, and whether its sender is the low end.
    pub fn of(segment: &Segment) -> (Self, bool) {
        Self::new(
            segment.src,
            segment.src_port,
            segment.dst,
            segment.dst_port,
            segment.encap,
        )
    }

    /// The key of what goes from `src` to `dst`, and whether `src` is its low end.
    pub fn new(src: Address, src_port: u16, dst: Address, dst_port: u16, encap: EncapId) -> (Self, bool) {
        let (s, d) = (halves(src), halves(dst));
        let src_is_low = (s, src_port) <= (d, dst_port);
        let encap = encap.network().0 & !V6 | if src.v6 { V6 } else { 0 };
        let key = if src_is_low {
            Self {
                low: s,
                high: d,
                low_port: src_port,
                high_port: dst_port,
                encap,
            }
        } else {
            Self {
                low: d,
                high: s,
                low_port: dst_port,
                high_port: src_port,
                encap,
            }
        };
        (key, src_is_low)
    }

    /// Whether both ends are one: a connection to itself.
    pub const fn is_self(&self) -> bool {
        self.low_port == self.high_port && self.low[0] == self.high[0] && self.low[1] == self.high[1]
    }

    const fn address(&self, half: [u64; 2]) -> Address {
        Address {
            v6: self.encap & V6 != 0,
            bits: (half[0] as u128) << 64 | half[1] as u128,
        }
    }

    /// Address and port of the low end (`true`) or the high end.
    pub const fn end(&self, low: bool) -> (Address, u16) {
        if low {
            (self.address(self.low), self.low_port)
        } else {
            (self.address(self.high), self.high_port)
        }
    }
}

/// Hashes keys with a secret of this run: a capture cannot be made to collide.
#[derive(Clone, Copy, Debug)]
pub struct KeyHasher([u64; 2]);

impl Default for KeyHasher {
    fn default() -> Self {
        let random = RandomState::new();
        Self([random.hash_one(1u8) | 1, random.hash_one(2u8) | 1])
    }
}

const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    product as u64 ^ (product >> 64) as u64
}

impl KeyHasher {
    /// 64 well-mixed bits.
    pub const fn hash(&self, key: &Key) -> u64 {
        let ports = (key.low_port as u64) << 48 | (key.high_port as u64) << 32 | key.encap as u64;
        let a = fold(key.low[0] ^ self.0[0], key.low[1] ^ 0x9E37_79B9_7F4A_7C15);
        let b = fold(key.high[0] ^ self.0[1], key.high[1] ^ 0xD6E8_FEB8_6659_FD93);
        // IPv4 and one-prefix IPv6 differ in the low halves only: mix them once more with the ports.
        let c = fold(key.low[1] ^ ports, key.high[1] ^ self.0[0]);
        fold(a ^ c ^ self.0[1], b ^ ports.rotate_left(17) ^ self.0[0])
    }
}
