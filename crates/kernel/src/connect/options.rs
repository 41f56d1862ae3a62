//! What a probe may be told.

use std::net::IpAddr;
use std::time::Duration;

/// How to connect. The default is what an ordinary program gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Local address.
    pub source: Option<IpAddr>,
    /// Local port; with it `SO_REUSEADDR`, so that one in `TIME_WAIT` can be used again. `None`: the kernel chooses.
    pub source_port: Option<u16>,
    /// `SO_BINDTODEVICE`: name of the interface.
    pub interface: Option<String>,
    /// `SO_MARK`; needs `CAP_NET_ADMIN` or `CAP_NET_RAW`.
    pub mark: Option<u32>,
    /// TTL or hop limit, 1 to 255.
    pub ttl: Option<u8>,
    /// `TCP_MAXSEG`: upper bound of the MSS that the SYN offers, 88 to 32767.
    pub mss: Option<u16>,
    /// `TCP_NODELAY`.
    pub nodelay: bool,
    /// `TCP_QUICKACK` before the connect; `Some(false)` delays the final ACK of the handshake.
    pub quickack: Option<bool>,
    /// `TCP_SYNCNT`: SYN retransmissions before `ETIMEDOUT`, 1 to 127 (see `tcp_syn_linear_timeouts`).
    pub syn_retries: Option<u8>,
    /// When the probe gives up by itself.
    pub timeout: Duration,
    /// Data to send in the SYN, or behind it when there is no cookie.
    pub fast_open: Option<Vec<u8>>,
    /// What to do once connected.
    pub await_data: Option<AwaitData>,
    /// How long to look for the answer without sleeping: being woken up costs tens of microseconds, more than the round
    /// trip of a local network.
    pub spin: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            source: None,
            source_port: None,
            interface: None,
            mark: None,
            ttl: None,
            mss: None,
            nodelay: false,
            quickack: None,
            syn_retries: None,
            timeout: Duration::from_secs(5),
            fast_open: None,
            await_data: None,
            spin: Duration::from_micros(200),
        }
    }
}

/// After the handshake: send, then wait for the first byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AwaitData {
    /// What to send first; empty for a server that speaks first.
    pub send: Vec<u8>,
    /// How long to wait.
    pub timeout: Duration,
}
