//! A request: header, fixed part, attributes.

use super::message::{ALIGN, ATTRIBUTE_HEADER, HEADER};

/// One message to the kernel. Header, sequence and length are filled in when it is sent.
#[derive(Clone, Debug)]
pub struct Request(Vec<u8>);

impl Request {
    /// A dump of all objects of a kind (`NLM_F_REQUEST | NLM_F_DUMP`), beginning with the fixed part of its family.
    pub fn dump(kind: u16, fixed: &[u8]) -> Self {
        Self::new(kind, libc::NLM_F_REQUEST | libc::NLM_F_DUMP, fixed)
    }

    /// A question with one answer.
    pub fn ask(kind: u16, fixed: &[u8]) -> Self {
        Self::new(kind, libc::NLM_F_REQUEST | libc::NLM_F_ACK, fixed)
    }

    fn new(kind: u16, flags: libc::c_int, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags as u16).to_ne_bytes());
        bytes.extend(fixed);
        pad(&mut bytes);
        Self(bytes)
    }

    /// With one more attribute. A value is a few bytes, and at most 65 531.
    #[must_use]
    pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend(attribute(kind, value));
        self
    }

    /// The bytes, under a sequence number.
    pub(super) fn bytes(&self, sequence: u32) -> Vec<u8> {
        let mut bytes = self.0.clone();
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        bytes
    }
}

/// One attribute, padded. A value is a few bytes, and at most 65 531.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = ATTRIBUTE_HEADER + value.len();
    let mut bytes = (length as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    pad(&mut bytes);
    bytes
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
}
