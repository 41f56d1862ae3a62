//! The two clocks that a measurement needs, as nanoseconds.

use std::fs;
use std::mem::MaybeUninit;

/// Which clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// `CLOCK_MONOTONIC`: durations.
    Monotonic,
    /// `CLOCK_REALTIME`: when something happened, nanoseconds since the epoch.
    Realtime,
}

impl Clock {
    /// Its present value in nanoseconds.
    pub fn now_ns(self) -> u64 {
        let id = match self {
            Self::Monotonic => libc::CLOCK_MONOTONIC,
            Self::Realtime => libc::CLOCK_REALTIME,
        };
        let mut time = MaybeUninit::<libc::timespec>::zeroed();
        // SAFETY: the pointer is to a live timespec. The call can only fail for an unknown clock, and these two exist on
        // every Linux that this program runs on; an all-zero timespec is a valid value even then.
        let time = unsafe {
            libc::clock_gettime(id, time.as_mut_ptr());
            time.assume_init()
        };
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }
}

/// Asks that timeouts of the calling thread end when they are due, not up to 50 µs later (`PR_SET_TIMERSLACK`), which is the
/// default. A kernel that refuses is late, nothing worse.
pub fn exact_timers() {
    // SAFETY: no pointers; the call changes the calling thread's slack only.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_u64, 0_u64, 0_u64, 0_u64) };
}

/// How long the calling thread has been ready to run and has waited for a processor, in all its life, nanoseconds: the second
/// number of `/proc/<pid>/schedstat`. `None` where the kernel does not count it (without `CONFIG_SCHED_INFO`).
pub fn processor_wait_ns() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub fn monotonic_ns() -> u64 {
    Clock::Monotonic.now_ns()
}

/// `CLOCK_REALTIME` in nanoseconds since the epoch.
pub fn realtime_ns() -> i64 {
    Clock::Realtime.now_ns() as i64
}
