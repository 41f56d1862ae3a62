//! Whom a load may be aimed at without asking.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is the machine itself, or belongs to a range that is never routed on the public Internet: loopback
/// (RFC 1122, RFC 4291), private (RFC 1918, RFC 4193) or link-local (RFC 3927, RFC 4291). Everything else, shared
/// address space of carriers (RFC 6598) included, may be a stranger's.
pub fn is_loopback_or_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_local_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| is_local_v6(v6), is_local_v4),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    // 0.0.0.0 as a destination is this host on Linux (`ip_route_output_key_hash_rcu`).
    address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local() || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_where_their_rfc_says() {
        let cases = [
            ("127.0.0.1", true),
            ("127.255.255.255", true),
            ("128.0.0.1", false),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("172.15.255.255", false),
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("192.168.0.1", true),
            ("192.169.0.1", false),
            ("169.254.1.1", true),
            ("100.64.0.1", false),
            ("0.0.0.0", true),
            ("8.8.8.8", false),
            ("::1", true),
            ("::", true),
            ("fc00::1", true),
            ("fdff::1", true),
            ("fe80::1", true),
            ("fec0::1", false),
            ("2001:db8::1", false),
            ("::ffff:10.0.0.1", true),
            ("::ffff:8.8.8.8", false),
        ];
        for (text, local) in cases {
            assert_eq!(
                is_loopback_or_private(text.parse().expect("a literal address")),
                local,
                "{text}"
            );
        }
    }
}
