"""Planted bugs: each must turn the suite red. Run as ``python tests/mutants.py``; exits 1 if one survives.

A mutant is one formula of the package changed: a function or class by its name, wherever it is defined, and the code in
it by its structure (:mod:`patterns`), so that no bug is lost when a file moves or a local variable is renamed. It is
planted in a copy, and the tests named beside it are run there until the first failure.
"""

from __future__ import annotations

import ast
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from patterns import Pattern, changed

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("tests/test_layer_laws.py",)
SYMBOLS = ("tests/test_symbolic.py",)
ORDERS = ("tests/test_orders.py::test_statements_about_bundled_blocks",)
NEGATIVE = ("tests/test_orders.py::test_a_function_that_can_be_negative_proves_nothing",)
ENDS = ("tests/test_solve_counted.py::test_the_closed_end_of_a_range",)
SIZES = ("tests/test_oracle.py::test_sizes_of_windows_written_out",)
SPECS = ("tests/test_language.py",)
FRONTS = (
    "tests/test_sweep.py::test_a_front_is_what_brute_force_finds",
    "tests/test_sweep.py::test_scores_of_two_kinds_are_not_rounded",
)
GROWING = ("tests/test_counts.py::test_the_counts_of_densenet_give_121_to_201",)
FUSED = ("tests/test_counts.py::test_bytes_and_peaks_of_copies_whatever_is_fused",)
COPIES = ("tests/test_memory.py::test_copies_are_as_if_written_out", "tests/test_worked_examples.py")


def loops(key: str) -> tuple[str, ...]:
    """The test that counts one kind of layer by loops over every output."""
    return (f"tests/test_oracle.py::test_loops_agree[{key}]",)


class Mutant(NamedTuple):
    """One planted bug: what is replaced, by what, and the tests that must notice."""

    where: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def pattern(self) -> Pattern:
        """What is replaced."""
        return Pattern(self.where, self.old)

    def __str__(self) -> str:
        return f"{self.where}: {self.old}  ->  {self.new}"


