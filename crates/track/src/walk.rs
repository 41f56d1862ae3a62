//! What one segment proves beside its own row of the table.

use halfopen_wire::{Flags, Segment};

use crate::believed::Resumed;
use crate::classify::fin_fits;
use crate::closing;
use crate::detail::Detail;
use crate::flow::Flow;
use crate::record::Side;
use crate::state::{Cell, Class, Row, State, lookup};

/// The FIN half of a segment, after its ACK half.
pub fn walk_fin(flow: &mut Flow, detail: &mut Detail, segment: &Segment, from: Side) -> &'static Row {
    let class = if fin_fits(detail, segment, from) {
        Class::Fin
    } else {
        Class::AckWrong
    };
    let row = lookup(from, class, flow.state);
    let over = flow.state.is_over();
    if class == Class::Fin && row.cell != Cell::Invalid {
        if over {
            closing::late_fin(detail, segment, from);
        } else {
            closing::fin(flow, detail, segment, from);
        }
    }
    if let Cell::Next(next) = row.cell {
        flow.state = next;
        // The capture may have put the FIN behind its acknowledgment.
        if class == Class::Fin && next.is_synchronized() && detail.knew_fin(from.other()) {
            walk(flow, from.other(), Class::AckOfFin);
        }
    }
    row
}

/// What the capture put before the segment that led to `next`.
pub fn walk_early(flow: &mut Flow, detail: &Detail, next: State) {
    if next == State::SimultaneousSyn && detail.rare().syn_acked {
        walk(flow, Side::Server, Class::Ack);
    }
    if next == State::SimultaneousSyn && detail.rare().client_syn_ack.is_some() {
        walk(flow, Side::Client, Class::SynAck);
    }
    if next == State::SynRecv && flow.is(Flow::COMPLETED) {
        walk(flow, Side::Client, Class::Ack);
    }
}

/// FINs from before completion, and the acknowledgment of one in the segment that completed.
pub fn walk_early_fins(flow: &mut Flow, detail: &Detail, segment: &Segment, from: Side) {
    for side in [Side::Server, Side::Client] {
        if detail.stream(side).fin.is_none() {
            continue;
        }
        walk(flow, side, Class::Fin);
        if from != side {
            walk_ack_of_fin(flow, detail, segment, from);
        }
    }
}

/// A connection goes on behind an RST that was taken back: where it was, and with what came in between.
pub fn walk_on(flow: &mut Flow, detail: &mut Detail, resumed: Option<&Resumed>, segment: &Segment, from: Side) {
    let Some(resumed) = resumed else { return };
    if resumed.state != State::SynRecv {
        flow.state = resumed.state;
    }
    for (side, fin) in resumed.fins.iter().flatten() {
        walk_ack_of_fin(flow, detail, fin, *side);
        walk_fin(flow, detail, fin, *side);
    }
    walk_ack_of_fin(flow, detail, segment, from);
}

/// The acknowledgment of the other side's FIN, if this is one.
const fn walk_ack_of_fin(flow: &mut Flow, detail: &Detail, segment: &Segment, from: Side) {
    if detail.stream(from.other()).fin_covered_by(segment.ack) {
        walk(flow, from, Class::AckOfFin);
    }
}

/// A segment of a connection to itself is the other end's as well: its FIN closes both, and so does the ACK of that.
pub const fn walk_self(flow: &mut Flow, segment: &Segment, class: Class, from: Side) {
    if segment.flags.has(Flags::FIN) {
        walk(flow, from.other(), Class::Fin);
    }
    if matches!(class, Class::AckOfFin) {
        walk(flow, from.other(), Class::AckOfFin);
    }
}

/// What one segment proved beside its own row.
const fn walk(flow: &mut Flow, from: Side, class: Class) {
    if let Cell::Next(next) = lookup(from, class, flow.state).cell {
        flow.state = next;
    }
}
