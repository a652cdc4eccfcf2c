"""Options that commands share."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import click

from convcost.api.context import Context
from convcost.catalogue.loader import READ, bundled_names
from convcost.cli import completion
from convcost.cli.output import FILES_ONLY, FORMAT_NAMES, SUFFIXES, format_by_suffix
from convcost.cli.typed import note_hidden_file
from convcost.errors import UsageError
from convcost.metrics.dtypes import BITS
from convcost.plugins import plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem


_DEFAULTS = {"table": "a table"}


if TYPE_CHECKING:
    _ParamType = click.ParamType[str]
else:
    _ParamType = click.ParamType  # generic only in newer releases of click


class TargetType(_ParamType):
    """A file, ``-``, or a bundled name; completes both."""

    name = "target"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """``value`` as it is, with a note where a file of the current folder has a bundled name."""
        if ctx is None or not ctx.resilient_parsing:
            note_hidden_file(value)
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Bundled names, then files."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion pays for it

        names = [CompletionItem(name) for name in bundled_names() if name.startswith(incomplete)]
        return names or click.File().shell_complete(ctx, param, incomplete)


TARGET = TargetType()
_USUAL = Context()


def plugin_option() -> click.Option:
    """``--plugin FILE.py``, which every command has."""
    return click.Option(
        ["--plugin", "plugins"],
        multiple=True,
        metavar="FILE.py",
        is_eager=True,
        expose_value=False,
        callback=_load_plugins,
        shell_complete=completion.files,
        help="Import FILE.py, which defines layers or metrics; its code is run. May be repeated.",
    )


def _load_plugins(ctx: click.Context, _param: click.Parameter, files: tuple[str, ...]) -> None:
    for file in () if ctx.resilient_parsing else files:
        plugin(file)
        READ.add(os.path.abspath(file))


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--set NAME=VALUE``, as often as needed; ``--assume`` does the same, and ``--trips A=N`` sets ``A.trips``."""

    @functools.wraps(command)
    def with_settings(
        *args: Any, settings: tuple[str, ...], assumed: tuple[str, ...], trips: tuple[str, ...], **options: Any
    ) -> Any:
        return command(*args, settings=(*settings, *assumed, *map(_trips, trips)), **options)

    wrapped: Callable[..., Any] = with_settings
    for option in (
        click.option("--trips", multiple=True, hidden=True),
        click.option("--assume", "assumed", multiple=True, hidden=True),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            shell_complete=completion.setting,
            help="Value of a parameter; may be repeated.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def _trips(text: str) -> str:
    """``LOOP=N`` as the setting that it means."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--trips takes LOOP=N, found '{text[:60]}'")
    return f"{name.removesuffix('.trips')}.trips={value}"


def input_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--input CxHxW``."""
    return click.option(
        "--input",
        "input_",
        metavar="CxHxW",
        help="Input in place of the spec's own, as 3x256x192; of a file with several NAME=SIZES,...",
    )(command)


def _conventions() -> list[str]:
    from convcost.conventions.catalogue import names  # noqa: PLC0415 - only completion pays for it

    return names()


def convention_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--convention NAME|FILE``."""
    return click.option(
        "--convention",
        "convention_",
        metavar="NAME|FILE",
        shell_complete=completion.names_of(_conventions),
        default=_USUAL.convention,
        show_default=True,
        help="The counting convention to report beside the plain counts; `convcost conventions` lists them.",
    )(command)


def batch_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--batch N``."""
    return click.option(
        "--batch", type=click.IntRange(min=1), default=_USUAL.batch, show_default=True, help="Samples."
    )(command)


def fused_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--fused/--unfused``."""
    words = "Norms and activations run on the output of the layer before them, or read and write memory."
    return click.option("--fused/--unfused", default=_USUAL.fused, show_default=True, help=words)(command)


def dtype_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--dtype`` and ``--weights-dtype``."""
    formats = click.Choice(list(BITS))
    for option in (
        click.option("--weights-dtype", type=formats, help="Number format of weights; by default that of maps."),
        click.option("--dtype", type=formats, default=_USUAL.dtype, show_default=True, help="Number format of maps."),
    ):
        command = option(command)
    return command


def free_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--free NAME,...``, as often as needed; see :func:`names_in`."""
    return click.option(
        "--free",
        "free",
        multiple=True,
        metavar="NAME,...",
        shell_complete=completion.parameter,
        help="Parameters to leave as symbols.",
    )(command)


def names_in(parts: tuple[str, ...]) -> list[str] | None:
    """The names in options such as ``--free a,b --free c``; None where there is none."""
    return [name.strip() for part in parts for name in part.split(",")] or None


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``-o FILE``."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        shell_complete=completion.files,
        help="Write to FILE instead of the terminal.",
    )(command)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--format``, ``--exact`` and ``-o``, for commands that round what they show."""
    return format_options(exact_option(command))


def exact_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--exact``."""
    return click.option("--exact", is_flag=True, help="Every digit in tables, in place of SI units.")(command)


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--format`` and ``-o``; the suffix of the file says the format where ``--format`` does not."""
    return formats()(command)


def formats(*more: str, usual: Sequence[str] = FORMAT_NAMES) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--format`` and ``-o``, with formats that only this command has beside the usual ones."""
    names = (*usual, *more)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_format(*args: Any, format_: str | None, output: str | None, **options: Any) -> Any:
            chosen = format_ or format_by_suffix(output, names)
            if chosen in FILES_ONLY and output is None:
                suffix = next(suffix for suffix, name in SUFFIXES.items() if name == chosen)
                raise UsageError(f"--format {chosen} needs a file: -o FILE{suffix}")
            return command(*args, format_=chosen, output=output, **options)

        wrapped: Callable[..., Any] = with_format
        for option in (
            output_option,
            click.option(
                "--format",
                "format_",
                type=click.Choice(names),
                help=f"What to print; by default what the suffix of -o says, else {_DEFAULTS.get(names[0], names[0])}.",
            ),
        ):
            wrapped = option(wrapped)
        return wrapped

    return decorate
