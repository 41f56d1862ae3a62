//! The formats, byte by byte: one set of records that holds every type that is hard, and what each format makes of it.
//! `HALFOPEN_WRITE_GOLDENS=1 cargo test -p halfopen-table` writes the files anew; read the difference before it is committed.

use std::fmt::Write;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

use crate::field::{Get, LiveOnly, Scalar};
use crate::jsonl::JsonLines;
use crate::parquet::{ParquetFile, ROW_GROUP_ROWS};
use crate::testing::{Fixture, plain};
use crate::{FIELDS, OPTION_FIELDS, SCHEMA, arrow, csv};

fn assert_golden(name: &str, actual: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name);
    if std::env::var_os("HALFOPEN_WRITE_GOLDENS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read(&path).unwrap();
    assert!(
        actual == expected,
        "{} differs:\n{}",
        path.display(),
        String::from_utf8_lossy(actual)
    );
}

fn json_lines(fixture: &Fixture) -> Vec<u8> {
    let mut out = Vec::new();
    JsonLines::new().write_batch(&fixture.hard(), &fixture.names(), &mut out);
    out
}

fn parsed(fixture: &Fixture) -> Vec<Value> {
    let text = String::from_utf8(json_lines(fixture)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn hard_batch(fixture: &Fixture) -> RecordBatch {
    arrow::batch(&fixture.hard(), &fixture.names()).unwrap()
}

#[test]
fn json_lines_are_as_ever() {
    assert_golden("hard.jsonl", &json_lines(&Fixture::new()));
}

#[test]
fn csv_is_as_ever() {
    let fixture = Fixture::new();
    let mut out = Vec::new();
    csv::write_header(&mut out);
    csv::write_batch(&fixture.hard(), &fixture.names(), &mut out);
    assert_golden("hard.csv", &out);
}

#[test]
fn the_arrow_schema_is_as_ever() {
    let mut lines = String::new();
    for field in arrow::schema().fields() {
        writeln!(lines, "{}: {}", field.name(), field.data_type()).unwrap();
    }
    assert_golden("schema.txt", lines.as_bytes());
    assert_eq!(arrow::schema().metadata()["schema"], SCHEMA);
}

#[test]
fn what_repeats_is_remembered_and_what_changes_is_not() {
    let fixture = Fixture::new();
    let records = fixture.hard();
    let mut once = JsonLines::new();
    for record in records.iter().chain(records.iter().rev()) {
        let (mut remembered, mut fresh) = (Vec::new(), Vec::new());
        once.write(record, &fixture.names(), &mut remembered);
        JsonLines::new().write(record, &fixture.names(), &mut fresh);
        assert_eq!(remembered, fresh);
    }
}

#[test]
fn every_line_of_json_holds_every_field_in_its_type() {
    for line in parsed(&Fixture::new()) {
        let object = line.as_object().unwrap();
        assert_eq!(object.len(), FIELDS.len());
        for field in FIELDS {
            assert!(
                is_of_type(&object[field.name], field.get.type_name()),
                "{}: {}",
                field.name,
                object[field.name]
            );
            if let (Get::Options(_), Some(options)) = (&field.get, object[field.name].as_object()) {
                assert_eq!(options.len(), OPTION_FIELDS.len());
                let fits =
                    |member: &crate::field::OptionField| is_of_type(&options[member.name], member.get.type_name());
                assert!(OPTION_FIELDS.iter().all(fits), "{options:?}");
            }
        }
    }
}

fn is_of_type(value: &Value, type_name: &str) -> bool {
    match (value, type_name) {
        (Value::Null, "list[int]" | "list[str]") => false,
        (Value::Null, _) | (Value::Bool(_), "bool") | (Value::String(_), "str") | (Value::Object(_), "record") => true,
        (Value::Number(number), "int") => number.is_i64(),
        (Value::Number(number), "float") => number.is_f64(),
        (Value::Array(items), "list[int]") => items.iter().all(|item| is_of_type(item, "int")),
        (Value::Array(items), "list[str]") => items.iter().all(|item| is_of_type(item, "str")),
        _ => false,
    }
}

#[test]
fn hostile_names_come_back_whole_and_reach_no_terminal() {
    let fixture = Fixture::new();
    let line = &parsed(&fixture)[1];
    assert_eq!(line["source"], fixture.names().sources[1].as_str());
    let text = String::from_utf8(json_lines(&fixture)).unwrap();
    assert!(
        text.chars()
            .all(|c| c == '\n' || !(c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)))
    );
}

/// The two ways to write a record that share no code beyond the field table must agree in every cell.
#[test]
fn arrow_and_json_hold_the_same_values() {
    let fixture = Fixture::new();
    let batch = hard_batch(&fixture);
    for (row, line) in parsed(&fixture).iter().enumerate() {
        for (field, column) in FIELDS.iter().zip(batch.columns()) {
            assert_eq!(cell(column, row), line[field.name], "{} of record {row}", field.name);
        }
    }
}

fn cell(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        return numbers.value(row).into();
    }
    if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
        return numbers.value(row).into();
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return texts.value(row).into();
    }
    if let Some(bools) = column.as_boolean_opt() {
        return bools.value(row).into();
    }
    if let Some(lists) = column.as_list_opt::<i32>() {
        let items = lists.value(row);
        return (0..items.len()).map(|i| cell(&items, i)).collect();
    }
    let members = column.as_struct();
    members
        .fields()
        .iter()
        .zip(members.columns())
        .map(|(field, column)| (field.name().clone(), cell(column, row)))
        .collect()
}

