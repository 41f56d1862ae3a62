//! # table: handshakes to columns and lines
//!
//! Takes finished records and writes them: Arrow record batches, Parquet, JSON Lines, CSV; and filters and sorts them.
//!
//! - [`field`] is the one table of the record's fields, which everything else walks.
//! - [`filter`] and [`select`] choose and order; [`collection`] keeps.
//! - [`jsonl`], [`csv`], [`arrow`], [`parquet`] write; [`made`] takes records that no tracker made.
//!
//! **Limits.** The writers hold one batch (65 536 rows), Parquet one row group of encoded columns besides.
//!
//! **Architecture Invariant:** knows no packet and no flow, only finished records; knows no Python.
#![forbid(unsafe_code)]

pub mod arrow;
pub mod collection;
pub mod csv;
pub mod field;
pub mod filter;
#[cfg(test)]
mod format_tests;
pub mod jsonl;
pub mod made;
pub mod names;
pub mod parquet;
pub mod select;
#[cfg(test)]
mod testing;
mod text;

pub use collection::Collection;
pub use field::{FIELDS, Get, OPTION_FIELDS, SCHEMA};
pub use filter::{Filter, FilterError};
pub use names::{Names, source_name};
pub use select::{SortKey, Sorter};
