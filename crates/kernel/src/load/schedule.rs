//! When the next connection is due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Pace;

const SECOND_NS: u128 = 1_000_000_000;

/// What was due in time may begin so much after the end: a thread may have slept on its last tick.
const GRACE_NS: u64 = 100_000_000;

/// One thread's part of the schedule.
#[derive(Debug)]
pub(super) enum Schedule<'a> {
    /// As soon as there is a slot, until all tickets of all threads are drawn or the time is over.
    Closed {
        tickets: &'a AtomicU64,
        total: u64,
        end: u64,
        over: bool,
    },
    /// The `n`-th connection at `begin + n / rate`; this thread has every `step`-th. None begins after `end`.
    Open {
        begin: u64,
        rate: u64,
        next: u64,
        step: u64,
        count: u64,
        end: u64,
        over: bool,
    },
}

impl<'a> Schedule<'a> {
    pub(super) fn new(pace: Pace, tickets: &'a AtomicU64, begin: u64, index: usize, threads: usize) -> Self {
        match pace {
            Pace::Closed { total, duration, .. } => Self::Closed {
                tickets,
                total,
                end: duration.map_or(u64::MAX, |duration| begin.saturating_add(nanoseconds(duration))),
                over: false,
            },
            Pace::Open { rate, duration, .. } => {
                let rate = rate.max(1);
                let count = (u128::from(rate) * duration.as_nanos()).div_ceil(SECOND_NS);
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                Self::Open {
                    end: begin.saturating_add(nanoseconds(duration)).saturating_add(GRACE_NS),
                    over: false,
                    begin,
                    rate,
                    next: index as u64,
                    step: threads as u64,
                    count,
                }
            }
        }
    }

