//! Two captures of the same traffic, held against each other: where each lost packet of a handshake was lost, and how the
//! time splits between the two points.
//!
//! - [`collect`] reads each capture and keeps the packets of its handshakes ([`seen`]).
//! - [`matching`] finds the common handshakes by four-tuple and initial sequence number, [`pair`] their common packets.
//! - [`side`] tells which point is nearer to the client, [`clock`] how the clocks relate.
//! - [`judge`] says what became of each packet; [`totals`] sums it up; [`json`] writes it.
//!
//! **Limits.** [`MAX_HANDSHAKES`] of each capture with [`seen::MAX_PACKETS`] packets each, about 350 bytes a handshake; of
//! more, one in two, four, … is compared, and that is said. Time is linear in packets.
//!
//! **Architecture Invariant:** nothing is assumed of the order in which the captures are named.

pub mod clock;
pub mod collect;
pub mod json;
pub mod judge;
pub mod matching;
pub mod pair;
pub mod seen;
pub mod side;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod totals;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use halfopen_track::Limits;
use halfopen_wire::Address;
use halfopen_wire::capture::OpenError;

use crate::Progress;
use clock::{Clock, NoClock, Sample};
use collect::Point;
use judge::{Compared, Judge};
use matching::{Lookalikes, Match, Matches};
use pair::{Basis, KINDS, Marks, pairs};
use seen::Seen;
use side::Sides;
use totals::Totals;

/// Handshakes of one capture that are kept at a time.
pub const MAX_HANDSHAKES: usize = 300_000;
/// Connections tracked at once: fewer than when nothing else is kept, so that all stays under 512 MiB.
pub const MAX_FLOWS: usize = 300_000;

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bounds of the flow table.
    pub limits: Limits,
    /// Mark handshakes whose segments have a wrong checksum.
    pub verify_checksums: bool,
    /// See [`MAX_HANDSHAKES`].
    pub max_handshakes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits { max_flows: MAX_FLOWS },
            verify_checksums: false,
            max_handshakes: MAX_HANDSHAKES,
        }
    }
}

/// The result.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The first capture.
    pub a: Point,
    /// The second.
    pub b: Point,
    /// Which handshakes they have in common.
    pub matches: Matches,
    /// Handshakes that only changed their names on the way.
    pub lookalikes: Lookalikes,
    /// Which point is nearer to whom.
    pub sides: Sides,
    /// How the clocks relate, or why that cannot be told.
    pub clock: Result<Clock, NoClock>,
    marks: Marks,
    servers: [HashSet<Address>; 2],
}

/// Reads both and compares them. The first is one capture of several files, in time order; so is the second.
///
/// # Errors
/// When no input of one of them can be opened, or none is a capture.
pub fn compare(
    a: &[PathBuf],
    b: &[PathBuf],
    options: &Options,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Comparison, OpenError> {
    let one = collect::read(a, options, watch)?;
    let (packets, bytes) = (one.packets, one.inputs.iter().map(|i| i.bytes).sum::<u64>());
    let other = collect::read(b, options, &mut |p| {
        watch(Progress {
            packets: packets + p.packets,
            bytes: bytes + p.bytes,
            total: p.total.map(|t| t.saturating_add(bytes)),
        })
    })?;
    Ok(Comparison::new(one, other))
}

impl Comparison {
    /// Compares what was read.
    pub fn new(mut a: Point, mut b: Point) -> Self {
        let level = a.level.max(b.level);
        a.thin(level);
        b.thin(level);
        let matches = matching::find(&a.seen, &b.seen);
        let lookalikes = matching::lookalikes(&a.seen, &b.seen, &matches);
        let marks = Marks::observe(&a.seen, &b.seen, &matches.both);
        let basis = Basis {
            marks: &marks,
            clock: None,
        };
        let sides = Sides::observe(&a.seen, &b.seen, &matches.both, basis);
        let clock = Clock::estimate(&samples(&a.seen, &b.seen, &matches.both, &sides, basis)).map_err(|why| {
            let some = matches.both.iter().any(|m| !m.rewritten);
            if why == NoClock::NoPackets && some {
                NoClock::NoDirection
            } else {
                why
            }
        });
        let servers = [&a, &b].map(|point| point.seen.iter().map(|s| s.server().0).collect());
        Self {
            a,
            b,
            matches,
            lookalikes,
            sides,
            clock,
            marks,
            servers,
        }
    }

    /// Every handshake: the common ones in the order of the first capture, then those of the first only, then those of the
    /// second only.
    pub fn handshakes(&self) -> impl Iterator<Item = Compared> + '_ {
        let both = self.matches.both.iter().filter_map(|m| self.judge().common(m));
        let single = |in_a: bool| {
            let places = if in_a {
                &self.matches.only_a
            } else {
                &self.matches.only_b
            };
            let known = &self.servers[usize::from(in_a)];
            places.iter().filter_map(move |&place| {
                self.judge()
                    .single(place, in_a, |seen| known.contains(&seen.server().0))
            })
        };
        both.chain(single(true)).chain(single(false))
    }

    fn judge(&self) -> Judge<'_> {
        Judge {
            a: &self.a,
            b: &self.b,
            marks: &self.marks,
            sides: &self.sides,
            clock: self.clock.as_ref().ok(),
        }
    }

    /// The sums.
    pub fn totals(&self) -> Totals {
        Totals::of(self)
    }

    /// What the first capture has of a handshake.
    pub fn in_a(&self, compared: &Compared) -> Option<&Seen> {
        self.a.seen.get(compared.a?)
    }

    /// What the second has of it.
    pub fn in_b(&self, compared: &Compared) -> Option<&Seen> {
        self.b.seen.get(compared.b?)
    }
}

/// The packets that tell of the clocks: those whose pairing leaves no choice.
fn samples(a: &[Seen], b: &[Seen], both: &[Match], sides: &Sides, basis: Basis<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for m in both.iter().filter(|m| !m.rewritten) {
        let (Some(one), Some(other)) = (a.get(m.a), b.get(m.b)) else {
            continue;
        };
        let Some(low_at_a) = sides.low_at_a(one) else { continue };
        for kind in KINDS {
            for from_low in [true, false] {
                let sure = pairs(one, other, kind, from_low, basis).into_iter().filter(|p| p.sure);
                samples.extend(sure.filter_map(|p| p.both()).map(|(x, y)| Sample {
                    at_ns: x.time_ns,
                    ahead_ns: y.time_ns.saturating_sub(x.time_ns),
                    from_a: low_at_a == from_low,
                }));
            }
        }
    }
    samples
}
