//! Which packets: handshakes or all of TCP, of some addresses and ports or of all; as a program for the kernel.
//!
//! Every interface at once may be captured, so the program looks at the kind of each (`SKF_AD_HATYPE`): an Ethernet header
//! with up to two VLAN tags in band, or none. A tag that the kernel took off is not seen by the program, and need not be.

use std::fmt;
use std::net::IpAddr;

use super::program::{Label, Program, op};

/// Addresses and ports that a filter can name: jumps of classic BPF reach 255 statements.
pub const MAX_ADDRESSES: usize = 4;
/// Bytes that hold an Ethernet header, IPv6 with an extension header, and a TCP header with options.
pub const SNAPLEN_MIN: u32 = 128;
/// As [`MAX_ADDRESSES`].
pub const MAX_PORTS: usize = 8;

/// What of TCP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// What opens and closes connections: SYN, SYN-ACK, FIN, RST, and every segment without data, of which the third packet
    /// of a handshake is one (unless it carries data).
    Handshakes,
    /// Every segment.
    Everything,
}

/// What is captured, ICMP errors always included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Which segments.
    pub what: What,
    /// From or to one of these; all when empty. Does not concern ICMP.
    pub addresses: Vec<IpAddr>,
    /// From or to one of these; all when empty. Does not concern ICMP.
    pub ports: Vec<u16>,
    /// Bytes that are kept of each packet.
    pub snaplen: u32,
}

/// More addresses or ports than a filter can name, or fewer bytes than a handshake needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilterError;

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a capture takes at most {MAX_ADDRESSES} addresses and {MAX_PORTS} ports, and at least {SNAPLEN_MIN} bytes of a packet"
        )
    }
}

impl std::error::Error for FilterError {}

/// `SKF_AD_OFF + SKF_AD_PKTTYPE`, `SKF_AD_HATYPE`.
const PACKET_TYPE: u32 = (-0x1000_i32 + 4) as u32;
const HARDWARE_TYPE: u32 = (-0x1000_i32 + 28) as u32;

const ETHERNET_HEADER: u32 = 14;
const VLAN_TAG: u32 = 4;
/// Of IPv6.
const V6_HEADER: u32 = 40;
/// Extension headers of IPv6 that are followed.
const EXTENSIONS: usize = 3;

/// Scratch memory: where the IP packet ends, and the next header while X is moved.
const END: u32 = 0;
const NEXT: u32 = 1;

/// Where the parts of the program begin.
struct Parts {
    v4: Label,
    v6: Label,
    tcp: Label,
    accept: Label,
    reject: Label,
}

impl Filter {
    /// Whether it can be compiled.
    pub fn check(&self) -> Result<(), FilterError> {
        self.compile().map(drop)
    }

    /// The program.
    pub(super) fn compile(&self) -> Result<Vec<libc::sock_filter>, FilterError> {
        if self.addresses.len() > MAX_ADDRESSES || self.ports.len() > MAX_PORTS || self.snaplen < SNAPLEN_MIN {
            return Err(FilterError);
        }
        let mut program = Program::default();
        let p = &mut program;
        let parts = Parts {
            v4: p.label(),
            v6: p.label(),
            tcp: p.label(),
            accept: p.label(),
            reject: p.label(),
        };
        link_layer(p, &parts);
        self.v4(p, &parts);
        self.v6(p, &parts);
        self.tcp(p, &parts);
        p.bind(parts.accept);
        p.put(op::RETURN, self.snaplen);
        p.bind(parts.reject);
        p.put(op::RETURN, 0);
        program.finish().ok_or(FilterError)
    }

    /// X is where the IPv4 header begins.
    fn v4(&self, p: &mut Program, parts: &Parts) {
        let (icmp, segment) = (p.label(), p.label());
        p.bind(parts.v4);
        p.put(op::LOAD_BYTE_X, 9);
        p.when(op::IF_EQUAL, libc::IPPROTO_ICMP as u32, icmp);
        p.branch(op::IF_EQUAL, libc::IPPROTO_TCP as u32, segment, parts.reject);
        p.bind(icmp);
        v4_payload(p, parts);
        p.put(op::LOAD_BYTE_X, 0);
        // Destination unreachable, time exceeded, parameter problem.
        for kind in [3, 11, 12] {
            p.when(op::IF_EQUAL, kind, parts.accept);
        }
        p.go(parts.reject);
        p.bind(segment);
        let addresses = self.addresses.iter().filter_map(|address| match address {
            IpAddr::V4(v4) => Some(vec![u32::from(*v4)]),
            IpAddr::V6(_) => None,
        });
        self.address(p, parts, addresses.collect(), [12, 16]);
        p.put(op::LOAD_HALF_X, 2);
        p.put(op::ADD_X, 0);
        p.put(op::STORE, END);
        v4_payload(p, parts);
        p.go(parts.tcp);
    }

