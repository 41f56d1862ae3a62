//! Every way in which a connect can end, produced for real.

mod common;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use common::{FAR, Lab, NEAR, closed_port, in_lab, listener, nft, run, sysctl};
use halfopen_kernel::connect::{
    AwaitData, DataEnd, FastOpenFailure, Options, Outcome, Probe, RttValidity, WaitMethod, probe, probe_until,
};
use halfopen_kernel::sys::{Errno, errno_name};

fn connect(to: SocketAddr, options: &Options) -> Probe {
    probe(to, options).unwrap_or_else(|error| panic!("{to}: {error}"))
}

fn errno(result: &Probe) -> Option<&'static str> {
    result.errno.map(Errno::name)
}

fn impatient() -> Options {
    Options {
        timeout: Duration::from_millis(150),
        ..Options::default()
    }
}

#[test]
fn established_on_loopback() {
    for address in ["127.0.0.1", "::1"] {
        let (server, to) = listener(address, 16);
        let result = connect(to, &Options::default());
        assert_eq!(result.outcome, Outcome::Established, "{result:?}");
        assert_eq!((result.errno, result.icmp, result.syn_retransmissions), (None, None, 0));
        assert_eq!(result.rtt_validity, RttValidity::Valid);
        assert!(
            u64::from(result.rtt_us.expect("a round trip")) * 1000 <= result.connect_ns,
            "{result:?}"
        );
        assert_eq!(result.retransmit_wait.expect("a wait").ns, 0);
        let (_, peer) = server.accept().expect("accept");
        assert_eq!(peer.as_socket(), result.local);
        let agreed = result.negotiated.expect("options");
        assert!(
            agreed.options.sack() && agreed.options.window_scale() && agreed.snd_mss > 1000,
            "{agreed:?}"
        );
    }
}

#[test]
fn refused_on_loopback() {
    for address in ["127.0.0.1", "::1"] {
        let result = connect(closed_port(address), &Options::default());
        assert_eq!(
            (result.outcome, errno(&result)),
            (Outcome::Refused, Some("ECONNREFUSED")),
            "{result:?}"
        );
        assert_eq!((result.icmp, result.rtt_us, result.negotiated), (None, None, None));
    }
}

#[test]
fn options_reach_the_wire() {
    in_lab(|lab| {
        for (near, far) in NEAR.into_iter().zip(FAR) {
            let (_server, to) = lab.far_listener(far, 16);
            let near: IpAddr = near.parse().expect("a literal address");
            let options = Options {
                source: Some(near),
                source_port: Some(34567),
                interface: Some("near".into()),
                mark: Some(7),
                ttl: Some(9),
                mss: Some(1000),
                nodelay: true,
                ..Options::default()
            };
            let result = connect(to, &options);
            assert_eq!(result.outcome, Outcome::Established, "{result:?}");
            assert_eq!(result.local, Some(SocketAddr::new(near, 34567)));
            assert_eq!(result.negotiated.expect("options").offered_mss, 1000);
        }
    });
}

#[test]
fn a_time_to_live_of_one_does_not_cross_a_router() {
    in_lab(|lab| {
        lab.on_far(|| sysctl("ip_forward", "1"));
        lab.far_run("ip route add 10.78.0.0/24 dev lo");
        run("ip route add 10.78.0.0/24 via 10.77.0.2");
        let to: SocketAddr = "10.78.0.9:80".parse().expect("a literal address");
        let options = Options {
            ttl: Some(1),
            ..Options::default()
        };
        let result = connect(to, &options);
        let icmp = result.icmp.expect("time exceeded");
        assert_eq!(
            (icmp.icmp_type, icmp.icmp_code, icmp.offender),
            (11, 0, Some(IpAddr::from([10, 77, 0, 2])))
        );
    });
}

