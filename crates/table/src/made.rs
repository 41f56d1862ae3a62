//! Records that no tracker made, probes and live events, as the same columns: cells in, a batch of [`schema`] out.

use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    builder::{ListBuilder, StringBuilder},
};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType};

use crate::arrow::schema;

/// The cells of one column, top to bottom. Which kind a field takes, its type in the schema says.
#[derive(Clone, PartialEq, Debug)]
pub enum Cells {
    /// `Int64`.
    Int(Vec<Option<i64>>),
    /// `Float64`.
    Float(Vec<Option<f64>>),
    /// `Boolean`.
    Bool(Vec<Option<bool>>),
    /// `Utf8`.
    Text(Vec<Option<String>>),
    /// `List` of `Int64`, never null.
    Ints(Vec<Vec<i64>>),
    /// `List` of `Utf8`, never null.
    Texts(Vec<Vec<String>>),
    /// `Struct`: which rows have one, and its members in order.
    Record(Vec<bool>, Vec<Cells>),
}

/// One batch of the record's schema. Fails when a column is not of its field's type, or not as long as the others.
pub fn batch(columns: Vec<Cells>) -> Result<RecordBatch, ArrowError> {
    let schema = schema();
    if columns.len() != schema.fields().len() {
        return Err(ArrowError::SchemaError(format!(
            "{} columns, {} fields",
            columns.len(),
            schema.fields().len()
        )));
    }
    let arrays = columns
        .into_iter()
        .zip(schema.fields())
        .map(|(cells, field)| array(cells, field.data_type()))
        .collect::<Result<_, _>>()?;
    RecordBatch::try_new(schema, arrays)
}

fn array(cells: Cells, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    Ok(match cells {
        Cells::Int(values) => Arc::new(Int64Array::from(values)),
        Cells::Float(values) => Arc::new(Float64Array::from(values)),
        Cells::Bool(values) => Arc::new(BooleanArray::from(values)),
        Cells::Text(values) => Arc::new(StringArray::from(values)),
        Cells::Ints(rows) => {
            let rows = rows.into_iter().map(|row| Some(row.into_iter().map(Some)));
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(rows))
        }
        Cells::Texts(rows) => {
            let mut builder = ListBuilder::new(StringBuilder::new());
            for row in rows {
                builder.append_value(row.into_iter().map(Some));
            }
            Arc::new(builder.finish())
        }
        Cells::Record(present, members) => {
            let DataType::Struct(fields) = wanted else {
                return Err(ArrowError::SchemaError(format!("a record where {wanted} belongs")));
            };
            let arrays = members
                .into_iter()
                .zip(fields)
                .map(|(cells, field)| array(cells, field.data_type()))
                .collect::<Result<_, _>>()?;
            let present = (!present.iter().all(|&there| there)).then(|| NullBuffer::from(present));
            Arc::new(StructArray::try_new(fields.clone(), arrays, present)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;

    use super::*;
    use crate::arrow;
    use crate::field::FIELDS;
    use crate::names::Names;
    use crate::testing::plain;

    /// A row in which every field is null, or an empty list.
    fn nothing(wanted: &DataType) -> Cells {
        match wanted {
            DataType::Int64 => Cells::Int(vec![None]),
            DataType::Float64 => Cells::Float(vec![None]),
            DataType::Boolean => Cells::Bool(vec![None]),
            DataType::List(item) if item.data_type() == &DataType::Int64 => Cells::Ints(vec![vec![]]),
            DataType::List(_) => Cells::Texts(vec![vec![]]),
            DataType::Struct(members) => Cells::Record(
                vec![false],
                members.iter().map(|member| nothing(member.data_type())).collect(),
            ),
            _ => Cells::Text(vec![None]),
        }
    }

    fn empty_row() -> Vec<Cells> {
        schema()
            .fields()
            .iter()
            .map(|field| nothing(field.data_type()))
            .collect()
    }

    #[test]
    fn the_schema_is_that_of_captures() {
        let made = batch(empty_row()).expect("a batch");
        let names = Names {
            sources: &["a".to_owned()],
            encaps: &halfopen_wire::EncapTable::default(),
        };
        let captured = arrow::batch(&[plain()], &names).expect("a batch");
        assert_eq!(made.schema(), captured.schema());
        assert_eq!(made.num_rows(), 1);
    }

    #[test]
    fn cells_come_out_where_they_went_in() {
        let mut columns = empty_row();
        let place = |name| FIELDS.iter().position(|field| field.name == name).expect("a field");
        columns[place("errno")] = Cells::Text(vec![Some("EPERM".into())]);
        columns[place("connect_us")] = Cells::Float(vec![Some(1.5)]);
        columns[place("vlan")] = Cells::Ints(vec![vec![7, 8]]);
        let made = batch(columns).expect("a batch");
        let column = |name| made.column(place(name));
        let errno: &StringArray = column("errno").as_any().downcast_ref().expect("text");
        assert_eq!(errno.value(0), "EPERM");
        let connect: &Float64Array = column("connect_us").as_any().downcast_ref().expect("numbers");
        assert!((connect.value(0) - 1.5).abs() < f64::EPSILON);
        let vlan: &ListArray = column("vlan").as_any().downcast_ref().expect("lists");
        assert_eq!(vlan.value_length(0), 2);
        assert!(column("client_options").is_null(0) && column("outcome").is_null(0));
    }

    #[test]
    fn a_wrong_column_is_an_error() {
        let mut columns = empty_row();
        columns[0] = Cells::Int(vec![None]);
        assert!(batch(columns).is_err());
        assert!(batch(Vec::new()).is_err());
        let mut columns = empty_row();
        columns[0] = Cells::Text(vec![None, None]);
        assert!(batch(columns).is_err());
    }
}
