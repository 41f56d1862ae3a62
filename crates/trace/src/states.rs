//! The states of both ends beside each packet of a handshake, as an observer on the way must think they are.
//!
//! The table goes on as if each end had received what was captured. Where the capture does not say that it did, the state is
//! not known: of a server that was never heard of, and of who was sent a FIN behind bytes that are missing.

use halfopen_track::state::{Cell, Class, State};
use halfopen_track::{Side, Step, TimeWait};
use halfopen_wire::{Flags, Segment};

use crate::exchange::{Event, Exchange};

/// The states of client and server; `None` where a state is not known, and beside an ICMP error, which says nothing of them.
pub type Ends = (Option<&'static str>, Option<&'static str>);

/// The states after each of the kept packets.
pub fn ends(exchange: &Exchange) -> Vec<Ends> {
    let known = Known::of(exchange);
    let mut received = [
        Received::of(exchange.handshake.isn_server),
        Received::of(exchange.handshake.isn_client),
    ];
    let mut all = Vec::with_capacity(exchange.events.len());
    for (nth, event) in exchange.events.iter().enumerate() {
        if exchange.omitted > 0 && nth == exchange.omitted_after {
            received = Default::default();
        }
        all.push(match event {
            Event::Icmp(_) => (None, None),
            Event::Segment(segment, step) => {
                note(&mut received, segment, step);
                let (client, server) = known.ends(step);
                let lacks_fin = |side: Side| is_sent_fin(step.after, side) && !received[side as usize].has_fin();
                (
                    client.filter(|_| !lacks_fin(Side::Client)),
                    server.filter(|_| !lacks_fin(Side::Server)),
                )
            }
        });
    }
    all
}

/// What the whole exchange says of each of its steps.
struct Known {
    /// A SYN-ACK answered the first SYN, or the client's ACK shows that one did.
    listened: bool,
    /// Something of the server led the connection on.
    heard: bool,
    /// Both sides sent a FIN before they had seen the other's.
    crossed: bool,
    time_wait: Option<TimeWait>,
}

impl Known {
    fn of(exchange: &Exchange) -> Self {
        let any = |is: fn(&Step) -> bool| {
            let mut events = exchange.events.iter();
            events.any(|event| matches!(event, Event::Segment(_, step) if is(step)))
        };
        let listened = !exchange.handshake.simultaneous && any(was_answered);
        Self {
            listened,
            heard: listened || any(|step| step.from == Side::Server && matches!(step.row.cell, Cell::Next(_))),
            crossed: any(|step| step.after == State::FinBoth),
            time_wait: exchange.handshake.time_wait,
        }
    }

    /// Where each end is once it has received what was captured. The table calls the end of an orderly close one state; which
    /// side went through TIME-WAIT is in the record. Who sends its SYN-ACK again is still half open, whatever has passed.
    fn ends(&self, step: &Step) -> Ends {
        if sent_again(step) {
            return (Some("ESTABLISHED"), Some("SYN_RECV"));
        }
        let (client, server) = match (step.after, self.time_wait) {
            (State::TimeWait, Some(TimeWait::Client)) => ("TIME_WAIT", "CLOSED"),
            (State::TimeWait, Some(TimeWait::Server)) => ("CLOSED", "TIME_WAIT"),
            (State::TimeWait, Some(TimeWait::Both)) => ("TIME_WAIT", "TIME_WAIT"),
            // The table has one state for «one FIN of two is acknowledged». Whose FIN crossed the other's is in CLOSING
            // until its own is, and never in LAST-ACK (RFC 9293 3.6, figure 13).
            (State::FinBothServerAcked, _) if self.crossed => ("CLOSING", "TIME_WAIT"),
            (State::FinBothClientAcked, _) if self.crossed => ("TIME_WAIT", "CLOSING"),
            (state, _) => state.ends(),
        };
        let server_is_known = match step.after {
            // What answers a SYN with anything but a SYN-ACK that fits is no listener.
            State::Closed | State::SynSent => self.listened && step.from == Side::Client,
            State::Reset => self.heard,
            _ => true,
        };
        (Some(client), server_is_known.then_some(server))
    }
}

/// Whether the step is the one from the SYN to what only a listener's SYN-ACK leads to.
fn was_answered(step: &Step) -> bool {
    step.before == State::SynSent && !matches!(step.after, State::Closed | State::SynSent | State::Reset)
}

/// Whether the server of an open connection sends its SYN-ACK once more.
fn sent_again(step: &Step) -> bool {
    step.row.class == Class::SynAck
        && step.from == Side::Server
        && (step.before, step.after) == (State::Established, State::Established)
        && !step.copy
}

/// Whether `side` was sent a FIN that it has not acknowledged yet.
fn is_sent_fin(state: State, side: Side) -> bool {
    match side {
        Side::Client => matches!(state, State::FinServer | State::FinBoth | State::FinBothClientAcked),
        Side::Server => matches!(state, State::FinClient | State::FinBoth | State::FinBothServerAcked),
    }
}

/// Takes note of what a segment carries to its receiver, and of what its sender says to have received.
fn note(received: &mut [Received; 2], segment: &Segment, step: &Step) {
    if step.row.cell == Cell::Invalid || segment.flags.has(Flags::RST) {
        return;
    }
    received[step.from.other() as usize].take(segment);
    if segment.flags.has(Flags::ACK) {
        received[step.from as usize].acknowledge(segment.ack);
    }
}

/// What one end has received of the other's stream, as far as it was captured.
#[derive(Default)]
struct Received {
    /// Up to where nothing is missing; `None` where it is not known where the stream begins, or goes on.
    to: Option<u32>,
    /// What came behind something missing: from, to.
    ahead: Vec<(u32, u32)>,
    /// The FIN's number.
    fin: Option<u32>,
}

impl Received {
    /// Nothing yet, of a stream behind this SYN.
    fn of(isn: Option<u32>) -> Self {
        Self {
            to: isn.map(|isn| isn.wrapping_add(1)),
            ..Self::default()
        }
    }

    fn take(&mut self, segment: &Segment) {
        let first = segment.seq.wrapping_add(u32::from(segment.flags.has(Flags::SYN)));
        let end = first.wrapping_add(segment.payload_len);
        if segment.flags.has(Flags::FIN) {
            self.fin.get_or_insert(end);
        }
        self.to.get_or_insert(first);
        if segment.payload_len > 0 {
            self.ahead.push((first, end));
            self.join();
        }
    }

    /// What is acknowledged arrived, captured or not.
    fn acknowledge(&mut self, ack: u32) {
        let to = self.to.get_or_insert(ack);
        if is_before(*to, ack) {
            *to = ack;
            self.join();
        }
    }

    /// Goes on through what came ahead and is not ahead any more.
    fn join(&mut self) {
        let Some(to) = &mut self.to else { return };
        while let Some(nth) = self.ahead.iter().position(|&(first, _)| !is_before(*to, first)) {
            let (_, end) = self.ahead.swap_remove(nth);
            if is_before(*to, end) {
                *to = end;
            }
        }
    }

    /// Whether nothing is missing before the FIN.
    fn has_fin(&self) -> bool {
        match (self.to, self.fin) {
            (Some(to), Some(fin)) => !is_before(to, fin),
            _ => true,
        }
    }
}

/// RFC 9293 section 3.4 arithmetic.
const fn is_before(one: u32, other: u32) -> bool {
    (other.wrapping_sub(one) as i32) > 0
}
