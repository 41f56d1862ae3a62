//! What the numbers in a record stand for: input names and encapsulations.

use std::path::Path;

use halfopen_track::Handshake;
use halfopen_wire::{EncapTable, Tunnel};

/// The texts behind the indices of a [`Handshake`].
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The inputs, in the order in which they were given. [`source_name`] makes one of a path.
    pub sources: &'a [String],
    /// The table that numbered the encapsulations.
    pub encaps: &'a EncapTable,
}

/// A path as the `source` field holds it. Bytes that are no UTF-8 become U+FFFD: every output is text.
pub fn source_name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl<'a> Names<'a> {
    /// The name of the input that holds the first packet; `None` for an index that no input has.
    pub fn source(&self, record: &Handshake) -> Option<&'a str> {
        self.sources.get(record.file as usize).map(String::as_str)
    }

    /// VLAN identifiers, outermost first.
    pub fn vlan(&self, record: &Handshake) -> &'a [u16] {
        &self.encaps.get(record.encap).vlan
    }

    /// Tunnels, outermost first.
    pub fn tunnels(&self, record: &Handshake) -> &'a [Tunnel] {
        &self.encaps.get(record.encap).tunnels
    }
}

/// The bytes of the `tunnel` field: the names joined with `+`. Empty without a tunnel.
pub fn tunnel_text(tunnels: &[Tunnel]) -> impl Iterator<Item = u8> + Clone + '_ {
    tunnels.iter().enumerate().flat_map(|(i, tunnel)| {
        let separator: &str = if i == 0 { "" } else { "+" };
        separator.bytes().chain(tunnel.name().bytes())
    })
}
