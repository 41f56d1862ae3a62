//! One direction of a connection, by its sequence numbers.

use crate::reorder::REORDER_NS;

/// What one direction of the stream has carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stream {
    /// First sequence number of data (ISN + 1), when known.
    pub start: Option<u32>,
    /// One past the highest data byte seen.
    pub end: u32,
    /// Bytes from `start` to `end`, counted beyond 2^32.
    pub bytes: u64,
    /// Sequence number of the FIN, once sent.
    pub fin: Option<u32>,
    /// When, in units of 256 ns, as far as that fits. Before the FIN: not 0 where a segment without data told `end`, whose
    /// number may count a FIN that the capture shows later.
    fin_at: u32,
    /// Highest acknowledgment number that this side sent, once it sent one.
    pub acked: Option<u32>,
}

/// A unit of [`Stream::fin_at`] is 2^8 ns.
const FIN_UNIT_BITS: u32 = 8;

/// Distances are signed modulo 2^32 (RFC 9293 section 3.4).
pub const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

impl Stream {
    /// No receiver offers more than 1 GiB (RFC 7323 section 2.3): a jump beyond this is not of this stream.
    const LARGEST_JUMP: i32 = 1 << 30;
    /// No window in use is larger.
    const LARGEST_BLIND: i32 = 1 << 26;
    /// What a capture puts out of order is a few packets: an acknowledgment further ahead is of what it missed.
    pub const LARGEST_DISORDER: i32 = 1 << 16;

    /// Starts at the byte after the SYN.
    pub fn begin(&mut self, isn: u32) {
        let first = isn.wrapping_add(1);
        *self = Self {
            start: Some(first),
            end: first,
            bytes: 0,
            fin: None,
            fin_at: 0,
            acked: self.acked,
        };
    }

    /// It began before what was seen of it, shortly.
    pub fn begin_before(&mut self, isn: u32) {
        let first = isn.wrapping_add(1);
        let missed = self.start.map_or(0, |start| distance(first, start));
        if missed > 0 && missed <= Self::LARGEST_DISORDER {
            self.start = Some(first);
            self.bytes += missed as u64;
        }
    }

    /// Notes data from `seq`, `len` bytes long.
    pub fn carry(&mut self, seq: u32, len: u32) {
        if self.start.is_none() {
            // Midway, as where the SYN was not captured: count from here.
            self.start = Some(seq);
            self.end = seq;
        }
        let mut end = seq.wrapping_add(len);
        if let Some(fin) = self.fin
            && distance(fin, end) > 0
        {
            end = fin; // the FIN took a sequence number that is no byte (RFC 9293 section 3.4)
        }
        let ahead = distance(self.end, end);
        if ahead > 0 && ahead < Self::LARGEST_JUMP {
            self.end = self.end.wrapping_add(ahead as u32);
            self.bytes += ahead as u64;
            if self.fin.is_none() {
                self.fin_at = u32::from(len == 0);
            }
        }
    }

    /// Notes the FIN that was noted of `before`, which is the same stream.
    pub fn finish_as(&mut self, before: &Self) {
        if let Some(fin) = before.fin {
            self.finish(fin, 0);
            self.fin_at = before.fin_at;
        }
    }

    /// Notes the first FIN, at the end of the stream, and when it was sent.
    pub fn finish(&mut self, fin: u32, time_ns: i64) {
        if self.fin.is_none() {
            self.fin = Some(fin);
            self.fin_at = (time_ns >> FIN_UNIT_BITS) as u32;
            if distance(fin, self.end) == 1 {
                // Captured behind the sender's own next segment, whose number counts the FIN.
                self.end = fin;
                self.bytes = self.bytes.saturating_sub(1);
            }
        }
    }

    /// Whether its FIN was sent shortly before that of `other`, which was captured first.
    pub const fn closed_before(&self, other: &Self) -> bool {
        let later = distance(self.fin_at, other.fin_at);
        self.fin.is_some() && other.fin.is_some() && later > 0 && (later as i64) << FIN_UNIT_BITS <= REORDER_NS
    }

    /// Whether `ack` is for bytes, or a FIN, that were not captured but can have been on their way.
    pub const fn is_acked_ahead(&self, ack: u32) -> bool {
        let ahead = distance(self.end, ack);
        let counts_fin = ahead == 0 && self.fin.is_none() && self.fin_at != 0;
        self.start.is_some() && (ahead > 0 && ahead <= Self::LARGEST_DISORDER || counts_fin)
    }

    /// Whether `ack` covers this stream's FIN. Nothing comes behind a FIN: a number far beyond it acknowledges nothing.
    pub const fn fin_covered_by(&self, ack: u32) -> bool {
        match self.fin {
            Some(fin) => {
                let beyond = distance(fin, ack);
                beyond > 0 && beyond <= Self::LARGEST_DISORDER
            }
            None => false,
        }
    }

    /// Whether a segment that ends before `end` and acknowledges `ack` of `peer` is of this connection: what jumps ahead
    /// (the capture missed what lies between) has one number, at the least, beside what was seen. Nobody guesses that.
    pub const fn believes(&self, end: u32, ack: u32, peer: &Self) -> bool {
        let ahead = distance(self.end, end);
        ahead <= Self::LARGEST_DISORDER
            || self.start.is_none()
            || peer.start.is_none() && ahead <= Self::LARGEST_BLIND
            || peer.start.is_some() && distance(peer.end, ack).saturating_abs() <= Self::LARGEST_BLIND
    }

    /// The sequence number of its next segment.
    pub const fn next(&self) -> u32 {
        match self.fin {
            Some(fin) if fin == self.end => fin.wrapping_add(1),
            _ => self.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_counts_each_byte_once_and_across_the_wrap() {
        let mut stream = Stream::default();
        stream.begin(u32::MAX - 1);
        stream.carry(u32::MAX, 10);
        stream.carry(u32::MAX, 10);
        stream.carry(5, 10);
        assert_eq!(stream.bytes, 16);
        stream.carry(5u32.wrapping_add(1 << 31), 10);
        assert_eq!(stream.bytes, 16);
    }

    #[test]
    fn a_fin_is_no_byte_in_either_order() {
        let mut stream = Stream::default();
        stream.begin(99);
        stream.carry(100, 10);
        stream.finish(110, 0);
        stream.carry(111, 0);
        assert_eq!(stream.bytes, 10);

        let mut reordered = Stream::default();
        reordered.begin(99);
        reordered.carry(100, 10);
        reordered.carry(111, 0);
        reordered.finish(110, 0);
        assert_eq!((reordered.bytes, reordered.end), (10, 110));
    }
}
