//! Every variant of pcap gives the frames that were written.

use halfopen_wire::capture::{OpenErrorKind, PcapWriter};

use crate::support::{Outcome, Owned, read, try_read};
use crate::writer::{MICRO, MODIFIED, NANO, Ng, Order, Pcap, Sample, samples};

fn expected(samples: &[Sample]) -> Vec<Owned> {
    samples
        .iter()
        .zip(1..)
        .map(|(s, number)| Owned {
            time_ns: s.time_ns,
            number,
            link: 1,
            interface: 0,
            wire_len: s.wire_len,
            data: s.data.clone(),
        })
        .collect()
}

#[track_caller]
fn assert_same(bytes: &[u8], samples: &[Sample]) {
    let outcome = read(bytes);
    assert_eq!(outcome.frames, expected(samples));
    assert_eq!(outcome.defects, []);
}

/// The format description, byte by byte.
#[test]
fn an_annotated_file() {
    #[rustfmt::skip]
    let bytes = [
        0xd4, 0xc3, 0xb2, 0xa1, // magic, microseconds, little-endian
        2, 0, 4, 0,             // version 2.4
        0, 0, 0, 0,             // thiszone
        0, 0, 0, 0,             // sigfigs
        0, 0, 4, 0,             // snaplen 262144
        101, 0, 0, 0,           // network: LINKTYPE_RAW
        1, 0, 0, 0,             // seconds
        2, 0, 0, 0,             // microseconds
        3, 0, 0, 0,             // captured length
        4, 0, 0, 0,             // length on the wire
        7, 8, 9,                // the packet
    ];
    let outcome = read(&bytes);
    let frame = Owned {
        time_ns: 1_000_002_000,
        number: 1,
        link: 101,
        interface: 0,
        wire_len: 4,
        data: vec![7, 8, 9],
    };
    assert_eq!(outcome.frames, [frame]);
    assert_eq!(outcome.defects, []);
}

#[test]
fn micro_and_nanoseconds_in_both_byte_orders() {
    let samples = samples(20);
    for order in Order::BOTH {
        for magic in [MICRO, NANO] {
            assert_same(
                &Pcap {
                    order,
                    magic,
                    ..Pcap::default()
                }
                .file(&samples),
                &samples,
            );
        }
        assert_same(&Ng(order).file(&samples), &samples);
    }
}

#[test]
fn modified_record_headers_of_both_lengths() {
    let samples = samples(20);
    for order in Order::BOTH {
        for extra in [8, 12] {
            let format = Pcap {
                order,
                magic: MODIFIED,
                extra,
                ..Pcap::default()
            };
            assert_same(&format.file(&samples), &samples);
        }
        // Too short a file to tell the lengths apart: the usual one is taken.
        let format = Pcap {
            order,
            magic: MODIFIED,
            extra: 8,
            ..Pcap::default()
        };
        assert_same(&format.file(&samples[..1]), &samples[..1]);
    }
}

#[test]
fn old_versions_have_the_lengths_the_other_way_round() {
    let samples = samples(20);
    for order in Order::BOTH {
        for version in [(2, 0), (2, 2), (543, 0)] {
            let format = Pcap {
                order,
                version,
                swap_lengths: true,
                ..Pcap::default()
            };
            assert_same(&format.file(&samples), &samples);
        }
        // Version 2.3 exists in both orders.
        for swap_lengths in [false, true] {
            let format = Pcap {
                order,
                version: (2, 3),
                swap_lengths,
                ..Pcap::default()
            };
            assert_same(&format.file(&samples), &samples);
        }
    }
}

#[test]
fn bits_above_the_link_type_are_masked() {
    for network in [1, 0x1400_0001, 0xf000_0001, 0x0224_0001] {
        let samples = samples(2);
        assert_same(
            &Pcap {
                network,
                ..Pcap::default()
            }
            .file(&samples),
            &samples,
        );
    }
}

