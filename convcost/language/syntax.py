"""From the tree of a YAML file to a :class:`~convcost.language.model.Spec`: the grammar of the language.

Errors are collected, not raised, so that all of them are reported together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, Position, Problems, did_you_mean, unknown
from convcost.language.expression import compile_expression
from convcost.language.model import (
    BODIES,
    BRANCH_KEYS,
    BROKEN,
    CONTROLS,
    LAYER_WORDS,
    NO_ARGUMENTS,
    RESERVED,
    Arguments,
    Branch,
    Choose,
    Let,
    Loop,
    Parameter,
    Spec,
    Step,
    Template,
    Value,
)
from convcost.language.operations import NUMBERS, is_misspelt
from convcost.language.tree import Line, Mapping, Scalar, Sequence, dims, scan
from convcost.layers import REGISTRY
from convcost.layers.base import AXES
from convcost.limits import MAX_DIGITS, MAX_ITEMS
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection
    from fractions import Fraction

    from convcost.language.expression import Expression
    from convcost.language.tree import Node, Wording
    from convcost.layers.base import Layer


def is_identifier(text: str) -> bool:
    """Whether ``text`` can be the name of a variable."""
    return text.isidentifier() and text.isascii() and not text.startswith("_")


def absent(node: Node) -> bool:
    """Whether a key has no value (``key:`` or the shorthand ``{key}``)."""
    return isinstance(node, Scalar) and node.text == "" and not node.quoted


def expression(text: str, position: Position, problems: Problems, words: tuple[Any, ...] = ()) -> Value:
    """``text`` compiled; a broken value where that fails, which is added to ``problems``."""
    try:
        compiled, constant = _computed(text)
    except ConvcostError as error:
        problems.add(position, str(error))
        return Value(position, constant=BROKEN)
    if compiled is None:
        return Value(position, constant=constant)
    return Value(position, expression=compiled, words=words)


@lru_cache(maxsize=4096)
def _computed(text: str) -> tuple[Expression | None, Any]:
    """An expression; or none, and the value that the text has in every scope.

    Raises:
        ConvcostError: it is no expression, or cannot be computed.
    """
    compiled = compile_expression(text)
    return (None, compiled.evaluate({})) if compiled.is_constant else (compiled, None)


def value(node: Node, problems: Problems, *, words: tuple[Any, ...] = ()) -> Value:
    """A field's or parameter's value.

    Args:
        node: as read.
        problems: where errors go.
        words: bare words that are values here.
    """
    position = node.position
    if isinstance(node, Sequence):
        _limit(node, len(node.items), problems)
        return Value(position, items=tuple([value(item, problems, words=words) for item in node.items]))
    if isinstance(node, Mapping):
        problems.add(position, "expected a value, found a mapping")
        return Value(position, constant=BROKEN)
    if absent(node):
        problems.add(position, "a value is missing")
        return Value(position, constant=BROKEN)
    if node.text in words:
        return Value(position, constant=node.text)
    sizes = dims(node.text)
    return expression(node.text, position, problems, words) if sizes is None else Value(position, constant=sizes)


def data(node: Node, problems: Problems) -> Any:
    """A table as data: numbers, words, lists and mappings, never expressions."""
    if isinstance(node, Scalar):
        return _cell(node, problems)
    if isinstance(node, Sequence):
        _limit(node, len(node.items), problems)
        return tuple(data(item, problems) for item in node.items)
    _limit(node, len(node.entries), problems)
    table: dict[Any, Any] = {}
    for key, item in node.entries:
        name = _cell(key, problems)
        if name in table:
            problems.add(key.position, f"the key {key.text} equals an earlier one")
        table[name] = data(item, problems)
    return table


def _cell(node: Scalar, problems: Problems) -> Any:
    cell = scan(node.text, quoted=node.quoted)
    if isinstance(cell, str) and len(cell) <= MAX_DIGITS and is_misspelt(cell):
        problems.add(node.position, f"'{cell[:60]}' is neither a number nor a word: {NUMBERS}")
    return cell


def _limit(node: Node, items: int, problems: Problems) -> None:
    if items > MAX_ITEMS:
        problems.add(node.position, f"a list or table may have {MAX_ITEMS:,} items, found {items:,}")


def data_or_expression(node: Node, problems: Problems) -> Value:
    """A YAML list or mapping is data; a scalar is an expression."""
    if isinstance(node, Scalar):
        return value(node, problems)
    return Value(node.position, constant=data(node, problems))


def template(node: Node, problems: Problems, what: str) -> Template | None:
    """A name such as ``stage {i}``; None (and a problem) where it is no text."""
    if not isinstance(node, Scalar) or not node.text.strip():
        problems.add(node.position, f"{what} must be a word or text")
        return None
    parts: list[str | Value] = []
    rest = node.text
    while rest:
        before, brace, after = rest.partition("{")
        if before:
            parts.append(before)
        if not brace:
            break
        inside, closed, rest = after.partition("}")
        if not closed:
            problems.add(node.position, f"{what}: '{{' is never closed")
            return None
        parts.append(expression(inside.strip(), node.position, problems))
    return Template(node.text, tuple(parts), node.position)


def text(node: Node, problems: Problems, what: str) -> str:
    """Plain text."""
    if isinstance(node, Scalar):
        return node.text
    problems.add(node.position, f"{what} must be text")
    return ""


def steps(node: Node, problems: Problems) -> tuple[Step, ...]:
    """A list of steps."""
    if not isinstance(node, Sequence):
        problems.add(node.position, "expected a list of steps")
        return ()
    made = [_line(item, problems) if isinstance(item, Line) else _step(item, problems) for item in node.written]
    return tuple([step for step in made if step is not None])


def _line(line: Line, problems: Problems) -> Step | None:
    """The step in a line; lines of the same text have their arguments in common."""
    meaning = line.wording.meaning
    if meaning is None or REGISTRY.get(meaning.body) is not meaning.layer:
        meaning = line.wording.meaning = _meaning(line.wording)
    if meaning.arguments is None:
        return _step(line.node(), problems)
    return Step(meaning.body, line.position, meaning.arguments, first_arguments=meaning.arguments)


class _Meaning(NamedTuple):
    """What the text of a line means.

    Attributes:
        body: its key.
        layer: of that name, or None.
        arguments: of the layer or block; None where the line is something else, or wrong.
    """

    body: str
    layer: type[Layer] | None
    arguments: Arguments | None


def _meaning(wording: Wording) -> _Meaning:
    problems = Problems()
    step = _step(wording.tree, problems)
    body = "" if step is None else step.body
    layer = REGISTRY.get(body)
    plain = step is not None and not problems.all and not step.faults and body not in BODIES
    if step is None or not plain or (layer is not None and layer.merges):
        return _Meaning(body, layer, None)
    return _Meaning(body, layer, step.arguments)


def _step(node: Node, problems: Problems) -> Step | None:
    if isinstance(node, Scalar) and node.text:
        return Step(node.text, node.position)
    if not isinstance(node, Mapping) or not node.entries:
        problems.add(node.position, "a step is a name, or a mapping such as {conv: {out: 64, kernel: 3}}")
        return None
    bodies = [(key, item) for key, item in node.entries if key.text not in CONTROLS]
    if len(bodies) != 1:
        _blame_bodies(node, bodies, problems)
        return None
    key, item = bodies[0]
    body = _body(key, item, problems)
    return body if len(node.entries) == 1 else _controlled(body, node, problems)


def _blame_bodies(node: Mapping, bodies: list[tuple[Scalar, Node]], problems: Problems) -> None:
    if not bodies:
        keys = ", ".join(key.text for key, _ in node.entries)
        problems.add(node.position, f"a step needs a layer, a block, a merge or `do` beside {keys}")
        return
    extra = bodies[1][0]
    hint = did_you_mean(extra.text, CONTROLS)
    first, argument = bodies[0]
    if not hint and absent(argument):
        hint = f"; arguments of {first.text} are indented below it, or in {{ }}"
    problems.add(extra.position, f"a step has one body, found `{first.text}` and `{extra.text[:60]}`{hint}")


def _body(key: Scalar, node: Node, problems: Problems) -> Step:
    """A step without the controls beside its body."""
    name, position = key.text, key.position
    if name == "do":
        return Step(name, position, steps=steps(node, problems))
    layer = REGISTRY.get(name)
    if name in BODIES or (layer is not None and layer.merges):
        fields = NO_ARGUMENTS
        if layer is not None and layer.fields and isinstance(node, Mapping):
            node, of_layer = node.split(layer.fields)
            fields = arguments(name, of_layer, problems)
        return Step(name, position, fields, first_arguments=fields, branches=_branches(key, node, problems))
    if absent(node):
        return Step(name, position)
    # with a body that may not exist, problems of its arguments wait until it is resolved
    inside = Problems() if layer is None else problems
    own = arguments(name, node, inside)
    return Step(name, position, own, first_arguments=own, faults=tuple(inside.all) if layer is None else ())


def arguments(owner: str, node: Node, problems: Problems) -> Arguments:
    """The arguments of a layer or block."""
    layer = REGISTRY.get(owner)
    if not isinstance(node, Mapping):
        needed = [name for name, field in layer.fields.items() if field.required] if layer else []
        example = (
            f"{needed[0]}: {node.text[:60]}" if isinstance(node, Scalar) and len(needed) == 1 else "out: 64, kernel: 3"
        )
        problems.add(node.position, f"arguments of {owner} are a mapping, as {{{example}}}")
        return Arguments({}, {}, broken=True)
    values: dict[str, Value] = {}
    keys: dict[str, Position] = {}
    for key, item in node.entries:
        if not is_identifier(key.text):
            missing = "; a space is missing after its colon" if ":" in key.text else ""
            problems.add(key.position, f"`{key.text[:60]}` cannot be the name of an argument{missing}")
            continue
        field = layer.fields.get(key.text) if layer else None
        keys[key.text] = key.position
        if absent(item):  # the shorthand {out}: the variable of that name
            values[key.text] = expression(key.text, key.position, problems)
        else:
            values[key.text] = value(item, problems, words=field.words if field else ())
    return Arguments(values, keys)


def _controlled(step: Step, node: Mapping, problems: Problems) -> Step:
    """``step`` with the controls that are written beside its body."""
    source, repeat, when, first = (node.get(key) for key in ("from", "repeat", "when", "first"))
    name, shares = node.get("name"), node.get("shares")
    overrides, faults = None, Problems()
    if first is not None:
        overrides = arguments(step.body, first, problems if step.body in REGISTRY else faults)
        if repeat is None:
            problems.add(first.position, "`first` goes with `repeat`")
        if step.body == "do" or step.branches:
            problems.add(first.position, f"`first` overrides arguments of a layer or block; {step.body} has none")
    return step._replace(
        from_=None if source is None else template(source, problems, "`from`"),
        loop=_loop(node, problems),
        choose=_choose(node.get("choose"), problems),
        when=None if when is None else value(when, problems),
        repeat=None if repeat is None else value(repeat, problems),
        name=None if name is None else _name(name, problems, "`name`"),
        shares=None if shares is None else _name(shares, problems, "`shares`"),
        first=overrides,
        first_arguments=step.arguments.overridden(overrides),
        plain=False,
        faults=(*step.faults, *faults.all),
    )


def _name(node: Node, problems: Problems, what: str) -> Template | None:
    name = template(node, problems, what)
    if name is not None and "/" in name.text:
        problems.add(node.position, "a name may not contain `/`: it separates the segments of a path")
    return name


def _loop(node: Mapping, problems: Problems) -> Loop | None:
    names, rows = node.get("for"), node.get("in")
    if names is None:
        if rows is not None:
            problems.add(rows.position, "`in` goes with `for`")
        return None
    if isinstance(names, Mapping):
        if rows is not None:
            problems.add(rows.position, "`for` with columns takes no `in`")
        variables = tuple((key.text, key.position) for key, _ in names.entries)
        columns = tuple(data_or_expression(item, problems) for _, item in names.entries)
        loop = Loop(variables, None, columns, names.position, whole=False)
    else:
        if rows is None:
            problems.add(names.position, "`for` needs `in`, or columns as {w: [64, 128], n: [3, 4]}")
            return None
        items = names.items if isinstance(names, Sequence) else [names]
        variables = tuple((_word(item, problems), item.position) for item in items)
        whole = isinstance(names, Scalar)
        loop = Loop(variables, data_or_expression(rows, problems), (), names.position, whole=whole)
    for word, position in loop.variables:
        if not is_identifier(word) or word in ("x", "input"):
            problems.add(position, f"`{word[:60]}` cannot be the name of a loop variable")
    _row_lengths(loop, rows, problems)
    return loop


def _choose(node: Node | None, problems: Problems) -> Choose | None:
    if node is None:
        return None
    if not isinstance(node, Mapping) or not node.entries:
        problems.add(node.position, "`choose` needs names with lists of values, as {K: [3, 5, 7]}")
        return None
    for key, item in node.entries:
        if not is_identifier(key.text) or key.text in ("x", "input"):
            problems.add(key.position, f"`{key.text[:60]}` cannot be the name of a choice")
        if isinstance(item, Sequence) and not item.items:
            problems.add(item.position, f"`{key.text[:60]}` needs at least one value to choose from")
    return Choose(
        tuple((key.text, key.position) for key, _ in node.entries),
        tuple(data_or_expression(item, problems) for _, item in node.entries),
        node.position,
    )


def _word(node: Node, problems: Problems) -> str:
    if isinstance(node, Scalar):
        return node.text
    problems.add(node.position, "expected the name of a loop variable")
    return "_"


def _row_lengths(loop: Loop, rows: Node | None, problems: Problems) -> None:
    """The checks that need only the text."""
    count = len(loop.variables)
    if isinstance(rows, Sequence) and not loop.whole:
        for row in rows.items:
            length = len(row.items) if isinstance(row, Sequence) else 1
            if length != count:
                problems.add(row.position, f"this row needs {count} values, one for each variable; found {length}")
    fixed = [(column, len(column.constant)) for column in loop.columns if isinstance(column.constant, tuple)]
    for column, length in fixed:
        if length != fixed[0][1]:
            problems.add(column.position, f"this column has {length} values, the first has {fixed[0][1]}")


def _branches(body: Scalar, node: Node, problems: Problems) -> tuple[Branch, ...]:
    if not isinstance(node, Mapping) or not node.entries:
        problems.add(
            body.position if absent(node) else node.position,
            f"{body.text} needs branches by name, as {body.text}: {{main: [...], shortcut: x}}",
        )
        return ()
    return tuple([_branch(key, item, problems) for key, item in node.entries])


def _branch(key: Scalar, node: Node, problems: Problems) -> Branch:
    if "/" in key.text:
        problems.add(key.position, "the name of a branch may not contain `/`")
    title = template(key, problems, "the name of a branch") if "{" in key.text else None
    if isinstance(node, Sequence):
        return Branch(key.text, steps(node, problems), None, None, None, None, key.position, title)
    if isinstance(node, Scalar):
        tap: Template | None = None
        if absent(node):
            problems.add(key.position, f"branch `{key.text[:60]}` needs a list of steps, or the name of a tensor (x)")
        else:
            tap = template(node, problems, "a tensor's name")
        return Branch(key.text, (), tap, None, None, None, key.position, title)
    for control, _ in node.entries:
        if control.text not in BRANCH_KEYS:
            problems.add(control.position, unknown("key", control.text, BRANCH_KEYS, of="a branch"))
    do, source, when, repeat = (node.get(name) for name in ("do", "from", "when", "repeat"))
    if do is None and source is None:
        problems.add(key.position, f"branch `{key.text[:60]}` needs `do` or `from`")
    return Branch(
        key.text,
        () if do is None else steps(do, problems),
        None if source is None else template(source, problems, "`from`"),
        _loop(node, problems),
        None if when is None else value(when, problems),
        None if repeat is None else value(repeat, problems),
        key.position,
        title,
    )


# Keys, each with the form of its value; convcost/language/schema.py has the forms.
_HEADINGS = {"title": "text", "source": "source", "family": "text", "year": "text"}
BLOCK_KEYS = {"input": "input", "parameters": "parameters", "let": "let", "blocks": "blocks", "layers": "steps"}
_CLAIMS = {"published": "claims", "budget": "budget", "notes": "text"}
EXTENDS_KEYS = {**_HEADINGS, "extends": "text", "parameters": "parameters", **_CLAIMS}
SPEC_KEYS = {
    **_HEADINGS,
    "input": "inputs",
    "layout": "layout",
    **{key: form for key, form in BLOCK_KEYS.items() if key != "input"},
    "outputs": "outputs",
    "extends": "text",
    **_CLAIMS,
}
PARAMETER_KEYS = {
    "default": "value",
    "example": "value",
    "choices": "choices",
    "choose": "values",
    "min": "value",
    "max": "value",
    "doc": "text",
    "quiet": "switch",
}
SOURCE_KEYS = dict.fromkeys(("paper", "arxiv", "doi", "url", "table", "figure", "equation", "section", "year"), "text")
LAYOUTS = {count: "".join(axes) for count, axes in AXES.items()}  # by how many sizes `input` has: c, cw, chw, cdhw


def parse_spec(tree: Node, name: str, problems: Problems) -> Spec:
    """A spec file."""
    spec = Spec(name, tree.position)
    if not isinstance(tree, Mapping):
        problems.add(tree.position, "a spec is a mapping with `layers` (and usually title, input, parameters)")
        return spec
    extends = tree.get("extends")
    _known_keys(tree, SPEC_KEYS if extends is None else EXTENDS_KEYS, problems, "a spec", extending=extends is not None)
    if isinstance(extends, Scalar) and extends.text:
        spec.extends = (extends.text, extends.position)
    elif extends is not None:
        problems.add(extends.position, "`extends` names one spec")
    _headings(tree, spec, problems)
    if extends is None:
        _contents(tree, spec, problems)
    else:
        spec.overrides = _entries(tree, "parameters", problems)
    if extends is None and tree.get("layers") is None:
        problems.add(tree.position, "a spec needs `layers`, a list of steps (or `extends`)")
    return spec


def _known_keys(
    tree: Mapping, allowed: Collection[str], problems: Problems, what: str, *, extending: bool = False
) -> None:
    for key, _ in tree.entries:
        if key.text not in allowed:
            if extending and key.text in SPEC_KEYS:
                problems.add(key.position, f"a spec with `extends` cannot have `{key.text}` of its own")
            else:
                problems.add(key.position, unknown("key", key.text, allowed, of=what))


def _headings(tree: Mapping, spec: Spec, problems: Problems) -> None:
    for name in ("title", "family", "notes"):
        node = tree.get(name)
        if node is not None:
            setattr(spec, name, text(node, problems, f"`{name}`"))
    year = tree.get("year")
    if year is not None:
        number = scan(year.text, quoted=False) if isinstance(year, Scalar) else None
        if isinstance(number, int):
            spec.year = number
        else:
            problems.add(year.position, "`year` must be a whole number")
    source = tree.get("source")
    if isinstance(source, Mapping):
        _known_keys(source, SOURCE_KEYS, problems, "`source`")
        spec.source = {key.text: text(node, problems, f"`{key.text}`") for key, node in source.entries}
    elif source is not None:
        spec.source = {"paper": text(source, problems, "`source`")}
    spec.published = tree.get("published")
    spec.budget = tree.get("budget")


def _layout(node: Node | None, spec: Spec, problems: Problems) -> None:
    """The axes of `input`, which a spec may state to say that it means them so; of several, of those with as many."""
    if node is None:
        return
    stated = text(node, problems, "`layout`")
    sizes = len(spec.input_sizes or ())
    if any(LAYOUTS.get(len(own)) == stated for own in spec.inputs.values()):
        sizes = len(stated)
    if stated not in LAYOUTS.values():
        problems.add(node.position, f"`layout` is one of {', '.join(LAYOUTS.values())}; found '{stated[:60]}'")
    elif stated != LAYOUTS.get(sizes):
        problems.add(node.position, f"`layout: {stated}` needs an `input` of as many sizes, found {sizes}")
    spec.layout = stated


def _contents(tree: Mapping, spec: Spec, problems: Problems) -> None:
    _input(tree.get("input"), spec, problems)
    _layout(tree.get("layout"), spec, problems)
    for key, node in _entries(tree, "parameters", problems):
        if _variable(key, problems, "a parameter"):
            spec.parameters[key.text] = parse_parameter(key, node, problems)
    for key, node in _entries(tree, "let", problems):
        let = _let(key, node, problems)
        if let is not None:
            spec.lets[let.name] = let
    for key, node in _entries(tree, "blocks", problems):
        spec.blocks[key.text] = _local_block(key, node, spec, problems)
    _outputs(tree.get("outputs"), spec, problems)
    layers = tree.get("layers")
    if layers is not None:
        spec.layers = steps(layers, problems)
        if isinstance(layers, Sequence) and not layers.written:
            problems.add(layers.position, "`layers` is empty")


def _entries(tree: Mapping, name: str, problems: Problems) -> list[tuple[Scalar, Node]]:
    node = tree.get(name)
    if node is None:
        return []
    if not isinstance(node, Mapping):
        problems.add(node.position, f"`{name}` must be a mapping of names")
        return []
    return node.entries


def _variable(key: Scalar, problems: Problems, what: str) -> bool:
    if not is_identifier(key.text) or key.text in ("x", "input", "true", "false", "none"):
        problems.add(key.position, f"`{key.text[:60]}` cannot be the name of {what}")
        return False
    return True


def _input(node: Node | None, spec: Spec, problems: Problems) -> None:
    if node is None:
        return
    if isinstance(node, Sequence) and node.items:
        spec.input_sizes = _sizes(node, problems, "`input`")
    elif isinstance(node, Mapping) and any(not isinstance(item, Scalar) for _, item in node.entries):
        _named_inputs(node, spec, problems)
    elif isinstance(node, Mapping) and node.entries:
        spec.input_names = {}
        if len(node.entries) > len(AXES):
            problems.add(node.position, f"`input` names channels and up to 3 sizes, found {len(node.entries)}")
        for key, item in node.entries:
            if _variable(key, problems, "an input size"):
                spec.input_names[key.text] = value(item, problems)
    else:
        problems.add(node.position, "`input` is a list such as [3, size, size], or names such as {I: 24, H: 56, W: 56}")


def _sizes(node: Sequence, problems: Problems, what: str) -> tuple[Value, ...]:
    if len(node.items) > len(AXES):
        problems.add(node.position, f"{what} lists channels and up to 3 sizes, found {len(node.items)}")
    return tuple(value(item, problems) for item in node.items)


def _named_inputs(node: Mapping, spec: Spec, problems: Problems) -> None:
    for key, item in node.entries:
        if not _variable(key, problems, "an input"):
            continue
        if isinstance(item, Sequence) and item.items:
            spec.inputs[key.text] = _sizes(item, problems, f"input `{key.text}`")
        else:
            problems.add(key.position, f"input `{key.text}` needs a list of sizes, as [3, 224, 224] or [10]")
            spec.inputs[key.text] = (Value(item.position, constant=BROKEN),)
    spec.input_sizes = next(iter(spec.inputs.values()), (Value(node.position, constant=BROKEN),))


def _outputs(node: Node | None, spec: Spec, problems: Problems) -> None:
    if node is None:
        return
    if isinstance(node, Sequence) and node.items:
        pairs = [(item, item) for item in node.items]
    elif isinstance(node, Mapping) and node.entries:
        pairs = [(key, item) for key, item in node.entries]
    else:
        problems.add(node.position, "`outputs` is a list of names such as [p3, p4], or names such as {boxes: box}")
        return
    for key, item in pairs:
        source = template(item, problems, "an output")
        if source is None or not isinstance(key, Scalar):
            continue
        if key.text in spec.outputs:
            problems.add(key.position, f"there is an output `{key.text[:60]}` already")
        spec.outputs[key.text] = source


def parse_parameter(key: Scalar, node: Node, problems: Problems, *, words: tuple[object, ...] = ()) -> Parameter:
    """A parameter; ``words`` are the bare words allowed in addition to its choices."""
    written = node if isinstance(node, Mapping) else None
    doc = choices = choose = example = minimum = maximum = quiet = None
    default: Node | None = node
    if written is not None:
        _known_keys(written, PARAMETER_KEYS, problems, f"parameter `{key.text}`")
        default, doc, choices, choose, example, minimum, maximum, quiet = (
            written.get(name) for name in ("default", "doc", "choices", "choose", "example", "min", "max", "quiet")
        )
    listed = () if choices is None else _choices(choices, problems)
    words = (*words, *listed, *LAYER_WORDS)
    has_default = default is not None and not absent(default)
    first = value(default, problems, words=words) if default is not None and has_default else None
    shown = _optional(example, words, problems)
    for sample in (first, shown):
        if sample is not None and sample.is_fixed and listed and sample.constant not in (*listed, BROKEN):
            problems.add(sample.position, f"`{key.text}` must be one of {', '.join(map(str, listed))}")
    return Parameter(
        key.text,
        key.position,
        type_=_type(first or shown, listed, default),
        default=first,
        example=shown,
        choices=listed,
        choose=() if choose is None else _values_of_a_space(key.text, choose, listed, problems),
        minimum=_optional(minimum, (), problems),
        maximum=_optional(maximum, (), problems),
        doc="" if doc is None else text(doc, problems, "`doc`"),
        quiet=quiet is not None and _switch(quiet, problems, "quiet"),
    )


def _switch(node: Node, problems: Problems, key: str) -> bool:
    cell = data(node, problems)
    if not isinstance(cell, bool):
        problems.add(node.position, f"`{key}` must be true or false")
    return cell is True


def _optional(node: Node | None, words: tuple[object, ...], problems: Problems) -> Value | None:
    return None if node is None else value(node, problems, words=words)


def _choices(node: Node, problems: Problems, key: str = "choices") -> tuple[str | int | Fraction, ...]:
    choices = data(node, problems)
    if not isinstance(choices, tuple) or not choices:
        problems.add(
            node.position, f"`{key}` must be a list" + ("" if key == "choices" else ", or all where there are choices")
        )
        return ()
    return choices


def _values_of_a_space(name: str, node: Node, listed: tuple[Any, ...], problems: Problems) -> tuple[Any, ...]:
    """The values under ``choose``, which must be among the choices of the parameter; ``all`` for these."""
    if isinstance(node, Scalar) and node.text == "all" and listed:
        return listed
    values = _choices(node, problems, "choose")
    for chosen in values:
        if listed and chosen not in listed:
            problems.add(node.position, f"`{name}` must be one of {', '.join(map(str, listed))}; found {chosen}")
    if len(set(map(repr, values))) < len(values):
        problems.add(node.position, f"`choose` of `{name}` lists a value twice")
    return values


def _type(sample: Value | None, choices: tuple[object, ...], node: Node | None) -> str:
    """The type of a parameter with the default or example ``sample``; ``node`` is the default as written."""
    if sample is None or not sample.is_fixed:
        return "any"
    fixed = sample.constant
    if isinstance(fixed, bool):
        return "switch"
    if isinstance(fixed, str):
        return "word" if choices else "any"
    if fixed is None or fixed is BROKEN or isinstance(fixed, tuple):
        return "any"
    decimal = isinstance(node, Scalar) and "." in node.text
    return "ratio" if decimal or not isinstance(fixed, int) else "whole"


def _let(key: Scalar, node: Node, problems: Problems) -> Let | None:
    name, bracket, rest = key.text.partition("(")
    if not bracket:
        if not _variable(key, problems, "a value under `let`"):
            return None
        return Let(key.text, None, data_or_expression(node, problems), key.position)
    arguments = tuple(part.strip() for part in rest.removesuffix(")").split(","))
    valid = rest.endswith(")") and is_identifier(name) and all(map(is_identifier, arguments))
    if not valid or len(set(arguments)) != len(arguments):
        problems.add(key.position, f"expected `name: value` or `name(a, b): expression`, found `{key.text[:60]}`")
        return None
    return Let(name, arguments, value(node, problems), key.position)


def _local_block(key: Scalar, node: Node, parent: Spec, problems: Problems) -> Spec:
    block = Spec(key.text, Position(key.file, key.line, key.column), parent)
    if key.text in RESERVED:
        problems.add(key.position, f"a block cannot be called `{key.text}`")
    if isinstance(node, Sequence):
        block.layers = steps(node, problems)
    elif isinstance(node, Mapping):
        _known_keys(node, BLOCK_KEYS, problems, f"block `{key.text}`")
        _contents(node, block, problems)
        if block.input_sizes is not None:
            problems.add(
                node.position,
                f"block `{key.text}`: a block's `input` names sizes, as {{I: 64, H: 56, W: 56}}",
            )
        if node.get("layers") is None:
            problems.add(node.position, f"block `{key.text}` needs `layers`")
    else:
        problems.add(node.position, f"block `{key.text}` must be a list of steps or a mapping with `layers`")
    return block
