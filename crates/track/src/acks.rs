//! What ACKs write into the books of their flow: completion, and what they show that was not captured yet.

use halfopen_wire::{Flags, Segment};

use crate::classify::{acks_syn, follows};
use crate::closing::{fin, was_closed_before_rst};
use crate::detail::Detail;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::record::{Anomaly, Side};
use crate::reorder::{REORDER_NS, close_in_time};
use crate::state::{Class, State};
use crate::stream::{Stream, distance};
use crate::syn_acks::adopt_answer;
use crate::witness::Step;

/// An ACK that fits.
pub fn ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
    let here = (segment.time_ns, FrameRef::of(segment));
    if step.row.class == Class::AckOfFin && was_closed_before_rst(detail, segment, step.from) {
        flow.marks &= !(Flow::CLOSE_RST_CLIENT | Flow::CLOSE_RST_SERVER);
        flow.anomalies.insert(Anomaly::Reordered);
        flow.state = State::TimeWait;
        return;
    }
    match (step.before, step.from) {
        (before, Side::Client) if !before.is_opening() && was_sent_before_ack(detail, segment) => {
            flow.anomalies.insert(Anomaly::Reordered);
            detail.ack = Some(here);
            if flow.is(Flow::SYN_ACK_MISSED) {
                detail.rare_mut().early_ack = Some(segment.ack);
            }
        }
        (State::SynSent, Side::Client) => {
            flow.marks |= Flow::COMPLETED | Flow::SYN_ACK_MISSED;
            flow.marks &= !Flow::UNREACHABLE;
            detail.rare_mut().early_ack = Some(segment.ack);
            detail.ack = Some(here);
        }
        (State::SynSent, Side::Server) if acks_syn(flow, segment.ack) => detail.rare_mut().syn_acked = true,
        (State::SynSent, Side::Server) => detail.rare_mut().challenge = Some(segment.ack),
        (State::SimultaneousSyn, Side::Client) => {
            detail.rare_mut().client_syn_ack.get_or_insert(here);
        }
        (State::SimultaneousClientAcked, Side::Client) => {
            let early = &mut detail.rare_mut().early.ack;
            *early = Some(early.filter(|ack| ack.0 <= here.0).unwrap_or(here));
        }
        (State::SynRecv | State::SynAckFirst | State::SimultaneousServerAcked, Side::Client) => {
            flow.marks |= Flow::COMPLETED;
            if step.before == State::SimultaneousServerAcked && detail.syn_ack_sent == 0 {
                flow.anomalies.insert(Anomaly::SplitHandshake);
            }
            adopt_answer(flow, detail, segment.ack);
            detail.ack = Some(here);
            settle_ahead(flow, detail, segment);
        }
        (State::SimultaneousClientAcked, Side::Server) => {
            flow.marks |= Flow::COMPLETED;
            flow.anomalies.insert(Anomaly::SplitHandshake);
            detail.ack = detail.rare().client_syn_ack;
        }
        (State::SynRecv | State::SynAckFirst, Side::Server) if step.row.class == Class::AckOfData => {
            flow.marks |= Flow::COMPLETED;
            detail.rare_mut().proven_ns = segment.time_ns;
            believe_ahead(flow, detail, segment);
        }
        // A simultaneous open was completed by the server: the client's ACK ends it for the client.
        (_, Side::Client) if detail.ack.is_none() && flow.is(Flow::SIMULTANEOUS | Flow::COMPLETED) => {
            detail.ack = Some(here);
        }
        // Completed by the server's ACK of data. What begins where the SYN-ACK left off is the final ACK itself, out of
        // order; anything later is not, and when the final ACK came stays unknown.
        (_, Side::Client)
            if detail.ack.is_none()
                && detail.server.acked == Some(segment.seq)
                && segment.time_ns.saturating_sub(detail.rare().proven_ns) <= REORDER_NS =>
        {
            flow.anomalies.insert(Anomaly::Reordered);
            detail.ack = Some(here);
        }
        _ => {}
    }
}