#[test]
fn parquet_reads_back_as_it_was_written() {
    let fixture = Fixture::new();
    let mut file = ParquetFile::new(Vec::new()).unwrap();
    file.write_batch(&fixture.hard(), &fixture.names()).unwrap();
    let bytes = file.finish().unwrap();
    let (read, written) = (read_parquet(bytes), hard_batch(&fixture));
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].schema().fields(), written.schema().fields());
    assert_eq!(read[0].columns(), written.columns());
}

fn read_parquet(bytes: Vec<u8>) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))
        .unwrap()
        .build()
        .unwrap();
    reader.map(Result::unwrap).collect()
}

#[test]
fn parquet_without_records_is_a_table_without_rows() {
    let bytes = ParquetFile::new(Vec::new()).unwrap().finish().unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let metadata = reader.metadata().file_metadata();
    assert_eq!(
        (metadata.num_rows(), metadata.schema().get_fields().len()),
        (0, FIELDS.len())
    );
    let pairs = metadata.key_value_metadata().unwrap();
    assert!(
        pairs
            .iter()
            .any(|pair| pair.key == "schema" && pair.value.as_deref() == Some(SCHEMA))
    );
}

/// Memory is bounded by the row group, whatever the number of records.
#[test]
fn parquet_is_written_in_row_groups() {
    let fixture = Fixture::new();
    let mut file = ParquetFile::new(Vec::new()).unwrap();
    let records = vec![plain(); 1000];
    let batches = ROW_GROUP_ROWS / 1000 + 1;
    for _ in 0..batches {
        file.write_batch(&records, &fixture.names()).unwrap();
    }
    let reader = SerializedFileReader::new(bytes::Bytes::from(file.finish().unwrap())).unwrap();
    let rows: Vec<i64> = reader
        .metadata()
        .row_groups()
        .iter()
        .map(RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(rows, [ROW_GROUP_ROWS as i64, (batches * 1000 - ROW_GROUP_ROWS) as i64]);
}

#[test]
fn a_builder_is_empty_after_each_batch() {
    let fixture = Fixture::new();
    let mut builder = arrow::BatchBuilder::new();
    for _ in 0..3 {
        builder.append(&fixture.hard(), &fixture.names());
        assert_eq!(builder.finish().unwrap(), hard_batch(&fixture));
        assert!(builder.is_empty());
    }
}

/// The record's contract: the names of the design, each once.
#[test]
fn names_are_unique_and_every_field_says_what_it_means() {
    let mut names: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FIELDS.len());
    assert!(FIELDS.iter().all(|field| field.about.ends_with('.')));
    assert!(OPTION_FIELDS.iter().all(|member| member.about.ends_with('.')));
}

/// Durations carry their unit in the name, and nothing else does.
#[test]
fn micros_are_named_so() {
    for field in FIELDS {
        let is_micros = matches!(
            field.get,
            Get::Scalar(Scalar::Micros(_)) | Get::LiveOnly(LiveOnly::Micros)
        );
        assert_eq!(is_micros, field.name.ends_with("_us"), "{}", field.name);
    }
}
