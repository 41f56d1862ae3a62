//! In which order, and how many: `--sort`, `--top`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use halfopen_track::Handshake;
use halfopen_wire::Address;

use crate::field::Scalar;
use crate::filter::{FilterError, Operand, Value, sortable};
use crate::names::{Names, tunnel_text};

/// A field to sort by: `FIELD`, or `-FIELD` for the largest first.
#[derive(Clone, Debug)]
pub struct SortKey {
    operand: Operand,
    is_descending: bool,
}

impl SortKey {
    /// Reads the text of `--sort`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let (name, column) = match text.strip_prefix('-') {
            Some(name) => (name, 2),
            None => (text, 1),
        };
        Ok(Self {
            operand: sortable(name, column)?,
            is_descending: column == 2,
        })
    }

    /// By start, earliest first: the order of the records where no other is asked for.
    pub fn by_start() -> Self {
        Self {
            operand: Operand::Record(&START),
            is_descending: false,
        }
    }
}

static START: Scalar<Handshake> = Scalar::Int(|record| record.timed.then_some(record.start_ns));

/// The first records in an order. With a limit, memory is bounded by it: what would not be among the first is dropped at
/// once. Without one, every record is held until the end; there is no other way to sort.
pub struct Sorter {
    key: SortKey,
    limit: usize,
    seen: u64,
    heap: BinaryHeap<Entry>,
}

impl Sorter {
    /// Keeps the first `limit` by `key`, or all. Null comes last in either direction; equals stay in the order they came.
    pub const fn new(key: SortKey, limit: Option<usize>) -> Self {
        let limit = match limit {
            Some(limit) => limit,
            None => usize::MAX,
        };
        Self {
            key,
            limit,
            seen: 0,
            heap: BinaryHeap::new(),
        }
    }

    /// Takes one record.
    pub fn push(&mut self, record: &Handshake, names: &Names<'_>) {
        let key = self.key.operand.value(record, names).map(Key::from);
        let place = Place {
            key,
            is_descending: self.key.is_descending,
            arrival: self.seen,
        };
        self.seen += 1;
        if self.heap.len() < self.limit {
            self.heap.push(Entry {
                place,
                record: Box::new(record.clone()),
            });
        } else if let Some(mut last) = self.heap.peek_mut()
            && place < last.place
        {
            last.place = place;
            (*last.record).clone_from(record);
        }
    }

    /// The records in order.
    pub fn finish(self) -> Vec<Handshake> {
        self.heap
            .into_sorted_vec()
            .into_iter()
            .map(|entry| *entry.record)
            .collect()
    }
}

/// A value that outlives its record.
#[derive(Debug)]
enum Key {
    Int(i64),
    Float(f64),
    Text(Box<[u8]>),
    Address(Address),
    Bool(bool),
}

impl From<Value<'_>> for Key {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Int(value) => Self::Int(value),
            Value::Float(value) => Self::Float(value),
            Value::Text(text) => Self::Text(text.as_bytes().into()),
            Value::Tunnels(tunnels) => Self::Text(tunnel_text(tunnels).collect()),
            Value::Address(address) => Self::Address(address),
            Value::Bool(value) => Self::Bool(value),
        }
    }
}

impl Key {
    /// All keys of one sorter come from one field and are of one kind.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Address(a), Self::Address(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

/// Where a record stands: what comes first is less.
#[derive(Debug)]
struct Place {
    key: Option<Key>,
    is_descending: bool,
    arrival: u64,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_key = match (&self.key, &other.key) {
            (Some(a), Some(b)) if self.is_descending => b.order(a),
            (Some(a), Some(b)) => a.order(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_key.then(self.arrival.cmp(&other.arrival))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}

struct Entry {
    place: Place,
    record: Box<Handshake>,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, plain};

    fn order(key: &str, limit: Option<usize>, waits: &[Option<i64>]) -> Vec<u64> {
        let fixture = Fixture::new();
        let mut sorter = Sorter::new(SortKey::parse(key).unwrap(), limit);
        for (i, &handshake_ns) in waits.iter().enumerate() {
            let record = Handshake {
                handshake_ns,
                number: i as u64,
                ..plain()
            };
            sorter.push(&record, &fixture.names());
        }
        sorter.finish().into_iter().map(|record| record.number).collect()
    }

    const WAITS: &[Option<i64>] = &[Some(5), None, Some(9), Some(1), Some(9), None, Some(7)];

    #[test]
    fn null_is_last_and_equals_keep_their_order() {
        assert_eq!(order("handshake_us", None, WAITS), [3, 0, 6, 2, 4, 1, 5]);
        assert_eq!(order("-handshake_us", None, WAITS), [2, 4, 6, 0, 3, 1, 5]);
    }

    #[test]
    fn a_limit_keeps_the_first_of_the_full_order() {
        for limit in 0..=WAITS.len() + 1 {
            for key in ["handshake_us", "-handshake_us", "client", "-tunnel"] {
                let full = order(key, None, WAITS);
                assert_eq!(order(key, Some(limit), WAITS), full[..limit.min(full.len())]);
            }
        }
    }

    #[test]
    fn what_cannot_be_sorted_by_is_an_error() {
        for (text, column, message) in [
            (
                "handshak_us",
                1,
                "there is no field handshak_us; did you mean handshake_us?",
            ),
            (
                "-handshak_us",
                2,
                "there is no field handshak_us; did you mean handshake_us?",
            ),
            ("vlan", 1, "it holds more than one value"),
            ("-client_options", 2, "it holds more than one value"),
        ] {
            let error = SortKey::parse(text).unwrap_err();
            assert_eq!((error.column, error.message.as_str()), (column, message));
        }
    }
}