/// Whether the client's segment was sent before the one that was taken for its ACK of the SYN-ACK: the capture swapped them.
fn was_sent_before_ack(detail: &Detail, segment: &Segment) -> bool {
    let behind_syn_ack = detail.syn_ack.is_none_or(|(ns, _)| ns <= segment.time_ns);
    let earlier = |(ns, frame): (i64, FrameRef)| {
        frame.is_timed() && segment.time_ns < ns && close_in_time(segment.time_ns, ns) && segment.file == frame.file()
    };
    segment.timed && behind_syn_ack && detail.ack.is_some_and(earlier)
}

/// Remembers an acknowledgment of something that was not captured: lost, or out of order.
pub fn ack_ahead(detail: &mut Detail, segment: &Segment, from: Side) {
    let peer = detail.stream(from.other());
    if peer.fin.is_some() || !peer.is_acked_ahead(segment.ack) {
        return;
    }
    let ahead = &mut detail.rare_mut().acks_ahead[from as usize];
    if ahead.is_none_or(|before| distance(before, segment.ack) > 0) {
        *ahead = Some(segment.ack);
    }
}

/// The server has come to what the client acknowledged before the capture showed it: that was no blind ACK.
fn believe_ahead(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    let end = segment.seq.wrapping_add(segment.payload_len);
    let Some(ahead) = detail.rare_mut().ahead.take_if(|a| distance(a.1.ack, end) >= 0) else {
        return;
    };
    let (first, ahead) = *ahead;
    detail.ack = Some(first);
    detail.carry(&ahead, Side::Client);
    if ahead.flags.has(Flags::FIN) {
        fin(flow, detail, &ahead, Side::Client);
    }
}

/// The client's first ACK comes behind those that acknowledge more: out of order by its time stamp, or they were not its own,
/// for no client goes back.
fn settle_ahead(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    let Some(ahead) = detail.rare.as_mut().and_then(|rare| rare.ahead.take()) else {
        return;
    };
    let (first, ahead) = *ahead;
    if segment.timed && segment.time_ns < first.0 {
        detail.carry(&ahead, Side::Client);
        if ahead.flags.has(Flags::FIN) {
            fin(flow, detail, &ahead, Side::Client);
        }
    } else {
        flow.anomalies.insert(Anomaly::AckWrongAck);
    }
}

/// Whether the client's ACK before completion may be for data of the server that the capture missed.
fn may_be_ahead(flow: &Flow, detail: &Detail, segment: &Segment) -> bool {
    let first = detail.isn_server.map(|isn| isn.wrapping_add(1));
    let beyond = first.map_or(0, |first| distance(first, segment.ack));
    beyond > 0 && beyond <= Stream::LARGEST_DISORDER && follows(flow, detail, segment)
}

/// An ACK that fits nothing that was captured.
pub fn ack_wrong(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
    match (step.before, step.from) {
        (State::SynSent, Side::Server) => detail.rare_mut().challenge = Some(segment.ack),
        (State::SynSent, Side::Client) if segment.ack == 0 => {
            detail.rare_mut().early.ack_of_0 = Some((segment.time_ns, FrameRef::of(segment)));
        }
        (State::SynRecv | State::SynAckFirst, Side::Client) if may_be_ahead(flow, detail, segment) => {
            let here = (segment.time_ns, FrameRef::of(segment));
            let known = detail.rare().ahead.as_deref();
            let first = known.map_or(here, |&(first, _)| if here.0 < first.0 { here } else { first });
            // A FIN comes last, whatever the capture put behind it.
            let last = known.map(|known| known.1).filter(|last| last.flags.has(Flags::FIN));
            detail.rare_mut().ahead = Some(Box::new((first, last.unwrap_or(*segment))));
        }
        (before, Side::Client) if before != State::SynSent && before.is_opening() => {
            flow.anomalies.insert(Anomaly::AckWrongAck);
        }
        _ => {}
    }
}
