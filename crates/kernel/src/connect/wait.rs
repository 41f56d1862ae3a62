//! Waiting for news of a socket, in steps between which it may be given up.

use std::time::Duration;

use crate::sys::Epoll;

/// The longest sleep between two questions of whether to go on. A signal ends a sleep at once, but one that arrives just
/// before it begins, or that another thread takes, does not.
const LOOK: Duration = Duration::from_millis(100);

/// Asked now and then while a probe waits: whether to give up now, as if its time were over.
pub type Stop<'a> = &'a mut dyn FnMut() -> bool;

/// Nanoseconds, for ever at most.
pub(super) fn duration_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Sleeps until there is news, a part of `ns` at most; false when the wait is over for good.
pub(super) fn rest(epoll: &mut Epoll, ns: u64, stop: Stop<'_>) -> bool {
    let waited = epoll.wait(Some(Duration::from_nanos(ns).min(LOOK))).is_ok();
    // Not between two looks of the first microseconds: asking takes longer than looking.
    waited && (ns == 0 || epoll.ready() > 0 || !stop())
}
