"""Repeats whose number of copies is free: closed forms in that number, and what is refused."""

from __future__ import annotations

import random
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import sampled
from hypothesis import given, settings
from hypothesis import strategies as st

import convcost
from convcost.api.targets import convention_of
from convcost.catalogue.loader import Catalogue
from convcost.conventions.reported import Reported
from convcost.errors import ConvcostError, UnsupportedError, UsageError
from convcost.formulas.cases import cases
from convcost.formulas.closed import formula
from convcost.language.interpret import build
from convcost.limits import MAX_NODES
from convcost.metrics.memory import alive, peak
from convcost.metrics.quantities import quantities
from convcost.metrics.traffic import traffic
from convcost.network.headings import heading
from convcost.network.schedule import schedule
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from convcost.formulas.cases import Cases
    from convcost.language.model import Spec


def spec_of(text: str, folder: Path) -> Spec:
    path = folder / "net.yaml"
    path.write_text(text, encoding="utf-8")
    return Catalogue().target(str(path))


def agree(spec: Spec, found: Cases, values: Mapping[str, Any]) -> bool:
    """Whether the closed forms give what the network has that is built at these values; False: there is none."""
    case = found.at(values)
    try:
        expected = quantities(build(spec, values).layers)
    except ConvcostError:
        assert case is None, values
        return False
    assert case is not None, values
    numbers = {symbol: values[name] for name, symbol in case.symbols.items()}
    assert {name: evaluate(form.polynomial, numbers) for name, form in case.totals.items()} == expected, values
    return True


# --- against brute force ---

KEEPING = (
    "conv: {out: x.c, kernel: 3}",
    "add: {main: [conv: {out: x.c, kernel: 3}, batch_norm, relu], shortcut: x}",
    "multiply: {map: x, gate: [global_avg_pool, conv: {out: x.c}, sigmoid]}",
    "bottleneck_residual: {M: 4, O: 8}",
    "conv: {out: 12, kernel: 3}",
    "do: [{conv: {out: 4}, name: inner#}, {conv: {out: 6}, from: inner#}, batch_norm]",
    "concat: {left: [conv: {out: 5}], right: [conv: {out: 3, kernel: 3}]}",
    "{conv: {out: 8, kernel: 3, stride: 1}, first: {stride: 2}}",
)
GROWING = (
    "concat: {old: x, new: [batch_norm, relu, conv: {out: k, kernel: 3}]}",
    "concat: {old: x, new: [conv: {out: 2*k}, conv: {out: k, kernel: 3}]}",
    "conv: {out: x.c + k, kernel: 3}",
    "concat: {old: x, new: [slice: {out: 1}]}",
    "do: [{conv: {out: x.c + 1}, name: wide#}, relu]",
    "concat: {old: x, new: [conv: {out: x.c, kernel: 3}, conv: {out: k}]}",
)
NEITHER = (
    "conv: {out: 2*x.c}",
    "conv: {out: 'make_divisible(x.c*5/4 + 8, 8)'}",
    "concat: {old: x, again: x}",
    "conv: {out: x.c + x.c//3 + 1}",
    "do: [elementwise: {params: 'gcd(x.c, 8)'}, conv: {out: x.c + 4}]",
    "do: [{add: {a: x, b: early}, when: x.c == 12}, {conv: {out: 12}, name: early}, relu]",
    "conv: {out: x.c + x.c^2}",
    "{conv: {out: 8}, shares: all}",
    "output: {side: [conv: {out: 2}]}",
)
AFTER = ("relu", "conv: {out: 5, kernel: 3}", "conv: {out: x.c // 2}", "add: {a: x, b: [conv: {out: x.c}]}")


def network(bodies: list[str], after: str) -> str:
    steps = []
    for number, written in enumerate(bodies):
        body = written.replace("#", str(number))
        own = body if body.startswith("{") else f"{{{body}}}"
        steps.append(f"  - {own[:-1]}, repeat: {'nm'[number]}}}")
        steps.append(f"  - {{{after}}}" if ":" in after else f"  - {after}")
    head = "parameters: {n: 3, m: 2, k: 4}\ninput: [8, 8, 8]\nlayers:\n"
    return head + "\n".join(["  - {conv: {out: 8}, name: start}", *steps, "  - conv: {out: k}"]) + "\n"


