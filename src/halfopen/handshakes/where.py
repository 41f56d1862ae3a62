"""The text of ``--where`` to a program that the native core evaluates.

The language is the part of Python's expressions that a condition needs: field names, dotted for the members of
``client_options`` and ``server_options``; numbers, quoted text, ``True``, ``False``, ``None`` (``true``, ``false``,
``null`` too); comparisons, chained ones included; ``in`` and ``not in``; ``and``, ``or``, ``not``; parentheses.
Python's own parser reads it, and what is not on the list is refused with its place; nothing is ever evaluated here.

The program is postfix, one instruction a line: ``NAME COLUMN [ARGUMENT]``; ``crates/table/src/filter/program.rs`` has
the list. Which fields there are and what can be compared with what is known there, and only there.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from typing import TYPE_CHECKING

from halfopen.errors import WhereError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "parse_where"]

#: The longest condition, in characters: more than anybody types, less than a parser minds.
MAX_LENGTH = 8192

#: The deepest nesting, as in the core: both walk the condition recursively.
MAX_DEPTH = 100

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not_in",
    ast.Is: "is",
    ast.IsNot: "is_not",
}

_CONSTANTS = {"true": "true", "false": "false", "null": "null"}

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})

_REFUSED: dict[type[ast.expr], str] = {
    ast.Call: "functions cannot be called",
    ast.BinOp: "there is no arithmetic (and `and`, `or` are words)",
    ast.Subscript: "there are no subscripts: a member is written `client_options.mss`",
    ast.NamedExpr: "nothing can be assigned: equality is `==`",
    ast.JoinedStr: "text is plain: there are no f-strings",
    ast.IfExp: "there is no `if`",
    ast.Lambda: "functions cannot be defined",
}


def parse_where(text: str) -> str:
    """The program for a condition.

    Raises:
        WhereError: the text is no condition; ``column`` says where. Unknown fields and comparisons that make no sense
            are found by the core, which raises the same.
    """
    if len(text) > MAX_LENGTH:
        raise WhereError(f"it is longer than {MAX_LENGTH} characters", text[:40] + "…", MAX_LENGTH + 1)
    if not text.strip():
        raise WhereError("it is empty", text, 1)
    return "\n".join(_Compiler(text).instructions(_parse(text), 0)) + "\n"


def _parse(text: str) -> ast.expr:
    """Python's reading of the text, which may begin with blanks and go over several lines."""
    line = _line(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(line.strip(), mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 1) + _indent(line)
        raise WhereError(_syntax_message(error, line), text, min(max(column, 1), len(text) + 1)) from None
    except (RecursionError, MemoryError):
        raise WhereError("it nests too deeply", text, 1) from None
    except ValueError as error:  # a null character
        raise WhereError(str(error), text, 1) from None


def _line(text: str) -> str:
    """The text on one line, every character in its place."""
    return re.sub(r"\s", " ", text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _syntax_message(error: SyntaxError, line: str) -> str:
    if "&&" in line or "||" in line:
        return "`and`, `or` and `not` are words here"
    if line.strip()[(error.offset or 0) - 1 :].startswith("="):
        return "equality is `==`"
    # «Exceeds the limit (4300 digits) …; use sys.set_int_max_str_digits()» is advice for programmers.
    return error.msg.split(". ")[0].split(": ")[0]


class _Compiler:
    """Writes a syntax tree as instructions."""

    def __init__(self, text: str) -> None:
        self.text = text
        line = _line(text)
        self.indent = _indent(line)
        self.bytes = line.strip().encode(errors="replace")

    def instructions(self, node: ast.expr, depth: int) -> Iterator[str]:
        """The instructions of one node, after those of its parts."""
        if depth > MAX_DEPTH:
            raise self.error(node, f"it nests deeper than {MAX_DEPTH}")
        at = self.column(node)
        match node:
            case ast.BoolOp(op=op, values=values):
                for value in values:
                    yield from self.instructions(value, depth + 1)
                yield f"{'and' if isinstance(op, ast.And) else 'or'} {at} {len(values)}"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield from self.instructions(operand, depth + 1)
                yield f"not {at}"
            case ast.Compare():
                yield from self.comparison(node, depth + 1)
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                for item in items:
                    yield from self.instructions(item, depth + 1)
                yield f"list {at} {len(items)}"
            case _:
                yield self.leaf(node)

    def leaf(self, node: ast.expr) -> str:
        """A field or a literal, the only things that have no parts."""
        at = self.column(node)
        match node:
            case ast.Name() | ast.Attribute():
                name = self.name(node)
                return f"{_CONSTANTS[name]} {at}" if name in _CONSTANTS else f"field {at} {name}"
            case ast.Constant(value=value):
                return self.constant(node, value)
            case ast.UnaryOp(
                op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)
            ) if not isinstance(number, bool):
                return self.constant(node, -number if isinstance(sign, ast.USub) else number)
            case ast.UnaryOp():
                raise self.error(node, "only a number can have a sign")
            case _:
                raise self.error(node, _REFUSED.get(type(node), "this is no part of a condition"))

    def comparison(self, node: ast.Compare, depth: int) -> Iterator[str]:
        """``a < b < c`` is ``a < b and b < c``."""
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            yield from self.instructions(left, depth)
            yield from self.instructions(right, depth)
            yield f"compare {self.column(left)} {_OPERATORS[type(operator)]}"
            left = right
        if len(node.ops) > 1:
            yield f"and {self.column(node)} {len(node.ops)}"

    def name(self, node: ast.expr) -> str:
        """``client_options.mss`` of an attribute of a name."""
        match node:
            case ast.Name(id=name):
                return name
            case ast.Attribute(value=ast.Name(id=name), attr=member):
                return f"{name}.{member}"
            case _:
                raise self.error(node, "there is no such field")

    def constant(self, node: ast.expr, value: object) -> str:
        """A literal as an instruction."""
        at = self.column(node)
        match value:
            case bool():
                return f"{'true' if value else 'false'} {at}"
            case None:
                return f"null {at}"
            case int() if -(2**63) <= value < 2**63:
                return f"int {at} {value}"
            case float() if math.isfinite(value):
                return f"float {at} {value!r}"
            case int() | float():
                raise self.error(node, "no field holds a number of that size")
            case str():
                return f"text {at} {self.encodable(node, value).translate(_ESCAPES)}"
            case _:
                raise self.error(node, "a literal is a number, quoted text, True, False or None")

    def encodable(self, node: ast.expr, text: str) -> str:
        """The text, if it is one: half of a surrogate pair is none, and UTF-8 has no place for it."""
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            raise self.error(node, "half of a surrogate pair is no text")
        return text

    def column(self, node: ast.expr) -> int:
        """1-based character of the text where the node begins. Python counts the bytes of UTF-8."""
        return self.indent + len(self.bytes[: node.col_offset].decode(errors="ignore")) + 1

    def error(self, node: ast.expr, why: str) -> WhereError:
        return WhereError(why, self.text, self.column(node))
