"""A spec as the parser makes it, the check completes it and the interpreter runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from convcost.errors import ConvcostError
from convcost.language.operations import constant as constantly
from convcost.language.operations import listed
from convcost.network.graph import Tensor, signature_of
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from convcost.errors import Position, Problem
    from convcost.language.expression import Expression
    from convcost.language.tree import Node, Scalar
    from convcost.layers.base import Layer
    from convcost.network.graph import Graph


BROKEN = object()  # the constant of a value whose error is already reported


class Fault(ConvcostError):  # noqa: N818 - an error on its way, not yet one that a caller sees
    """An error while a spec runs; each call that it passes adds its own place.

    Attributes:
        message: what is wrong.
        places: where, from the innermost outwards.
        parameter: the name of the parameter, where the last place is a value that only passes a parameter on.
    """

    def __init__(self, message: str, *places: Position) -> None:
        super().__init__(message)
        self.message = message
        self.places = list(places)
        self.parameter = ""


class Value:
    """A value as written: an expression, a fixed value, or a list of these.

    Attributes:
        position: where it is written.
        expression: set where it is computed.
        items: set where it is a YAML list of values.
        constant: set where neither is.
        words: the bare words that would have stood for themselves here.
    """

    __slots__ = ("constant", "evaluate", "expression", "items", "position", "words")

    def __init__(
        self,
        position: Position,
        *,
        expression: Expression | None = None,
        items: tuple[Value, ...] | None = None,
        constant: Any = None,
        words: tuple[Any, ...] = (),
    ) -> None:
        self.position = position
        self.expression = expression
        self.items = items
        self.constant = constant
        self.words = words
        if expression is not None:
            self.evaluate = expression.evaluate
        elif items is not None:
            self.evaluate = listed([item.evaluate for item in items])
        else:
            self.evaluate = constantly(constant)

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same in every scope."""
        return self.expression is None and self.items is None

    def expressions(self) -> Iterator[tuple[Expression, Position]]:
        """Every expression in it, with its position."""
        if self.expression is not None:
            yield self.expression, self.position
        for item in self.items or ():
            yield from item.expressions()


class Template:
    """A name with ``{expressions}`` in it.

    Attributes:
        fixed: whether it is the same name whatever the variables are.
    """

    __slots__ = ("fixed", "parts", "position", "text")

    def __init__(self, text: str, parts: tuple[str | Value, ...], position: Position) -> None:
        self.text = text
        self.parts = parts
        self.position = position
        self.fixed = all(isinstance(part, str) for part in parts)

    def uses(self, names: Container[str]) -> bool:
        """Whether the name depends on one of ``names``."""
        values = [part for part in self.parts if isinstance(part, Value)]
        return any(name in names for value in values for used, _ in value.expressions() for name in used.names)

    def evaluate(self, scope: Any) -> str:
        """The name in ``scope``."""
        if self.fixed:
            return self.text
        return "".join(part if isinstance(part, str) else _word(part.evaluate(scope)) for part in self.parts)


def _word(value: Any) -> str:
    """``value`` as a part of a name: a list of sizes as ``1x7``.

    Raises:
        ConvcostError: it is a tensor.
    """
    if isinstance(value, Tensor):
        raise ConvcostError("a tensor cannot be part of a name; its sizes can, as {x.c}")
    sizes = isinstance(value, tuple) and all(type(size) is int for size in value)
    return "x".join(map(str, value)) if sizes else str(value)


class Loop(NamedTuple):
    """``for`` and ``in``: the variables, and a row of values for each turn.

    Attributes:
        variables: their names, with where they are written.
        rows: rows (of several variables) or single values (of one); or
        columns: one list per variable.
        position: where ``for`` is written.
        whole: whether ``for`` names a single variable, so that rows are not unpacked.
    """

    variables: tuple[tuple[str, Position], ...]
    rows: Value | None
    columns: tuple[Value, ...]
    position: Position
    whole: bool


