//! Arrow record batches: columns built from [`FIELDS`], to be handed over the Arrow C data interface or to Parquet.
//!
//! Plain types only (`Utf8`, `Int64`, `Float64`, `Boolean`, `List`, `Struct`): everything that reads Arrow takes them,
//! and a dataframe may subtract two of them without wrapping around, as it would with unsigned ones.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::BooleanBuilder;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, ListArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
    new_null_array,
};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Fields, Schema, SchemaRef};
use halfopen_track::{Handshake, SideOptions};

use crate::field::{FIELDS, Get, LiveOnly, OPTION_FIELDS, SCHEMA, Scalar};
use crate::names::{Names, tunnel_text};
use crate::text::put_address;

/// Records in one batch: enough that the cost of a batch does not show, few enough that one fits the cache of a core
/// several times over in columns.
pub const BATCH_ROWS: usize = 1 << 16;

/// Records whose columns are filled before the next ones are looked at. A record is some 450 bytes: a block stays in the
/// second-level cache while each column passes over it.
const BLOCK_ROWS: usize = 256;

/// The Arrow schema of the record, with its identifier under the metadata key `schema`.
pub fn schema() -> SchemaRef {
    // Every column may be null: a later command fills what a capture leaves empty, and a dataframe gains nothing from
    // «not null» but the loss of the power to append.
    let fields: Vec<_> = FIELDS
        .iter()
        .map(|field| ArrowField::new(field.name, data_type(&field.get), true))
        .collect();
    let metadata = HashMap::from([("schema".to_owned(), SCHEMA.to_owned())]);
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

fn data_type(get: &Get) -> DataType {
    match get {
        Get::Scalar(scalar) => scalar_type(scalar),
        Get::Source | Get::Tunnel | Get::LiveOnly(LiveOnly::Text) => DataType::Utf8,
        Get::Vlan => DataType::List(list_item(DataType::Int64)),
        Get::Anomalies => DataType::List(list_item(DataType::Utf8)),
        Get::Options(_) => DataType::Struct(option_fields()),
        Get::LiveOnly(LiveOnly::Int) => DataType::Int64,
        Get::LiveOnly(LiveOnly::Micros) => DataType::Float64,
    }
}

fn scalar_type<T>(scalar: &Scalar<T>) -> DataType {
    match scalar {
        Scalar::Int(_) => DataType::Int64,
        Scalar::Micros(_) => DataType::Float64,
        Scalar::Bool(_) => DataType::Boolean,
        Scalar::Name { .. } | Scalar::Address(_) => DataType::Utf8,
    }
}

fn list_item(item: DataType) -> Arc<ArrowField> {
    Arc::new(ArrowField::new("item", item, true))
}

fn option_fields() -> Fields {
    OPTION_FIELDS
        .iter()
        .map(|member| ArrowField::new(member.name, scalar_type(&member.get), true))
        .collect()
}

/// Builds batches, one after another, with the same buffers' sizes as hints.
pub struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// A builder without rows.
    pub fn new() -> Self {
        Self {
            schema: schema(),
            columns: FIELDS.iter().map(|field| Column::new(&field.get)).collect(),
            rows: 0,
        }
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows that wait for [`BatchBuilder::finish`].
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether no row waits.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds rows.
    pub fn append(&mut self, records: &[Handshake], names: &Names<'_>) {
        for block in records.chunks(BLOCK_ROWS) {
            for column in &mut self.columns {
                column.append(block, names);
            }
        }
        self.rows += records.len();
    }

    /// The rows as one batch; the builder is empty afterwards. Fails only when the texts of one column exceed 2 GiB.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self
            .columns
            .iter_mut()
            .map(|column| column.finish(rows))
            .collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

/// One batch of all of `records`.
pub fn batch(records: &[Handshake], names: &Names<'_>) -> Result<RecordBatch, ArrowError> {
    let mut builder = BatchBuilder::new();
    builder.append(records, names);
    builder.finish()
}

enum Column {
    Scalar(ScalarColumn<Handshake>),
    Source(Texts),
    Tunnel(Texts),
    Vlan(Numbers<Int64Type>, Lengths),
    Anomalies(Texts, Lengths),
    Options(OptionsColumn),
    LiveOnly(DataType),
}

impl Column {
    fn new(get: &Get) -> Self {
        match get {
            Get::Scalar(scalar) => Self::Scalar(ScalarColumn::new(*scalar)),
            Get::Source => Self::Source(Texts::default()),
            Get::Tunnel => Self::Tunnel(Texts::default()),
            Get::Vlan => Self::Vlan(Numbers::default(), Lengths::default()),
            Get::Anomalies => Self::Anomalies(Texts::default(), Lengths::default()),
            Get::Options(side) => Self::Options(OptionsColumn::new(*side)),
            Get::LiveOnly(_) => Self::LiveOnly(data_type(get)),
        }
    }

    fn append(&mut self, block: &[Handshake], names: &Names<'_>) {
        match self {
            Self::Scalar(column) => column.append(block.iter().map(Some)),
            Self::Source(texts) => {
                for record in block {
                    texts.push(names.source(record).map(str::as_bytes));
                }
            }
            Self::Tunnel(texts) => {
                for record in block {
                    let tunnels = names.tunnels(record);
                    let tunnels = (!tunnels.is_empty()).then_some(tunnels);
                    texts.push_with(tunnels, |bytes, tunnels| bytes.extend(tunnel_text(tunnels)));
                }
            }
            Self::Vlan(items, lengths) => {
                for record in block {
                    let tags = names.vlan(record);
                    for &tag in tags {
                        items.push(Some(tag.into()));
                    }
                    lengths.push(tags.len());
                }
            }
            Self::Anomalies(items, lengths) => {
                for record in block {
                    record
                        .anomalies
                        .iter()
                        .for_each(|anomaly| items.push(Some(anomaly.name().as_bytes())));
                    lengths.push(record.anomalies.0.count_ones() as usize);
                }
            }
            Self::Options(column) => column.append(block),
            Self::LiveOnly(_) => {}
        }
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Scalar(column) => column.finish()?,
            Self::Source(texts) | Self::Tunnel(texts) => texts.finish()?,
            Self::Vlan(items, lengths) => lengths.finish(items.finish()?)?,
            Self::Anomalies(items, lengths) => lengths.finish(items.finish()?)?,
            Self::Options(column) => column.finish()?,
            Self::LiveOnly(kind) => new_null_array(kind, rows),
        })
    }
}

