"""The options that say what metrics are evaluated for: samples, number formats, fusing, device, convention."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from convcost.api.counts import measured
from convcost.cli import completion
from convcost.cli.options import batch_option, convention_option, dtype_options, fused_option, parse_input
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.api.solutions import Context
    from convcost.api.targets import Target
    from convcost.metrics.devices import Device
    from convcost.metrics.report import Analysis


class ContextOptions(NamedTuple):
    """What :func:`context_options` was given."""

    batch: int
    dtype: str
    weights_dtype: str | None
    fused: bool
    device: str | Device | None
    convention_: str

    @property
    def setting(self) -> Context:
        """The same for the functions of the library that evaluate a network at many values."""
        from convcost.api.solutions import Context  # noqa: PLC0415 - commands that count once do not pay for it

        return Context(self.batch, self.dtype, self.weights_dtype, self.device, self.fused, self.convention_)

    def analyze(
        self,
        target: Target,
        input_: str | None,
        by: str = "layer",
        depth: int | None = None,
        preset: str = "analyze",
        *,
        partial: bool = False,
    ) -> Analysis:
        """A target measured in this context.

        Args:
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
            target,
            None,
            preset,
            by=by,
            depth=depth,
            input=parse_input(input_),
            batch=self.batch,
            dtype=self.dtype,
            weights_dtype=self.weights_dtype,
            fused=self.fused,
            device=self.device,
            convention=self.convention_,
            partial=partial,
        )


def context_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--batch --dtype --weights-dtype --fused --device --convention``, handed to the command as one ``context``."""

    @functools.wraps(command)
    def with_context(*args: Any, **options: Any) -> Any:
        context = ContextOptions(*(options.pop(name) for name in ContextOptions._fields))
        return command(*args, context=context, **options)

    wrapped: Callable[..., Any] = with_context
    for option in (
        convention_option,
        click.option(
            "--device",
            metavar="NAME|FILE",
            shell_complete=completion.device,
            help="Device for metrics of time; `convcost roofline` lists them.",
        ),
        fused_option,
        dtype_options,
        batch_option,
    ):
        wrapped = option(wrapped)
    return wrapped
