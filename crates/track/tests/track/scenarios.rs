//! Every case, in every way in which packets can be handed over, and that the cases leave nothing out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use halfopen_track::state::{Cell, Class, ROWS, Row, State};
use halfopen_track::{Anomaly, FastOpen, Handshake, Outcome, Sink, Step, TimeWait, TrackStats, Tracker, Witness};
use halfopen_wire::{Address, Packet, Segment};
use toml::Value;

use crate::expect::{counts, differences};
use crate::scenario::{Case, load_all};

/// Keeps what comes.
#[derive(Default)]
pub struct Kept(pub Vec<Handshake>);

impl Sink for Kept {
    fn handshake(&mut self, handshake: &Handshake) {
        self.0.push(handshake.clone());
    }
}

/// Remembers which rows were used.
#[derive(Default)]
struct Rows(BTreeSet<usize>);

impl Witness for Rows {
    fn step(&mut self, _: &Segment, step: &Step) {
        let same = |row: &Row| (row.from, row.class, row.states) == (step.row.from, step.row.class, step.row.states);
        if !step.copy {
            self.0.extend(ROWS.iter().position(same));
        }
    }
}

/// The ways.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    OneByOne,
    Batches(usize),
    /// Every address bit flipped: what was the low end of a flow's key is the high end.
    OtherEndLow,
}

const fn flipped(address: Address) -> Address {
    Address {
        v6: address.v6,
        bits: address.bits ^ if address.v6 { u128::MAX } else { 0xFFFF_FFFF },
    }
}

fn flipped_packet(packet: &Packet) -> Packet {
    match *packet {
        Packet::Tcp(s) => Packet::Tcp(Segment {
            src: flipped(s.src),
            dst: flipped(s.dst),
            ..s
        }),
        Packet::Icmp(mut error) => {
            error.src = flipped(error.src);
            error.dst = flipped(error.dst);
            Packet::Icmp(error)
        }
        Packet::Other => Packet::Other,
    }
}

fn run(case: &Case, way: Way) -> (Vec<Handshake>, TrackStats) {
    let mut tracker = Tracker::new(case.limits);
    let mut kept = Kept::default();
    match way {
        Way::OneByOne => case.packets.iter().for_each(|p| tracker.push(p, &mut kept)),
        Way::Batches(n) => case.packets.chunks(n).for_each(|p| tracker.push_batch(p, &mut kept)),
        Way::OtherEndLow => {
            for packet in &case.packets {
                tracker.push(&flipped_packet(packet), &mut kept);
            }
        }
    }
    tracker.finish(&mut kept);
    kept.0.sort_by_key(|h| h.number);
    if way == Way::OtherEndLow {
        for h in &mut kept.0 {
            h.client = flipped(h.client);
            h.server = flipped(h.server);
        }
    }
    (kept.0, *tracker.stats())
}

/// What is wrong with a case, one line each.
fn judge(case: &Case, way: Way) -> Vec<String> {
    let (records, stats) = run(case, way);
    let mut wrong = Vec::new();
    if records.len() != case.handshakes.len() {
        let outcomes: Vec<&str> = records.iter().map(|h| h.outcome.name()).collect();
        let expected = case.handshakes.len();
        wrong.push(format!("expected {expected} handshakes, got {outcomes:?}"));
    }
    for (place, (expected, got)) in case.handshakes.iter().zip(&records).enumerate() {
        for difference in differences(expected, got, &case.encaps) {
            wrong.push(format!("handshake {}: {difference}", place + 1));
        }
    }
    let counted = counts(&stats);
    for name in ["midstream", "evicted"] {
        if !case.stats.contains_key(name) && counted[name] != Value::Integer(0) {
            wrong.push(format!("stats: {name} is {:?}", counted[name]));
        }
    }
    for (name, expected) in &case.stats {
        if counted.get(name) != Some(expected) {
            wrong.push(format!(
                "stats: {name}: expected {expected:?}, got {:?}",
                counted.get(name)
            ));
        }
    }
    wrong
}

#[test]
fn every_case_comes_out_as_written() {
    let mut report = String::new();
    for case in &load_all() {
        for way in [Way::OneByOne, Way::Batches(1000), Way::Batches(3), Way::OtherEndLow] {
            let wrong = judge(case, way);
            for line in &wrong {
                let _ = writeln!(report, "{} ({way:?}): {line}", case.name);
            }
            if !wrong.is_empty() {
                break;
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn every_name_is_used_once() {
    let mut names = BTreeSet::new();
    for case in load_all() {
        assert!(names.insert(case.name.clone()), "{} twice", case.name);
    }
}

/// Rows that no packet can reach say so. Not witnessed: what is no connection, and what ends one handshake and begins the
/// next (the step is the new one's first).
fn is_walked(row: &Row) -> bool {
    let begins = row.cell == Cell::Next(State::SynSent) && row.class != Class::SynRepeated;
    let empty = row.states == [State::Closed];
    let again = begins && !empty;
    let none = empty && !matches!(row.cell, Cell::Next(_));
    !row.why.ends_with("unreachable.") && !again && !none
}

#[test]
fn every_row_of_the_table_has_a_case() {
    let mut rows = Rows::default();
    for case in &load_all() {
        let mut tracker = Tracker::new(case.limits);
        for packet in &case.packets {
            tracker.push_with(packet, &mut Kept::default(), &mut rows);
        }
    }
    let missing: Vec<String> = ROWS
        .iter()
        .enumerate()
        .filter(|(place, row)| is_walked(row) && !rows.0.contains(place))
        .map(|(_, row)| format!("{:?} {:?} {:?}: {}", row.from, row.class, row.states, row.why))
        .collect();
    assert!(missing.is_empty(), "rows without a case:\n{}", missing.join("\n"));
    let unreachable = ROWS
        .iter()
        .enumerate()
        .filter(|(place, row)| !is_walked(row) && rows.0.contains(place));
    let reached: Vec<(Class, &str)> = unreachable.map(|(_, row)| (row.class, row.why)).collect();
    assert!(reached.is_empty(), "«unreachable», and reached: {reached:?}");
}

#[test]
fn every_word_of_the_record_has_a_case() {
    let mut seen = BTreeSet::new();
    for case in &load_all() {
        for handshake in &case.handshakes {
            for (field, value) in handshake {
                let words = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                seen.extend(words.iter().filter_map(Value::as_str).map(|w| format!("{field}={w}")));
            }
        }
    }
    let outcomes = Outcome::ALL
        .iter()
        .filter(|&&o| o != Outcome::Timeout)
        .map(|o| ("outcome", o.name()));
    let words = outcomes
        .chain(Anomaly::ALL.iter().map(|a| ("anomalies", a.name())))
        .chain(FastOpen::ALL.iter().map(|f| ("fast_open", f.name())))
        .chain(TimeWait::ALL.iter().map(|t| ("time_wait", t.name())));
    let missing: Vec<String> = words
        .map(|(field, word)| format!("{field}={word}"))
        .filter(|w| !seen.contains(w))
        .collect();
    assert!(missing.is_empty(), "no case expects {missing:?}");
}