/// A column of [`Scalar`] values. A record that is `None` (an option of a SYN that was not captured) gives null.
enum ScalarColumn<T: 'static> {
    Int(fn(&T) -> Option<i64>, Numbers<Int64Type>),
    Micros(fn(&T) -> Option<i64>, Numbers<Float64Type>),
    Bool(fn(&T) -> Option<bool>, BooleanBuilder),
    Name(fn(&T) -> Option<&'static str>, Texts),
    Address(fn(&T) -> Option<halfopen_wire::Address>, Texts),
}

impl<T> ScalarColumn<T> {
    fn new(scalar: Scalar<T>) -> Self {
        match scalar {
            Scalar::Int(get) => Self::Int(get, Numbers::default()),
            Scalar::Micros(get) => Self::Micros(get, Numbers::default()),
            Scalar::Bool(get) => Self::Bool(get, BooleanBuilder::new()),
            Scalar::Name { get, .. } => Self::Name(get, Texts::default()),
            Scalar::Address(get) => Self::Address(get, Texts::default()),
        }
    }

    fn append<'a>(&mut self, records: impl Iterator<Item = Option<&'a T>>) {
        match self {
            Self::Int(get, values) => records.for_each(|record| values.push(record.and_then(&*get))),
            Self::Micros(get, values) => {
                records.for_each(|record| values.push(record.and_then(&*get).map(|ns| ns as f64 / 1000.0)));
            }
            Self::Bool(get, values) => records.for_each(|record| values.append_option(record.and_then(&*get))),
            Self::Name(get, texts) => records.for_each(|record| texts.push(record.and_then(&*get).map(str::as_bytes))),
            Self::Address(get, texts) => {
                records.for_each(|record| texts.push_with(record.and_then(&*get), put_address));
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Int(_, values) => values.finish()?,
            Self::Micros(_, values) => values.finish()?,
            Self::Bool(_, values) => Arc::new(values.finish()),
            Self::Name(_, texts) | Self::Address(_, texts) => texts.finish()?,
        })
    }
}

