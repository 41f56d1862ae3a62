//! Who sees each step of the table.

use halfopen_wire::Segment;

use crate::record::Side;
use crate::state::{Row, State};

/// Sees each step of the table, for the ladder. The unit type sees nothing and costs nothing.
pub trait Witness {
    /// Whether it looks at all: plain data and ACKs are put into words only for somebody.
    const LOOKS: bool = true;

    /// A segment of handshake `number`, sent by `from`, led from `before` to `after` by `row`; `copy` when it is a
    /// packet captured twice, which is not walked.
    fn step(&mut self, segment: &Segment, step: &Step);
}

/// One step of the table.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Number of the handshake.
    pub number: u64,
    /// The sender.
    pub from: Side,
    /// The row that decided.
    pub row: &'static Row,
    /// State before.
    pub before: State,
    /// State after.
    pub after: State,
    /// Captured twice.
    pub copy: bool,
}

impl Step {
    /// A step that leaves the state as it is.
    pub(crate) const fn still(number: u64, from: Side, row: &'static Row, state: State) -> Self {
        Self {
            number,
            from,
            row,
            before: state,
            after: state,
            copy: false,
        }
    }
}

impl Witness for () {
    const LOOKS: bool = false;

    fn step(&mut self, _: &Segment, _: &Step) {}
}
