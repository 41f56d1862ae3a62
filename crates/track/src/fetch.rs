//! How the places that will be needed are asked for ahead.
//!
//! Asking takes an instruction that safe code does not have: whoever builds a [`crate::Tracker`] may bring it along.

/// Asks for the line of memory where something begins, and does not wait for it.
pub trait Fetch {
    /// Asks for `place`. It only saves time.
    fn fetch<T>(place: &T);
}

/// Asks for nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unfetched;

impl Fetch for Unfetched {
    #[inline]
    fn fetch<T>(_: &T) {}
}
