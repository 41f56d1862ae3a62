//! SYNs inside an open connection, held until it is known what they are.
//!
//! An open connection answers a SYN with a challenge ACK and stays as it is (RFC 5961 section 4): the SYN may be forged,
//! or its sender has lost the connection and begins another one. Each is kept as the flow that it would begin. An answer
//! to it ends the connection and makes it that flow; a later segment of its sender that belongs to the connection shows
//! that the sender never wrote it. Where neither comes, it is an attempt of its own, without an answer.

use halfopen_wire::Segment;

use crate::classify::{classify, fin_fits, side};
use crate::copied;
use crate::detail::{Detail, Rare};
use crate::flow::Flow;
use crate::record::{Anomaly, Side};
use crate::state::Class;
use crate::syns;

/// What a segment says of the SYNs that are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing.
    Open,
    /// Its numbers are those of none of them, nor of the connection.
    Foreign,
    /// Their sender goes on with the connection.
    Disproved,
    /// It belongs to the attempt of this one of them.
    Answered(usize),
}

/// Judges a segment, which is of `class` to the connection.
pub fn judge(flow: &Flow, detail: &Detail, segment: &Segment, class: Class, src_low: bool) -> Verdict {
    let from = side(flow, src_low);
    let fits = fin_fits(detail, segment, from);
    let is_answer = |held: &Flow| {
        let sender = side(held, src_low);
        match (classify(held, None, segment, sender), sender) {
            // A repeated SYN is held as well, unless the connection was reset in between.
            (Class::SynAck | Class::Rst, Side::Server) | (Class::SynRepeated, Side::Client) => true,
            // Its number may fit both: then it is the connection's.
            (Class::Rst, Side::Client) => class == Class::RstBlind,
            (Class::Ack, Side::Client) => !fits,
            _ => false,
        }
    };
    let held = &detail.rare().held;
    if let Some(nth) = held.iter().position(is_answer) {
        return Verdict::Answered(nth);
    }
    let is_ack = matches!(
        class,
        Class::Ack | Class::AckOfFin | Class::AckOfData | Class::RstDisproved
    );
    let is_sender = || held.iter().any(|h| side(h, src_low) == Side::Client);
    match (is_ack, fits) {
        (true, false) => Verdict::Foreign,
        (true, true) if is_sender() => Verdict::Disproved,
        _ => Verdict::Open,
    }
}

/// The SYN that is held already, if `segment` repeats it.
pub fn repeated<'a>(detail: &'a mut Detail, segment: &Segment, src_low: bool) -> Option<&'a mut Flow> {
    let rare = detail.rare.as_deref_mut()?;
    let same = |h: &&mut Flow| side(h, src_low) == Side::Client && h.isn_client == segment.seq;
    rare.held.iter_mut().find(same)
}

/// Holds the flow that a SYN would begin. Those that were disproved make room, and so does the oldest of too many; gives
/// how many did.
pub fn hold(flow: &mut Flow, detail: &mut Detail, attempt: Flow) -> u64 {
    let rare = detail.rare_mut();
    let room = match (std::mem::take(&mut rare.disproved), rare.held.len()) {
        (true, all) => all,
        (false, Rare::LARGEST_HELD) => 1,
        (false, _) => 0,
    };
    if rare.held.drain(..room).next().is_some() {
        flow.anomalies.insert(Anomaly::BlindSyn);
    }
    rare.held.push(attempt);
    flow.marks |= Flow::HELD;
    room as u64
}

/// Takes out what is held: the attempts, and how many are none because they were disproved.
pub fn release(flow: &mut Flow, detail: &mut Detail) -> (Vec<Flow>, u64) {
    let Some(rare) = detail.rare.as_deref_mut() else {
        return (Vec::new(), 0);
    };
    flow.marks &= !Flow::HELD;
    let held = std::mem::take(&mut rare.held);
    if rare.disproved {
        flow.anomalies.insert(Anomaly::BlindSyn);
        return (Vec::new(), held.len() as u64);
    }
    (held, 0)
}

/// The same SYN again; says whether it is a copy of the packet.
pub fn repeat(attempt: &mut Flow, segment: &Segment) -> bool {
    let copy = copied::is_copy(attempt, None, segment, Class::SynRepeated, Side::Client);
    if copy {
        copied::note_copy(attempt, None, segment, Class::SynRepeated, Side::Client);
    } else {
        syns::syn_repeated(attempt, segment, Side::Client);
    }
    copy
}
