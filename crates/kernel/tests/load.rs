//! The load engine against the test server.

mod common;

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{FAR, closed_port, in_lab, listener, nft, sysctl};
use halfopen_kernel::load::{
    ClientLimit, CloseMode, Exchange, Failure, Options, Pace, Progress, Report, get_request, run,
};
use halfopen_kernel::serve::{self, Accept, Close, Reply, Server};
use halfopen_kernel::sys::Errno;

fn server(reply: Reply, close: Close) -> (Server, SocketAddr) {
    let server = Server::start(
        serve::Options {
            reply,
            close,
            ..serve::Options::default()
        },
        None,
    )
    .expect("a server");
    let address = server.addresses()[0];
    (server, address)
}

fn closed_loop(target: SocketAddr, connections: usize, total: u64) -> Options {
    Options {
        target,
        sources: Vec::new(),
        pace: Pace::Closed {
            connections,
            total,
            duration: None,
        },
        exchange: Exchange::Connect,
        close: CloseMode::Rst,
        timeout: Duration::from_secs(10),
        threads: 1,
    }
}

fn http(per_connection: u32) -> Exchange {
    Exchange::Http {
        request: get_request("/", "localhost", true),
        last_request: get_request("/", "localhost", false),
        per_connection,
    }
}

fn load(options: &Options) -> Report {
    let progress = Progress::default();
    let report = run(options, &progress, &AtomicBool::new(false)).expect("a load");
    let counts = progress.counts();
    let failed: u64 = report.failures.values().sum();
    assert_eq!(
        (counts.attempted, counts.established, counts.completed, counts.failed),
        (report.attempted, report.established, report.completed, failed),
    );
    assert_eq!(
        report.attempted,
        report.completed + failed + report.abandoned,
        "{report:?}"
    );
    report
}

#[test]
fn every_exchange_completes_with_every_close() {
    let (_plain, plain) = server(Reply::Silent, Close::AfterClient);
    let (_closing, closing) = server(Reply::Banner(b"220 hi".to_vec()), Close::Fin);
    let (_echo, echo) = server(Reply::Echo, Close::AfterClient);
    let (_web, web) = server(Reply::Http(b"abc".to_vec()), Close::AfterClient);
    let send = |expect| Exchange::Send {
        payload: b"ping".to_vec(),
        expect,
    };
    let speak = Exchange::Send {
        payload: Vec::new(),
        expect: None,
    };
    let cases = [
        (plain, Exchange::Connect, CloseMode::Fin, 0),
        (plain, Exchange::Connect, CloseMode::Rst, 0),
        (closing, Exchange::Connect, CloseMode::ServerFirst, 0),
        (closing, speak.clone(), CloseMode::ServerFirst, 6),
        (closing, speak, CloseMode::Rst, 6),
        (echo, send(Some(4)), CloseMode::Fin, 4),
        (echo, send(Some(4)), CloseMode::Rst, 4),
        (web, http(1), CloseMode::Fin, 60),
        (web, http(1), CloseMode::Rst, 60),
        (web, http(1), CloseMode::ServerFirst, 60),
    ];
    for (target, exchange, close, bytes) in cases {
        for threads in [1, 2] {
            let what = format!("{exchange:?} {close:?} {threads}");
            let report = load(&Options {
                exchange: exchange.clone(),
                close,
                threads,
                ..closed_loop(target, 8, 300)
            });
            assert_eq!(
                (report.attempted, report.established, report.completed),
                (300, 300, 300),
                "{what} {report:?}"
            );
            assert_eq!(report.connect.count(), 300);
            assert!(report.received_bytes >= bytes * 300, "{what} {report:?}");
            assert_eq!(report.first_byte.count(), if bytes > 0 { 300 } else { 0 }, "{what}");
            assert!(report.kernel_rtt.count() >= 300 / 64, "{what}");
            if close == CloseMode::ServerFirst {
                assert_eq!(report.closed_by_server, 300, "{what}");
            }
        }
    }
}

