//! Laws that hold for any traffic, also for traffic that nobody would send.
//!
//! The generator draws from few numbers, so that segments meet: two four-tuples, both directions, sequence and
//! acknowledgment numbers near the initial ones, every flag.

use std::collections::BTreeSet;
use std::fmt;

use halfopen_track::state::{Cell, Class, State};
use halfopen_track::summary::json::JsonLimits;
use halfopen_track::{
    Anomaly, Ended, Handshake, Limits, Outcome, Side, Sink, Step, Summary, TrackStats, Tracker, Witness,
};
use halfopen_wire::{Address, EncapId, Flags, IcmpError, Packet, Segment, SynOptions};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::notation::T0;
use crate::scenarios::Kept;

const ISN: [u32; 2] = [1000, u32::MAX - 2];

/// A segment before it has a time.
#[derive(Clone, Debug)]
struct Draft {
    tuple: u8,
    from_client: bool,
    flags: u16,
    seq: u32,
    ack: u32,
    len: u32,
    after_us: i64,
    icmp: bool,
}

fn number(isn: u32) -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => (0u32..4).prop_map(move |n| isn.wrapping_add(n)),
        2 => (0u32..300).prop_map(move |n| isn.wrapping_add(n)),
        1 => Just(0u32),
        1 => any::<u32>(),
    ]
}

fn flags() -> impl Strategy<Value = u16> {
    prop_oneof![
        4 => Just(Flags::SYN),
        4 => Just(Flags::SYN | Flags::ACK),
        6 => Just(Flags::ACK),
        2 => Just(Flags::FIN | Flags::ACK),
        1 => Just(Flags::RST),
        1 => Just(Flags::RST | Flags::ACK),
        1 => 0u16..0x200,
    ]
}

/// A pause that the tracker's timers take for a real one, and one that they take for a defect of the clock.
const LONG_US: i64 = 5_000_000;
const IMPLAUSIBLE_US: i64 = 400_000_000;

fn draft(longest_us: i64) -> impl Strategy<Value = Draft> {
    let length = prop_oneof![6 => Just(0u32), 1 => 1u32..200];
    let pause = prop_oneof![6 => 0i64..60_000, 1 => 0i64..3_000_000, 1 => Just(longest_us), 1 => -3_000i64..0];
    (
        0u8..2,
        any::<bool>(),
        flags(),
        number(ISN[0]),
        number(ISN[1]),
        length,
        pause,
        0u8..30,
    )
        .prop_map(
            |(tuple, from_client, flags, near_client, near_server, len, after_us, icmp)| {
                let (seq, ack) = if from_client {
                    (near_client, near_server)
                } else {
                    (near_server, near_client)
                };
                Draft {
                    tuple,
                    from_client,
                    flags,
                    seq,
                    ack,
                    len,
                    after_us,
                    icmp: icmp == 0,
                }
            },
        )
}

fn packets(drafts: &[Draft]) -> Vec<Packet> {
    let mut now = T0;
    let mut frame = 0;
    let draw = |d: &Draft| {
        now += d.after_us * 1000;
        frame += 1;
        let ends = [
            (Address::from_v4([10, 0, 0, 1]), 40_000 + u16::from(d.tuple)),
            (Address::from_v4([10, 0, 0, 2]), 80),
        ];
        let [(src, src_port), (dst, dst_port)] = if d.from_client { ends } else { [ends[1], ends[0]] };
        if d.icmp {
            return Packet::Icmp(IcmpError {
                timed: true,
                time_ns: now,
                frame,
                file: 0,
                encap: EncapId::NONE,
                v6: false,
                kind: 3,
                code: 1,
                reporter: dst,
                src,
                dst,
                src_port,
                dst_port,
                seq: Some(d.seq),
            });
        }
        let flags = Flags(d.flags);
        Packet::Tcp(Segment {
            timed: true,
            time_ns: now,
            frame,
            file: 0,
            interface: 0,
            encap: EncapId::NONE,
            src,
            dst,
            src_port,
            dst_port,
            seq: d.seq,
            ack: d.ack,
            flags,
            window: 1000,
            payload_len: d.len,
            ttl: 64,
            // Each packet its own, so that a repeated one is a retransmission and a doubled one a copy.
            ip_id: Some(frame as u16),
            bad_checksum: false,
            syn: flags.has(Flags::SYN).then(SynOptions::default),
        })
    };
    drafts.iter().map(draw).collect()
}

