//! Who began: the SYNs of both ends, set apart where they are two attempts, and changed over where the capture swapped them.

use halfopen_wire::Segment;

use crate::detail::{Detail, Rare};
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::packed::PackedOptions;
use crate::record::{Anomaly, Side, SideOptions};
use crate::reorder::close_in_time;
use crate::state::State;
use crate::stream::Stream;

/// A detail that was just made learns what the flow knows.
pub fn ensure_started(flow: &Flow, detail: &mut Detail) {
    if flow.is(Flow::SYN_SEEN) && detail.client.start.is_none() {
        detail.client.begin(flow.isn_client);
        detail.answered_ns = if flow.frame_syn.is_timed() {
            flow.start_ns
        } else {
            i64::MIN
        };
    }
}

/// The SYN that the capture put behind its SYN-ACK.
pub fn syn_behind_syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    flow.marks |= Flow::SYN_SEEN;
    flow.anomalies.insert(Anomaly::Reordered);
    flow.take_syn(segment);
    flow.syn_sent = 1;
    detail.answered_ns = flow.last_syn.moment();
    let first = segment.seq.wrapping_add(1);
    if let Some(acked) = detail.server.acked {
        detail.syn_data_acked = acked.wrapping_sub(first);
    }
    if detail.client.start.is_none() {
        detail.client.begin(segment.seq);
        detail.client.carry(first, detail.syn_data_acked);
    }
}

/// The SYN of the other side, for the first time.
pub fn server_syn(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
    if before != State::SynSent {
        return;
    }
    flow.marks |= Flow::SIMULTANEOUS;
    if was_sent_first(flow, detail, segment) {
        swap_ends(flow, detail, segment);
        return;
    }
    keep_syn(detail, segment, false);
    flow.marks &= !Flow::UNREACHABLE;
    detail.isn_server = Some(segment.seq);
    detail.server.begin(segment.seq);
    detail.rare_mut().server_syn = Some(Fingerprint::of(segment));
    if let Some((acked, seen)) = detail.rare().early.syn_ack
        && acked == segment.seq.wrapping_add(1)
        && close_in_time(seen.0, segment.time_ns)
    {
        flow.anomalies.insert(Anomaly::Reordered);
        detail.rare_mut().client_syn_ack = Some(seen);
    }
    detail.server_options = PackedOptions::of(segment);
    detail.answered_ns = flow.last_syn.moment();
}

/// Whether the SYN of the other side is the earlier one by its time stamp, and nothing else has happened.
fn was_sent_first(flow: &Flow, detail: &Detail, segment: &Segment) -> bool {
    let timed = segment.timed && flow.frame_syn.is_timed();
    let alone = flow.syn_sent == 1 && detail.rare.is_none() && segment.file == flow.frame_syn.file();
    timed && alone && segment.time_ns < flow.start_ns && close_in_time(segment.time_ns, flow.start_ns)
}

/// Of two SYNs that meet, the one that the capture put second was sent first: its sender is the client.
fn swap_ends(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    flow.marks ^= Flow::CLIENT_LOW;
    flow.anomalies.insert(Anomaly::Reordered);
    detail.isn_server = Some(flow.isn_client);
    detail.server.begin(flow.isn_client);
    detail.server_options = Some(flow.client_options);
    detail.ttl_server = Some(flow.ttl_client);
    detail.rare_mut().server_syn = Some(flow.last_syn);
    flow.take_syn(segment);
    detail.client.begin(segment.seq);
    detail.answered_ns = flow.last_syn.moment();
}

/// The SYN of the other side, for the case that it is an attempt of its own.
pub fn keep_syn(detail: &mut Detail, segment: &Segment, is_copy: bool) {
    let syns = &mut detail.rare_mut().server_syns;
    // Where the first SYN was the other side's, it is not known any more: nothing begins with a copy of it.
    let follows = !(is_copy && syns.is_empty());
    if follows && syns.len() < Rare::LARGEST_SYNS {
        syns.push((*segment, is_copy));
    }
}

/// The SYN of the other side was an attempt of its own: gives it back, and leaves the client's as it was without.
pub fn part(flow: &mut Flow, detail: &mut Detail) -> Vec<(Segment, bool)> {
    flow.marks &= !(Flow::SIMULTANEOUS | Flow::SERVER_SEEN);
    flow.state = State::SynSent;
    detail.isn_server = None;
    detail.server = Stream::default();
    detail.server_options = None;
    detail.ttl_server = None;
    let rare = detail.rare_mut();
    rare.server_syn = None;
    std::mem::take(&mut rare.server_syns)
}

/// The same SYN again: a retransmission (copies were sorted out before).
pub fn syn_repeated(flow: &mut Flow, segment: &Segment, from: Side) {
    flow.last_ns = flow.last_ns.max(segment.time_ns);
    if from == Side::Server {
        return;
    }
    flow.syn_sent = flow.syn_sent.saturating_add(1);
    flow.last_syn = Fingerprint::of(segment);
    flow.anomalies.insert(Anomaly::SynRetransmitted);
    if !flow.is(Flow::SYN_SEEN) {
        return;
    }
    let Some(now) = SideOptions::of(segment) else { return };
    if flow.client_options.unpack().ecn && !now.ecn {
        flow.anomalies.insert(Anomaly::EcnFallback);
    }
    let asked = flow.client_options.asks_fast_open();
    if asked && now.fast_open_name().is_none() || asked && flow.syn_data > 0 && segment.payload_len == 0 {
        flow.anomalies.insert(Anomaly::FastOpenFallback);
    }
}
