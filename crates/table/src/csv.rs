//! CSV after RFC 4180: a header line, CRLF, quotes only where they are needed. `client_options.mss` and its like are
//! columns of their own, lists are separated by spaces, unknown is an empty cell.

use halfopen_track::Handshake;

use crate::field::{FIELDS, Get, OPTION_FIELDS, Scalar};
use crate::names::{Names, tunnel_text};
use crate::text::{acts_on_terminals, put_address, put_bool, put_char, put_escaped, put_int, put_micros};

/// Appends the header line.
pub fn write_header(out: &mut Vec<u8>) {
    for (i, field) in FIELDS.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if !matches!(field.get, Get::Options(_)) {
            out.extend_from_slice(field.name.as_bytes());
            continue;
        }
        for (j, member) in OPTION_FIELDS.iter().enumerate() {
            if j > 0 {
                out.push(b',');
            }
            out.extend_from_slice(field.name.as_bytes());
            out.push(b'.');
            out.extend_from_slice(member.name.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends one line for each record.
pub fn write_batch(records: &[Handshake], names: &Names<'_>, out: &mut Vec<u8>) {
    for record in records {
        write(record, names, out);
    }
}

/// Appends one line.
pub fn write(record: &Handshake, names: &Names<'_>, out: &mut Vec<u8>) {
    for (i, field) in FIELDS.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        match field.get {
            Get::Scalar(scalar) => put_scalar(out, &scalar, Some(record)),
            Get::Source => put_text(out, names.source(record).unwrap_or_default()),
            Get::Tunnel => out.extend(tunnel_text(names.tunnels(record))),
            Get::Vlan => put_list(out, names.vlan(record), |out, &tag| put_int(out, tag.into())),
            Get::Anomalies => {
                put_list(out, record.anomalies.iter(), |out, anomaly| {
                    out.extend_from_slice(anomaly.name().as_bytes());
                });
            }
            Get::Options(get) => {
                for (j, member) in OPTION_FIELDS.iter().enumerate() {
                    if j > 0 {
                        out.push(b',');
                    }
                    put_scalar(out, &member.get, get(record));
                }
            }
            Get::LiveOnly(_) => {}
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn put_scalar<T>(out: &mut Vec<u8>, scalar: &Scalar<T>, record: Option<&T>) {
    let Some(record) = record else { return };
    match scalar {
        Scalar::Int(get) => get(record).into_iter().for_each(|value| put_int(out, value)),
        Scalar::Micros(get) => get(record).into_iter().for_each(|value| put_micros(out, value)),
        Scalar::Bool(get) => {
            if let Some(value) = get(record) {
                put_bool(out, value);
            }
        }
        Scalar::Name { get, .. } => out.extend_from_slice(get(record).unwrap_or_default().as_bytes()),
        Scalar::Address(get) => get(record).into_iter().for_each(|value| put_address(out, value)),
    }
}

fn put_list<V>(out: &mut Vec<u8>, values: impl IntoIterator<Item = V>, put: impl Fn(&mut Vec<u8>, V)) {
    for (i, value) in values.into_iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        put(out, value);
    }
}

/// RFC 4180 section 2: a cell with a comma, a quote or a line break stands in quotes, and quotes in it are doubled. What
/// would act on the terminal that shows the line is escaped as in JSON, for CSV has no way of its own.
fn put_text(out: &mut Vec<u8>, text: &str) {
    let is_quoted = text.contains([',', '"', '\r', '\n']);
    if is_quoted {
        out.push(b'"');
    }
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\"\""),
            '\r' | '\n' | '\t' => out.push(c as u8),
            c if acts_on_terminals(c) => put_escaped(out, c),
            c => put_char(out, c),
        }
    }
    if is_quoted {
        out.push(b'"');
    }
}
