"""Reading and writing memory by address in compiled code. Arrays would be counted as references (an atomic operation)
at every step, measured to take half of the time; here an address is a number, and whoever calls keeps the arrays."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_SOURCES = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
_COMPILED = [
    source for source in _SOURCES if b"\n@compiled" in source or b"\n@borrowing" in source or b" = range(" in source
]
_STAMP = hashlib.sha256(b"\0".join(_COMPILED)).hexdigest()
"""Of what is compiled here, and of the numbers compiled into it."""


def compiled(function: Any, **options: Any) -> Any:
    """Compile when first called, and keep the outcome on disk until any file of this folder changes. (Numba alone looks
    at the function's own file only, and would go on using what it has inlined from another.)"""
    made = njit(nogil=True, cache=True, error_model="numpy", **options)(function)
    made._cache._cache_file._source_stamp = _STAMP
    return made


def borrowing(function: Any) -> Any:
    """As `compiled`, for steps that make no arrays: they do not count references to those they are given, which would
    be two atomic operations an array and call."""
    return compiled(function, _nrt=False)


def inlined(function: Any) -> Any:
    """As `compiled`, for small steps that become part of whoever calls them."""
    return compiled(function, forceinline=True)


def _access(function: Any) -> Any:
    return intrinsic(function)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _load(kind: Any, gives: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        loaded = builder.load(_pointer(builder, args[0], kind))
        loaded.align = 1
        return builder.zext(loaded, cgutils.ir.IntType(64)) if kind == cgutils.ir.IntType(8) else loaded

    return gives(types.int64), code


def _store(kind: Any, takes: Any) -> Any:
    def code(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        value = args[1] if takes is types.float64 else builder.trunc(args[1], kind) if kind.width < 64 else args[1]
        builder.store(value, _pointer(builder, args[0], kind)).align = 1
        return context.get_dummy_value()

    return types.none(types.int64, takes), code


@_access
def byte(_typing: Any, _at: Any) -> Any:
    """The byte at an address."""
    return _load(cgutils.ir.IntType(8), types.int64)


@_access
def word(_typing: Any, _at: Any) -> Any:
    """The eight bytes from an address on, aligned or not."""
    return _load(cgutils.ir.IntType(64), types.uint64)


@_access
def long(_typing: Any, _at: Any) -> Any:
    """The int64 at an address."""
    return _load(cgutils.ir.IntType(64), types.int64)


@_access
def real(_typing: Any, _at: Any) -> Any:
    """The float64 at an address."""
    return _load(cgutils.ir.DoubleType(), types.float64)


@_access
def put_byte(_typing: Any, _at: Any, _value: Any) -> Any:
    """Write the lowest 8 bits of an integer."""
    return _store(cgutils.ir.IntType(8), types.int64)


@_access
def put_int(_typing: Any, _at: Any, _value: Any) -> Any:
    """Write the lowest 32 bits of an integer."""
    return _store(cgutils.ir.IntType(32), types.int64)


@_access
def put_long(_typing: Any, _at: Any, _value: Any) -> Any:
    """Write an int64."""
    return _store(cgutils.ir.IntType(64), types.int64)


@_access
def put_real(_typing: Any, _at: Any, _value: Any) -> Any:
    """Write a float64."""
    return _store(cgutils.ir.DoubleType(), types.float64)


@inlined
def item(table: Any, place: Any) -> Any:
    """A place of a table of int64."""
    return long(table + 8 * place)