#[test]
fn seconds_are_unsigned_and_fractions_may_pass_a_second() {
    let format = Pcap::default();
    let bytes = [
        format.header(),
        format.raw_record(0, 0, 1, 1, &[1]),
        format.raw_record(u32::MAX, 999_999, 1, 1, &[2]),
        format.raw_record(10, 1_500_000, 1, 1, &[3]),
        format.raw_record(0x8000_0000, 0, 1, 1, &[4]),
    ]
    .concat();
    let outcome = read(&bytes);
    let times = [0, 4_294_967_295_999_999_000, 11_500_000_000, 2_147_483_648_000_000_000];
    assert_eq!(outcome.times(), times);
    assert_eq!(outcome.defects, []);
}

#[test]
fn odd_lengths_are_tolerated() {
    let format = Pcap {
        snaplen: 4,
        ..Pcap::default()
    };
    let bytes = [
        format.header(),
        format.raw_record(1_600_000_000, 0, 0, 0, &[]),
        format.raw_record(1_600_000_000, 1, 8, 8, &[1; 8]), // beyond the snapshot length
        format.raw_record(1_600_000_000, 2, 4, 0, &[2; 4]), // longer than on the wire
        format.raw_record(1_600_000_000, 3, 0, 1500, &[]),
    ]
    .concat();
    let outcome = read(&bytes);
    assert_eq!(outcome.data(), [vec![], vec![1; 8], vec![2; 4], vec![]]);
    let wire: Vec<_> = outcome.frames.iter().map(|f| f.wire_len).collect();
    assert_eq!(wire, [0, 8, 4, 1500]);
    assert_eq!(outcome.numbers(), [1, 2, 3, 4]);
    assert_eq!(outcome.defects, []);
}

#[test]
fn long_records_where_the_file_announces_them() {
    let long = Sample {
        time_ns: 1_600_000_000_000_000_000,
        wire_len: 400_000,
        data: vec![3; 400_000],
    };
    let samples = [long.clone(), long.clone(), long];
    assert_same(
        &Pcap {
            snaplen: 1 << 20,
            ..Pcap::default()
        }
        .file(&samples),
        &samples,
    );
    assert_same(&Ng(Order::Big).file(&samples), &samples);
}

#[test]
fn a_capture_without_packets_is_one() {
    for bytes in [
        Pcap::default().file(&[]),
        Ng(Order::Little).file(&[]),
        Ng(Order::Big).section(0),
    ] {
        assert_eq!(read(&bytes), Outcome::default());
    }
}

#[test]
fn what_is_no_capture_says_why() {
    let pcap = Pcap::default().header();
    let ng = Ng(Order::Little).section(-1);
    let cases: [(&[u8], OpenErrorKind); 8] = [
        (b"", OpenErrorKind::Empty),
        (b"\xd4", OpenErrorKind::NotACapture),
        (b"PK\x03\x04 an archive", OpenErrorKind::NotACapture),
        (&pcap[..23], OpenErrorKind::HeaderCutOff),
        (&ng[..11], OpenErrorKind::HeaderCutOff),
        (b"\x0a\x0d\x0d\x0a with no byte order", OpenErrorKind::NotACapture),
        (b"\x1f\x8b\x08\x00\x00", OpenErrorKind::HeaderCutOff),
        (b"\x1f\x8b\x07 a gzip of no method known", OpenErrorKind::BadCompression),
    ];
    for (bytes, kind) in cases {
        assert_eq!(try_read(bytes), Err(kind), "{bytes:?}");
    }
}

/// What our own writer writes is read back as it was.
#[test]
fn our_own_writer_is_read_back() {
    let samples = samples(50);
    let mut bytes = Vec::new();
    let mut writer = PcapWriter::new(&mut bytes, 1, 65_535).expect("memory");
    for sample in &samples {
        let (first, second) = sample.data.split_at(sample.data.len() / 2);
        writer
            .write(sample.time_ns, sample.wire_len, &[first, second])
            .expect("memory");
    }
    assert_same(&bytes, &samples);
}
