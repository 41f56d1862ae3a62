//! A flow that is over, or that must leave, becomes its record.

use crate::detail::Detail;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::record::{Anomalies, Anomaly, Close, FastOpen, Handshake, Outcome, Side, SideOptions, TimeWait};
use crate::reorder::close_in_time;
use crate::state::State;
use crate::stream::distance;

/// The record of a flow.
pub fn finish(flow: &Flow, detail: Option<&Detail>, evicted: bool) -> Handshake {
    let client_low = flow.is(Flow::CLIENT_LOW);
    let (client, client_port) = flow.key.end(client_low);
    let (server, server_port) = flow.key.end(!client_low);
    let syn_seen = flow.is(Flow::SYN_SEEN);
    let file = flow.frame_syn.file();
    let in_file = |frame: FrameRef| (frame.file() == file).then(|| frame.frame());
    let client_options = syn_seen.then(|| flow.client_options.unpack());
    let server_options = detail.and_then(|d| server_options(d, client_options.as_ref()));
    let times = detail.map_or_else(Times::default, |detail| Times::of(flow, detail));
    let closing = detail.map_or_else(Closing::default, |detail| Closing::of(flow, detail));
    // Written once, where it is wanted.
    Handshake {
        file,
        number: flow.number,
        start_ns: flow.start_ns,
        timed: flow.frame_syn.is_timed(),
        client,
        client_port,
        server,
        server_port,
        encap: flow.encap,
        outcome: outcome(flow, detail),
        syn_sent: flow.syn_sent,
        syn_ack_sent: detail.map_or(0, |d| d.syn_ack_sent),
        syn_to_syn_ack_ns: times.syn_to_syn_ack,
        syn_ack_to_ack_ns: times.syn_ack_to_ack,
        handshake_ns: times.handshake,
        retransmit_wait_ns: times.retransmit_wait,
        client_options,
        server_options,
        isn_client: syn_seen.then_some(flow.isn_client),
        isn_server: detail.and_then(|d| d.isn_server),
        syn_data_bytes: syn_seen.then_some(flow.syn_data),
        fast_open: fast_open(flow, detail),
        simultaneous: flow.is(Flow::SIMULTANEOUS) || flow.key.is_self() && detail.is_some_and(|d| d.syn_ack.is_some()),
        duration_ns: duration(flow),
        client_bytes: detail.map_or(0, |d| d.client.bytes),
        server_bytes: detail.map_or(0, |d| d.server.bytes),
        closed_by: closing.closed_by,
        close: closing.close,
        time_wait: closing.time_wait,
        anomalies: oddities(flow, detail, evicted),
        frame_syn: syn_seen.then(|| flow.frame_syn.frame()),
        frame_syn_ack: detail.and_then(|d| d.syn_ack).and_then(|(_, f)| in_file(f)),
        frame_ack: detail.and_then(|d| d.ack).and_then(|(_, f)| in_file(f)),
        icmp: detail.and_then(|d| d.rare().icmp),
        ttl_client: syn_seen.then_some(flow.ttl_client),
        ttl_server: detail.and_then(|d| d.ttl_server),
    }
}

fn outcome(flow: &Flow, detail: Option<&Detail>) -> Outcome {
    if !flow.is(Flow::SYN_SEEN) {
        return Outcome::Partial;
    }
    if flow.marks & Flow::JUDGED == 0 && detail.is_none() {
        return Outcome::Unanswered;
    }
    let marks = [
        (Flow::COMPLETED, Outcome::Established),
        (Flow::REFUSED, Outcome::Refused),
        (Flow::RESET_BY_CLIENT, Outcome::ResetByClient),
        (Flow::RESET_BY_SERVER, Outcome::ResetByServer),
        (Flow::UNREACHABLE, Outcome::Unreachable),
    ];
    if let Some(&(_, outcome)) = marks.iter().find(|(mark, _)| flow.is(*mark)) {
        return outcome;
    }
    match flow.state {
        State::SynRecv | State::SimultaneousClientAcked | State::SimultaneousServerAcked => Outcome::HalfOpen,
        // Only SYN-ACKs that fit nothing: half open or reset, unless the client shows by its next SYN that it goes on
        // waiting. One before the only SYN answers it where the capture may have swapped them.
        _ if detail.and_then(|d| d.last_syn_ack).is_some_and(|s| {
            s.time_ns >= flow.last_syn.time_ns || flow.syn_sent == 1 && close_in_time(s.time_ns, flow.last_syn.time_ns)
        }) =>
        {
            if detail.is_some_and(|d| d.rare().wrong_reset) {
                Outcome::ResetByClient
            } else {
                Outcome::HalfOpen
            }
        }
        _ => Outcome::Unanswered,
    }
}

