//! What the innermost readers of an input count, shared with whoever tells it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// How many bytes of the input as stored have been read; shared with the innermost reader.
pub(super) type Stored = Arc<AtomicU64>;

/// Damaged places of the compression behind which the reading went on; shared as well.
pub(super) type Damage = Arc<AtomicU64>;
