//! Every sample cut at every byte, as a snaplen would.

use halfopen_wire::decode::Options;
use halfopen_wire::{Packet, Segment, SynOptions};

use crate::samples::{Sample, all};
use crate::support::*;

/// Everything of a segment but what a cut may take.
fn kept(s: &Segment) -> impl PartialEq + std::fmt::Debug {
    let ends = (s.src, s.dst, s.src_port, s.dst_port);
    let place = (s.time_ns, s.frame, s.file, s.interface, s.encap);
    (ends, place, s.seq, s.ack, s.flags, s.payload_len, s.ttl, s.ip_id)
}

/// Cut to `length` bytes: nothing else comes out than came out of the whole, and what is lost is said.
fn check(sample: &Sample, whole: &Segment, length: usize) {
    let Some(data) = sample.data.get(..length) else { return };
    let cut = decode_with(Options::default(), sample.link, data, sample.data.len());
    match cut.packet {
        Packet::Tcp(s) => {
            assert_eq!(kept(&s), kept(whole), "{} cut to {length}", sample.name);
            let (syn, was) = (s.syn.unwrap(), whole.syn.unwrap());
            assert_eq!(
                syn.incomplete,
                !cut.defects.is_empty(),
                "{} cut to {length}",
                sample.name
            );
            assert!(syn.window_cut || s.window == whole.window);
            assert!(syn == was || syn.incomplete);
            assert!(found_in(&syn, &was), "{} cut to {length}: {syn:?}", sample.name);
        }
        Packet::Icmp(error) => panic!("{} cut to {length}: {error:?}", sample.name),
        // A datagram whose tunnel is not yet to be seen is a datagram like any other.
        Packet::Other => assert!(
            !cut.defects.is_empty() || sample.has_udp(),
            "{} cut to {length} lost the segment without a word",
            sample.name
        ),
    }
}

/// Whether every option of `part` is one of `whole`.
fn found_in(part: &SynOptions, whole: &SynOptions) -> bool {
    (part.mss.is_none() || part.mss == whole.mss)
        && (part.window_scale.is_none() || part.window_scale == whole.window_scale)
        && (part.timestamps.is_none() || part.timestamps == whole.timestamps)
        && part.sack_permitted <= whole.sack_permitted
}

impl Sample {
    fn has_udp(&self) -> bool {
        self.tunnels
            .iter()
            .any(|t| ["vxlan", "geneve", "gtpu", "teredo", "l2tp"].contains(t))
    }
}

#[test]
fn every_truncation_of_every_sample() {
    for sample in all() {
        let whole = decode(sample.link, &sample.data).segment();
        (0..=sample.data.len()).for_each(|length| check(&sample, &whole, length));
    }
}

/// The same where the wire had no more either: a tool that shortened the frames forgot how long they were.
#[test]
fn every_truncation_that_the_file_does_not_admit() {
    for sample in all() {
        for length in 0..sample.data.len() {
            let cut = decode(sample.link, &sample.data[..length]);
            match cut.packet {
                Packet::Tcp(s) => {
                    assert_eq!(
                        (s.seq, s.src_port, s.payload_len),
                        (40_001_000, 40001, 0),
                        "{} cut to {length}",
                        sample.name
                    );
                    assert!(!cut.defects.is_empty(), "{} cut to {length}", sample.name);
                }
                Packet::Icmp(error) => panic!("{} cut to {length}: {error:?}", sample.name),
                Packet::Other => {
                    assert!(
                        !cut.defects.is_empty() || sample.has_udp(),
                        "{} cut to {length}",
                        sample.name
                    );
                }
            }
        }
    }
}

#[test]
fn every_truncation_of_a_syn_with_options() {
    #[rustfmt::skip]
    let syn = syn_with(&[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7]);
    let mut samples = vec![
        ("IPv4", ethernet(0x0800, &ipv4(TCP, &syn))),
        ("IPv6", ethernet(0x86dd, &ipv6(TCP, &syn))),
    ];
    let extended = ipv6(
        0,
        &join(
            &[60, 0, 5, 2, 0, 0, 1, 0, 6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &syn,
        ),
    );
    samples.push(("IPv6 with extension headers", ethernet(0x86dd, &extended)));
    for (name, data) in samples {
        let sample = Sample {
            name,
            link: ETHERNET,
            data,
            vlan: &[],
            tunnels: &[],
        };
        let whole = decode(sample.link, &sample.data).segment();
        assert_eq!(whole.syn.unwrap().window_scale, Some(7));
        (0..=sample.data.len()).for_each(|length| check(&sample, &whole, length));
    }
}