#[test]
fn impossible_options_are_errors_with_the_call_that_failed() {
    let (_server, to) = listener("127.0.0.1", 16);
    let no_interface = Options {
        interface: Some("nosuch0".into()),
        ..Options::default()
    };
    let error = probe(to, &no_interface).expect_err("no such interface").to_string();
    assert!(
        error.starts_with("SO_BINDTODEVICE nosuch0: ") && error.ends_with("(ENODEV)"),
        "{error}"
    );
    let strange = Options {
        source: Some(IpAddr::from([192, 0, 2, 1])),
        ..Options::default()
    };
    let error = probe(to, &strange).expect_err("not our address").to_string();
    assert!(
        error.starts_with("bind 192.0.2.1:0: ") && error.ends_with("(EADDRNOTAVAIL)"),
        "{error}"
    );
}

#[test]
fn silence_ends_at_the_probes_own_timeout() {
    in_lab(|lab| {
        lab.on_far(|| nft("input", "meta l4proto tcp drop"));
        for far in FAR {
            let (_server, to) = lab.far_listener(far, 16);
            let result = connect(to, &impatient());
            assert_eq!((result.outcome, result.errno), (Outcome::Timeout, None), "{result:?}");
            assert!((150_000_000..250_000_000).contains(&result.connect_ns), "{result:?}");
            assert!(result.local.is_some_and(|local| local.port() > 0), "{result:?}");
        }
    });
}

#[test]
fn a_probe_that_waits_can_be_stopped() {
    in_lab(|lab| {
        lab.on_far(|| nft("input", "meta l4proto tcp drop"));
        let (_server, to) = lab.far_listener(FAR[0], 16);
        let mut asked = 0;
        let mut stop = || {
            asked += 1;
            asked == 2
        };
        let result = probe_until(to, &Options::default(), &mut stop).expect("a result");
        assert_eq!((result.outcome, result.errno), (Outcome::Timeout, None), "{result:?}");
        assert!((200_000_000..2_000_000_000).contains(&result.connect_ns), "{result:?}");
    });
}

#[test]
fn silence_ends_at_the_kernels_timeout() {
    in_lab(|lab| {
        lab.on_far(|| nft("input", "meta l4proto tcp drop"));
        // One retransmission, a second after the first SYN, and nothing else: 3 s in all.
        sysctl("tcp_syn_linear_timeouts", "0");
        let (_server, to) = lab.far_listener(FAR[0], 16);
        let options = Options {
            syn_retries: Some(1),
            timeout: Duration::from_secs(10),
            ..Options::default()
        };
        let result = connect(to, &options);
        assert_eq!(
            (result.outcome, errno(&result)),
            (Outcome::Timeout, Some("ETIMEDOUT")),
            "{result:?}"
        );
        assert_eq!(result.syn_retransmissions, 1);
        assert!(
            (2_900_000_000..3_500_000_000).contains(&result.connect_ns),
            "{result:?}"
        );
    });
}

#[test]
fn a_lost_syn_is_seen_and_priced() {
    in_lab(|lab| {
        // The first SYN of each connection is dropped, the second one passes: a set remembers who knocked.
        lab.far_run("nft add table inet t");
        lab.far_run("nft add set inet t seen { type inet_service ; flags dynamic ; size 1000 ; }");
        lab.far_run("nft add chain inet t c { type filter hook input priority 0 ; }");
        lab.far_run(
            "nft add rule inet t c tcp flags & (syn|ack) == syn tcp sport != @seen add @seen { tcp sport } drop",
        );
        let (_server, to) = lab.far_listener(FAR[0], 16);
        let result = connect(to, &Options::default());
        assert_eq!(
            (result.outcome, result.syn_retransmissions),
            (Outcome::Established, 1),
            "{result:?}"
        );
        assert_eq!(
            (result.rtt_us, result.rtt_validity),
            (None, RttValidity::SynRetransmitted)
        );
        let wait = result.retransmit_wait.expect("a wait");
        assert_eq!(wait.method, WaitMethod::Timestamp);
        // A second, or two when the kernel found the first SYN still in a queue of this host and waited once more.
        assert!((990_000_000..2_300_000_000).contains(&wait.ns), "{result:?}");
        assert!(
            (wait.ns..wait.ns + 20_000_000).contains(&result.connect_ns),
            "{result:?}"
        );
    });
}

