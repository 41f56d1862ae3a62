//! What SYN-ACKs write into the books of their flow: the one that holds, others, and those that fit nothing.

use halfopen_wire::Segment;

use crate::detail::{Answer, Detail, Rare};
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::packed::PackedOptions;
use crate::record::{Anomaly, Side};
use crate::reorder::close_in_time;
use crate::state::State;
use crate::stream::{Stream, distance};

/// The SYN-ACK that opens a flow whose SYN was not captured.
pub fn first_syn_ack(detail: &mut Detail, segment: &Segment) {
    detail.syn_ack = Some((segment.time_ns, FrameRef::of(segment)));
    detail.isn_server = Some(segment.seq);
    detail.server.begin(segment.seq);
    detail.server.acked = Some(segment.ack);
    detail.server_options = PackedOptions::of(segment);
    detail.ttl_server = Some(segment.ttl);
    detail.syn_ack_sent = 1;
    detail.last_syn_ack = Some(Fingerprint::of(segment));
    detail.last_syn_ack_numbers = Some((segment.seq, segment.ack));
}

fn count_syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    if detail.last_syn_ack_numbers == Some((segment.seq, segment.ack)) {
        flow.anomalies.insert(Anomaly::SynAckRetransmitted);
    }
    detail.syn_ack_sent = detail.syn_ack_sent.saturating_add(1);
    detail.last_syn_ack = Some(Fingerprint::of(segment));
    detail.last_syn_ack_numbers = Some((segment.seq, segment.ack));
}

/// A SYN-ACK that fits: the first one is what all times are measured by.
pub fn syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
    count_syn_ack(flow, detail, segment);
    let finished = match before {
        // The capture may have put it behind all that followed.
        _ if flow.is(Flow::SYN_ACK_MISSED) => false,
        State::TimeWait => true,
        // Of an attempt that the client gave up, the SYN-ACK may have been on its way.
        State::Reset => !flow.is(Flow::RESET_BY_CLIENT),
        _ => false,
    };
    if detail.syn_ack.is_some() || finished {
        return;
    }
    flow.marks &= !(Flow::REFUSED | Flow::UNREACHABLE);
    let late = flow.is(Flow::SYN_ACK_MISSED);
    if late {
        // The ACK came first: swapped by the capture, or this is a later transmission and the first was missed.
        let ack_ns = detail.ack.map_or(segment.time_ns, |(t, _)| t);
        let beyond = detail
            .rare()
            .early_ack
            .map(|ack| distance(segment.seq.wrapping_add(1), ack));
        let same = beyond.is_some_and(|n| (0..=Stream::LARGEST_DISORDER).contains(&n));
        if same {
            detail.isn_server = Some(segment.seq);
        }
        if !same || !close_in_time(ack_ns, segment.time_ns) {
            return;
        }
        if beyond != Some(0) {
            // A later segment of the client came first; its ACK of the SYN-ACK is still to come, or was missed.
            detail.ack = None;
            detail.rare_mut().proven_ns = ack_ns;
        }
        flow.marks &= !Flow::SYN_ACK_MISSED;
        flow.anomalies.insert(Anomaly::Reordered);
    }
    detail.syn_ack = Some((segment.time_ns, FrameRef::of(segment)));
    detail.isn_server = Some(segment.seq);
    if !flow.is(Flow::SIMULTANEOUS) && (!late || detail.server.start.is_none()) {
        begin_server(flow, detail, segment.seq);
    } else if late {
        detail.server.begin_before(segment.seq);
    }
    detail.server.acked = Some(segment.ack);
    detail.server_options = PackedOptions::of(segment);
    detail.ttl_server = Some(segment.ttl);
    if flow.is(Flow::SYN_SEEN) {
        syn_data_acked(flow, detail, segment.ack);
        // Linux echoes the first SYN's TSval even to a later one, so time stamps do not tell which SYN drew the answer:
        // the last one before it did.
        detail.answered_ns = flow.last_syn.moment();
    }
    if before == State::SimultaneousClientAcked {
        flow.marks |= Flow::COMPLETED;
        let early = detail.rare().early.ack;
        if let Some(ack) = early.filter(|&(ns, _)| ns >= segment.time_ns && close_in_time(ns, segment.time_ns)) {
            flow.anomalies.insert(Anomaly::Reordered);
            detail.ack = Some(ack);
        }
    }
    if let Some(ack) = detail.rare().early.ack_of_0
        && before == State::SynSent
        && segment.seq == u32::MAX
        && close_in_time(ack.0, segment.time_ns)
    {
        flow.marks |= Flow::COMPLETED;
        flow.anomalies.insert(Anomaly::Reordered);
        detail.ack = Some(ack);
    }
}

