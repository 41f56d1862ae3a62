//! An IP packet that may be changed: where its TCP header lies, what it says, and edits that keep checksums right.
//!
//! Offsets are those of RFC 791, RFC 8200 and RFC 9293. Only packets of our own kernel come here, yet nothing is trusted:
//! what does not parse is [`None`] and is forwarded as it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use halfopen_wire::Flags;

const PROTOCOL_TCP: u8 = 6;
const V4_HEADER: usize = 20;
const V6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
/// Mask of the offset in the flags word, RFC 791 section 3.1.
const FRAGMENT_OFFSET: u16 = 0x1fff;
/// Kinds of TCP options without a length.
const END: u8 = 0;
const NOP: u8 = 1;

/// Where things are in a TCP packet, and what they say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tcp {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// Flags.
    pub flags: Flags,
    /// Bytes of payload.
    pub payload_len: usize,
    header: usize,
    payload: usize,
}

fn word16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl Tcp {
    /// The TCP segment in `packet`; `None` for anything else, later fragments and IPv6 extension headers included.
    pub fn of(packet: &[u8]) -> Option<Self> {
        let (source, destination, header, end) = addresses(packet)?;
        let payload = header + usize::from(packet.get(header + 12)? >> 4) * 4;
        if payload < header + TCP_HEADER || payload > end {
            return None;
        }
        Some(Self {
            source: SocketAddr::new(source, word16(packet, header)?),
            destination: SocketAddr::new(destination, word16(packet, header + 2)?),
            seq: word32(packet, header + 4)?,
            ack: word32(packet, header + 8)?,
            flags: Flags(word16(packet, header + 12)? & 0x1ff),
            payload_len: end - payload,
            header,
            payload,
        })
    }

    /// Overwrites every option of `kind` with NOPs. Whether there was one.
    pub fn strip_option(&self, packet: &mut [u8], kind: u8) -> bool {
        let mut at = self.header + TCP_HEADER;
        let mut found = false;
        while at < self.payload {
            let length = match packet[at] {
                END => break,
                NOP => 1,
                _ if at + 1 < self.payload => usize::from(packet[at + 1]).max(2),
                _ => break,
            };
            let end = (at + length).min(self.payload);
            if packet[at] == kind && kind > NOP {
                packet[at..end].fill(NOP);
                found = true;
            }
            at = end;
        }
        if found {
            self.fix_checksum(packet);
        }
        found
    }

    /// Takes the payload off. Whether there was one.
    pub fn strip_payload(&self, packet: &mut Vec<u8>) -> bool {
        if self.payload_len == 0 {
            return false;
        }
        packet.truncate(self.payload);
        set_length(packet);
        self.fix_checksum(packet);
        true
    }

    /// The RST that a closed port would answer with (RFC 9293 section 3.10.7.1).
    pub fn reset(&self, packet: &[u8]) -> Vec<u8> {
        let mut answer = ip_header(self.destination.ip(), self.source.ip(), PROTOCOL_TCP, TCP_HEADER);
        let header = answer.len();
        let occupied =
            self.payload_len as u32 + u32::from(self.flags.has(Flags::SYN)) + u32::from(self.flags.has(Flags::FIN));
        let (seq, ack, flags) = if self.flags.has(Flags::ACK) {
            (self.ack, 0, Flags::RST)
        } else {
            (0, self.seq.wrapping_add(occupied), Flags::RST | Flags::ACK)
        };
        answer.extend(&packet[self.header + 2..self.header + 4]);
        answer.extend(&packet[self.header..self.header + 2]);
        answer.extend(seq.to_be_bytes());
        answer.extend(ack.to_be_bytes());
        answer.extend((5_u16 << 12 | flags).to_be_bytes());
        answer.extend([0; 6]);
        fix_tcp_checksum(&mut answer, header);
        answer
    }

    fn fix_checksum(&self, packet: &mut [u8]) {
        fix_tcp_checksum(packet, self.header);
    }
}

