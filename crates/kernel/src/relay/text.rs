//! Links and faults as text: words and `name=value`, as a person would type them.

use std::fmt;
use std::time::Duration;

/// What is wrong with the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpecError(String);

impl SpecError {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    pub(super) fn value(name: &str, value: &str) -> Self {
        Self(format!("«{value}» is no {name}"))
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}

/// `name=value` words.
pub(super) fn assignments<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<(&'a str, &'a str)>, SpecError> {
    words
        .map(|word| {
            word.split_once('=')
                .ok_or_else(|| SpecError::new(format!("«{word}» is no name=value")))
        })
        .collect()
}

/// `20ms`, `1.5s`, `300us`.
pub(super) fn duration(text: &str) -> Result<Duration, SpecError> {
    let units = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let (number, unit) = scaled(text, &units).ok_or_else(|| SpecError::value("duration", text))?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| SpecError::value("duration", text))
}

/// `10%` or `0.1`.
pub(super) fn probability(text: &str) -> Result<f64, SpecError> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|p| p / 100.0),
        None => text.parse(),
    };
    share
        .ok()
        .filter(|p| (0.0..=1.0).contains(p))
        .ok_or_else(|| SpecError::value("share", text))
}

/// `10mbit`, `64kbit`, `1gbit`: bits a second.
pub(super) fn rate(text: &str) -> Result<u64, SpecError> {
    let units = [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3), ("bit", 1.0)];
    scaled(text, &units)
        .map(|(number, unit)| (number * unit) as u64)
        .filter(|bits| *bits > 0)
        .ok_or_else(|| SpecError::value("rate", text))
}

fn scaled(text: &str, units: &[(&str, f64)]) -> Option<(f64, f64)> {
    let (suffix, unit) = units.iter().find(|(suffix, _)| text.ends_with(suffix))?;
    let number: f64 = text.strip_suffix(suffix)?.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number, *unit))
}
