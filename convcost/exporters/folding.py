"""Steps folded: copies in a row become ``repeat``, and lists of steps that differ in numbers only become a block."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.exporters.fields import INCOMING, Expression, is_default, is_number
from convcost.exporters.steps import Step
from convcost.language.model import RESERVED
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

_LONGEST = 48  # steps that are looked at as one copy
_WIDEST = 16  # steps of a block
_MOST_BLOCKS = 12
_MOST_STEPS = 2_000  # of a spec in which blocks are looked for
_MOST_PARAMETERS = 8
_FEW = 3  # steps whose names make the name of a block


class Block(NamedTuple):
    """A local block.

    Attributes:
        name: of the block.
        parameters: names with their defaults; None for one that must be given.
        steps: its layers.
    """

    name: str
    parameters: tuple[tuple[str, Any], ...]
    steps: tuple[Step, ...]


def lines(steps: Iterable[Step]) -> int:
    """How many lines the steps take, about."""
    count = 0
    for step in steps:
        controls = sum((step.repeat != 1, step.name != "", step.source != "", step.shares != ""))
        branches = sum(1 + (branch.repeat != 1) + lines(branch.steps) for branch in step.branches)
        count += 1 + controls + branches + lines(step.steps)
    return count


def is_closed(step: Step) -> bool:
    """Whether it reads only what enters it, and nothing is known by a name, so that it means the same elsewhere."""
    branches = all(branch.source in ("", "x") and all(map(is_closed, branch.steps)) for branch in step.branches)
    computed = any(isinstance(value, Expression) and value != INCOMING for _, value in step.fields)
    plain = not (step.source or step.name or step.shares or computed) and step.key != "output"
    return plain and branches and all(map(is_closed, step.steps))


def repeated(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps with copies in a row written once, in branches and groups too."""
    inner = [
        step._replace(
            steps=repeated(step.steps),
            branches=tuple(branch._replace(steps=repeated(branch.steps)) for branch in step.branches),
        )
        for step in steps
    ]
    kinds: dict[Step, int] = {}
    own = [kinds.setdefault(step, len(kinds)) for step in inner]
    barred = [not is_closed(step) for step in inner]
    made: list[Step] = []
    start = 0
    while start < len(inner):
        size, copies, spare = _run(own, start) if not barred[start] else (1, 1, 0)
        shift = next((shift for shift in range(spare + 1) if _begins(inner[start + shift])), 0)
        body = inner[start + shift : start + shift + size]
        if copies > 1 and not any(barred[start : start + size]) and _saves(body, copies):
            made += inner[start : start + shift]
            made.append(_copied(repeated(body) if size > 1 else tuple(body), copies))
            start += shift + size * copies
        else:
            made.append(inner[start])
            start += 1
    return tuple(made)


