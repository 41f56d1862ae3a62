//! An RST that was believed although its number is not the one that its receiver waits for.
//!
//! A receiver resets at once only for the exact number; for any other in its window it asks back (RFC 5961 section 3.2), and
//! the connection goes on. An observer does not know the window, so he believes such an RST until he sees that both
//! ends go on.

use halfopen_wire::{Flags, Segment};

use crate::frame_ref::FrameRef;
use crate::record::Side;
use crate::reorder::REORDER_NS;
use crate::state::State;
use crate::stream::{Stream, distance};

/// Where a connection goes on.
#[derive(Clone, Copy, Debug)]
pub struct Resumed {
    /// Who sent the RST.
    pub from: Side,
    /// What that side had sent before, and what the capture put behind.
    pub sender: Stream,
    /// The client's ACK of the SYN-ACK, behind an RST before completion.
    pub ack: Option<(i64, FrameRef)>,
    /// Where it was.
    pub state: State,
    /// The first FIN of each side since, in the order of the capture.
    pub fins: [Option<(Side, Segment)>; 2],
}

/// What was there before the RST.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Believed {
    from: Side,
    state: State,
    /// Before completion no peer resets by another number than the next one: what comes behind it was sent behind it.
    opening: bool,
    time_ns: i64,
    seq: u32,
    /// What its sender had sent.
    sender: Stream,
    /// One past what its receiver had sent.
    receiver_end: u32,
    /// How far its sender went behind it, its FIN counted.
    sender_to: Option<u32>,
    /// How far its receiver went.
    receiver_to: u32,
    /// The client's ACK of the SYN-ACK, behind an RST before completion.
    ack: Option<(i64, FrameRef)>,
    fins: [Option<(Side, Segment)>; 2],
}

impl Believed {
    /// Remembers what was there, where that is known and the number is not the next one of its sender.
    pub fn of(sender: &Stream, receiver: &Stream, segment: &Segment, from: Side, state: State) -> Option<Box<Self>> {
        let opening = state == State::SynRecv;
        if state.is_opening() && !opening || state.is_over() {
            return None;
        }
        let known = sender.start.is_some() && receiver.start.is_some();
        (known && sender.next() != segment.seq).then(|| {
            Box::new(Self {
                from,
                state,
                opening,
                time_ns: segment.time_ns,
                seq: segment.seq,
                sender: *sender,
                receiver_end: receiver.next(),
                sender_to: None,
                receiver_to: receiver.next(),
                ack: None,
                fins: [None; 2],
            })
        })
    }

    /// Whether an ACK behind the RST shows that both ends go on: one acknowledges what the other sent after it.
    pub fn is_disproved_by(&self, segment: &Segment, from: Side) -> bool {
        let late = segment.time_ns.saturating_sub(self.time_ns) > REORDER_NS;
        if from == self.from {
            (late || self.opening) && is_between(self.receiver_end, segment.ack, self.receiver_to)
        } else {
            self.sender_to
                .is_some_and(|to| is_between(self.sender.next(), segment.ack, to))
        }
    }

    /// Takes note of an ACK that shows nothing yet.
    pub fn note(&mut self, segment: &Segment, from: Side, isn_server: Option<u32>) {
        if from == Side::Client && self.opening && isn_server.is_some_and(|isn| isn.wrapping_add(1) == segment.ack) {
            self.ack.get_or_insert((segment.time_ns, FrameRef::of(segment)));
        }
        // The capture may have swapped them: what ends at or before the RST's number was sent before it.
        let close = segment.time_ns.saturating_sub(self.time_ns) <= REORDER_NS;
        let end = segment.seq.wrapping_add(segment.payload_len);
        let to = end.wrapping_add(u32::from(segment.flags.has(Flags::FIN)));
        if from != self.from {
            self.receiver_to = later(self.receiver_to, to);
        } else if !self.opening && close && distance(end, self.seq) >= 0 {
            self.sender.carry(segment.seq, segment.payload_len);
        } else {
            self.sender_to = Some(self.sender_to.map_or(to, |before| later(before, to)));
        }
    }

    /// Takes note of a FIN, which closes nothing as long as the RST stands.
    pub fn note_fin(&mut self, segment: &Segment, from: Side) {
        let known = self.fins.iter().flatten().any(|&(side, _)| side == from);
        if let Some(place) = self.fins.iter_mut().find(|fin| fin.is_none() && !known) {
            *place = Some((from, *segment));
        }
    }

    /// Takes the RST back.
    pub fn take_back(self) -> Resumed {
        Resumed {
            from: self.from,
            sender: self.sender,
            ack: self.ack,
            state: self.state,
            fins: self.fins,
        }
    }
}

/// Whether `ack` is for something behind `end` that was seen.
const fn is_between(end: u32, ack: u32, seen: u32) -> bool {
    distance(end, ack) > 0 && distance(ack, seen) >= 0
}

/// The one further on.
const fn later(a: u32, b: u32) -> u32 {
    if distance(a, b) > 0 { b } else { a }
}
