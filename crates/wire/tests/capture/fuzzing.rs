//! Bytes that nobody meant. What must hold for them is in `fuzz/src/capture.rs`; here it runs for a bounded time, on the
//! seeds and on the same mutations of them in every run. `HALFOPEN_FUZZ_RUNS` and `HALFOPEN_FUZZ_SEED` make more, and others.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/src/capture.rs"]
mod target;

type Target = fn(&[u8]);

/// A target and the folder of its seeds in `fuzz/corpus`.
const TARGETS: [(&str, Target); 3] = [
    ("capture_pcap", target::pcap),
    ("capture_pcapng", target::pcapng),
    ("capture_compressed", target::compressed),
];

/// Mutated inputs for each target.
const RUNS: u64 = 1500;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 4, "{target}");
    paths.iter().map(|p| fs::read(p).unwrap()).collect()
}

/// Marsaglia's xorshift64: enough to choose with, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Values at which length fields turn.
const EDGES: [u32; 12] = [
    0,
    1,
    11,
    12,
    16,
    0x7f,
    0xff,
    0xffff,
    262_144,
    262_145,
    0x7fff_ffff,
    u32::MAX,
];

fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(64)).min(bytes.len());
    match random.below(7) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
        2 if bytes.len() >= at + 4 => {
            let edge = EDGES[random.below(EDGES.len())];
            let word = if random.below(2) == 0 {
                edge.to_le_bytes()
            } else {
                edge.to_be_bytes()
            };
            bytes[at..at + 4].copy_from_slice(&word);
        }
        3 => drop(bytes.drain(at..end)),
        4 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        5 => bytes.truncate(at),
        _ => {
            let from = random.below(other.len());
            let to = (from + random.below(200)).min(other.len());
            bytes.splice(at..at, other[from..to].iter().copied());
        }
    }
}

#[test]
fn every_seed_and_its_truncations() {
    for (name, target) in TARGETS {
        for seed in seeds(name) {
            (0..=seed.len()).for_each(|len| target(&seed[..len]));
        }
    }
}

#[test]
fn mutations_of_the_seeds() {
    let runs = number("HALFOPEN_FUZZ_RUNS").unwrap_or(RUNS);
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        let mut random = Random(number("HALFOPEN_FUZZ_SEED").unwrap_or(0x5eed) | 1);
        for _ in 0..runs {
            let mut bytes = seeds[random.below(seeds.len())].clone();
            for _ in 0..=random.below(4) {
                let other = random.below(seeds.len());
                mutate(&mut bytes, &seeds[other], &mut random);
            }
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                let path = std::env::temp_dir().join(format!("halfopen-{name}"));
                fs::write(&path, &bytes).unwrap();
                panic!("what must hold for {name} does not for {}", path.display());
            }
        }
    }
}
