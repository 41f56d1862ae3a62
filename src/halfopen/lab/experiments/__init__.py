"""The experiments: one file each, imported when it is run.

``EXPERIMENTS`` is the only list of them, in the order of the story that they tell together; ``tests/meta`` holds it
against this directory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from halfopen.errors import UsageError

if TYPE_CHECKING:
    from halfopen.lab.experiment import Experiment

EXPERIMENTS: tuple[str, ...] = (
    "three-way-handshake",
    "ipv6-beside-ipv4",
    "lost-syn",
    "synack-retries",
    "accept-queue-overflow",
    "lost-final-ack",
    "dead-entries",
    "stalled-accept",
    "backlog-and-somaxconn",
    "syn-queue-limits",
    "flood-with-clients",
    "cookie-options",
    "cookies-for-clients",
    "time-wait-ports",
    "tw-reuse",
    "bind-before-connect",
    "reopened-time-wait",
    "clients-behind-nat",
    "time-wait-limits",
    "fast-open",
    "fast-open-trouble",
    "defer-accept",
    "first-exchange",
    "filters",
    "conntrack-full",
    "drops-without-a-queue",
    "synproxy-settings",
    "leaks",
    "poisoned-metrics",
    "new-namespace",
    "nonsense-values",
    "setting-writes",
    "settings-in-files",
    "reuseport",
    "failing-connects",
    "not-sent",
    "half-open-left",
    "rows-without-owner",
    "port-range",
)
"""Names. The module is ``halfopen.lab.experiments.<name with _ for ->``, its experiment ``EXPERIMENT``."""


def load(name: str) -> Experiment:
    """The experiment of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in EXPERIMENTS:
        raise UsageError("no experiment is called", name, hint="halfopen lab list names them")
    module = import_module(f"halfopen.lab.experiments.{name.replace('-', '_')}")
    experiment: Experiment = module.EXPERIMENT
    return experiment