@given(
    bodies=st.lists(st.sampled_from(KEEPING + GROWING), min_size=1, max_size=2),
    after=st.sampled_from(AFTER),
    free_k=st.booleans(),
    numbers=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), min_size=4, max_size=4),
)
@settings(max_examples=15)
def test_copies_that_keep_or_grow_have_a_closed_form(
    tmp_path_factory: pytest.TempPathFactory,
    bodies: list[str],
    after: str,
    free_k: bool,  # noqa: FBT001 - drawn
    numbers: list[tuple[int, int, int]],
) -> None:
    spec = spec_of(network(bodies, after), tmp_path_factory.mktemp("counts"))
    names = ["n", "m"][: len(bodies)] + (["k"] if free_k else [])
    found = cases(spec, names)
    for values in numbers:
        agree(spec, found, {name: value for name, value in zip("nmk", values, strict=True) if name in names})


@pytest.mark.parametrize("body", NEITHER)
def test_what_neither_keeps_nor_grows_is_refused(tmp_path: Path, body: str) -> None:
    spec = spec_of(network(["conv: {out: 8}", body], "relu"), tmp_path)
    assert build(spec, {"n": 2, "m": 2}).layers
    with pytest.raises(UnsupportedError, match=r"net.yaml:\d+:\d+: `m` cannot be free: "):
        formula(spec, ["n", "m"])
    formula(spec, ["n"])


NESTED = (
    "[{do: [{conv: {out: 8}, repeat: m}, relu], repeat: n}]",
    "[{do: [{concat: {old: x, new: [conv: {out: k}]}, repeat: m}, conv: {out: 8}], repeat: n}, conv: {out: 3}]",
    "[{do: [{conv: {out: x.c, kernel: 3}, repeat: m}, conv: {out: x.c + k}], repeat: n}, conv: {out: 3}]",
    "[{do: [{concat: {old: x, new: [conv: {out: k}]}, repeat: m}, relu], repeat: n}, conv: {out: 3}]",
    "[two: {m: m}, relu, two: {m: m}, {two: {m: m}, repeat: n}, two: {m: n}]",
    "[add: {a: [{conv: {out: 8}, repeat: n}], b: {do: [{conv: {out: 8}, repeat: m}], repeat: k}}]",
    "[{conv: {out: x.c + k}, repeat: n, name: a}, {conv: {out: 3}, repeat: m}, concat: {p: a, q: x}, conv: {out: a.c}]",
    "[{repeat: n*m, conv: {out: 4}}, {repeat: n + m - 1, conv: {out: x.c + 1}}, {repeat: n - 1, conv: {out: x.c + 2}}]",
)


@pytest.mark.parametrize("layers", NESTED)
def test_repeats_in_repeats_and_in_blocks(tmp_path: Path, layers: str) -> None:
    two = "{parameters: {m: 1}, layers: [{concat: {old: x, new: [conv: {out: 4}]}, repeat: m}, conv: {out: 8}]}"
    text = f"parameters: {{n: 3, m: 2, k: 4}}\ninput: [8, 8, 8]\nblocks: {{two: {two}}}\nlayers: {layers}\n"
    spec = spec_of(text, tmp_path)
    names = [name for name in "nmk" if name in layers]
    found = cases(spec, names)
    generator = random.Random(layers)  # noqa: S311 - repeatable, not secret
    for _ in range(6):
        values = {name: generator.randint(1, 7) for name in names}
        assert agree(spec, found, values)
        case: Any = found.at(values)
        numbers = {symbol: values[name] for name, symbol in case.symbols.items()}
        if case.limits:  # the input is a node, too
            assert evaluate(case.limits[0].left, numbers) == len(build(spec, values).nodes)


def test_a_second_copy_that_needs_more_is_another_structure(tmp_path: Path) -> None:
    """With one copy the map may be of any size; every further one cuts its border off."""
    text = (
        "parameters: {n: 1, size: 8}\ninput: [4, size, size]\nlayers:\n"
        "  - {do: [{conv: {out: 4, kernel: 3, padding: valid}, when: x.c == 8}, conv: {out: 8}], repeat: n}\n"
        "  - conv: {out: 4}\n"
    )
    spec = spec_of(text, tmp_path)
    found = cases(spec, ["n", "size"])
    assert [agree(spec, found, {"n": 1, "size": size}) for size in (1, 2, 3, 9)] == [True] * 4
    with pytest.raises(
        UnsupportedError, match=r"`n` cannot be free: whether size - 2\*i \+ 2 >= 3 depends on the copy i"
    ):
        formula(spec, ["n", "size"], {"n": 3})


