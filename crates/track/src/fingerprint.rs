//! Whether a packet is one that was captured before, at another point of its way.

use halfopen_wire::Segment;

/// The marks that tell a second capture of one packet from its retransmission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// Time of the last transmission.
    pub time_ns: i64,
    pub(crate) tsval: u32,
    pub(crate) interface: u32,
    /// How long after it a second capture of it came, microseconds; 0 without one.
    pub(crate) copied_us: u32,
    pub(crate) ip_id: u16,
    pub(crate) ttl: u8,
    pub(crate) has: u8,
}

impl Fingerprint {
    pub(crate) const IP_ID: u8 = 1;
    pub(crate) const TSVAL: u8 = 2;
    /// It has no time of its own.
    pub(crate) const UNTIMED: u8 = 4;

    /// No retransmission timer of any stack is this short, and no mirror port this slow: RFC 6298 section 2 starts at
    /// 1 s, the shortest initial timeouts in the field (tuned by BPF `TIMEOUT_INIT`) are about 200 ms.
    const LONGEST_NS: i64 = 200_000_000;
    /// Nor is one so short that its time stamp is still that of before, where that counts milliseconds: two hosts far apart.
    const LONGEST_STAMPED_NS: i64 = 900_000_000;
    /// Where neither identification nor time stamp nor hop tells: a copy of a bridge, bond or mirror comes within this.
    const UNMARKED_NS: i64 = 10_000_000;
    /// A SYN-ACK is also repeated at once, with the same time stamp and no identification, when a repeated SYN meets the
    /// server's own timer: Linux sends two within 50 us. Where the SYN was not captured, to tell by how that came, only what
    /// comes closer than this is a copy.
    const UNMARKED_SYN_ACK_NS: i64 = 1_000_000;

    /// Takes the marks of a SYN or SYN-ACK.
    pub fn of(segment: &Segment) -> Self {
        let tsval = segment.syn.and_then(|s| s.timestamps).map(|t| t.0);
        // Linux sends SYN-ACKs and RSTs with identification 0 and DF: that identifies nothing.
        let ip_id = segment.ip_id.filter(|&id| id != 0);
        Self {
            time_ns: segment.time_ns,
            tsval: tsval.unwrap_or(0),
            interface: segment.interface,
            copied_us: 0,
            ip_id: ip_id.unwrap_or(0),
            ttl: segment.ttl,
            has: if ip_id.is_some() { Self::IP_ID } else { 0 }
                | if tsval.is_some() { Self::TSVAL } else { 0 }
                | if segment.timed { 0 } else { Self::UNTIMED },
        }
    }

    #[cfg(test)]
    pub(crate) const NONE: Self = Self {
        time_ns: 0,
        tsval: 0,
        interface: 0,
        copied_us: 0,
        ip_id: 0,
        ttl: 0,
        has: 0,
    };

    /// The time of this transmission, or what [`crate::detail::Detail::answered_ns`] holds where it is not known.
    pub const fn moment(&self) -> i64 {
        if self.has & Self::UNTIMED == 0 {
            self.time_ns
        } else {
            i64::MIN
        }
    }

    /// Whether `next`, the same SYN by its TCP numbers, is the same *packet*, seen at another point of its way.
    pub fn is_copied_syn(&self, next: &Self) -> bool {
        let same_tick = self.has & Self::TSVAL != 0;
        let unmarked_ns = if same_tick { Self::LONGEST_NS } else { Self::UNMARKED_NS };
        self.is_copy(next, Some(unmarked_ns))
    }

    /// The same for a SYN-ACK, by how the SYN was captured, and how long after one another where twice. The answer to the only SYN so far (`nth` is 1) is repeated by
    /// a timer alone, not at once.
    pub fn is_copied_syn_ack(&self, next: &Self, syn: SynCaptured, nth: u32, copied_us: u32) -> bool {
        let unmarked_ns = match syn {
            SynCaptured::Never => Some(Self::UNMARKED_SYN_ACK_NS),
            // Where two capture points lie far apart: a stamp of the same tick is none of a retransmission.
            SynCaptured::Twice if self.has & Self::TSVAL != 0 => Some(Self::LONGEST_NS),
            // A timer repeats the answer to the only SYN, and none is that short. Later they come about as far apart as the SYNs.
            SynCaptured::Twice if nth == 1 => Some(Self::LONGEST_NS),
            SynCaptured::Twice => Some(Self::UNMARKED_NS.max(2000 * i64::from(copied_us))),
            SynCaptured::Once => (nth == 1).then_some(Self::UNMARKED_SYN_ACK_NS),
            SynCaptured::Elsewhere => None,
        };
        self.is_copy(next, unmarked_ns)
    }

    /// Whether `next` was seen at another hop or interface.
    pub const fn is_elsewhere(&self, next: &Self) -> bool {
        self.ttl != next.ttl || self.interface != next.interface
    }

    fn is_copy(&self, next: &Self, unmarked_ns: Option<i64>) -> bool {
        // Without times, being close says nothing: a retransmission is the more likely.
        let timed = (self.has | next.has) & Self::UNTIMED == 0;
        let gap = next.time_ns.saturating_sub(self.time_ns).saturating_abs();
        let stamped = self.has & Self::TSVAL != 0 && (self.has & Self::IP_ID != 0 || self.is_elsewhere(next));
        let longest_ns = if stamped {
            Self::LONGEST_STAMPED_NS
        } else {
            Self::LONGEST_NS
        };
        if gap > longest_ns || (self.has ^ next.has) & !Self::UNTIMED != 0 || self.tsval != next.tsval {
            return false;
        }
        if self.has & Self::IP_ID != 0 {
            return self.ip_id == next.ip_id;
        }
        self.is_elsewhere(next) || timed && unmarked_ns.is_some_and(|most| gap <= most)
    }
}

/// How the SYN of a connection was captured: its answers are captured the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SynCaptured {
    /// It was not.
    Never,
    /// At one point.
    Once,
    /// Twice, and nothing differs.
    Twice,
    /// At two hops or interfaces.
    Elsewhere,
}
