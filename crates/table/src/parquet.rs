//! Parquet, written as the records come: one row group is in memory, never the file.

use std::io::Write;

use arrow_array::RecordBatch;
use halfopen_track::Handshake;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::arrow::BatchBuilder;
use crate::field::{FIELDS, Get, SCHEMA, Scalar};
use crate::names::Names;

/// Rows in a row group: some 20 MB of encoded columns wait in memory for it to be full.
pub const ROW_GROUP_ROWS: usize = 1 << 18;

/// Rows that become columns at once. Few, so that the columns stay in the cache between being built and being encoded, and
/// their memory is used again instead of being returned to the system and faulted in anew.
const BATCH_ROWS: usize = 1 << 13;

/// Whole numbers that hardly repeat: a dictionary of them is work for nothing. Their differences are small or random, so
/// that packing the differences is all the compression there is.
const PACKED: &[&str] = &[
    "start_ns",
    "isn_client",
    "isn_server",
    "frame_syn",
    "frame_syn_ack",
    "frame_ack",
    "number",
    "client_bytes",
    "server_bytes",
];

/// Writes records as one Parquet file. Without [`ParquetFile::finish`] there is no footer, and the file is not readable.
pub struct ParquetFile<W: Write + Send> {
    builder: BatchBuilder,
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Starts the file.
    pub fn new(output: W) -> Result<Self, ParquetError> {
        let builder = BatchBuilder::new();
        let writer = ArrowWriter::try_new(output, builder.schema().clone(), Some(properties()?))?;
        Ok(Self { builder, writer })
    }

    /// Adds rows.
    pub fn write_batch(&mut self, records: &[Handshake], names: &Names<'_>) -> Result<(), ParquetError> {
        let mut rest = records;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BATCH_ROWS - self.builder.len()));
            self.builder.append(now, names);
            rest = later;
            if self.builder.len() == BATCH_ROWS {
                self.flush_batch()?;
            }
        }
        Ok(())
    }

    /// Adds a finished batch of the record's schema.
    pub fn write_record_batch(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        self.flush_batch()?;
        self.writer.write(batch)
    }

    /// Writes what is left and the footer, and gives the output back.
    pub fn finish(mut self) -> Result<W, ParquetError> {
        self.flush_batch()?;
        self.writer.into_inner()
    }

    fn flush_batch(&mut self) -> Result<(), ParquetError> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let batch = self.builder.finish()?;
        self.writer.write(&batch)
    }
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // Minimum and maximum of each row group let a reader skip it; those of each page would cost more than they save.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_write_batch_size(8192)
        .set_key_value_metadata(Some(vec![KeyValue::new("schema".to_owned(), SCHEMA.to_owned())]));
    for field in FIELDS {
        let column = ColumnPath::from(field.name);
        properties = match field.get {
            _ if PACKED.contains(&field.name) => properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_compression(column, Compression::UNCOMPRESSED),
            Get::Scalar(Scalar::Micros(_)) => properties.set_column_dictionary_enabled(column, false),
            // The least and the greatest of a few names tell a reader nothing that the dictionary does not.
            Get::Scalar(Scalar::Name { .. }) => {
                properties.set_column_statistics_enabled(column, EnabledStatistics::None)
            }
            _ => properties,
        };
    }
    Ok(properties.build())
}
