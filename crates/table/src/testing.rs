//! Records for the tests: an ordinary one, and a set that holds every value that is hard to write.

use halfopen_track::{Anomalies, Anomaly, Close, FastOpen, Handshake, Outcome, Side, SideOptions, TimeWait};
use halfopen_wire::encap::Outer;
use halfopen_wire::{Address, Encap, EncapId, EncapTable, FastOpenOption, SynOptions, Tunnel};

use crate::Names;

/// The texts and encapsulations that the records name.
pub struct Fixture {
    sources: Vec<String>,
    encaps: EncapTable,
    tagged: EncapId,
    tunnelled: EncapId,
}

impl Fixture {
    pub fn new() -> Self {
        let mut encaps = EncapTable::default();
        let outer = Outer::new(Address::from_v4([1, 1, 1, 1]), Address::from_v4([2, 2, 2, 2]));
        let tagged = encaps.intern(&Encap {
            vlan: vec![10, 4094],
            ..Encap::default()
        });
        let tunnels = vec![Tunnel::Gre(outer, Some(7)), Tunnel::Mpls];
        let tunnelled = encaps.intern(&Encap {
            tunnels,
            ..Encap::default()
        });
        let hostile = "a,\"b\"\\\r\n\t\u{1b}[31m\u{9b}\u{7f}\u{202e}\u{fffd}é😀".to_owned();
        Self {
            sources: vec!["plain.pcap".to_owned(), hostile],
            encaps,
            tagged,
            tunnelled,
        }
    }

    pub fn names(&self) -> Names<'_> {
        Names {
            sources: &self.sources,
            encaps: &self.encaps,
        }
    }

    /// Every type that is hard, in four records: an ordinary one, all extremes, all nulls, every enum's last value.
    pub fn hard(&self) -> Vec<Handshake> {
        vec![plain(), self.extreme(), empty(), self.odd()]
    }

    fn extreme(&self) -> Handshake {
        Handshake {
            file: 1,
            number: u64::MAX,
            start_ns: i64::MIN,
            timed: true,
            client: Address::from_v6([0xff; 16]),
            client_port: u16::MAX,
            server: Address::from_v6([0; 16]),
            server_port: 0,
            encap: self.tunnelled,
            outcome: Outcome::ResetByServer,
            syn_sent: u32::MAX,
            syn_ack_sent: u32::MAX,
            syn_to_syn_ack_ns: Some(i64::MAX),
            syn_ack_to_ack_ns: Some(-1),
            handshake_ns: Some(-1_000),
            retransmit_wait_ns: Some(0),
            client_options: Some(SideOptions {
                tcp: SynOptions {
                    mss: Some(u16::MAX),
                    window_scale: Some(u8::MAX),
                    sack_permitted: true,
                    timestamps: Some((u32::MAX, u32::MAX)),
                    fast_open: FastOpenOption::Cookie(16),
                    mptcp: true,
                    md5: true,
                    ao: true,
                    unknown: u8::MAX,
                    incomplete: true,
                    window_cut: false,
                    fragmented: false,
                    cut: false,
                },
                ecn: true,
                ace: 7,
                window: u16::MAX,
            }),
            isn_client: Some(u32::MAX),
            isn_server: Some(0),
            syn_data_bytes: Some(u32::MAX),
            fast_open: Some(FastOpen::Accepted),
            simultaneous: true,
            duration_ns: Some(i64::MIN),
            client_bytes: u64::MAX,
            server_bytes: 1 << 62,
            anomalies: Anomalies((1 << Anomaly::ALL.len()) - 1),
            ttl_client: Some(255),
            ttl_server: Some(0),
            frame_syn: Some(u64::MAX),
            ..empty()
        }
    }

    fn odd(&self) -> Handshake {
        let mut anomalies = Anomalies::default();
        anomalies.insert(Anomaly::PortReused);
        anomalies.insert(Anomaly::Evicted);
        Handshake {
            encap: self.tagged,
            outcome: Outcome::Unreachable,
            client_options: Some(SideOptions {
                tcp: SynOptions {
                    fast_open: FastOpenOption::Request,
                    window_cut: true,
                    ..SynOptions::default()
                },
                ..SideOptions::default()
            }),
            closed_by: Some(Side::Server),
            close: Some(Close::Rst),
            time_wait: Some(TimeWait::Both),
            anomalies,
            icmp: Some((3, 13, "2001:db8::1".parse::<std::net::IpAddr>().unwrap().into())),
            ..plain()
        }
    }
}

/// All nulls, and an input that nobody named.
fn empty() -> Handshake {
    Handshake {
        file: 7,
        number: 0,
        start_ns: 0,
        timed: true,
        client: Address::from_v4([0; 4]),
        client_port: 0,
        server: Address::from_v4([255; 4]),
        server_port: 0,
        encap: EncapId::NONE,
        outcome: Outcome::Partial,
        syn_sent: 0,
        syn_ack_sent: 0,
        syn_to_syn_ack_ns: None,
        syn_ack_to_ack_ns: None,
        handshake_ns: None,
        retransmit_wait_ns: None,
        client_options: None,
        server_options: None,
        isn_client: None,
        isn_server: None,
        syn_data_bytes: None,
        fast_open: None,
        simultaneous: false,
        duration_ns: None,
        client_bytes: 0,
        server_bytes: 0,
        closed_by: None,
        close: None,
        time_wait: None,
        anomalies: Anomalies::default(),
        ttl_client: None,
        ttl_server: None,
        frame_syn: None,
        frame_syn_ack: None,
        frame_ack: None,
        icmp: None,
    }
}

/// An ordinary connection.
pub fn plain() -> Handshake {
    let options = SideOptions {
        tcp: SynOptions {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((1, 2)),
            ..SynOptions::default()
        },
        ecn: false,
        ace: 0,
        window: 64240,
    };
    Handshake {
        file: 0,
        number: 1,
        start_ns: 1_700_000_000_123_456_789,
        timed: true,
        client: Address::from_v4([10, 0, 0, 1]),
        client_port: 40000,
        server: Address::from_v4([192, 0, 2, 80]),
        server_port: 443,
        encap: EncapId::NONE,
        outcome: Outcome::Established,
        syn_sent: 1,
        syn_ack_sent: 1,
        syn_to_syn_ack_ns: Some(250_100),
        syn_ack_to_ack_ns: Some(50_000),
        handshake_ns: Some(300_100),
        retransmit_wait_ns: Some(0),
        client_options: Some(options),
        server_options: Some(SideOptions {
            window: 65160,
            ..options
        }),
        isn_client: Some(1_000_000_000),
        isn_server: Some(4_000_000_000),
        syn_data_bytes: Some(0),
        fast_open: None,
        simultaneous: false,
        duration_ns: Some(1_500_000_000),
        client_bytes: 78,
        server_bytes: 5_000,
        closed_by: Some(Side::Client),
        close: Some(Close::Fin),
        time_wait: Some(TimeWait::Client),
        anomalies: Anomalies::default(),
        ttl_client: Some(64),
        ttl_server: Some(57),
        frame_syn: Some(1),
        frame_syn_ack: Some(2),
        frame_ack: Some(3),
        icmp: None,
    }
}