# --- the networks of papers ---

STAGES = (1, 2, 2, 3, 3, 4, 1)  # Tan and Le (2019), table 1
COUNTS = tuple(f"n{stage}" for stage in range(2, 9))
# torchvision, efficientnet.py: width, depth, size, num_params and GFLOPS, which are multiply-accumulates, of B0 to B7
TORCHVISION = (
    ("1", "1", 224, 5_288_548, "0.386"),
    ("1", "1.1", 240, 7_794_184, "0.687"),
    ("1.1", "1.2", 288, 9_109_994, "1.088"),
    ("1.2", "1.4", 300, 12_233_232, "1.827"),
    ("1.4", "1.8", 380, 19_341_616, "4.394"),
    ("1.6", "2.2", 456, 30_389_784, "10.266"),
    ("1.8", "2.6", 528, 43_040_704, "19.068"),
    ("2", "3.1", 600, 66_347_960, "37.746"),
)


def test_the_seven_counts_of_efficientnet_give_b0_to_b7() -> None:
    spec = Catalogue().target("efficientnet")
    found = formula(spec, [*COUNTS, "width", "size"])
    for number, (width, depth, size, params, giga) in enumerate(TORCHVISION):
        copies = {name: ceil(n * Fraction(depth)) for name, n in zip(COUNTS, STAGES, strict=True)}
        values = {**copies, "width": Fraction(width), "size": size}
        assert not found.violated(values)
        numbers = {symbol: values[name] for name, symbol in found.symbols.items()}
        totals = {name: evaluate(form.polynomial, numbers) for name, form in found.totals.items()}
        assert totals == quantities(build(Catalogue().target(f"efficientnet_b{number}")).layers)
        assert totals["params"] == params
        assert f"{totals['macs'] / 10**9:.3f}" == giga


def test_the_counts_of_densenet_give_121_to_201() -> None:
    """num_params and GFLOPS of torchvision's densenet.py."""
    found = formula(Catalogue().target("densenet"), ["n1", "n2", "n3", "n4", "k"])
    for counts, k, params, giga in (
        ((6, 12, 24, 16), 32, 7_978_856, "2.834"),
        ((6, 12, 32, 32), 32, 14_149_480, "3.360"),
        ((6, 12, 48, 32), 32, 20_013_928, "4.291"),
        ((6, 12, 36, 24), 48, 28_681_000, "7.728"),
    ):
        values = dict(zip(("n1", "n2", "n3", "n4", "k"), (*counts, k), strict=True))
        numbers = {symbol: values[name] for name, symbol in found.symbols.items()}
        assert evaluate(found.totals["params"].polynomial, numbers) == params
        assert f"{evaluate(found.totals['macs'].polynomial, numbers) / 10**9:.3f}" == giga


