//! One damaged place costs one defect and no packet that is whole.

use halfopen_wire::Defect;

use crate::support::read;
use crate::writer::{NANO, Ng, Order, Pcap, Sample, samples};

const RECORD: Defect = Defect::CorruptRecord;
const BLOCK: Defect = Defect::CorruptBlock;

/// Where each record begins.
fn record_starts(format: &Pcap, samples: &[Sample]) -> Vec<usize> {
    let mut at = format.header().len();
    samples
        .iter()
        .map(|s| {
            let start = at;
            at += format.record(s).len();
            start
        })
        .collect()
}

fn data(samples: &[Sample]) -> Vec<Vec<u8>> {
    samples.iter().map(|s| s.data.clone()).collect()
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// A damaged record header, whatever the lie, leaves every other record.
#[test]
fn a_lying_captured_length() {
    let format = Pcap::default();
    let samples = samples(24);
    for victim in [0, 3, 11, 22, 23] {
        for lie in [u32::MAX, 262_145, 200_000, 5000, 1600] {
            let mut bytes = format.file(&samples);
            put(&mut bytes, record_starts(&format, &samples)[victim] + 8, lie);
            let outcome = read(&bytes);
            if victim == 23 {
                // Nothing follows that could tell the lie from a file that was cut off.
                assert_eq!(outcome.data(), data(&samples[..23]), "{lie}");
                assert_eq!(outcome.defect_count(), 1);
                continue;
            }
            // The length on the wire tells where the next one is, unless the packet was cut by the snapshot length.
            let mut expected = data(&samples);
            if samples[victim].wire_len as usize != samples[victim].data.len() {
                expected.remove(victim);
            }
            assert_eq!(outcome.data(), expected, "record {victim}, {lie}");
            assert_eq!(outcome.defects, [(RECORD, 1)]);
        }
    }
}

/// Both lengths lie alike: the record swallows those behind it, until the damage shows; then they are found again.
#[test]
fn a_record_that_swallows_others() {
    let format = Pcap::default();
    let samples = samples(24);
    for lie in [70, 1000, 4000, 100_000] {
        let mut bytes = format.file(&samples);
        let at = record_starts(&format, &samples)[6];
        assert_eq!(samples[6].data.len(), 60);
        put(&mut bytes, at + 8, lie);
        put(&mut bytes, at + 12, lie);
        let outcome = read(&bytes);
        let mut got = outcome.data();
        // A length beyond the end of the file cannot be delivered; another is, with bytes of its neighbours.
        if got.len() == samples.len() {
            assert_eq!(got.remove(6).len(), lie as usize);
        }
        let mut expected = data(&samples);
        expected.remove(6);
        assert_eq!(got, expected, "{lie}");
        assert_eq!(outcome.defects, [(RECORD, 1)]);
    }
}

#[test]
fn a_record_that_is_too_short() {
    let format = Pcap {
        magic: NANO,
        ..Pcap::default()
    };
    let samples = samples(24);
    let mut bytes = format.file(&samples);
    let at = record_starts(&format, &samples)[9];
    put(&mut bytes, at + 8, 700);
    put(&mut bytes, at + 12, 700);
    let outcome = read(&bytes);
    let mut expected = data(&samples);
    expected[9].truncate(700);
    assert_eq!(outcome.data(), expected);
    assert_eq!(outcome.defects, [(RECORD, 1)]);
}

/// Four bytes are missing: every header behind them could be read four bytes late, with the fraction for the seconds (they lie
/// close together, too) and the length on the wire for the captured one.
#[test]
fn a_stream_that_is_four_bytes_short() {
    let format = Pcap {
        magic: NANO,
        ..Pcap::default()
    };
    let mut samples = samples(24);
    for (sample, at) in samples.iter_mut().zip(0..) {
        sample.time_ns = 1_700_000_000_000_000_000 + at * 1000;
        sample.data.resize(sample.data.len().max(40), 0);
        sample.data[..4].fill(0);
        sample.wire_len = sample.data.len() as u32;
    }
    let starts = record_starts(&format, &samples);
    for victim in [0, 3, 11, 22] {
        for hole in [0, 4, 8, 12, 20] {
            let mut bytes = format.file(&samples);
            bytes.drain(starts[victim] + hole..starts[victim] + hole + 4);
            let outcome = read(&bytes);
            let mut expected = data(&samples);
            expected.remove(victim);
            let got = outcome.data();
            let missing = expected.iter().filter(|whole| !got.contains(whole)).count();
            assert_eq!(missing, 0, "record {victim}, at {hole}: {} of 23", 23 - missing);
            assert_eq!(outcome.defects, [(RECORD, 1)]);
        }
    }
}

/// A clock that is set by years, forth and back, is no damage; nor is a single time that is wrong.
#[test]
fn a_clock_that_jumps() {
    let format = Pcap::default();
    let mut samples = samples(24);
    for years in [&[5..24, 0..0], &[5..9, 0..0], &[5..6, 9..23]] {
        for sample in years.iter().cloned().flatten() {
            samples[sample].time_ns += 40 * 365 * 86_400 * 1_000_000_000_i64;
        }
        let outcome = read(&format.file(&samples));
        assert_eq!(outcome.data(), data(&samples));
        assert_eq!(outcome.defects, []);
    }
}

#[test]
fn rubbish_between_records() {
    let format = Pcap::default();
    let samples = samples(24);
    let rubbish: Vec<u8> = (0..100_000_u32)
        .flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_be_bytes())
        .collect();
    for len in [1, 15, 16, 17, 1000, 400_000] {
        for at in [0, 1, 12, 23] {
            let mut bytes = format.file(&samples);
            let start = record_starts(&format, &samples)[at];
            bytes.splice(start..start, rubbish[..len].iter().copied());
            let outcome = read(&bytes);
            assert_eq!(outcome.data(), data(&samples), "{len} bytes before record {at}");
            assert_eq!(outcome.defects, [(RECORD, 1)]);
        }
        let bytes = [&format.file(&samples)[..], &rubbish[..len]].concat();
        let outcome = read(&bytes);
        assert_eq!(outcome.data(), data(&samples), "{len} bytes at the end");
        assert_eq!(outcome.defect_count(), 1);
    }
}

