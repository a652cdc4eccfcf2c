"""YAML text from plain data, as the bundled specs have it: short mappings and lists in braces, the rest in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH = 118
_RESOLVER: Any = yaml.resolver.Resolver()
_TEXT = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """Writes the items of a list deeper than the key above them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """As the library does, without its exception for lists."""
        super().increase_indent(flow, indentless=False)


class Inline(dict[str, Any]):
    """A mapping that is written in braces."""


class Text(str):
    """A text for readers: quoted where YAML would see anything else in it."""

    __slots__ = ()


def yaml_text(tree: Mapping[str, Any]) -> str:
    """``tree`` as one YAML document that :func:`convcost.language.yaml.read` takes.

    Args:
        tree: mappings, lists, :class:`Inline` mappings, tuples (written in brackets), texts, numbers as their texts,
            and None for a key without a value. Quotes and escapes are those of the YAML library.
    """
    text: str = yaml.serialize(_node(tree), Dumper=_Dumper, width=_WIDTH, allow_unicode=True)
    return text


def _node(value: Any) -> yaml.Node:
    if isinstance(value, dict):
        flow = isinstance(value, Inline)
        pairs = [(_scalar(key), _node(item)) for key, item in value.items()]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=flow)
    if isinstance(value, list | tuple):
        return yaml.SequenceNode(
            "tag:yaml.org,2002:seq", [_node(item) for item in value], flow_style=isinstance(value, tuple)
        )
    return _scalar("" if value is None else value)


def _scalar(value: str) -> yaml.Node:
    """A value of the language, which is the same with quotes and without; a text has none where it needs none."""
    if isinstance(value, Text):
        return yaml.ScalarNode(_TEXT, str(value))
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, value, (True, False))  # what it is without quotes
    return yaml.ScalarNode(tag, value)
