"""A look at what goes over the Arrow C stream interface: the addresses of the buffers that are handed over.

The structures are those of https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import halfopen


class Array(ctypes.Structure):
    """``struct ArrowArray``."""


Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class Stream(ctypes.Structure):
    """``struct ArrowArrayStream``."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


_NEXT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = ctypes.c_void_p
_pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Watched:
    """Passes a producer's stream on, and notes every batch: its length, and the buffers of each column.

    Attributes:
        lengths: rows of each batch.
        buffers: addresses of all buffers of all batches, of nested columns too.
    """

    def __init__(self, producer: halfopen.Trace) -> None:
        self._producer = producer
        self._keep: list[Any] = []
        self.lengths: list[int] = []
        self.buffers: set[int] = set()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The producer's capsule, with a ``get_next`` of ours in it."""
        capsule = self._producer.__arrow_c_stream__(requested_schema)
        stream = Stream.from_address(_pointer_of(capsule, b"arrow_array_stream"))
        original = _NEXT(stream.get_next)

        def get_next(this: int, out: int) -> int:
            code: int = original(this, out)
            if code == 0:
                self._note(Array.from_address(out))
            return code

        callback = _NEXT(get_next)
        self._keep.append(callback)
        stream.get_next = ctypes.cast(callback, ctypes.c_void_p)
        return capsule

    def _note(self, array: Array) -> None:
        if array.release:  # else it is the end of the stream
            self.lengths.append(array.length)
            self._note_buffers(array)

    def _note_buffers(self, array: Array) -> None:
        self.buffers.update(address for address in array.buffers[: array.n_buffers] if address)
        for child in array.children[: array.n_children]:
            self._note_buffers(child.contents)
