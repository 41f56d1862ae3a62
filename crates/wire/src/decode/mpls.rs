//! MPLS label stacks, RFC 3032.

use super::{Found, Walk, bytes::Bytes};
use crate::{Defect, Tunnel};

/// The most labels of one stack that are followed. Segment routing stacks about ten.
const MAX_LABELS: usize = 32;

impl Walk<'_> {
    /// Takes labels off down to the bottom of the stack (bit 0 of the third byte).
    pub(super) fn mpls(&mut self, mut b: Bytes<'_>) -> Found {
        if !self.encaps.enter(Tunnel::Mpls) {
            return self.lost(Defect::TunnelTooDeep);
        }
        for _ in 0..MAX_LABELS {
            let Some((&[_, _, bottom, _], rest)) = b.split() else {
                return self.lost(Defect::LinkTruncated);
            };
            b = rest;
            if bottom & 1 == 1 {
                return self.below_labels(b);
            }
        }
        self.lost(Defect::TunnelTooDeep)
    }

    /// No field says what the labels carry. IP shows by its version (RFC 4928 section 3); a pseudowire begins with a
    /// control word whose first four bits are 0 (RFC 4385), and then Ethernet is by far the commonest (RFC 4448).
    fn below_labels(&mut self, b: Bytes<'_>) -> Found {
        match b.data.first().map(|byte| byte >> 4) {
            Some(4) => self.ipv4(b),
            Some(6) => self.ipv6(b),
            Some(0) => self.pseudowire(b),
            Some(_) => Found::Nothing,
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// Flags and fragment length of the control word are 0 for Ethernet; anything else is a frame without a control
    /// word, whose address happens to begin with 0.
    fn pseudowire(&mut self, b: Bytes<'_>) -> Found {
        match b.split::<4>() {
            Some(([0, 0, _, _], rest)) => self.ethernet(rest),
            Some(_) => self.ethernet(b),
            None => self.lost(Defect::LinkTruncated),
        }
    }
}
