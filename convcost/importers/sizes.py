"""Sizes of the inputs of a file as parameters: those that it leaves open must be given, those that it fixes may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import Position, UsageError, unknown
from convcost.language.model import Imported, Parameter, Value
from convcost.layers.window import show
from convcost.numbers.arithmetic import is_symbolic, provably, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.layers.base import Shape

_MOST_NAMED = 8  # sizes that an error asks for


class Sized(Imported):
    """A network in a file, whose parameters are the sizes of its inputs.

    Args:
        label: what errors call the file.
        name: of the network.

    Attributes:
        label: what errors call the file.
        dims: for each input the names of its sizes, batch included.
        static: the sizes that the file fixes, by name.
        free: the names of the sizes that it leaves open, without that of the batch.
    """

    __slots__ = ("dims", "free", "label", "static")

    def __init__(self, label: str, name: str) -> None:
        super().__init__(name, Position(label, 1, 1))
        self.label = label
        self.title = name
        self.input_names = None
        self.dims: dict[str, tuple[Any, ...]] = {}
        self.static: dict[str, int] = {}
        self.free: list[str] = []

    @property
    def is_block(self) -> bool:
        """It states its input."""
        return False

    def size_parameters(self) -> set[str]:
        """The sizes that the file leaves open, without that of the batch."""
        return set(self.free)

    def declare(self, name: str, type_: str, default: Any, least: int | None = 1) -> None:
        """Add a parameter, unless there is one of that name."""
        if name in self.parameters:
            return
        self.parameters[name] = Parameter(
            name,
            self.position,
            type_=type_,
            default=None if default is None else Value(self.position, constant=default),
            minimum=Value(self.position, constant=least) if least is not None and type_ == "whole" else None,
        )

    def require_sizes(self, values: Mapping[str, Any]) -> None:
        """Make sure that every open size has a value.

        Raises:
            UsageError: one has none; all of these are named.
        """
        missing = [name for name in self.free if name not in values]
        if missing:
            shown = " ".join(f"--set {name}=N" for name in missing[:_MOST_NAMED])
            named = ", ".join(missing[:_MOST_NAMED]) + (", ..." if len(missing) > _MOST_NAMED else "")
            raise UsageError(f"{self.label} leaves the sizes {named} open: give them with {shown}")

    def given_sizes(self, input_shape: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of sizes that ``--input`` gives.

        Raises:
            UsageError: there is no such input, or it has another number of sizes.
        """
        if input_shape is None:
            return {}
        if not self.dims:
            raise UsageError(f"{self.label} has no input with sizes")
        if not isinstance(input_shape, dict):
            input_shape = {next(iter(self.dims)): input_shape}
        result: dict[str, Any] = {}
        for name, sizes in input_shape.items():
            if name not in self.dims:
                raise UsageError(unknown("input", name, self.dims, of=self.label))
            dims = self.in_order(name, sizes)
            if dims is None:
                raise UsageError(f"input {name} has {len(self.dims[name])} sizes, found {show(tuple(sizes))}")
            self.put_sizes(result, dims, sizes, values)
        return result

    def in_order(self, name: str, sizes: Sequence[Any]) -> Sequence[Any] | None:
        """Names of the sizes that a caller gives of an input, with or without the batch; None of another number."""
        dims = self.dims[name]
        return dims[len(dims) - len(sizes) :] if len(dims) - 1 <= len(sizes) <= len(dims) else None

    def put_sizes(
        self, result: dict[str, Any], dims: Sequence[Any], sizes: Sequence[Any], values: Mapping[str, Any]
    ) -> None:
        """Give the sizes of an input to the parameters that they are of.

        Raises:
            UsageError: one of them has another value.
        """
        for dim, size in zip(dims, sizes, strict=True):
            before = result.get(dim, values.get(dim, size))
            if is_symbolic(values.get(dim)):  # a free size, whose value at the witness was given
                continue
            if not provably(before, size):
                raise UsageError(f"the size {dim} is given twice: {before} and {size}")
            result[dim] = size

    def sizes_of(self, name: str, values: Mapping[str, Any]) -> Shape:
        """The shape of an input, batch included."""
        sizes = []
        for dim in self.dims[name]:
            default = self.parameters[dim].default
            size = values.get(dim, None if default is None else default.constant)
            require(">=", size, 1, f"the size {dim} must be at least 1, found {size}")
            sizes.append(size)
        return tuple(sizes)

    def unchanged(self, values: Mapping[str, Any]) -> frozenset[str]:
        """The names of fixed sizes that have the values of the file."""
        return frozenset(name for name, size in self.static.items() if provably(values.get(name, size), size))


def clean(name: str) -> str:
    """A name as ``--set`` and ``--free`` take it: without spaces, commas and signs of equality."""
    return "".join(item if item.isprintable() and item not in " ,=" else "_" for item in name[:100]) or "_"
