//! Packets that were captured before, at another point of their way.

use halfopen_wire::Segment;

use crate::detail::Detail;
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::record::{Anomaly, Side};
use crate::reorder::close_in_time;
use crate::state::Class;

/// Whether the segment is a packet that was captured before, at another point of its way.
pub fn is_copy(flow: &Flow, detail: Option<&Detail>, segment: &Segment, class: Class, from: Side) -> bool {
    let now = || Fingerprint::of(segment);
    match (class, from) {
        (Class::SynRepeated, Side::Client) => flow.syn_sent > 0 && flow.last_syn.is_copied_syn(&now()),
        (Class::SynOther, Side::Client) => {
            flow.is(Flow::SYN_SEEN) && segment.seq == flow.isn_client && flow.last_syn.is_copied_syn(&now())
        }
        (Class::SynRepeated, Side::Server) => detail
            .and_then(|d| d.rare().server_syn)
            .is_some_and(|last| last.is_copied_syn(&now())),
        (Class::SynAck | Class::SynAckOther | Class::SynAckWrong, Side::Server) => detail.is_some_and(|d| {
            let same = d.last_syn_ack_numbers == Some((segment.seq, segment.ack));
            same && d.last_syn_ack.is_some_and(|last| {
                last.is_copied_syn_ack(&now(), flow.syn_captured(), flow.syn_sent, flow.last_syn.copied_us)
            })
        }),
        _ => false,
    }
}

/// Notes that a segment was captured before.
pub fn note_copy(flow: &mut Flow, detail: Option<&mut Detail>, segment: &Segment, class: Class, from: Side) {
    note_time(flow, detail, segment, class, from);
    let is_syn = class == Class::SynRepeated && from == Side::Client;
    if is_syn && flow.last_syn.is_elsewhere(&Fingerprint::of(segment)) {
        flow.marks |= Flow::SYN_ELSEWHERE;
    }
    if is_syn {
        let gap_ns = segment.time_ns.saturating_sub(flow.last_syn.time_ns).unsigned_abs();
        flow.last_syn.copied_us = u32::try_from(gap_ns / 1000).unwrap_or(u32::MAX);
    }
    flow.anomalies.insert(Anomaly::CapturedTwice);
    flow.last_ns = flow.last_ns.max(segment.time_ns);
}

/// Of two captures of the first SYN, or of its SYN-ACK, the earlier one by its time stamp counts, wherever it stands in the
/// file.
fn note_time(flow: &mut Flow, detail: Option<&mut Detail>, segment: &Segment, class: Class, from: Side) {
    let here = (segment.time_ns, FrameRef::of(segment));
    let is_earlier = |(ns, frame): (i64, FrameRef)| {
        segment.timed && frame.is_timed() && here.0 < ns && close_in_time(here.0, ns) && segment.file == frame.file()
    };
    let first_syn = (flow.start_ns, flow.frame_syn);
    if (class, from) == (Class::SynRepeated, Side::Client) && flow.syn_sent == 1 && is_earlier(first_syn) {
        (flow.start_ns, flow.frame_syn) = here;
        flow.last_syn.time_ns = here.0;
        if let Some(detail) = detail {
            detail.answered_ns = here.0;
        }
    } else if let (Class::SynAck, Side::Server, Some(detail)) = (class, from, detail)
        && detail.syn_ack_sent == 1
        && detail.syn_ack.is_some_and(is_earlier)
    {
        detail.syn_ack = Some(here);
    }
}