/// What the server offered. Whether it agreed to ECN depends on what the client had asked for.
fn server_options(detail: &Detail, client: Option<&SideOptions>) -> Option<SideOptions> {
    let mut server = detail.server_options?.unpack();
    if let Some(client) = client.filter(|_| detail.last_syn_ack.is_some()) {
        server.ecn = client.ecn
            && match client.ace {
                // RFC 9768 table 2: four AccECN answers, and two of servers that know RFC 3168 or 3540.
                0b111 => (1..=6).contains(&server.ace),
                // RFC 3168 section 6.1.1: ECE without CWR. Both is a server that returns the flags as they came.
                _ => server.ace & 0b011 == 0b001,
            };
    }
    Some(server)
}

/// No stack tries to connect for longer: 127 retransmissions (the most that `tcp_syn_retries` takes), each after
/// `TCP_RTO_MAX`, 120 s, are a quarter of a day.
const LONGEST_NS: i64 = 86_400_000_000_000;

/// First to last packet of a connection, where both have times.
fn duration(flow: &Flow) -> Option<i64> {
    let timed = flow.frame_syn.is_timed() && !flow.is(Flow::UNTIMED_END);
    (timed && flow.is(Flow::COMPLETED)).then(|| flow.last_ns.saturating_sub(flow.start_ns))
}

/// Differences of capture times; a negative or an impossibly long one is a disorder of the capture, not a time.
fn elapsed(from: i64, to: i64) -> Option<i64> {
    to.checked_sub(from).filter(|d| (0..=LONGEST_NS).contains(d))
}

/// How long each part took, nanoseconds.
#[derive(Default)]
struct Times {
    syn_to_syn_ack: Option<i64>,
    syn_ack_to_ack: Option<i64>,
    handshake: Option<i64>,
    retransmit_wait: Option<i64>,
}

impl Times {
    fn of(flow: &Flow, detail: &Detail) -> Self {
        if flow.is(Flow::SYN_ACK_MISSED) {
            return Self::default();
        }
        let time = |seen: Option<(i64, FrameRef)>| seen.filter(|(_, frame)| frame.is_timed()).map(|(ns, _)| ns);
        let since = |from: Option<i64>, to: Option<i64>| elapsed(from?, to?);
        let syn_ns = (flow.is(Flow::SYN_SEEN) && flow.frame_syn.is_timed()).then_some(flow.start_ns);
        let (syn_ack_ns, ack_ns) = (time(detail.syn_ack), time(detail.ack));
        let answered = detail.syn_ack.is_some() || flow.is(Flow::REFUSED);
        Self {
            syn_to_syn_ack: since(syn_ns, syn_ack_ns),
            syn_ack_to_ack: since(syn_ack_ns, ack_ns),
            handshake: since(syn_ns, ack_ns),
            retransmit_wait: since(syn_ns, Some(detail.answered_ns)).filter(|_| answered),
        }
    }
}

/// How a connection that was open ended.
#[derive(Default)]
struct Closing {
    closed_by: Option<Side>,
    close: Option<Close>,
    time_wait: Option<TimeWait>,
}

impl Closing {
    fn of(flow: &Flow, detail: &Detail) -> Self {
        if !flow.is(Flow::COMPLETED) {
            return Self::default();
        }
        let first_fin = first_fin(flow, detail);
        let reset_by = if flow.is(Flow::CLOSE_RST_CLIENT) {
            Some(Side::Client)
        } else if flow.is(Flow::CLOSE_RST_SERVER) {
            Some(Side::Server)
        } else {
            None
        };
        // Of a connection to itself one socket is left.
        let holder = || {
            if flow.key.is_self() {
                TimeWait::Client
            } else {
                time_wait(detail, first_fin)
            }
        };
        Self {
            closed_by: first_fin.or(reset_by),
            close: reset_by.map(|_| Close::Rst).or(first_fin.map(|_| Close::Fin)),
            time_wait: (flow.state == State::TimeWait).then(holder),
        }
    }
}

/// Whether the server's FIN acknowledges the client's, and the client's the server's.
fn knew(detail: &Detail) -> (bool, bool) {
    let covers = |fin: Option<u32>, ack: Option<u32>| match (fin, ack) {
        (Some(fin), Some(ack)) => distance(fin, ack) > 0,
        _ => false,
    };
    (
        covers(detail.client.fin, detail.fin_acks[1]),
        covers(detail.server.fin, detail.fin_acks[0]),
    )
}

/// Whose FIN was sent first. Where only one of them acknowledges the other, that decides, not the order of capture.
fn first_fin(flow: &Flow, detail: &Detail) -> Option<Side> {
    match knew(detail) {
        (true, false) => Some(Side::Client),
        (false, true) => Some(Side::Server),
        _ if flow.is(Flow::FIN_CLIENT_FIRST) => Some(Side::Client),
        _ if flow.is(Flow::FIN_SERVER_FIRST) => Some(Side::Server),
        _ => None,
    }
}

