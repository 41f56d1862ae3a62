"""halfopen: everything between SYN and accept(), on Linux.

**Architecture Invariant:** ``import halfopen`` loads neither the native core, the data-frame library nor a terminal
library; each public name is imported when it is first used (PEP 562).
"""

from __future__ import annotations

from halfopen.errors import (
    HalfopenError,
    InputError,
    NotAvailableError,
    OutputError,
    PrivilegeError,
    ProgramError,
    ResolveError,
    UsageError,
    WhereError,
)

__version__: str

#: What type checkers take for true. ``typing`` itself takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from halfopen.active.options import ConnectOptions
    from halfopen.active.probe import Probe, probe
    from halfopen.capture.trace import Trace, trace
    from halfopen.collect.taking import take as snapshot
    from halfopen.model.diagnosis import Diagnosis
    from halfopen.model.finding import Finding
    from halfopen.model.moment import Moment
    from halfopen.model.snapshot import Snapshot
    from halfopen.rules.diagnose import diagnose

__all__ = [
    "ConnectOptions",
    "Diagnosis",
    "Finding",
    "HalfopenError",
    "InputError",
    "Moment",
    "NotAvailableError",
    "OutputError",
    "PrivilegeError",
    "Probe",
    "ProgramError",
    "ResolveError",
    "Snapshot",
    "Trace",
    "UsageError",
    "WhereError",
    "__version__",
    "diagnose",
    "probe",
    "snapshot",
    "trace",
]

#: Public name → the module and the name there.
_LAZY = {
    "ConnectOptions": ("halfopen.active.options", "ConnectOptions"),
    "Diagnosis": ("halfopen.model.diagnosis", "Diagnosis"),
    "Finding": ("halfopen.model.finding", "Finding"),
    "Moment": ("halfopen.model.moment", "Moment"),
    "Probe": ("halfopen.active.probe", "Probe"),
    "Snapshot": ("halfopen.model.snapshot", "Snapshot"),
    "Trace": ("halfopen.capture.trace", "Trace"),
    "__version__": ("halfopen._core", "VERSION"),
    "diagnose": ("halfopen.rules.diagnose", "diagnose"),
    "probe": ("halfopen.active.probe", "probe"),
    "snapshot": ("halfopen.collect.taking", "take"),
    "trace": ("halfopen.capture.trace", "trace"),
}


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'halfopen' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    value: object = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted(__all__)