MUTANTS = (
    # the classic miscounts of convolutions
    Mutant("Conv.work", "self._weights(_x)", "self._weights(_x) * self.groups", loops("conv")),
    Mutant("Conv.work(_self, _x)", "macs=_weights * _positions", "macs=_weights * elements(_x[1:])", loops("conv")),
    Mutant("Conv.work", "macs=_weights * _positions", "macs=2 * (_weights * _positions)", loops("conv")),
    Mutant(
        "ConvTranspose.work(_self, _x, _y)",
        "macs=_w * elements(_x[1:])",
        "macs=_w * elements(_y[1:])",
        loops("conv_transpose"),
    ),
    Mutant("Conv.work", "bias_adds=_count", "bias_adds=0", loops("conv")),
    Mutant("ConvTranspose.shape", "_size + extent(_k, _d) + _extra", "_size + extent(_k, _d)", loops("conv_transpose")),
    # windows
    Mutant("windows", "floor_div(_room, _step) + 1", "floor_div(_room, _step)", loops("conv")),
    Mutant("windows", "_size + _before + _after", "_size + 2 * _before", loops("conv")),
    Mutant("extent", "_dilation * (_kernel - 1) + 1", "_dilation * _kernel", loops("conv")),
    Mutant(
        "windows",
        "(_n if _s == 1 else ceil_div(_n, _s) for _n, _s in _pairs)",
        "(_n if _s == 1 else floor_div(_n, _s) for _n, _s in _pairs)",
        SIZES,
    ),
    Mutant("windows", "minimum(_needed, ceil_div(_n + _before, _s))", "_needed", SIZES),
    # pools, norms, activations, merges
    Mutant("MaxPool.work", "comparisons=_outputs * (_window - 1)", "comparisons=_outputs * _window", loops("max_pool")),
    Mutant("covering", "_length + _parts - gcd(_length, _parts)", "_length", loops("adaptive_avg_pool")),
    Mutant(
        "_normalise",
        "additions=_n * (4 if _affine else 3) - _groups",
        "additions=_n * 4 - _groups",
        loops("layer_norm"),
    ),
    Mutant("BatchNorm.work", "int(self.scale) + int(self.shift)", "2", loops("batch_norm")),
    Mutant(
        "PReLU.work",
        "1 if self.shared else elements(_x) if self.per_element else _x[0]",
        "_x[0]",
        ("tests/test_oracle.py::test_written_out",),
    ),
    Mutant("_operations(_x)", "total(_counts) - 1", "len(_x) - 1", ("tests/test_oracle.py::test_merges",)),
    Mutant(
        "Concat.shape",
        "(_s[_place] * _times for _s, _times in _x)",
        "(_s[_place] for _s, _times in _x)",
        ("tests/test_oracle.py::test_merges",),
    ),
    # products of activations, recurrence, experts
    Mutant("MatMul.work", "macs=elements(_y) * _k", "macs=elements(_y)", loops("matmul")),
    Mutant("Attention.work", "macs=_pairs * (_query + _value)", "macs=2 * _pairs * _query", loops("attention")),
    Mutant("Attention._pairs", "divide(_n * (_seen + 1), 2)", "divide(_n * _seen, 2)", loops("attention")),
    Mutant("LSTM._weights", "self.projection * self.hidden", "0", loops("lstm")),
    Mutant("GRU._each", "2 + 1", "2", loops("gru")),
    Mutant("RMSNorm.work", "divisions=3 * _sets", "divisions=2 * _sets", loops("rms_norm")),
    Mutant(
        "DynamicConv.work", "additions=(_experts - 1) * _mixed", "additions=_experts * _mixed", loops("dynamic_conv")
    ),
    Mutant(
        "partitioned",
        "(_m - _shift) // _window * _window + _shift",
        "_m // _window * _window",
        ("tests/test_receptive.py::test_windows_of_attention",),
    ),
    # totals and conditions
    Mutant("sum_of", "_terms.append((_value, _count))", "_terms.append((_value, 1))", COPIES),
    Mutant(
        "per_batch",
        "_value if _name in PER_MODEL else _value * _batch",
        "_value * _batch",
        ("tests/test_cli.py::test_batch_multiplies_work_but_not_parameters",),
    ),
    Mutant("ceil_div", "-(-_a // _b)", "_a // _b + 1", loops("conv")),
    Mutant(
        "Exact.make_divisible",
        "_r + _s if 10 * _r * _b < 9 * _t else _r",
        "_r + _s if 10 * _r * _b > 9 * _t else _r",
        SPECS,
    ),
    Mutant("round_to", "floor_div(2 * _value + _step, 2 * _step)", "floor_div(_value, _step)", SPECS),
    # files and graphs that a spec cannot say
    Mutant(
        "Run.owned",
        "self._owners.setdefault(_params[0].ident, _path)",
        "_path",
        ("tests/test_onnx.py::test_shared_layers_are_counted_once_and_named",),
    ),
    Mutant("scaled", "times(_node.work, _copies)", "_node.work", ("tests/test_onnx_operators.py",)),
    Mutant(
        "Graph.status",
        "any(_item.heavy for _item in self.unknown)",
        "False",
        ("tests/test_onnx.py::test_strict_refuses_what_is_partial_and_nothing_else",),
    ),
    Mutant(
        "_span",
        "ceil_div(_first - _last, -_step)",
        "floor_div(_first - _last, -_step)",
        ("tests/test_onnx_operators.py::test_constants_are_sliced_as_in_numpy",),
    ),
    Mutant(
        "_matmul",
        "broadcast([_left[:-2], _right[:-2]])",
        "_left[:-2]",
        ("tests/test_onnx_operators.py::test_node_tests_of_the_onnx_package",),
    ),
    Mutant(
        "_run(_own, _start)",
        "_length // _size + 1",
        "_length // _size + 2",
        ("tests/test_convert.py::test_a_resnet_50_is_a_page",),
    ),
    Mutant(
        "transposed",
        "max(_stride - _size, 0)",
        "_stride - _size",
        ("tests/test_keras.py::test_a_layer_costs_what_keras_and_pytorch_say",),
    ),
    Mutant(
        "Step.axis",
        "0 if _axis == _rank - 1 else _axis",
        "_axis - 1",
        ("tests/test_keras.py::test_a_layer_costs_what_keras_and_pytorch_say",),
    ),
    # running a spec
    Mutant("Runner._copies", "_a if _copy == 0 else _b", "_a if _copy == 1 else _b", SPECS),
    Mutant("Runner._branch", "self._count * _copies", "self._count", SPECS),
    Mutant("Recording.repeat", "(_i + _shift if _i >= _start else _n, _t)", "(_i if _i >= _start else _n, _t)", SPECS),
    # symbols
    Mutant("_fold_nest", "_p + _a * (_others + _constant)", "_p + (_others + _constant)", SYMBOLS),
    Mutant("_normal", "_constant -= _base", "_constant -= _base + 1", SYMBOLS),
    Mutant("CeilDiv.__new__", "FloorDiv(_q - 1 - _p, _q)", "FloorDiv(_q - _p, _q)", SYMBOLS),
    Mutant(
        "bounds_of",
        "{_f: lower_bound(_f, _least) for _f in _all}",
        "{_f: 0 for _f in _all}",
        NEGATIVE,
    ),
    Mutant("_role", "(_symbol.whole, _values[_name])", "_symbol.whole", ORDERS),
    Mutant("Candidates.descending", "yield from self._at(self.high)", "None", ENDS),
    # memory, training, receptive fields and time
    Mutant("_Mover", "is_view = False", "is_view = True", LAYERS),
    Mutant("kept_by_layer", "_place if _layer.is_view else _own", "_own", ("tests/test_memory.py",)),
    Mutant("_Weighted.saves", "Saved(input=True)", "Saved()", LAYERS),
    Mutant("_Weighted.backward", "Backward(Work(macs=_macs), _params)", "Backward(Work(), _params)", LAYERS),
    Mutant(
        "sliding_field",
        "sliding(_field, _kernel, _stride, _dilation, _before)",
        "sliding(_field, _kernel, _stride, 1, _before)",
        ("tests/test_receptive.py",),
    ),
    Mutant("Bound.seconds", "max(_a, _b)", "_a + _b", ("tests/test_roofline.py",)),
    Mutant(
        "_share.of(_row, _context)",
        "_part(_context.whole, _context)",
        "_part(_row, _context)",
        ("tests/test_metrics.py",),
    ),
    # channels, drawings and charts
    Mutant(
        "Attention.reads_channels",
        "_bits | _scores[_place * _heads // _count]",
        "_bits",
        ("tests/test_channels.py::test_a_channel_that_is_changed_changes_what_reads_it",),
    ),
    Mutant(
        "_Builder._part",
        "Fraction(_macs * _copies * _times, self.macs)",
        "Fraction(_macs * _times, self.macs)",
        ("tests/test_draw.py::test_the_data_are_those_of_the_picture",),
    ),
    Mutant(
        "_around",
        "{_x: _count - 1 - _place for _place, (_x, _) in enumerate(_cut.bundles)}",
        "{_x: _place for _place, (_x, _) in enumerate(_cut.bundles)}",
        ("tests/test_draw.py::test_cells_that_read_two_cells_before_continue_in_further_columns",),
    ),
    Mutant(
        "_radius",
        "_DISC * _dot.weight ** 0.5",
        "_DISC * _dot.weight",
        ("tests/test_plot.py::test_a_roofline_has_time_as_area_and_marks_the_ridge",),
    ),
    # what a printed figure may be
    Mutant(
        "_factors",
        "(Fraction(2), TWICE, _cost)",
        "(Fraction(1), TWICE, _cost)",
        ("tests/test_explain.py::test_operations",),
    ),
    # design spaces, and fronts of sweeps and spaces
    Mutant(
        "Sites.note(_self, _run)",
        "_self._together and any(_opened)",
        "False",
        ("tests/test_space.py::test_a_name_inside_a_choice_is_seen_by_later_steps",),
    ),
    Mutant(
        "_Parts.end",
        '_node.layer.fusing == "head"',
        "True",
        ("tests/test_space.py::test_memory_that_a_later_norm_may_share_is_said",),
    ),
    Mutant(
        "_Parts._makers",
        "_within & {*_step.reads}",
        "False",
        ("tests/test_space.py::test_memory_that_depends_on_two_choices_is_said",),
    ),
    Mutant(
        "Weights._of_factor",
        "_common // _total",
        "1",
        ("tests/test_space.py::test_samples_are_as_likely_as_the_measure_says",),
    ),
    Mutant(
        "Distribution.sampler",
        "self._partners(_high, _sums) - self._partners(_low, _sums)",
        "self._partners(_high, _sums)",
        ("tests/test_space.py::test_samples_lie_between_two_bounds",),
    ),
    Mutant("_of_three", "_thirds[_above] >= _third", "_thirds[_above] > _third", FRONTS),
    Mutant("unbeaten_of_arrays", "any(_kinds)", "False", FRONTS),
    # repeats with a symbolic number of copies
    Mutant("_Copy._rest(_self)", "_self._number - 1", "_self._number", GROWING),
    Mutant("_sums", "range(_sample, _degree + 1)", "range(_sample, _degree)", GROWING),
    Mutant("_end", "any(_folded)", "False", FUSED),
    Mutant("_reads_one", "_a in _own or _a == _series.entering", "True", FUSED),
    # pages; bugs of their script are planted in tests/test_pages.py
    Mutant(
        "Explorer.form",
        "_reading.of(_row.nodes)",
        "_reading.of(_row.nodes[:0])",
        ("tests/test_pages.py::test_layers_follow_the_chosen_convention",),
    ),
    Mutant(
        "_step",
        "lcm(*_divisors)",
        "1",
        ("tests/test_pages.py::test_sliders_take_steps_that_the_network_has",),
    ),
    Mutant(
        "beside",
        "_rows.sort(key=_place)",
        "_rows.reverse()",
        ("tests/test_pages.py::test_networks_side_by_side_have_bars_of_their_own",),
    ),
)