/// What a crash leaves behind: blocks of zeros. Wireshark numbers each sixteen of them as a packet.
#[test]
fn a_hole_in_the_file() {
    let format = Pcap::default();
    let samples = samples(24);
    for len in [16, 4096, 4099, 600_000] {
        let mut bytes = format.file(&samples);
        let start = record_starts(&format, &samples)[12];
        bytes.splice(start..start, std::iter::repeat_n(0, len));
        let outcome = read(&bytes);
        assert_eq!(outcome.data(), data(&samples), "{len}");
        assert_eq!(outcome.defects, [(RECORD, 1)]);
        assert_eq!(outcome.frames[12].number, 13 + len as u64 / 16);

        let bytes = [format.file(&samples), vec![0; len]].concat();
        let outcome = read(&bytes);
        assert_eq!(outcome.data(), data(&samples), "{len} at the end");
        assert_eq!(outcome.defects, [(RECORD, 1)]);
    }
}

#[test]
fn two_files_in_one() {
    let samples = samples(12);
    let first = Pcap::default();
    let second = Pcap {
        magic: NANO,
        order: Order::Big,
        network: 113,
        ..Pcap::default()
    };
    let bytes = [first.file(&samples), second.file(&samples), first.file(&[])].concat();
    let outcome = read(&bytes);
    assert_eq!(outcome.data(), [data(&samples), data(&samples)].concat());
    assert_eq!(outcome.times()[12..], outcome.times()[..12]);
    assert_eq!((outcome.frames[11].link, outcome.frames[12].link), (1, 113));
    assert_eq!(outcome.defects, [(RECORD, 2)]);
}

#[test]
fn a_file_of_rubbish_behind_a_header_ends() {
    let rubbish: Vec<u8> = (0..300_000_u32)
        .flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_be_bytes())
        .collect();
    let outcome = read(&[Pcap::default().header(), rubbish.clone()].concat());
    assert_eq!((outcome.frames.len(), outcome.defect_count()), (0, 1));
    let outcome = read(&[Ng(Order::Big).section(-1), rubbish].concat());
    assert_eq!((outcome.frames.len(), outcome.defect_count()), (0, 1));
}

/// Sixteen bytes that fit at every fourth place: each is a candidate, and none leads anywhere in the end.
#[test]
fn a_file_made_to_waste_time() {
    let word = 60_u32.to_le_bytes();
    let body: Vec<u8> = std::iter::repeat_n(word, 60_000).flatten().collect();
    let format = Pcap::default();
    let mut bytes = format.header();
    for _ in 0..4 {
        bytes.extend(format.raw_record(60, 60, body.len() as u32, body.len() as u32, &body));
        bytes.extend([0xff; 20]);
    }
    assert!(read(&bytes).defect_count() >= 1);
}

