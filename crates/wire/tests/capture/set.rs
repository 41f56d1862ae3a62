//! Several files as one capture.

use std::fs;
use std::path::PathBuf;

use halfopen_wire::Defect;
use halfopen_wire::capture::{CaptureSet, OpenErrorKind};

use crate::compression::{gzip, zstd};
use crate::writer::{Ng, Order, Pcap, Sample, samples};

/// A folder of this test alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("halfopen-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(seconds: &[i64]) -> Vec<Sample> {
    seconds
        .iter()
        .map(|&s| Sample {
            time_ns: (1_600_000_000 + s) * 1_000_000_000,
            wire_len: 1,
            data: vec![s as u8],
        })
        .collect()
}

/// (file, number, first byte) of every frame.
fn order(set: &mut CaptureSet) -> Vec<(u32, u64, u8)> {
    let mut order = Vec::new();
    while let Some(f) = set.next() {
        order.push((f.file, f.number, f.data[0]));
    }
    order
}

#[test]
fn a_ring_is_read_in_the_order_of_time() {
    let folder = Folder::new("ring");
    let paths = [
        folder.put("ring0", &gzip(&Pcap::default().file(&at(&[7, 8, 9])))),
        folder.put("ring1", &zstd(&Ng(Order::Big).file(&at(&[1, 2, 3])))),
        folder.put("ring2", &Pcap::default().file(&at(&[4, 5, 6]))),
    ];
    let mut set = CaptureSet::open(&paths).unwrap();
    let order = order(&mut set);
    assert!(order.iter().map(|&(_, _, second)| second).eq(1..=9));
    assert_eq!(order[0], (1, 1, 1));
    assert_eq!(order[8], (0, 3, 9));
    for (input, path) in set.inputs().iter().zip(&paths) {
        assert_eq!((&input.path, input.packets), (path, 3));
        assert_eq!(Some(input.bytes), input.size);
    }
}

#[test]
fn files_that_overlap_are_merged() {
    let folder = Folder::new("merge");
    let paths = [
        folder.put("a", &Pcap::default().file(&at(&[1, 4, 7, 10, 13]))),
        folder.put("b", &Pcap::default().file(&at(&[2, 5, 8, 11]))),
        folder.put("c", &Pcap::default().file(&at(&[3, 6, 9, 12, 14, 15]))),
    ];
    let mut set = CaptureSet::open(&paths).unwrap();
    assert!(order(&mut set).iter().map(|&(_, _, second)| second).eq(1..=15));
    assert!(set.next().is_none());
}

/// Within a file its own order stands: a packet that is late there is not moved.
#[test]
fn disorder_inside_a_file_stays() {
    let folder = Folder::new("disorder");
    let paths = [
        folder.put("a", &Pcap::default().file(&at(&[1, 5, 2, 6]))),
        folder.put("b", &Pcap::default().file(&at(&[3, 4, 7]))),
    ];
    let mut set = CaptureSet::open(&paths).unwrap();
    let seconds: Vec<_> = order(&mut set).iter().map(|&(_, _, second)| second).collect();
    assert_eq!(seconds, [1, 3, 4, 5, 2, 6, 7]);
}

#[test]
fn more_overlapping_files_than_are_open_at_once() {
    let folder = Folder::new("many");
    let count = halfopen_wire::capture::MAX_OPEN_INPUTS + 40;
    let paths: Vec<_> = (0..count)
        .map(|i| folder.put(&format!("{i}"), &Pcap::default().file(&at(&[i as i64, 200, 201]))))
        .collect();
    let mut set = CaptureSet::open(&paths).unwrap();
    assert_eq!(order(&mut set).len(), 3 * count);
    assert!(set.inputs().iter().all(|i| i.packets == 3));
}

#[test]
fn an_unreadable_file_does_not_stop_the_others() {
    let folder = Folder::new("unreadable");
    let cut = Pcap::default().file(&samples(4));
    let paths = [
        folder.0.join("missing"),
        folder.put("good", &Pcap::default().file(&at(&[1, 2]))),
        folder.put("text", b"a text"),
        folder.0.clone(),
        folder.put("empty", b""),
        folder.put("cut", &cut[..cut.len() - 3]),
        folder.put("no-packets", &Pcap::default().file(&[])),
        folder.put("rubbish", &[Pcap::default().header(), vec![0xff; 99]].concat()),
    ];
    let mut set = CaptureSet::open(&paths).unwrap();
    let mut frames = 0;
    while set.next().is_some() {
        frames += 1;
    }
    assert_eq!(frames, 5);
    let failures: Vec<_> = set
        .inputs()
        .iter()
        .map(|i| i.failure.as_ref().map(|e| &e.kind))
        .collect();
    let expected = [
        Some(&OpenErrorKind::NotFound),
        None,
        Some(&OpenErrorKind::NotACapture),
        Some(&OpenErrorKind::IsDirectory),
        Some(&OpenErrorKind::Empty),
        None,
        None,
        None,
    ];
    assert_eq!(failures, expected);
    let defects: Vec<_> = set.inputs().iter().flat_map(|i| i.defects.nonzero()).collect();
    assert_eq!(defects, [(Defect::CutOff, 1), (Defect::CorruptRecord, 1)]);
}

#[test]
fn an_only_input_that_cannot_be_read_is_an_error() {
    let folder = Folder::new("only");
    for (path, kind) in [
        (folder.0.join("missing"), OpenErrorKind::NotFound),
        (folder.0.clone(), OpenErrorKind::IsDirectory),
        (folder.put("empty", b""), OpenErrorKind::Empty),
        (
            folder.put("text", b"a text, and no capture"),
            OpenErrorKind::NotACapture,
        ),
    ] {
        let error = CaptureSet::open(&[&path]).err().unwrap();
        assert_eq!((&error.path, &error.kind), (&path, &kind));
        assert!(error.to_string().contains(path.to_str().unwrap()));
        // Several, and not one of them can be read: the first is the reason.
        assert_eq!(CaptureSet::open(&[&path, &folder.0]).err(), Some(error));
    }
    let none: [PathBuf; 0] = [];
    assert_eq!(
        CaptureSet::open(&none).err().map(|e| e.kind),
        Some(OpenErrorKind::NoInput)
    );
}

#[test]
fn defects_of_the_decoder_are_counted_by_input() {
    let folder = Folder::new("count");
    let paths = [
        folder.put("a", &Pcap::default().file(&at(&[1, 3]))),
        folder.put("b", &Pcap::default().file(&at(&[2]))),
    ];
    let mut set = CaptureSet::open(&paths).unwrap();
    while let Some((frame, defects)) = set.next_counted() {
        assert_eq!(frame.data.len(), 1);
        defects.add(Defect::IpTruncated);
    }
    set.defects_mut(1).unwrap().add(Defect::Fragment);
    assert!(set.defects_mut(2).is_none());
    let counts = set
        .inputs()
        .iter()
        .map(|i| (i.defects.count(Defect::IpTruncated), i.defects.count(Defect::Fragment)));
    assert!(counts.eq([(2, 0), (1, 1)]));
}
