//! `TCP_INFO`, `struct tcp_info` of `include/uapi/linux/tcp.h`, read by offset: older kernels give fewer bytes, newer ones
//! more, and a field that this kernel does not have is `None`.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Offsets of the fields that are used.
mod field {
    pub const STATE: usize = 0;
    pub const BACKOFF: usize = 4;
    pub const OPTIONS: usize = 5;
    /// Two 4-bit fields; `snd` is the low half on little-endian, the high half on big-endian (bit fields).
    pub const WSCALE: usize = 6;
    /// Bit 0 `delivery_rate_app_limited`, bits 1-2 `fastopen_client_fail` (little-endian).
    pub const FASTOPEN_FAIL: usize = 7;
    pub const RTO: usize = 8;
    pub const SND_MSS: usize = 16;
    pub const RCV_MSS: usize = 20;
    pub const UNACKED: usize = 24;
    pub const SACKED: usize = 28;
    pub const LAST_DATA_SENT: usize = 44;
    pub const LAST_ACK_RECV: usize = 56;
    pub const PMTU: usize = 60;
    pub const RTT: usize = 68;
    pub const RTTVAR: usize = 72;
    pub const ADVMSS: usize = 84;
    pub const TOTAL_RETRANS: usize = 100;
    pub const BYTES_ACKED: usize = 120;
    pub const BYTES_RECEIVED: usize = 128;
    pub const SEGS_OUT: usize = 136;
    pub const SEGS_IN: usize = 140;
    pub const MIN_RTT: usize = 148;
    pub const DATA_SEGS_IN: usize = 152;
    pub const TOTAL_RTO_TIME: usize = 244;
}

/// Bytes asked for; `tcp_info` was 248 bytes long in Linux 6.12.
const ROOM: usize = 384;

/// State of a TCP socket, `include/net/tcp_states.h`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the kernel's own names")]
pub enum TcpState {
    Established,
    SynSent,
    SynRecv,
    FinWait1,
    FinWait2,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Listen,
    Closing,
    NewSynRecv,
    Unknown,
}

impl TcpState {
    /// By the number that the kernel gives it, `include/net/tcp_states.h`.
    pub const fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            3 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 => Self::Close,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            12 => Self::NewSynRecv,
            _ => Self::Unknown,
        }
    }

    /// All that a socket can be in, in the kernel's order.
    pub const ALL: [Self; 12] = [
        Self::Established,
        Self::SynSent,
        Self::SynRecv,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::Close,
        Self::CloseWait,
        Self::LastAck,
        Self::Listen,
        Self::Closing,
        Self::NewSynRecv,
    ];

    /// The kernel's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            known => known as u8 + 1,
        }
    }

    /// The kernel's name without `TCP_`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::FinWait1 => "FIN_WAIT1",
            Self::FinWait2 => "FIN_WAIT2",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::Listen => "LISTEN",
            Self::Closing => "CLOSING",
            Self::NewSynRecv => "NEW_SYN_RECV",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// By that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// `tcpi_options`: what both sides agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TcpOptions(pub u8);

impl TcpOptions {
    /// Timestamps, RFC 7323.
    pub const fn timestamps(self) -> bool {
        self.0 & 1 != 0
    }

    /// Selective acknowledgments, RFC 2018.
    pub const fn sack(self) -> bool {
        self.0 & 2 != 0
    }

    /// Window scaling, RFC 7323.
    pub const fn window_scale(self) -> bool {
        self.0 & 4 != 0
    }

    /// Explicit congestion notification, RFC 3168.
    pub const fn ecn(self) -> bool {
        self.0 & 8 != 0
    }

    /// `TCPI_OPT_SYN_DATA`: the SYN carried data, and the SYN-ACK acknowledged it.
    pub const fn syn_data(self) -> bool {
        self.0 & 32 != 0
    }
}

/// One reading of `TCP_INFO`.
#[derive(Clone)]
pub struct TcpInfo {
    bytes: [u8; ROOM],
    length: usize,
}

impl TcpInfo {
    /// Reads it.
    pub fn read(socket: &impl AsFd) -> io::Result<Self> {
        let mut info = Self {
            bytes: [0; ROOM],
            length: 0,
        };
        let mut length = ROOM as libc::socklen_t;
        // SAFETY: the descriptor is open while borrowed; `length` says how many bytes of `bytes` may be written.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                info.bytes.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        info.length = (length as usize).min(ROOM);
        Ok(info)
    }