fn blocks(ng: Ng, samples: &[Sample]) -> Vec<Vec<u8>> {
    let mut blocks = vec![[ng.section(-1), ng.interface_with_clock(1, 9, 0)].concat()];
    blocks.extend(samples.iter().map(|s| ng.packet(0, s)));
    blocks
}

#[test]
fn a_block_with_lying_lengths() {
    let samples = samples(24);
    for ng in Order::BOTH.map(Ng) {
        for victim in [1, 7, 23] {
            for lie in [0, 4, 11, 16, 36, 2000, 40_000, 1 << 20, u32::MAX] {
                let mut blocks = blocks(ng, &samples);
                blocks[victim][4..8].copy_from_slice(&ng.0.u32(lie));
                let outcome = read(&blocks.concat());
                let mut expected = data(&samples);
                expected.remove(victim - 1);
                assert_eq!(outcome.data(), expected, "block {victim}, {lie}");
                assert_eq!(outcome.defects, [(BLOCK, 1)]);
            }
        }
    }
}

#[test]
fn a_damaged_length_behind_a_block_costs_nothing_but_the_count() {
    let samples = samples(24);
    for ng in Order::BOTH.map(Ng) {
        for victim in [7, 24] {
            let mut blocks = blocks(ng, &samples);
            let end = blocks[victim].len();
            blocks[victim][end - 4..].copy_from_slice(&ng.0.u32(99));
            let outcome = read(&blocks.concat());
            assert_eq!(outcome.data(), data(&samples));
            assert_eq!(outcome.defects, [(BLOCK, 1)]);
        }
    }
}

/// The first length leads to another block by chance: the blocks between are not part of this one.
#[test]
fn a_length_that_leads_to_a_later_block() {
    let samples = samples(24);
    for ng in Order::BOTH.map(Ng) {
        let mut blocks = blocks(ng, &samples);
        let victim = 7;
        let reach: usize = blocks[victim..victim + 5].iter().map(Vec::len).sum();
        blocks[victim][4..8].copy_from_slice(&ng.0.u32(reach as u32 - 2));
        let outcome = read(&blocks.concat());
        let mut expected = data(&samples);
        expected.remove(victim - 1);
        assert_eq!(outcome.data(), expected);
        assert_eq!(outcome.defects, [(BLOCK, 1)]);
    }
}

#[test]
fn a_packet_longer_than_its_block() {
    let ng = Ng(Order::Little);
    let bytes = [
        ng.section(-1),
        ng.interface(1, 0, &[]),
        ng.enhanced(0, 1, 4_000_000_000, 6, &[1; 6], &[]),
        ng.enhanced(0, 2, 100, 4_000_000_000, &[2; 8], &[]),
        ng.simple(4_000_000_000, &[3; 8]),
        ng.enhanced(0, 3, 4, 4, &[4; 4], &[]),
    ]
    .concat();
    let outcome = read(&bytes);
    assert_eq!(outcome.data(), [vec![1; 6], vec![2; 8], vec![3; 8], vec![4; 4]]);
    assert_eq!(outcome.defects, [(BLOCK, 3)]);
}

#[test]
fn rubbish_between_blocks() {
    let samples = samples(24);
    for ng in Order::BOTH.map(Ng) {
        for len in [1, 11, 12, 13, 1000, 300_000] {
            let mut blocks = blocks(ng, &samples);
            blocks.insert(10, (0..len).map(|i: u32| (i * 37) as u8 | 0x81).collect());
            let outcome = read(&blocks.concat());
            assert_eq!(outcome.data(), data(&samples), "{len}");
            assert_eq!(outcome.defects, [(BLOCK, 1)]);
        }
    }
}

#[test]
fn options_of_an_interface_that_reach_beyond_it() {
    let ng = Ng(Order::Little);
    let options = [&ng.option(9, &[9])[..], &[2, 0, 200, 0]].concat();
    let bytes = [
        ng.section(-1),
        ng.interface(1, 0, &options),
        ng.enhanced(0, 5, 1, 1, &[1], &[]),
    ]
    .concat();
    let outcome = read(&bytes);
    // What stood before the damage holds.
    assert_eq!(outcome.times(), [5]);
    assert_eq!(outcome.defects, [(BLOCK, 1)]);
}