def test_the_depth_of_the_resnets_for_cifar() -> None:
    """He et al. (2016), table 6, in millions; and with projections the exact counts of pytorchcv."""
    found = formula(Catalogue().target("resnet_cifar"), ["depth"])
    (symbol,) = found.symbols.values()
    for depth, millions in ((20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.7"), (1202, "19.4")):
        params = evaluate(found.totals["params"].polynomial, {symbol: depth})
        assert f"{params / 10**6:.{len(millions.partition('.')[2])}f}" == millions
    projected = formula(Catalogue().target("resnet_cifar"), ["depth"], {"shortcut": "B"})
    numbers = {depth: evaluate(projected.totals["params"].polynomial, {symbol: depth}) for depth in (20, 56)}
    assert numbers == {20: 272_474, 56: 855_770}


def drawn(generator: random.Random, name: str) -> Any:
    if name in ("width", "alpha"):
        return Fraction(generator.randint(2, 40), 20)
    if name == "depth":
        return generator.choice((generator.randint(1, 60), *(6 * generator.randint(0, 40) + rest for rest in (2, 4))))
    return {"size": generator.randint(32, 300), "k": generator.randint(1, 48)}.get(name, generator.randint(1, 9))


NETWORKS = (
    ("densenet", ("n1", "n2", "n3", "n4", "k", "size")),
    ("efficientnet", (*COUNTS, "width", "size")),
    ("resnet50", ("n2", "n3", "n4", "n5", "size")),
    ("mobilenet_v2", ("n1", "n2", "n5", "n7", "alpha")),
    ("densenet_cifar", ("depth", "k", "size")),
    ("resnet_cifar", ("depth", "size", "classes")),
    ("regnet_y", ("d1", "d2", "d4")),
    ("convnext", ("n1", "n3", "size")),
    ("nats_bench", ("N",)),
)


def compare_at_random_points(name: str, free: tuple[str, ...], count: int) -> None:
    spec = Catalogue().target(name)
    found = cases(spec, free)
    generator = random.Random(name)  # noqa: S311 - repeatable, not secret
    networks = [agree(spec, found, {each: drawn(generator, each) for each in free}) for _ in range(count)]
    assert sum(networks) >= count // 4


@pytest.mark.parametrize(("name", "free"), sampled(NETWORKS, 2))
def test_counts_at_some_random_points(name: str, free: tuple[str, ...]) -> None:
    compare_at_random_points(name, free, 4)


@pytest.mark.long
@pytest.mark.parametrize(("name", "free"), NETWORKS)
def test_counts_at_random_points(name: str, free: tuple[str, ...]) -> None:
    compare_at_random_points(name, free, 300)


# --- what uses the forms ---


def test_conventions_of_tools_hold_for_free_counts() -> None:
    spec = Catalogue().target("densenet")
    values = {"n1": 3, "n2": 9, "n3": 1, "n4": 2}
    numbers = build(spec, values)
    for name in ("fvcore", "thop", "torchinfo"):
        convention = convention_of(name)
        closed = formula(spec, list(values), whose=convention)
        at = {symbol: values[own] for own, symbol in closed.symbols.items()}
        assert evaluate(closed.totals["reported"].polynomial, at) == Reported(numbers, convention).value(), name


def test_compiled_counts_are_one_form() -> None:
    over = ["n2", "n5", "size"]
    costs = convcost.compile("resnet50", over, ["params", "macs", "backward_macs", "activations"])
    for values in ((1, 1, 224), (3, 3, 224), (9, 40, 97)):
        analysis = convcost.analyze(("resnet50", dict(zip(over, values, strict=True))))
        assert costs(*values) == {key: analysis.value(key) for key in costs.quantities}
    assert len(costs.forms) == 1
    growing = convcost.compile("densenet", ["n3"], ["macs"])
    assert growing(np.array([24, 32, 48]))["macs"].tolist() == [
        convcost.analyze(("densenet", {"n3": n})).value("macs") for n in (24, 32, 48)
    ]


MOVED = ("bytes", "read", "written", "constants", "executed", "intensity")
PEAKS = ("peak", "live")
CROSSING = (
    # the first copy ends in a norm that is folded, the others do not
    "[conv: {out: 4}, {do: [{conv: {out: 8, bias: false}, when: x.c == 8}, "
    "{do: [conv: {out: 8, bias: false}, batch_norm], when: x.c == 4}], repeat: n}, batch_norm]",
    # a norm reads a tensor alone only where there is one copy
    "[{conv: {out: 8}, name: a}, {conv: {out: 8}, from: input}, "
    "{add: {x: x, b: {from: a, do: [batch_norm]}}, repeat: n}]",
    "[{conv: {out: 8, kernel: 3}}, {batch_norm, repeat: n}, relu]",
    "[{do: [batch_norm, relu, conv: {out: 8}], repeat: n}, batch_norm]",
    "[conv: {out: 8}, {do: [conv: {out: 8}, batch_norm, {add: {a: x, b: [conv: {out: 8}]}}], repeat: n}, batch_norm]",
    "[{do: [batch_norm, relu, conv: {out: 8, bias: false}], repeat: n}, batch_norm, relu]",
    "[{conv: {out: 8}, name: a}, {add: {x: x, a: a}, repeat: n}, relu]",
    "[conv: {out: 8}, {conv: {out: 8, bias: false}, first: {bias: true}, repeat: n}, batch_norm, relu]",
    "[{do: [relu, conv: {out: 8}, batch_norm], repeat: n}, {do: [relu, sigmoid], repeat: n}, relu]",
    "[{bottleneck_residual: {M: 4, O: 16}, repeat: n, first: {stride: 2}}, global_avg_pool]",
    "[{conv: {out: 16, kernel: 3}, name: a}, {do: [conv: {out: 64}, conv: {out: 16}], repeat: n}, add: {a: a, b: x}]",
    "[{do: [{conv: {out: 8}, name: b}, conv: {out: 40}, conv: {out: 8}, add: {a: x, b: b}], repeat: n}, relu6]",
    "[{do: [{do: [conv: {out: 24}, conv: {out: 8}], repeat: n}, max_pool: {kernel: 1}], repeat: n}, relu]",
    "[{conv: {out: 32, kernel: 3}}, {do: [conv: {out: 16}, {conv: {out: 16}, repeat: n}, conv: {out: 32}], repeat: 2}]",
    "[add: {a: [{conv: {out: 8}, repeat: n}], b: [relu, {do: [conv: {out: 30}, conv: {out: 8}], repeat: n}]}]",
)


@pytest.mark.parametrize("layers", CROSSING)
@pytest.mark.parametrize("fused", [True, False])
def test_bytes_and_peaks_of_copies_whatever_is_fused(tmp_path: Path, layers: str, fused: bool) -> None:  # noqa: FBT001 - a case
    """Where layers of one copy are fused into another one, there is one form or a form for each number."""
    spec_of(f"parameters: {{n: 3}}\ninput: [8, 8, 8]\nlayers: {layers}\n", tmp_path)
    for keys in (MOVED, PEAKS):  # what has no form for all numbers takes it from the others
        costs = convcost.compile(str(tmp_path / "net.yaml"), ["n"], keys, fused=fused)
        for n in (1, 2, 3, 5):
            analysis = convcost.analyze((str(tmp_path / "net.yaml"), {"n": n}), fused=fused)
            assert costs(n) == {key: analysis.value(key) for key in keys}, n


PARTS = (
    *("batch_norm", "relu", "sigmoid", "{conv: {out: x.c, kernel: 3}}", "{conv: {out: 16}}", "{conv: {out: 8}}"),
    *("{conv: {out: 8, bias: false}}", "{max_pool: {kernel: 3, stride: 1, padding: 1}}", "dropout"),
    "{add: {main: [conv: {out: x.c}, batch_norm], shortcut: x}}",
    "{multiply: {map: x, gate: [global_avg_pool, conv: {out: x.c}, sigmoid]}}",
)


@given(
    body=st.lists(st.sampled_from(PARTS), min_size=1, max_size=5),
    before=st.sampled_from(("relu", "{do: [conv: {out: 8, bias: false}, batch_norm]}", "{do: [conv: {out: 8}, relu]}")),
    after=st.sampled_from(("relu", "batch_norm", "global_avg_pool", "{add: {a: x, b: [conv: {out: x.c}]}}")),
    keys=st.sampled_from((MOVED, PEAKS, (*MOVED, *PEAKS))),
)
@settings(max_examples=8)
def test_bytes_and_peaks_of_random_copies(
    tmp_path_factory: pytest.TempPathFactory, body: list[str], before: str, after: str, keys: tuple[str, ...]
) -> None:
    layers = f"[{before}, {{do: [{', '.join(body)}], repeat: n}}, {after}]"
    path = tmp_path_factory.mktemp("counts") / "net.yaml"
    path.write_text(f"parameters: {{n: 3}}\ninput: [8, 8, 8]\nlayers: {layers}\n", encoding="utf-8")
    costs = convcost.compile(str(path), ["n"], keys)
    for n in (1, 2, 3, 5):
        analysis = convcost.analyze((str(path), {"n": n}))
        assert costs(n) == {key: analysis.value(key) for key in keys}, n


@pytest.mark.parametrize("name", ["resnet_cifar", "mobilenet_v2"])
def test_bytes_and_peaks_of_networks_are_one_form(name: str) -> None:
    free = "depth" if name == "resnet_cifar" else "n3"
    costs = convcost.compile(name, [free], (*MOVED, *PEAKS))
    for value in (8, 14, 26) if free == "depth" else (1, 2, 3, 8):
        analysis = convcost.analyze((name, {free: value}))
        assert costs(value) == {key: analysis.value(key) for key in (*MOVED, *PEAKS)}
    assert len(costs.forms) == 1


def test_metrics_that_need_every_copy_are_counted() -> None:
    costs = convcost.compile("densenet_cifar", ["depth"], ["macs", "peak", "bytes"])
    analysis = convcost.analyze(("densenet_cifar", {"depth": 22}))
    assert costs(22) == {key: analysis.value(key) for key in costs.quantities}
    growing, keeping = (
        formula(Catalogue().target(name), [free]).graph
        for name, free in (("densenet", "n1"), ("resnet_cifar", "depth"))
    )
    for metric, graph in ((traffic, growing), (alive, growing), (peak, keeping), (schedule, keeping)):
        with pytest.raises(UnsupportedError, match="needs every copy of a repeat, and the number of copies is free"):
            metric(graph)


def test_more_copies_than_the_limits_allow_have_no_network(tmp_path: Path) -> None:
    text = (
        "parameters: {n: 2, m: 2}\ninput: [4, 8, 8]\n"
        "blocks: {two: {parameters: {m: 1}, layers: [{relu, repeat: m}, sigmoid]}}\n"
        "layers: [{two: {m}, repeat: n}, {two: {m}}]\n"
    )
    found = formula(spec_of(text, tmp_path), ["n", "m"])
    for n, m in ((3, 5), (1, 1), (2, 7)):  # the input is a node, and every call and every copy is a step
        layers = len(build(spec_of(text, tmp_path), {"n": n, "m": m}).nodes)
        numbers = {symbol: {"n": n, "m": m}[name] for name, symbol in found.symbols.items()}
        assert evaluate(found.limits[0].left, numbers) == layers
    costs = convcost.compile((str(tmp_path / "net.yaml"), {"m": 1}), ["n"], ["flops"])
    assert costs(3)["flops"] > 0
    (form,) = costs.forms
    assert form([MAX_NODES // 2 - 1]) is not None
    assert form([MAX_NODES // 2]) is None


def test_the_deepest_network_within_a_budget() -> None:
    answer = convcost.solve("resnet_cifar", "depth", "params<=0.7M")
    params = {depth: convcost.analyze(("resnet_cifar", {"depth": depth})).value("params") for depth in range(8, 62, 6)}
    assert answer.place is not None
    assert answer.place.value == max(depth for depth, count in params.items() if count <= 700_000)


def test_counts_in_comparisons_and_proofs() -> None:
    """ResNet-18 and 34 are one family of networks, as ResNet-50 and 101 are."""
    counts = ("n2", "n3", "n4", "n5")
    assert convcost.equal("resnet18", "resnet34", free=counts).equal
    closed = convcost.compare("resnet_cifar", ("resnet_cifar", {"shortcut": "B"}), free=["depth"]).items[1].formula
    assert closed is not None
    assert closed.totals["params"].value == 272_474  # as pytorchcv counts
    with pytest.raises(UsageError, match="free can be n2, n3, n4, n5, C, d"):
        convcost.formula("resnet50", free=["depth"])


# --- tables ---


def test_parameters_in_tables(tmp_path: Path) -> None:
    rows = "[[1, c, n, same], [2, 16, 3, valid]]"
    head = "parameters: {n: {default: 2, quiet: true}, c: 8}\ninput: [4, 16, 16]\n"
    step = "{conv: {out: c2, kernel: 3, padding: 'p'}, repeat: m, name: 's{i}'}"
    spec = spec_of(f"{head}layers:\n  - for: [i, c2, m, p]\n    in: {rows}\n    do: [{step}]\n", tmp_path)
    written = spec_of(
        "input: [4, 16, 16]\nlayers:\n"
        + "  - conv: {out: 5, kernel: 3}\n" * 4
        + "  - {conv: {out: 16, kernel: 3, padding: valid}, repeat: 3}\n",
        tmp_path,
    )
    values = {"n": 4, "c": 5}
    assert quantities(build(spec, values).layers) == quantities(build(written).layers)
    found = formula(spec, ["n", "c"])
    numbers = {symbol: values[name] for name, symbol in found.symbols.items()}
    assert evaluate(found.totals["macs"].polynomial, numbers) == quantities(build(written).layers)["macs"]
    assert heading(build(spec)) == "net (c=8), input 4x16x16"
    assert heading(build(spec, {"n": 2})) == "net (n=2, c=8), input 4x16x16"


def test_a_row_of_copies_that_grow_is_one_row() -> None:
    rows = {row.path: row for row in formula(Catalogue().target("densenet"), ["n1"]).rows}
    row = rows["dense1/dense_layer[2]/new/bn_relu_conv/conv"]
    assert (str(row.input[0]), str(row.output[0]), str(row.count)) == ("32*i + 64", "128", "n1 - 1")
    assert "dense1/dense_layer[3]/new/bn_relu_conv/conv" not in rows
    assert row.forms["params"].value == sum(128 * (64 + 32 * i) for i in range(1, 6))
