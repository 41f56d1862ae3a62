//! A packet is delivered when its bytes are there, not when the writer is done.

use std::io::{PipeWriter, Write, pipe};
use std::path::Path;

use halfopen_wire::capture::Reader;

use crate::compression::gzip;
use crate::writer::{Ng, Order, Pcap, samples};

/// Writes piece by piece, and reads a frame after each: a reader that wants more than the piece hangs here for ever.
#[track_caller]
fn follow(head: &[u8], pieces: &[Vec<u8>]) {
    let (source, mut writer): (_, PipeWriter) = pipe().unwrap();
    writer.write_all(head).unwrap();
    let mut reader = Reader::new(source, Path::new("-")).unwrap();
    for (piece, number) in pieces.iter().zip(1..) {
        writer.write_all(piece).unwrap();
        assert_eq!(reader.next().map(|f| f.number), Some(number));
    }
    drop(writer);
    assert!(reader.next().is_none());
    assert_eq!(reader.stats().defects.nonzero().count(), 0);
    assert_eq!(reader.stats().size, None);
    let written = head.len() + pieces.iter().map(Vec::len).sum::<usize>();
    assert_eq!(reader.stats().bytes, written as u64);
}

#[test]
fn pcap_record_by_record() {
    for order in Order::BOTH {
        let format = Pcap {
            order,
            ..Pcap::default()
        };
        let records: Vec<_> = samples(20).iter().map(|s| format.record(s)).collect();
        follow(&format.header(), &records);
    }
}

#[test]
fn pcapng_block_by_block() {
    let ng = Ng(Order::Little);
    let blocks: Vec<_> = samples(20).iter().map(|s| ng.packet(0, s)).collect();
    follow(&[ng.section(-1), ng.interface_with_clock(1, 9, 0)].concat(), &blocks);
}

#[test]
fn gzip_member_by_member() {
    let format = Pcap::default();
    let members: Vec<_> = samples(20).iter().map(|s| gzip(&format.record(s))).collect();
    follow(&gzip(&format.header()), &members);
}
