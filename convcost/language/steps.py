"""The steps of a spec: layers, blocks, groups, merges, side outputs, and the controls beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import did_you_mean, unknown
from convcost.language.model import BODIES, BRANCH_KEYS, CONTROLS, Branch, Step
from convcost.language.parts import Arguments, Loop
from convcost.language.reader import Mapping, Scalar, Sequence
from convcost.language.values import Problems, absent, data_or_expression, is_identifier, template, value
from convcost.layers import REGISTRY

if TYPE_CHECKING:
    from convcost.errors import Position
    from convcost.language.parts import Template, Value
    from convcost.language.reader import Node


def steps(node: Node, problems: Problems) -> tuple[Step, ...]:
    """A list of steps."""
    if not isinstance(node, Sequence):
        problems.add(node.position, "expected a list of steps")
        return ()
    return tuple(step for item in node.items if (step := _step(item, problems)) is not None)


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
    step = Step(key.text, key.position)
    _body(step, item, problems)
    _controls(step, node, problems)
    return step


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


def _body(step: Step, node: Node, problems: Problems) -> None:
    if step.body == "do":
        step.steps = steps(node, problems)
    elif step.body in BODIES or (step.body in REGISTRY and REGISTRY[step.body].merges):
        step.branches = _branches(step, node, problems)
    elif not absent(node):
        step.arguments = arguments(step.body, node, _inside(step, problems))


def _inside(step: Step, problems: Problems) -> Problems:
    """Where faults in the arguments of ``step`` go: with a body that may not exist, they wait until it is linked."""
    if step.body in REGISTRY:
        return problems
    if step.faults is None:
        step.faults = Problems()
    return step.faults


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
    result = Arguments({}, {})
    for key, item in node.entries:
        if not is_identifier(key.text):
            missing = "; a space is missing after its colon" if ":" in key.text else ""
            problems.add(key.position, f"`{key.text[:60]}` cannot be the name of an argument{missing}")
            continue
        field = layer.fields.get(key.text) if layer else None
        words = field.words if field else ()
        place = key.position if absent(item) else item.position
        result.keys[key.text] = key.position
        result.values[key.text] = _argument(key, item, place, words, problems)
    return result


def _argument(key: Scalar, item: Node, place: Position, words: tuple[str, ...], problems: Problems) -> Value:
    found = value(item, problems, name=key.text, words=words)
    found.position = place
    return found


def _controls(step: Step, node: Mapping, problems: Problems) -> None:
    source, repeat, when, first = (node.get(key) for key in ("from", "repeat", "when", "first"))
    step.from_ = None if source is None else template(source, problems, "`from`")
    step.loop = _loop(node, problems)
    step.when = None if when is None else value(when, problems)
    step.repeat = None if repeat is None else value(repeat, problems)
    name = node.get("name")
    step.name = None if name is None else _name(name, problems)
    if first is not None:
        step.first = arguments(step.body, first, _inside(step, problems))
        if repeat is None:
            problems.add(first.position, "`first` goes with `repeat`")
        if step.body == "do" or step.branches:
            problems.add(first.position, f"`first` overrides arguments of a layer or block; {step.body} has none")


def _name(node: Node, problems: Problems) -> Template | None:
    found = template(node, problems, "`name`")
    if found is not None and "/" in found.text:
        problems.add(node.position, "a name may not contain `/`: it separates the segments of a path")
    return found


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


def _branches(step: Step, node: Node, problems: Problems) -> tuple[Branch, ...]:
    if not isinstance(node, Mapping) or not node.entries:
        problems.add(
            step.position if absent(node) else node.position,
            f"{step.body} needs branches by name, as {step.body}: {{main: [...], shortcut: x}}",
        )
        return ()
    return tuple(_branch(key, item, problems) for key, item in node.entries)


def _branch(key: Scalar, node: Node, problems: Problems) -> Branch:
    if "/" in key.text:
        problems.add(key.position, "the name of a branch may not contain `/`")
    if isinstance(node, Sequence):
        return Branch(key.text, steps(node, problems), None, None, None, None, key.position)
    if isinstance(node, Scalar):
        tap: Template | None = None
        if absent(node):
            problems.add(key.position, f"branch `{key.text[:60]}` needs a list of steps, or the name of a tensor (x)")
        else:
            tap = template(node, problems, "a tensor's name")
        return Branch(key.text, (), tap, None, None, None, key.position)
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
    )
