//! Sections, interfaces, clocks and the kinds of packet blocks.

use halfopen_wire::Defect;

use crate::support::{Owned, read};
use crate::writer::{Ng, Order, samples};

fn frame(number: u64, interface: u32, link: u32, time_ns: i64, data: &[u8]) -> Owned {
    Owned {
        time_ns,
        number,
        link,
        interface,
        wire_len: data.len() as u32,
        data: data.to_vec(),
    }
}

fn enhanced(ng: Ng, interface: u32, units: u64, data: &[u8]) -> Vec<u8> {
    ng.enhanced(interface, units, data.len() as u32, data.len() as u32, data, &[])
}

/// Section 4.1, 4.2 and 4.3 of the draft, byte by byte.
#[test]
fn an_annotated_file() {
    #[rustfmt::skip]
    let bytes = [
        0x0a, 0x0d, 0x0d, 0x0a,  0, 0, 0, 28,   // Section Header Block, length
        0x1a, 0x2b, 0x3c, 0x4d,  0, 1, 0, 0,    // byte order: big-endian; version 1.0
        255, 255, 255, 255, 255, 255, 255, 255, // section length: unknown
        0, 0, 0, 28,
        0, 0, 0, 1,  0, 0, 0, 32,               // Interface Description Block, length
        0, 101, 0, 0,  0, 0, 0, 0,              // LINKTYPE_RAW, reserved, no snapshot length
        0, 9, 0, 1,  3, 0, 0, 0,                // if_tsresol: milliseconds; padding
        0, 0, 0, 0,                             // end of options
        0, 0, 0, 32,
        0, 0, 0, 6,  0, 0, 0, 36,               // Enhanced Packet Block, length
        0, 0, 0, 0,  0, 0, 0, 1,  0, 0, 0, 5,   // interface 0, time high and low
        0, 0, 0, 3,  0, 0, 0, 9,                // captured and original length
        1, 2, 3, 0,                             // the packet; padding
        0, 0, 0, 36,
    ];
    let outcome = read(&bytes);
    let expected = Owned {
        wire_len: 9,
        ..frame(1, 0, 101, 4_294_967_301_000_000, &[1, 2, 3])
    };
    assert_eq!(outcome.frames, [expected]);
    assert_eq!(outcome.defects, []);
}

#[test]
fn sections_change_byte_order_and_number_their_own_interfaces() {
    let (little, big) = (Ng(Order::Little), Ng(Order::Big));
    let bytes = [
        little.section(-1),
        little.interface_with_clock(1, 9, 0),
        little.interface_with_clock(113, 6, 0),
        enhanced(little, 1, 5, &[1]),
        enhanced(little, 0, 6, &[2, 2]),
        big.section(100),
        big.interface_with_clock(276, 0, 0),
        enhanced(big, 0, 7, &[3, 3, 3]),
        little.section(0),
        little.interface(228, 0, &[]),
        enhanced(little, 0, 8, &[4, 4, 4, 4]),
    ]
    .concat();
    let outcome = read(&bytes);
    let expected = [
        frame(1, 1, 113, 5000, &[1]),
        frame(2, 0, 1, 6, &[2, 2]),
        frame(3, 2, 276, 7_000_000_000, &[3, 3, 3]),
        frame(4, 3, 228, 8000, &[4; 4]),
    ];
    assert_eq!(outcome.frames, expected);
    assert_eq!(outcome.defects, []);
}

#[test]
fn an_interface_may_be_described_between_packets() {
    let ng = Ng(Order::Little);
    let bytes = [
        ng.section(-1),
        enhanced(ng, 0, 1, &[1]), // not described yet
        ng.interface_with_clock(1, 9, 0),
        enhanced(ng, 0, 2, &[2]),
        enhanced(ng, 7, 3, &[3]), // never described
        ng.interface_with_clock(1, 9, 0),
        enhanced(ng, 1, 4, &[4]),
    ]
    .concat();
    let outcome = read(&bytes);
    assert_eq!(outcome.frames, [frame(2, 0, 1, 2, &[2]), frame(4, 1, 1, 4, &[4])]);
    assert_eq!(outcome.defects, [(Defect::UnknownInterface, 2)]);
}

#[test]
fn offsets_move_the_clock_and_resolutions_may_be_fine() {
    const NS: i64 = 1_600_000_000_123_456_789;
    for ng in Order::BOTH.map(Ng) {
        let file = |resolution, offset, units| {
            [
                ng.section(-1),
                ng.interface_with_clock(1, resolution, offset),
                enhanced(ng, 0, units, &[1]),
            ]
            .concat()
        };
        for (resolution, offset, units, time_ns) in [
            (9, 0, NS as u64, NS),
            (9, 1_600_000_000, 123_456_789, NS),
            (9, -2, 1_000_000_000, -1_000_000_000),
            (12, 1_600_000_000, 123_456_789_654, NS),
            (0x8a, 0, 1_600_000_000 << 10 | 512, 1_600_000_000_500_000_000),
            (0xbf, 1_600_000_000, 1 << 62, 1_600_000_000_500_000_000),
            (0, 0, 1_600_000_000, 1_600_000_000_000_000_000),
        ] {
            assert_eq!(
                read(&file(resolution, offset, units)).times(),
                [time_ns],
                "{resolution:#x} {offset}"
            );
        }
    }
}

