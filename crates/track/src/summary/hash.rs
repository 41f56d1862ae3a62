//! Fast hashing of addresses: `SipHash` would cost more than all the rest of the work on an unanswered SYN.

use std::hash::{BuildHasher, Hasher, RandomState};

use halfopen_wire::Address;

/// Mixes 128 bits into 64: one wide multiplication, its halves folded onto each other.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let wide = (a as u128).wrapping_mul(b as u128);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// A hash of an address that is the same in every run, so that estimates can be repeated.
#[inline]
pub fn stable(address: Address) -> u64 {
    let low = address.bits as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let high = (address.bits >> 64) as u64 ^ 0xbf58_476d_1ce4_e5b9 ^ (u64::from(address.v6) << 63);
    // Two rounds of the murmur3 finalizer: the leading bits must look random even for consecutive addresses.
    let mut h = low ^ fold(high, 0x94d0_49bb_1331_11eb);
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// Builds the hashers of the tables. Seeded anew for each table, since a capture may be made to collide.
#[derive(Clone, Copy, Debug)]
pub struct Seed(u64);

impl Seed {
    /// A random seed.
    pub fn random() -> Self {
        Self(RandomState::new().hash_one(0u64))
    }
}

impl BuildHasher for Seed {
    type Hasher = Folding;

    #[inline]
    fn build_hasher(&self) -> Folding {
        Folding(self.0)
    }
}

/// Folds each written number into the state by a wide multiplication.
#[derive(Clone, Copy, Debug)]
pub struct Folding(u64);

impl Hasher for Folding {
    #[inline]
    fn finish(&self) -> u64 {
        fold(self.0, 0x9e37_79b9_7f4a_7c15)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }

    #[inline]
    fn write_u16(&mut self, n: u16) {
        self.write_u64(u64::from(n));
    }

    #[inline]
    fn write_u64(&mut self, n: u64) {
        // The added constant keeps a state of 0 from swallowing what follows.
        self.0 = fold(self.0 ^ n, 0xa076_1d64_78bd_642f).wrapping_add(0xe703_7ed1_a0b4_28db);
    }

    #[inline]
    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        // The upper half of an IPv4 address is always 0: one round is enough for it.
        if n >> 64 != 0 {
            self.write_u64((n >> 64) as u64);
        }
    }
}