/// RFC 9293 section 3.6: the side whose FIN was sent without having received the other's goes through TIME-WAIT. The
/// acknowledgment number of each FIN tells.
fn time_wait(detail: &Detail, first_fin: Option<Side>) -> TimeWait {
    let (server_knew, client_knew) = knew(detail);
    match (server_knew, client_knew, first_fin) {
        (false, false, _) => TimeWait::Both,
        (true, false, _) | (true, true, Some(Side::Client)) => TimeWait::Client,
        _ => TimeWait::Server,
    }
}

fn fast_open(flow: &Flow, detail: Option<&Detail>) -> Option<FastOpen> {
    if !flow.client_options.asks_fast_open() {
        return None;
    }
    let Some(detail) = detail else {
        return Some(FastOpen::Requested);
    };
    if !flow.is(Flow::SYN_SEEN) {
        return None;
    }
    Some(match detail.server_options.filter(|_| detail.syn_ack.is_some()) {
        Some(_) if detail.syn_data_acked > 0 => FastOpen::Accepted,
        Some(o) if o.asks_fast_open() => FastOpen::Granted,
        // The cookie may be in what was cut off.
        Some(o) if o.is_incomplete() => FastOpen::Requested,
        Some(_) => FastOpen::Ignored,
        None => FastOpen::Requested,
    })
}

fn oddities(flow: &Flow, detail: Option<&Detail>, evicted: bool) -> Anomalies {
    let mut set = flow.anomalies;
    if evicted {
        set.insert(Anomaly::Evicted);
    }
    let syn_seen = flow.is(Flow::SYN_SEEN);
    let asks = flow.client_options.asks_fast_open() || flow.client_options.is_incomplete();
    if syn_seen && flow.syn_data > 0 && !asks {
        set.insert(Anomaly::SynDataWithoutFastOpen);
    }
    if syn_seen && flow.client_options.is_incomplete() {
        set.insert(Anomaly::OptionsDamaged);
    }
    let Some(detail) = detail else { return set };
    let is_beyond = |ack: u32| distance(ack, detail.server.next()) < 0;
    if detail.rare().ahead.as_ref().is_some_and(|ahead| is_beyond(ahead.1.ack)) {
        set.insert(Anomaly::AckWrongAck);
    }
    if flow.is(Flow::SYN_ACK_MISSED) {
        let seen = flow.is(Flow::SERVER_SEEN);
        set.insert(if seen {
            Anomaly::SynAckNotCaptured
        } else {
            Anomaly::OneDirectionCaptured
        });
    }
    let silent = detail.syn_ack_sent == 0 && !flow.is(Flow::COMPLETED | Flow::SIMULTANEOUS);
    if silent && syn_seen && detail.server.bytes > 0 {
        set.insert(Anomaly::SynAckNotCaptured);
    }
    let client_seen = syn_seen || flow.syn_sent > 0 || flow.is(Flow::RESET_BY_CLIENT) || detail.client.start.is_some();
    if !client_seen && (detail.server.bytes > 0 || flow.is(Flow::COMPLETED)) {
        set.insert(Anomaly::OneDirectionCaptured);
    } else if flow.is(Flow::COMPLETED) && detail.ack.is_none() && !flow.is(Flow::SIMULTANEOUS) {
        set.insert(Anomaly::AckNotCaptured);
    }
    let Some(server) = &detail.server_options else {
        return set;
    };
    if server.is_incomplete() {
        set.insert(Anomaly::OptionsDamaged);
    }
    if !syn_seen || detail.syn_ack.is_none() {
        return set;
    }
    let client = &flow.client_options;
    if flow.client_options.asks_fast_open() && flow.syn_data > 0 && detail.syn_data_acked == 0 {
        set.insert(Anomaly::FastOpenFallback);
    }
    // Servers turn time stamps off (Windows, hardening guides), but no stack offers SACK or time stamps and withholds
    // window scaling, or offers scaling and time stamps and withholds SACK: a middlebox took it, or a SYN cookie
    // without time stamps lost it (then both are gone, and neither is reported here).
    let ([client_scales, client_sacks, _], [scales, sacks, stamps]) = (client.offers(), server.offers());
    let lost_scale = client_scales && !scales;
    let lost_sack = client_sacks && !sacks;
    let complete = !client.is_incomplete() && !server.is_incomplete();
    if complete && (lost_scale && (sacks || stamps) || lost_sack && stamps && scales) {
        set.insert(Anomaly::OptionStripped);
    }
    set
}
