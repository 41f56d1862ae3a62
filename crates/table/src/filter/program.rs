//! The postfix program: one instruction a line, `NAME COLUMN [ARGUMENT]`, the column being where in the person's text it
//! comes from.
//!
//! | instruction | effect on the stack |
//! | --- | --- |
//! | `field C NAME` | pushes a field |
//! | `int C N`, `float C X`, `text C T`, `true C`, `false C`, `null C` | pushes a literal; `\\`, `\n`, `\r` in T are escapes |
//! | `list C N` | pops N literals, pushes their list |
//! | `compare C OP` | pops right, pops left, pushes a condition; OP: `==` `!=` `<` `<=` `>` `>=` `in` `not_in` `is` `is_not` |
//! | `not C`, `and C N`, `or C N` | pops 1 or N, pushes a condition |

use super::FilterError;

/// One instruction.
#[derive(Clone, PartialEq, Debug)]
pub enum Instruction {
    Field(String),
    Int(i64),
    Float(f64),
    Text(String),
    Bool(bool),
    Null,
    List(usize),
    Compare(Operator),
    Not,
    And(usize),
    Or(usize),
}

/// What stands between the two sides of a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

impl Operator {
    /// Each with its name in a program.
    pub const ALL: [(&'static str, Operator); 10] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
        ("in", Self::In),
        ("not_in", Self::NotIn),
        ("is", Self::Is),
        ("is_not", Self::IsNot),
    ];
}

/// Reads one line. An error here is a fault of the program's author, not of the person: the message says what, not why.
pub fn parse_line(line: &str) -> Result<(u32, Instruction), FilterError> {
    let mut parts = line.splitn(3, ' ');
    let (name, column, argument) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let column: u32 = column
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| malformed(0, line))?;
    instruction(name, argument)
        .map(|instruction| (column, instruction))
        .ok_or_else(|| malformed(column, line))
}

fn instruction(name: &str, argument: Option<&str>) -> Option<Instruction> {
    Some(match (name, argument) {
        ("field", Some(name)) => Instruction::Field(name.to_owned()),
        ("int", Some(text)) => Instruction::Int(text.parse().ok()?),
        ("float", Some(text)) => Instruction::Float(text.parse().ok().filter(|x: &f64| x.is_finite())?),
        ("text", Some(text)) => Instruction::Text(unescape(text)?),
        ("true", None) => Instruction::Bool(true),
        ("false", None) => Instruction::Bool(false),
        ("null", None) => Instruction::Null,
        ("list", Some(text)) => Instruction::List(text.parse().ok()?),
        ("compare", Some(text)) => Instruction::Compare(Operator::ALL.into_iter().find(|(name, _)| *name == text)?.1),
        ("not", None) => Instruction::Not,
        ("and", Some(text)) => Instruction::And(text.parse().ok()?),
        ("or", Some(text)) => Instruction::Or(text.parse().ok()?),
        _ => return None,
    })
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

fn malformed(column: u32, line: &str) -> FilterError {
    FilterError::new(column, format!("not an instruction of a filter program: {line:?}"))
}