class Choose(NamedTuple):
    """``choose``: names, and the values that each may have; every run of the step takes one of each.

    Attributes:
        variables: the names, with where they are written.
        columns: the list of values of each.
        position: where ``choose`` is written.
    """

    variables: tuple[tuple[str, Position], ...]
    columns: tuple[Value, ...]
    position: Position


class Arguments:
    """``{field: value, ...}`` of a layer or block.

    Attributes:
        values: by name.
        keys: where each name is written.
        fixed: those values that are the same in every run.
        evaluators: name and function of a scope of the others.
        signature: what distinguishes their values from others, where all are fixed; else None.
        checked: the layer that they were found right for.
        broken: whether what was written is no mapping, so that nothing more can be checked.
    """

    __slots__ = ("broken", "checked", "evaluators", "fixed", "keys", "signature", "values")

    def __init__(self, values: dict[str, Value], keys: dict[str, Position], *, broken: bool = False) -> None:
        self.values = values
        self.keys = keys
        self.broken = broken
        self.checked: type[Layer] | None = None
        self.fixed: dict[str, Any] = {}
        evaluators = []
        for name, value in values.items():
            if value.expression is None and value.items is None:
                self.fixed[name] = value.constant
            else:
                evaluators.append((name, value.evaluate))
        self.evaluators = tuple(evaluators)
        self.signature = None if evaluators else signature_of(self.fixed)

    def overridden(self, by: Arguments | None) -> Arguments:
        """These arguments with those of ``by`` in their place."""
        return self if by is None else Arguments({**self.values, **by.values}, {**self.keys, **by.keys})


NO_ARGUMENTS = Arguments({}, {})


# Keys, each with the form of its value; convcost/language/schema.py has the forms.
CONTROLS = {
    "from": "text",
    "for": "loop",
    "in": "table",
    "choose": "choose",
    "when": "value",
    "repeat": "value",
    "first": "mapping",
    "name": "text",
    "shares": "text",
}
BRANCH_KEYS = {
    "do": "inner steps",
    **{key: CONTROLS[key] for key in ("from", "for", "in", "when", "repeat")},
}
BODIES = {"do": "steps", "output": "branches"}
RESERVED = (*CONTROLS, *BODIES, "x", "input")
STANDARD = {"K": "kernel", "O": "out", "G": "groups"}  # letters that papers use, and the words that layers use
LAYER_WORDS = ("same", "valid")  # values of layer fields that a parameter may pass on


OTHER_NAMES = {**STANDARD, **{long: short for short, long in STANDARD.items()}}


def own_name(name: str, names: Container[str]) -> str:
    """What a spec that has the parameters ``names`` calls the one that a caller calls ``name``.

    A parameter with a standard letter takes its standard word too, and the other way round.

    >>> own_name("kernel", ["K", "O"]), own_name("K", ["kernel"]), own_name("kernel", ["K", "kernel"])
    ('K', 'kernel', 'kernel')
    """
    other = OTHER_NAMES.get(name)
    return name if other is None or name in names or other not in names else other


class Branch(NamedTuple):
    """One path of a merge or a side output: steps, or a tensor by its name.

    Attributes:
        name: its key.
        title: the name with its expressions, where it has some.
    """

    name: str
    steps: tuple[Step, ...]
    from_: Template | None
    loop: Loop | None
    when: Value | None
    repeat: Value | None
    position: Position
    title: Template | None = None


class Step(NamedTuple):
    """One item of ``layers``.

    Attributes:
        body: ``do``, ``output``, a merge's key, or the name of a layer or block.
        position: where it is written.
        arguments: of a layer or block.
        first: overrides for the first copy of a repeat, as written.
        first_arguments: arguments of the first copy of a repeat.
        steps: of a ``do``.
        branches: of a merge or ``output``.
        choose: names that take one of several values at each run of the step.
        shares: the name of the weights that it has in common with other steps.
        plain: whether there is no control beside the body.
        block: the spec it calls, once checked; None for a layer.
        faults: what is wrong with the arguments, reported only where there is such a layer or block.
    """

    body: str
    position: Position
    arguments: Arguments = NO_ARGUMENTS
    first: Arguments | None = None
    first_arguments: Arguments = NO_ARGUMENTS
    steps: tuple[Step, ...] = ()
    branches: tuple[Branch, ...] = ()
    from_: Template | None = None
    loop: Loop | None = None
    choose: Choose | None = None
    when: Value | None = None
    repeat: Value | None = None
    name: Template | None = None
    shares: Template | None = None
    plain: bool = True
    block: Spec | None = None
    faults: tuple[Problem, ...] = ()


