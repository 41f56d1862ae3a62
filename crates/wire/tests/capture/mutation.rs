//! Whatever is done to a capture, reading it ends, does not panic, and gives the same byte by byte.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

use crate::compression::{gzip, zstd};
use crate::support::try_read;
use crate::writer::{MODIFIED, Ng, Order, Pcap, samples};

/// Captures to damage.
fn seeds() -> Vec<Vec<u8>> {
    let samples = samples(12);
    let modified = Pcap {
        magic: MODIFIED,
        extra: 8,
        order: Order::Big,
        ..Pcap::default()
    };
    vec![
        Pcap::default().file(&samples),
        modified.file(&samples),
        Ng(Order::Little).file(&samples),
        Ng(Order::Big).file(&samples),
        gzip(&Pcap::default().file(&samples)),
        zstd(&Ng(Order::Little).file(&samples)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes(seed in 0..6_usize, changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = seeds().swap_remove(seed);
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        let _ = try_read(&bytes);
    }

    #[test]
    fn removed_and_inserted_bytes(
        seed in 0..6_usize,
        at in any::<proptest::sample::Index>(),
        removed in 0..2000_usize,
        inserted in vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = seeds().swap_remove(seed);
        let at = at.index(bytes.len());
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, inserted);
        let _ = try_read(&bytes);
    }
}
