"""What a command with rows is asked for, with the usual answers. Nothing here needs click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.api.context import Context
from convcost.api.counts import measured
from convcost.cli.output import MACHINE_FORMATS, on_terminal
from convcost.cli.typed import parse_input
from convcost.metrics.presets import TREE
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from convcost.api.targets import Target
    from convcost.metrics.report import Analysis


class RowOptions(NamedTuple):
    """Which rows and columns; ``by`` and ``fold`` are None where the command chooses."""

    by: str | None = None
    depth: int | None = None
    columns: str | None = None
    sort: str | None = None
    top: int | None = None
    fold: bool | None = None


class Asked(NamedTuple):
    """What a command with rows was given.

    Attributes:
        targets: specs, as typed.
        settings: values of ``--set``.
        input_: what ``--input`` gives.
        rows: which rows and columns.
        context: what metrics are evaluated for.
        format_: one of the output formats.
        output: a path, or None for standard output.
        exact: every digit in place of SI units.
    """

    targets: tuple[str, ...]
    settings: tuple[str, ...] = ()
    input_: str | None = None
    rows: RowOptions = RowOptions()
    context: Context = Context()
    format_: str = "table"
    output: str | None = None
    exact: bool = False

    @property
    def machine(self) -> bool:
        """Whether a program will read the output."""
        return self.format_ in MACHINE_FORMATS

    @property
    def fold(self) -> bool:
        """Equal repeats are one row for people, unless asked otherwise."""
        return self.format_ in ("table", "html") if self.rows.fold is None else self.rows.fold

    @property
    def columns(self) -> list[str] | None:
        """The columns asked for."""
        return None if self.rows.columns is None else self.rows.columns.split(",")

    def by(self, usual: str) -> str:
        """What a row stands for: a person at a terminal sees a tree where that is usual, unless rows are asked for."""
        if self.rows.by is not None or usual != TREE:
            return self.rows.by or usual
        asks_for_rows = self.rows.columns is not None or self.rows.sort is not None or self.rows.top is not None
        return TREE if self.format_ == "table" and on_terminal(self.output) and not asks_for_rows else "layer"


def analyzed(
    context: Context,
    target: Target,
    input_: str | None,
    by: str = "layer",
    depth: int | None = None,
    preset: str = "analyze",
    *,
    partial: bool = False,
) -> Analysis:
    """A target measured in a context.

    Args:
        context: what metrics are evaluated for.
        target: a network or block.
        input_: what ``--input`` gives.
        by: what a row stands for.
        depth: sum up below this many segments of the paths.
        preset: which metrics are shown where none are asked for.
        partial: whether the command shows what is not known of a file.

    Raises:
        UsageError: there is no such device or convention, or ``--input`` is no shape.
        SpecError: the network cannot be built.
    """
    return measured(
        target, None, preset, by=by, depth=depth, input=parse_input(input_), partial=partial, **context._asdict()
    )
