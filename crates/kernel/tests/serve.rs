//! The knobs of the test server, each seen from the other end.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use common::{FAR, in_lab, sysctl};
use halfopen_kernel::connect::{self, AwaitData, DataEnd, Outcome, probe};
use halfopen_kernel::serve::{Accept, Accepted, Close, Closed, Ending, Event, Options, Reply, Server};

const PATIENCE: Duration = Duration::from_secs(10);

fn start(options: Options) -> (Server, SocketAddr, Receiver<Event>) {
    let (sender, events) = sync_channel(1024);
    let server = Server::start(options, Some(sender)).expect("a server");
    let address = server.addresses()[0];
    (server, address, events)
}

fn loopback(ip: &str) -> Vec<SocketAddr> {
    vec![SocketAddr::new(ip.parse().expect("a literal address"), 0)]
}

fn accepted(events: &Receiver<Event>) -> Accepted {
    loop {
        if let Event::Accepted(event) = events.recv_timeout(PATIENCE).expect("an accepted connection") {
            return event;
        }
    }
}

fn closed(events: &Receiver<Event>) -> Closed {
    loop {
        if let Event::Closed(event) = events.recv_timeout(PATIENCE).expect("a closed connection") {
            return event;
        }
    }
}

fn open(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

fn read_all(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the whole answer");
    bytes
}

#[test]
fn each_connection_is_told_from_both_ends() {
    for ip in ["127.0.0.1", "::1"] {
        let (server, to, events) = start(Options {
            addresses: loopback(ip),
            ..Options::default()
        });
        let mut client = open(to);
        let event = accepted(&events);
        assert_eq!((Some(event.peer), event.local), (client.local_addr().ok(), to));
        assert_eq!(
            (event.syn_ack_retransmissions, event.syn_data, event.syn_cookie),
            (0, false, Some(false))
        );
        assert!(event.rtt_us.is_some_and(|us| us < 1_000_000), "{event:?}");
        client.write_all(b"hello").expect("send");
        drop(client);
        let event = closed(&events);
        assert_eq!((event.ending, event.received, event.sent), (Ending::ByClient, 5, 0));
        server.stop().expect("a clean end");
        assert_eq!(
            TcpStream::connect(to).expect_err("nobody listens").kind(),
            ErrorKind::ConnectionRefused
        );
    }
}

#[test]
fn banner_then_fin() {
    let (_server, to, events) = start(Options {
        reply: Reply::Banner(b"220 hi".to_vec()),
        close: Close::Fin,
        ..Options::default()
    });
    assert_eq!(read_all(&open(to)), b"220 hi");
    assert_eq!(closed(&events).ending, Ending::ByServer);
}

#[test]
fn banner_then_reset() {
    let (_server, to, events) = start(Options {
        reply: Reply::Banner(b"220 hi".to_vec()),
        close: Close::Rst,
        ..Options::default()
    });
    let mut client = open(to);
    closed(&events);
    let error = client.read_to_end(&mut Vec::new()).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn echo_more_than_the_buffers_hold() {
    let (_server, to, _events) = start(Options {
        reply: Reply::Echo,
        ..Options::default()
    });
    let stream = open(to);
    let sent: Vec<u8> = (0..8_000_000_u32).map(|n| (n % 251) as u8).collect();
    let writer = stream.try_clone().expect("a second handle");
    let received = std::thread::scope(|scope| {
        scope.spawn(|| {
            (&writer).write_all(&sent).expect("send");
            writer.shutdown(Shutdown::Write).expect("FIN");
        });
        read_all(&stream)
    });
    assert!(received == sent, "{} of {} bytes", received.len(), sent.len());
}

#[test]
fn http_keeps_alive_until_asked_to_close() {
    let (_server, to, events) = start(Options {
        reply: Reply::Http(b"abc".to_vec()),
        ..Options::default()
    });
    let mut stream = open(to);
    for piece in [
        "GET / HT",
        "TP/1.1\r\n\r",
        "\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    ] {
        stream.write_all(piece.as_bytes()).expect("send");
    }
    let text = String::from_utf8(read_all(&stream)).expect("text");
    let one = |connection| format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: {connection}\r\n\r\nabc");
    assert_eq!(text, one("keep-alive") + &one("close"));
    assert_eq!(closed(&events).ending, Ending::ByServer);
}

#[test]
fn an_endless_head_ends_the_connection() {
    let (_server, to, events) = start(Options {
        reply: Reply::Http(Vec::new()),
        ..Options::default()
    });
    // The server closes with data unread, so that the rest may meet a reset.
    let _ = open(to).write_all(&vec![b'x'; 1 << 20]);
    assert!(matches!(closed(&events).ending, Ending::Failed(_)));
}

#[test]
fn an_accept_delay_is_seen_as_time_in_the_queue() {
    let delay = Duration::from_millis(120);
    let (server, to, events) = start(Options {
        accept: Accept::After(delay),
        ..Options::default()
    });
    let begin = Instant::now();
    let mut clients = [open(to), open(to)];
    // What the client sends while it waits does not make the wait look shorter.
    clients[0].write_all(b"are you there?").expect("send");
    assert_eq!(server.queues()[0].depth, 2);
    let first = accepted(&events);
    assert!(begin.elapsed() >= delay);
    let near = |ms: u32, expected: u32| ms + first.accept_wait.precision_ms >= expected && ms < expected + 100;
    assert!(near(first.accept_wait.ms, 120), "{first:?}");
    assert_eq!((first.bytes_at_accept, first.queue.map(|q| q.depth)), (14, Some(1)));
    let second = accepted(&events);
    assert!(near(second.accept_wait.ms, 240), "{second:?}");
}

#[test]
fn a_fin_is_no_byte_that_waits() {
    let (_server, to, events) = start(Options {
        accept: Accept::After(Duration::from_millis(50)),
        ..Options::default()
    });
    drop(open(to));
    assert_eq!(accepted(&events).bytes_at_accept, 0);
    let mut client = open(to);
    client.write_all(b"abc").expect("send");
    drop(client);
    assert_eq!(accepted(&events).bytes_at_accept, 3);
}

#[test]
fn an_accept_rate_spreads_a_burst() {
    let (_server, to, events) = start(Options {
        accept: Accept::PerSecond(50),
        ..Options::default()
    });
    let _clients: Vec<_> = (0..6).map(|_| open(to)).collect();
    let times: Vec<i64> = (0..6).map(|_| accepted(&events).at_ns).collect();
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|&gap| gap >= 19_000_000), "{gaps:?}");
}

