"""From the tree of a YAML file to a :class:`~convcost.language.model.Spec`: the grammar of the language.

Errors are collected, not raised, so that all of them are reported together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import Position, unknown
from convcost.language.model import LAYER_WORDS, RESERVED, Let, Parameter, Spec
from convcost.language.parts import BROKEN
from convcost.language.reader import Mapping, Scalar, Sequence
from convcost.language.scalar import scan
from convcost.language.steps import steps
from convcost.language.values import Problems, absent, data, data_or_expression, is_identifier, text, value
from convcost.network.graph import AXES

if TYPE_CHECKING:
    from fractions import Fraction

    from convcost.language.parts import Value
    from convcost.language.reader import Node

SPEC_KEYS = (
    "title",
    "source",
    "family",
    "year",
    "input",
    "layout",
    "parameters",
    "let",
    "blocks",
    "layers",
    "extends",
    "published",
    "budget",
    "notes",
)
EXTENDS_KEYS = ("title", "source", "family", "year", "extends", "parameters", "published", "budget", "notes")
BLOCK_KEYS = ("input", "parameters", "let", "blocks", "layers")
LAYOUTS = {count: "".join(axes) for count, axes in AXES.items()}  # by how many sizes `input` has: c, cw, chw, cdhw
PARAMETER_KEYS = ("default", "example", "choices", "min", "max", "doc")
SOURCE_KEYS = ("paper", "arxiv", "doi", "url", "table", "figure", "equation", "section", "year")


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
    tree: Mapping, allowed: tuple[str, ...], problems: Problems, what: str, *, extending: bool = False
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
    """The axes of `input`, which a spec may state to say that it means them so."""
    if node is None:
        return
    stated = text(node, problems, "`layout`")
    sizes = len(spec.input_sizes or ())
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
    layers = tree.get("layers")
    if layers is not None:
        spec.layers = steps(layers, problems)
        if isinstance(layers, Sequence) and not layers.items:
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
        if len(node.items) > len(AXES):
            problems.add(node.position, f"`input` lists channels and up to 3 sizes, found {len(node.items)}")
        spec.input_sizes = tuple(value(item, problems) for item in node.items)
    elif isinstance(node, Mapping) and node.entries:
        spec.input_names = {}
        if len(node.entries) > len(AXES):
            problems.add(node.position, f"`input` names channels and up to 3 sizes, found {len(node.entries)}")
        for key, item in node.entries:
            if _variable(key, problems, "an input size"):
                spec.input_names[key.text] = value(item, problems)
    else:
        problems.add(node.position, "`input` is a list such as [3, size, size], or names such as {I: 24, H: 56, W: 56}")


def parse_parameter(key: Scalar, node: Node, problems: Problems, *, words: tuple[object, ...] = ()) -> Parameter:
    """A parameter; ``words`` are the bare words allowed in addition to its choices."""
    parameter = Parameter(key.text, key.position)
    default: Node | None = node
    if isinstance(node, Mapping):
        _known_keys(node, PARAMETER_KEYS, problems, f"parameter `{key.text}`")
        default = node.get("default")
        doc, choices = node.get("doc"), node.get("choices")
        if doc is not None:
            parameter.doc = text(doc, problems, "`doc`")
        if choices is not None:
            parameter.choices = _choices(choices, problems)
    words = (*words, *parameter.choices, *LAYER_WORDS)
    if isinstance(node, Mapping):
        parameter.example = _optional(node.get("example"), words, problems)
        parameter.minimum = _optional(node.get("min"), (), problems)
        parameter.maximum = _optional(node.get("max"), (), problems)
    if default is not None and not absent(default):
        parameter.default = value(default, problems, words=words)
    parameter.type = _type(parameter, default)
    _listed(parameter, problems)
    return parameter


def _optional(node: Node | None, words: tuple[object, ...], problems: Problems) -> Value | None:
    return None if node is None else value(node, problems, words=words)


def _choices(node: Node, problems: Problems) -> tuple[str | int | Fraction, ...]:
    found = data(node, problems)
    if not isinstance(found, tuple) or not found:
        problems.add(node.position, "`choices` must be a list")
        return ()
    return found


def _type(parameter: Parameter, node: Node | None) -> str:
    sample = parameter.default or parameter.example
    if sample is None or sample.expression is not None or sample.items is not None:
        return "any"
    fixed = sample.constant
    if isinstance(fixed, bool):
        return "switch"
    if isinstance(fixed, str):
        return "word" if parameter.choices else "any"
    if fixed is None or fixed is BROKEN or isinstance(fixed, tuple):
        return "any"
    decimal = isinstance(node, Scalar) and "." in node.text
    return "ratio" if decimal or not isinstance(fixed, int) else "whole"


def _listed(parameter: Parameter, problems: Problems) -> None:
    for sample in (parameter.default, parameter.example):
        if sample is None or sample.expression is not None or sample.items is not None:
            continue
        if parameter.choices and sample.constant not in (*parameter.choices, BROKEN):
            listed = ", ".join(map(str, parameter.choices))
            problems.add(sample.position, f"`{parameter.name}` must be one of {listed}")


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