#[test]
fn ipv6_and_several_sources() {
    let (_far, to) = server(Reply::Http(b"abc".to_vec()), Close::AfterClient);
    let sources: Vec<IpAddr> = (2..5).map(|n| IpAddr::from([127, 0, 0, n])).collect();
    let report = load(&Options {
        sources,
        exchange: http(1),
        close: CloseMode::Fin,
        ..closed_loop(to, 6, 90)
    });
    assert_eq!(report.completed, 90, "{report:?}");

    let v6 = serve::Options {
        addresses: vec![SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0))],
        ..Default::default()
    };
    let server = Server::start(v6, None).expect("a server");
    assert_eq!(load(&closed_loop(server.addresses()[0], 4, 50)).completed, 50);
}

#[test]
fn kept_alive_connections_carry_every_request() {
    let (_web, to) = server(Reply::Http(b"abc".to_vec()), Close::AfterClient);
    for close in [CloseMode::Rst, CloseMode::ServerFirst] {
        let report = load(&Options {
            exchange: http(5),
            close,
            ..closed_loop(to, 4, 40)
        });
        assert_eq!(
            (report.completed, report.statuses.get(&200)),
            (40, Some(&200)),
            "{report:?}"
        );
        assert_eq!((report.response.count(), report.reused_response.count()), (40, 160));
    }
}

#[test]
fn a_server_that_closes_early_or_talks_nonsense_is_a_failure() {
    let (_closing, closing) = server(Reply::Silent, Close::Fin);
    let report = load(&Options {
        exchange: http(1),
        ..closed_loop(closing, 2, 10)
    });
    let reset = Failure::Exchange(Errno(libc::ECONNRESET));
    let early: u64 = [Failure::ClosedEarly, reset]
        .iter()
        .filter_map(|f| report.failures.get(f))
        .sum();
    assert_eq!(early, 10, "{report:?}");

    let (_ssh, ssh) = server(Reply::Banner(b"SSH-2.0-x\r\n\r\n".to_vec()), Close::AfterClient);
    let report = load(&Options {
        exchange: http(1),
        ..closed_loop(ssh, 2, 10)
    });
    assert_eq!(report.failures.get(&Failure::BadResponse), Some(&10), "{report:?}");
}

#[test]
fn refused_connections_are_counted_by_their_error() {
    let report = load(&closed_loop(closed_port("127.0.0.1"), 4, 3000));
    assert_eq!(
        report.failures.get(&Failure::Connect(Errno(libc::ECONNREFUSED))),
        Some(&3000),
        "{report:?}"
    );
    assert_eq!((report.established, report.attempted), (0, 3000));
}

#[test]
fn timeouts_of_connect_and_answer_are_told_apart() {
    in_lab(|lab| {
        let (_server, to) = lab.far_listener(FAR[0], 16);
        lab.on_far(|| nft("input", "meta l4proto tcp drop"));
        let hurry = Options {
            timeout: Duration::from_millis(80),
            ..closed_loop(to, 4, 8)
        };
        assert_eq!(load(&hurry).failures.get(&Failure::ConnectTimeout), Some(&8));

        let (_mute, to) = listener("127.0.0.1", 64);
        let hurry = Options {
            exchange: http(1),
            timeout: Duration::from_millis(80),
            ..closed_loop(to, 4, 8)
        };
        assert_eq!(load(&hurry).failures.get(&Failure::ExchangeTimeout), Some(&8));
    });
}

#[test]
fn too_few_ports_are_the_clients_limit() {
    in_lab(|_| {
        // The server first: its own port would come out of the ten.
        let (_server, to) = server(Reply::Silent, Close::AfterClient);
        sysctl("ip_local_port_range", "40000 40009");
        sysctl("tcp_tw_reuse", "0");
        let fin = Options {
            close: CloseMode::Fin,
            ..closed_loop(to, 2, 30)
        };
        let report = load(&fin);
        assert_eq!(report.client_limit(), Some(ClientLimit::Ports), "{report:?}");
        assert_eq!(
            report.failures.get(&Failure::Connect(Errno(libc::EADDRNOTAVAIL))),
            Some(&20)
        );

        // The same number again by RST, which leaves no TIME_WAIT, from an address of its own.
        let sources = vec![IpAddr::from([127, 0, 0, 9])];
        let report = load(&Options {
            sources,
            ..closed_loop(to, 2, 30)
        });
        assert_eq!((report.completed, report.failures.len()), (30, 0), "{report:?}");
    });
}

