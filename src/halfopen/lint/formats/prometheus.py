"""The PromQL expressions of Prometheus rules, wherever in YAML they stand (a PrometheusRule of Kubernetes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.document import Query
from halfopen.lint.formats.yaml_nodes import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halfopen.lint.formats.yaml_nodes import Scalar


def queries(nodes: Iterable[Mapping | Scalar], lines: list[str]) -> Iterator[Query]:
    """Of every mapping with ``expr`` and ``alert`` or ``record``."""
    for node in nodes:
        if isinstance(node, Mapping) and (expression := node.value("expr")) and node.value("alert", "record"):
            alert = node.value("alert")
            yield _query(expression, None if alert is None else alert.text, lines)


def _query(expression: Scalar, alert: str | None, lines: list[str]) -> Query:
    if expression.is_block:
        return Query(expression.text, expression.line, 1, alert, (1,) * (expression.text.count("\n") + 1))
    # As it stands in the file, with its quotes, so that places are right.
    end, column = expression.end
    found = lines[expression.line - 1 : end + 1]
    found[-1] = found[-1][:column]
    found[0] = found[0][expression.column - 1 :]
    # Quotes that YAML wants escaped are PromQL's own; as many characters, so that columns stay.
    text = "\n".join(found).replace('\\"', ' "')
    return Query(text, expression.line, expression.column, alert, (expression.column, *(1,) * (len(found) - 1)))
