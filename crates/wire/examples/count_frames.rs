//! Counts the frames of captures, to measure reading alone: `cargo run --release --example count_frames -- FILE…`.

use std::time::Instant;

use halfopen_wire::capture::CaptureSet;

fn main() {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    let begin = Instant::now();
    let mut set = match CaptureSet::open(&paths) {
        Ok(set) => set,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(3);
        }
    };
    let (mut frames, mut captured, mut last_ns, mut backwards) = (0_u64, 0_u64, i64::MIN, 0_u64);
    while let Some(frame) = set.next() {
        frames += 1;
        captured += frame.data.len() as u64;
        backwards += u64::from(frame.time_ns < last_ns);
        last_ns = frame.time_ns;
    }
    let seconds = begin.elapsed().as_secs_f64();
    for input in set.inputs() {
        let defects: Vec<_> = input
            .defects
            .nonzero()
            .map(|(d, n)| format!("{} {n}", d.name()))
            .collect();
        let failure = input.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        println!(
            "{}: {} packets, {} bytes {} {failure}",
            input.path.display(),
            input.packets,
            input.bytes,
            defects.join(", ")
        );
    }
    println!(
        "{frames} frames ({backwards} back in time), {captured} bytes captured, {seconds:.3} s: {:.1} M frames/s, {:.2} GB/s",
        frames as f64 / seconds / 1e6,
        captured as f64 / seconds / 1e9
    );
}
