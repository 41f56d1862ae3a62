//! Records that are kept, to be taken as columns or lines as often as one likes.
//!
//! Kept as records, 400 bytes each: the columns are made batch by batch when a reader asks, so that a dataframe that
//! drops a batch after use never has all of them in memory.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use halfopen_track::Handshake;
use halfopen_wire::EncapTable;

use crate::arrow::{BATCH_ROWS, BatchBuilder};
use crate::names::Names;

/// Records in the order in which they were pushed, with the texts that they refer to.
#[derive(Debug)]
pub struct Collection {
    /// Full chunks of [`BATCH_ROWS`], then one that is not: what was pushed is never moved again.
    chunks: Vec<Vec<Handshake>>,
    sources: Arc<[String]>,
    encaps: Arc<EncapTable>,
}

impl Collection {
    /// Without records; `sources` are the names of the inputs.
    pub fn new(sources: Arc<[String]>) -> Self {
        Self {
            chunks: Vec::new(),
            sources,
            encaps: Arc::default(),
        }
    }

    /// Adds records. `encaps` is the table that numbered them and all before them.
    pub fn push(&mut self, records: &[Handshake], encaps: &Arc<EncapTable>) {
        if !Arc::ptr_eq(&self.encaps, encaps) {
            self.encaps = Arc::clone(encaps);
        }
        let mut rest = records;
        while !rest.is_empty() {
            if self.chunks.last().is_none_or(|chunk| chunk.len() == BATCH_ROWS) {
                self.chunks.push(Vec::new());
            }
            let Some(chunk) = self.chunks.last_mut() else { return };
            let (now, later) = rest.split_at(rest.len().min(BATCH_ROWS - chunk.len()));
            chunk.extend_from_slice(now);
            rest = later;
        }
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The texts behind the records.
    pub fn names(&self) -> Names<'_> {
        Names {
            sources: &self.sources,
            encaps: &self.encaps,
        }
    }

    /// The records of `range`, in pieces; what lies beyond the end is not there.
    pub fn slices(&self, range: Range<usize>) -> impl Iterator<Item = &[Handshake]> {
        self.chunks.iter().enumerate().filter_map(move |(i, chunk)| {
            let offset = i * BATCH_ROWS;
            let start = range.start.saturating_sub(offset).min(chunk.len());
            let end = range.end.saturating_sub(offset).min(chunk.len());
            chunk.get(start..end).filter(|slice| !slice.is_empty())
        })
    }

    /// All records as columns, in batches of at most [`BATCH_ROWS`].
    pub fn batches(self: &Arc<Self>) -> Batches {
        Batches {
            collection: Arc::clone(self),
            next: 0,
            builder: BatchBuilder::new(),
        }
    }
}

/// A reader of a [`Collection`].
pub struct Batches {
    collection: Arc<Collection>,
    next: usize,
    builder: BatchBuilder,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.collection.chunks.get(self.next)?;
        self.next += 1;
        self.builder.append(chunk, &self.collection.names());
        Some(self.builder.finish())
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.builder.schema())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plain;

    fn numbered(records: usize, portion: usize) -> Arc<Collection> {
        let mut collection = Collection::new(Arc::from(["a.pcap".to_owned()]));
        let all: Vec<_> = (0..records)
            .map(|i| Handshake {
                number: i as u64,
                ..plain()
            })
            .collect();
        for portion in all.chunks(portion) {
            collection.push(portion, &Arc::default());
        }
        Arc::new(collection)
    }

    fn numbers(collection: &Collection, range: Range<usize>) -> Vec<u64> {
        collection.slices(range).flatten().map(|record| record.number).collect()
    }

    #[test]
    fn every_range_gives_its_records() {
        let collection = numbered(2 * BATCH_ROWS + 3, 1000);
        assert_eq!(collection.len(), 2 * BATCH_ROWS + 3);
        for range in [
            0..0,
            0..1,
            Range { start: 5, end: 3 },
            BATCH_ROWS - 1..BATCH_ROWS + 1,
            0..2 * BATCH_ROWS + 3,
            2 * BATCH_ROWS..usize::MAX,
        ] {
            let end = range.end.min(collection.len());
            let expected: Vec<u64> = (range.start as u64..end as u64).collect();
            assert_eq!(numbers(&collection, range), expected);
        }
    }

    #[test]
    fn batches_can_be_read_again_and_at_the_same_time() {
        let collection = numbered(BATCH_ROWS + 1, BATCH_ROWS + 1);
        let (mut one, mut other) = (collection.batches(), collection.batches());
        for rows in [BATCH_ROWS, 1] {
            let (a, b) = (one.next().unwrap().unwrap(), other.next().unwrap().unwrap());
            assert_eq!(a.num_rows(), rows);
            assert_eq!(a, b);
        }
        assert!(one.next().is_none());
    }

    #[test]
    fn an_empty_collection_still_has_a_schema() {
        let collection = numbered(0, 1);
        assert!(collection.is_empty());
        assert_eq!(collection.batches().count(), 0);
        assert_eq!(collection.batches().schema(), crate::arrow::schema());
    }
}
