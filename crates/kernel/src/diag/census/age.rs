//! How long sockets have waited, from `TCP_INFO`.
//!
//! - In the accept queue: `tcpi_last_data_sent`. The clock is set when the child is made at the end of the handshake
//!   (`tcp_create_openreq_child`), and the server sends nothing before it has accepted. The client's data and
//!   acknowledgments move the two other clocks.
//! - SYN_SENT: `tcpi_last_ack_recv`, set by connect() (`tcp_connect_init`); nothing acceptable has arrived since.
//! - CLOSE_WAIT: `tcpi_last_ack_recv`: the peer has said nothing since its FIN, or since what it acknowledged last.

use std::collections::HashMap;

use super::super::row::Row;
use super::destination::Key;
use super::hash::Fold;
use super::listener::Listeners;
use crate::netlink::{Message, Receiver};
use crate::sys::TcpState;

/// The oldest of each, milliseconds.
#[derive(Debug)]
pub(super) struct Ages<'a> {
    listeners: &'a Listeners,
    /// By the number of the listener.
    pub queued: HashMap<u32, u32, Fold>,
    /// SYN_SENT by destination.
    pub syn: HashMap<Key, u32, Fold>,
    /// CLOSE_WAIT by inode.
    pub close_wait: HashMap<u32, u32, Fold>,
}

impl<'a> Ages<'a> {
    pub fn new(listeners: &'a Listeners) -> Self {
        Self {
            listeners,
            queued: HashMap::default(),
            syn: HashMap::default(),
            close_wait: HashMap::default(),
        }
    }

    fn add(&mut self, row: &Row<'_>) {
        let Some(info) = row.info() else { return };
        match (row.state(), row.inode()) {
            (TcpState::SynSent, _) => raise(&mut self.syn, Key::of(row), info.last_ack_recv_ms()),
            (TcpState::Established | TcpState::CloseWait, 0) => {
                if let Some(number) = self.listeners.of(row) {
                    raise(&mut self.queued, number, info.last_data_sent_ms());
                }
            }
            (TcpState::CloseWait, inode) => raise(&mut self.close_wait, inode, info.last_ack_recv_ms()),
            _ => {}
        }
    }
}

fn raise<K: std::hash::Hash + Eq>(ages: &mut HashMap<K, u32, Fold>, key: K, age: u32) {
    let oldest = ages.entry(key).or_default();
    *oldest = age.max(*oldest);
}

impl Receiver for Ages<'_> {
    fn restart(&mut self) {
        *self = Self::new(self.listeners);
    }

    fn message(&mut self, message: &Message<'_>) {
        if let Some(row) = Row::parse(message.payload) {
            self.add(&row);
        }
    }
}