class Parameter:
    """A parameter of a spec.

    Attributes:
        default: how it is computed when not given; None where it must be given.
        example: its value when the spec runs alone.
        type: ``whole``, ``ratio``, ``switch``, ``word`` or ``any``.
        choices: the values it may have, if listed.
        choose: its values in a design space, if listed.
        minimum, maximum: bounds, if stated.
        quiet: whether headings leave it out while it has its default.
        any_int: whether every int fits, so that none need be checked.
    """

    __slots__ = (
        "any_int",
        "choices",
        "choose",
        "default",
        "doc",
        "example",
        "maximum",
        "minimum",
        "name",
        "position",
        "quiet",
        "type",
    )

    def __init__(  # noqa: PLR0913 - a record with as many parts
        self,
        name: str,
        position: Position,
        *,
        type_: str,
        default: Value | None,
        example: Value | None = None,
        choices: tuple[Any, ...] = (),
        choose: tuple[Any, ...] = (),
        minimum: Value | None = None,
        maximum: Value | None = None,
        doc: str = "",
        quiet: bool = False,
    ) -> None:
        self.name = name
        self.position = position
        self.type = type_
        self.default = default
        self.example = example
        self.choices = choices
        self.choose = choose
        self.quiet = quiet
        self.minimum = minimum
        self.maximum = maximum
        self.doc = doc
        self.any_int = type_ in ("whole", "any") and not choices and minimum is None and maximum is None

    def changed(
        self, *, default: Value | None, example: Value | None = None, position: Position | None = None, doc: str = ""
    ) -> Parameter:
        """The same parameter with another default; and another example, position and text where they are given."""
        return Parameter(
            self.name,
            position or self.position,
            type_=self.type,
            default=default,
            example=example or self.example,
            choices=self.choices,
            choose=self.choose,
            minimum=self.minimum,
            maximum=self.maximum,
            doc=doc or self.doc,
            quiet=self.quiet,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The bare words that are allowed as its value."""
        words = tuple(choice for choice in self.choices if isinstance(choice, str))
        if self.default is not None and self.default.constant in LAYER_WORDS:
            return (*words, *LAYER_WORDS)
        return words


class Let(NamedTuple):
    """A named value, table or function; a function where ``arguments`` is not None."""

    name: str
    arguments: tuple[str, ...] | None
    value: Value
    position: Position


class Spec:
    """A spec or a local block: a function from a tensor and parameters to a tensor.

    The parser makes it and the check completes it; a run only reads it. Its steps, parameters and values are never
    changed: the check puts new ones in their place.

    Attributes:
        name: the file's stem, or the local block's key.
        file: what errors call its file.
        input_sizes: the size of a network's input, of several of the first; or None.
        inputs: the sizes of every input that has a name.
        outputs: the tensors that leave the network, by name, where the spec lists them.
        input_names: the names a block reads off its input, with the worked example; or None.
        layout: the axes of ``input_sizes`` in their order, as ``chw``, where the spec states them.
        parent: the spec a local block is written in.
        extends: name of the spec this one is a variant of, and where that is written.
        overrides: the parameters it gives other defaults, as read: what their words mean is known when linked.
        base: the spec that it extends, once checked; of several in a row, the last.
        published: the printed figures, as read; see :mod:`convcost.literature.claims`.
        budget: the bounds on its metrics, as read; see :mod:`convcost.metrics.budget`.
        constants: names that have the same value in every run unless they are given.
        folder: the folder of its file, where blocks are searched; empty if it has no file.
        without_parameters: of a network without parameters, how to get one with them; for errors.
    """

    without_parameters: ClassVar[str] = ""

    __slots__ = (
        "base",
        "blocks",
        "budget",
        "constants",
        "extends",
        "family",
        "file",
        "folder",
        "input_names",
        "input_sizes",
        "inputs",
        "layers",
        "layout",
        "lets",
        "name",
        "notes",
        "outputs",
        "overrides",
        "parameters",
        "parent",
        "position",
        "published",
        "source",
        "title",
        "year",
    )

    def __init__(self, name: str, position: Position, parent: Spec | None = None) -> None:
        self.name = name
        self.position = position
        self.file = position.file
        self.parent = parent
        self.base: Spec | None = None
        self.title = name
        self.source: dict[str, str] = {}
        self.family = ""
        self.year: int | None = None
        self.notes = ""
        self.extends: tuple[str, Position] | None = None
        self.input_sizes: tuple[Value, ...] | None = None
        self.input_names: dict[str, Value] | None = None
        self.inputs: dict[str, tuple[Value, ...]] = {}
        self.outputs: dict[str, Template] = {}
        self.layout = ""
        self.overrides: list[tuple[Scalar, Node]] = []
        self.parameters: dict[str, Parameter] = {}
        self.lets: dict[str, Let] = {}
        self.blocks: dict[str, Spec] = {}
        self.layers: tuple[Step, ...] = ()
        self.published: Node | None = None
        self.budget: Node | None = None
        self.folder = ""
        self.constants: dict[str, Any] = {}

    @property
    def body(self) -> Spec:
        """The spec whose layers, lets and blocks these are: itself, or the one it extends."""
        return self if self.base is None else self.base

    @property
    def names(self) -> tuple[str, ...]:
        """The names that take a value: sizes read off the input, then parameters, in the order they are written."""
        return (*(self.input_names or ()), *self.parameters)

    def fixed_values(self) -> dict[str, Any]:
        """The names that have the same value in every run unless they are given: what ``constants`` are."""
        values = [(name, let.value) for name, let in self.lets.items() if let.arguments is None]
        values += [(name, own.default) for name, own in self.parameters.items() if own.default is not None]
        return {name: value.constant for name, value in values if value.is_fixed}

    def sizes(self) -> tuple[Value, ...]:
        """The sizes of all inputs of a network."""
        return tuple(size for sizes in self.inputs.values() for size in sizes) or self.input_sizes or ()

    def size_parameters(self) -> set[str]:
        """The parameters that the size of the input depends on."""
        used = {name for size in self.sizes() for expression, _ in size.expressions() for name in expression.names}
        return used & set(self.parameters)

    @property
    def is_block(self) -> bool:
        """Whether it reads its sizes off whatever comes in, rather than stating them."""
        return self.input_sizes is None

    @property
    def root(self) -> Spec:
        """The spec of the file it is written in."""
        return self if self.parent is None else self.parent.root


class Imported(Spec):
    """A network from a file that is no spec: it has a name, parameters and inputs, and builds its graph itself."""

    __slots__ = ()

    def structural(self) -> set[str]:
        """The parameters that cannot be symbols."""
        raise NotImplementedError

    def make(self, values: Mapping[str, Any], input_shape: Any) -> Graph:
        """The graph at these values of its parameters.

        Args:
            values: by name, numbers or symbols.
            input_shape: sizes in place of the file's own: of its first input, or a mapping of inputs to sizes.

        Raises:
            UsageError: a parameter has no value, or the sizes do not fit.
            ConvcostError: the file cannot be understood.
        """
        raise NotImplementedError


def unique_names(specs: Iterable[Spec | Graph]) -> list[str]:
    """Names of specs or graphs; a second one of the same name gets ``#2``."""
    names: list[str] = []
    for spec in specs:
        times = sum(name.partition("#")[0] == spec.name for name in names)
        names.append(spec.name if not times else f"{spec.name}#{times + 1}")
    return names