/// Packets that print as a scenario, so that what fails can be pasted into one.
#[derive(Clone)]
struct Traffic(Vec<Packet>);

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |time_ns: i64, rest: String| writeln!(f, "{:.6} {rest}", (time_ns - T0) as f64 / 1e9);
        for packet in &self.0 {
            match packet {
                Packet::Tcp(s) => {
                    let (c, s_port) = if s.dst_port == 80 {
                        (s.src_port, ">")
                    } else {
                        (s.dst_port, "<")
                    };
                    let flags = format!("{:?}", s.flags);
                    let flags = if flags.is_empty() { "none" } else { &flags };
                    let numbers = format!("seq={} ack={} len={} id={}", s.seq, s.ack, s.payload_len, s.frame);
                    line(s.time_ns, format!("c:{c} {s_port} s {flags} {numbers}"))?;
                }
                Packet::Icmp(e) if e.dst_port == 80 => {
                    line(
                        e.time_ns,
                        format!(
                            "r icmp 3/1 about c:{} > s seq={}",
                            e.src_port,
                            e.seq.unwrap_or_default()
                        ),
                    )?;
                }
                Packet::Icmp(e) => line(
                    e.time_ns,
                    format!(
                        "r icmp 3/1 about s > c:{} seq={}",
                        e.dst_port,
                        e.seq.unwrap_or_default()
                    ),
                )?,
                Packet::Other => {}
            }
        }
        Ok(())
    }
}

fn traffic() -> impl Strategy<Value = Traffic> {
    traffic_with_pauses(IMPLAUSIBLE_US)
}

fn traffic_with_pauses(longest_us: i64) -> impl Strategy<Value = Traffic> {
    vec(draft(longest_us), 1..40).prop_map(|drafts| Traffic(packets(&drafts)))
}

fn run(packets: &[Packet], limits: Limits) -> (Vec<Handshake>, TrackStats) {
    let mut tracker = Tracker::new(limits);
    let mut kept = Kept::default();
    for packet in packets {
        tracker.push(packet, &mut kept);
    }
    tracker.finish(&mut kept);
    kept.0.sort_by_key(|h| h.number);
    (kept.0, *tracker.stats())
}

/// One summary of what ended as it left the table, and one of the records made of it.
#[derive(Default)]
struct Both {
    without: Summary,
    with: Summary,
}

impl Sink for Both {
    fn handshake(&mut self, h: &Handshake) {
        self.with.handshake(h);
    }

    fn ended(&mut self, ended: Ended<'_>) {
        self.without.ended(ended.leaving());
        self.handshake(&ended.record());
    }
}

const ROOMY: Limits = Limits { max_flows: 1000 };

/// What must hold for one record, whatever came.
fn lawful(h: &Handshake) -> Result<(), TestCaseError> {
    let times = [
        h.syn_to_syn_ack_ns,
        h.syn_ack_to_ack_ns,
        h.handshake_ns,
        h.retransmit_wait_ns,
        h.duration_ns,
    ];
    prop_assert!(times.iter().flatten().all(|&t| t >= 0), "a negative time: {h:?}");
    if h.outcome != Outcome::Partial {
        prop_assert!(
            h.syn_sent >= 1 && h.isn_client.is_some() && h.frame_syn.is_some(),
            "no SYN: {h:?}"
        );
    }
    prop_assert_eq!(h.frame_syn_ack.is_some() && h.syn_ack_sent == 0, false, "{:?}", h);
    if h.syn_to_syn_ack_ns.is_some() || h.syn_ack_to_ack_ns.is_some() {
        prop_assert!(
            h.syn_ack_sent > 0 && h.isn_server.is_some(),
            "a SYN-ACK's time without one: {h:?}"
        );
    }
    if h.close.is_some() || h.closed_by.is_some() || h.time_wait.is_some() {
        prop_assert!(h.close.is_some() && h.closed_by.is_some(), "half a close: {h:?}");
        prop_assert!(
            matches!(h.outcome, Outcome::Established | Outcome::Partial),
            "closed unopened: {h:?}"
        );
    }
    if let (Some(a), Some(b), Some(all)) = (h.syn_to_syn_ack_ns, h.syn_ack_to_ack_ns, h.handshake_ns) {
        prop_assert_eq!(a + b, all, "the parts are not the whole: {:?}", h);
    }
    let retransmitted = h.anomalies.contains(Anomaly::SynRetransmitted);
    let late = h.outcome == Outcome::Partial && h.syn_sent == 1;
    prop_assert!(retransmitted == (h.syn_sent > 1) || late, "retransmitted or not: {h:?}");
    Ok(())
}