#[test]
fn a_lost_syn_is_counted_as_a_retransmission() {
    in_lab(|lab| {
        for rule in [
            "add table inet t",
            "add set inet t seen { type inet_service ; flags dynamic ; size 1000 ; }",
            "add chain inet t c { type filter hook input priority 0 ; }",
            "add rule inet t c tcp flags & (syn|ack) == syn tcp sport != @seen add @seen { tcp sport } drop",
        ] {
            lab.far_run(&format!("nft {rule}"));
        }
        let (_server, to) = lab.far_listener(FAR[1], 64);
        let report = load(&closed_loop(to, 5, 5));
        assert_eq!(
            (report.completed, report.retransmitted, report.retransmissions),
            (5, 5, 5),
            "{report:?}"
        );
        assert!(
            report.connect.quantile_ns(0.5).is_some_and(|ns| ns >= 1_000_000_000),
            "{report:?}"
        );
        assert_eq!(report.kernel_rtt.count(), 0, "a round trip with a lost SYN is none");
    });
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let (_server, to) = server(Reply::Silent, Close::AfterClient);
    let pace = Pace::Open {
        rate: 500,
        duration: Duration::from_millis(400),
        max_in_flight: 50,
    };
    for threads in [1, 2] {
        let report = load(&Options {
            pace,
            threads,
            ..closed_loop(to, 1, 0)
        });
        assert_eq!((report.completed, report.unstarted), (200, 0), "{report:?}");
        assert!((390_000_000..1_000_000_000).contains(&report.elapsed_ns), "{report:?}");
        assert!(
            report.lag.quantile_ns(0.5).is_some_and(|ns| ns < 5_000_000),
            "{report:?}"
        );
    }
}

#[test]
fn an_open_loop_counts_the_wait_that_a_slow_server_causes() {
    // One connection at a time, each held for 20 ms: 50 a second, where 200 are asked for.
    let slow = serve::Options {
        accept: Accept::After(Duration::from_millis(20)),
        reply: Reply::Banner(b"x".to_vec()),
        close: Close::Fin,
        ..serve::Options::default()
    };
    let server = Server::start(slow, None).expect("a server");
    let pace = Pace::Open {
        rate: 200,
        duration: Duration::from_millis(300),
        max_in_flight: 1,
    };
    let exchange = Exchange::Send {
        payload: Vec::new(),
        expect: None,
    };
    let report = load(&Options {
        pace,
        exchange,
        ..closed_loop(server.addresses()[0], 1, 0)
    });
    assert!(report.unstarted > 20, "what was never begun is said: {report:?}");
    // The last ones began some 200 ms late, which is in their latency, though each took the server 20 ms only.
    assert!(
        report.response.max_ns().is_some_and(|ns| ns > 150_000_000),
        "{report:?}"
    );
    assert!(
        report.first_byte.quantile_ns(0.5).is_some_and(|ns| ns < 100_000_000),
        "{report:?}"
    );
}

#[test]
fn a_stop_ends_a_load_with_what_there_is() {
    let (_server, to) = listener("127.0.0.1", 64);
    let progress = Progress::default();
    let stop = AtomicBool::new(false);
    // Nobody answers: only the stop can end this.
    let options = Options {
        exchange: http(1),
        timeout: Duration::from_secs(3600),
        ..closed_loop(to, 8, 1_000_000)
    };
    let report = std::thread::scope(|scope| {
        let load = scope.spawn(|| run(&options, &progress, &stop).expect("a load"));
        while progress.counts().established < 8 {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        load.join().expect("the load")
    });
    assert_eq!(
        (report.established, report.completed, report.abandoned),
        (8, 0, 8),
        "{report:?}"
    );
}
