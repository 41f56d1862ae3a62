//! The relay and the source of SYNs, with the real stack on both sides.

mod common;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use common::{Lab, in_lab, run};
use halfopen_kernel::connect::{self, Options, Outcome};
use halfopen_kernel::lab::flood::{self, FloodError};
use halfopen_kernel::relay::{Deed, Link, Relay, Tun};

const SERVER: &str = "10.78.0.2";

/// A relay between the near and the far namespace, beside the veth pair.
fn relay(lab: &Lab, links: &str, faults: &[&str]) -> Relay {
    let device = |address: &str, peer: &str| {
        let tun = Tun::create("tun0").expect("a device");
        run(&format!("ip addr add {address} peer {peer} dev tun0"));
        run("ip link set tun0 up");
        tun
    };
    let near = device("10.78.0.1", "10.78.0.2");
    let far = lab.on_far(|| device("10.78.0.2", "10.78.0.1"));
    let relay = Relay::start(near, far, 1).expect("a relay");
    let link: Link = links.parse().expect("a link");
    relay.set_links(link.clone(), link);
    relay.set_faults(faults.iter().map(|text| text.parse().expect("a fault")).collect());
    relay
}

fn probe(target: SocketAddr) -> connect::Probe {
    connect::probe(target, &Options::default()).expect("a socket")
}

#[test]
fn a_link_takes_its_time() {
    in_lab(|lab| {
        let relay = relay(lab, "delay=20ms", &[]);
        let (_listener, target) = lab.far_listener(SERVER, 8);
        let probe = probe(target);
        assert_eq!(probe.outcome, Outcome::Established);
        let rtt = probe.rtt_us.expect("a round trip");
        assert!((40_000..60_000).contains(&rtt), "{rtt} us");
        assert!(relay.report().events.is_empty());
    });
}

#[test]
fn the_first_syn_ack_of_a_connection_is_dropped_and_only_that() {
    in_lab(|lab| {
        let relay = relay(lab, "", &["drop syn_ack first=1"]);
        let (_listener, target) = lab.far_listener(SERVER, 8);
        let probe = probe(target);
        assert_eq!((probe.outcome, probe.syn_retransmissions), (Outcome::Established, 1));
        let report = relay.report();
        assert_eq!(report.faults, [("drop syn_ack first=1".to_owned(), 1)]);
        assert_eq!(report.events[0].kind.name(), "syn_ack");
    });
}

#[test]
fn an_option_that_is_stripped_is_not_agreed_on() {
    in_lab(|lab| {
        let _relay = relay(lab, "", &["strip window_scale syn", "strip timestamps syn"]);
        let (_listener, target) = lab.far_listener(SERVER, 8);
        let agreed = probe(target).negotiated.expect("connected");
        assert_eq!((agreed.snd_wscale, agreed.rcv_wscale), (0, 0));
        assert!(!agreed.options.timestamps() && agreed.options.sack());
    });
}

#[test]
fn a_syn_may_be_answered_by_the_link_itself() {
    in_lab(|lab| {
        let relay = relay(lab, "", &["reset syn"]);
        let (_listener, target) = lab.far_listener(SERVER, 8);
        assert_eq!(probe(target).outcome, Outcome::Refused);
        relay.set_faults(vec!["prohibit syn".parse().expect("a fault")]);
        let probe = probe(target);
        assert_eq!(probe.outcome, Outcome::Unreachable);
        assert!(probe.icmp.is_some());
        let report = relay.report();
        assert_eq!(
            report.faults,
            [("reset syn".to_owned(), 1), ("prohibit syn".to_owned(), 1)]
        );
        let deeds: Vec<_> = report.events.iter().map(|event| event.deed).collect();
        assert_eq!(deeds, [Deed::Fault(0), Deed::Fault(1)]);
    });
}

#[test]
fn the_last_ack_comes_late_and_the_client_does_not_notice() {
    in_lab(|lab| {
        let _relay = relay(lab, "", &["delay=300ms final_ack"]);
        let (listener, target) = lab.far_listener(SERVER, 8);
        listener.set_nonblocking(false).expect("blocking");
        let begin = Instant::now();
        let _client = TcpStream::connect(target).expect("connected");
        let connected = begin.elapsed();
        listener.accept().expect("accepted");
        assert!(connected < Duration::from_millis(250), "{connected:?}");
        assert!(begin.elapsed() >= Duration::from_millis(300));
    });
}

#[test]
fn syns_are_sent_inside_a_laboratory_only() {
    in_lab(|lab| {
        let options = flood::Options {
            target: "10.77.0.2:8000".parse().expect("an address"),
            sources: "10.99.0.0".parse().expect("an address"),
            prefix: 16,
            rate: 0,
            count: 1000,
            time_max: Duration::from_secs(5),
            seed: 1,
        };
        let go = |options: &flood::Options| flood::flood(options, &AtomicBool::new(false));
        assert!(matches!(go(&options), Err(FloodError::NotOurs(_))));
        run("ip link property add dev lo altname halfopen-lab");
        let sent = go(&options).expect("sent");
        assert_eq!(sent.syns + sent.refused, 1000);
        assert!(sent.syns > 900, "{sent:?}");
        let arrived = lab.on_far(|| counter("Tcp", "InSegs"));
        assert!(
            arrived.as_ref().is_ok_and(|n| *n >= 900),
            "{arrived:?} segments arrived"
        );
    });
}

fn counter(group: &str, name: &str) -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/net/snmp")?;
    let mut lines = text.lines().filter(|line| line.split(':').next() == Some(group));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let found = names
        .split_whitespace()
        .zip(values.split_whitespace())
        .find(|(n, _)| *n == name);
    found
        .and_then(|(_, value)| value.parse().ok())
        .ok_or_else(|| io::Error::other(format!("no {group} {name}")))
}
