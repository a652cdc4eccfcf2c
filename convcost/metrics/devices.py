"""Devices: peak operations a second by number format, and memory bandwidth, each with its source."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from convcost.catalogue.loader import Files, check_keys, fail, package_folder, text_of
from convcost.errors import ConvcostError, UsageError
from convcost.language.tree import Mapping, Scalar
from convcost.metrics.dtypes import BITS
from convcost.numbers.printed import positive
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    from convcost.language.tree import Node

DEVICES = Files("device", (package_folder("devices"),), "`convcost roofline`")


class Rated(NamedTuple):
    """One figure of a device: its value, where it was printed or what it was derived from, and what to mind."""

    value: Fraction
    source: str
    note: str


class Device(NamedTuple):
    """A machine on a roofline.

    Attributes:
        name: what ``--device`` calls it.
        title: what people call it.
        peak: operations a second by number format; a multiply-accumulate is two.
        bandwidth: bytes a second between memory and the chip.
        notes: what to mind.
    """

    name: str
    title: str
    peak: dict[str, Rated]
    bandwidth: Rated
    notes: str

    def peak_of(self, dtype: str) -> Rated:
        """The peak for a number format.

        Raises:
            UsageError: the device states none.
        """
        if dtype not in self.peak:
            raise UsageError(f"{self.name} states no peak for {dtype}; it has {', '.join(self.peak)}")
        return self.peak[dtype]

    def ridge(self, dtype: str) -> Fraction:
        """Operations per byte from which on the peak, and no longer the bandwidth, is the limit.

        Source: Williams et al., "Roofline" (2009), section 3.
        """
        return self.peak_of(dtype).value / self.bandwidth.value


def device_names() -> list[str]:
    """Names of the bundled devices."""
    return DEVICES.names()


def device(target: str) -> Device:
    """The device called ``target``.

    Args:
        target: a name of :func:`device_names`, or the path of a file.

    Raises:
        UsageError: there is no such name or file.
        SpecError: the file is wrong.
    """
    return _bundled(target) if DEVICES.bundled(target) else _read(target)


@cache
def _bundled(target: str) -> Device:
    return _read(target)


def _read(target: str) -> Device:
    name, tree = DEVICES.open(target)
    check_keys(tree, ("title", "peak", "bandwidth", "notes"), "a device")
    peak, bandwidth = tree.get("peak"), tree.get("bandwidth")
    if not isinstance(peak, Mapping) or not peak.entries:
        fail(peak or tree, f"a device needs `peak`: operations a second by number format ({', '.join(BITS)})")
    if bandwidth is None:
        fail(tree, "a device needs `bandwidth`: bytes a second")
    check_keys(peak, BITS, "`peak`")
    peaks = {key.text: _figure(value) for key, value in peak.entries}
    return Device(name, text_of(tree, "title", name), peaks, _figure(bandwidth), text_of(tree, "notes"))


def made_up(peak: str, bandwidth: str, dtype: str) -> Device:
    """A device of two numbers, as ``1T`` and ``25G``.

    Raises:
        UsageError: one of them is no number.
    """
    figures = [
        Rated(positive(text, f"--{what}").value, f"--{what} {text}", "")
        for text, what in ((peak, "peak"), (bandwidth, "bandwidth"))
    ]
    return Device("device", f"{peak} operations and {bandwidth} bytes a second", {dtype: figures[0]}, figures[1], "")


def chosen(target: str | Device | None, peak: str | None, bandwidth: str | None, dtype: str) -> Device:
    """The device that ``target`` is or names, or one of two numbers.

    Raises:
        UsageError: there is neither, or both.
        SpecError: the file of a device is wrong.
    """
    if target is not None:
        if peak or bandwidth:
            raise UsageError("--device or --peak and --bandwidth, not both")
        return device(target) if isinstance(target, str) else target
    if peak is None or bandwidth is None:
        names = ", ".join(device_names())
        raise UsageError(f"roofline needs --device NAME|FILE ({names}), or --peak and --bandwidth")
    return made_up(peak, bandwidth, dtype)


def _figure(node: Node) -> Rated:
    if isinstance(node, Scalar):
        return Rated(_number(node), "", "")
    if not isinstance(node, Mapping):
        fail(node, "a figure is a number, or `{value, source, note}`")
    check_keys(node, ("value", "source", "note"), "a figure")
    value = node.get("value")
    if value is None:
        fail(node, "a figure needs `value`")
    return Rated(_number(value), text_of(node, "source"), text_of(node, "note"))


def _number(node: Node) -> Fraction:
    try:
        return positive(node.text if isinstance(node, Scalar) else "", "a figure").value
    except ConvcostError as error:
        fail(node, str(error))