def defining(package: Path, pattern: Pattern) -> list[Path]:
    """The files of ``package`` with code that fits ``pattern``, each as often as it fits."""
    files = [path for path in sorted(package.rglob("*.py")) if _last_name(pattern) in path.read_text("utf-8")]
    return [path for path in files for _ in pattern.places(_parsed(path.read_text("utf-8")))]


@functools.cache
def _parsed(source: str) -> ast.Module:
    """The tree of a file; patterns only read it."""
    return ast.parse(source)


def _last_name(pattern: Pattern) -> str:
    return pattern.name.rpartition(".")[2]


def survives(mutant: Mutant, folder: Path) -> bool:
    """Whether the tests are still green with ``mutant`` planted in a copy of the project in ``folder``."""
    places = defining(folder / "convcost", mutant.pattern)
    if len(places) != 1:
        raise SystemExit(f"{len(places)} places in place of 1 fit {mutant}")
    (path,) = places
    original = path.read_text("utf-8")
    path.write_text(changed(original, mutant.pattern, mutant.new), "utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", "-m", "", *mutant.tests]
        environment = {**os.environ, "MUTANT_UNDER_TEST": "planted"}  # quick tests first, no shrinking
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    finally:
        path.write_text(original, "utf-8")
    if done.returncode > 1:  # pytest itself failed: that kills nothing
        raise SystemExit(done.stdout.decode())
    return done.returncode == 0


def survivors(mutants: tuple[Mutant, ...]) -> list[Mutant]:
    """Those of ``mutants`` that the tests do not notice; planted one after another in one copy."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, folder, ignore=ignored)
        return [mutant for mutant in mutants if survives(mutant, folder)]


def main() -> None:
    """Plant every mutant and say which survive."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        shares = pool.map(survivors, (MUTANTS[start::workers] for start in range(workers)))
        alive = [mutant for share in shares for mutant in share]
    sys.stdout.write(f"{len(MUTANTS)} planted, {len(alive)} survived\n")
    for mutant in alive:
        sys.stdout.write(f"survived: {mutant}\n")
    sys.exit(bool(alive))


if __name__ == "__main__":
    main()