#[test]
fn a_queue_that_nobody_empties_fills_to_one_more_than_its_limit() {
    in_lab(|lab| {
        for far in FAR {
            let address = SocketAddr::new(far.parse().expect("a literal address"), 0);
            let options = Options {
                addresses: vec![address],
                backlog: 2,
                accept: Accept::Never,
                ..Options::default()
            };
            let (server, to, _events) = lab.on_far(|| start(options));
            let _held: Vec<_> = (0..3).map(|_| open(to)).collect();
            let queue = server.queues()[0];
            assert_eq!((queue.depth, queue.limit), (3, 2));
            let hurry = connect::Options {
                timeout: Duration::from_millis(100),
                ..connect::Options::default()
            };
            assert_eq!(probe(to, &hurry).expect("a probe").outcome, Outcome::Timeout);
        }
    });
}

#[test]
fn deferred_accept_waits_for_data() {
    let (_server, to, events) = start(Options {
        defer_accept: Some(5),
        ..Options::default()
    });
    let mut client = open(to);
    // Before the probe: its end sends a FIN, and the kernel hands a connection that is closed to accept() as well.
    let nothing = events.recv_timeout(Duration::from_millis(50));
    assert!(nothing.is_err(), "the client is connected, and not accepted");
    client.write_all(b"x").expect("send");
    let late = accepted(&events);
    assert_eq!(late.bytes_at_accept, 1);
    assert_eq!(late.rtt_us, None, "until the first data is no round trip: {late:?}");
    let wait = connect::Options {
        await_data: Some(AwaitData {
            send: Vec::new(),
            timeout: Duration::from_millis(50),
        }),
        ..connect::Options::default()
    };
    let silent = probe(to, &wait).expect("a probe").data.expect("a report");
    assert_eq!(silent.end, DataEnd::Silent);
}

