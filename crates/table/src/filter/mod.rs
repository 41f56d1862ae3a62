//! `--where`: a condition over one record, compiled once, evaluated for each record without allocation.
//!
//! The text a person writes is parsed in Python (`halfopen.handshakes.where`) into a postfix [`program`]; here it is
//! bound to the fields, its types are checked, and it becomes an expression.
//!
//! Unknown values are SQL's: a comparison with null is neither true nor false, `not` leaves it so, and a record is kept
//! only when the whole is true. `is None` asks for null itself.
//!
//! **Limits.** A program has at most [`MAX_PROGRAM_BYTES`] and its conditions nest at most [`MAX_DEPTH`] deep.

mod compile;
mod expr;
mod network;
mod operand;
mod program;
mod resolve;
#[cfg(test)]
mod tests;

use std::fmt;

use halfopen_track::Handshake;

use crate::names::Names;
use expr::Expr;
pub(crate) use operand::{Operand, Value};
pub(crate) use resolve::sortable;

/// The longest program that is read, in bytes.
pub const MAX_PROGRAM_BYTES: usize = 1 << 16;

/// The deepest nesting of `and`, `or` and `not`: evaluation is recursive, and the stack of a thread is not endless.
pub const MAX_DEPTH: u32 = 100;

/// A compiled condition.
#[derive(Debug)]
pub struct Filter(Expr);

impl Filter {
    /// Compiles a [`program`].
    pub fn compile(program: &str) -> Result<Self, FilterError> {
        compile::compile(program).map(Self)
    }

    /// Whether the condition is true of `record`; unknown is not true.
    pub fn matches(&self, record: &Handshake, names: &Names<'_>) -> bool {
        self.0.evaluate(record, names) == Some(true)
    }
}

/// Why a condition cannot be evaluated, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterError {
    /// 1-based character in the text that the person wrote; 0 when the program itself is not one.
    pub column: u32,
    /// One sentence without a full stop.
    pub message: String,
}

impl FilterError {
    pub(crate) fn new(column: u32, message: impl Into<String>) -> Self {
        Self {
            column,
            message: message.into(),
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for FilterError {}