    /// One that came in another way: as an attribute of `sock_diag`.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let length = bytes.len().min(ROOM);
        let mut info = Self {
            bytes: [0; ROOM],
            length,
        };
        info.bytes[..length].copy_from_slice(&bytes[..length]);
        info
    }

    fn array<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.bytes[..self.length].get(offset..offset + N)?.try_into().ok()
    }

    fn u8(&self, offset: usize) -> u8 {
        self.array::<1>(offset).map_or(0, |[byte]| byte)
    }

    fn u32(&self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_ne_bytes)
    }

    fn u64(&self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_ne_bytes)
    }

    /// `tcpi_state`.
    pub fn state(&self) -> TcpState {
        TcpState::from_kernel(self.u8(field::STATE))
    }

    /// `tcpi_options`.
    pub fn options(&self) -> TcpOptions {
        TcpOptions(self.u8(field::OPTIONS))
    }

    /// The window scales, 0 to 14: ours for what we receive, the peer's for what we send. `(snd, rcv)`.
    pub fn window_scales(&self) -> (u8, u8) {
        let byte = self.u8(field::WSCALE);
        if cfg!(target_endian = "little") {
            (byte & 15, byte >> 4)
        } else {
            (byte >> 4, byte & 15)
        }
    }

    /// `tcpi_fastopen_client_fail` (Linux 5.5): 0 no failure or not asked for, 1 no cookie, 2 the data was not
    /// acknowledged, 3 the SYN was retransmitted.
    pub fn fast_open_client_fail(&self) -> u8 {
        let byte = self.u8(field::FASTOPEN_FAIL);
        if cfg!(target_endian = "little") {
            (byte >> 1) & 3
        } else {
            (byte >> 5) & 3
        }
    }

    /// `tcpi_rto`, microseconds.
    pub fn rto_us(&self) -> u32 {
        self.u32(field::RTO).unwrap_or(0)
    }

    /// `tcpi_snd_mss`, bytes of data a segment to the peer may carry.
    pub fn snd_mss(&self) -> u32 {
        self.u32(field::SND_MSS).unwrap_or(0)
    }

    /// `tcpi_rcv_mss`, the kernel's estimate of the peer's segments.
    pub fn rcv_mss(&self) -> u32 {
        self.u32(field::RCV_MSS).unwrap_or(0)
    }

    /// `tcpi_unacked`: segments in flight; of a listener, the connections in its accept queue.
    pub fn unacked(&self) -> u32 {
        self.u32(field::UNACKED).unwrap_or(0)
    }

    /// `tcpi_sacked`: of a listener, the limit of its accept queue (one more fits, `sk_acceptq_is_full`).
    pub fn sacked(&self) -> u32 {
        self.u32(field::SACKED).unwrap_or(0)
    }

    /// `tcpi_last_data_sent`, milliseconds in steps of a jiffy. Set at the birth of the socket.
    pub fn last_data_sent_ms(&self) -> u32 {
        self.u32(field::LAST_DATA_SENT).unwrap_or(0)
    }

    /// `tcpi_backoff`: how often the retransmission timeout has doubled.
    pub fn backoff(&self) -> u8 {
        self.u8(field::BACKOFF)
    }

    /// `tcpi_total_rto_time` (Linux 6.7): milliseconds from the first retransmission timeout on, until it is answered.
    pub fn total_rto_time_ms(&self) -> Option<u32> {
        self.u32(field::TOTAL_RTO_TIME)
    }

    /// `tcpi_last_ack_recv`, milliseconds in steps of a jiffy: since a segment of the peer was acceptable.
    pub fn last_ack_recv_ms(&self) -> u32 {
        self.u32(field::LAST_ACK_RECV).unwrap_or(0)
    }

    /// `tcpi_pmtu`, bytes.
    pub fn path_mtu(&self) -> u32 {
        self.u32(field::PMTU).unwrap_or(0)
    }

    /// `tcpi_rtt`, the smoothed round trip in microseconds: after the handshake, the handshake's own. See
    /// [`crate::connect::RttValidity`] for when it is not.
    pub fn rtt_us(&self) -> u32 {
        self.u32(field::RTT).unwrap_or(0)
    }

    /// `tcpi_rttvar`, microseconds.
    pub fn rttvar_us(&self) -> u32 {
        self.u32(field::RTTVAR).unwrap_or(0)
    }

    /// `tcpi_advmss`: the segment size that we told the peer.
    pub fn advmss(&self) -> u32 {
        self.u32(field::ADVMSS).unwrap_or(0)
    }

    /// `tcpi_total_retrans`: of a client at establishment, retransmissions of its SYN; of an accepted socket, of the SYN-ACK.
    pub fn total_retrans(&self) -> u32 {
        self.u32(field::TOTAL_RETRANS).unwrap_or(0)
    }

    /// `tcpi_bytes_acked` (Linux 4.1); counts the SYN as one.
    pub fn bytes_acked(&self) -> Option<u64> {
        self.u64(field::BYTES_ACKED)
    }

    /// `tcpi_bytes_received` (Linux 4.1).
    pub fn bytes_received(&self) -> Option<u64> {
        self.u64(field::BYTES_RECEIVED)
    }

    /// `tcpi_segs_out` (Linux 4.2).
    pub fn segs_out(&self) -> Option<u32> {
        self.u32(field::SEGS_OUT)
    }

    /// `tcpi_segs_in` (Linux 4.2).
    pub fn segs_in(&self) -> Option<u32> {
        self.u32(field::SEGS_IN)
    }

    /// `tcpi_data_segs_in` (Linux 4.6): segments with data, in order or not.
    pub fn data_segs_in(&self) -> Option<u32> {
        self.u32(field::DATA_SEGS_IN)
    }

    /// `tcpi_min_rtt` (Linux 4.6), microseconds; `None` too when nothing was measured (all ones).
    pub fn min_rtt_us(&self) -> Option<u32> {
        self.u32(field::MIN_RTT).filter(|&us| us != u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_answer_of_an_old_kernel_has_no_late_fields() {
        let mut info = TcpInfo {
            bytes: [0xff; ROOM],
            length: 104,
        };
        assert_eq!(info.total_retrans(), u32::MAX);
        assert_eq!(info.bytes_acked(), None);
        info.length = 128;
        assert_eq!(info.bytes_acked(), Some(u64::MAX));
        assert_eq!(info.segs_in(), None);
    }

    #[test]
    fn an_unmeasured_minimum_is_unknown() {
        let info = TcpInfo {
            bytes: [0xff; ROOM],
            length: ROOM,
        };
        assert_eq!(info.min_rtt_us(), None);
        assert_eq!(info.fast_open_client_fail(), 3);
        assert_eq!(info.window_scales(), (15, 15));
    }
}
