//! A program to an expression: a stack machine whose values are operands and conditions, and the checks of their types.

use halfopen_track::Anomaly;

use super::expr::{Expr, Test};
use super::network::Network;
use super::operand::{Kind, Operand};
use super::program::{Instruction, Operator, parse_line};
use super::resolve::{Resolved, nearest, resolve};
use super::{FilterError, MAX_DEPTH, MAX_PROGRAM_BYTES};
use crate::field::anomaly_names;

type Result<T> = std::result::Result<T, FilterError>;

/// What lies on the stack, with its place in the person's text.
struct Item {
    column: u32,
    node: Node,
}

enum Node {
    Field(Resolved),
    Literal(Operand),
    Null,
    List(Vec<(u32, Operand)>),
    Condition(Expr, u32),
}

/// Compiles a whole program.
pub fn compile(program: &str) -> Result<Expr> {
    if program.len() > MAX_PROGRAM_BYTES {
        return Err(FilterError::new(
            0,
            format!("the condition is longer than {MAX_PROGRAM_BYTES} bytes"),
        ));
    }
    let mut stack = Vec::new();
    for line in program.lines() {
        let (column, instruction) = parse_line(line)?;
        let node = step(&mut stack, column, instruction)?;
        stack.push(Item { column, node });
    }
    let item = pop(&mut stack, 0)?;
    if !stack.is_empty() {
        return Err(unbalanced(0));
    }
    condition(item).map(|(expr, _)| expr)
}

fn step(stack: &mut Vec<Item>, column: u32, instruction: Instruction) -> Result<Node> {
    Ok(match instruction {
        Instruction::Field(name) => Node::Field(resolve(&name, column)?),
        Instruction::Int(value) => Node::Literal(Operand::Int(value)),
        Instruction::Float(value) => Node::Literal(Operand::Float(value)),
        Instruction::Text(text) => Node::Literal(Operand::Text(text.into())),
        Instruction::Bool(value) => Node::Literal(Operand::Bool(value)),
        Instruction::Null => Node::Null,
        Instruction::List(n) => Node::List(
            pop_many(stack, n, column)?
                .into_iter()
                .map(literal)
                .collect::<Result<_>>()?,
        ),
        Instruction::Compare(operator) => {
            let (right, left) = (pop(stack, column)?, pop(stack, column)?);
            Node::Condition(compare(left, operator, right, column)?, 1)
        }
        Instruction::Not => {
            let (expr, depth) = condition(pop(stack, column)?)?;
            Node::Condition(Expr::Not(expr.into()), deeper(depth, column)?)
        }
        Instruction::And(n) => join(stack, n, column, Expr::And)?,
        Instruction::Or(n) => join(stack, n, column, Expr::Or)?,
    })
}

fn join(stack: &mut Vec<Item>, n: usize, column: u32, make: fn(Vec<Expr>) -> Expr) -> Result<Node> {
    let parts = pop_many(stack, n, column)?
        .into_iter()
        .map(condition)
        .collect::<Result<Vec<_>>>()?;
    let depth = parts.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
    Ok(Node::Condition(
        make(parts.into_iter().map(|(expr, _)| expr).collect()),
        deeper(depth, column)?,
    ))
}

fn deeper(depth: u32, column: u32) -> Result<u32> {
    if depth >= MAX_DEPTH {
        return Err(FilterError::new(
            column,
            format!("conditions nest deeper than {MAX_DEPTH}"),
        ));
    }
    Ok(depth + 1)
}

fn pop(stack: &mut Vec<Item>, column: u32) -> Result<Item> {
    stack.pop().ok_or_else(|| unbalanced(column))
}

fn pop_many(stack: &mut Vec<Item>, n: usize, column: u32) -> Result<Vec<Item>> {
    let start = stack.len().checked_sub(n).ok_or_else(|| unbalanced(column))?;
    Ok(stack.split_off(start))
}

fn unbalanced(column: u32) -> FilterError {
    FilterError::new(column, "the filter program takes more or fewer values than it makes")
}

fn literal(item: Item) -> Result<(u32, Operand)> {
    match item.node {
        Node::Literal(operand) => Ok((item.column, operand)),
        _ => Err(FilterError::new(
            item.column,
            "a list holds numbers and quoted text only",
        )),
    }
}

