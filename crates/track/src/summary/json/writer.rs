//! Commas and braces.

use std::fmt::{Display, Write};

use crate::quantiles::Quantiles;

/// Builds one JSON value. Objects and lists are closures, so that every bracket is closed.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
    /// Whether the next value stands behind another one.
    comma: bool,
}

impl Writer {
    /// The text.
    pub fn finish(self) -> String {
        self.out
    }

    fn raw(&mut self, value: impl Display) {
        if self.comma {
            self.out.push(',');
        }
        self.comma = true;
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{value}");
    }

    fn enclosed(&mut self, open: &str, close: char, body: impl FnOnce(&mut Self)) {
        self.raw(open);
        self.comma = false;
        body(self);
        self.out.push(close);
        self.comma = true;
    }

    /// `{…}`; the body writes keys and values in turn.
    pub fn object(&mut self, body: impl FnOnce(&mut Self)) {
        self.enclosed("{", '}', body);
    }

    /// `[…]`; `each` writes one value for each item.
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.enclosed("[", ']', |w| items.into_iter().for_each(|item| each(w, item)));
    }

    /// A key of ours or a number: nothing that needs escaping.
    pub fn key(&mut self, name: impl Display) {
        self.raw(format_args!("\"{name}\":"));
        self.comma = false;
    }

    /// Text that needs no escaping.
    pub fn text(&mut self, text: impl Display) {
        self.raw(format_args!("\"{text}\""));
    }

    /// An integer, or a boolean.
    pub fn integer(&mut self, value: impl Display) {
        self.raw(value);
    }

    /// `null`.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// A value, or `null`.
    pub fn optional(&mut self, value: Option<impl Display>) {
        match value {
            Some(value) => self.raw(value),
            None => self.null(),
        }
    }

    /// Key and integer.
    pub fn entry(&mut self, name: &str, value: impl Display) {
        self.key(name);
        self.integer(value);
    }

    /// Nanoseconds as microseconds with three decimals, exact.
    pub fn micros(&mut self, ns: Option<impl Into<i128>>) {
        let Some(ns) = ns.map(Into::into) else {
            return self.null();
        };
        let sign = if ns < 0 { "-" } else { "" };
        let ns = ns.unsigned_abs();
        self.raw(format_args!("{sign}{}.{:03}", ns / 1000, ns % 1000));
    }

    /// A finite number, or `null`. Debug keeps the point in `1.0`, so that a reader sees the same type every time.
    pub fn float(&mut self, value: Option<f64>) {
        match value {
            Some(value) => self.raw(format_args!("{value:?}")),
            None => self.null(),
        }
    }

    /// An object of the counts that are not 0.
    pub fn counts<K: Display>(&mut self, name: &str, counts: impl IntoIterator<Item = (K, u64)>) {
        self.key(name);
        self.object(|w| {
            for (key, n) in counts.into_iter().filter(|&(_, n)| n > 0) {
                w.key(key);
                w.integer(n);
            }
        });
    }

    /// A distribution.
    pub fn quantiles(&mut self, q: &Quantiles) {
        let count = u128::from(q.count());
        let mean = (count > 0).then(|| ((q.sum() + count / 2) / count.max(1)) as i128);
        let [p50, p90, p99] = q.percentiles([0.5, 0.9, 0.99]).map_or([None; 3], |p| p.map(Some));
        self.object(|w| {
            w.entry("count", count);
            for (name, value) in [("sum_us", (count > 0).then_some(q.sum() as i128)), ("mean_us", mean)] {
                w.key(name);
                w.micros(value);
            }
            for (name, value) in [
                ("min", q.min()),
                ("p50", p50),
                ("p90", p90),
                ("p99", p99),
                ("max", q.max()),
            ] {
                w.key(name);
                w.micros(value);
            }
            w.entry("exact", q.is_exact());
            w.entry("negative", q.negative());
        });
    }
}
