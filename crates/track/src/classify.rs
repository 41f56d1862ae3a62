//! What a segment is to its flow: flags and numbers to a [`Class`]. Sequence numbers decide, not flags alone.

use halfopen_wire::{Flags, Segment};

use crate::detail::Detail;
use crate::flow::Flow;
use crate::record::{Anomaly, Side};
use crate::reorder::REORDER_NS;
use crate::state::{Class, State};
use crate::stream::{Stream, distance};

/// Before completion a peer has at most its initial window in flight (RFC 6928: 10 segments; Fast Open replies more):
/// numbers further away than this belong to something else.
pub const HANDSHAKE_SPAN: u32 = 1 << 20;
/// No IP packet carries more.
const LARGEST_SEGMENT: u32 = 0xFFFF;
/// No SYN carries more data than a jumbo frame holds.
const LARGEST_SYN_DATA: u32 = 9216;
/// What a SYN carries at most where it offers no maximum segment size (RFC 9293 section 3.7.1).
const SMALLEST_MSS: u16 = 536;
/// A SYN is repeated within this: the first timeout is 1 s (RFC 6298), and 3 s in older stacks (RFC 1122).
const FIRST_TIMEOUT_NS: i64 = 4_000_000_000;
/// A FIN or RST further from the highest byte seen than any window in use is not believed.
const CLOSE_SPAN: i32 = 1 << 26;

/// Whether `value` lies in `from ..= from + span`.
pub const fn within(from: u32, value: u32, span: u32) -> bool {
    value.wrapping_sub(from) <= span
}

/// Whether the flags begin a handshake, and which half.
pub fn opens(flags: Flags) -> Option<Class> {
    if !flags.has(Flags::SYN) || flags.has(Flags::RST) {
        return None;
    }
    Some(if flags.has(Flags::ACK) {
        Class::SynAck
    } else {
        Class::Syn
    })
}

/// Whether a SYN of the other side comes when the attempt before it must be over: who still waits repeats its SYN, each time
/// after twice the time (RFC 6298 section 5.5).
pub fn is_given_up(flow: &Flow, segment: &Segment) -> bool {
    let due_ns = FIRST_TIMEOUT_NS << flow.syn_sent.saturating_sub(1).min(5);
    let last_ns = flow.last_syn.moment();
    segment.timed && last_ns != i64::MIN && segment.time_ns.saturating_sub(last_ns) > due_ns
}

/// Whether the end that sent the first SYN answers the other one's as who never sent one: with a number of another listener,
/// or with the RST of a closed port. It had given its own attempt up.
pub fn answers_anew(flow: &Flow, detail: &Detail, segment: &Segment, class: Class, from: Side) -> bool {
    let acks_syn = detail.isn_server.is_some_and(|isn| segment.ack == isn.wrapping_add(1));
    let answers = match class {
        Class::SynAckOther => true,
        Class::RstBlind => segment.flags.has(Flags::ACK),
        _ => false,
    };
    let kept = !detail.rare().server_syns.is_empty();
    flow.state == State::SimultaneousSyn && from == Side::Client && acks_syn && answers && kept
}

/// Who sent a segment; `src_low` says that the low end of the key did. A connection to itself (both ends are one socket,
/// RFC 9293 section 3.5) has no direction: an answer is taken for the server's.
pub fn sender(flow: &Flow, detail: Option<&Detail>, segment: &Segment, src_low: bool) -> Side {
    let by_address = side(flow, src_low);
    if !flow.key.is_self() {
        return by_address;
    }
    let answers = opens(segment.flags) == Some(Class::SynAck)
        || segment.flags.has(Flags::RST) && flow.state.is_opening()
        || detail.is_some_and(|d| d.client.fin_covered_by(segment.ack));
    if answers { Side::Server } else { Side::Client }
}

/// Who sent a segment, by its addresses.
pub const fn side(flow: &Flow, src_low: bool) -> Side {
    if src_low == flow.is(Flow::CLIENT_LOW) {
        Side::Client
    } else {
        Side::Server
    }
}

