//! IP addresses as one comparable, hashable, 17-byte value.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 or IPv6 address. IPv4 is stored as its 32 bits in the low end of [`Address::bits`]; [`Address::v6`] keeps the
/// families apart, so that `::ffff:1.2.3.4` in an IPv6 header is not the host `1.2.3.4` of an IPv4 header.
///
/// Aligned as 8 bytes are: 24 bytes instead of 32, and each packet that crosses threads has two of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(Rust, packed(8))]
pub struct Address {
    /// True for IPv6.
    pub v6: bool,
    /// The address as a number: 32 significant bits for IPv4, 128 for IPv6.
    pub bits: u128,
}

impl Address {
    /// An IPv4 address from its four octets in network order.
    pub const fn from_v4(octets: [u8; 4]) -> Self {
        Self {
            v6: false,
            bits: u32::from_be_bytes(octets) as u128,
        }
    }

    /// An IPv6 address from its sixteen octets in network order.
    pub const fn from_v6(octets: [u8; 16]) -> Self {
        Self {
            v6: true,
            bits: u128::from_be_bytes(octets),
        }
    }

    /// The standard library's form, for printing and parsing.
    pub fn to_ip(self) -> IpAddr {
        if self.v6 {
            IpAddr::V6(Ipv6Addr::from_bits(self.bits))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(self.bits as u32))
        }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(a) => Self::from_v4(a.octets()),
            IpAddr::V6(a) => Self::from_v6(a.octets()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}