/// Remembers what could prove completion, and that no row called unreachable was reached.
#[derive(Default)]
struct Evidence {
    proven: BTreeSet<u64>,
    unreachable: Option<&'static str>,
}

impl Witness for Evidence {
    fn step(&mut self, segment: &Segment, step: &Step) {
        if step.row.why.ends_with("unreachable.") {
            self.unreachable = Some(step.row.why);
        }
        let client_acks = step.from == Side::Client && segment.flags.has(Flags::ACK);
        let server_proves = step.from == Side::Server
            && (matches!(step.row.class, Class::AckOfData | Class::RstDisproved)
                || segment.flags.has(Flags::FIN)
                || matches!(
                    step.before,
                    State::SimultaneousClientAcked | State::SimultaneousServerAcked
                ));
        if !step.copy && (client_acks || server_proves) {
            self.proven.insert(step.number);
        }
        assert!(
            step.row.cell != Cell::Ignore || step.before == step.after || segment.flags.has(Flags::FIN),
            "an ignored segment changed the state: {step:?}"
        );
    }
}

/// Without the numbers that depend on it.
fn without_copies(mut h: Handshake) -> Handshake {
    h.anomalies.0 &= !(1 << Anomaly::CapturedTwice as u32);
    h.frame_syn = None;
    h.frame_syn_ack = None;
    h.frame_ack = None;
    h
}

fn doubled(packets: &[Packet]) -> Vec<Packet> {
    let twice = |packet: &Packet| {
        let mut copy = *packet;
        if let Packet::Tcp(segment) = &mut copy {
            segment.ttl -= 1;
        }
        [*packet, copy]
    };
    packets.iter().flat_map(twice).collect()
}

fn shifted(packet: &Packet, by: u32) -> Packet {
    match *packet {
        Packet::Tcp(s) => Packet::Tcp(Segment {
            seq: s.seq.wrapping_add(by),
            ack: s.ack.wrapping_add(by),
            ..s
        }),
        Packet::Icmp(mut error) => {
            error.seq = error.seq.map(|seq| seq.wrapping_add(by));
            Packet::Icmp(error)
        }
        Packet::Other => Packet::Other,
    }
}

/// A shift moves the acknowledgment number 0 as well, which means «none received»: so without it.
fn acknowledging(packet: &Packet) -> Packet {
    match *packet {
        Packet::Tcp(s) if s.ack == 0 => Packet::Tcp(Segment { ack: 1, ..s }),
        other => other,
    }
}

