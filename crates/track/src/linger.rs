//! Flows that ended, and wait for their late packets.

use std::collections::VecDeque;

use crate::flow::Flow;
use crate::index::Slot;

/// A connection that ended is kept this long, capture time, for its late packets. What comes later is only counted.
const LINGER_NS: i64 = 500_000_000;
/// A refused or reset attempt is kept longer: its SYN may be tried again (Windows: twice, 500 ms apart, some stacks with
/// the 3 s of RFC 1122), and where the RST is lost, SYN or SYN-ACK come by their timers.
const LINGER_RESET_NS: i64 = 8_000_000_000;
/// Not longer than this behind its last packet: no timer of a connection that nobody answers waits longer.
const LINGER_MOST_NS: i64 = 64_000_000_000;
/// How far ahead the ends of lingering are fetched.
const AHEAD_NS: i64 = 1_000_000;

/// How long at least: connections, attempts.
const LEAST_NS: [i64; 2] = [LINGER_NS, LINGER_RESET_NS];

/// Which queue a flow waits in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// A connection.
    Short,
    /// An attempt that was refused or reset.
    Long,
}

impl Patience {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Short, Self::Long];
}

/// A flow that ended and is still there.
#[derive(Clone, Copy, Debug)]
pub struct Lingering {
    /// When to look at it next.
    due_ns: i64,
    ended_ns: i64,
    /// Where it is, if it is still that one.
    pub slot: Slot,
    /// Its number.
    pub number: u64,
}

impl Lingering {
    /// When it may leave. What came late comes once more, if nobody answers, after twice the time and a little (RFC 6298
    /// section 5.5), which makes three times in all: behind the end of a connection, or since the begin of an attempt.
    fn leaves_ns(&self, flow: &Flow, least_ns: i64) -> i64 {
        let since_ns = if flow.is(Flow::COMPLETED) {
            self.ended_ns
        } else {
            flow.start_ns
        };
        let late_ns = flow.last_ns.saturating_sub(since_ns);
        let stays_ns = late_ns.saturating_mul(3).clamp(least_ns, LINGER_MOST_NS);
        flow.last_ns.saturating_add(stays_ns)
    }
}

/// Those that linger, each queue in the order in which they are due.
#[derive(Debug)]
pub struct Lingerers {
    queues: [VecDeque<Lingering>; 2],
    /// None is due before.
    next_ns: i64,
}

impl Default for Lingerers {
    fn default() -> Self {
        Self {
            queues: [VecDeque::new(), VecDeque::new()],
            next_ns: i64::MAX,
        }
    }
}

impl Lingerers {
    /// Whether any can be due.
    #[inline]
    pub const fn can_be_due(&self, now_ns: i64) -> bool {
        self.next_ns <= now_ns
    }

    /// All that were due have been looked at.
    pub fn settle(&mut self) {
        let fronts = self.queues.iter().filter_map(VecDeque::front);
        self.next_ns = fronts.map(|l| l.due_ns).min().unwrap_or(i64::MAX);
    }

    fn push(&mut self, patience: Patience, lingering: Lingering) {
        self.next_ns = self.next_ns.min(lingering.due_ns);
        self.queues[patience as usize].push_back(lingering);
    }

    /// A flow ended now.
    pub fn add(&mut self, slot: Slot, number: u64, now_ns: i64, patience: Patience) {
        let lingering = Lingering {
            due_ns: now_ns.saturating_add(LEAST_NS[patience as usize]),
            ended_ns: now_ns,
            slot,
            number,
        };
        self.push(patience, lingering);
    }

    /// The next one that is due.
    pub fn pop_due(&mut self, patience: Patience, now_ns: i64) -> Option<Lingering> {
        let queue = &mut self.queues[patience as usize];
        let due = queue.front().is_some_and(|l| l.due_ns <= now_ns);
        due.then(|| queue.pop_front()).flatten()
    }

    /// Puts one that was due back, where its flow may not leave yet; says whether it did.
    pub fn stays(&mut self, lingering: Lingering, flow: &Flow, patience: Patience, now_ns: i64) -> bool {
        let least_ns = LEAST_NS[patience as usize];
        let stays = lingering.leaves_ns(flow, least_ns) > now_ns;
        if stays {
            let due_ns = now_ns.saturating_add(least_ns);
            self.push(patience, Lingering { due_ns, ..lingering });
        }
        stays
    }

    /// The slots of the connections that leave next, `most` of them: to be asked for ahead.
    pub fn leaving_soon(&self, now_ns: i64, most: usize) -> impl Iterator<Item = Slot> {
        let soon_ns = now_ns.saturating_add(AHEAD_NS);
        let next = self.queues[Patience::Short as usize].iter().take(most);
        next.take_while(move |l| l.due_ns <= soon_ns).map(|l| l.slot)
    }

    /// Nobody waits any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