def _run(own: Sequence[int], start: int) -> tuple[int, int, int]:
    """The copies in a row from ``start`` on that save most: size of one, their number, and steps that still agree."""
    best, saved = (1, 1, 0), 0
    for size in range(1, min(_LONGEST, (len(own) - start) // 2) + 1):
        length = 0
        while start + length + size < len(own) and own[start + length] == own[start + length + size]:
            length += 1
        copies, spare = length // size + 1, length % size
        if size * (copies - 1) > saved:
            best, saved = (size, copies, spare), size * (copies - 1)
    return best


def _begins(step: Step) -> bool:
    """Whether a block may begin with it: not with what belongs to the layer before."""
    return step.key not in REGISTRY or REGISTRY[step.key].family not in ("activation", "norm")


def _saves(body: Sequence[Step], copies: int) -> bool:
    return copies * lines(body) > lines(body) + 1 + (len(body) > 1)


def _copied(body: tuple[Step, ...], copies: int) -> Step:
    if len(body) == 1 and body[0].repeat == 1:
        return body[0]._replace(repeat=copies)
    if len(body) == 1 and not body[0].name:
        return body[0]._replace(repeat=body[0].repeat * copies)
    return Step("do", steps=body, repeat=copies)


class _Window(NamedTuple):
    """A list of steps that occurs several times, its numbers apart.

    Attributes:
        kinds: the number of the skeleton of each step.
        steps: the first occurrence.
        parameters: what differs.
        template: the steps with the parameters in place of these numbers.
        saved: lines, about.
    """

    kinds: tuple[int, ...]
    steps: tuple[Step, ...]
    parameters: list[_Slot]
    template: tuple[Step, ...]
    saved: int


class _Slot(NamedTuple):
    """A parameter of a block: its name, its default (None for none), and one of the numbers that it is."""

    name: str
    default: Any
    place: int


def with_blocks(steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], list[Block]]:
    """The steps with blocks in place of lists of steps that differ in numbers only, and these blocks."""
    blocks: list[Block] = []
    names = {*RESERVED, *REGISTRY}
    kinds: dict[Step, int] = {}
    if sum(map(len, _lists(steps))) > _MOST_STEPS:
        return steps, blocks
    while len(blocks) < _MOST_BLOCKS:
        window = _best([steps, *(block.steps for block in blocks)], kinds)
        if window is None:
            break
        name = _free(_name(window.steps), names)
        names.add(name)
        calling = _calls(name, window)
        steps = _replaced(steps, window.kinds, kinds, calling)
        blocks = [block._replace(steps=_replaced(block.steps, window.kinds, kinds, calling)) for block in blocks]
        parameters = tuple((slot.name, slot.default) for slot in window.parameters)
        blocks.append(Block(name, parameters, window.template))
    return steps, blocks


def _calls(name: str, window: _Window) -> Callable[[tuple[Step, ...]], Step]:
    def call(steps: tuple[Step, ...]) -> Step:
        values = [value for _, value in holes(steps)]
        return Step(name, tuple((slot.name, values[slot.place]) for slot in window.parameters))

    return call


def holes(steps: Iterable[Step]) -> list[tuple[str, Any]]:
    """The numbers among the fields, each with the names of its layer and field, in the order of the steps."""
    values: list[tuple[str, Any]] = []
    for step in steps:
        values += [(f"{step.key}.{name}", value) for name, value in step.fields if is_number(value)]
        for branch in step.branches:
            values += holes(branch.steps)
        values += holes(step.steps)
    return values


def _filled(steps: Iterable[Step], values: Iterator[Any]) -> tuple[Step, ...]:
    """The steps with other numbers, in the order of :func:`holes`."""
    made = []
    for step in steps:
        fields = tuple((name, next(values) if is_number(value) else value) for name, value in step.fields)
        branches = tuple(branch._replace(steps=_filled(branch.steps, values)) for branch in step.branches)
        made.append(step._replace(fields=fields, branches=branches, steps=_filled(step.steps, values)))
    return tuple(made)


def _kinds_of(steps: Sequence[Step], kinds: dict[Step, int]) -> list[int]:
    """A number for each step, the same for steps that differ in numbers only; -1 for one that cannot be moved."""
    return [kinds.setdefault(_filled([step], repeat(0))[0], len(kinds)) if is_closed(step) else -1 for step in steps]


def _lists(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """The list itself, and those of groups and branches in it."""
    yield steps
    for step in steps:
        for inner in (step.steps, *(branch.steps for branch in step.branches)):
            if inner:
                yield from _lists(inner)


def _best(trees: Sequence[tuple[Step, ...]], kinds: dict[Step, int]) -> _Window | None:
    """The window that saves most lines; None where none saves any."""
    places: dict[tuple[int, ...], list[tuple[Step, ...]]] = {}
    for own in (own for tree in trees for own in _lists(tree)):
        numbers = _kinds_of(own, kinds)
        ends: dict[tuple[int, ...], int] = {}
        for start, step in enumerate(own):
            if not _begins(step):
                continue
            for end in range(start + 1, min(start + _WIDEST, len(own)) + 1):
                if numbers[end - 1] < 0:
                    break
                key = tuple(numbers[start:end])
                if ends.get(key, 0) <= start:  # not inside the one before
                    ends[key] = end
                    places.setdefault(key, []).append(own[start:end])
    bounds = sorted(
        ((_saving(lines(steps[0]), len(steps), 0), key) for key, steps in places.items() if len(steps) > 1),
        key=lambda pair: (-pair[0], pair[1]),
    )
    best: _Window | None = None
    for bound, key in bounds:
        least = 0 if best is None else best.saved
        if bound <= least:
            break
        steps = places[key]
        parameters, template = _unified(steps)
        saved = _saving(lines(steps[0]), len(steps), len(parameters))
        if saved > least and len(parameters) <= _MOST_PARAMETERS:
            best = _Window(key, steps[0], parameters, template, saved)
    return best


def _saving(size: int, times: int, parameters: int) -> int:
    """Lines that a block of so many lines saves: its calls are lines too, and so are its name and its parameters."""
    return times * (size - 1) - (size + 2 + (parameters + 1 if parameters else 0))


def _unified(windows: Sequence[tuple[Step, ...]]) -> tuple[list[_Slot], tuple[Step, ...]]:
    """The parameters of a block in place of several lists of steps, and its own steps.

    Numbers that are equal in each of the lists are one parameter; one that is always the same multiple of another
    is computed from it.
    """
    names = [name for name, _ in holes(windows[0])]
    vectors = list(zip(*([value for _, value in holes(steps)] for steps in windows), strict=True))
    places: dict[tuple[Any, ...], int] = {}
    for place, vector in enumerate(vectors):
        if any(value != vector[0] for value in vector):
            places.setdefault(vector, place)
    derived = {vector: base for vector in places if (base := _base(vector, places)) is not None}
    kept = [vector for vector in places if vector not in derived]
    bases = {base for base, _ in derived.values()}
    words = _words([names[places[vector]].partition(".")[2] for vector in kept], [vector in bases for vector in kept])
    slots = [
        _Slot(word, _usual(names[places[vector]], vector), places[vector])
        for word, vector in zip(words, kept, strict=True)
    ]
    text = {vector: Expression(word) for vector, word in zip(kept, words, strict=True)}
    for vector, (base, factor) in derived.items():
        text[vector] = Expression(f"{factor}*{text[base]}")
    return slots, _filled(windows[0], iter([text.get(vector, vector[0]) for vector in vectors]))


def _base(vector: tuple[Any, ...], others: Iterable[tuple[Any, ...]]) -> tuple[tuple[Any, ...], int] | None:
    """The smallest of ``others`` that this is a whole multiple of, and the factor."""
    best = None
    for other in others:
        if other == vector or not all(type(value) is int and value > 0 for value in (*vector, *other)):
            continue
        factor = vector[0] // other[0]
        if factor > 1 and all(value == factor * base for value, base in zip(vector, other, strict=True)):
            best = (other, factor) if best is None or factor > best[1] else best
    return best


def _usual(name: str, vector: tuple[Any, ...]) -> Any:
    """The default of a parameter: that of the field, where it occurs."""
    key, _, field = name.partition(".")
    if key not in REGISTRY:
        return None
    return next((value for value in vector if is_default(key, field, value)), None)


def _words(fields: list[str], inner: list[bool]) -> list[str]:
    """Names of parameters: the fields that they are.

    Args:
        fields: of each parameter, that of its first number.
        inner: whether another number is computed from it, so that it is the width of a part and not of the whole.
    """
    outs = [place for place, field in enumerate(fields) if field == "out"]
    words: list[str] = []
    for place, field in enumerate(fields):
        word = "width" if place in outs and (inner[place] or place != outs[-1]) else field
        words.append(_free(word if word not in RESERVED else f"{word}_1", words))
    return words


def _free(word: str, taken: Collection[str]) -> str:
    """``word``, or with a number where it is taken."""
    number, name = 1, word
    while name in taken:
        number += 1
        name = f"{word}_{number}"
    return name


def _replaced(
    steps: tuple[Step, ...], wanted: tuple[int, ...], kinds: dict[Step, int], call: Callable[[tuple[Step, ...]], Step]
) -> tuple[Step, ...]:
    """The steps with a call in place of every occurrence of a window."""
    numbers = _kinds_of(steps, kinds)
    made: list[Step] = []
    start = 0
    while start < len(steps):
        end = start + len(wanted)
        if tuple(numbers[start:end]) == wanted:
            made.append(call(steps[start:end]))
            start = end
            continue
        step = steps[start]
        start += 1
        branches = tuple(
            branch._replace(steps=_replaced(branch.steps, wanted, kinds, call)) for branch in step.branches
        )
        inner = _replaced(step.steps, wanted, kinds, call)
        if step.key == "do" and len(inner) == 1 and inner[0].repeat == 1 and not step.name:
            made.append(inner[0]._replace(repeat=step.repeat))
        else:
            made.append(step._replace(branches=branches, steps=inner))
    return tuple(made)


def _name(steps: Sequence[Step]) -> str:
    """What a block of these steps is called."""
    for step in steps:
        if step.key == "add":
            return "residual" if any(branch.source for branch in step.branches) else "projection"
        if step.branches:
            return {"concat": "branches", "multiply": "gated"}.get(step.key, "merged")
    return "_".join(step.key for step in steps) if len(steps) <= _FEW else "unit"
