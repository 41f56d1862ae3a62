//! What retransmitted SYNs cost.

use std::fs;

use super::{FastOpenFailure, FastOpenReport, RttValidity};
use crate::sys::{TcpInfo, TcpState};

/// Initial retransmission timeout of a SYN, RFC 6298 section 2.1; only a `sock_ops` program can change it.
const INITIAL_RTO_NS: u64 = 1_000_000_000;

/// How the wait was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitMethod {
    /// The answer's timestamp says which SYN it answered: exact to two milliseconds.
    Timestamp,
    /// The kernel's schedule of retransmissions: a lower bound, as timers of seconds fire up to an eighth late.
    Schedule,
}

impl WaitMethod {
    /// In data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Schedule => "schedule",
        }
    }
}

/// First SYN to the SYN that was (probably) answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetransmitWait {
    /// Nanoseconds.
    pub ns: u64,
    /// How it was found.
    pub method: WaitMethod,
}

/// `tcp_syn_linear_timeouts` (Linux 6.5): how many retransmissions are a second apart before the back-off begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinearTimeouts(pub u8);

impl LinearTimeouts {
    /// The setting of this thread's network namespace; none on kernels before it existed.
    pub fn read() -> Self {
        let text = fs::read_to_string("/proc/sys/net/ipv4/tcp_syn_linear_timeouts").unwrap_or_default();
        Self(text.trim().parse().unwrap_or(0))
    }

    /// When the `count`-th retransmission is sent, nanoseconds after the first SYN.
    pub fn sent_after_ns(self, count: u32) -> u64 {
        let linear = count.min(u32::from(self.0));
        let doubled = (count - linear).min(32);
        u64::from(linear) * INITIAL_RTO_NS + ((1_u64 << doubled) - 1) * INITIAL_RTO_NS
    }
}

impl RetransmitWait {
    /// Of an established connection whose connect took `connect_ns`.
    pub(super) fn estimate(info: &TcpInfo, retransmissions: u32, connect_ns: u64, schedule: LinearTimeouts) -> Self {
        if retransmissions == 0 {
            return Self {
                ns: 0,
                method: WaitMethod::Schedule,
            };
        }
        // With timestamps the kernel takes the round trip from the SYN that the answer echoes. When a SYN-ACK was lost the
        // server echoes the first SYN, and the value contains the wait: then only the schedule is left.
        let rtt_ns = u64::from(info.rtt_us()) * 1000;
        let from_timestamp = info.options().timestamps() && rtt_ns > 0 && rtt_ns < INITIAL_RTO_NS;
        if from_timestamp {
            return Self {
                ns: connect_ns.saturating_sub(rtt_ns),
                method: WaitMethod::Timestamp,
            };
        }
        Self {
            ns: schedule.sent_after_ns(retransmissions).min(connect_ns),
            method: WaitMethod::Schedule,
        }
    }
}

/// How often the SYN was sent again, read at the end of the handshake.
pub(super) fn syn_retransmissions(info: &TcpInfo, fast_open: Option<FastOpenReport>) -> u32 {
    // Only where the SYN had not been sent again does the kernel say so; how often the data was is not told.
    if fast_open.is_some_and(|report| report.failure == Some(FastOpenFailure::DataNotAcknowledged)) {
        return 0;
    }
    info.total_retrans()
        .saturating_sub(u32::from(syn_data_resent(info, fast_open)))
}

/// Whether data that a SYN carried in vain was sent again, which happens while the SYN-ACK is processed
/// (`tcp_rcv_fastopen_synack`).
fn syn_data_resent(info: &TcpInfo, fast_open: Option<FastOpenReport>) -> bool {
    let Some(report) = fast_open.filter(|report| report.syn_data.is_some() && !report.accepted) else {
        return false;
    };
    // The server may have closed already, or reset: the kernel's word stays.
    let answered = !matches!(info.state(), TcpState::SynSent | TcpState::Close);
    answered
        || matches!(
            report.failure,
            Some(FastOpenFailure::DataNotAcknowledged | FastOpenFailure::SynRetransmitted)
        )
}

/// The kernel's SYN round trip where it is one, and whether it is.
pub(super) fn handshake_rtt(
    info: &TcpInfo,
    syn_retransmissions: u32,
    fast_open: Option<FastOpenReport>,
) -> (Option<u32>, RttValidity) {
    if syn_retransmissions > 0 {
        return (None, RttValidity::SynRetransmitted);
    }
    // On a network as fast as a veth pair its acknowledgement comes within connect() too; else it is under way still.
    if syn_data_resent(info, fast_open) && info.unacked() == 0 {
        return (None, RttValidity::SynDataResent);
    }
    match info.rtt_us() {
        0 => (None, RttValidity::NotMeasured),
        us => (Some(us), RttValidity::Valid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TCP_INFO` with one retransmission: offsets of `struct tcp_info`, `include/uapi/linux/tcp.h`.
    fn sent_again_once(state: TcpState) -> TcpInfo {
        let mut bytes = [0; 104];
        bytes[0] = state.number();
        bytes[100..].copy_from_slice(&1_u32.to_ne_bytes());
        TcpInfo::from_bytes(&bytes)
    }

    fn carried(failure: Option<FastOpenFailure>) -> FastOpenReport {
        let report = FastOpenReport::new(Some(18), false);
        FastOpenReport { failure, ..report }
    }

    #[test]
    fn data_sent_again_is_no_syn_sent_again_whatever_the_server_did_since() {
        let in_vain = Some(carried(Some(FastOpenFailure::DataNotAcknowledged)));
        for state in [TcpState::Established, TcpState::CloseWait, TcpState::Close] {
            assert_eq!(syn_retransmissions(&sent_again_once(state), in_vain), 0, "{state:?}");
        }
        // Nothing was answered: then it was the SYN. An RST ends that in CLOSE.
        for state in [TcpState::SynSent, TcpState::Close] {
            let unanswered = Some(carried(None));
            assert_eq!(syn_retransmissions(&sent_again_once(state), unanswered), 1, "{state:?}");
        }
        assert_eq!(syn_retransmissions(&sent_again_once(TcpState::CloseWait), None), 1);
    }

    #[test]
    fn schedule_is_linear_first_and_doubles_then() {
        // Measured on Linux 6.18 with packet timestamps, rounded down to the second.
        let sent_s = |linear: u8, count: u32| LinearTimeouts(linear).sent_after_ns(count) / 1_000_000_000;
        let modern: Vec<u64> = (0..8).map(|n| sent_s(4, n)).collect();
        assert_eq!(modern, [0, 1, 2, 3, 4, 5, 7, 11]);
        let before_6_5: Vec<u64> = (0..5).map(|n| sent_s(0, n)).collect();
        assert_eq!(before_6_5, [0, 1, 3, 7, 15]);
        assert_eq!(sent_s(4, u32::MAX), 4 + (1 << 32) - 1);
    }
}