/// Classifies a segment without a FIN, or the ACK half of one with it.
pub fn classify(flow: &Flow, detail: Option<&Detail>, segment: &Segment, from: Side) -> Class {
    let flags = segment.flags;
    match opens(flags) {
        Some(Class::Syn) => syn(flow, detail, segment, from),
        Some(_) => syn_ack(flow, detail, segment, from),
        None if flags.has(Flags::SYN) => Class::NoFlags,
        None if flags.has(Flags::RST) => rst(flow, detail, segment, from),
        None if flags.has(Flags::ACK) => ack(flow, detail, segment, from),
        None => Class::NoFlags,
    }
}

fn syn(flow: &Flow, detail: Option<&Detail>, segment: &Segment, from: Side) -> Class {
    if from == Side::Server {
        return match detail.and_then(|d| d.isn_server) {
            None => Class::Syn,
            Some(isn) if isn == segment.seq => Class::SynRepeated,
            Some(_) => Class::SynOther,
        };
    }
    if flow.is(Flow::SYN_SEEN) {
        // An RST leaves nothing of a connection: what comes behind it, be it with the same number, begins another.
        let over = flow.state == State::Reset && flow.is(Flow::COMPLETED);
        return if segment.seq == flow.isn_client && !over {
            Class::SynRepeated
        } else {
            Class::SynOther
        };
    }
    // The SYN-ACK came first. What it acknowledged says whether this is its SYN.
    let expected = detail.and_then(|d| d.server.acked).unwrap_or_default();
    let close = segment.time_ns.saturating_sub(flow.start_ns) <= REORDER_NS;
    // The first transmission may have carried data that a later one does not (Fast Open).
    let unseen = if close { 0 } else { LARGEST_SYN_DATA };
    if !within(segment.seq.wrapping_add(1), expected, segment.payload_len.max(unseen)) {
        return Class::SynOther;
    }
    match flow.state {
        _ if close && flow.syn_sent == 0 => Class::Syn,
        // Its number fits, but what it might repeat was reset long ago: an attempt of which everything is seen.
        State::Reset => Class::SynOther,
        _ => Class::SynRepeated,
    }
}

fn syn_ack(flow: &Flow, detail: Option<&Detail>, segment: &Segment, from: Side) -> Class {
    let Some(detail) = detail else {
        // A lone SYN: the client's number is all there is.
        let fits = from == Side::Server && acks_syn(flow, segment.ack);
        return if fits { Class::SynAck } else { Class::SynAckWrong };
    };
    let fits = match from {
        Side::Server if flow.is(Flow::SYN_SEEN) => acks_syn(flow, segment.ack),
        Side::Server => detail.server.acked == Some(segment.ack),
        Side::Client => detail.isn_server.is_some_and(|isn| segment.ack == isn.wrapping_add(1)),
    };
    if !fits {
        return Class::SynAckWrong;
    }
    if from == Side::Server && disproves(flow, detail, segment.seq) {
        return Class::SynAckDisproving;
    }
    let known = match from {
        Side::Server => detail.isn_server,
        Side::Client => flow.is(Flow::SYN_SEEN).then_some(flow.isn_client),
    };
    if known.is_none_or(|isn| isn == segment.seq) {
        Class::SynAck
    } else {
        Class::SynAckOther
    }
}

/// Whether the ACK that stands for a SYN-ACK which was not captured cannot have acknowledged this one.
fn disproves(flow: &Flow, detail: &Detail, isn_server: u32) -> bool {
    flow.state == State::Established
        && flow.is(Flow::SYN_ACK_MISSED)
        && detail
            .rare()
            .early_ack
            .is_some_and(|ack| !within(isn_server.wrapping_add(1), ack, HANDSHAKE_SPAN))
}

/// Whether `ack` acknowledges the client's SYN, with or without its data (RFC 7413 section 4.2.1). A FIN with the SYN
/// counts as well; and how much data the other fragments of a SYN carry is unknown.
pub fn acks_syn(flow: &Flow, ack: u32) -> bool {
    let fin = u32::from(flow.anomalies.contains(Anomaly::SynWithFinOrRst));
    let unseen = if flow.client_options.is_fragmented() {
        LARGEST_SEGMENT
    } else {
        0
    };
    let beyond = flow.syn_data.saturating_add(fin).max(unseen);
    within(flow.isn_client.wrapping_add(1), ack, beyond)
}