/// The ICMP or ICMPv6 error «administratively prohibited» about `packet`, as a firewall in the way would send it.
/// The sender is the packet's destination: a link has no address of its own.
pub fn prohibited(packet: &[u8]) -> Option<Vec<u8>> {
    let (source, destination, header, end) = addresses(packet)?;
    let quoted = &packet[..end.min(header + 8)];
    let v6 = source.is_ipv6();
    let (protocol, kind, code) = if v6 { (58, 1, 1) } else { (1, 3, 13) };
    let mut answer = ip_header(destination, source, protocol, 8 + quoted.len());
    let icmp = answer.len();
    answer.extend([kind, code, 0, 0, 0, 0, 0, 0]);
    answer.extend(quoted);
    let seed = if v6 { pseudo_header(&answer, icmp, protocol) } else { 0 };
    let sum = checksum(&answer[icmp..], seed);
    answer[icmp + 2..icmp + 4].copy_from_slice(&sum.to_be_bytes());
    Some(answer)
}

/// Sender, receiver, offset of the TCP header and end of the packet by its own length.
fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr, usize, usize)> {
    match packet.first()? >> 4 {
        4 => {
            let header = usize::from(packet[0] & 0x0f) * 4;
            let end = usize::from(word16(packet, 2)?);
            let first_fragment = word16(packet, 6)? & FRAGMENT_OFFSET == 0;
            let address = |at| Some(IpAddr::V4(Ipv4Addr::from(word32(packet, at)?)));
            let fits = (V4_HEADER..=end).contains(&header) && end <= packet.len();
            (fits && first_fragment && *packet.get(9)? == PROTOCOL_TCP).then_some((
                address(12)?,
                address(16)?,
                header,
                end,
            ))
        }
        6 => {
            let end = V6_HEADER + usize::from(word16(packet, 4)?);
            let address = |at: usize| {
                let bytes: [u8; 16] = packet.get(at..at + 16)?.try_into().ok()?;
                Some(IpAddr::V6(Ipv6Addr::from(bytes)))
            };
            (end <= packet.len() && *packet.get(6)? == PROTOCOL_TCP).then_some((
                address(8)?,
                address(24)?,
                V6_HEADER,
                end,
            ))
        }
        _ => None,
    }
}

/// A header without options, for `length` bytes to come. Mixed address families do not occur: both come from one packet.
pub(crate) fn ip_header(source: IpAddr, destination: IpAddr, protocol: u8, length: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(V6_HEADER + length);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            header.extend([0x45, 0]);
            header.extend(((V4_HEADER + length) as u16).to_be_bytes());
            header.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            header.extend(source.octets());
            header.extend(destination.octets());
            fix_v4_checksum(&mut header);
        }
        (source, destination) => {
            header.extend([0x60, 0, 0, 0]);
            header.extend((length as u16).to_be_bytes());
            header.extend([protocol, 64]);
            for address in [source, destination] {
                match address {
                    IpAddr::V6(address) => header.extend(address.octets()),
                    IpAddr::V4(address) => header.extend(address.to_ipv6_mapped().octets()),
                }
            }
        }
    }
    header
}

/// Writes the packet's real length into its header.
fn set_length(packet: &mut [u8]) {
    if packet[0] >> 4 == 4 {
        let length = packet.len() as u16;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        fix_v4_checksum(packet);
    } else {
        let length = (packet.len() - V6_HEADER) as u16;
        packet[4..6].copy_from_slice(&length.to_be_bytes());
    }
}

