"""Shell completion of option values: parameters of the target, and names of bundled files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import ConvcostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click
    from click.shell_completion import CompletionItem

    Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def names_of(names: Callable[[], Iterable[str]]) -> Complete:
    """Offer ``names``."""

    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def device(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the bundled devices."""
    from convcost.metrics.devices import device_names  # noqa: PLC0415 - only completion pays for it

    return [name for name in device_names() if name.startswith(incomplete)]


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell to offer files."""
    import click  # noqa: PLC0415 - only completion pays for it

    return click.File().shell_complete(ctx, param, incomplete)


def parameter(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the parameters of the targets typed so far, for the last name of a list such as ``alpha,si``."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _parameters(ctx) if name.startswith(last)]


def setting(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Offer ``NAME=`` for the parameters of the targets, then the values that a parameter lists."""
    name, equals, begun = incomplete.partition("=")
    if not equals:
        return [f"{known}=" for known in _parameters(ctx) if known.startswith(name)]
    return [f"{name}={word}" for word in _parameters(ctx).get(name, ()) if word.startswith(begun)]


def _parameters(ctx: click.Context) -> dict[str, tuple[str, ...]]:
    """Names of the parameters of the targets typed so far, each with the words it lists."""
    from convcost.catalogue.loader import TORCH, Catalogue  # noqa: PLC0415 - only completion pays for it

    words: dict[str, tuple[str, ...]] = {}
    for target in _targets(ctx):
        if target.startswith(TORCH):  # a key press must not run code
            continue
        try:
            spec = Catalogue().target(target)
        except ConvcostError:
            continue
        words |= dict.fromkeys(spec.names, ())
        for own in spec.parameters.values():
            words[own.name] = tuple(map(str, own.choices)) or (("true", "false") if own.type == "switch" else ())
    return words


def _targets(ctx: click.Context) -> list[str]:
    """The targets on the unfinished line: where its last option lacks a value, click leaves them among the rest."""
    values = [ctx.params.get(name) for name in ("target", "targets", "files", "names")]
    given = [text for value in values if value for text in ([value] if isinstance(value, str) else value)]
    return [text for text in (*given, *ctx.args) if text != "-"]