#[test]
fn an_impossible_time_is_counted_and_harms_no_other() {
    let ng = Ng(Order::Little);
    let bytes = [
        ng.section(-1),
        ng.interface_with_clock(1, 6, 0),
        enhanced(ng, 0, 1_000_000, &[1]),
        enhanced(ng, 0, u64::MAX / 2, &[2]),
        enhanced(ng, 0, (-5_i64) as u64, &[3]), // a sign extended by the writer
        enhanced(ng, 0, 2_000_000, &[4]),
    ]
    .concat();
    let outcome = read(&bytes);
    assert_eq!(outcome.times(), [1_000_000_000, 1_000_000_000, -5000, 2_000_000_000]);
    assert_eq!(outcome.defects, [(Defect::TimeOutOfRange, 2)]);
}

#[test]
fn simple_packets_have_no_time_and_end_at_the_snapshot_length() {
    for ng in Order::BOTH.map(Ng) {
        let bytes = [
            ng.section(-1),
            ng.interface(1, 5, &[]),
            ng.simple(3, &[1, 1, 1]),
            enhanced(ng, 0, 77, &[2]),
            ng.simple(1500, &[3; 5]),
        ]
        .concat();
        let outcome = read(&bytes);
        let expected = [
            frame(1, 0, 1, 0, &[1, 1, 1]),
            frame(2, 0, 1, 77_000, &[2]),
            Owned {
                wire_len: 1500,
                ..frame(3, 0, 1, 77_000, &[3; 5])
            },
        ];
        assert_eq!(outcome.frames, expected);
        assert_eq!(outcome.defects, []);
    }
}

#[test]
fn obsolete_packets_are_read() {
    let samples = samples(9);
    for ng in Order::BOTH.map(Ng) {
        let mut bytes = [
            ng.section(-1),
            ng.interface_with_clock(1, 9, 0),
            ng.interface_with_clock(1, 9, 0),
        ]
        .concat();
        for sample in &samples {
            bytes.extend(ng.obsolete(1, sample));
        }
        let outcome = read(&bytes);
        assert_eq!(outcome.times(), samples.iter().map(|s| s.time_ns).collect::<Vec<_>>());
        assert_eq!(
            outcome.data(),
            samples.iter().map(|s| s.data.clone()).collect::<Vec<_>>()
        );
        assert!(outcome.frames.iter().all(|f| f.interface == 1));
        assert_eq!(outcome.defects, []);
    }
}

/// Frame numbers are Wireshark's: it numbers custom blocks, journal entries and sysdig's events, and no others.
#[test]
fn other_blocks_are_skipped_and_numbered_as_wireshark_does() {
    let ng = Ng(Order::Little);
    let mut bytes = [ng.section(-1), ng.interface_with_clock(1, 9, 0)].concat();
    let mut expected = Vec::new();
    let mut number = 0;
    for (kind, is_numbered) in [
        (4, false),          // names
        (5, false),          // statistics
        (10, false),         // decryption secrets
        (0x7777, false),     // unknown
        (9, true),           // systemd journal
        (0xbad, true),       // custom, to be copied
        (0x4000_0bad, true), // custom, not to be copied
        (0x204, true),       // sysdig event
    ] {
        bytes.extend(ng.block(kind, &[0x29; 37]));
        bytes.extend(enhanced(ng, 0, 1, &[1]));
        number += 1 + u64::from(is_numbered);
        expected.push(number);
    }
    let outcome = read(&bytes);
    assert_eq!(outcome.numbers(), expected);
    assert_eq!(outcome.defects, []);
}

#[test]
fn unpadded_lengths_are_tolerated() {
    let ng = Ng(Order::Big);
    let odd = [
        &0x7777_u32.to_be_bytes()[..],
        &15_u32.to_be_bytes(),
        b"abc\0",
        &15_u32.to_be_bytes(),
    ]
    .concat();
    let bytes = [ng.section(-1), ng.interface(1, 0, &[]), odd, enhanced(ng, 0, 1, &[1])].concat();
    let outcome = read(&bytes);
    assert_eq!(outcome.data(), [vec![1]]);
    assert_eq!(outcome.defects, []);
}

#[test]
fn more_interfaces_than_are_told_apart() {
    let ng = Ng(Order::Little);
    let mut bytes = ng.section(-1);
    for _ in 0..=halfopen_wire::capture::MAX_INTERFACES {
        bytes.extend(ng.interface(1, 0, &[]));
    }
    let last = halfopen_wire::capture::MAX_INTERFACES as u32;
    bytes.extend(enhanced(ng, last - 1, 1, &[1]));
    bytes.extend(enhanced(ng, last, 1, &[2]));
    let outcome = read(&bytes);
    assert_eq!(outcome.data(), [vec![1]]);
    assert_eq!(outcome.defects, [(Defect::UnknownInterface, 1)]);
}