    /// The moment at which the next connection should begin, if that is not after `now`; taken once it is returned.
    pub(super) fn take(&mut self, now: u64) -> Option<u64> {
        if let Self::Closed {
            tickets,
            total,
            end,
            over,
        } = self
        {
            *over |= now >= *end;
            if *over {
                return None;
            }
            let draw = |drawn| (drawn < *total).then_some(drawn + 1);
            return tickets
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, draw)
                .ok()
                .map(|_| now);
        }
        if let Self::Open { end, over, .. } = self {
            *over |= now > *end;
        }
        let due = self.next_due().filter(|&due| due <= now)?;
        if let Self::Open { next, step, .. } = self {
            *next += *step;
        }
        Some(due)
    }

    /// Gives back what was taken last.
    pub(super) fn give_back(&mut self) {
        match self {
            Self::Closed { tickets, .. } => {
                tickets.fetch_sub(1, Ordering::Relaxed);
            }
            Self::Open { next, step, .. } => *next -= *step,
        }
    }

    /// When the next connection is due; `None` at the end.
    pub(super) fn next_due(&self) -> Option<u64> {
        if self.is_over() {
            return None;
        }
        match *self {
            Self::Closed { .. } => Some(0),
            Self::Open { begin, rate, next, .. } => {
                let offset = u128::from(next) * SECOND_NS / u128::from(rate);
                Some(begin.saturating_add(offset as u64))
            }
        }
    }

    /// Whether there is nothing left to begin.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Closed {
                tickets, total, over, ..
            } => *over || tickets.load(Ordering::Relaxed) >= *total,
            Self::Open { next, count, over, .. } => *over || next >= count,
        }
    }

    /// Connections of an open loop that were not begun: all that were planned, or, when it was stopped early, those
    /// that were due before `stopped`.
    pub(super) fn left(&self, stopped: Option<u64>) -> u64 {
        match *self {
            Self::Closed { .. } => 0,
            Self::Open {
                begin,
                rate,
                next,
                step,
                count,
                ..
            } => {
                let due = stopped.map_or(count, |now| {
                    let elapsed = u128::from(now.saturating_sub(begin)) * u128::from(rate);
                    count.min(u64::try_from(elapsed.div_ceil(SECOND_NS)).unwrap_or(u64::MAX))
                });
                due.saturating_sub(next).div_ceil(step)
            }
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_share_an_open_loop_without_gap_or_repetition() {
        let tickets = AtomicU64::new(0);
        let pace = Pace::Open {
            rate: 1000,
            duration: Duration::from_millis(7),
            max_in_flight: 1,
        };
        let mut due: Vec<u64> = (0..2)
            .flat_map(|index| {
                let mut schedule = Schedule::new(pace, &tickets, 100, index, 2);
                assert_eq!(schedule.take(0), None, "nothing is due before the beginning");
                let taken: Vec<u64> = std::iter::from_fn(|| schedule.take(7_000_100)).collect();
                assert!(schedule.is_over() && schedule.left(None) == 0 && schedule.next_due().is_none());
                taken
            })
            .collect();
        due.sort_unstable();
        assert_eq!(due, (0..7).map(|n| 100 + n * 1_000_000).collect::<Vec<u64>>());
    }

    #[test]
    fn what_is_overdue_at_the_end_is_never_begun() {
        let tickets = AtomicU64::new(0);
        let pace = Pace::Open {
            rate: 10,
            duration: Duration::from_secs(1),
            max_in_flight: 1,
        };
        let mut schedule = Schedule::new(pace, &tickets, 0, 0, 1);
        assert_eq!(schedule.take(1_000_000_000), Some(0));
        assert_eq!(schedule.take(1_100_000_001), None);
        assert_eq!(
            (schedule.is_over(), schedule.next_due(), schedule.left(None)),
            (true, None, 9)
        );
    }

    #[test]
    fn what_was_not_due_before_a_stop_was_not_left() {
        let tickets = AtomicU64::new(0);
        let pace = Pace::Open {
            rate: 10,
            duration: Duration::from_secs(1),
            max_in_flight: 1,
        };
        let mut schedules = [0, 1].map(|index| Schedule::new(pace, &tickets, 100, index, 2));
        assert_eq!(schedules[0].take(100), Some(100));
        // Due until then: 0, 1, 2 and 3, of which the first was begun.
        let left = |stopped| schedules.each_ref().map(|schedule| schedule.left(stopped));
        assert_eq!(left(Some(300_000_101)), [1, 2]);
        assert_eq!(left(Some(50)), [0, 0]);
        assert_eq!(left(Some(u64::MAX)), [4, 5]);
        assert_eq!(left(None), [4, 5]);
    }

    #[test]
    fn what_is_given_back_is_due_again() {
        let tickets = AtomicU64::new(0);
        let open = Pace::Open {
            rate: 10,
            duration: Duration::from_secs(1),
            max_in_flight: 1,
        };
        let mut schedule = Schedule::new(open, &tickets, 0, 0, 1);
        assert_eq!(schedule.take(0), Some(0));
        schedule.give_back();
        assert_eq!((schedule.next_due(), schedule.left(None)), (Some(0), 10));

        let mut closed = Schedule::new(
            Pace::Closed {
                connections: 1,
                total: 1,
                duration: None,
            },
            &tickets,
            0,
            0,
            1,
        );
        assert_eq!(closed.take(5), Some(5));
        closed.give_back();
        assert_eq!((closed.take(6), closed.take(7)), (Some(6), None));
        assert!(closed.is_over());
    }

    #[test]
    fn a_closed_loop_ends_with_its_time() {
        let tickets = AtomicU64::new(0);
        let pace = Pace::Closed {
            connections: 1,
            total: u64::MAX,
            duration: Some(Duration::from_secs(1)),
        };
        let mut schedule = Schedule::new(pace, &tickets, 5, 0, 1);
        assert_eq!(schedule.take(1_000_000_004), Some(1_000_000_004));
        assert!(!schedule.is_over());
        assert_eq!(schedule.take(1_000_000_005), None);
        assert!(schedule.is_over() && schedule.next_due().is_none());
    }
}
