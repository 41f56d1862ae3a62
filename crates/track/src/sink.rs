//! Where finished handshakes go.

use crate::Handshake;

/// Takes each handshake once, when nothing that is still to come can change it.
pub trait Sink {
    /// Takes one handshake. They come in the order in which they end, which is not the order in which they begin.
    fn handshake(&mut self, handshake: &Handshake);
}
