//! A half-open connection in 144 bytes, a third of a whole one: the half of a flood that was answered waits for long.
//!
//! One ordinary SYN, SYN-ACKs of one number, and nothing else. Whatever does not fit stays whole; packing and unpacking lose
//! nothing.

use crate::detail::Detail;
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::key::Key;
use crate::lone::Lone;
use crate::packed::PackedOptions;
use crate::record::{Anomalies, Anomaly};
use crate::slab::Gap;
use crate::state::State;
use crate::stream::Stream;

/// The SYN and its answer.
#[derive(Clone, Debug)]
pub struct Half {
    syn: Lone,
    /// [`Lone`]'s wide part: upper and lower half.
    wide: [u64; 2],
    /// Time of the first SYN-ACK.
    syn_ack_ns: i64,
    frame_syn_ack: FrameRef,
    /// Time of the last one.
    last_ns: i64,
    isn_server: u32,
    options: PackedOptions,
    anomalies: Anomalies,
    ip_id: u16,
    has: u8,
    ttl: u8,
    syn_ack_sent: u8,
}

impl Half {
    /// Packs a connection, if it fits.
    pub fn pack(flow: &Flow, detail: &Detail) -> Option<Self> {
        if !Self::may_fit(flow, detail) {
            return None;
        }
        let (syn, wide) = Lone::pack(&Flow {
            state: State::SynSent,
            last_ns: flow.start_ns,
            marks: flow.marks & !Flow::SERVER_SEEN,
            anomalies: flow.anomalies.only(Anomaly::PortReused),
            ..flow.clone()
        })?;
        let (syn_ack_ns, frame_syn_ack) = detail.syn_ack?;
        let last = detail.last_syn_ack?;
        let packed = Self {
            syn,
            wide: [(wide >> 64) as u64, wide as u64],
            syn_ack_ns,
            frame_syn_ack,
            last_ns: flow.last_ns,
            isn_server: detail.isn_server?,
            options: detail.server_options?,
            anomalies: flow.anomalies,
            ip_id: last.ip_id,
            has: last.has,
            ttl: last.ttl,
            syn_ack_sent: u8::try_from(detail.syn_ack_sent).ok()?,
        };
        let (flow_again, detail_again) = packed.unpack();
        (flow_again == *flow && detail_again == *detail).then_some(packed)
    }

    /// Whether it is worth a try.
    pub fn may_fit(flow: &Flow, detail: &Detail) -> bool {
        flow.state == State::SynRecv && detail.ack.is_none() && detail.rare.is_none()
    }

    /// The connection.
    pub fn unpack(&self) -> (Flow, Detail) {
        let mut flow = self.syn.unpack(self.wide());
        flow.state = State::SynRecv;
        flow.last_ns = self.last_ns;
        flow.marks |= Flow::SERVER_SEEN;
        flow.anomalies = self.anomalies;
        let acked = flow.isn_client.wrapping_add(1);
        let mut client = Stream::default();
        client.begin(flow.isn_client);
        let mut server = Stream::default();
        server.begin(self.isn_server);
        server.acked = Some(acked);
        let detail = Detail {
            client,
            server,
            syn_ack: Some((self.syn_ack_ns, self.frame_syn_ack)),
            answered_ns: flow.last_syn.moment(),
            isn_server: Some(self.isn_server),
            last_syn_ack_numbers: Some((self.isn_server, acked)),
            syn_ack_sent: u32::from(self.syn_ack_sent),
            last_syn_ack: Some(Fingerprint {
                time_ns: self.last_ns,
                tsval: self.options.tsval,
                interface: 0,
                copied_us: 0,
                ip_id: self.ip_id,
                ttl: self.ttl,
                has: self.has,
            }),
            server_options: Some(self.options),
            ttl_server: Some(self.ttl),
            ..Detail::default()
        };
        (flow, detail)
    }

    const fn wide(&self) -> u128 {
        (self.wide[0] as u128) << 64 | self.wide[1] as u128
    }

    /// Who.
    pub fn key(&self) -> Key {
        self.syn.key(self.wide())
    }

    /// Order among all handshakes of the run.
    pub const fn number(&self) -> u64 {
        self.syn.number()
    }

    /// When anything of it was seen last.
    pub const fn last_ns(&self) -> i64 {
        self.last_ns
    }
}

impl Gap for Half {
    fn is_gap(&self) -> bool {
        self.syn.is_gone()
    }

