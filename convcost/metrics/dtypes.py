"""Sizes of number formats, and the bytes of a number of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import UsageError, not_among
from convcost.numbers.arithmetic import ceil_div

if TYPE_CHECKING:
    from convcost.numbers.arithmetic import Num

BITS = {"float32": 32, "float16": 16, "bfloat16": 16, "int8": 8, "int4": 4}


def bits(dtype: str) -> int:
    """Bits of one element.

    Raises:
        UsageError: no such format.
    """
    if dtype not in BITS:
        raise UsageError(not_among("dtype", dtype, BITS))
    return BITS[dtype]


def bytes_of(elements: Num, dtype: str) -> Num:
    """Bytes that ``elements`` of a format take, packed; a half byte is rounded up.

    >>> bytes_of(3, "float32"), bytes_of(3, "int4")
    (12, 2)
    """
    width = bits(dtype)
    return elements * (width // 8) if width >= 8 else ceil_div(elements * width, 8)  # noqa: PLR2004 - bits of a byte
