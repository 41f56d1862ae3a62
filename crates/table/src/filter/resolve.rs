//! Names to fields, and what to say when there is no such name.

use super::FilterError;
use super::operand::{Operand, SideOf};
use crate::field::{FIELDS, Get, OPTION_FIELDS, Scalar, anomaly_names, paths};

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// One value.
    Value(Operand),
    Vlan,
    Anomalies,
    /// The whole structure of one side's options.
    Options(SideOf),
}

/// Finds `path` (`server_port`, `client_options.mss`).
pub fn resolve(path: &str, column: u32) -> Result<Resolved, FilterError> {
    find(path).ok_or_else(|| FilterError::new(column, unknown(path)))
}

fn find(path: &str) -> Option<Resolved> {
    let (name, member) = match path.split_once('.') {
        Some((name, member)) => (name, Some(member)),
        None => (path, None),
    };
    let get = &FIELDS.iter().find(|field| field.name == name)?.get;
    match (get, member) {
        (Get::Options(side), Some(member)) => {
            let member = OPTION_FIELDS.iter().find(|option| option.name == member)?;
            Some(Resolved::Value(Operand::Option(*side, &member.get)))
        }
        (_, Some(_)) => None,
        (Get::Options(side), None) => Some(Resolved::Options(*side)),
        (Get::Vlan, None) => Some(Resolved::Vlan),
        (Get::Anomalies, None) => Some(Resolved::Anomalies),
        (get, None) => Operand::of(get).map(Resolved::Value),
    }
}

fn unknown(path: &str) -> String {
    if is_value(path) {
        return format!("there is no field {path}; text stands in quotes: \"{path}\"");
    }
    let paths = paths();
    match nearest(path, paths.iter().map(String::as_str)) {
        Some(name) => format!("there is no field {path}; did you mean {name}?"),
        None => format!("there is no field {path}"),
    }
}

/// Whether `text` is a value of a closed list: the quotes were forgotten.
fn is_value(text: &str) -> bool {
    let in_field = |get: &Get| matches!(get, Get::Scalar(Scalar::Name { all, .. }) if all().contains(&text));
    FIELDS.iter().any(|field| in_field(&field.get)) || anomaly_names().any(|name| name == text)
}

/// The most similar of `names`, if one is similar at all: fewer edits than half of its length.
pub fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A member written without its structure is the likeliest mistake: `mss` for `client_options.mss`.
    let distance = |name: &str| {
        let member = name.rsplit('.').next().unwrap_or(name);
        if member == text { 1 } else { edits(text, name) }
    };
    names
        .map(|name| (distance(name), name))
        .filter(|(n, name)| n * 2 < name.len())
        .min_by_key(|(n, _)| *n)
        .map(|(_, name)| name)
}

/// Levenshtein's distance. The longer text is cut: beyond the length of any name of ours the distance is large anyway.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().take(80).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The field `name` as a key to sort by.
pub fn sortable(name: &str, column: u32) -> Result<Operand, FilterError> {
    match resolve(name, column)? {
        Resolved::Value(operand) => Ok(operand),
        _ => Err(FilterError::new(column, "it holds more than one value")),
    }
}