    /// X is where the IPv6 header begins.
    fn v6(&self, p: &mut Program, parts: &Parts) {
        let icmp = p.label();
        p.bind(parts.v6);
        let addresses = self.addresses.iter().filter_map(|address| match address {
            IpAddr::V6(v6) => Some(words(u128::from(*v6))),
            IpAddr::V4(_) => None,
        });
        p.put(op::LOAD_BYTE_X, 6);
        let segment = p.label();
        p.when(op::IF_EQUAL, libc::IPPROTO_ICMPV6 as u32, segment);
        self.address(p, parts, addresses.collect(), [8, 24]);
        p.bind(segment);
        p.put(op::LOAD_HALF_X, 4);
        p.put(op::ADD_X, 0);
        p.put(op::ADD, V6_HEADER);
        p.put(op::STORE, END);
        p.put(op::LOAD_BYTE_X, 6);
        advance(p, V6_HEADER);
        for _ in 0..EXTENSIONS {
            extension(p, parts, icmp);
        }
        p.when(op::IF_EQUAL, libc::IPPROTO_ICMPV6 as u32, icmp);
        p.branch(op::IF_EQUAL, libc::IPPROTO_TCP as u32, parts.tcp, parts.reject);
        p.bind(icmp);
        p.put(op::LOAD_BYTE_X, 0);
        // Errors of ICMPv6 are those below 128 (RFC 4443 section 2.1).
        p.branch(op::IF_SET, 0x80, parts.reject, parts.accept);
    }

    /// Goes on when one of the two addresses at these offsets is wanted.
    fn address(&self, p: &mut Program, parts: &Parts, wanted: Vec<Vec<u32>>, offsets: [u32; 2]) {
        if self.addresses.is_empty() {
            return;
        }
        let found = p.label();
        for address in wanted {
            for offset in offsets {
                let other = p.label();
                for (index, word) in address.iter().enumerate() {
                    p.put(op::LOAD_WORD_X, offset + 4 * index as u32);
                    p.unless(op::IF_EQUAL, *word, other);
                }
                p.go(found);
                p.bind(other);
            }
        }
        p.go(parts.reject);
        p.bind(found);
    }

    /// X is where the TCP header begins.
    fn tcp(&self, p: &mut Program, parts: &Parts) {
        p.bind(parts.tcp);
        if !self.ports.is_empty() {
            let found = p.label();
            for offset in [0, 2] {
                p.put(op::LOAD_HALF_X, offset);
                for port in &self.ports {
                    p.when(op::IF_EQUAL, u32::from(*port), found);
                }
            }
            p.go(parts.reject);
            p.bind(found);
        }
        if self.what == What::Everything {
            p.go(parts.accept);
            return;
        }
        // FIN, SYN, RST.
        p.put(op::LOAD_BYTE_X, 13);
        p.when(op::IF_SET, 0x07, parts.accept);
        // The header ends where the packet does: offset in words in the upper four bits.
        p.put(op::LOAD_BYTE_X, 12);
        p.put(op::SHIFT_RIGHT, 2);
        p.put(op::AND, 0x3c);
        p.put(op::ADD_X, 0);
        p.put(op::A_TO_X, 0);
        p.put(op::LOAD_MEMORY, END);
        p.put(op::SUBTRACT_X, 0);
        p.branch(op::IF_EQUAL, 0, parts.accept, parts.reject);
    }
}