/// The server's stream begins; its FIN may have been captured before.
fn begin_server(flow: &mut Flow, detail: &mut Detail, isn: u32) {
    let first = isn.wrapping_add(1);
    let before = detail.server;
    let fin = before.fin;
    let early = distance(first, detail.server.end);
    let carried = detail.server.start.is_some() && early > 0 && early <= Stream::LARGEST_DISORDER;
    detail.server.begin(isn);
    if carried {
        flow.anomalies.insert(Anomaly::Reordered);
        detail.server.carry(first, early as u32);
    }
    if let Some(fin) = fin.filter(|&fin| (0..=Stream::LARGEST_DISORDER).contains(&distance(first, fin))) {
        flow.anomalies.insert(Anomaly::Reordered);
        detail.server.carry(fin, 0);
        detail.server.finish_as(&before);
    } else if fin.is_some() {
        flow.marks &= !Flow::FIN_SERVER_FIRST;
        detail.fin_acks[Side::Server as usize] = None;
    }
}

/// The SYN-ACK acknowledges the SYN, and as much of its data.
fn syn_data_acked(flow: &Flow, detail: &mut Detail, ack: u32) {
    let first = flow.isn_client.wrapping_add(1);
    // A FIN in the SYN is acknowledged as well, and is no byte.
    let fin = u32::from(flow.anomalies.contains(Anomaly::SynWithFinOrRst));
    detail.syn_data_acked = ack.wrapping_sub(first).saturating_sub(fin);
    detail.client.carry(first, detail.syn_data_acked);
}

/// A SYN-ACK that acknowledges what was not sent.
pub fn syn_ack_wrong(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    wrong_reset_before(flow, detail, segment);
    flow.anomalies.insert(Anomaly::SynAckWrongAck);
    if !flow.is(Flow::COMPLETED) {
        detail.rare_mut().wrong_ack = Some(segment.ack);
    }
    if detail.server_options.is_none() {
        detail.server_options = PackedOptions::of(segment);
    }
    count_syn_ack(flow, detail, segment);
}

/// The client's RST for a SYN-ACK that acknowledges something else, captured before it.
fn wrong_reset_before(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    let Some((seq, time_ns)) = detail.rare().early.rst else {
        return;
    };
    if seq == segment.ack && close_in_time(time_ns, segment.time_ns) {
        flow.anomalies.remove(Anomaly::BlindReset);
        flow.anomalies.insert(Anomaly::Reordered);
        let rare = detail.rare_mut();
        rare.early.rst = None;
        rare.wrong_reset = true;
    }
}

/// The client's ACK was blind; this is the first SYN-ACK that fits.
pub fn syn_ack_disproving(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    flow.anomalies.insert(Anomaly::AckWrongAck);
    flow.marks &= !(Flow::COMPLETED | Flow::SYN_ACK_MISSED);
    if let Some(rare) = &mut detail.rare {
        rare.early_ack = None;
    }
    detail.ack = None;
    detail.client.begin(flow.isn_client);
    syn_ack(flow, detail, segment, State::SynSent);
}

/// A SYN-ACK that fits, with another number than the one before.
pub fn syn_ack_other(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
    flow.anomalies.insert(Anomaly::IsnChanged);
    if before == State::SynSent {
        detail.syn_ack = None;
        syn_ack(flow, detail, segment, before);
        return;
    }
    count_syn_ack(flow, detail, segment);
    let answer = Answer {
        isn: segment.seq,
        seen: (segment.time_ns, FrameRef::of(segment)),
        answered_ns: flow.last_syn.moment(),
        acked: segment.ack,
        options: PackedOptions::of(segment),
        ttl: segment.ttl,
    };
    let others = &mut detail.rare_mut().others;
    if others.len() < Rare::LARGEST_OTHERS && others.iter().all(|o| o.isn != answer.isn) {
        others.push(answer);
    }
}

/// Where the server answered twice with different numbers, the client's ACK says which one holds: that SYN-ACK is the
/// first valid one, and the others are strangers (a SYN cookie that was lost, a second host with this address).
pub fn adopt_answer(flow: &Flow, detail: &mut Detail, ack: u32) {
    let exactly = |isn: u32| isn.wrapping_add(1) == ack;
    if detail.isn_server.is_some_and(exactly) {
        return;
    }
    let Some(&answer) = detail.rare().others.iter().find(|o| exactly(o.isn)) else {
        return;
    };
    detail.syn_ack = Some(answer.seen);
    detail.isn_server = Some(answer.isn);
    detail.answered_ns = answer.answered_ns;
    detail.server.begin(answer.isn);
    detail.server.acked = Some(answer.acked);
    detail.server_options = answer.options;
    detail.ttl_server = Some(answer.ttl);
    if flow.is(Flow::SYN_SEEN) {
        syn_data_acked(flow, detail, answer.acked);
    }
}

/// The first SYN's sender acknowledges the other SYN, repeating its own.
pub fn client_syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
    let frame = FrameRef::of(segment);
    detail.rare_mut().client_syn_ack.get_or_insert((segment.time_ns, frame));
    if before == State::SimultaneousServerAcked {
        flow.marks |= Flow::COMPLETED;
        if detail.syn_ack_sent == 0 {
            flow.anomalies.insert(Anomaly::SplitHandshake);
            detail.ack = detail.rare().client_syn_ack;
        }
    }
}
