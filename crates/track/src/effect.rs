//! What each class of segment writes into the books of its flow, apart from the state.

use halfopen_wire::{Flags, Segment};

use crate::believed::{Believed, Resumed};
use crate::classify::{acks_server, acks_syn, follows};
use crate::detail::{Answer, Detail, Rare};
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::packed::PackedOptions;
use crate::record::{Anomaly, Side, SideOptions};
use crate::reorder::{REORDER_NS, close_in_time};
use crate::state::{Cell, Class, State, lookup};
use crate::stream::{Stream, distance};
use crate::witness::Step;

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
            carry(detail, segment, from);
        }
        Class::Ack if swapped && close => {
            flow.marks = flow.marks & !Flow::RESET_BY_CLIENT | Flow::COMPLETED | Flow::CLOSE_RST_CLIENT;
            flow.anomalies.insert(Anomaly::Reordered);
            detail.ack = Some((segment.time_ns, FrameRef::of(segment)));
            carry(detail, segment, from);
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
            carry(detail, segment, from);
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

/// An RST was believed, and is taken back.
fn take_back(flow: &mut Flow, detail: &mut Detail) -> Option<Resumed> {
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
fn is_swapped_with_rst(flow: &Flow, detail: &Detail, segment: &Segment, step: &Step) -> bool {
    let first = detail.isn_server.map(|isn| isn.wrapping_add(1));
    step.before == State::Reset
        && step.from == Side::Client
        && flow.is(Flow::RESET_BY_CLIENT)
        && first == Some(segment.ack)
        && first == detail.client.acked
        && flow.isn_client.wrapping_add(1) == segment.seq
}

/// The client's ACK behind the server's RST; `close` to it, they were swapped by the capture.
fn complete_behind_rst(flow: &mut Flow, detail: &mut Detail, segment: &Segment, close: bool) {
    flow.marks = flow.marks & !Flow::RESET_BY_SERVER | Flow::COMPLETED | Flow::CLOSE_RST_SERVER;
    if close && detail.rare().believed.is_none() {
        flow.anomalies.insert(Anomaly::Reordered);
    }
    detail.ack = Some((segment.time_ns, FrameRef::of(segment)));
}

/// Whether the client's ACK of the SYN-ACK comes behind the server's RST. No client sends it that has the RST: it was sent
/// before that arrived, and `connect()` had succeeded.
fn completes_behind_rst(flow: &Flow, detail: &Detail, segment: &Segment, step: &Step) -> bool {
    step.before == State::Reset
        && step.from == Side::Client
        && flow.is(Flow::RESET_BY_SERVER)
        && acks_server(detail, segment.ack)
        && follows(flow, detail, segment)
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

/// The SYN that the capture put behind its SYN-ACK.
fn syn_behind_syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    flow.marks |= Flow::SYN_SEEN;
    flow.anomalies.insert(Anomaly::Reordered);
    flow.start_ns = segment.time_ns;
    flow.frame_syn = FrameRef::of(segment);
    flow.encap = segment.encap;
    flow.last_syn = Fingerprint::of(segment);
    flow.isn_client = segment.seq;
    flow.syn_data = segment.payload_len;
    flow.syn_sent = 1;
    flow.ttl_client = segment.ttl;
    if let Some(options) = SideOptions::of(segment) {
        flow.client_options = PackedOptions::pack(&options);
    }
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

/// Of two SYNs that meet, the one that the capture put second was sent first: its sender is the client.
fn swap_ends(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    flow.marks ^= Flow::CLIENT_LOW;
    flow.anomalies.insert(Anomaly::Reordered);
    detail.isn_server = Some(flow.isn_client);
    detail.server.begin(flow.isn_client);
    detail.server_options = Some(flow.client_options);
    detail.ttl_server = Some(flow.ttl_client);
    detail.rare_mut().server_syn = Some(flow.last_syn);
    flow.start_ns = segment.time_ns;
    flow.frame_syn = FrameRef::of(segment);
    flow.encap = segment.encap;
    flow.last_syn = Fingerprint::of(segment);
    flow.isn_client = segment.seq;
    flow.syn_data = segment.payload_len;
    flow.ttl_client = segment.ttl;
    flow.client_options = SideOptions::of(segment).map_or_else(PackedOptions::default, |o| PackedOptions::pack(&o));
    detail.client.begin(segment.seq);
    detail.answered_ns = flow.last_syn.moment();
}

/// Whether the SYN of the other side is the earlier one by its time stamp, and nothing else has happened.
fn was_sent_first(flow: &Flow, detail: &Detail, segment: &Segment) -> bool {
    let timed = segment.timed && flow.frame_syn.is_timed();
    let alone = flow.syn_sent == 1 && detail.rare.is_none() && segment.file == flow.frame_syn.file();
    timed && alone && segment.time_ns < flow.start_ns && close_in_time(segment.time_ns, flow.start_ns)
}

fn server_syn(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
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
    detail.server_options = SideOptions::of(segment).map(|o| PackedOptions::pack(&o));
    detail.answered_ns = flow.last_syn.moment();
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

fn count_syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    if detail.last_syn_ack_numbers == Some((segment.seq, segment.ack)) {
        flow.anomalies.insert(Anomaly::SynAckRetransmitted);
    }
    detail.syn_ack_sent = detail.syn_ack_sent.saturating_add(1);
    detail.last_syn_ack = Some(Fingerprint::of(segment));
    detail.last_syn_ack_numbers = Some((segment.seq, segment.ack));
}

/// The SYN-ACK that opens a flow whose SYN was not captured.
pub fn first_syn_ack(detail: &mut Detail, segment: &Segment) {
    detail.syn_ack = Some((segment.time_ns, FrameRef::of(segment)));
    detail.isn_server = Some(segment.seq);
    detail.server.begin(segment.seq);
    detail.server.acked = Some(segment.ack);
    detail.server_options = SideOptions::of(segment).map(|o| PackedOptions::pack(&o));
    detail.ttl_server = Some(segment.ttl);
    detail.syn_ack_sent = 1;
    detail.last_syn_ack = Some(Fingerprint::of(segment));
    detail.last_syn_ack_numbers = Some((segment.seq, segment.ack));
}

fn syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
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
    detail.server_options = SideOptions::of(segment).map(|o| PackedOptions::pack(&o));
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

fn syn_ack_wrong(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    wrong_reset_before(flow, detail, segment);
    flow.anomalies.insert(Anomaly::SynAckWrongAck);
    if !flow.is(Flow::COMPLETED) {
        detail.rare_mut().wrong_ack = Some(segment.ack);
    }
    if detail.server_options.is_none() {
        detail.server_options = SideOptions::of(segment).map(|o| PackedOptions::pack(&o));
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
fn syn_ack_disproving(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    flow.anomalies.insert(Anomaly::AckWrongAck);
    flow.marks &= !(Flow::COMPLETED | Flow::SYN_ACK_MISSED);
    if let Some(rare) = &mut detail.rare {
        rare.early_ack = None;
    }
    detail.ack = None;
    detail.client.begin(flow.isn_client);
    syn_ack(flow, detail, segment, State::SynSent);
}

fn syn_ack_other(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
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
        options: SideOptions::of(segment).map(|o| PackedOptions::pack(&o)),
        ttl: segment.ttl,
    };
    let others = &mut detail.rare_mut().others;
    if others.len() < Rare::LARGEST_OTHERS && others.iter().all(|o| o.isn != answer.isn) {
        others.push(answer);
    }
}

fn client_syn_ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment, before: State) {
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

/// Whether the client's segment was sent before the one that was taken for its ACK of the SYN-ACK: the capture swapped them.
fn was_sent_before_ack(detail: &Detail, segment: &Segment) -> bool {
    let behind_syn_ack = detail.syn_ack.is_none_or(|(ns, _)| ns <= segment.time_ns);
    let earlier = |(ns, frame): (i64, FrameRef)| {
        frame.is_timed() && segment.time_ns < ns && close_in_time(segment.time_ns, ns) && segment.file == frame.file()
    };
    segment.timed && behind_syn_ack && detail.ack.is_some_and(earlier)
}

/// Whether the last ACK of a close was sent before the RST that the capture put before it: that reset nothing.
fn was_closed_before_rst(detail: &Detail, segment: &Segment, from: Side) -> bool {
    detail.rare().reset_close.is_some_and(|(ns, before)| {
        let is_last = lookup(from, Class::AckOfFin, before).cell == Cell::Next(State::TimeWait);
        is_last && segment.timed && segment.time_ns < ns && close_in_time(segment.time_ns, ns)
    })
}

fn ack(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
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

/// Where the server answered twice with different numbers, the client's ACK says which one holds: that SYN-ACK is the
/// first valid one, and the others are strangers (a SYN cookie that was lost, a second host with this address).
fn adopt_answer(flow: &Flow, detail: &mut Detail, ack: u32) {
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

/// The SYN-ACK acknowledges the SYN, and as much of its data.
fn syn_data_acked(flow: &Flow, detail: &mut Detail, ack: u32) {
    let first = flow.isn_client.wrapping_add(1);
    // A FIN in the SYN is acknowledged as well, and is no byte.
    let fin = u32::from(flow.anomalies.contains(Anomaly::SynWithFinOrRst));
    detail.syn_data_acked = ack.wrapping_sub(first).saturating_sub(fin);
    detail.client.carry(first, detail.syn_data_acked);
}

/// Remembers an acknowledgment of something that was not captured: lost, or out of order.
fn ack_ahead(detail: &mut Detail, segment: &Segment, from: Side) {
    let peer = detail.stream(from.other());
    if peer.fin.is_some() || !peer.is_acked_ahead(segment.ack) {
        return;
    }
    let ahead = &mut detail.rare_mut().acks_ahead[from as usize];
    if ahead.is_none_or(|before| distance(before, segment.ack) > 0) {
        *ahead = Some(segment.ack);
    }
}

fn carry(detail: &mut Detail, segment: &Segment, from: Side) {
    if from == Side::Client && detail.client.start.is_none() {
        // The SYN was not captured. Its SYN-ACK says where the stream begins, whichever part of it was captured first.
        let begins = |&first: &u32| distance(first, segment.seq) >= 0;
        if let Some(first) = detail.server.acked.filter(begins) {
            detail.client.begin(first.wrapping_sub(1));
        }
    }
    detail.stream_mut(from).carry(segment.seq, segment.payload_len);
}

/// The server has come to what the client acknowledged before the capture showed it: that was no blind ACK.
fn believe_ahead(flow: &mut Flow, detail: &mut Detail, segment: &Segment) {
    let end = segment.seq.wrapping_add(segment.payload_len);
    let Some(ahead) = detail.rare_mut().ahead.take_if(|a| distance(a.1.ack, end) >= 0) else {
        return;
    };
    let (first, ahead) = *ahead;
    detail.ack = Some(first);
    carry(detail, &ahead, Side::Client);
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
        carry(detail, &ahead, Side::Client);
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

fn ack_wrong(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
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

fn rst(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
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
        carry(detail, segment, step.from);
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

fn rst_blind(flow: &mut Flow, detail: &mut Detail, segment: &Segment, step: &Step) {
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