#[test]
fn fast_open_data_is_there_at_accept() {
    in_lab(|_| {
        sysctl("tcp_fastopen", "3");
        let (_server, to, events) = start(Options {
            fast_open: Some(16),
            ..Options::default()
        });
        let options = connect::Options {
            fast_open: Some(b"0-RTT".to_vec()),
            ..connect::Options::default()
        };
        for expected in [false, true] {
            let report = probe(to, &options).expect("a probe").fast_open.expect("a report");
            let event = accepted(&events);
            assert_eq!((report.accepted, event.syn_data), (expected, expected), "{event:?}");
        }
    });
}

#[test]
fn a_cookie_connection_is_told_from_another() {
    in_lab(|_| {
        sysctl("tcp_syncookies", "2");
        let (_server, to, events) = start(Options::default());
        let _client = open(to);
        let event = accepted(&events);
        assert_eq!((event.syn_cookie, event.rtt_us), (Some(true), None));
    });
}

#[test]
fn a_lost_syn_ack_is_counted() {
    in_lab(|_| {
        // The first SYN-ACK of a connection is dropped on its way in, the second one passes.
        for rule in [
            "add table inet t",
            "add set inet t seen { type inet_service ; flags dynamic ; size 1000 ; }",
            "add chain inet t c { type filter hook input priority 0 ; }",
            "add rule inet t c tcp flags & (syn|ack) == syn|ack tcp dport != @seen add @seen { tcp dport } drop",
        ] {
            common::run(&format!("nft {rule}"));
        }
        let (_server, to, events) = start(Options::default());
        let _client = open(to);
        let event = accepted(&events);
        // One by the server's timer, one in answer to the client's SYN, which is sent again at the same time: or both.
        assert!(
            (1..=2).contains(&event.syn_ack_retransmissions) && event.rtt_us.is_none(),
            "{event:?}"
        );
    });
}

#[test]
fn reuse_port_shares_one_address() {
    let (server, to, events) = start(Options {
        reuse_port: 3,
        ..Options::default()
    });
    assert_eq!(server.addresses(), [to]);
    assert_eq!(server.queues().iter().filter(|queue| queue.address == to).count(), 3);
    let clients: Vec<_> = (0..30).map(|_| open(to)).collect();
    let mut ids: Vec<u64> = clients.iter().map(|_| accepted(&events).id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..30).collect::<Vec<u64>>());
}

#[test]
fn a_slow_reader_of_events_loses_them_and_is_told_how_many() {
    let (sender, events) = sync_channel(1);
    let options = Options {
        reply: Reply::Banner(b"x".to_vec()),
        close: Close::Fin,
        ..Options::default()
    };
    let server = Server::start(options, Some(sender)).expect("a server");
    for _ in 0..3 {
        read_all(&open(server.addresses()[0]));
    }
    // Three connections make six events; one fits. The last one may be told after its client has read the end.
    let deadline = Instant::now() + PATIENCE;
    while server.totals().lost_events < 5 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert_eq!((server.totals().lost_events, events.try_iter().count()), (5, 1));
}

#[test]
fn an_address_in_use_is_named() {
    let (_server, to, _events) = start(Options::default());
    let error = Server::start(
        Options {
            addresses: vec![to],
            ..Options::default()
        },
        None,
    )
    .expect_err("in use");
    let text = error.to_string();
    assert!(
        text.contains(&to.to_string()) && text.ends_with("(EADDRINUSE)"),
        "{text}"
    );
}
