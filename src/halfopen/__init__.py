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
    UsageError,
    WhereError,
)

__version__: str

__all__ = [
    "HalfopenError",
    "InputError",
    "NotAvailableError",
    "OutputError",
    "PrivilegeError",
    "UsageError",
    "WhereError",
    "__version__",
]

#: Public name → the module and the name there.
_LAZY = {
    "__version__": ("halfopen._core", "VERSION"),
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