fn ack(flow: &Flow, detail: Option<&Detail>, segment: &Segment, from: Side) -> Class {
    let Some(detail) = detail else {
        return match from {
            // 0 is what a client sends that never received a number (and one server in 2^32).
            Side::Client if segment.ack != 0 && follows_syn(flow, segment) => Class::Ack,
            Side::Server if acks_client(flow, segment.ack) => Class::Ack,
            _ => Class::AckWrong,
        };
    };
    match (flow.state, from) {
        (State::SynSent, Side::Client) => {
            let fits = segment.ack != 0 && detail.rare().wrong_ack.is_none() && follows_syn(flow, segment);
            if fits || takes_wrong(flow, detail, segment) {
                Class::Ack
            } else {
                Class::AckWrong
            }
        }
        (State::SynRecv, Side::Client) => {
            if acks_server(detail, segment.ack) && follows_syn(flow, segment) {
                Class::Ack
            } else {
                Class::AckWrong
            }
        }
        (State::SynAckFirst, Side::Client) => {
            if follows(flow, detail, segment) && acks_server(detail, segment.ack) {
                Class::Ack
            } else {
                Class::AckWrong
            }
        }
        (State::SynRecv | State::SynAckFirst, Side::Server) => server_before_completion(flow, detail, segment),
        (State::SynSent, Side::Server) => {
            if acks_client(flow, segment.ack) {
                Class::Ack
            } else {
                Class::AckWrong
            }
        }
        (State::SimultaneousSyn | State::SimultaneousClientAcked | State::SimultaneousServerAcked, _) => {
            if fits_both_syns(flow, detail, segment, from) {
                Class::Ack
            } else {
                Class::AckWrong
            }
        }
        (State::Reset, _)
            if detail
                .rare()
                .believed
                .as_ref()
                .is_some_and(|b| b.is_disproved_by(segment, from)) =>
        {
            Class::RstDisproved
        }
        _ => {
            let peer = detail.stream(from.other());
            let end = segment.seq.wrapping_add(segment.payload_len);
            if !detail.stream(from).believes(end, segment.ack, peer) {
                Class::AckWrong
            } else if peer.fin_covered_by(segment.ack) {
                Class::AckOfFin
            } else {
                Class::Ack
            }
        }
    }
}

/// Whether the client goes on from a SYN-ACK that acknowledges more than its SYN: data of a transmission of the SYN that
/// was not captured (Fast Open).
fn takes_wrong(flow: &Flow, detail: &Detail, segment: &Segment) -> bool {
    let Some((isn, acked)) = detail.last_syn_ack_numbers else {
        return false;
    };
    let most = flow.client_options.unpack().tcp.mss.unwrap_or(SMALLEST_MSS);
    let is_data = within(flow.isn_client.wrapping_add(1), acked, u32::from(most));
    is_data && (segment.seq, segment.ack) == (acked, isn.wrapping_add(1))
}

fn server_before_completion(flow: &Flow, detail: &Detail, segment: &Segment) -> Class {
    let first = if flow.is(Flow::SYN_SEEN) {
        flow.isn_client.wrapping_add(1).wrapping_add(flow.syn_data)
    } else {
        detail.server.acked.unwrap_or(segment.ack)
    };
    let beyond = distance(first, segment.ack);
    let follows = detail
        .isn_server
        .is_some_and(|isn| within(isn.wrapping_add(1), segment.seq, HANDSHAKE_SPAN));
    // Or it has come to what the client acknowledged already.
    let end = segment.seq.wrapping_add(segment.payload_len);
    let proves = detail
        .rare()
        .ahead
        .as_ref()
        .is_some_and(|a| distance(a.1.ack, end) >= 0);
    if (beyond > 0 || proves) && beyond <= HANDSHAKE_SPAN as i32 && follows {
        Class::AckOfData
    } else if beyond <= 0 && follows {
        Class::Ack
    } else {
        Class::AckWrong
    }
}

/// Whether the client's `ack` acknowledges the server's SYN (either of two, where the server changed its number), and
/// nothing that the server was not seen to send: anything further is a guess.
pub fn acks_server(detail: &Detail, ack: u32) -> bool {
    let data = distance(detail.server.start.unwrap_or(detail.server.end), detail.server.end).max(0) as u32;
    let sent = data.saturating_add(u32::from(detail.server.fin.is_some()));
    let fits = |isn: u32| within(isn.wrapping_add(1), ack, sent);
    detail.isn_server.is_some_and(fits) || detail.rare().others.iter().any(|o| fits(o.isn))
}