/// The structure of one side's options.
struct OptionsColumn {
    side: fn(&Handshake) -> Option<&SideOptions>,
    members: Vec<ScalarColumn<SideOptions>>,
    present: NullBufferBuilder,
}

impl OptionsColumn {
    fn new(side: fn(&Handshake) -> Option<&SideOptions>) -> Self {
        let members = OPTION_FIELDS
            .iter()
            .map(|member| ScalarColumn::new(member.get))
            .collect();
        Self {
            side,
            members,
            present: NullBufferBuilder::new(0),
        }
    }

    fn append(&mut self, block: &[Handshake]) {
        for record in block {
            self.present.append((self.side)(record).is_some());
        }
        for member in &mut self.members {
            member.append(block.iter().map(self.side));
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let members = self
            .members
            .iter_mut()
            .map(ScalarColumn::finish)
            .collect::<Result<_, _>>()?;
        Ok(Arc::new(StructArray::try_new(
            option_fields(),
            members,
            self.present.finish(),
        )?))
    }
}

/// A column of numbers.
struct Numbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    present: NullBufferBuilder,
}

impl<T: ArrowPrimitiveType> Default for Numbers<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            present: NullBufferBuilder::new(0),
        }
    }
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    fn push(&mut self, value: Option<T::Native>) {
        self.values.push(value.unwrap_or_default());
        self.present.append(value.is_some());
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let Self { values, mut present } = std::mem::take(self);
        self.values.reserve(values.len());
        Ok(Arc::new(PrimitiveArray::<T>::try_new(values.into(), present.finish())?))
    }
}

/// A text column: bytes appended in place, checked to be UTF-8 once a batch.
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    present: NullBufferBuilder,
    overflow: bool,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            ends: vec![0],
            present: NullBufferBuilder::new(0),
            overflow: false,
        }
    }
}

impl Texts {
    fn push(&mut self, text: Option<&[u8]>) {
        self.push_with(text, Vec::extend_from_slice);
    }

    fn push_with<V>(&mut self, value: Option<V>, put: impl FnOnce(&mut Vec<u8>, V)) {
        let is_present = value.is_some();
        if let Some(value) = value {
            put(&mut self.bytes, value);
        }
        self.overflow |= i32::try_from(self.bytes.len()).is_err();
        self.ends.push(self.bytes.len() as i32);
        self.present.append(is_present);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let Self {
            bytes,
            ends,
            mut present,
            overflow,
        } = std::mem::take(self);
        if overflow {
            return Err(ArrowError::OffsetOverflowError(bytes.len()));
        }
        self.bytes.reserve(bytes.len());
        self.ends.reserve(ends.len());
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        Ok(Arc::new(StringArray::try_new(
            offsets,
            Buffer::from_vec(bytes),
            present.finish(),
        )?))
    }
}

/// The lengths of the lists of a column. No list is ever null: no tags and no anomalies are known facts.
#[derive(Default)]
struct Lengths(Vec<usize>);

impl Lengths {
    fn push(&mut self, length: usize) {
        self.0.push(length);
    }

    fn finish(&mut self, items: ArrayRef) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::from_lengths(self.0.drain(..));
        let item = list_item(items.data_type().clone());
        Ok(Arc::new(ListArray::try_new(item, offsets, items, None::<NullBuffer>)?))
    }
}
