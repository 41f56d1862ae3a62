//! Collects the encapsulation of the frame at hand; interns it only when there is one, and only when it is another than last time.

use super::{MAX_TAGS, MAX_TUNNELS};
use crate::{Encap, EncapId, EncapTable, Tunnel};

/// The encapsulation of the current frame, and all that were seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Encaps {
    table: EncapTable,
    current: Encap,
    /// Whether anything was written to `current`: an ordinary frame need not touch its three lists.
    used: bool,
    /// The last one that was interned. Frames of one link mostly carry the same.
    last: (Encap, EncapId),
}

impl Encaps {
    /// Starts a frame.
    #[inline]
    pub fn reset(&mut self) {
        if self.used {
            self.current.clear();
            self.used = false;
        }
    }

    /// Notes a VLAN tag (802.1Q: 12 bits of identifier below priority and drop bits). False when there are too many.
    pub fn tag(&mut self, control: u16) -> bool {
        if self.current.vlan.len() + self.current.inner_vlan.len() >= MAX_TAGS {
            return false;
        }
        self.used = true;
        let tags = if self.current.tunnels.is_empty() {
            &mut self.current.vlan
        } else {
            &mut self.current.inner_vlan
        };
        tags.push(control & 0x0fff);
        true
    }

    /// Notes a tunnel. False when there are too many.
    pub fn enter(&mut self, tunnel: Tunnel) -> bool {
        if self.current.tunnels.len() >= MAX_TUNNELS {
            return false;
        }
        self.used = true;
        self.current.tunnels.push(tunnel);
        true
    }

    /// The number of what was collected.
    #[inline]
    pub fn id(&mut self) -> EncapId {
        if self.used { self.intern() } else { EncapId::NONE }
    }

    fn intern(&mut self) -> EncapId {
        if self.current != self.last.0 {
            let id = self.table.intern(&self.current);
            self.last.0.clone_from(&self.current);
            self.last.1 = id;
        }
        self.last.1
    }

    /// All that were seen.
    pub fn table(&self) -> &EncapTable {
        &self.table
    }
}
