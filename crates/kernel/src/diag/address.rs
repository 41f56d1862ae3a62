//! Addresses of connections as one comparable number.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An address; IPv4 as `::ffff:a.b.c.d`, so that a connection is the same whichever kind of socket holds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Address(u128);

impl Address {
    const MAPPED: u128 = 0xffff << 32;
    /// `0.0.0.0`
    pub const ANY_V4: Self = Self(Self::MAPPED);
    /// `::`
    pub const ANY_V6: Self = Self(0);

    #[inline]
    pub const fn from_v4(octets: [u8; 4]) -> Self {
        Self(Self::MAPPED | u32::from_be_bytes(octets) as u128)
    }

    #[inline]
    pub const fn from_v6(octets: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(octets))
    }

    #[inline]
    pub const fn is_v4(self) -> bool {
        self.0 >> 32 == 0xffff
    }

    /// Mixed into 64 bits.
    #[inline]
    pub const fn halves(self) -> (u64, u64) {
        ((self.0 >> 64) as u64, self.0 as u64)
    }

    pub fn to_ip(self) -> IpAddr {
        Ipv6Addr::from_bits(self.0).to_canonical()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}