/// Takes an item as a condition. Fields that are true or false are one; a list is one when it is not empty.
fn condition(item: Item) -> Result<(Expr, u32)> {
    let what = match item.node {
        Node::Condition(expr, depth) => return Ok((expr, depth)),
        Node::Field(Resolved::Vlan) => return Ok((Expr::AnyVlan, 1)),
        Node::Field(Resolved::Anomalies) => return Ok((Expr::AnyAnomaly, 1)),
        Node::Literal(Operand::Bool(value)) => return Ok((Expr::Constant(Some(value)), 1)),
        Node::Null => return Ok((Expr::Constant(None), 1)),
        Node::Field(Resolved::Value(operand)) if operand.kind() == Kind::Bool => return Ok((Expr::Truth(operand), 1)),
        Node::Field(Resolved::Value(operand)) | Node::Literal(operand) => operand.kind().phrase(),
        Node::Field(Resolved::Options(_)) => "a record",
        Node::List(_) => "a list",
    };
    Err(FilterError::new(
        item.column,
        format!("this is {what}, not a condition: compare it with something"),
    ))
}

fn compare(left: Item, operator: Operator, right: Item, column: u32) -> Result<Expr> {
    if let Some(expr) = compare_null(&left, operator, &right) {
        return expr;
    }
    match operator {
        Operator::In => contains(left, right),
        Operator::NotIn => Ok(Expr::Not(contains(left, right)?.into())),
        // `simultaneous is True` is how Python asks; with numbers and text `is` would be a mistake there too.
        Operator::Is => compare_values(left, Test::Equal, right, column),
        Operator::IsNot => compare_values(left, Test::NotEqual, right, column),
        _ => match Test::of(operator) {
            Some(test) => compare_values(left, test, right, column),
            None => Err(unbalanced(column)),
        },
    }
}

/// `field == None`, `field is not None` and their like; `None` when neither side is null.
fn compare_null(left: &Item, operator: Operator, right: &Item) -> Option<Result<Expr>> {
    let other = match (&left.node, &right.node) {
        (_, Node::Null) => left,
        (Node::Null, _) => right,
        _ => return None,
    };
    let is_null = match &other.node {
        Node::Field(Resolved::Value(operand)) => Expr::IsNull(operand.clone()),
        Node::Field(Resolved::Options(side)) => Expr::NoOptions(*side),
        // Never null: known to be empty is not unknown.
        Node::Field(Resolved::Vlan | Resolved::Anomalies) => Expr::Constant(Some(false)),
        _ => {
            return Some(Err(FilterError::new(
                other.column,
                "only a field can be compared with None",
            )));
        }
    };
    Some(match operator {
        Operator::Equal | Operator::Is => Ok(is_null),
        Operator::NotEqual | Operator::IsNot => Ok(Expr::Not(is_null.into())),
        _ => Err(FilterError::new(
            other.column,
            "with None there is only `is None` and `is not None`",
        )),
    })
}

fn compare_values(left: Item, test: Test, right: Item, column: u32) -> Result<Expr> {
    let (left_column, right_column) = (left.column, right.column);
    let (mut left, mut right) = (value(left)?, value(right)?);
    address_literal(&mut right, right_column, &left)?;
    address_literal(&mut left, left_column, &right)?;
    if left.kind() != right.kind() {
        let (left, right) = (left.kind().phrase(), right.kind().phrase());
        return Err(FilterError::new(
            column,
            format!("{left} is never comparable with {right}"),
        ));
    }
    if matches!(test, Test::Equal | Test::NotEqual) {
        check_closed_list(&left, &right, right_column)?;
        check_closed_list(&right, &left, left_column)?;
    }
    Ok(Expr::Compare(left, test, right))
}

/// Takes an item as one value.
fn value(item: Item) -> Result<Operand> {
    let hint = match item.node {
        Node::Field(Resolved::Value(operand)) | Node::Literal(operand) => return Ok(operand),
        Node::Field(Resolved::Vlan) => "a list: write `10 in vlan`",
        Node::Field(Resolved::Anomalies) => "a list: write `\"port_reused\" in anomalies`",
        Node::Field(Resolved::Options(_)) => "a record: compare a member, as `client_options.mss`",
        Node::List(_) => "a list: write `server_port in (80, 443)`",
        Node::Condition(..) => "a condition: join conditions with `and` and `or`",
        Node::Null => "None: write `is None`",
    };
    Err(FilterError::new(item.column, format!("this is {hint}")))
}

