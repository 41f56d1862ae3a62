//! What decoding costs by itself: `cargo run --release -p halfopen-wire --example decode_speed -- FILE`, a little-endian
//! pcap file, of which the first 8 MB are read, so that memory is not what is measured.

use std::time::{Duration, Instant};

use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Defects, Frame, LinkType, Packet};

const BYTES_MAX: usize = 8 << 20;
const ROUNDS: usize = 20;

fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    let word = |at: usize| bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b));
    let mut frames = Vec::new();
    let (Some(link), mut at) = (word(20), 24) else {
        return frames;
    };
    while let (Some(captured), Some(wire_len)) = (word(at + 8), word(at + 12)) {
        at += 16;
        let Some(data) = bytes.get(at..at + captured as usize) else {
            break;
        };
        at += data.len();
        frames.push(Frame {
            timed: true,
            time_ns: 0,
            number: frames.len() as u64 + 1,
            file: 0,
            link: LinkType(link),
            interface: 0,
            wire_len,
            data,
        });
    }
    frames
}

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let mut bytes = std::fs::read(&path)?;
        bytes.truncate(BYTES_MAX);
        let frames = frames(&bytes);
        let mut decoder = Decoder::new(Options::default());
        let mut defects = Defects::default();
        let mut best = Duration::MAX;
        let mut segments = 0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let found = frames.iter().filter(|frame| {
                let packet = decoder.decode(frame, &mut defects);
                matches!(std::hint::black_box(&packet), Packet::Tcp(_))
            });
            segments = found.count();
            best = best.min(start.elapsed());
        }
        let each = best.as_nanos() as f64 / frames.len().max(1) as f64;
        println!(
            "{path}: {} frames, {segments} segments, {each:.1} ns a frame",
            frames.len()
        );
    }
    Ok(())
}
