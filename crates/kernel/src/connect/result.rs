//! What a probe found out.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::{FastOpenReport, RetransmitWait};
use crate::sys::{Errno, IcmpError, TcpInfo, TcpOptions};

/// How the connect ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Connected.
    Established,
    /// RST in answer to the SYN.
    Refused,
    /// An ICMP error, or no route to the target: [`Probe::icmp`] says which.
    Unreachable,
    /// No answer until the probe's own timeout, or until the kernel's (`ETIMEDOUT`).
    Timeout,
    /// The kernel did not send a SYN: no ports left, not permitted, interface down.
    NotSent,
    /// Anything else; [`Probe::errno`] says what.
    Failed,
}

impl Outcome {
    /// In data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::NotSent => "not_sent",
            Self::Failed => "failed",
        }
    }

    /// What an error number of `connect()` says, when there is no ICMP message that says more.
    pub const fn of_errno(errno: Errno) -> Self {
        match errno.0 {
            libc::ECONNREFUSED | libc::ECONNRESET => Self::Refused,
            libc::ETIMEDOUT => Self::Timeout,
            libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EHOSTDOWN | libc::ENETDOWN | libc::ENONET => {
                Self::Unreachable
            }
            libc::EADDRNOTAVAIL | libc::EADDRINUSE | libc::EPERM | libc::EACCES | libc::ENOBUFS | libc::ENOMEM => {
                Self::NotSent
            }
            _ => Self::Failed,
        }
    }
}

/// Whether the kernel's round trip is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RttValidity {
    /// One SYN, one answer: `tcpi_rtt` is the time between them.
    Valid,
    /// A SYN was sent again, so that `tcpi_rtt` contains the wait, or is only known to the millisecond of a timestamp.
    SynRetransmitted,
    /// The SYN's data was sent again at once and is acknowledged already: `tcpi_rtt` is a mean with that, whose time is
    /// known to the millisecond of a timestamp only.
    SynDataResent,
    /// Nothing was measured.
    NotMeasured,
}

impl RttValidity {
    /// In data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::SynRetransmitted => "syn_retransmitted",
            Self::SynDataResent => "syn_data_resent",
            Self::NotMeasured => "not_measured",
        }
    }
}

/// What both sides agreed on in the handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Negotiated {
    /// Timestamps, SACK, window scaling, ECN.
    pub options: TcpOptions,
    /// Bytes of data a segment to the server may carry.
    pub snd_mss: u32,
    /// The MSS that our SYN offered.
    pub offered_mss: u32,
    /// Path MTU as the kernel knows it.
    pub path_mtu: u32,
    /// The server's window scale, 0 to 14.
    pub snd_wscale: u8,
    /// Ours.
    pub rcv_wscale: u8,
    /// Retransmission timeout after the handshake, microseconds: what a lossy past in `tcp_metrics` made of it.
    pub rto_us: u32,
}

/// The timestamps option with its padding, RFC 7323 appendix A.
const TIMESTAMP_BYTES: u32 = 12;

impl Negotiated {
    pub(super) fn of(info: &TcpInfo) -> Self {
        let (snd_wscale, rcv_wscale) = info.window_scales();
        Self {
            options: info.options(),
            snd_mss: info.snd_mss(),
            // The kernel takes the room of the timestamps off its own number once they are agreed on.
            offered_mss: info.advmss()
                + if info.options().timestamps() {
                    TIMESTAMP_BYTES
                } else {
                    0
                },
            path_mtu: info.path_mtu(),
            snd_wscale,
            rcv_wscale,
            rto_us: info.rto_us(),
        }
    }
}

/// How waiting for data ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataEnd {
    /// The server sent something.
    FirstByte,
    /// The server closed without a byte.
    Closed,
    /// RST or another error.
    Failed(Errno),
    /// Nothing until the timeout.
    Silent,
}

impl DataEnd {
    /// In data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstByte => "first_byte",
            Self::Closed => "closed",
            Self::Failed(_) => "failed",
            Self::Silent => "silent",
        }
    }
}

/// The time after the handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataReport {
    /// How it ended.
    pub end: DataEnd,
    /// End of the handshake to that, nanoseconds.
    pub waited_ns: u64,
    /// Bytes handed to the kernel.
    pub sent: u64,
    /// Bytes of it that the server's kernel acknowledged. 0 with `sent > 0` at the end: the server has no such connection
    /// (full accept queue), or the path swallows data.
    pub acknowledged: Option<u64>,
    /// Bytes in the first read.
    pub received: u64,
    /// Retransmissions since the handshake.
    pub retransmissions: u32,
    /// Segments that arrived since the handshake. One without data is the mark of a repeated SYN-ACK, `TCP_DEFER_ACCEPT`
    /// or a full accept queue.
    pub segments_received: Option<u32>,
    /// Of these, those with data. Some, and no byte to read: the first was lost, and later ones were not.
    pub data_segments_received: Option<u32>,
}

/// Everything about one connect.
#[derive(Clone, Debug)]
pub struct Probe {
    /// When it began, nanoseconds since the epoch.
    pub start_ns: i64,
    /// Whom it was for.
    pub remote: SocketAddr,
    /// Local address and port, as far as they were chosen.
    pub local: Option<SocketAddr>,
    /// How it ended.
    pub outcome: Outcome,
    /// The error number that the caller of `connect()` would have got. `None` for success and for the probe's own timeout.
    pub errno: Option<Errno>,
    /// The ICMP message behind it.
    pub icmp: Option<IcmpError>,
    /// What the caller of `connect()` waited: call to the moment it is known to have ended, nanoseconds.
    pub connect_ns: u64,
    /// How much of that this thread was ready to run and no processor was free, nanoseconds; `None` where the kernel does not tell.
    pub processor_wait_ns: Option<u64>,
    /// The kernel's own SYN round trip, microseconds; `None` unless `rtt_validity` is `Valid`.
    pub rtt_us: Option<u32>,
    /// Why not.
    pub rtt_validity: RttValidity,
    /// SYNs handed to the network, the first included; 0 when the kernel refused before it made one.
    pub syn_sent: u32,
    /// Retransmissions of the SYN.
    pub syn_retransmissions: u32,
    /// What they cost; `None` without an answer.
    pub retransmit_wait: Option<RetransmitWait>,
    /// What was agreed on, when connected.
    pub negotiated: Option<Negotiated>,
    /// Fast Open, when asked for.
    pub fast_open: Option<FastOpenReport>,
    /// The time after the handshake, when asked for and connected.
    pub data: Option<DataReport>,
}

/// The socket could not be made as asked, so nothing was measured.
#[derive(Debug)]
pub struct SetupError {
    /// What was asked: `SO_MARK`, `bind 192.0.2.1:0`, …
    pub operation: String,
    /// The kernel's answer.
    pub source: io::Error,
}

impl SetupError {
    pub(crate) fn new(operation: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let operation = operation.into();
        move |source| Self { operation, source }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.operation, self.source, Errno::of(&self.source))
    }
}

impl std::error::Error for SetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