/// Turns text into an address where the other side is one, so that every spelling of an address is equal to it.
fn address_literal(operand: &mut Operand, column: u32, other: &Operand) -> Result<()> {
    if let (Operand::Text(text), Kind::Address) = (&*operand, other.kind()) {
        let address = text.parse().map_err(|_| {
            let hint = if Network::parse(text).is_some() {
                ": a network is asked for with `in`"
            } else {
                ""
            };
            FilterError::new(column, format!("\"{text}\" is no IP address{hint}"))
        })?;
        *operand = Operand::Address(<halfopen_wire::Address as From<std::net::IpAddr>>::from(address));
    }
    Ok(())
}

/// A comparison with a value that the field never has finds nothing, silently: it is an error instead.
fn check_closed_list(field: &Operand, literal: &Operand, column: u32) -> Result<()> {
    match (field.closed_list(), literal) {
        (Some(names), Operand::Text(text)) => check_name(text, &names, column),
        _ => Ok(()),
    }
}

fn check_name(text: &str, names: &[&'static str], column: u32) -> Result<()> {
    if names.contains(&text) {
        return Ok(());
    }
    let hint = match nearest(text, names.iter().copied()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("its values are {}", names.join(", ")),
    };
    Err(FilterError::new(
        column,
        format!("the field is never \"{text}\"; {hint}"),
    ))
}

/// `left in right`.
fn contains(left: Item, right: Item) -> Result<Expr> {
    let (left_column, right_column) = (left.column, right.column);
    let right = match right.node {
        Node::List(choices) => return one_of(value(left)?, choices),
        Node::Field(Resolved::Vlan) => return has_vlan(value(left)?, left_column),
        Node::Field(Resolved::Anomalies) => return has_anomaly(&value(left)?, left_column),
        node => value(Item {
            column: right_column,
            node,
        })?,
    };
    let left = value(left)?;
    match (left.kind(), right) {
        (Kind::Address, text @ Operand::Text(_)) => one_of(left, vec![(right_column, text)]),
        (Kind::Text, right) if right.kind() == Kind::Text && !matches!(right, Operand::Text(_)) => {
            Ok(Expr::Contains(left, right))
        }
        (_, Operand::Text(_)) => Err(FilterError::new(
            right_column,
            "after `in` stands a list: `outcome in (\"refused\", \"unanswered\")`",
        )),
        _ => Err(FilterError::new(
            right_column,
            "after `in` stands a list, a text field, or an address block in quotes",
        )),
    }
}

fn one_of(operand: Operand, choices: Vec<(u32, Operand)>) -> Result<Expr> {
    if operand.kind() == Kind::Address {
        let networks = choices
            .iter()
            .map(|(column, choice)| network(choice, *column))
            .collect::<Result<_>>()?;
        return Ok(Expr::InNetworks(operand, networks));
    }
    for (column, choice) in &choices {
        if choice.kind() != operand.kind() {
            let (left, right) = (operand.kind().phrase(), choice.kind().phrase());
            return Err(FilterError::new(
                *column,
                format!("{left} is never comparable with {right}"),
            ));
        }
        check_closed_list(&operand, choice, *column)?;
    }
    Ok(Expr::OneOf(
        operand,
        choices.into_iter().map(|(_, choice)| choice).collect(),
    ))
}

fn network(choice: &Operand, column: u32) -> Result<Network> {
    let parsed = match choice {
        Operand::Text(text) => Network::parse(text),
        _ => None,
    };
    parsed.ok_or_else(|| FilterError::new(column, "this is no IP address and no block of them, as \"10.0.0.0/8\""))
}

fn has_vlan(operand: Operand, column: u32) -> Result<Expr> {
    if operand.kind() == Kind::Number {
        return Ok(Expr::HasVlan(operand));
    }
    Err(FilterError::new(column, "a VLAN identifier is a number"))
}

fn has_anomaly(operand: &Operand, column: u32) -> Result<Expr> {
    let Operand::Text(text) = operand else {
        return Err(FilterError::new(column, "an anomaly is named by text in quotes"));
    };
    let names: Vec<_> = anomaly_names().collect();
    check_name(text, &names, column)?;
    match Anomaly::ALL.iter().find(|anomaly| anomaly.name() == &**text) {
        Some(&anomaly) => Ok(Expr::HasAnomaly(anomaly)),
        None => Err(unbalanced(column)),
    }
}
