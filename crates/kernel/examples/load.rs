//! The load engine alone, for its benchmark: `load ADDRESS CONNECTIONS TOTAL connect|http fin|rst|server-first [SOURCE,…]`.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use halfopen_kernel::load::{CloseMode, Exchange, Options, Pace, Progress, get_request, run};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [target, connections, total, exchange, close, sources @ ..] = words.as_slice() else {
        panic!("ADDRESS CONNECTIONS TOTAL connect|http fin|rst|server-first [SOURCE,…]");
    };
    // As the command asks: only where the server is to close first.
    let request = get_request("/", target, close != "server-first");
    let options = Options {
        target: target.parse().expect("address:port"),
        sources: sources
            .iter()
            .flat_map(|list| list.split(','))
            .map(|source| source.parse().expect("an address"))
            .collect(),
        pace: Pace::Closed {
            connections: connections.parse().expect("a number"),
            total: total.parse().expect("a number"),
            duration: None,
        },
        exchange: match exchange.as_str() {
            "http" => Exchange::Http {
                last_request: request.clone(),
                request,
                per_connection: 1,
            },
            _ => Exchange::Connect,
        },
        close: match close.as_str() {
            "fin" => CloseMode::Fin,
            "rst" => CloseMode::Rst,
            _ => CloseMode::ServerFirst,
        },
        timeout: Duration::from_secs(10),
        threads: 1,
    };
    let report = run(&options, &Progress::default(), &AtomicBool::new(false)).expect("a load");
    println!(
        "{:.0}/s completed {} failures {:?} retransmitted {} limit {:?} connect p50 {:?} kernel p50 {:?} first byte p50 {:?}",
        report.connections_per_s(),
        report.completed,
        report.failures,
        report.retransmitted,
        report.client_limit(),
        report.connect.quantile_ns(0.5),
        report.kernel_rtt.quantile_ns(0.5),
        report.first_byte.quantile_ns(0.5),
    );
}
