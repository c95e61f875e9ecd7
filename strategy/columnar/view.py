"""The arrays of one shard by their addresses. Compiled steps are handed one small array of addresses (the desk), not a
dozen arrays, each of which is seven words to pass on and, where references are counted, two atomic operations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

from strategy.columnar.codes import WIDTH

_FAR = 1 << 40
"""As long as an array may be; how long it is, its user knows."""


def desk(*arrays: NDArray[Any]) -> NDArray[np.int64]:
    """The addresses of arrays, in the order of the names below. Whoever calls keeps the arrays."""
    return np.array([array.ctypes.data for array in arrays], np.int64)


def _table(kind: Any, width: int) -> Any:
    """What makes an array of an address: of so many columns, or (0) of numbers in a line."""
    made = types.Array(kind, 2 if width else 1, "C")
    size = kind.bitwidth // 8

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        def number(value: int) -> Any:
            return context.get_constant(types.intp, value)

        array = make_array(made)(context, builder)
        populate_array(
            array,
            data=builder.inttoptr(args[0], context.get_data_type(kind).as_pointer()),
            shape=[number(_FAR), number(width)] if width else [number(_FAR)],
            strides=[number(width * size), number(size)] if width else [number(size)],
            itemsize=number(size),
            meminfo=cgutils.get_null_value(context.get_value_type(types.MemInfoPointer(types.voidptr))),
        )
        return array._getvalue()

    def view(_typing: Any, _address: Any) -> Any:
        return made(types.int64), generate

    return intrinsic(view)


L = _table(types.int64, WIDTH)
V = _table(types.int64, 0)
VF = _table(types.float64, 0)
GAP = _table(types.int64, 5)
ABS = _table(types.int64, 2)
rows = _table(types.uint32, 4)
ring = _table(types.int64, 0)
logt = _table(types.int64, 0)
subj = _table(types.int64, 4)
meta = _table(types.int64, 0)
heap = _table(types.int64, 2)
TREE = _table(types.int64, 0)
