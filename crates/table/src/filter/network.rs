//! `server in "10.0.0.0/8"`: an address block, RFC 4632 and RFC 4291 section 2.3.

use std::net::IpAddr;

use halfopen_wire::Address;

/// The addresses that share a prefix; a single address is a block of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: Address,
    mask: u128,
}

impl Network {
    /// Reads `ADDRESS` or `ADDRESS/LENGTH`. Bits beyond the length are ignored, as `ip route get` and `tcpdump net` do not,
    /// but a person who pastes the address of a host with its prefix means its network.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address = Address::from(address.parse::<IpAddr>().ok()?);
        let width: u32 = if address.v6 { 128 } else { 32 };
        let length = match length {
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
            None => width,
        };
        let host_bits = width.checked_sub(length)?;
        Some(Self {
            address,
            mask: u128::MAX.checked_shl(host_bits).unwrap_or(0),
        })
    }

    /// Whether `address` is in the block.
    pub fn contains(&self, address: Address) -> bool {
        address.v6 == self.address.v6 && (address.bits ^ self.address.bits) & self.mask == 0
    }
}
