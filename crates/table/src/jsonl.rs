//! JSON Lines: one record a line, every field in every line, unknown as `null`. There is no header line: the schema's
//! name is in the documentation, and a first line that is no record would break every reader.

use halfopen_track::{Handshake, SideOptions};

use crate::field::{FIELDS, Get, OPTION_FIELDS, Scalar};
use crate::names::{Names, tunnel_text};
use crate::text::{acts_on_terminals, put_address, put_bool, put_char, put_escaped, put_int, put_micros};

/// Writes records as JSON Lines. Keep one for a whole run: it remembers the text of what repeats.
pub struct JsonLines {
    steps: Vec<Step>,
    /// What follows the last value: fields that are always null, the brace, the line feed.
    tail: Vec<u8>,
    source: SourceText,
}

/// Constant bytes, then one value.
struct Step {
    prefix: Vec<u8>,
    value: Value,
}

enum Value {
    Scalar(Scalar<Handshake>),
    Source,
    Tunnel,
    Vlan,
    Anomalies,
    Options(fn(&Handshake) -> Option<&SideOptions>, OptionsText),
}

impl Default for JsonLines {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonLines {
    /// A writer with nothing remembered.
    pub fn new() -> Self {
        let mut steps = Vec::with_capacity(FIELDS.len());
        let mut prefix = Vec::new();
        for (i, field) in FIELDS.iter().enumerate() {
            prefix.push(if i == 0 { b'{' } else { b',' });
            put_key(&mut prefix, field.name);
            let value = match field.get {
                Get::Scalar(scalar) => Value::Scalar(scalar),
                Get::Source => Value::Source,
                Get::Tunnel => Value::Tunnel,
                Get::Vlan => Value::Vlan,
                Get::Anomalies => Value::Anomalies,
                Get::Options(get) => Value::Options(get, OptionsText::default()),
                Get::LiveOnly(_) => {
                    prefix.extend_from_slice(b"null");
                    continue;
                }
            };
            steps.push(Step {
                prefix: std::mem::take(&mut prefix),
                value,
            });
        }
        prefix.extend_from_slice(b"}\n");
        Self {
            steps,
            tail: prefix,
            source: SourceText::default(),
        }
    }

    /// Appends one line for each record.
    pub fn write_batch(&mut self, records: &[Handshake], names: &Names<'_>, out: &mut Vec<u8>) {
        for record in records {
            self.write(record, names, out);
        }
    }

    /// Appends one line.
    pub fn write(&mut self, record: &Handshake, names: &Names<'_>, out: &mut Vec<u8>) {
        for step in &mut self.steps {
            out.extend_from_slice(&step.prefix);
            match &mut step.value {
                Value::Scalar(scalar) => put_scalar(out, scalar, record),
                Value::Source => self.source.put(out, record, names),
                Value::Tunnel => put_tunnel(out, record, names),
                Value::Vlan => put_list(out, names.vlan(record), |out, &tag| put_int(out, tag.into())),
                Value::Anomalies => put_list(out, record.anomalies.iter(), |out, anomaly| {
                    put_name(out, anomaly.name());
                }),
                Value::Options(get, text) => text.put(out, get(record)),
            }
        }
        out.extend_from_slice(&self.tail);
    }
}

/// The input's name as it was written last: nearly every record has that of the record before.
#[derive(Default)]
struct SourceText {
    file: Option<u32>,
    text: Vec<u8>,
}

impl SourceText {
    fn put(&mut self, out: &mut Vec<u8>, record: &Handshake, names: &Names<'_>) {
        if self.file != Some(record.file) {
            self.file = Some(record.file);
            self.text.clear();
            match names.source(record) {
                Some(name) => put_string(&mut self.text, name),
                None => self.text.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(&self.text);
    }
}

/// The options as they were written last: the hosts of one network send much the same ones.
#[derive(Default)]
struct OptionsText {
    options: Option<SideOptions>,
    text: Vec<u8>,
}

impl OptionsText {
    fn put(&mut self, out: &mut Vec<u8>, options: Option<&SideOptions>) {
        let Some(options) = options else {
            return out.extend_from_slice(b"null");
        };
        let mut key = *options;
        // The time stamps themselves are no part of the record, only that there are any.
        key.tcp.timestamps = key.tcp.timestamps.map(|_| (0, 0));
        if self.options != Some(key) {
            self.options = Some(key);
            self.text.clear();
            for (i, member) in OPTION_FIELDS.iter().enumerate() {
                self.text.push(if i == 0 { b'{' } else { b',' });
                put_key(&mut self.text, member.name);
                put_scalar(&mut self.text, &member.get, options);
            }
            self.text.push(b'}');
        }
        out.extend_from_slice(&self.text);
    }
}

fn put_key(out: &mut Vec<u8>, name: &str) {
    put_name(out, name);
    out.push(b':');
}

fn put_scalar<T>(out: &mut Vec<u8>, scalar: &Scalar<T>, record: &T) {
    match scalar {
        Scalar::Int(get) => put_or_null(out, get(record), put_int),
        Scalar::Micros(get) => put_or_null(out, get(record), put_micros),
        Scalar::Bool(get) => match get(record) {
            Some(value) => put_bool(out, value),
            None => out.extend_from_slice(b"null"),
        },
        Scalar::Name { get, .. } => put_or_null(out, get(record), put_name),
        Scalar::Address(get) => put_or_null(out, get(record), |out, address| {
            out.push(b'"');
            put_address(out, address);
            out.push(b'"');
        }),
    }
}

fn put_or_null<V>(out: &mut Vec<u8>, value: Option<V>, put: impl FnOnce(&mut Vec<u8>, V)) {
    match value {
        Some(value) => put(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

fn put_tunnel(out: &mut Vec<u8>, record: &Handshake, names: &Names<'_>) {
    let tunnels = names.tunnels(record);
    if tunnels.is_empty() {
        return out.extend_from_slice(b"null");
    }
    out.push(b'"');
    out.extend(tunnel_text(tunnels));
    out.push(b'"');
}

fn put_list<V>(out: &mut Vec<u8>, values: impl IntoIterator<Item = V>, put: impl Fn(&mut Vec<u8>, V)) {
    out.push(b'[');
    for (i, value) in values.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        put(out, value);
    }
    out.push(b']');
}

/// A name of ours: letters, digits, underscores. It needs no escape.
fn put_name(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

/// Any text. Beyond what RFC 8259 section 7 asks for, all control characters (C1 and DEL too) and those that turn the
/// direction of writing are escaped, so that a hostile file name does nothing to the terminal that shows the line.
fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if acts_on_terminals(c) => put_escaped(out, c),
            c => put_char(out, c),
        }
    }
    out.push(b'"');
}
