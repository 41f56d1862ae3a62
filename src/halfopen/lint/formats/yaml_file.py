"""YAML files: alert rules of Prometheus, and whatever sets kernel settings or runs scripts that do."""

from __future__ import annotations

from halfopen.lint.document import Document
from halfopen.lint.formats.prometheus import queries
from halfopen.lint.formats.yaml_nodes import nodes
from halfopen.lint.formats.yaml_settings import settings


def read(path: str, text: str) -> Document:
    """Queries, settings and the commands of scripts; it is called after Prometheus when it holds queries.

    Raises:
        InputError: it is no YAML.
    """
    found = list(nodes(path, text))
    lines = text.encode("utf-8", "replace").decode().split("\n")
    asked = tuple(queries(found, lines))
    other = settings(path, found)
    return Document(
        path,
        "prometheus" if asked else "yaml",
        settings=other.settings,
        ruleset=other.ruleset,
        commands=other.commands,
        queries=asked,
        tested=other.tested,
    )
