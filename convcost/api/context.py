"""What metrics are evaluated for, as a caller of the library or of a command states it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.conventions import DEFAULT
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from convcost.metrics.devices import Device


class Context(NamedTuple):
    """What metrics are evaluated for; see :func:`convcost.solve`. Options of commands take their defaults from here."""

    batch: int = 1
    dtype: str = "float32"
    weights_dtype: str | None = None
    device: str | Device | None = None
    fused: bool = True
    convention: str = DEFAULT
