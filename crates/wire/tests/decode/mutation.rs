//! Bytes that nobody meant. What must hold for them is in `fuzz/src/decode.rs`; here it runs for a bounded time, on the
//! samples, on their mutations and on noise.

use std::path::Path;

use proptest::prelude::*;

use crate::samples::{Sample, all};

#[path = "../../../../fuzz/src/decode.rs"]
mod target;

/// Every link type that is read, and two that are not.
const LINKS: [u16; 20] = [
    0, 1, 9, 12, 14, 50, 51, 100, 101, 104, 108, 113, 147, 166, 204, 228, 229, 239, 276, 999,
];

/// The input of the target: link type, frame.
fn input(link: u16, data: &[u8]) -> Vec<u8> {
    [&link.to_be_bytes()[..], data].concat()
}

fn link(sample: &Sample) -> u16 {
    u16::try_from(sample.link).unwrap()
}

#[test]
fn every_sample_as_every_link_type() {
    for sample in all() {
        for link in LINKS {
            target::frame(&input(link, &sample.data));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn random_frames(link in prop::sample::select(&LINKS[..]), data in prop::collection::vec(any::<u8>(), 0..200)) {
        target::frame(&input(link, &data));
    }

    #[test]
    fn random_options(list in prop::collection::vec(prop_oneof![0..40_u8, any::<u8>()], 0..40)) {
        target::options(&list);
    }

    #[test]
    fn random_quotes(quote in prop::collection::vec(any::<u8>(), 0..100)) {
        target::icmp(&quote);
    }

    #[test]
    fn samples_with_changed_bytes(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        tail in prop::collection::vec(any::<u8>(), 0..60),
        quoted in any::<bool>(),
    ) {
        let samples = all();
        let sample = which.get(&samples);
        let mut data = sample.data.clone();
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        data.extend(tail);
        target::frame(&input(link(sample), &data));
        target::ip(&data);
        if quoted {
            target::icmp(&input(0, &data));
        }
    }
}

type Target = fn(&[u8]);

/// A target and the folder of its seeds in `fuzz/corpus`.
const TARGETS: [(&str, Target); 4] = [
    ("decode_frame", target::frame),
    ("decode_ip", target::ip),
    ("decode_options", target::options),
    ("decode_icmp", target::icmp),
];

/// Each seed, cut at every byte and with every byte changed in three ways.
#[test]
fn every_seed_and_its_neighbours() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fuzz/corpus")
            .join(name);
        let seeds: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(seeds.len() >= 4, "{}", folder.display());
        for seed in seeds {
            let seed = std::fs::read(seed).unwrap();
            (0..=seed.len()).for_each(|length| target(&seed[..length]));
            for at in 0..seed.len() {
                for value in [0x00, 0xff, seed[at] ^ 0x10] {
                    let mut changed = seed.clone();
                    changed[at] = value;
                    target(&changed);
                }
            }
        }
    }
}
