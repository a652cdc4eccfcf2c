"""What is typed for targets, parameters and sizes. Nothing here needs click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.api.targets import Typed, resolve
from convcost.catalogue.loader import hidden_file
from convcost.cli.output import complain
from convcost.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.api.targets import Target, TargetLike
    from convcost.catalogue.loader import Catalogue

_SIZES = r"[0-9]{1,18}(?:x[0-9]{1,18}){0,3}"
_NAMED_SIZES = r"[0-9]{1,18}(?:x[0-9]{1,18}){0,7}"


def targets_of(
    names: Sequence[TargetLike], settings: tuple[str, ...], catalogue: Catalogue | None = None
) -> list[Target]:
    """Targets with the values that ``--set`` gives them: ``NAME=VALUE`` each that has the name, ``A:NAME=VALUE`` A.

    Raises:
        UsageError: there is no such target or parameter, not NAME=VALUE, or given twice.
        SpecError: a spec is wrong.
    """
    return resolve(names, map(setting_of, settings), catalogue=catalogue, option="--set")


def target_of(name: str, settings: tuple[str, ...], catalogue: Catalogue | None = None) -> Target:
    """One target; see :func:`targets_of`."""
    (target,) = targets_of([name], settings, catalogue)
    return target


def setting_of(text: str) -> tuple[str, Typed]:
    """The name and the value of ``--set NAME=VALUE``.

    Raises:
        UsageError: it is neither.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set takes NAME=VALUE, found '{text[:60]}'")
    return name, Typed(value)


def parse_input(text: str | None) -> Any:
    """The shape that ``--input`` gives; of named inputs, as ``image=1x3x640x640,mask=1x1x640x640``, by their names.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    if "=" in text:
        named = [part.rpartition("=") for part in text.split(",")]
        if len({name for name, _, _ in named}) < len(named):
            raise UsageError(f"--input gives an input twice: '{text[:60]}'")
        return {name: _sizes(sizes, _NAMED_SIZES) for name, _, sizes in named}
    return _sizes(text)


def _sizes(text: str, form: str = _SIZES) -> tuple[int, ...]:
    if re.fullmatch(form, text) is None:
        raise UsageError(f"--input takes sizes such as 3x256x192, found '{text[:60]}'")
    shape = tuple(int(size) for size in text.split("x"))
    if 0 in shape:
        raise UsageError(f"--input: sizes must be at least 1, found {text}")
    return shape


def note_hidden_file(target: str) -> None:
    """A note on standard error where a file of the current folder has the name of a bundled spec that is asked for."""
    beside = hidden_file(target)
    if beside is not None:
        complain(f"note: {target} is the bundled spec; write ./{beside} for the file")
