//! Bytes that nobody meant: the decoder never panics, never finds more than there is, and says the same twice.

use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Defects, Packet};
use proptest::prelude::*;

use crate::samples::all;
use crate::support::frame;

/// Every link type that is read, and one that is not.
const LINKS: [u32; 20] = [
    0, 1, 9, 12, 14, 50, 51, 100, 101, 104, 108, 113, 147, 166, 204, 228, 229, 239, 276, 999,
];

/// What must hold for any bytes whatever.
fn holds(link: u32, data: &[u8], wire: usize) {
    let mut decoder = Decoder::new(Options { verify_checksums: true });
    let mut defects = Defects::default();
    let frame = frame(link, data, wire);
    let first = decoder.decode(&frame, &mut defects);
    if let Packet::Tcp(s) = first {
        assert!(s.payload_len as usize <= 0xffff_usize.max(wire.max(data.len())));
        assert_eq!(s.syn.is_some(), s.flags.has(halfopen_wire::Flags::SYN));
        assert!(data.len() >= 34, "a segment out of {} bytes", data.len());
    }
    assert!(defects.nonzero().map(|(_, n)| n).sum::<u64>() <= 12);
    let again = decoder.decode(&frame, &mut defects);
    assert_eq!(format!("{first:?}"), format!("{again:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn random_bytes(link in prop::sample::select(&LINKS[..]), data in prop::collection::vec(any::<u8>(), 0..200), more in 0_usize..3000) {
        holds(link, &data, data.len() + more);
    }

    #[test]
    fn samples_with_changed_bytes(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        tail in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let samples = all();
        let sample = which.get(&samples);
        let mut data = sample.data.clone();
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        data.extend(tail);
        let wire = data.len();
        holds(sample.link, &data, wire);
        data.truncate(cut.index(wire + 1));
        holds(sample.link, &data, wire);
    }
}

#[test]
fn every_sample_as_every_link_type() {
    for sample in all() {
        for link in LINKS {
            holds(link, &sample.data, sample.data.len());
        }
    }
}
