//! How long sockets have waited, from `TCP_INFO`.
//!
//! - In the accept queue: `tcpi_last_data_sent`. The clock is set when the child is made at the end of the handshake
//!   (`tcp_create_openreq_child`), and the server sends nothing before it has accepted. The client's data and
//!   acknowledgments move the two other clocks.
//! - SYN_SENT: no clock is set by connect(). The age is what the retransmission timer tells: see [`syn_age_ms`].
//! - CLOSE_WAIT: `tcpi_last_ack_recv`: the peer has said nothing since its FIN, or since what it acknowledged last.

use std::collections::HashMap;

use super::super::row::Row;
use super::destination::Key;
use super::hash::Fold;
use super::listener::Listeners;
use crate::netlink::{Message, Receiver};
use crate::sys::{TcpInfo, TcpState};

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
            (TcpState::SynSent, _) => {
                if let Some(age) = syn_age_ms(&info, row) {
                    raise(&mut self.syn, Key::of(row), age);
                }
            }
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

/// Milliseconds since the first SYN; unknown while none was sent (`TCP_FASTOPEN_CONNECT`).
///
/// Before the first retransmission: what of the timeout is over. Later, the kernel counts from the first timeout on (Linux
/// 6.7); before that the sum of the timeouts is computed, to which each adds up to a few percent (the timer wheel rounds).
fn syn_age_ms(info: &TcpInfo, row: &Row<'_>) -> Option<u32> {
    if row.timer() != TIMER_RETRANSMISSION {
        return None;
    }
    let (timeout, doublings) = (info.rto_us() / 1000, u32::from(info.backoff()));
    let first = timeout >> doublings.min(31);
    let over = timeout.saturating_sub(row.expires_ms());
    match (u32::from(row.retransmissions()), info.total_rto_time_ms()) {
        (0, _) => Some(over),
        (_, Some(since_first)) if since_first > 0 => Some(first + since_first),
        (retransmissions, _) => Some(waited(first, retransmissions, doublings) + over),
    }
}

/// `idiag_timer` while a SYN waits for its answer.
const TIMER_RETRANSMISSION: u8 = 1;

/// From the first SYN to its last retransmission: linear timeouts first (`tcp_syn_linear_timeouts`), doubled ones then.
fn waited(first: u32, retransmissions: u32, doublings: u32) -> u32 {
    let doubled = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX).saturating_sub(2);
    let linear = if doublings == 0 {
        retransmissions
    } else {
        (retransmissions + 1).saturating_sub(doublings)
    };
    first.saturating_mul(linear.saturating_add(doubled))
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

#[cfg(test)]
mod tests {
    use super::waited;

    /// Seconds at which a kernel sends SYNs, without and with four linear timeouts.
    const OLD: [u32; 6] = [1, 3, 7, 15, 31, 63];
    const NEW: [u32; 9] = [1, 2, 3, 4, 5, 7, 11, 19, 35];

    #[test]
    fn timeouts_add_up() {
        for (index, &at) in OLD.iter().enumerate() {
            let count = index as u32 + 1;
            assert_eq!(waited(1000, count, count), at * 1000, "{count}");
        }
        for (index, &at) in NEW.iter().enumerate() {
            let count = index as u32 + 1;
            assert_eq!(waited(1000, count, count.saturating_sub(4)), at * 1000, "{count}");
        }
    }

    #[test]
    fn no_count_is_too_large() {
        assert_eq!(waited(u32::MAX, 255, 255), u32::MAX);
        assert_eq!(waited(1000, 0, 9), 510_000);
    }
}
