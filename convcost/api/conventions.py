"""Whose number it is: conventions of tools and papers, and the figures that papers print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.targets import Sizes, TargetLike, convention_of, input_shape, resolve
from convcost.conventions.catalogue import PAPER
from convcost.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.conventions.model import Convention
    from convcost.conventions.survey import Conventions, Readings
    from convcost.language.model import Spec
    from convcost.literature.explain import Explanation
    from convcost.literature.verify import Verifications
    from convcost.numbers.printed import Printed


def list_conventions() -> Conventions:
    """The counting conventions of tools, with their weights; that of a network's paper is not among them.

    >>> [convention.name for convention in list_conventions()][:3]
    ['convcost', 'macs', 'fvcore']
    """
    from convcost.conventions.survey import known  # noqa: PLC0415 - reads files

    return known()


def survey(
    target: TargetLike,
    *,
    conventions: Sequence[str] = (),
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    **parameters: Any,
) -> Readings:
    """A network under every convention, with its differences from plain multiply-accumulates by cause.

    Args:
        target: a network or block; its own convention, ``paper``, is among them where it states published figures.
        conventions: paths of further conventions.
        input: ``(channels, *spatial)`` in place of the spec's own.
        **parameters: values.

    Raises:
        UsageError: there is no such parameter or file.
        SpecError: a file is wrong.

    >>> {reading.convention.name: reading.value for reading in survey("resnet50")}["fvcore"]
    4111512576
    """
    from convcost.conventions.survey import survey as surveyed  # noqa: PLC0415 - reads files

    (resolved,) = resolve([target], parameters)
    graph = resolved.build(input_shape(input))
    more = [convention_of(name, resolved.spec) for name in conventions]
    return surveyed(graph, [*own_convention(resolved.spec), *more])


def own_convention(spec: Spec) -> list[Convention]:
    """The convention of a network's own figures; none where it states no figures."""
    try:
        return [convention_of(PAPER, spec)]
    except UsageError:
        return []


def explain(
    target: TargetLike,
    reported: str | float | Printed,
    *,
    what: str | None = None,
    top: int = 5,
    input: Sizes | None = None,  # noqa: A002
    **parameters: Any,
) -> Explanation:
    """What gives a number that somebody printed: convention, variant, input size, factor of two ...

    Args:
        target: a network or block.
        reported: as printed, ``"4.11G"``, ``"300 MFLOPs"``; its digits say how near is near enough.
        what: ``macs`` (operations) or ``params``; None takes what fits.
        top: how many explanations.
        input: ``(channels, *spatial)``, if it is known.
        **parameters: those that are known.

    Raises:
        UsageError: the number is malformed, or there is no such parameter.

    >>> explain("resnet50", "3.8G").candidates[0].settings
    {'variant': 'v1'}
    """
    from convcost.literature.explain import explain as explained  # noqa: PLC0415 - reads files
    from convcost.numbers.printed import Printed, printed  # noqa: PLC0415

    (resolved,) = resolve([target], parameters)
    number = reported if isinstance(reported, Printed) else printed(str(reported), "reported")
    return explained(
        resolved.spec,
        number,
        what=what,
        given=resolved.values,
        input_shape=input_shape(input),
        top=top,
        target=resolved.given,
    )


def verify(*targets: str, where: str = "", cite: str = "") -> Verifications:
    """Check figures that papers print against their networks.

    Args:
        *targets: bundled names or files; every bundled spec with published figures where there are none.
        where: only figures of this table or section, as ``table 6``.
        cite: only figures of this source, as ``howard2017``.

    Raises:
        UsageError: there is no such spec, or no figure is printed there.
        SpecError: a spec or one of its claims is wrong.

    >>> {finding.verdict for finding in verify("lenet5")[0].findings}
    {'exact'}
    """
    from convcost.literature.verify import printed_in  # noqa: PLC0415 - reads files
    from convcost.literature.verify import verify as verified  # noqa: PLC0415

    verifications = verified(targets)
    return printed_in(verifications, where, cite) if where or cite else verifications
