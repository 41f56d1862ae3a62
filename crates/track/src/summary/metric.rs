//! The durations whose distributions a summary holds.

use super::tally::answered_syn_to_syn_ack;
use crate::quantiles::{Precision, Quantiles};
use crate::{Fetch, Handshake};

/// A duration of a handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Metric {
    /// First SYN to first valid SYN-ACK: network, server, and the waits for retransmitted SYNs.
    SynToSynAck,
    /// First valid SYN-ACK to its ACK: the client's side.
    SynAckToAck,
    /// First SYN to that ACK.
    Handshake,
    /// First SYN to the SYN that was answered. Only attempts that were answered have one; 0 where the first SYN was.
    RetransmitWait,
    /// The SYN that was answered to its SYN-ACK: the first metric without the fourth. In the totals only.
    AnsweredSynToSynAck,
}

impl Metric {
    /// Every metric; those that an endpoint has come first.
    pub const ALL: [Metric; 5] = [
        Metric::SynToSynAck,
        Metric::SynAckToAck,
        Metric::Handshake,
        Metric::RetransmitWait,
        Metric::AnsweredSynToSynAck,
    ];

    /// Its key in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SynToSynAck => "syn_to_syn_ack",
            Self::SynAckToAck => "syn_ack_to_ack",
            Self::Handshake => "handshake",
            Self::RetransmitWait => "retransmit_wait",
            Self::AnsweredSynToSynAck => "answered_syn_to_syn_ack",
        }
    }

    /// Its value in a handshake, nanoseconds.
    pub fn of(self, h: &Handshake) -> Option<i64> {
        match self {
            Self::SynToSynAck => h.syn_to_syn_ack_ns,
            Self::SynAckToAck => h.syn_ack_to_ack_ns,
            Self::Handshake => h.handshake_ns,
            Self::RetransmitWait => h.retransmit_wait_ns,
            Self::AnsweredSynToSynAck => answered_syn_to_syn_ack(h),
        }
    }
}

/// Whether a handshake has any duration.
pub fn has_durations(h: &Handshake) -> bool {
    h.syn_to_syn_ack_ns.is_some()
        || h.syn_ack_to_ack_ns.is_some()
        || h.retransmit_wait_ns.is_some()
        || h.handshake_ns.is_some()
}

/// One distribution for each of the first `N` metrics.
#[derive(Clone, Debug)]
pub struct Latency<const N: usize>([Quantiles; N]);

impl<const N: usize> Latency<N> {
    /// Without values.
    pub fn new(precision: Precision) -> Self {
        Self(std::array::from_fn(|_| Quantiles::new(precision)))
    }

    /// Adds the durations that a handshake has. Never inlined: the path of an unanswered SYN, which has none, stays short.
    #[inline(never)]
    pub fn add(&mut self, h: &Handshake) {
        for (metric, quantiles) in Metric::ALL.into_iter().zip(&mut self.0) {
            if let Some(ns) = metric.of(h) {
                quantiles.add(ns);
            }
        }
    }

    /// Asks for itself.
    pub fn fetch<F: Fetch>(&self) {
        self.0.iter().for_each(F::fetch);
    }

    /// Asks for where the next values are put.
    pub fn fetch_values<F: Fetch>(&self) {
        self.0.iter().for_each(Quantiles::fetch::<F>);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            mine.merge(theirs);
        }
    }

    /// The distributions.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, &Quantiles)> {
        Metric::ALL.into_iter().zip(&self.0)
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.0.iter().map(Quantiles::heap_bytes).sum()
    }
}

impl Latency<{ Metric::ALL.len() }> {
    /// The distribution of one metric.
    pub fn get(&self, metric: Metric) -> &Quantiles {
        &self.0[metric as usize]
    }
}