/// Whether `ack` acknowledges the client's SYN, be it with data of the client that was not captured.
const fn acks_client(flow: &Flow, ack: u32) -> bool {
    within(flow.isn_client.wrapping_add(1), ack, HANDSHAKE_SPAN)
}

/// Whether both numbers of an ACK lie behind the two SYNs of a simultaneous open: nobody guesses both.
fn fits_both_syns(flow: &Flow, detail: &Detail, segment: &Segment, from: Side) -> bool {
    let behind = |isn: u32, number| within(isn.wrapping_add(1), number, HANDSHAKE_SPAN);
    let (client, server) = match from {
        Side::Client => (segment.seq, segment.ack),
        Side::Server => (segment.ack, segment.seq),
    };
    behind(flow.isn_client, client) && detail.isn_server.is_some_and(|isn| behind(isn, server))
}

/// Bytes behind its SYN that the client was seen to send, a FIN with them.
fn client_sent(flow: &Flow, detail: Option<&Detail>) -> u32 {
    let seen = detail.map_or(0, |d| {
        distance(flow.isn_client.wrapping_add(1), d.client.end).max(0) as u32
    });
    seen.max(flow.syn_data).saturating_add(1)
}

/// Whether the client's segment begins behind its SYN, or behind what the SYN-ACK says of it.
pub fn follows(flow: &Flow, detail: &Detail, segment: &Segment) -> bool {
    if flow.is(Flow::SYN_SEEN) {
        return follows_syn(flow, segment);
    }
    let first = detail.server.acked;
    first.is_none_or(|first| within(first, segment.seq, HANDSHAKE_SPAN))
}

fn follows_syn(flow: &Flow, segment: &Segment) -> bool {
    within(
        flow.isn_client.wrapping_add(1),
        segment.seq,
        flow.syn_data.saturating_add(HANDSHAKE_SPAN),
    )
}

fn rst(flow: &Flow, detail: Option<&Detail>, segment: &Segment, from: Side) -> Class {
    let acks = segment.flags.has(Flags::ACK);
    let opening = flow.is(Flow::SYN_SEEN) && flow.state.is_opening();
    if from == Side::Client && opening && detail.is_some_and(|d| d.rare().wrong_ack == Some(segment.seq)) {
        return Class::RstOfWrong;
    }
    let fits = match (flow.state, from) {
        (State::SynSent, Side::Server) => acks && acks_syn(flow, segment.ack),
        (State::SynSent, Side::Client) => within(flow.isn_client, segment.seq, flow.syn_data.saturating_add(1)),
        (
            State::SynRecv | State::SimultaneousSyn | State::SimultaneousClientAcked | State::SimultaneousServerAcked,
            Side::Client,
        ) => within(
            flow.isn_client,
            segment.seq,
            flow.syn_data.saturating_add(HANDSHAKE_SPAN),
        ),
        (
            State::SynRecv | State::SimultaneousSyn | State::SimultaneousClientAcked | State::SimultaneousServerAcked,
            Side::Server,
        ) => {
            acks && within(flow.isn_client.wrapping_add(1), segment.ack, client_sent(flow, detail))
                || detail
                    .and_then(|d| d.isn_server)
                    .is_some_and(|isn| within(isn, segment.seq, HANDSHAKE_SPAN))
        }
        (State::SynAckFirst, Side::Client) => detail
            .and_then(|d| d.server.acked)
            .is_none_or(|a| within(a, segment.seq, HANDSHAKE_SPAN)),
        (State::SynAckFirst, Side::Server) => detail
            .and_then(|d| d.isn_server)
            .is_none_or(|isn| within(isn, segment.seq, HANDSHAKE_SPAN)),
        (State::TimeWait | State::Reset | State::Closed, _) => true,
        _ => detail.is_none_or(|d| near_end(d.stream(from), segment.seq)),
    };
    if fits { Class::Rst } else { Class::RstBlind }
}

/// Whether a FIN is believable: at or near the end of what its sender sent.
pub fn fin_fits(detail: &Detail, segment: &Segment, from: Side) -> bool {
    near_end(detail.stream(from), segment.seq)
}

fn near_end(stream: &Stream, seq: u32) -> bool {
    stream.start.is_none() || distance(stream.end, seq).saturating_abs() <= CLOSE_SPAN
}
