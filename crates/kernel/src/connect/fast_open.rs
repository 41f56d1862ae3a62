//! Fast Open, RFC 7413, from the client's side.

use crate::sys::TcpInfo;

/// Why the kernel says that Fast Open did not work: `tcpi_fastopen_client_fail`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FastOpenFailure {
    /// No cookie was in the cache: this connection asked for one.
    NoCookie,
    /// The SYN-ACK acknowledged the SYN, not its data: the server or the path ignored it.
    DataNotAcknowledged,
    /// The SYN with data went unanswered and was sent again without.
    SynRetransmitted,
}

impl FastOpenFailure {
    /// In data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoCookie => "no_cookie",
            Self::DataNotAcknowledged => "data_not_acknowledged",
            Self::SynRetransmitted => "syn_retransmitted",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FastOpenReport {
    /// The kernel had a cookie (or was told to do without), so that the SYN carried this many bytes at most.
    pub syn_data: Option<usize>,
    /// The SYN-ACK acknowledged the data: `TCPI_OPT_SYN_DATA`.
    pub accepted: bool,
    /// The kernel's word for what went wrong.
    pub failure: Option<FastOpenFailure>,
    /// Fast Open is off for clients on this machine (bit 1 of `net.ipv4.tcp_fastopen`); an ordinary SYN was sent.
    pub disabled: bool,
}

impl FastOpenReport {
    pub(super) fn new(syn_data: Option<usize>, disabled: bool) -> Self {
        Self {
            syn_data,
            accepted: false,
            failure: None,
            disabled,
        }
    }

    /// Adds what `TCP_INFO` says after the handshake.
    pub(super) fn learn(&mut self, info: &TcpInfo) {
        self.accepted = info.options().syn_data();
        self.failure = match info.fast_open_client_fail() {
            1 => Some(FastOpenFailure::NoCookie),
            2 => Some(FastOpenFailure::DataNotAcknowledged),
            3 => Some(FastOpenFailure::SynRetransmitted),
            _ => None,
        };
    }
}
