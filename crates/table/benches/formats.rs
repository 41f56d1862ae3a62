//! How long it takes to write records in each format: `cargo bench -p halfopen-table --bench formats -- [RECORDS] [FORMAT…]`.
//! One thread, into memory that is thrown away, so that the disk has no part in it.

use std::io::{self, Write};
use std::time::Instant;

use halfopen_table::{Names, arrow::BatchBuilder, csv, jsonl::JsonLines, parquet::ParquetFile};
use halfopen_track::{Anomalies, Close, Handshake, Outcome, Side, SideOptions, TimeWait};
use halfopen_wire::{Address, EncapId, EncapTable, FastOpenOption, SynOptions};

/// Records that exist at the same time, as in the pipeline.
const CHUNK: usize = 4096;

/// A linear congruential generator (Knuth's MMIX constants): the same records in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn options(random: &mut Random) -> SideOptions {
    SideOptions {
        tcp: SynOptions {
            mss: Some([1460, 1460, 1460, 1400][random.below(4) as usize]),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((random.below(1 << 31) as u32, 0)),
            fast_open: FastOpenOption::Absent,
            ..SynOptions::default()
        },
        ecn: false,
        ace: 0,
        window: 64240,
    }
}

/// An ordinary connection with high-entropy numbers, as the generated capture of two million connections holds them.
fn record(i: u64, random: &mut Random) -> Handshake {
    let (there, back) = (
        200_000 + random.below(800_000) as i64,
        20_000 + random.below(100_000) as i64,
    );
    let retransmitted = random.below(50) == 0;
    let wait = if retransmitted {
        1_000_000_000 + random.below(5_000_000) as i64
    } else {
        0
    };
    Handshake {
        file: 0,
        number: i + 1,
        start_ns: 1_700_000_000_000_000_000 + (i * 15_000 + random.below(9_000)) as i64,
        timed: true,
        client: Address::from_v4([
            10,
            random.below(4) as u8,
            random.below(256) as u8,
            random.below(256) as u8,
        ]),
        client_port: 1024 + random.below(64_000) as u16,
        server: Address::from_v4([192, 168, 1, random.below(8) as u8]),
        server_port: [80, 443, 8080][random.below(3) as usize],
        encap: EncapId::NONE,
        outcome: Outcome::Established,
        syn_sent: 1 + u32::from(retransmitted),
        syn_ack_sent: 1,
        syn_to_syn_ack_ns: Some(wait + there),
        syn_ack_to_ack_ns: Some(back),
        handshake_ns: Some(wait + there + back),
        retransmit_wait_ns: Some(wait),
        client_options: Some(options(random)),
        server_options: Some(options(random)),
        isn_client: Some(random.below(1 << 32) as u32),
        isn_server: Some(random.below(1 << 32) as u32),
        syn_data_bytes: Some(0),
        fast_open: None,
        simultaneous: false,
        duration_ns: Some(wait + there * 20),
        client_bytes: 100 + random.below(400),
        server_bytes: 1000 + random.below(4000),
        closed_by: Some(Side::Client),
        close: Some(Close::Fin),
        time_wait: Some(TimeWait::Client),
        anomalies: Anomalies(if retransmitted { 1 << 4 } else { 0 }),
        ttl_client: Some(64),
        ttl_server: Some(57),
        frame_syn: Some(i * 8 + 1),
        frame_syn_ack: Some(i * 8 + 2 + random.below(6)),
        frame_ack: Some(i * 8 + 9 + random.below(6)),
        icmp: None,
    }
}

struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Feeds `total` records to `work` in chunks and times only `work`, not their making.
fn measure(what: &str, total: u64, mut work: impl FnMut(Option<&[Handshake]>) -> u64) {
    let formats: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg.starts_with(char::is_alphabetic))
        .collect();
    if !formats.is_empty() && !formats.iter().any(|format| format == what) {
        return;
    }
    let mut random = Random(1);
    let (mut bytes, mut seconds, mut made) = (0, 0.0, 0);
    let mut timed = |chunk: Option<&[Handshake]>| {
        let start = Instant::now();
        bytes += work(chunk);
        seconds += start.elapsed().as_secs_f64();
    };
    while made < total {
        let n = (total - made).min(CHUNK as u64);
        let chunk: Vec<Handshake> = (made..made + n).map(|i| record(i, &mut random)).collect();
        made += n;
        timed(Some(&chunk));
    }
    timed(None);
    let (per_record, rate) = (bytes as f64 / total as f64, bytes as f64 / 1e9 / seconds);
    println!("{what:<8} {total} records in {seconds:.2} s, {per_record:.0} bytes each, {rate:.2} GB/s");
}

fn main() {
    let total = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(2_000_000);
    let (sources, encaps) = (vec!["/captures/handshakes.pcap".to_owned()], EncapTable::default());
    let names = Names {
        sources: &sources,
        encaps: &encaps,
    };
    println!("a record is {} bytes in memory", size_of::<Handshake>());

    let (mut writer, mut out) = (JsonLines::new(), Vec::new());
    measure("jsonl", total, |chunk| {
        out.clear();
        writer.write_batch(chunk.unwrap_or_default(), &names, &mut out);
        out.len() as u64
    });
    measure("csv", total, |chunk| {
        out.clear();
        csv::write_batch(chunk.unwrap_or_default(), &names, &mut out);
        out.len() as u64
    });
    let mut builder = BatchBuilder::new();
    measure("arrow", total, |chunk| {
        builder.append(chunk.unwrap_or_default(), &names);
        if chunk.is_some() && builder.len() < halfopen_table::arrow::BATCH_ROWS {
            return 0;
        }
        builder
            .finish()
            .expect("the texts of a batch are far below 2 GiB")
            .get_array_memory_size() as u64
    });
    let mut file = Some(ParquetFile::new(Counted(0)).expect("the schema is one that Parquet has"));
    measure("parquet", total, |chunk| match chunk {
        Some(chunk) => {
            let file = file.as_mut().expect("taken only at the end");
            file.write_batch(chunk, &names)
                .expect("nothing here fails to be written");
            0
        }
        None => {
            file.take()
                .expect("taken only here")
                .finish()
                .expect("nothing here fails to be written")
                .0
        }
    });
}
