//! The two sides of a comparison: a field of the record, or a literal.

use std::cmp::Ordering;

use halfopen_track::{Handshake, SideOptions};
use halfopen_wire::{Address, Tunnel};

use crate::field::{Get, LiveOnly, Scalar};
use crate::names::{Names, tunnel_text};

/// Takes one side's options of a record.
pub type SideOf = fn(&Handshake) -> Option<&SideOptions>;

/// A field that holds one value, or a literal.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A value of the record.
    Record(&'static Scalar<Handshake>),
    /// A value of one side's options.
    Option(SideOf, &'static Scalar<SideOptions>),
    /// The input's name.
    Source,
    /// The tunnels' names.
    Tunnel,
    /// Null for every capture.
    LiveOnly(LiveOnly),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text.
    Text(Box<str>),
    /// An address, where text was compared with one.
    Address(Address),
    /// True or false.
    Bool(bool),
}

/// What can be compared with what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Number,
    Text,
    Address,
    Bool,
}

impl Kind {
    /// With its article, for messages.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "text",
            Self::Address => "an address",
            Self::Bool => "true or false",
        }
    }
}

/// The value of an operand for one record.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Int(i64),
    Float(f64),
    Text(&'a str),
    Tunnels(&'a [Tunnel]),
    Address(Address),
    Bool(bool),
}

impl Operand {
    /// The single value of a field; `None` for lists and structures.
    pub fn of(get: &'static Get) -> Option<Self> {
        match get {
            Get::Scalar(scalar) => Some(Self::Record(scalar)),
            Get::Source => Some(Self::Source),
            Get::Tunnel => Some(Self::Tunnel),
            Get::LiveOnly(kind) => Some(Self::LiveOnly(*kind)),
            Get::Vlan | Get::Anomalies | Get::Options(_) => None,
        }
    }

    /// What it can be compared with.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Record(scalar) => scalar_kind(scalar),
            Self::Option(_, scalar) => scalar_kind(scalar),
            Self::Source | Self::Tunnel | Self::LiveOnly(LiveOnly::Text) | Self::Text(_) => Kind::Text,
            Self::LiveOnly(LiveOnly::Int | LiveOnly::Micros) | Self::Int(_) | Self::Float(_) => Kind::Number,
            Self::Address(_) => Kind::Address,
            Self::Bool(_) => Kind::Bool,
        }
    }

    /// The closed list that its values are of, if they are.
    pub fn closed_list(&self) -> Option<Vec<&'static str>> {
        match self {
            Self::Record(Scalar::Name { all, .. }) | Self::Option(_, Scalar::Name { all, .. }) => Some(all()),
            _ => None,
        }
    }

    /// Its value for one record; `None` is null.
    pub fn value<'a>(&'a self, record: &'a Handshake, names: &Names<'a>) -> Option<Value<'a>> {
        match self {
            Self::Record(scalar) => scalar_value(scalar, record),
            Self::Option(side, scalar) => scalar_value(scalar, side(record)?),
            Self::Source => names.source(record).map(Value::Text),
            Self::Tunnel => Some(names.tunnels(record))
                .filter(|tunnels| !tunnels.is_empty())
                .map(Value::Tunnels),
            Self::LiveOnly(_) => None,
            Self::Int(value) => Some(Value::Int(*value)),
            Self::Float(value) => Some(Value::Float(*value)),
            Self::Text(text) => Some(Value::Text(text)),
            Self::Address(address) => Some(Value::Address(*address)),
            Self::Bool(value) => Some(Value::Bool(*value)),
        }
    }
}

const fn scalar_kind<T>(scalar: &Scalar<T>) -> Kind {
    match scalar {
        Scalar::Int(_) | Scalar::Micros(_) => Kind::Number,
        Scalar::Bool(_) => Kind::Bool,
        Scalar::Name { .. } => Kind::Text,
        Scalar::Address(_) => Kind::Address,
    }
}

fn scalar_value<T>(scalar: &Scalar<T>, record: &T) -> Option<Value<'static>> {
    match scalar {
        Scalar::Int(get) => get(record).map(Value::Int),
        Scalar::Micros(get) => get(record).map(|ns| Value::Float(ns as f64 / 1000.0)),
        Scalar::Bool(get) => get(record).map(Value::Bool),
        Scalar::Name { get, .. } => get(record).map(Value::Text),
        Scalar::Address(get) => get(record).map(Value::Address),
    }
}

impl Value<'_> {
    /// The order of two values of one [`Kind`]: text by its bytes, IPv4 before IPv6, false before true.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Int(a), Self::Float(b)) => (a as f64).partial_cmp(&b),
            (Self::Float(a), Self::Int(b)) => a.partial_cmp(&(b as f64)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Tunnels(b)) => Some(a.bytes().cmp(tunnel_text(b))),
            (Self::Tunnels(a), Self::Text(b)) => Some(tunnel_text(a).cmp(b.bytes())),
            (Self::Tunnels(a), Self::Tunnels(b)) => Some(tunnel_text(a).cmp(tunnel_text(b))),
            (Self::Address(a), Self::Address(b)) => Some(a.cmp(&b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(&b)),
            _ => None,
        }
    }

    /// Whether this text contains that one.
    pub fn contains(self, needle: Self) -> bool {
        match (self, needle) {
            (Self::Text(text), Self::Text(needle)) => text.contains(needle),
            (Self::Text(text), Self::Tunnels(needle)) => has_run(text.bytes(), &tunnel_text(needle)),
            (Self::Tunnels(text), Self::Text(needle)) => has_run(tunnel_text(text), &needle.bytes()),
            (Self::Tunnels(text), Self::Tunnels(needle)) => has_run(tunnel_text(text), &tunnel_text(needle)),
            _ => false,
        }
    }
}

/// Whether `needle` occurs in `text`; the plain search suffices for the few bytes of tunnel names.
fn has_run(mut text: impl Iterator<Item = u8> + Clone, needle: &(impl Iterator<Item = u8> + Clone)) -> bool {
    loop {
        let mut rest = text.clone();
        if needle.clone().all(|byte| rest.next() == Some(byte)) {
            return true;
        }
        if text.next().is_none() {
            return false;
        }
    }
}