/// Attempts of as many clients: some are sent again, some are answered, some are reset, in whatever order.
fn attempts() -> impl Strategy<Value = Vec<Packet>> {
    let step = (
        0u8..60,
        prop_oneof![4 => Just(None), 1 => Just(Some(Flags::SYN | Flags::ACK)), 1 => Just(Some(Flags::RST | Flags::ACK))],
    );
    vec(step, 1..200).prop_map(|steps| {
        let draft = |&(tuple, answer): &(u8, Option<u16>)| Draft {
            tuple,
            from_client: answer.is_none(),
            flags: answer.unwrap_or(Flags::SYN),
            seq: if answer.is_none() { 1000 } else { 5000 },
            ack: if answer.is_none() { 0 } else { 1001 },
            len: 0,
            after_us: 300_000,
            icmp: false,
        };
        packets(&steps.iter().map(draft).collect::<Vec<_>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn any_traffic_gives_lawful_records(packets in traffic()) {
        let mut tracker = Tracker::new(ROOMY);
        let mut kept = Kept::default();
        let mut evidence = Evidence::default();
        for packet in &packets.0 {
            tracker.push_with(packet, &mut kept, &mut evidence);
        }
        tracker.finish(&mut kept);
        prop_assert_eq!(evidence.unreachable, None);
        let stats = tracker.stats();
        prop_assert_eq!(stats.handshakes, kept.0.len() as u64);
        let numbers: BTreeSet<u64> = kept.0.iter().map(|h| h.number).collect();
        prop_assert_eq!(numbers.len(), kept.0.len(), "two records of one handshake");
        prop_assert_eq!(stats.evicted, 0);
        prop_assert!(stats.midstream <= stats.midstream_segments);
        for h in &kept.0 {
            lawful(h)?;
            if h.outcome == Outcome::Established {
                prop_assert!(evidence.proven.contains(&h.number), "established by nothing: {:?}", h);
            }
        }
    }

    #[test]
    fn a_tiny_table_gives_each_flow_one_record(packets in traffic(), max_flows in 1usize..3) {
        let (records, stats) = run(&packets.0, Limits { max_flows });
        prop_assert_eq!(stats.handshakes, records.len() as u64);
        for h in &records {
            lawful(h)?;
        }
    }

    #[test]
    fn batches_change_nothing(packets in traffic(), size in 1usize..50) {
        let mut tracker = Tracker::new(ROOMY);
        let mut kept = Kept::default();
        for batch in packets.0.chunks(size) {
            tracker.push_batch(batch, &mut kept);
        }
        tracker.finish(&mut kept);
        kept.0.sort_by_key(|h| h.number);
        prop_assert_eq!((kept.0, *tracker.stats()), run(&packets.0, ROOMY));
    }

    #[test]
    fn what_is_left_at_the_end_comes_in_the_order_in_which_it_began(packets in attempts()) {
        let mut tracker = Tracker::new(ROOMY);
        let mut before = Kept::default();
        for packet in &packets {
            tracker.push(packet, &mut before);
        }
        let left = tracker.held();
        let mut kept = Kept::default();
        tracker.finish(&mut kept);
        prop_assert_eq!((kept.0.len(), tracker.held()), (left, 0));
        prop_assert!(kept.0.is_sorted_by_key(|h| h.number));
    }

    #[test]
    fn a_summary_needs_no_records(packets in traffic(), max_flows in 1usize..40) {
        let mut tracker = Tracker::new(Limits { max_flows });
        let mut both = Both::default();
        for packet in &packets.0 {
            tracker.push(packet, &mut both);
        }
        tracker.finish(&mut both);
        let limits = JsonLimits::default();
        prop_assert_eq!(both.without.to_json(limits), both.with.to_json(limits));
        prop_assert_eq!(both.without.failed(), both.with.failed());
    }

    #[test]
    fn a_shift_of_all_numbers_changes_nothing(packets in traffic(), by in any::<u32>()) {
        let packets: Vec<Packet> = packets.0.iter().map(acknowledging).collect();
        let moved: Vec<Packet> = packets.iter().map(|p| shifted(p, by)).collect();
        prop_assume!(moved.iter().all(|p| !matches!(p, Packet::Tcp(s) if s.ack == 0)));
        let back = |n: Option<u32>| n.map(|n| n.wrapping_sub(by));
        let (records, stats) = run(&moved, ROOMY);
        let records: Vec<Handshake> = records
            .into_iter()
            .map(|h| Handshake { isn_client: back(h.isn_client), isn_server: back(h.isn_server), ..h })
            .collect();
        prop_assert_eq!((records, stats), run(&packets, ROOMY));
    }

    #[test]
    fn each_packet_twice_gives_the_same_records(packets in traffic_with_pauses(LONG_US)) {
        let (once, _) = run(&packets.0, ROOMY);
        let (twice, _) = run(&doubled(&packets.0), ROOMY);
        let plain = |list: Vec<Handshake>| list.into_iter().map(without_copies).collect::<Vec<_>>();
        prop_assert_eq!(plain(twice), plain(once));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn who_is_evicted_does_not_depend_on_the_secret_of_the_hashes(packets in attempts(), max_flows in 1usize..40) {
        // Each tracker draws a secret of its own.
        let (once, again) = (run(&packets, Limits { max_flows }), run(&packets, Limits { max_flows }));
        prop_assert_eq!(once, again);
    }
}
