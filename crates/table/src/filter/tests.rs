//! What conditions mean, and that no program does harm. The programs are written as Python writes them.

use proptest::prelude::*;

use super::{Filter, MAX_DEPTH};
use crate::field::paths;
use crate::testing::Fixture;

/// A program from its instructions, one after another, each in column 1 unless it says otherwise.
fn program(instructions: &[&str]) -> String {
    let line = |text: &&str| match text.split_once(' ') {
        Some((name, argument)) => format!("{name} 1 {argument}\n"),
        None => format!("{text} 1\n"),
    };
    instructions.iter().map(line).collect()
}

/// Which of the fixture's four records the condition is true of, false of (`not` it is true), and neither.
fn verdicts(instructions: &[&str]) -> String {
    let fixture = Fixture::new();
    let filter = Filter::compile(&program(instructions)).unwrap();
    let mut negated = instructions.to_vec();
    negated.push("not");
    let negated = Filter::compile(&program(&negated)).unwrap();
    let verdict = |record| match (
        filter.matches(record, &fixture.names()),
        negated.matches(record, &fixture.names()),
    ) {
        (true, false) => 'T',
        (false, true) => 'F',
        (false, false) => '?',
        (true, true) => panic!("both a condition and its opposite are true"),
    };
    fixture.hard().iter().map(verdict).collect()
}

/// The records are: plain, extreme, empty, odd.
#[test]
fn conditions_mean_what_they_say() {
    for (instructions, expected) in [
        (&["field outcome", "text established", "compare =="][..], "TFFF"),
        (&["field outcome", "text established", "compare !="], "FTTT"),
        (
            &["field outcome", "text refused", "text partial", "list 2", "compare in"],
            "FFTF",
        ),
        (&["text reset", "field outcome", "compare in"], "FTFF"),
        (&["field server_port", "int 443", "compare =="], "TFFT"),
        (
            &["field server_port", "int 80", "int 443", "list 2", "compare not_in"],
            "FTTF",
        ),
        (&["field handshake_us", "float 300.1", "compare =="], "TF?T"),
        (&["field handshake_us", "int 300", "compare >"], "TF?T"),
        (&["field syn_to_syn_ack_us", "field handshake_us", "compare <="], "TF?T"),
        (&["field start_ns", "int 1700000000123456789", "compare =="], "TFFT"),
        (&["field start_ns", "int 1700000000123456788", "compare =="], "FFFF"),
        (&["field client", "text 10.0.0.1", "compare =="], "TFFT"),
        (&["field client", "text 10.0.0.0/8", "compare in"], "TFFT"),
        (&["field client", "text 0.0.0.0/0", "compare in"], "TFTT"),
        (&["field server", "text 0:0::0", "compare =="], "FTFF"),
        (
            &["field client", "text ff00::/8", "text 0.0.0.0", "list 2", "compare in"],
            "FTTF",
        ),
        (&["field client", "field server", "compare <"], "TFTT"),
        (&["field icmp_from", "text 2001:DB8::1", "compare =="], "???T"),
        (&["field simultaneous"], "FTFF"),
        (&["field simultaneous", "true", "compare is"], "FTFF"),
        (&["field vlan"], "FFFT"),
        (&["int 10", "field vlan", "compare in"], "FFFT"),
        (&["int 11", "field vlan", "compare not_in"], "TTTT"),
        (&["field anomalies"], "FTFT"),
        (&["text port_reused", "field anomalies", "compare in"], "FTFT"),
        (&["text bad_checksum", "field anomalies", "compare in"], "FTFF"),
        (&["field tunnel", "text gre+mpls", "compare =="], "?T??"),
        (&["text e+m", "field tunnel", "compare in"], "?T??"),
        (&["text mpls+", "field tunnel", "compare in"], "?F??"),
        (&["field tunnel", "null", "compare is"], "TFTT"),
        (&["text plain", "field source", "compare in"], "TF?T"),
        (&["field client_options", "null", "compare =="], "FFTF"),
        (&["field client_options.mss", "int 1460", "compare =="], "TF??"),
        (&["field client_options.mss", "null", "compare is_not"], "TTFF"),
        (&["field client_options.fast_open", "text cookie", "compare =="], "?T?F"),
        (&["field pid", "int 1", "compare =="], "????"),
        (&["null"], "????"),
        (
            &["field handshake_us", "int 0", "compare >", "field simultaneous", "or 2"],
            "TT?T",
        ),
        (
            &[
                "field handshake_us",
                "int 0",
                "compare >",
                "field simultaneous",
                "and 2",
            ],
            "FFFF",
        ),
        (
            &["field handshake_us", "int 0", "compare >", "not", "true", "and 2"],
            "FT?F",
        ),
    ] {
        assert_eq!(verdicts(instructions), expected, "{instructions:?}");
    }
}

