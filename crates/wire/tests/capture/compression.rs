//! gzip and zstd around a capture.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};

use flate2::GzBuilder;
use halfopen_wire::Defect;
use halfopen_wire::capture::OpenErrorKind;

use crate::support::{Owned, read, read_from, try_read};
use crate::writer::{Ng, Order, Pcap, samples};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_with(GzBuilder::new(), bytes)
}

fn gzip_with(builder: GzBuilder, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = builder.write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// As the `zstd` tool does it: damage that leaves it readable is found in the end.
fn zstd_with_checksum(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn skippable(len: u32) -> Vec<u8> {
    [
        &0x184d_2a57_u32.to_le_bytes()[..],
        &len.to_le_bytes(),
        &vec![9; len as usize],
    ]
    .concat()
}

#[test]
fn every_wrapping_gives_the_same_frames() {
    for plain in [Pcap::default().file(&samples(50)), Ng(Order::Big).file(&samples(50))] {
        let expected = read(&plain);
        assert_eq!(expected.frames.len(), 50);
        let (front, back) = plain.split_at(plain.len() / 3);
        let header = GzBuilder::new()
            .extra(vec![1; 300])
            .filename("capture.pcap")
            .comment("one of ours");
        for wrapped in [
            gzip(&plain),
            gzip_with(header, &plain),
            [gzip(front), gzip(&[]), gzip(back)].concat(),
            [gzip(&plain), vec![0; 1000]].concat(),
            zstd(&plain),
            [zstd(front), skippable(5), zstd(back), skippable(0)].concat(),
            [skippable(70), zstd(&plain)].concat(),
            gzip(&zstd(&plain)),
            zstd(&gzip(&plain)),
        ] {
            assert_eq!(read(&wrapped), expected);
        }
    }
}

#[test]
fn compression_has_a_depth() {
    let plain = Pcap::default().file(&samples(3));
    assert_eq!(
        try_read(&gzip(&gzip(&gzip(&plain)))),
        Err(OpenErrorKind::CompressedTooDeep)
    );
    assert_eq!(try_read(&gzip(b"")), Err(OpenErrorKind::Empty));
    assert_eq!(try_read(&zstd(b"a text")), Err(OpenErrorKind::NotACapture));
}

/// Cut anywhere: the frames are the first ones, and there is one defect.
#[test]
fn a_stream_that_is_cut_off() {
    let plain = Pcap::default().file(&samples(3000));
    let expected = read_from(Cursor::new(plain.clone())).unwrap();
    for wrapped in [gzip(&plain), zstd(&plain)] {
        let mut counts = BTreeSet::new();
        for len in (0..wrapped.len()).step_by(wrapped.len() / 50) {
            let Ok(outcome) = read_from(Cursor::new(wrapped[..len].to_vec())) else {
                continue;
            };
            assert!(expected.frames.starts_with(&outcome.frames), "{len}");
            assert_eq!(outcome.defects, [(Defect::CutOff, 1)], "{len}");
            counts.insert(outcome.frames.len());
        }
        // zstd yields whole blocks of 128 KiB, gzip almost every byte.
        assert!(counts.len() > 5, "{counts:?}");
    }
}

/// Damage anywhere: what came before it is delivered, and damage behind the last packet costs none.
#[test]
fn a_stream_that_is_damaged() {
    let plain: Vec<u8> = Pcap::default().file(&samples(3000));
    let expected = read(&plain).frames;
    for wrapped in [gzip(&plain), zstd(&plain)] {
        let mut whole = wrapped.clone();
        let last = whole.len() - 2;
        whole[last] ^= 0xff; // the checksum or length at the end
        let outcome = read_from(Cursor::new(whole)).unwrap();
        assert_eq!(outcome.defect_count(), 1);
        if wrapped.starts_with(&[0x1f, 0x8b]) {
            assert_eq!(outcome.frames.len(), expected.len());
        }

        let mut half = wrapped.clone();
        let middle = half.len() / 2;
        half[middle..middle + 40].fill(0xff);
        let outcome = read_from(Cursor::new(half)).unwrap();
        assert!(outcome.frames.len() > expected.len() / 8, "{}", outcome.frames.len());
        assert!(outcome.defect_count() >= 1);
    }
    let outcome = read(&[gzip(&Pcap::default().file(&samples(30))), b"rubbish".to_vec()].concat());
    assert_eq!(outcome.frames.len(), 30);
    assert_eq!(outcome.defects, [(Defect::CorruptCompression, 1)]);
}

/// Three members (frames), the middle one damaged: the others are read, and the records found again behind the gap.
#[test]
fn what_follows_a_damaged_member_is_read() {
    let plain = Pcap::default().file(&samples(3000));
    let expected = read(&plain).frames;
    let parts: Vec<&[u8]> = plain.chunks(plain.len() / 3 + 1).collect();
    for (name, wrap) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd_with_checksum)] {
        let [first, second, third] = [0, 1, 2].map(|i| wrap(parts[i]));
        for (from, to) in [
            (second.len() / 2, second.len() / 2 + 40),
            (12, 40),
            (second.len() - 3, second.len() - 1),
        ] {
            let mut damaged = second.clone();
            damaged[from..to].fill(0xff);
            let outcome = read_from(Cursor::new([&first[..], &damaged, &third].concat())).unwrap();
            let is_there = |f: &Owned| {
                outcome
                    .frames
                    .iter()
                    .any(|g| g.data == f.data && g.time_ns == f.time_ns)
            };
            let tail = expected.len() - 990;
            assert!(
                expected[tail..].iter().all(is_there),
                "{name} {from}: {} of {}",
                outcome.frames.len(),
                expected.len()
            );
            let same = outcome.frames.iter().zip(&expected).take_while(|(a, b)| a == b).count();
            assert!(same >= 990, "{name} {from}: {same}, {:?}", outcome.defects);
            assert!(
                outcome.defects.contains(&(Defect::CorruptCompression, 1)),
                "{name} {from}: {:?}",
                outcome.defects
            );
        }
    }
}

#[test]
fn damage_to_the_first_bytes_is_called_so() {
    let plain = Pcap::default().file(&samples(300));
    let (front, back) = plain.split_at(plain.len() / 2);
    for wrap in [gzip as fn(&[u8]) -> Vec<u8>, zstd_with_checksum] {
        let mut first = wrap(front);
        first[10..40].fill(0xff);
        assert_eq!(
            try_read(&[first, wrap(back)].concat()),
            Err(OpenErrorKind::BadCompression)
        );
    }
}

/// 64 MiB of zeros in a few kilobytes: they are read as they are inflated, a window at a time.
#[test]
fn a_bomb_is_read_in_constant_memory() {
    let zeros = zstd(&vec![0; 64 << 20]);
    let bytes = [zstd(&Pcap::default().header()), zeros].concat();
    let outcome = read_from(Cursor::new(bytes)).unwrap();
    assert!(outcome.frames.iter().all(|f| f.data.is_empty()));
}
