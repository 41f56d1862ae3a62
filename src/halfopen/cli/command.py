"""What every command shares: ``--format``, ``--quiet`` and ``--color``, before the command's name or after it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from halfopen.cli.printer import ColorChoice, Printer

if TYPE_CHECKING:
    from collections.abc import Callable

    P = ParamSpec("P")
    R = TypeVar("R")

#: Every format that some command has.
FORMATS = ("text", "json", "jsonl", "csv", "parquet", "markdown", "sarif", "github")
#: The names of the options that every command has.
SHARED = ("format", "quiet", "color")
COLORS = ("auto", "always", "never")


@dataclass
class Settings:
    """What was asked of every command. The last word wins, as with any option given twice."""

    format: str | None = None
    quiet: bool = False
    color: ColorChoice = "auto"


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401  (click's signature)
    if value is not None:
        setattr(ctx.ensure_object(Settings), str(param.name), value)


def shared_options(formats: tuple[str, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The three options; their values go to the context's ``Settings``, not to the function."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        common: dict[str, Any] = {"callback": _remember, "expose_value": False}
        for option in (
            click.option("--color", type=click.Choice(COLORS), help="Colour the text. [default: auto]", **common),
            click.option("--quiet", "-q", is_flag=True, default=None, help="No remarks, no progress.", **common),
            click.option(
                "--format",
                type=click.Choice(formats),
                hidden=len(formats) == 1,
                help=f"Form of the result. [default: {formats[0]}]",
                **common,
            ),
        ):
            function = option(function)
        return function

    return decorate


def with_printer(*formats: str) -> Callable[[Callable[Concatenate[Printer, P], R]], Callable[P, R]]:
    """Give a command the shared options, and a ``Printer`` that obeys them as its first argument."""

    def decorate(function: Callable[Concatenate[Printer, P], R]) -> Callable[P, R]:
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(_printer(click.get_current_context(), formats), *args, **kwargs)

        return shared_options(formats)(update_wrapper(wrapper, function))

    return decorate


def _printer(ctx: click.Context, formats: tuple[str, ...]) -> Printer:
    settings = ctx.ensure_object(Settings)
    format_ = settings.format or formats[0]
    if format_ not in formats:
        known = ", ".join(formats)
        raise click.UsageError(f"{ctx.info_name} has no --format {format_}: it prints {known}", ctx)
    return Printer(format_, quiet=settings.quiet, color=settings.color)