    fn make_gap(&mut self) {
        self.syn = self.syn.gone();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use halfopen_wire::{Address, EncapId, Flags, Packet, Segment, SynOptions};

    use super::*;
    use crate::books::Limits;
    use crate::effect;
    use crate::lone::tests::{flow, segment};
    use crate::record::{Handshake, Outcome, Side};
    use crate::sink::Sink;
    use crate::state::{Class, lookup};
    use crate::syns;
    use crate::tracker::Tracker;
    use crate::witness::Step;

    const CLIENT: [u8; 4] = [192, 0, 2, 7];
    const SERVER: [u8; 4] = [198, 51, 100, 1];

    fn answer(syn: &Segment, later_ns: i64) -> Segment {
        Segment {
            time_ns: syn.time_ns + later_ns,
            frame: 99,
            src: syn.dst,
            dst: syn.src,
            src_port: syn.dst_port,
            dst_port: syn.src_port,
            seq: 0xFFFF_FFFF,
            ack: syn.seq.wrapping_add(1),
            flags: Flags(Flags::SYN | Flags::ACK),
            window: 65_160,
            ttl: 64,
            ip_id: None,
            syn: Some(SynOptions {
                mss: Some(1440),
                timestamps: Some((7, 123_456)),
                unknown: 1,
                ..SynOptions::default()
            }),
            ..*syn
        }
    }

    /// As the tracker walks them.
    fn walked(syn: &Segment, answers: &[Segment]) -> (Flow, Detail) {
        let (mut flow, mut detail) = (flow(syn), Detail::default());
        for answer in answers {
            syns::ensure_started(&flow, &mut detail);
            let step = Step {
                number: 1,
                from: Side::Server,
                row: lookup(Side::Server, Class::SynAck, flow.state),
                before: flow.state,
                after: State::SynRecv,
                copy: false,
            };
            effect::apply(&mut flow, &mut detail, answer, &step);
            flow.state = State::SynRecv;
        }
        (flow, detail)
    }

    fn assert_fits(syn: &Segment, answers: &[Segment], fits: bool) {
        let (flow, detail) = walked(syn, answers);
        let half = Half::pack(&flow, &detail);
        assert_eq!(half.is_some(), fits, "{flow:?} {detail:?}");
        if let Some(half) = half {
            assert_eq!(half.unpack(), (flow.clone(), detail));
            assert_eq!(
                (half.key(), half.number(), half.last_ns()),
                (flow.key, flow.number, flow.last_ns)
            );
        }
    }

    #[test]
    fn what_an_answered_flood_leaves_is_packed() {
        let v4 = segment(CLIENT, SERVER);
        let (src, dst) = (
            Address {
                v6: true,
                bits: 9 << 90,
            },
            Address {
                v6: true,
                bits: 7 << 99 | 3,
            },
        );
        let v6 = Segment { src, dst, ..v4 };
        let backwards = segment(SERVER, CLIENT);
        for syn in [v4, v6, backwards] {
            let first = answer(&syn, 40_000);
            assert_fits(&syn, &[first], true);
            assert_fits(&syn, &[first, answer(&syn, 1_000_040_000)], true);
        }
    }

    #[test]
    fn all_others_stay_whole() {
        let syn = segment(CLIENT, SERVER);
        let first = answer(&syn, 40_000);
        assert_fits(&syn, &[], false);
        let elsewhere = Segment { interface: 3, ..first };
        let untimed = Segment { timed: false, ..first };
        let other = Segment {
            seq: 5,
            ..answer(&syn, 50_000)
        };
        for answers in [&[elsewhere][..], &[untimed], &[first, other]] {
            assert_fits(&syn, answers, false);
        }
        assert_fits(&Segment { payload_len: 4, ..syn }, &[first], false);
    }

    #[derive(Default)]
    struct Kept(Vec<Handshake>);

    impl Sink for Kept {
        fn handshake(&mut self, handshake: &Handshake) {
            self.0.push(handshake.clone());
        }
    }

    /// The SYN of the `n`th client; one in three over IPv6.
    fn nth_syn(n: u32) -> Segment {
        let syn = segment([10, 0, (n >> 8) as u8, n as u8], SERVER);
        let (src, dst) = if n.is_multiple_of(3) {
            let bits = |n: u32| u128::from(n) << 90 | 5;
            (
                Address {
                    v6: true,
                    bits: bits(n),
                },
                Address { v6: true, bits: 9 },
            )
        } else {
            (syn.src, syn.dst)
        };
        Segment {
            time_ns: syn.time_ns + i64::from(n) * 1_000_000,
            frame: u64::from(n) + 1,
            src,
            dst,
            ip_id: Some(n as u16 | 1),
            encap: EncapId::NONE,
            ..syn
        }
    }

    /// What comes for the `n`th connection when many of them are packed.
    fn later(n: u32) -> Vec<Segment> {
        const LATER_NS: i64 = 20_000_000_000;
        let syn = nth_syn(n);
        let ack = Segment {
            time_ns: syn.time_ns + LATER_NS,
            frame: 50_000,
            seq: syn.seq.wrapping_add(1),
            ack: 0,
            flags: Flags(Flags::ACK),
            ip_id: Some(3),
            syn: None,
            ..syn
        };
        match n % 5 {
            1 => vec![ack],
            2 => {
                let rst = Segment {
                    flags: Flags(Flags::RST),
                    time_ns: ack.time_ns + 30_000,
                    ..ack
                };
                vec![answer(&syn, LATER_NS), rst]
            }
            3 => {
                let again = Segment {
                    time_ns: ack.time_ns,
                    ip_id: Some(4),
                    ..syn
                };
                vec![
                    again,
                    Segment {
                        time_ns: ack.time_ns + 9_000,
                        ..answer(&syn, LATER_NS)
                    },
                ]
            }
            4 => vec![
                answer(&syn, LATER_NS),
                Segment {
                    time_ns: ack.time_ns + 1_100_000_000,
                    ..ack
                },
            ],
            _ => Vec::new(),
        }
    }

    fn push(tracker: &mut Tracker, sink: &mut Kept, segments: &[Segment]) {
        for segment in segments {
            tracker.push(&Packet::Tcp(*segment), sink);
        }
    }

    const MANY: u32 = 12_000;

    fn crowd(max_flows: usize) -> (Tracker, Kept) {
        let (mut tracker, mut sink) = (Tracker::new(Limits { max_flows }), Kept::default());
        for n in 0..MANY {
            let syn = nth_syn(n);
            push(&mut tracker, &mut sink, &[syn, answer(&syn, 40_000)]);
        }
        (tracker, sink)
    }

    #[test]
    fn in_a_crowd_each_record_is_what_it_is_alone() {
        let (mut tracker, mut sink) = crowd(500_000);
        assert!(tracker.packed() > 5000, "{}", tracker.packed());
        let mut rest: Vec<Segment> = (0..MANY).flat_map(later).collect();
        rest.sort_by_key(|s| s.time_ns);
        push(&mut tracker, &mut sink, &rest);
        tracker.finish(&mut sink);
        assert_eq!(
            (sink.0.len() as u32, tracker.stats().handshakes),
            (MANY, u64::from(MANY))
        );
        sink.0.sort_by_key(|h| h.number);
        for (together, n) in sink.0.into_iter().zip(0..) {
            let (mut tracker, mut alone) = (Tracker::new(Limits { max_flows: 9 }), Kept::default());
            let syn = nth_syn(n);
            push(&mut tracker, &mut alone, &[syn, answer(&syn, 40_000)]);
            push(&mut tracker, &mut alone, &later(n));
            tracker.finish(&mut alone);
            let number = together.number;
            assert_eq!(
                vec![together],
                vec![Handshake {
                    number,
                    ..alone.0.remove(0)
                }]
            );
        }
    }

    #[test]
    fn nothing_waits_for_ever_when_it_is_packed() {
        let (mut tracker, mut sink) = crowd(500_000);
        let packed = tracker.packed();
        for n in 0..MANY {
            let syn = nth_syn(MANY + n);
            let later_ns = i64::from(n) * 50_000_000;
            push(
                &mut tracker,
                &mut sink,
                &[Segment {
                    time_ns: syn.time_ns + later_ns,
                    ..syn
                }],
            );
        }
        assert!(packed > 5000 && sink.0.len() >= packed, "{packed} {}", sink.0.len());
        tracker.finish(&mut sink);
        let half_open = sink
            .0
            .iter()
            .filter(|h| h.outcome == Outcome::HalfOpen && !h.anomalies.contains(Anomaly::Evicted));
        assert_eq!(half_open.count() as u32, MANY);
    }

    #[test]
    fn a_full_table_gives_them_up_one_for_one() {
        let (mut tracker, mut sink) = crowd(6000);
        assert!(tracker.packed() > 0);
        let evicted = tracker.stats().evicted;
        assert_eq!(
            (sink.0.len() as u64, tracker.held() as u64),
            (evicted, u64::from(MANY) - evicted)
        );
        assert!((6000..=6001).contains(&evicted), "{evicted}");
        tracker.finish(&mut sink);
        let clients: BTreeSet<_> = sink.0.iter().map(|h| (h.client, h.client_port)).collect();
        assert_eq!((clients.len() as u32, sink.0.len() as u32), (MANY, MANY));
    }

    #[test]
    fn it_is_a_third_of_a_whole_one() {
        assert!(size_of::<Half>() <= 144, "{}", size_of::<Half>());
    }
}
