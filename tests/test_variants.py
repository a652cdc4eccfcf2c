"""Specs that extend others, and words as values: what networks of many sizes are written with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from convcost import loads
from convcost.catalogue.loader import Catalogue
from convcost.errors import SpecError
from convcost.language.interpret import build

if TYPE_CHECKING:
    from convcost.language.model import Spec


def spec(text: str) -> Spec:
    return Catalogue().text(text.encode(), "net.yaml", "net", "")


def test_a_choice_may_begin_with_a_digit() -> None:
    graph = build(spec("{extends: regnet_x, parameters: {model: 1_6gf}}"))
    assert sum(node.work.params for node in graph.layers) == 9_190_136  # torchvision regnet_x_1_6gf


def test_a_wrong_choice_is_refused_where_it_stands() -> None:
    with pytest.raises(SpecError, match=r"net\.yaml:1:41: '5gf' is not an expression"):
        spec("{extends: regnet_x, parameters: {model: 5gf}}")
    with pytest.raises(SpecError, match=r"net\.yaml:1:34: `variant` must be one of torchvision, paper; found 'tv'"):
        spec("{extends: regnet_x, parameters: {variant: tv}}")
    with pytest.raises(SpecError, match=r"net\.yaml:1:38: no value is called 'sise'; did you mean 'size'"):
        spec("{extends: vgg, parameters: {classes: sise}}")


def test_only_the_default_of_an_extended_parameter_is_another() -> None:
    with pytest.raises(SpecError, match=r"net\.yaml:1:32: `depth` takes another default here; its `choices`"):
        spec("{extends: resnet, parameters: {depth: {default: 50, choices: [50]}}}")
    with pytest.raises(SpecError, match=r"net\.yaml:1:32: resnet has no parameter 'deph'; did you mean 'depth'"):
        spec("{extends: resnet, parameters: {deph: 50}}")


def test_none_is_a_word_where_it_is_a_choice() -> None:
    graph = loads("{input: [8, 4, 4], layers: [conv_bn_act: {out: 8, act: none}]}")
    assert [node.kind for node in graph.layers] == ["pointwise", "batch_norm"]


def test_zero_channels_are_appended_and_cost_nothing() -> None:
    graph = loads("{input: [16, 8, 8], layers: [max_pool: {kernel: 1, stride: 2}, zero_pad: {channels: 16}]}")
    assert graph.nodes[graph.output].shape == (32, 4, 4)
    assert sum(node.work.params + node.work.flops for node in graph.layers) == 0


def test_shortcut_a_has_no_parameters() -> None:
    base = "{{input: [64, 8, 8], layers: [basic_residual: {{O: 128, stride: 2, shortcut: {}}}]}}"
    main = 9 * 64 * 128 + 9 * 128 * 128 + 2 * 2 * 128
    found = {kind: sum(node.work.params for node in loads(base.format(kind)).layers) for kind in ("A", "B", "none")}
    assert found == {"A": main, "B": main + 64 * 128 + 2 * 128, "none": main}
