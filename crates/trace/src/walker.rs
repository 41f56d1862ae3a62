//! The walking thread: packets to connections that have ended.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use halfopen_track::{Ended, EndedList, Fetch, Handshake, Sink, TrackStats, Tracker};
use halfopen_wire::{Address, EncapTable};

use crate::reader::Batch;

/// What is sent at a time: so many lone SYNs, or a quarter as many whole connections, which are larger.
const PORTION: usize = 2048;

/// While nothing comes, connections whose time is over are looked for this often.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What has ended, on its way to become records.
#[derive(Default)]
pub struct Portion {
    /// In the order in which they ended.
    pub ended: EndedList,
    /// The table that explains their encapsulation numbers, where it has grown.
    pub encaps: Option<Arc<EncapTable>>,
    /// Time of the first frame, in the first portion.
    pub first_ns: Option<i64>,
}

impl Portion {
    fn says_nothing(&self) -> bool {
        self.ended.weight() == 0 && self.encaps.is_none() && self.first_ns.is_none()
    }
}

struct Portions {
    current: Portion,
    to: SyncSender<Portion>,
    /// Lists that were taken, to be filled again: their memory is there.
    taken: Receiver<EndedList>,
    /// Nobody takes them any more.
    refused: bool,
}

impl Portions {
    /// Sends what there is, if it says anything.
    fn send_rest(&mut self) {
        if !self.current.says_nothing() {
            self.send();
        }
    }

    fn send(&mut self) {
        let next = Portion {
            ended: self.taken.try_recv().unwrap_or_default(),
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

    fn ended(&mut self, ended: Ended<'_>) {
        self.current.ended.push(ended);
        if self.current.ended.weight() >= PORTION {
            self.send();
        }
    }
}

/// Walks the table until there are no more packets or nobody wants the result. Gives the counts, and the hosts that sent
/// segments of connections from before the capture.
pub fn walk<F: Fetch>(
    mut tracker: Tracker<F>,
    full: &Receiver<Batch>,
    empty: &SyncSender<Batch>,
    to: SyncSender<Portion>,
    taken: Receiver<EndedList>,
) -> (TrackStats, Vec<Address>) {
    let mut portions = Portions {
        current: Portion::default(),
        to,
        taken,
        refused: false,
    };
    let mut was_urgent = false;
    while !portions.refused {
        let Some(mut batch) = next_batch(full, was_urgent, &mut tracker, &mut portions) else {
            break;
        };
        if let Some(encaps) = batch.encaps.take() {
            portions.current.encaps = Some(encaps);
        }
        if let Some(first_ns) = batch.first_ns.take() {
            portions.current.first_ns = Some(first_ns);
        }
        let (packets, hashes) = batch.packets();
        tracker.push_hashed(packets, hashes, &mut portions);
        was_urgent = batch.is_urgent;
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

/// Waits for the next batch; where that may take long, what has ended goes its way first, and what may end meanwhile too.
fn next_batch<F: Fetch>(
    full: &Receiver<Batch>,
    may_take_long: bool,
    tracker: &mut Tracker<F>,
    portions: &mut Portions,
) -> Option<Batch> {
    if !may_take_long {
        return full.recv().ok();
    }
    let mut patience = Duration::ZERO;
    let mut waited = Duration::ZERO;
    loop {
        match full.recv_timeout(patience) {
            Ok(batch) => return Some(batch),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => waited += patience,
        }
        tracker.idle(i64::try_from(waited.as_nanos()).unwrap_or(i64::MAX), portions);
        portions.send_rest();
        patience = LOOK_EVERY;
    }
}
