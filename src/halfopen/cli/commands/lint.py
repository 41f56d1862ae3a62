"""``halfopen lint``: the options. The work is done by ``cli.lint_output``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from halfopen.cli.command import with_printer
from halfopen.cli.lint_output import FAIL_ON, FailOn
from halfopen.errors import UsageError
from halfopen.lint.document import KINDS, Kind

if TYPE_CHECKING:
    from halfopen.cli.exit_codes import ExitCode
    from halfopen.cli.printer import Printer

#: Not checked by click: a file that is missing is an unreadable input (3) and no wrong command line (2).
FILE = click.Path(path_type=str, readable=False)


@click.command("lint")
@click.argument("files", metavar="FILE...", nargs=-1, type=FILE)
@click.option("--kernel", metavar="RELEASE", default="running", show_default=True,
              help="The kernel that the files are for: 4.18, 6.1, running.")  # fmt: skip
@click.option("--type", "kind", type=click.Choice(KINDS), help="What the files are. [default: told by name or content]")
@click.option("--ignore", metavar="CODE", multiple=True, help="Leave out a check, by code or name; may be repeated.")
@click.option("--fail-on", type=click.Choice(FAIL_ON), default="warning", show_default=True,
              help="Exit with 1 when something of this severity or worse was found.")  # fmt: skip
@click.option("--explain", metavar="CODE", help="Print the page of a check, and read no file.")
@with_printer("text", "json", "sarif", "github")
def command(
    printer: Printer,
    /,
    *,
    files: tuple[str, ...],
    kernel: str,
    kind: Kind | None,
    ignore: tuple[str, ...],
    fail_on: FailOn,
    explain: str | None,
) -> ExitCode | None:
    """Find mistakes in settings, firewall rules, backlogs and alerts.

    Reads sysctl.conf and sysctl.d, iptables-save, nft, shell scripts, Dockerfiles, YAML (Compose, Kubernetes, Ansible,
    cloud-init), nginx, HAProxy, Redis, PostgreSQL, systemd units, wg-quick, ifupdown, tuned and Prometheus rules;
    files of one run are held against each other; - is standard input.

    \b
    halfopen lint /etc/sysctl.conf /etc/sysctl.d/*.conf
    halfopen lint --kernel 4.18 tuning.sh nginx.conf
    iptables-save | halfopen lint -
    halfopen lint --explain HO203
    """
    from halfopen.cli import lint_output

    if explain is not None:
        lint_output.explain(printer, explain)
        return None
    if not files:
        raise UsageError("name a file to lint", hint="halfopen lint --help shows how")
    return lint_output.show(printer, files, kernel=kernel, kind=kind, ignored=ignore, fail_on=fail_on)
