"""The registry of metrics: one rule for a layer, a group, a folded repeat and the whole network."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
import sympy

import convcost
from convcost.errors import UnsupportedError, UsageError
from convcost.metrics.devices import device
from convcost.metrics.registry import METRICS, metric
from convcost.metrics.report import analyze
from convcost.metrics.rows import GROUPINGS

NETWORKS = ("resnet50", "mobilenet_v2", "shufflenet_v1", "googlenet", "resnext_a", "densenet121", "se_resnet50")
SUMMED = (
    "params", "weights", "biases", "norm_params", "other_params", "buffers", "macs", "flops", "layers", "reported",
    "outputs", "read", "constants", "written", "bytes", "executed", "time", "size",
    "activations", "conv_activations", "elements", "saved", "backward_macs", "backward_flops",
)  # fmt: skip
SHARES = ("params_share", "macs_share", "flops_share", "time_share")
LARGEST = ("live", "peak")


def measured(name: str, by: str = "layer") -> convcost.metrics.report.Analysis:
    return analyze(convcost.load(name), by=by, device=device("v100"), dtype="float16", batch=4)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("by", GROUPINGS)
def test_rows_add_up_to_the_total(name: str, by: str) -> None:
    analysis = measured(name, by)
    for key in SUMMED:
        assert sum(analysis.value(key, row) for row in analysis.rows) == analysis.value(key), key
    for key in SHARES:
        assert sum(analysis.value(key, row) for row in analysis.rows) == analysis.value(key) == 1, key
    for key in LARGEST:
        assert max(analysis.value(key, row) for row in analysis.rows) == analysis.value(key), key


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_row_is_the_row_of_all_its_repeats(name: str) -> None:
    analysis = measured(name)
    rows = analysis.folded(("path", "kind", "output", "params", "macs"))
    assert len(rows) < len(analysis.rows) or name in ("googlenet", "resnext_a")  # which have no repeats
    assert sum(row.layers for row in rows) == len(analysis.graph.layers)
    by_path = {row.path: row for row in analysis.rows}
    for row in rows:
        members = [by_path[node.path] for node in row.nodes]
        assert row.repeat == len(members)
        for key in ("macs", "bytes", "time", "macs_share"):
            assert analysis.value(key, row) == sum(analysis.value(key, member) for member in members)
        top, low = (sum(analysis.value(key, one) for one in members) for key in ("executed", "bytes"))
        assert analysis.value("intensity", row) == (Fraction(top, low) if low else None)  # a ratio is never doubled


def test_a_time_is_the_larger_of_operations_and_bytes() -> None:
    """One 1x1 convolution, 32 to 64 channels on 56x56, by hand: float32 on a V100 (15.7 TFLOP/s, 900 GB/s)."""
    analysis = analyze(convcost.load("pointwise_conv"), device=device("v100"))
    flops = 2 * 32 * 64 * 56 * 56
    moved = 4 * (32 * 56 * 56 + 32 * 64 + 64 * 56 * 56)
    assert (analysis.value("executed"), analysis.value("bytes")) == (flops, moved)
    assert analysis.value("intensity") == Fraction(flops, moved)
    seconds = max(Fraction(flops, 15_700_000_000_000), Fraction(moved, 900_000_000_000))
    assert analysis.value("time") == seconds
    assert analysis.value("limit") == "memory"
    assert analysis.value("of_peak") == Fraction(flops, 15_700_000_000_000) / seconds


def test_receptive_fields_are_those_of_the_last_map() -> None:
    """VGG-16 sees 212 positions every 32 (Araujo et al., 2019, table 1)."""
    analysis = analyze(convcost.load("vgg16"), by="stage")
    assert analysis.value("field") == (212, 212)
    assert analysis.value("effective_stride") == (32, 32)
    sizes = [analysis.value("field", row)[0] for row in analysis.rows if analysis.value("field", row)]
    assert all(before <= after for before, after in pairwise(sizes))


def test_the_operations_of_a_training_step_are_those_of_pytorch() -> None:
    """ResNet-18 with 10 classes: FlopCounterMode with backward counts 10,645,370,880, twice the MACs of both passes.

    Source: a public report of PyTorch's counter; forward alone is 3,627,132,948 with the biases of the classifier.
    """
    analysis = analyze(convcost.load("resnet18", classes=10))
    forward, backward = analysis.value("macs"), analysis.value("backward_macs")
    assert 2 * (forward + backward) == 10_645_370_880
    image = 64 * 3 * 7 * 7 * 112 * 112  # the first convolution computes no gradient of the image
    assert backward == 2 * forward - image


def test_every_metric_has_a_value_for_every_row() -> None:
    analysis = measured("mobilenet_v2", "stage")
    for key, record in METRICS.items():
        assert record.doc
        of_layers = ("kernel", "stride", "groups", "access_cost", "access_cost_bound", "excess", "through", "shared")
        assert analysis.value(key) is not None or key in of_layers, key


def test_what_a_metric_lacks_is_said() -> None:
    with pytest.raises(UsageError, match="no metric is called 'mac'; did you mean 'macs'"):
        metric("mac")
    with pytest.raises(UsageError, match="a time needs a device"):
        analyze(convcost.load("plain")).value("time")
    assert metric("latency") is METRICS["time"]
    graph = convcost.load("plain", H=sympy.Symbol("h", integer=True, positive=True))
    with pytest.raises(UnsupportedError):
        analyze(graph).value("peak")
    assert analyze(graph).value("params") == 9 * 256 * 256
