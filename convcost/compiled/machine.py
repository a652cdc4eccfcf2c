"""Kernels as machine code, made by numba, which is an extra: ``pip install 'convcost[numba]'``.

Machine code computes in 64 bits. It runs where it is proved that no result on the way exceeds them; elsewhere the same
kernel runs on Python's integers.
"""

from __future__ import annotations

from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING, Any

from convcost.codegen.kernel import UNIT
from convcost.compiled import bounds, emit
from convcost.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.codegen.kernel import Kernel

BACKENDS = ("numpy", "numba")  # what evaluates arrays; with numba, single points are evaluated by machine code, too
_MOST = 2**63 - 1
_BOXES = 4096  # proofs that are kept


def numba() -> Any:
    """The package.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import numba as package  # noqa: PLC0415 - an extra
        import numba.np.unsafe.ndarray  # noqa: PLC0415 - so that it is an attribute of the package
    except ImportError:
        raise UsageError("the backend 'numba' is not installed: pip install 'convcost[numba]'") from None
    return package


class Machine:
    """A kernel as machine code."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._boxes: dict[tuple[int, ...], bool] = {}

    def fits(self, parts: Sequence[int]) -> bool:
        """Whether 64 bits are enough for these arguments: proved for all that are of the same lengths in bits."""
        box = tuple([part.bit_length() for part in parts])
        known = self._boxes.get(box)
        if known is None:
            known = self.fits_all([(1 << length >> 1, (1 << length) - 1) for length in box])
            if len(self._boxes) < _BOXES:
                self._boxes[box] = known
        return known

    def fits_all(self, spans: Sequence[bounds.Interval]) -> bool:
        """Whether 64 bits are enough for arguments from these intervals."""
        return bool(spans) and bounds.largest(self._kernel, spans) <= _MOST

    @cached_property
    def on_numbers(self) -> Callable[..., Any]:
        """See :func:`convcost.compiled.emit.on_numbers`."""
        made: Callable[..., Any] = numba().njit(emit.on_numbers(self._kernel))
        return made

    @cached_property
    def on_arrays(self) -> Callable[..., Any]:
        """See :func:`convcost.compiled.emit.on_arrays`; of arrays of one length."""
        import numpy as np  # noqa: PLC0415 - numbers alone do not load it

        package, count = numba(), self._kernel.arguments
        at_a_point = emit.on_arrays(self._kernel, {"gcd": gcd, "maximum": max, "minimum": min})
        results = 2 + sum(1 + (bottom != UNIT) for _, bottom in self._kernel.outputs.values())
        run = _loop(package, package.njit(error_model="numpy")(at_a_point), count)

        def on_arrays(*parts: Any) -> tuple[Any, ...]:
            made = np.empty((results, len(parts[0])), np.int64)
            run(np.stack(parts, axis=1), made)
            structure, needs, *numbers = made
            return structure != 0, needs != 0, *numbers

        return on_arrays


def _loop(package: Any, at_a_point: Any, count: int) -> Callable[[Any, Any], None]:
    """A function that fills a column of results for each row of arguments."""
    unrolled, as_tuple = package.literal_unroll, package.np.unsafe.ndarray.to_fixed_tuple

    def loop(points: Any, made: Any) -> None:
        for point in range(len(points)):
            row = 0
            for value in unrolled(at_a_point(*as_tuple(points[point], count))):
                made[row, point] = value
                row += 1  # noqa: SIM113 - numba unrolls this loop

    compiled: Callable[[Any, Any], None] = package.njit(loop)
    return compiled