#[test]
fn mistakes_are_named_before_anything_is_read() {
    for (instructions, message) in [
        (&["field outcom"][..], "there is no field outcom; did you mean outcome?"),
        (
            &["field mss"],
            "there is no field mss; did you mean client_options.mss?",
        ),
        (
            &["field client_options.ms"],
            "there is no field client_options.ms; did you mean client_options.mss?",
        ),
        (
            &["field established"],
            "there is no field established; text stands in quotes: \"established\"",
        ),
        (&["field zzzzzzzzzzzzzz"], "there is no field zzzzzzzzzzzzzz"),
        (&["field outcome.name"], "there is no field outcome.name"),
        (
            &["field outcome", "text establishd", "compare =="],
            "the field is never \"establishd\"; did you mean \"established\"?",
        ),
        (
            &["field close", "text x", "compare !="],
            "the field is never \"x\"; its values are fin, rst",
        ),
        (
            &["text port_reuse", "field anomalies", "compare in"],
            "the field is never \"port_reuse\"; did you mean \"port_reused\"?",
        ),
        (
            &["field server_port", "text 443", "compare =="],
            "a number is never comparable with text",
        ),
        (
            &["field server_port", "text 443", "list 1", "compare in"],
            "a number is never comparable with text",
        ),
        (
            &["field simultaneous", "int 1", "compare =="],
            "true or false is never comparable with a number",
        ),
        (
            &["field client", "text 10.0.0.0/8", "compare =="],
            "\"10.0.0.0/8\" is no IP address: a network is asked for with `in`",
        ),
        (
            &["field client", "text example.org", "compare =="],
            "\"example.org\" is no IP address",
        ),
        (
            &["field client", "text 10.0.0.0/33", "compare in"],
            "this is no IP address and no block of them, as \"10.0.0.0/8\"",
        ),
        (
            &["field server_port"],
            "this is a number, not a condition: compare it with something",
        ),
        (
            &["field vlan", "int 1", "compare =="],
            "this is a list: write `10 in vlan`",
        ),
        (
            &["field client_options", "int 1", "compare =="],
            "this is a record: compare a member, as `client_options.mss`",
        ),
        (
            &["field outcome", "text established", "compare in"],
            "after `in` stands a list: `outcome in (\"refused\", \"unanswered\")`",
        ),
        (
            &["field outcome", "null", "compare <"],
            "with None there is only `is None` and `is not None`",
        ),
        (
            &["null", "null", "compare =="],
            "only a field can be compared with None",
        ),
        (
            &["field outcome", "field simultaneous", "list 2"],
            "a list holds numbers and quoted text only",
        ),
    ] {
        let error = Filter::compile(&program(instructions)).unwrap_err();
        assert_eq!(error.message, message, "{instructions:?}");
        assert_eq!(error.column, 1);
    }
}

#[test]
fn the_column_is_that_of_the_culprit() {
    let text =
        "field 1 outcome\ntext 12 established\ncompare 9 ==\nfield 30 server_prt\nint 44 1\ncompare 42 ==\nand 26 2\n";
    assert_eq!(Filter::compile(text).unwrap_err().column, 30);
}

#[test]
fn damaged_programs_are_errors() {
    for text in [
        "",
        "and 1 2",
        "not 1",
        "true 1\ntrue 1",
        "true",
        "true x",
        "frobnicate 1",
        "int 1 x",
        "float 1 nan",
        "text 1 a\\x",
    ] {
        assert!(Filter::compile(text).is_err(), "{text:?}");
    }
    assert!(
        Filter::compile(&"true 1\n".repeat(super::MAX_PROGRAM_BYTES))
            .unwrap_err()
            .message
            .contains("longer than")
    );
}

#[test]
fn nesting_is_bounded() {
    let nested = |n: u32| format!("true 1\n{}", "not 1\n".repeat(n as usize));
    assert!(Filter::compile(&nested(MAX_DEPTH - 1)).is_ok());
    assert!(
        Filter::compile(&nested(MAX_DEPTH))
            .unwrap_err()
            .message
            .contains("nest deeper")
    );
}

/// Literals that mean something to some field.
const TEXTS: &[&str] = &["established", "port_reused", "10.0.0.0/8", "::1", "", "\\n"];

/// Any instruction, mostly one that a person's text could lead to.
fn instruction() -> impl Strategy<Value = String> {
    let field = prop::sample::select(paths()).prop_map(|name| format!("field {name}"));
    prop_oneof![
        6 => field,
        2 => any::<i64>().prop_map(|n| format!("int {n}")),
        1 => any::<f64>().prop_map(|x| format!("float {x:?}")),
        3 => prop::sample::select(TEXTS).prop_map(|text| format!("text {text}")),
        1 => prop::sample::select(&["true", "false", "null", "not"][..]).prop_map(str::to_owned),
        1 => (0..4_usize).prop_map(|n| format!("list {n}")),
        6 => prop::sample::select(super::program::Operator::ALL.to_vec()).prop_map(|(name, _)| format!("compare {name}")),
        1 => (0..4_usize).prop_map(|n| format!("and {n}")),
        1 => (0..4_usize).prop_map(|n| format!("or {n}")),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Random programs never panic, neither when they are compiled nor when they are evaluated.
    #[test]
    fn no_program_does_harm(instructions in prop::collection::vec(instruction(), 1..8)) {
        let lines: Vec<&str> = instructions.iter().map(String::as_str).collect();
        if let Ok(filter) = Filter::compile(&program(&lines)) {
            let fixture = Fixture::new();
            for record in fixture.hard() {
                filter.matches(&record, &fixture.names());
            }
        }
    }

    /// Comparisons whose two sides are put the other way round mean the same.
    #[test]
    fn comparisons_can_be_turned(left in prop::sample::select(paths()), right in prop::sample::select(paths())) {
        let (left, right) = (format!("field {left}"), format!("field {right}"));
        for (operator, turned) in [("<", ">"), ("<=", ">="), ("==", "=="), ("!=", "!=")] {
            let (operator, turned) = (format!("compare {operator}"), format!("compare {turned}"));
            let one = Filter::compile(&program(&[&left, &right, &operator]));
            let other = Filter::compile(&program(&[&right, &left, &turned]));
            prop_assert_eq!(one.is_ok(), other.is_ok());
            if let (Ok(one), Ok(other)) = (one, other) {
                let fixture = Fixture::new();
                for record in fixture.hard() {
                    prop_assert_eq!(one.matches(&record, &fixture.names()), other.matches(&record, &fixture.names()));
                }
            }
        }
    }
}
