//! The link layer of the file, LINKTYPE_LINUX_SLL2 (276): what an interface's own header said, in one form for all.
//! <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>

/// Its number.
pub(super) const LINK_TYPE: u16 = 276;
/// Protocol (2), reserved (2), interface (4), kind of hardware (2), direction (1), length of the address (1), address (8).
pub(super) const HEADER: usize = 20;
/// Of Ethernet: destination (6), source (6), type (2).
const ETHERNET: usize = 14;

/// What the kernel told of a packet beside its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Origin {
    /// EtherType, as the kernel sees it.
    pub protocol: u16,
    /// Number of the interface.
    pub interface: u32,
    /// `ARPHRD_*`.
    pub hardware: u16,
    /// `PACKET_*`.
    pub direction: u8,
    pub address: [u8; 8],
    pub address_len: u8,
    /// Length on the wire, with the interface's own header.
    pub length: u32,
    /// A tag that the kernel took off: EtherType and tag.
    pub vlan: Option<(u16, u16)>,
}

/// A packet as it is written.
#[derive(Debug)]
pub(super) struct Cooked<'a> {
    /// The header, and in front of the payload the tag, if there is one.
    head: [u8; HEADER + 4],
    head_len: usize,
    pub payload: &'a [u8],
    pub wire_len: u32,
}

impl<'a> Cooked<'a> {
    /// Of what a raw packet socket gives; `None` when it is too short to have an interface's own header.
    pub fn of(origin: &Origin, bytes: &'a [u8]) -> Option<Self> {
        let is_ethernet = matches!(origin.hardware, libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK);
        let (protocol, payload) = if is_ethernet {
            let (header, payload) = bytes.split_first_chunk::<ETHERNET>()?;
            (u16::from_be_bytes([header[12], header[13]]), payload)
        } else {
            (origin.protocol, bytes)
        };
        let mut head = [0; HEADER + 4];
        let mut head_len = HEADER;
        let mut put = |at: usize, value: &[u8]| head[at..at + value.len()].copy_from_slice(value);
        put(0, &protocol.to_be_bytes());
        put(4, &origin.interface.to_be_bytes());
        put(8, &origin.hardware.to_be_bytes());
        put(10, &[origin.direction, origin.address_len]);
        put(12, &origin.address);
        if let Some((kind, tag)) = origin.vlan {
            put(0, &kind.to_be_bytes());
            put(HEADER, &tag.to_be_bytes());
            put(HEADER + 2, &protocol.to_be_bytes());
            head_len += 4;
        }
        let own = if is_ethernet { ETHERNET as u32 } else { 0 };
        Some(Self {
            head,
            head_len,
            payload,
            wire_len: origin.length.saturating_sub(own) + head_len as u32,
        })
    }

    /// The bytes in front of the payload.
    pub fn head(&self) -> &[u8] {
        &self.head[..self.head_len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u16) -> Vec<u8> {
        let mut bytes = vec![1; 12];
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0x45, 0, 0, 40]);
        bytes
    }

    #[test]
    fn a_tag_that_the_kernel_took_off_is_put_back() {
        let origin = Origin {
            protocol: 0x0800,
            interface: 7,
            hardware: libc::ARPHRD_ETHER,
            direction: 4,
            address: [2, 0, 0, 0, 0, 1, 0, 0],
            address_len: 6,
            length: 18,
            vlan: Some((0x8100, 42)),
        };
        let bytes = frame(0x0800);
        let cooked = Cooked::of(&origin, &bytes).expect("a whole header");
        let expected = [
            0x81, 0, 0, 0, 0, 0, 0, 7, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0, // header
            0, 42, 8, 0, // tag
        ];
        assert_eq!(cooked.head(), expected);
        assert_eq!((cooked.payload, cooked.wire_len), (&[0x45, 0, 0, 40][..], 28));
    }

    #[test]
    fn a_tag_in_band_stays_where_it_is() {
        let origin = Origin {
            protocol: 0x8100,
            hardware: libc::ARPHRD_LOOPBACK,
            length: 18,
            ..Origin::default()
        };
        let bytes = frame(0x8100);
        let cooked = Cooked::of(&origin, &bytes).expect("a whole header");
        assert_eq!((&cooked.head()[..2], cooked.head().len()), (&[0x81, 0][..], HEADER));
    }

    #[test]
    fn without_a_header_of_its_own_the_packet_is_the_payload() {
        let origin = Origin {
            protocol: 0x86dd,
            hardware: libc::ARPHRD_NONE,
            length: 60,
            ..Origin::default()
        };
        let cooked = Cooked::of(&origin, &[0x60, 0]).expect("anything will do");
        assert_eq!((cooked.payload, cooked.wire_len), (&[0x60, 0][..], 80));
        assert_eq!(cooked.head()[..2], [0x86, 0xdd]);
    }

    #[test]
    fn what_is_shorter_than_its_header_is_none() {
        let origin = Origin {
            hardware: libc::ARPHRD_ETHER,
            ..Origin::default()
        };
        for length in 0..ETHERNET {
            assert!(Cooked::of(&origin, &vec![0; length]).is_none());
        }
    }
}