#[test]
fn a_lost_syn_without_timestamps_is_priced_by_the_schedule() {
    in_lab(|lab| {
        sysctl("tcp_timestamps", "0");
        lab.far_run("nft add table inet t");
        lab.far_run("nft add set inet t seen { type inet_service ; flags dynamic ; size 1000 ; }");
        lab.far_run("nft add chain inet t c { type filter hook input priority 0 ; }");
        lab.far_run(
            "nft add rule inet t c tcp flags & (syn|ack) == syn tcp sport != @seen add @seen { tcp sport } drop",
        );
        let (_server, to) = lab.far_listener(FAR[1], 16);
        let wait = connect(to, &Options::default()).retransmit_wait.expect("a wait");
        assert_eq!((wait.ns, wait.method), (1_000_000_000, WaitMethod::Schedule));
    });
}

fn rejected(lab: &Lab, rule: &str, address: &str) -> Probe {
    lab.on_far(|| nft("input", rule));
    let (_server, to) = lab.far_listener(address, 16);
    let result = connect(to, &Options::default());
    lab.far_run("nft delete table inet t");
    result
}

#[test]
fn icmp_rejections_say_which_and_who() {
    in_lab(|lab| {
        // (rule, far address, type, code): RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443 section 3.1.
        let cases = [
            ("reject with icmp port-unreachable", 0, 3, 3),
            ("reject with icmp host-unreachable", 0, 3, 1),
            ("reject with icmp net-unreachable", 0, 3, 0),
            ("reject with icmp admin-prohibited", 0, 3, 13),
            ("reject with icmpv6 port-unreachable", 1, 1, 4),
            ("reject with icmpv6 no-route", 1, 1, 0),
            ("reject with icmpv6 admin-prohibited", 1, 1, 1),
        ];
        for (reject, family, icmp_type, icmp_code) in cases {
            let protocol = ["meta nfproto ipv4", "meta nfproto ipv6"][family];
            let result = rejected(lab, &format!("{protocol} meta l4proto tcp {reject}"), FAR[family]);
            let icmp = result.icmp.unwrap_or_else(|| panic!("{reject}: {result:?}"));
            assert_eq!(
                (icmp.icmp_type, icmp.icmp_code, icmp.v6),
                (icmp_type, icmp_code, family == 1),
                "{reject}"
            );
            assert_eq!(icmp.offender, FAR[family].parse().ok(), "{reject}");
            assert_eq!(result.outcome, Outcome::Unreachable, "{reject}: {result:?}");
        }
    });
}

#[test]
fn a_reset_by_a_firewall_is_a_refusal() {
    in_lab(|lab| {
        for address in FAR {
            let result = rejected(lab, "meta l4proto tcp reject with tcp reset", address);
            assert_eq!((result.outcome, result.icmp), (Outcome::Refused, None), "{result:?}");
        }
    });
}

#[test]
fn a_router_without_a_route_says_so() {
    in_lab(|lab| {
        lab.on_far(|| sysctl("ip_forward", "1"));
        run("ip route add 192.0.2.0/24 via 10.77.0.2");
        let result = connect("192.0.2.1:80".parse().expect("a literal address"), &Options::default());
        let icmp = result.icmp.unwrap_or_else(|| panic!("{result:?}"));
        assert_eq!((icmp.icmp_type, icmp.icmp_code), (3, 0));
        assert_eq!(
            (result.outcome, icmp.offender),
            (Outcome::Unreachable, Some(IpAddr::from([10, 77, 0, 2])))
        );
    });
}

