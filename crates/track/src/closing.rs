//! How a connection closes: FINs, RSTs, and RSTs that the capture put before what was sent before them.

use halfopen_wire::{Flags, Segment};

use crate::believed::{Believed, Resumed};
use crate::classify::{acks_server, follows};
use crate::detail::Detail;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::record::{Anomaly, Side};
use crate::reorder::close_in_time;
use crate::state::{Cell, Class, State, lookup};
use crate::witness::Step;

/// The FIN half of a segment.
pub fn fin(flow: &mut Flow, detail: &mut Detail, segment: &Segment, from: Side) {
    let end = segment.seq.wrapping_add(segment.payload_len);
    let ack = segment.flags.has(Flags::ACK).then_some(segment.ack);
    let is_first = detail.stream(from).fin.is_none();
    detail.stream_mut(from).finish(end, segment.time_ns);
    let known = &mut detail.fin_acks[from as usize];
    *known = known.or(ack);
    let is_earlier = is_first && segment.timed && detail.stream(from).closed_before(detail.stream(from.other()));
    if is_earlier || !flow.is(Flow::FIN_CLIENT_FIRST) && !flow.is(Flow::FIN_SERVER_FIRST) {
        flow.marks &= !(Flow::FIN_CLIENT_FIRST | Flow::FIN_SERVER_FIRST);
        flow.marks |= match from {
            Side::Client => Flow::FIN_CLIENT_FIRST,
            Side::Server => Flow::FIN_SERVER_FIRST,
        };
    }
}

/// A FIN behind the end: it closes nothing any more, and is no byte either. It counts where the end was none.
pub fn late_fin(detail: &mut Detail, segment: &Segment, from: Side) {
    if let Some(Some(believed)) = detail.rare.as_mut().map(|rare| rare.believed.as_mut()) {
        believed.note_fin(segment, from);
    }
    detail
        .stream_mut(from)
        .finish(segment.seq.wrapping_add(segment.payload_len), segment.time_ns);
}

/// An RST that fits.
pub fn rst(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
    let over = step.before.is_over();
    let (sender, receiver) = (detail.stream(step.from), detail.stream(step.from.other()));
    if let Some(believed) = Believed::of(sender, receiver, segment, step.from, step.before) {
        detail.rare_mut().believed = Some(believed);
    }
    if matches!(step.before, State::FinBothClientAcked | State::FinBothServerAcked) {
        detail.rare_mut().reset_close = Some((segment.time_ns, step.before));
    }
    if step.from == Side::Client && step.before.is_opening() && segment.flags.has(Flags::ACK) {
        detail.client.acked = Some(segment.ack);
    }
    if !step.before.is_opening() && !over {
        // Before completion it takes its number from what it answers; after the end, from what came late: no bytes.
        detail.carry(segment, step.from);
    }
    flow.marks |= match (step.before, step.from) {
        (State::SynSent, Side::Server) => {
            if !flow.is(Flow::REFUSED) {
                detail.answered_ns = flow.last_syn.moment();
            }
            Flow::REFUSED
        }
        (State::TimeWait | State::Reset | State::Closed, _) => 0,
        (before, Side::Client) if before.is_opening() => Flow::RESET_BY_CLIENT,
        (before, Side::Server) if before.is_opening() => Flow::RESET_BY_SERVER,
        (_, Side::Client) => Flow::CLOSE_RST_CLIENT,
        (_, Side::Server) => Flow::CLOSE_RST_SERVER,
    };
}

/// An RST whose numbers do not fit.
pub fn rst_blind(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
    // The answer to a challenge ACK belongs to the connection before this one (RFC 5961 section 4.2).
    if step.from == Side::Client && detail.rare().challenge == Some(segment.seq) {
        return;
    }
    if step.before.is_over() {
        return;
    }
    flow.anomalies.insert(Anomaly::BlindReset);
    if step.from == Side::Client && step.before == State::SynSent {
        detail.rare_mut().early.rst = Some((segment.seq, segment.time_ns));
    }
}

/// An RST was believed, and is taken back.
pub fn take_back(flow: &mut Flow, detail: &mut Detail) -> Option<Resumed> {
    let resumed = detail.rare_mut().believed.take()?.take_back();
    flow.anomalies.insert(Anomaly::BlindReset);
    flow.marks &= !match resumed.from {
        Side::Client => Flow::RESET_BY_CLIENT | Flow::CLOSE_RST_CLIENT,
        Side::Server => Flow::RESET_BY_SERVER | Flow::CLOSE_RST_SERVER,
    };
    *detail.stream_mut(resumed.from) = resumed.sender;
    if !flow.is(Flow::COMPLETED) {
        flow.marks |= Flow::COMPLETED;
        detail.ack = resumed.ack;
    }
    Some(resumed)
}

/// Whether the client's ACK of the SYN-ACK comes right behind its own RST: the capture swapped them. The RST of a socket
/// (not that of a host without one) acknowledges, so its sender had sent this ACK before.
pub fn is_swapped_with_rst(flow: &Flow, detail: &Detail, segment: &Segment, step: &Step) -> bool {
    let first = detail.isn_server.map(|isn| isn.wrapping_add(1));
    step.before == State::Reset
        && step.from == Side::Client
        && flow.is(Flow::RESET_BY_CLIENT)
        && first == Some(segment.ack)
        && first == detail.client.acked
        && flow.isn_client.wrapping_add(1) == segment.seq
}

/// Whether the client's ACK of the SYN-ACK comes behind the server's RST. No client sends it that has the RST: it was sent
/// before that arrived, and `connect()` had succeeded.
pub fn completes_behind_rst(flow: &Flow, detail: &Detail, segment: &Segment, step: &Step) -> bool {
    step.before == State::Reset
        && step.from == Side::Client
        && flow.is(Flow::RESET_BY_SERVER)
        && acks_server(detail, segment.ack)
        && follows(flow, detail, segment)
}

/// The client's ACK behind the server's RST; `close` to it, they were swapped by the capture.
pub fn complete_behind_rst(flow: &mut Flow, detail: &mut Detail, segment: &Segment, close: bool) {
    flow.marks = flow.marks & !Flow::RESET_BY_SERVER | Flow::COMPLETED | Flow::CLOSE_RST_SERVER;
    if close && detail.rare().believed.is_none() {
        flow.anomalies.insert(Anomaly::Reordered);
    }
    detail.ack = Some((segment.time_ns, FrameRef::of(segment)));
}

/// Whether the last ACK of a close was sent before the RST that the capture put before it: that reset nothing.
pub fn was_closed_before_rst(detail: &Detail, segment: &Segment, from: Side) -> bool {
    detail.rare().reset_close.is_some_and(|(ns, before)| {
        let is_last = lookup(from, Class::AckOfFin, before).cell == Cell::Next(State::TimeWait);
        is_last && segment.timed && segment.time_ns < ns && close_in_time(segment.time_ns, ns)
    })
}
