#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| halfopen_fuzz::capture::pcap(input));