#[test]
fn without_a_route_nothing_is_sent() {
    in_lab(|_| {
        for address in ["198.51.100.1:80", "[2001:db8::1]:80"] {
            let result = connect(address.parse().expect("a literal address"), &impatient());
            assert_eq!(
                (result.outcome, errno(&result)),
                (Outcome::Unreachable, Some("ENETUNREACH")),
                "{result:?}"
            );
            assert_eq!(result.icmp, None);
        }
    });
}

#[test]
fn no_ports_left() {
    in_lab(|lab| {
        sysctl("ip_local_port_range", "40000 40009");
        let (_server, to) = lab.far_listener(FAR[0], 64);
        let held: Vec<_> = (0..10)
            .map(|_| std::net::TcpStream::connect(to).expect("a port is free"))
            .collect();
        let result = connect(to, &Options::default());
        assert_eq!(
            (result.outcome, errno(&result)),
            (Outcome::NotSent, Some("EADDRNOTAVAIL")),
            "{result:?}"
        );
        drop(held);
    });
}

#[test]
fn a_full_accept_queue_is_silence() {
    in_lab(|lab| {
        let (_server, to) = lab.far_listener(FAR[0], 1);
        // A backlog of 1 holds two.
        let _queued = [connect_and_hold(to), connect_and_hold(to)];
        let result = connect(to, &impatient());
        assert_eq!(result.outcome, Outcome::Timeout, "{result:?}");
    });
}

fn connect_and_hold(to: SocketAddr) -> std::net::TcpStream {
    std::net::TcpStream::connect(to).expect("room in the accept queue")
}

#[test]
fn a_server_that_never_accepts_acknowledges_and_stays_silent() {
    let (_server, to) = listener("127.0.0.1", 16);
    let wait = AwaitData {
        send: b"hello".to_vec(),
        timeout: Duration::from_millis(50),
    };
    let result = connect(
        to,
        &Options {
            await_data: Some(wait),
            ..Options::default()
        },
    );
    let data = result.data.expect("a report");
    assert_eq!((data.end, data.sent, data.acknowledged), (DataEnd::Silent, 5, Some(5)));
    assert!((50_000_000..150_000_000).contains(&data.waited_ns), "{data:?}");
}

#[test]
fn deferred_accept_is_silence_with_a_repeated_syn_ack() {
    in_lab(|lab| {
        let (server, to) = lab.far_listener(FAR[0], 16);
        halfopen_kernel::sys::set_int(&server, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 1).expect("TCP_DEFER_ACCEPT");
        let wait = AwaitData {
            send: Vec::new(),
            timeout: Duration::from_millis(1500),
        };
        let result = connect(
            to,
            &Options {
                await_data: Some(wait),
                ..Options::default()
            },
        );
        let data = result.data.expect("a report");
        assert_eq!(
            (data.end, data.segments_received, data.received),
            (DataEnd::Silent, Some(1), 0),
            "{data:?}"
        );
    });
}

#[test]
fn first_byte_is_timed_from_the_end_of_the_handshake() {
    let (server, to) = listener("::1", 16);
    let thread = std::thread::spawn(move || {
        let (peer, _) = server.accept().expect("accept");
        peer.send(b"220 ready").expect("send");
        peer
    });
    let wait = AwaitData {
        send: Vec::new(),
        timeout: Duration::from_secs(5),
    };
    let result = connect(
        to,
        &Options {
            await_data: Some(wait),
            ..Options::default()
        },
    );
    let data = result.data.expect("a report");
    assert_eq!((data.end, data.received), (DataEnd::FirstByte, 9), "{data:?}");
    thread.join().expect("the server");
}

fn fast_open_listener(lab: &Lab, address: &str) -> (socket2::Socket, SocketAddr) {
    lab.on_far(|| {
        sysctl("tcp_fastopen", "3");
        let (server, to) = listener(address, 16);
        halfopen_kernel::sys::set_int(&server, libc::IPPROTO_TCP, libc::TCP_FASTOPEN, 16).expect("TCP_FASTOPEN");
        (server, to)
    })
}

