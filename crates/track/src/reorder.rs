//! How far a capture puts packets out of order.

/// Segments of one handshake that the capture swapped lie this close together.
pub const REORDER_NS: i64 = 50_000_000;

/// Whether two times are as close as segments that the capture swapped.
pub const fn close_in_time(a: i64, b: i64) -> bool {
    a.saturating_sub(b).saturating_abs() <= REORDER_NS
}
