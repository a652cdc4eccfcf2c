"""Names of tensors: ``name`` defines one, ``from`` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, unknown
from convcost.language.parts import Fault
from convcost.network.graph import Tensor

if TYPE_CHECKING:
    from convcost.language.model import Step
    from convcost.language.parts import Template
    from convcost.language.scope import Scope


def fill(template: Template, scope: Scope) -> str:
    """The name that ``template`` gives in ``scope``.

    Raises:
        Fault: an expression in it cannot be computed.
    """
    try:
        return template.fill(scope)
    except Fault as fault:
        fault.places.append(template.position)
        raise
    except ConvcostError as error:
        raise Fault(str(error), template.position) from None


def tap(template: Template, scope: Scope) -> Tensor:
    """The tensor of that name: ``x``, ``input``, a named step, or ``NAME/INNER`` inside a named block.

    Raises:
        Fault: no earlier step has that name.
    """
    path = fill(template, scope)
    name, *deeper = path.split("/")
    inside = scope
    found = scope.get(name)
    if not isinstance(found, Tensor) and scope.parent is not None:
        found = _outer_tap(name, scope)
    for part in deeper:
        if inside.inner is None or name not in inside.inner:
            found = None
            break
        inside, name = inside.inner[name], part
        found = inside.get(name)
    if not isinstance(found, Tensor):
        known = [key for key, value in scope.items() if isinstance(value, Tensor)]
        raise Fault(unknown("earlier step", path, known), template.position)
    return found


def _outer_tap(name: str, scope: Scope) -> Any:
    if name in ("x", "input"):
        return None
    around = scope.parent
    while around is not None:
        if isinstance(around.get(name), Tensor):
            return around[name]
        around = around.parent
    return None


def name_tensor(step: Step, scope: Scope, tensor: Tensor, inner: Scope | None) -> None:
    """Let the name of ``step`` mean ``tensor`` from here on; a loop rebinds it.

    Raises:
        Fault: another step or variable has it.
    """
    template: Any = step.name
    name = fill(template, scope)
    if scope.named is None:
        scope.named = {}
    owner = scope.named.setdefault(name, step)
    if owner is not step:
        raise Fault(f"there is a step named `{name[:60]}` already", template.position)
    if name in scope and not isinstance(scope[name], Tensor):
        raise Fault(f"the name `{name[:60]}` is taken by a variable", template.position)
    scope[name] = tensor
    if inner is not None:
        if scope.inner is None:
            scope.inner = {}
        scope.inner[name] = inner


def name_passed(step: Step, scope: Scope, tensor: Tensor) -> None:
    """Let the name of ``step``, which makes no layer and passes ``tensor`` on, mean that tensor.

    Steps of which one runs may share a name; the one that does run gives it.
    """
    if step.name is not None and (name := fill(step.name, scope)) not in scope:
        scope[name] = tensor
