//! A condition as a tree, and its value for a record: true, false or unknown (Kleene's three-valued logic, as SQL's).

use std::cmp::Ordering;

use halfopen_track::{Anomaly, Handshake};

use super::network::Network;
use super::operand::{Operand, SideOf, Value};
use super::program::Operator;
use crate::names::Names;

/// A condition.
#[derive(Debug)]
pub enum Expr {
    Constant(Option<bool>),
    /// A field that is true or false itself.
    Truth(Operand),
    Compare(Operand, Test, Operand),
    /// The first is equal to one of the others.
    OneOf(Operand, Box<[Operand]>),
    InNetworks(Operand, Box<[Network]>),
    /// The first occurs in the second.
    Contains(Operand, Operand),
    HasVlan(Operand),
    AnyVlan,
    HasAnomaly(Anomaly),
    AnyAnomaly,
    IsNull(Operand),
    NoOptions(SideOf),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
}

/// What the order of the two sides must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Test {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    /// The test that an operator asks for; `None` for `in` and `is`.
    pub const fn of(operator: Operator) -> Option<Self> {
        match operator {
            Operator::Equal => Some(Self::Equal),
            Operator::NotEqual => Some(Self::NotEqual),
            Operator::Less => Some(Self::Less),
            Operator::LessOrEqual => Some(Self::LessOrEqual),
            Operator::Greater => Some(Self::Greater),
            Operator::GreaterOrEqual => Some(Self::GreaterOrEqual),
            Operator::In | Operator::NotIn | Operator::Is | Operator::IsNot => None,
        }
    }

    const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Expr {
    /// The value for one record; `None` is unknown.
    pub fn evaluate(&self, record: &Handshake, names: &Names<'_>) -> Option<bool> {
        match self {
            Self::Constant(value) => *value,
            Self::Truth(operand) => match operand.value(record, names)? {
                Value::Bool(value) => Some(value),
                _ => None,
            },
            Self::Compare(left, test, right) => {
                let order = left.value(record, names)?.compare(right.value(record, names)?)?;
                Some(test.holds(order))
            }
            Self::OneOf(operand, choices) => {
                let value = operand.value(record, names)?;
                let equal = |choice: &Operand| choice.value(record, names)?.compare(value);
                Some(choices.iter().any(|choice| equal(choice) == Some(Ordering::Equal)))
            }
            Self::InNetworks(operand, networks) => match operand.value(record, names)? {
                Value::Address(address) => Some(networks.iter().any(|network| network.contains(address))),
                _ => None,
            },
            Self::Contains(needle, text) => Some(text.value(record, names)?.contains(needle.value(record, names)?)),
            Self::HasVlan(operand) => {
                let value = operand.value(record, names)?;
                let is_it = |&tag: &u16| Value::Int(tag.into()).compare(value) == Some(Ordering::Equal);
                Some(names.vlan(record).iter().any(is_it))
            }
            Self::AnyVlan => Some(!names.vlan(record).is_empty()),
            Self::HasAnomaly(anomaly) => Some(record.anomalies.contains(*anomaly)),
            Self::AnyAnomaly => Some(record.anomalies.0 != 0),
            Self::IsNull(operand) => Some(operand.value(record, names).is_none()),
            Self::NoOptions(side) => Some(side(record).is_none()),
            Self::Not(condition) => condition.evaluate(record, names).map(|value| !value),
            Self::And(conditions) => all(
                conditions.iter().map(|condition| condition.evaluate(record, names)),
                true,
            ),
            Self::Or(conditions) => all(
                conditions.iter().map(|condition| condition.evaluate(record, names)),
                false,
            ),
        }
    }
}

/// `neutral` when all values are, its opposite when one is that, unknown otherwise: `and` for true, `or` for false.
fn all(values: impl Iterator<Item = Option<bool>>, neutral: bool) -> Option<bool> {
    let mut result = Some(neutral);
    for value in values {
        match value {
            Some(value) if value == neutral => {}
            Some(value) => return Some(value),
            None => result = None,
        }
    }
    result
}
