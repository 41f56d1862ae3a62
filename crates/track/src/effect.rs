//! What each class of segment writes into the books of its flow, apart from the state.
//!
//! SYNs are in `syns.rs`, SYN-ACKs in `syn_acks.rs`, ACKs in `acks.rs`, FINs and RSTs in `closing.rs`.

use halfopen_wire::Segment;

use crate::acks::{ack, ack_ahead, ack_wrong};
use crate::believed::Resumed;
use crate::closing::{complete_behind_rst, completes_behind_rst, is_swapped_with_rst, rst, rst_blind, take_back};
use crate::detail::Detail;
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::record::{Anomaly, Side};
use crate::reorder::close_in_time;
use crate::state::{Class, State};
use crate::syn_acks::{client_syn_ack, syn_ack, syn_ack_disproving, syn_ack_other, syn_ack_wrong};
use crate::syns::{keep_syn, server_syn, syn_behind_syn_ack, syn_repeated};
use crate::witness::Step;

/// The books for one segment whose row was found. Gives where the connection goes on, behind an RST that was taken back.
pub fn apply(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) -> Option<Resumed> {
    let from = step.from;
    let mut resumed = None;
    let close = close_in_time(segment.time_ns, flow.last_ns);
    flow.last_ns = flow.last_ns.max(segment.time_ns);
    if segment.timed {
        flow.marks &= !Flow::UNTIMED_END;
    } else {
        flow.marks |= Flow::UNTIMED_END;
    }
    if from == Side::Server {
        flow.marks |= Flow::SERVER_SEEN;
    }
    if !flow.is(Flow::COMPLETED) {
        if segment.bad_checksum {
            flow.anomalies.insert(Anomaly::BadChecksum);
        }
        ttl(flow, detail, segment, step);
    }
    let swapped = step.row.class == Class::Ack && is_swapped_with_rst(flow, detail, segment, step);
    if swapped && !close {
        // Too late to be: and what comes right behind it (a copy of it) is close to it, not to the RST.
        detail.client.acked = None;
    }
    match step.row.class {
        Class::Syn if from == Side::Client => syn_behind_syn_ack(flow, detail, segment),
        Class::Syn => server_syn(flow, detail, segment, step.before),
        Class::SynRepeated if from == Side::Server && step.before == State::SynRecv => {
            flow.marks |= Flow::SIMULTANEOUS;
            flow.anomalies.insert(Anomaly::Reordered);
            detail.rare_mut().server_syn = Some(Fingerprint::of(segment));
        }
        Class::SynRepeated => {
            let has_begun = !detail.rare().server_syns.is_empty();
            if from == Side::Server && step.before == State::SimultaneousSyn && has_begun {
                keep_syn(detail, segment, false);
            }
            syn_repeated(flow, segment, from);
        }
        Class::SynAck if from == Side::Client => client_syn_ack(flow, detail, segment, step.before),
        Class::SynAck => syn_ack(flow, detail, segment, step.before),
        Class::SynAckOther if from == Side::Server => syn_ack_other(flow, detail, segment, step.before),
        // Behind the end it belongs to the next connection, whose SYN comes out of order.
        Class::SynAckWrong if step.before.is_over() => {}
        Class::SynAckWrong if from == Side::Client && step.before == State::SynSent => {
            detail.rare_mut().early.syn_ack = Some((segment.ack, (segment.time_ns, FrameRef::of(segment))));
        }
        Class::SynAckWrong if from == Side::Server => syn_ack_wrong(flow, detail, segment),
        Class::RstDisproved => {
            resumed = take_back(flow, detail);
            // Then it says what any ACK of the open connection says: a copy of it says no more.
            let open = Step {
                before: State::Established,
                ..*step
            };
            ack(flow, detail, segment, &open);
            ack_ahead(detail, segment, from);
            detail.carry(segment, from);
        }
        Class::Ack if swapped && close => {
            flow.marks = flow.marks & !Flow::RESET_BY_CLIENT | Flow::COMPLETED | Flow::CLOSE_RST_CLIENT;
            flow.anomalies.insert(Anomaly::Reordered);
            detail.ack = Some((segment.time_ns, FrameRef::of(segment)));
            detail.carry(segment, from);
        }
        Class::Ack | Class::AckOfFin | Class::AckOfData => {
            if step.before == State::Reset
                && let Some(Some(believed)) = detail.rare.as_mut().map(|rare| rare.believed.as_mut())
            {
                believed.note(segment, from, detail.isn_server);
            }
            if completes_behind_rst(flow, detail, segment, step) {
                complete_behind_rst(flow, detail, segment, close);
            }
            ack(flow, detail, segment, step);
            ack_ahead(detail, segment, from);
            detail.carry(segment, from);
        }
        Class::SynAckDisproving => syn_ack_disproving(flow, detail, segment),
        Class::AckWrong => ack_wrong(flow, detail, segment, step),
        Class::RstOfWrong if step.before == State::SynSent => detail.rare_mut().wrong_reset = true,
        Class::Rst => rst(flow, detail, segment, step),
        Class::RstBlind => rst_blind(flow, detail, segment, step),
        Class::SynOther | Class::SynAckOther | Class::SynAckWrong | Class::Fin | Class::RstOfWrong | Class::NoFlags => {
        }
    }
    resumed
}

/// A router or a middlebox that answers instead of the host shows by its TTL. Second captures differ by their hops and
/// say nothing.
fn ttl(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
    use Class as C;
    let known = match step.from {
        Side::Client => flow.is(Flow::SYN_SEEN).then_some(flow.ttl_client),
        Side::Server => {
            let known = detail.ttl_server;
            detail.ttl_server = known.or(Some(segment.ttl));
            known
        }
    };
    let of_handshake = matches!(step.row.class, C::SynRepeated | C::SynAck | C::Ack | C::Rst);
    let twice = flow.anomalies.contains(Anomaly::CapturedTwice);
    if of_handshake && !twice && known.is_some_and(|ttl| ttl != segment.ttl) {
        flow.anomalies.insert(Anomaly::TtlJump);
    }
}
