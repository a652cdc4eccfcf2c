"""Points of a sweep as a Parquet file, written a piece at a time: the extra ``parquet``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from convcost.errors import UnsupportedError, UsageError
from convcost.metrics.registry import METRICS
from convcost.sweeps.sweep import columns_of, numbers_of
from convcost.tables.data import DECIMALS
from convcost.tables.text import csv_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from convcost.sweeps.sweep import Piece, Plan

_WHOLE = ("count", "bytes", "times")  # forms of metrics that are whole numbers


def write(plan: Plan, pieces: Iterator[Piece], put: Callable[[bytes], Any]) -> int:
    """Write all pieces, each as a row group: whole numbers of 64 bits, doubles of ratios, and texts.

    Args:
        plan: of the sweep.
        pieces: its points.
        put: writes bytes.

    Returns:
        How many points were written.

    Raises:
        UsageError: pyarrow is not installed.
        UnsupportedError: a number exceeds 64 bits.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise UsageError("Parquet needs pyarrow: pip install 'convcost[parquet]'") from None
    names = columns_of(plan)
    axes = [numbers_of(axis) for axis in plan.axes]
    axes = [values if values.dtype != object else _texts(values) for values in axes]
    kinds = [pa.from_numpy_dtype(values.dtype) if values.dtype != object else pa.string() for values in axes]
    kinds += [_kind(pa, METRICS[key].form) for key in plan.metrics]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    whole = [name for name, kind in zip(names[len(axes) :], kinds[len(axes) :], strict=True) if kind == pa.int64()]
    options = {
        "compression": "zstd",
        "use_dictionary": names[: len(axes)],
        "column_encoding": dict.fromkeys(whole, "DELTA_BINARY_PACKED") or None,
    }
    count = 0
    with parquet.ParquetWriter(pa.PythonFile(_Sink(put), mode="w"), schema, **options) as writer:
        for piece in pieces:
            columns = [values[place] for values, place in zip(axes, piece.places, strict=True)]
            metrics = zip(piece.values.items(), kinds[len(axes) :], strict=True)
            columns += [_checked(key, own, str(kind)) for (key, own), kind in metrics]
            arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema))
            count += len(piece)
    return count


def _kind(pa: Any, form: str) -> Any:
    if form in _WHOLE:
        return pa.int64()
    return pa.float64() if form in DECIMALS else pa.string()


def _checked(key: str, values: Any, kind: str) -> Any:
    """The values of a metric as its column holds them."""
    if values.dtype == np.int64 and kind != "string":
        return values if kind != "double" else values.astype(np.float64)
    if kind == "int64":
        raise UnsupportedError(f"{key} exceeds 64 bits at some points, and Parquet has no larger numbers; write CSV")
    return _texts(values) if kind == "string" else [None if value is None else float(value) for value in values]


def _texts(values: Any) -> Any:
    texts = np.empty(len(values), object)
    texts[:] = [csv_cell(value) for value in values]
    return texts


class _Sink:
    """What pyarrow takes for a file: it only writes."""

    closed = False

    def __init__(self, put: Callable[[bytes], Any]) -> None:
        self._put = put
        self._place = 0

    def write(self, data: Any) -> int:
        """Write some bytes."""
        self._put(bytes(data))
        self._place += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._place

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The caller closes its own file."""
        self.closed = True
