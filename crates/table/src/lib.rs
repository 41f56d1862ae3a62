//! # table: handshakes to columns and lines
//!
//! Takes finished records and writes them: Arrow record batches, Parquet, JSON Lines, CSV; and filters them.
//!
//! **Architecture Invariant:** knows no packet and no flow, only finished records; knows no Python.
#![forbid(unsafe_code)]