fn fast_open() -> Options {
    Options {
        fast_open: Some(b"GET / HTTP/1.0\r\n\r\n".to_vec()),
        ..Options::default()
    }
}

#[test]
fn fast_open_asks_for_a_cookie_and_then_uses_it() {
    in_lab(|lab| {
        for far in FAR {
            let (_server, to) = fast_open_listener(lab, far);
            let first = connect(to, &fast_open());
            assert_eq!(first.data, None, "nobody asked to wait");
            let first = first.fast_open.expect("a report");
            assert_eq!((first.syn_data, first.accepted), (None, false), "{first:?}");
            assert_eq!(first.failure, Some(FastOpenFailure::NoCookie));
            let second = connect(to, &fast_open()).fast_open.expect("a report");
            assert_eq!(
                (second.syn_data, second.accepted, second.failure),
                (Some(18), true, None),
                "{second:?}"
            );
        }
    });
}

#[test]
fn fast_open_with_a_wrong_key_falls_back() {
    in_lab(|lab| {
        let (_server, to) = fast_open_listener(lab, FAR[0]);
        connect(to, &fast_open());
        lab.on_far(|| sysctl("tcp_fastopen_key", "00000001-00000002-00000003-00000004"));
        let result = connect(to, &fast_open());
        let report = result.fast_open.expect("a report");
        assert_eq!((report.syn_data, report.accepted), (Some(18), false), "{report:?}");
        assert_eq!(report.failure, Some(FastOpenFailure::DataNotAcknowledged));
        assert_eq!(
            (result.outcome, result.rtt_us, result.rtt_validity),
            (Outcome::Established, None, RttValidity::SynDataResent),
            "the data sent again is acknowledged within connect() here: {result:?}"
        );
    });
}

#[test]
fn fast_open_switched_off_here_is_named() {
    in_lab(|lab| {
        let (_server, to) = fast_open_listener(lab, FAR[0]);
        sysctl("tcp_fastopen", "0");
        let result = connect(to, &fast_open());
        assert!(result.fast_open.expect("a report").disabled);
        assert_eq!(result.outcome, Outcome::Established);
    });
}

#[test]
fn fast_open_that_the_path_eats_costs_a_second() {
    in_lab(|lab| {
        let (_server, to) = fast_open_listener(lab, FAR[0]);
        connect(to, &fast_open());
        // A SYN of more than 60 bytes of headers carries data.
        lab.on_far(|| nft("input", "tcp flags & (syn|ack) == syn ip length > 80 drop"));
        let result = connect(to, &fast_open());
        let report = result.fast_open.expect("a report");
        assert_eq!(report.failure, Some(FastOpenFailure::SynRetransmitted), "{result:?}");
        assert_eq!((report.accepted, result.syn_retransmissions), (false, 1));
    });
}

#[test]
fn every_error_number_of_a_connect_has_a_name() {
    assert_eq!(errno_name(libc::EADDRNOTAVAIL), Some("EADDRNOTAVAIL"));
    assert_eq!(errno_name(-1), None);
}

#[test]
fn the_probe_itself_costs_less_than_twenty_microseconds() {
    in_lab(|lab| {
        for (server, to) in [lab.far_listener(FAR[0], 4096), listener("127.0.0.1", 4096)] {
            let mut added_ns: Vec<u64> = (0..500)
                .map(|_| connect(to, &Options::default()))
                .map(|result| result.connect_ns - u64::from(result.rtt_us.expect("a round trip")) * 1000)
                .collect();
            added_ns.sort_unstable();
            let median = added_ns[added_ns.len() / 2];
            eprintln!("{to}: wall time minus round trip, median {median} ns");
            assert!(median < 20_000, "{to}: {median} ns");
            drop(server);
        }
    });
}
