//! The walking thread: packets to connections that have ended.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use halfopen_track::{Ended, Handshake, Sink, TrackStats, Tracker};
use halfopen_wire::{Address, EncapTable};

use crate::reader::Batch;

/// Connections in a portion.
const PORTION: usize = 512;

/// What has ended, on its way to become records.
#[derive(Default)]
pub struct Portion {
    /// In the order in which they ended.
    pub ended: Vec<Ended>,
    /// The table that explains their encapsulation numbers, where it has grown.
    pub encaps: Option<Arc<EncapTable>>,
    /// Time of the first frame, in the first portion.
    pub first_ns: Option<i64>,
}

struct Portions {
    current: Portion,
    to: SyncSender<Portion>,
    /// Nobody takes them any more.
    refused: bool,
}

impl Portions {
    fn send(&mut self) {
        let next = Portion {
            ended: Vec::with_capacity(PORTION),
            ..Portion::default()
        };
        let full = std::mem::replace(&mut self.current, next);
        self.refused |= self.to.send(full).is_err();
    }
}

impl Sink for Portions {
    fn handshake(&mut self, _: &Handshake) {
        unreachable!("a tracker hands over what has ended, and only `ended` makes a record of it");
    }

    fn ended(&mut self, ended: Ended) {
        self.current.ended.push(ended);
        if self.current.ended.len() >= PORTION {
            self.send();
        }
    }
}

/// Walks the table until there are no more packets or nobody wants the result. Gives the counts, and the hosts that sent
/// segments of connections from before the capture.
pub fn walk(
    mut tracker: Tracker,
    full: &Receiver<Batch>,
    empty: &SyncSender<Batch>,
    to: SyncSender<Portion>,
) -> (TrackStats, Vec<Address>) {
    let mut portions = Portions {
        current: Portion::default(),
        to,
        refused: false,
    };
    while !portions.refused {
        let Ok(mut batch) = full.recv() else { break };
        if let Some(encaps) = batch.encaps.take() {
            portions.current.encaps = Some(encaps);
        }
        if let Some(first_ns) = batch.first_ns.take() {
            portions.current.first_ns = Some(first_ns);
        }
        let (packets, hashes) = batch.packets();
        tracker.push_hashed(packets, hashes, &mut portions);
        batch.clear();
        // A full queue of empties only means that this one is not needed again.
        let _unneeded = empty.try_send(batch);
    }
    if !portions.refused {
        tracker.finish(&mut portions);
        portions.send();
    }
    (*tracker.stats(), tracker.midstream_senders())
}