/// Finds the IP header: X, and which version.
fn link_layer(p: &mut Program, parts: &Parts) {
    let (ethernet, raw, loopback) = (p.label(), p.label(), p.label());
    p.put(op::LOAD_WORD, HARDWARE_TYPE);
    p.when(op::IF_EQUAL, u32::from(libc::ARPHRD_ETHER), ethernet);
    p.branch(op::IF_EQUAL, u32::from(libc::ARPHRD_LOOPBACK), loopback, raw);

    p.bind(raw);
    p.put(op::SET_X, 0);
    p.put(op::LOAD_BYTE_X, 0);
    p.put(op::AND, 0xf0);
    p.when(op::IF_EQUAL, 0x40, parts.v4);
    p.branch(op::IF_EQUAL, 0x60, parts.v6, parts.reject);

    // Loopback shows each packet twice: once when it goes out, once when it comes in.
    p.bind(loopback);
    p.put(op::LOAD_WORD, PACKET_TYPE);
    p.when(op::IF_EQUAL, u32::from(libc::PACKET_OUTGOING), parts.reject);

    p.bind(ethernet);
    for tags in 0..3 {
        let start = ETHERNET_HEADER + tags * VLAN_TAG;
        let tagged = p.label();
        p.put(op::SET_X, start);
        p.put(op::LOAD_HALF, start - 2);
        p.when(op::IF_EQUAL, libc::ETH_P_IP as u32, parts.v4);
        p.when(op::IF_EQUAL, libc::ETH_P_IPV6 as u32, parts.v6);
        if tags < 2 {
            p.when(op::IF_EQUAL, libc::ETH_P_8021Q as u32, tagged);
            p.branch(op::IF_EQUAL, libc::ETH_P_8021AD as u32, tagged, parts.reject);
        } else {
            p.go(parts.reject);
        }
        p.bind(tagged);
    }
}

/// Moves X from an IPv4 header to what it carries; later fragments carry no header.
fn v4_payload(p: &mut Program, parts: &Parts) {
    p.put(op::LOAD_HALF_X, 6);
    p.when(op::IF_SET, 0x1fff, parts.reject);
    p.put(op::LOAD_BYTE_X, 0);
    p.put(op::AND, 0x0f);
    p.put(op::SHIFT_LEFT, 2);
    p.put(op::ADD_X, 0);
    p.put(op::A_TO_X, 0);
}

/// X += k, and A as it was.
fn advance(p: &mut Program, k: u32) {
    p.put(op::STORE, NEXT);
    p.put(op::X_TO_A, 0);
    p.put(op::ADD, k);
    p.put(op::A_TO_X, 0);
    p.put(op::LOAD_MEMORY, NEXT);
}

/// A is the type of the header at X. Behind an extension header, A and X are those of the next.
fn extension(p: &mut Program, parts: &Parts, icmp: Label) {
    let (options, fragment, done) = (p.label(), p.label(), p.label());
    p.when(op::IF_EQUAL, libc::IPPROTO_TCP as u32, parts.tcp);
    p.when(op::IF_EQUAL, libc::IPPROTO_ICMPV6 as u32, icmp);
    for kind in [libc::IPPROTO_HOPOPTS, libc::IPPROTO_ROUTING, libc::IPPROTO_DSTOPTS] {
        p.when(op::IF_EQUAL, kind as u32, options);
    }
    p.branch(op::IF_EQUAL, libc::IPPROTO_FRAGMENT as u32, fragment, parts.reject);

    // Type, length in units of 8 bytes without the first.
    p.bind(options);
    p.put(op::LOAD_BYTE_X, 0);
    p.put(op::STORE, NEXT);
    p.put(op::LOAD_BYTE_X, 1);
    p.put(op::ADD, 1);
    p.put(op::SHIFT_LEFT, 3);
    p.put(op::ADD_X, 0);
    p.put(op::A_TO_X, 0);
    p.put(op::LOAD_MEMORY, NEXT);
    p.go(done);

    p.bind(fragment);
    p.put(op::LOAD_HALF_X, 2);
    p.when(op::IF_SET, 0xfff8, parts.reject);
    p.put(op::LOAD_BYTE_X, 0);
    advance(p, 8);
    p.bind(done);
}

fn words(address: u128) -> Vec<u32> {
    [96, 64, 32, 0].map(|shift| (address >> shift) as u32).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_filter_fits_into_the_jumps_of_classic_bpf() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let address: IpAddr = address.parse().expect("an address");
            for what in [What::Handshakes, What::Everything] {
                let filter = Filter {
                    what,
                    addresses: vec![address; MAX_ADDRESSES],
                    ports: vec![443; MAX_PORTS],
                    snaplen: 256,
                };
                assert_eq!(filter.check(), Ok(()), "{address} {what:?}");
            }
        }
    }

    #[test]
    fn more_is_refused() {
        let filter = Filter {
            what: What::Everything,
            addresses: Vec::new(),
            ports: vec![443; MAX_PORTS + 1],
            snaplen: 256,
        };
        assert_eq!(filter.check(), Err(FilterError));
    }
}