fn fix_v4_checksum(packet: &mut [u8]) {
    let header = usize::from(packet[0] & 0x0f) * 4;
    packet[10..12].fill(0);
    let sum = checksum(&packet[..header], 0);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

pub(crate) fn fix_tcp_checksum(packet: &mut [u8], header: usize) {
    packet[header + 16..header + 18].fill(0);
    let sum = checksum(&packet[header..], pseudo_header(packet, header, PROTOCOL_TCP));
    packet[header + 16..header + 18].copy_from_slice(&sum.to_be_bytes());
}

/// Sum over the pseudo header, RFC 9293 section 3.1 and RFC 8200 section 8.1.
fn pseudo_header(packet: &[u8], header: usize, protocol: u8) -> u64 {
    let addresses = if packet[0] >> 4 == 4 {
        &packet[12..20]
    } else {
        &packet[8..40]
    };
    sum(addresses) + u64::from(protocol) + (packet.len() - header) as u64
}

fn sum(bytes: &[u8]) -> u64 {
    let mut pairs = bytes.chunks_exact(2);
    let whole: u64 = pairs
        .by_ref()
        .map(|pair| u64::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    whole + pairs.remainder().first().map_or(0, |byte| u64::from(*byte) << 8)
}

/// The Internet checksum, RFC 1071.
fn checksum(bytes: &[u8], seed: u64) -> u16 {
    let mut total = sum(bytes) + seed;
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}

#[cfg(test)]
mod tests {
    use super::{Tcp, addresses, checksum, prohibited, pseudo_header};
    use halfopen_wire::Flags;

    /// A SYN from 10.0.0.1:1025 to 10.0.0.2:80 with MSS, window scale and five bytes of data.
    fn syn() -> Vec<u8> {
        let mut packet = super::ip_header([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 6, 28 + 5);
        packet.extend([
            4, 1, 0, 80, // ports
            0, 0, 0, 100, // sequence number
            0, 0, 0, 0, // acknowledgment number
            0x70, 0x02, 0xff, 0xff, // 28 bytes of header, SYN, window
            0, 0, 0, 0, // checksum, urgent pointer
            2, 4, 5, 0xb4, // MSS 1460
            3, 3, 7, 1, // window scale 7, NOP
        ]);
        packet.extend(b"hello");
        super::fix_tcp_checksum(&mut packet, 20);
        packet
    }

    fn sums_are_right(packet: &[u8]) -> bool {
        let (_, _, header, end) = addresses(packet).expect("a TCP packet");
        end == packet.len()
            && checksum(&packet[header..], pseudo_header(packet, header, 6)) == 0
            && (packet[0] >> 4 == 6 || checksum(&packet[..header], 0) == 0)
    }

    #[test]
    fn a_syn_is_understood() {
        let packet = syn();
        let tcp = Tcp::of(&packet).expect("TCP");
        assert_eq!((tcp.seq, tcp.flags, tcp.payload_len), (100, Flags(Flags::SYN), 5));
        assert_eq!(tcp.source.to_string(), "10.0.0.1:1025");
        assert!(sums_are_right(&packet));
    }

    #[test]
    fn edits_keep_the_checksums_right() {
        let mut packet = syn();
        let tcp = Tcp::of(&packet).expect("TCP");
        assert!(tcp.strip_option(&mut packet, 3));
        assert_eq!(packet[44..48], [1, 1, 1, 1]);
        assert!(sums_are_right(&packet));
        assert!(!tcp.strip_option(&mut packet, 3), "it is gone");
        assert!(tcp.strip_payload(&mut packet));
        assert_eq!(Tcp::of(&packet).expect("still TCP").payload_len, 0);
        assert!(sums_are_right(&packet));
    }

    #[test]
    fn a_reset_acknowledges_the_syn_and_its_data() {
        let packet = syn();
        let reset = Tcp::of(&packet).expect("TCP").reset(&packet);
        let tcp = Tcp::of(&reset).expect("TCP");
        assert_eq!((tcp.flags, tcp.ack), (Flags(Flags::RST | Flags::ACK), 106));
        assert_eq!(tcp.destination.to_string(), "10.0.0.1:1025");
        assert!(sums_are_right(&reset));
    }

    #[test]
    fn an_icmp_error_quotes_the_ports_and_the_number() {
        let error = prohibited(&syn()).expect("an error");
        assert_eq!(error[20..22], [3, 13]);
        assert_eq!(error[error.len() - 8..], syn()[20..28]);
        assert_eq!(checksum(&error[20..], 0), 0);
    }

    #[test]
    fn every_cut_is_harmless() {
        let whole = syn();
        for end in 0..whole.len() {
            assert_eq!(Tcp::of(&whole[..end]), None);
            assert_eq!(prohibited(&whole[..end]), None);
        }
    }
}
