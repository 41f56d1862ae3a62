//! Messages of a datagram and attributes of a message, as slices of the datagram.

use super::bytes::{u16_at, u32_at};

/// `struct nlmsghdr`: length (4), type (2), flags (2), sequence (4), port (4).
pub(super) const HEADER: usize = 16;
/// `struct nlattr`: length (2), type (2).
pub(super) const ATTRIBUTE_HEADER: usize = 4;
/// `NLA_TYPE_MASK`: the two upper bits say «nested» and «network byte order».
const ATTRIBUTE_TYPE: u16 = 0x3fff;
/// Messages and attributes begin at multiples of this.
pub(super) const ALIGN: usize = 4;

/// One message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`: that of the request it answers.
    pub sequence: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// The messages of a datagram. It ends at the first whose length is impossible; [`Messages::rest`] is then not empty.
#[derive(Clone, Debug)]
pub struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    /// Of one datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self(datagram)
    }

    /// What has not been walked over.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    #[inline]
    fn next(&mut self) -> Option<Message<'a>> {
        let length = u32_at(self.0, 0)? as usize;
        let payload = self.0.get(HEADER..length)?;
        let message = Message {
            kind: u16_at(self.0, 4)?,
            flags: u16_at(self.0, 6)?,
            sequence: u32_at(self.0, 8)?,
            payload,
        };
        // The last one may lack its padding.
        self.0 = self.0.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
        Some(message)
    }
}

/// The attributes of a message or of a nested attribute: (type without its flag bits, value).
#[derive(Clone, Debug)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Of the bytes behind a fixed header, or of a nested attribute's value.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The value of the first attribute of a type.
    pub fn find(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find_map(|(k, value)| (k == kind).then_some(value))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & ATTRIBUTE_TYPE;
        let value = self.0.get(ATTRIBUTE_HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
        Some((kind, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + payload.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([2, 0]);
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        bytes
    }

    #[test]
    fn messages_are_walked_to_the_end_and_padding_skipped() {
        let datagram = [message(20, b"abc"), message(3, b"")].concat();
        let mut messages = Messages::new(&datagram);
        let all: Vec<_> = messages.by_ref().map(|m| (m.kind, m.sequence, m.payload)).collect();
        assert_eq!(all, [(20, 7, &b"abc"[..]), (3, 7, &b""[..])]);
        assert!(messages.rest().is_empty());
    }

    #[test]
    fn a_length_that_is_too_short_or_too_long_ends_the_walk() {
        for length in [0_u32, 15, 21, u32::MAX] {
            let mut datagram = message(20, b"abcd");
            datagram[..4].copy_from_slice(&length.to_ne_bytes());
            let mut messages = Messages::new(&datagram);
            assert_eq!(messages.by_ref().count(), 0, "{length}");
            assert_eq!(messages.rest().len(), 20, "{length}");
        }
    }

    #[test]
    fn attributes_end_where_a_length_lies() {
        // length 8, type 5 with the «nested» bit; then length 3, below the header's own.
        let bytes = [8, 0, 5, 0x80, 1, 2, 3, 4, 3, 0, 6, 0];
        let all: Vec<_> = Attributes::new(&bytes).collect();
        assert_eq!(all, [(5, &[1, 2, 3, 4][..])]);
        assert_eq!(Attributes::new(&bytes).find(6), None);
    }
}
