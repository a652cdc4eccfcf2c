"""Design spaces: every count, quantile, sample and front against networks that are written out and built one by one."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from fractions import Fraction
from itertools import islice, product
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import convcost as run

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.cli.space import command
from convcost.spaces.explore import explore
from convcost.spaces.model import Choice, combinations
from convcost.spaces.space import Space

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.network.graph import Graph


def of_text(text: str, *, fused: bool = True) -> Space:
    """The space of a spec's text."""
    spec = Catalogue().text(text.encode(), "<spec>", "spec", "")
    return Space(explore(spec, {}, fused=fused), fused=fused)


def measures(graph: Graph) -> tuple[int, int, int, int]:
    """Parameters, MACs, FLOPs and bytes of the peak."""
    report = convcost.analyze(graph)
    return report.totals.params, report.totals.macs, report.totals.flops, report.value("peak")


# --- a space, and all its networks as specs without choices ---

KEYS = ("params", "macs", "flops", "peak")
Block = tuple[tuple[int, ...], tuple[int, ...], str]  # kernels, expansions, and where there is a shortcut, if at all


def block_text(kernel: str, expansion: str, *, shortcut: bool) -> str:
    """Steps of an inverted residual block."""
    depthwise = f"depthwise_conv: {{kernel: {kernel}}}"
    main = f"[conv: {{out: {expansion}*x.c}}, batch_norm, relu, {depthwise}, relu, conv: {{out: 6}}]"
    return f"add: {{main: {main}, shortcut: x}}" if shortcut else f"do: {main}"


def space_text(blocks: list[Block], depths: tuple[int, ...]) -> str:
    """A stem, a block for each of ``blocks``, and a chain of one more kind of block whose length is chosen."""
    lines = ["input: [3, 12, 12]", "layers:", "  - conv: {out: 6, kernel: 3, stride: 2}"]
    for kernels, expansions, shortcut in blocks:
        choose = f"choose: {{K: {list(kernels)}, t: {list(expansions)}}}"
        if shortcut == "around":  # the choice is made in a branch, while the shortcut is held
            lines.append(f"  - add: {{main: [{{{block_text('K', 't', shortcut=False)}, {choose}}}], shortcut: x}}")
        else:
            lines.append(f"  - {{{block_text('K', 't', shortcut=shortcut == 'inside')}, {choose}}}")
    inner = block_text("K", "2", shortcut=True)
    lines.append(f"  - {{do: [{{{inner}, choose: {{K: [1, 3]}}}}], repeat: n, choose: {{n: {list(depths)}}}}}")
    return "\n".join([*lines, "  - global_avg_pool", "  - linear: {out: 10}", ""])


def networks_of(blocks: list[Block], depths: tuple[int, ...]) -> list[tuple[str, Fraction]]:
    """Every network written out without a choice, and its probability where every option is as likely."""
    made = []
    heads = [list(product(kernels, expansions)) for kernels, expansions, _ in blocks]
    for picks in product(*heads):
        for depth in depths:
            for kernels in product([1, 3], repeat=depth):
                lines = ["input: [3, 12, 12]", "layers:", "  - conv: {out: 6, kernel: 3, stride: 2}"]
                for (kernel, expansion), (_, _, shortcut) in zip(picks, blocks, strict=True):
                    lines.append(f"  - {{{block_text(str(kernel), str(expansion), shortcut=shortcut != 'none')}}}")
                lines += [f"  - {{{block_text(str(kernel), '2', shortcut=True)}}}" for kernel in kernels]
                lines += ["  - global_avg_pool", "  - linear: {out: 10}", ""]
                chance = Fraction(1, len(depths) * 2**depth)
                for head in heads:
                    chance /= len(head)
                made.append(("\n".join(lines), chance))
    return made


SHORTCUTS = st.sampled_from(["none", "inside", "around"])
blocks = st.lists(
    st.tuples(st.sampled_from([(1,), (1, 3), (3, 5)]), st.sampled_from([(1, 2), (2, 3), (1, 2, 4)]), SHORTCUTS),
    min_size=1,
    max_size=2,
)
lengths = st.sampled_from([(0, 1), (1, 2), (0, 2), (1, 3)])


@settings(max_examples=8, deadline=None)
@given(blocks, lengths, st.booleans())
def test_everything_equals_enumeration(choices: list[Block], depths: tuple[int, ...], fused: bool) -> None:  # noqa: FBT001
    """Counts, shares, quantiles, extremes and fronts of random spaces against all their networks, built."""
    space = of_text(space_text(choices, depths), fused=fused)
    written = networks_of(choices, depths)
    built = []
    for text, chance in written:
        report = convcost.analyze(convcost.loads(text), fused=fused)
        built.append((report.totals.params, report.totals.macs, report.totals.flops, report.value("peak"), chance))
    assert space.networks == len(built)
    for place, key in enumerate(KEYS):
        values = sorted(row[place] for row in built)
        assert space.extremes(key) == (values[0], values[-1])
        for share in (0, Fraction(1, 3), 0.5, 1):
            needed = max(1, -(-Fraction(str(share)) * len(values) // 1))
            assert space.quantile(share, key) == values[int(needed) - 1]
        for bound in {values[0] - 1, values[len(values) // 3], values[-1]}:
            met = [row for row in built if row[place] <= bound]
            unit = "B" if key == "peak" else ""
            count = space.count(f"{key}<={bound}{unit}")
            assert (count.networks, count.share) == (len(met), Fraction(len(met), len(built)))
            assert space.count(f"{key}<={bound}{unit}", measure="choices").share == sum(row[4] for row in met)
    middle = sorted(row[1] for row in built)[len(built) // 2]
    peak = sorted(row[3] for row in built)[len(built) // 2]
    both = [row for row in built if row[1] > middle and row[3] <= peak]
    assert space.count(f"macs>{middle}", [f"peak<={peak}B"]).networks == len(both)
    limit = sorted(row[0] for row in built)[len(built) // 2]
    assert space.count(f"macs<={middle}", [f"params<={limit}"]).networks == sum(
        row[1] <= middle and row[0] <= limit for row in built
    )
    for goals, where in (
        (["max params", "min macs", "min peak"], [f"macs<={middle}"]),
        (["max params", "min macs"], [f"flops>={built[0][2]}", f"peak<={peak}B"]),
        (["max peak", "min macs"], []),
    ):
        front = space.front(goals, where)
        allowed = [row for row in built if row[1] <= middle] if len(goals) == 3 else both_bounds(built, peak)
        if not where:
            allowed = built
        signs = [-1 if goal.startswith("max") else 1 for goal in goals]
        keys = [goal.partition(" ")[2] for goal in goals]
        scores = {tuple(sign * row[KEYS.index(key)] for sign, key in zip(signs, keys, strict=True)) for row in allowed}
        unbeaten = {own for own in scores if not any(other != own and _beats(other, own) for other in scores)}
        values = [[sign * space.value(c, key) for sign, key in zip(signs, keys, strict=True)] for c in front]
        assert {*map(tuple, values)} == unbeaten
        assert len(front) == len(unbeaten)


def both_bounds(built: list[tuple[Any, ...]], peak: int) -> list[tuple[Any, ...]]:
    """The networks with at least the FLOPs of the first, and at most a peak."""
    return [row for row in built if row[2] >= built[0][2] and row[3] <= peak]


def _beats(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    return all(a <= b for a, b in zip(first, second, strict=True))


SMALL = space_text([((1, 3), (1, 2), "inside"), ((3, 5), (2, 3, 4), "none")], (0, 1, 2))


def test_a_network_of_a_space_is_the_network_that_its_choices_make() -> None:
    space = of_text(SMALL)
    counted: Counter[tuple[int, ...]] = Counter()
    for member in space.tree.members:
        for picks in combinations(member.factors):
            choice = Choice(member, picks)
            values = tuple(space.value(choice, key) for key in KEYS)
            assert measures(space.graph(choice)) == values
            counted[values] += 1
    assert counted == Counter(
        measures(convcost.loads(text))
        for text, _ in networks_of([((1, 3), (1, 2), "inside"), ((3, 5), (2, 3, 4), "none")], (0, 1, 2))
    )


@pytest.mark.parametrize("measure", ["networks", "choices"])
def test_samples_are_as_likely_as_the_measure_says(measure: str) -> None:
    """Chi-square of 3,000 samples under a bound against the probabilities of all networks: 1 in 10^5 by chance."""
    space = of_text(SMALL)
    everything = [Choice(member, picks) for member in space.tree.members for picks in combinations(member.factors)]
    bound = sorted(choice.cost("macs") for choice in everything)[len(everything) // 2]
    allowed = [choice for choice in everything if choice.cost("macs") <= bound]
    weights = [_chance(choice) if measure == "choices" else Fraction(1) for choice in allowed]
    drawn = Counter(str(choice.values) for choice in space.sample(3000, 7, [f"macs<={bound}"], measure))
    statistic = 0.0
    for choice, weight in zip(allowed, weights, strict=True):
        expected = 3000 * float(weight / sum(weights))
        statistic += (drawn.pop(str(choice.values), 0) - expected) ** 2 / expected
    assert not drawn  # nothing that does not meet the bound
    freedom = len(allowed) - 1
    assert freedom > 20
    assert statistic < freedom + 4.3 * (2 * freedom) ** 0.5 + 12  # Laurent and Massart (2000), lemma 1, with x = 11.5


def test_samples_lie_between_two_bounds() -> None:
    space = of_text(SMALL)
    low, high = space.quantile(0.4, "macs"), space.quantile(0.6, "macs")
    drawn = {choice.cost("macs") for choice in space.sample(300, 1, [f"macs>{low}", f"macs<={high}"])}
    everything = {
        Choice(member, picks).cost("macs") for member in space.tree.members for picks in combinations(member.factors)
    }
    assert drawn == {macs for macs in everything if low < macs <= high}


def _chance(choice: Choice) -> Fraction:
    chance = Fraction(1)
    for factor, _ in choice.picks:
        chance /= len(factor.options)
    return chance


def test_the_same_seed_gives_the_same_sample() -> None:
    space = of_text(SMALL)
    first, second, other = ([str(choice.picks) for choice in space.sample(20, seed)] for seed in (1, 1, 2))
    assert first == second
    assert first != other


# --- bundled spaces ---


def test_the_space_of_once_for_all() -> None:
    """Counts of two other algorithms, one of which took 119 s; 200,000 random networks gave 3.912 +- 0.043 %."""
    space = convcost.space("ofa_mobilenet_v3", size=224, fused=False)
    assert space.networks == 7371**5 == 21_758_655_492_572_485_851
    assert space.count("macs<=300M").networks == 856_295_841_105_991_212


@pytest.mark.long
def test_more_of_the_space_of_once_for_all() -> None:
    space = convcost.space("ofa_mobilenet_v3", size=224, fused=False)
    assert space.count("macs<=200M").networks == 8_771_878_157_810
    assert space.quantile(0.5, "macs") == 352_351_584
    assert len(space.front(["max params", "min macs", "min peak"])) == 2_317
    for choice in space.sample(20, 3, ["macs<=200M"]):
        report = convcost.analyze(space.graph(choice), fused=False)
        assert report.totals.macs == choice.cost("macs") <= 200_000_000
        assert (report.totals.params, report.value("peak")) == (choice.cost("params"), space.value(choice, "peak"))


def test_the_cells_of_nats_bench() -> None:
    """15,625 cells with 28 different costs, each a sum over six edges that is written out here."""
    space = convcost.space("nats_bench")
    weights = {"none": 0, "skip_connect": 0, "avg_pool_3x3": 0, "nor_conv_1x1": 1, "nor_conv_3x3": 9}
    stages = ((16, 32), (32, 16), (64, 8))
    macs = {op: 5 * sum(w * c * c * side * side for c, side in stages) for op, w in weights.items()}
    params = {op: 5 * sum(w * c * c + 2 * c * (w > 0) for c, _ in stages) for op, w in weights.items()}
    expected = Counter(
        (
            464 + 14_464 + 57_600 + 128 + 650 + sum(map(params.get, ops)),
            442_368 + 2 * 3_670_016 + 640 + sum(map(macs.get, ops)),
        )
        for ops in product(weights, repeat=6)
    )
    assert len(expected) == 28
    cells = [Choice(member, picks) for member in space.tree.members for picks in combinations(member.factors)]
    assert Counter((cell.cost("params"), cell.cost("macs")) for cell in cells) == expected
    assert space.count("macs<=50M").networks == sum(n for (_, own), n in expected.items() if own <= 50_000_000)


def test_peaks_where_a_parameter_is_read_at_several_places() -> None:
    """An edge of the cells of NATS-Bench is read in every cell: for peaks, each of its operations is a space."""
    edges = {"n20": "none", "n21": "none", "n30": "none", "n31": "none"}
    space = convcost.space("nats_bench", N=1, **edges)
    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    built = [
        measures(convcost.load("nats_bench", N=1, **edges, n10=a, n32=b)) for a, b in product(operations, operations)
    ]
    assert not space.has_peaks
    assert "peak" not in space.usual
    peaks = sorted(row[3] for row in built)
    assert space.extremes("peak") == (peaks[0], peaks[-1])
    assert peaks[0] < peaks[-1]
    bound = peaks[0]
    below = [row for row in built if row[3] <= bound]
    assert space.count(f"peak<={bound}B").networks == len(below)
    assert space.quantile(0.5, "macs", [f"peak<={bound}B"]) == sorted(row[1] for row in below)[(len(below) - 1) // 2]
    front = space.front(["max params", "min peak"])
    assert {(space.value(own, "params"), space.value(own, "peak")) for own in front} == {
        (row[0], row[3])
        for row in built
        if not any(
            other[0] >= row[0] and other[3] <= row[3] and (other[0], other[3]) != (row[0], row[3]) for other in built
        )
    }
    for choice in space.sample(3, 1):
        assert measures(space.graph(choice))[3] == space.value(choice, "peak")


PYCLS = {  # w_a, w_0, w_m, d, g of the configurations of RegNetX in the authors' repository
    "200mf": (36.44, 24, 2.49, 13, 8),
    "400mf": (24.48, 24, 2.54, 22, 16),
    "600mf": (36.97, 48, 2.24, 16, 24),
    "800mf": (35.73, 56, 2.28, 16, 16),
    "1_6gf": (34.01, 80, 2.25, 18, 24),
    "3_2gf": (26.31, 88, 2.25, 25, 48),
    "4gf": (38.65, 96, 2.43, 23, 40),
    "6_4gf": (60.83, 184, 2.07, 17, 56),
    "8gf": (49.56, 80, 2.88, 23, 120),
    "12gf": (73.36, 168, 2.37, 19, 112),
    "16gf": (55.59, 216, 2.1, 22, 128),
    "32gf": (69.86, 320, 2.0, 23, 168),
}


@pytest.mark.parametrize("model", PYCLS)
def test_the_rule_of_regnet_makes_the_published_networks(model: str) -> None:
    slope, width, ratio, depth, group = PYCLS[model]
    made = convcost.load("regnet_space", wa=slope, w0=width, wm=ratio, depth=depth, g=group)
    listed = convcost.load("regnet_x", model=model, variant="paper")
    assert measures(made) == measures(listed)


def test_a_parameter_that_changes_every_layer_is_a_space_of_its_own() -> None:
    space = convcost.space("tinynas_space", size=48, alpha=0.2)
    block = 9 * (9 + 81 + 729)  # a first block, and one to three more, of nine kinds each
    assert space.networks == block**6
    both = of_text(
        "{parameters: {size: {default: 8, choose: [8, 12]}, C: {default: 2, choose: [2, 4, 6]}},"
        " input: [3, size, size], layers: [{conv: {out: C, kernel: K}, choose: {K: [1, 3]}}]}"
    )
    assert both.networks == 12
    assert both.extremes("macs") == (3 * 2 * 64, 9 * 3 * 6 * 144)
    assert len(both.tree.members) == 6


@pytest.mark.parametrize(
    ("layers", "macs"),
    [
        ("[{conv: {out: 3, kernel: K}, choose: {K: [1, 3, 5]}}]", [9 * 64, 81 * 64, 225 * 64]),
        ("[{bottleneck: {M}, choose: {M: [4, 8]}}]", [64 * (2 * 3 * m + 9 * m * m) for m in (4, 8)]),
        ("[{conv: {out: 3, kernel: 3}, repeat: n, choose: {n: [0, 1, 4]}}]", [0, 81 * 64, 4 * 81 * 64]),
        (
            "[{do: [{conv: {out: 'widths[w]'}}, {conv: {out: 3}}], choose: {w: [small, large]}}]",
            [64 * 6 * width for width in (4, 16)],
        ),
        ("[{conv: {out: 'list[i]'}, choose: {i: [0, 2]}}, {conv: {out: 'list[0]'}}]", [64 * 9 * 2, 64 * 9 * 2]),
    ],
    ids=["a step", "a block argument", "a repeat", "a table entry", "an entry of a list"],
)
def test_what_may_be_chosen(layers: str, macs: list[int]) -> None:
    space = of_text(
        f"{{let: {{widths: {{small: 4, large: 16}}, list: [3, 5, 3]}}, input: [3, 8, 8], layers: {layers}}}"
    )
    (member,) = space.tree.members
    assert [Choice(member, picks).cost("macs") for picks in combinations(member.factors)] == macs


# --- the command ---

ASKED = ("--count", "macs<=2k", "--quantile", ".5", "--sample", "3", "--seed", "5", "--front", "max params, min macs")


def spec_file(folder: Path) -> str:
    """A file with a space of three sizes, each with two kernels."""
    path = folder / "small.yaml"
    path.write_text(
        "parameters: {size: {default: 4, choose: [4, 8, 12]}}\ninput: [3, size, size]\n"
        "layers:\n  - {conv: {out: 3, kernel: K}, choose: {K: [1, 3]}}\n",
        "utf-8",
    )
    return str(path)


def test_formats_of_the_command(tmp_path: Path) -> None:
    """The numbers of a space of six networks, 9 and 81 MACs at each of 16, 64 and 144 places, in every format."""
    target = spec_file(tmp_path)
    data = json.loads(run("space", target, *ASKED, "--format", "json").out)
    assert data["networks"] == 6
    assert data["extremes"]["macs"] == {"least": 144, "most": 81 * 144}
    assert [count["networks"] for count in data["counts"]] == [4]  # 144, 576, 1,296 twice, but not 5,184 and 11,664
    assert {row["metric"]: row["value"] for row in data["quantiles"]}["macs"] == 1296
    assert [(own["params"], own["macs"]) for own in data["front"]] == [(84, 1296), (12, 144)]
    assert data["front"][0]["parameters"] == {"size": 4}
    assert data["front"][0]["choices"] == [{"path": "conv", "values": {"K": 3}}]
    rows = [*csv.DictReader(io.StringIO(run("space", target, *ASKED, "--format", "csv").out))]
    assert [(row["params"], row["macs"], row["choices"]) for row in rows] == [
        ("84", "1296", "size=4, conv K=3"),
        ("12", "144", "size=4, conv K=1"),
    ]
    counted = run("space", target, "--count", "macs<=2k", "--format", "csv").out
    assert counted.splitlines()[1] == "macs<=2k,4,66.6667 %"
    lines = {"table": ["MACs  ", "macs<=2k  "], "markdown": ["| MACs | 144 |", "| macs\\<=2k | 4 | 66.6667 % |"]}
    for form, expected in lines.items():
        done = run("space", target, *ASKED, "--format", form)
        assert done.code == 0
        assert all(line in done.out for line in expected)


def test_notes_about_peaks(tmp_path: Path) -> None:
    path = tmp_path / "shared.yaml"
    path.write_text(f"{{parameters: {{K: {{default: 1, choose: [1, 3]}}}}, {LAYERS}[conv: {{out: 3, kernel: K}}]}}")
    assert "no peaks: layers read the parameter `K`" in run("space", str(path)).out
    for options in (["--in", "peak"], ["--where", "peak<=1M"]):
        done = run("space", str(path), *options)
        assert "no peaks" not in done.out
        assert "peak in bytes of float32" in done.out


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    target = spec_file(tmp_path)
    first, again, other = (
        run("space", target, "--sample", "8", "--seed", seed, "--format", "csv").out for seed in ("3", "3", "4")
    )
    assert first == again != other
    path = tmp_path / "sample.csv"
    assert run("space", target, "--sample", "8", "--seed", "3", "-o", str(path)).code == 0
    assert path.read_text("utf-8") == first


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_at_a_terminal_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = spec_file(tmp_path)
    assert run("space", target).err == ""
    terminal = Terminal()
    monkeypatch.setattr("convcost.cli.progress.sys.stderr", terminal)
    monkeypatch.setattr("convcost.cli.progress._PAUSE", 0)
    command.main([target, "-o", str(tmp_path / "all.txt")], standalone_mode=False)
    lines = [line.strip() for line in terminal.getvalue().split("\r") if line.strip()]
    assert lines == [f"{done} of 3 combinations" for done in (1, 2)]
    assert terminal.getvalue().rsplit("\r", 2)[1].strip() == ""


def test_an_interrupted_question_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted while the space is counted, or while the result is written."""
    target = spec_file(tmp_path)
    for place in ("convcost.spaces.distribution.Distribution.count", "convcost.render.spaces._counts"):
        reached = []

        def interrupted(*_: object, reached: list[int] = reached) -> None:
            reached.append(1)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(place, interrupted)
            done = run("space", target, "--count", "macs<=2k", "-o", str(tmp_path / "all.csv"))
        assert done.code != 0
        assert reached
        assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


# --- refusals ---

LAYERS = "input: [3, 8, 8], layers: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{{{LAYERS}[relu]}}", "nothing is chosen"),
        (
            f"{{{LAYERS}[{{conv: {{out: c}}, choose: {{c: [4, 8]}}}}, relu]}}",
            "conv: the choice of `c` at <spec>:1:@ changes what later layers see",
        ),
        (
            f"{{{LAYERS}[{{inverted_residual: {{O: c, K: 3, t: 2}}, choose: {{c: [4, 8]}}}}, relu]}}",
            "inverted_residual: the choice of `c` at <spec>:1:@ changes what later layers see",
        ),
        (
            f"{{{LAYERS}[{{conv: {{out: 3, kernel: 3, stride: 2}}, repeat: n, choose: {{n: [1, 2]}}, name: down}}]}}",
            "down: the choice of `n` at <spec>:1:@ changes what later layers see",
        ),
        (
            f"{{let: {{w: {{a: 4, b: 8}}}}, {LAYERS}[{{conv: {{out: 'w[k]'}}, choose: {{k: [a, b]}}}}]}}",
            "conv: the choice of `k` at <spec>:1:@ changes what later layers see",
        ),
        (
            f"{{{LAYERS}[{{conv: {{out: 3, kernel: K}}, choose: {{K: [1, 1]}}}}]}}",
            "lists a value twice",
        ),
        (
            f"{{{LAYERS}[{{conv: {{out: 3}}, shares: w}}, {{do: [{{conv: {{out: 3}}, shares: w}}], "
            "choose: {n: [1, 2]}}]}",
            "shares its weights",
        ),
        (f"{{{LAYERS}[{{conv: {{out: 3, kernel: K}}, choose: {{K: 3}}}}]}}", "`choose` takes a list, found 3"),
        (f"{{{LAYERS}[{{conv: {{out: 3, kernel: K}}, choose: {{K: []}}}}]}}", "needs at least one value"),
        (f"{{{LAYERS}[{{conv: {{out: 3}}, choose: [3, 5]}}]}}", "`choose` needs names with lists of values"),
        (f"{{{LAYERS}[{{conv: {{out: 3}}, choose: {{x: [3, 5]}}}}]}}", "cannot be the name of a choice"),
        (
            f"{{parameters: {{K: 1}}, {LAYERS}[{{conv: {{out: 3, kernel: K}}, choose: {{K: [3]}}}}]}}",
            "choice `K` hides",
        ),
        (f"{{parameters: {{K: {{default: 1, choose: 3}}}}, {LAYERS}[conv: {{out: 3, kernel: K}}]}}", "must be a list"),
        (
            f"{{parameters: {{K: {{default: 1, choices: [1, 3], choose: [5]}}}}, "
            f"{LAYERS}[conv: {{out: 3, kernel: K}}]}}",
            "`K` must be one of 1, 3; found 5",
        ),
    ],
)
def test_what_is_no_space_is_refused(text: str, message: str) -> None:
    message = message.replace("@", str(text.find("choose: ") + 9))
    with pytest.raises(convcost.ConvcostError, match=message.replace("[", r"\[")):
        of_text(text)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda space: space.count("time<=3ms"), "a space has the quantities that add up"),
        (lambda space: space.count("macs<<3"), "--count takes METRIC<=VALUE"),
        (lambda space: space.quantile(0.5, "macs", "params"), "--where takes METRIC<=VALUE, .* found 'params'"),
        (lambda space: space.count("peak>=3B"), "a peak is bounded from above"),
        (lambda space: space.count("macs<=3", measure="people"), "`measure` must be one of networks, choices"),
        (lambda space: space.quantile(2), "a number from 0 to 1"),
        (lambda space: space.quantile("half"), "a number from 0 to 1"),
        (lambda space: space.sample(3, where=["macs<=1"]), "no network .* meets macs<=1"),
        (lambda space: space.sample(0), "a sample has 1 to"),
        (lambda space: space.front([]), "needs objectives"),
        (lambda space: space.front(["best macs"]), "--front takes max NAME or min NAME"),
        (lambda space: space.front(["min macss"]), "--front: no metric is called 'macss'; did you mean 'macs'"),
        (lambda space: space.front(["min time"]), "a space has the quantities that add up"),
        (lambda space: space.front(["max params", "min macs", "min peak", "min flops"]), "at most 3 objectives"),
    ],
)
def test_questions_without_an_answer_are_refused(question: Any, message: str) -> None:
    with pytest.raises(convcost.ConvcostError, match=message):
        question(of_text(SMALL))


SAME_ERRORS = {
    "best macs": "takes max NAME or min NAME, found 'best macs'",
    "max": "takes max NAME or min NAME, found 'max'",
    "max params,": "takes max NAME or min NAME, found ''",
    "min mac": "is called 'mac'; did you mean 'macs'?",
}


@pytest.mark.parametrize("text", SAME_ERRORS)
def test_objectives_of_every_command_have_the_same_errors(text: str, tmp_path: Path) -> None:
    for option, *command_line in (
        ("--objective", "solve", "mobilenet_v1", "--for", "alpha,rho", "--step", "alpha=.25", "--budget", "macs<=99M"),
        ("--pareto", "sweep", "mobilenet_v1", "--over", "alpha=0.25,1"),
        ("--front", "space", spec_file(tmp_path)),
    ):
        done = run(*command_line, option, text)
        assert done.code == 2
        assert option in done.err
        assert SAME_ERRORS[text] in done.err


def test_one_text_is_a_list_of_one() -> None:
    space = of_text(SMALL)
    middle = space.quantile(0.5, "macs")
    listed = space.front(["max params", "min macs"], [f"macs<={middle}"])
    assert [*space.front("max params, min macs", f"macs<={middle}")] == [*listed]
    over = {"alpha": [0.5, 1], "size": [128, 224]}
    kept = convcost.sweep("mobilenet_v1", over, keep="macs<=300M", pareto="max params, min macs")
    assert [*kept] == [*convcost.sweep("mobilenet_v1", over, keep=["macs<=300M"], pareto=["max params", "min macs"])]


def test_bounds_on_two_sums_need_a_small_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.spaces.question.MAX_TRIED", 10)
    with pytest.raises(convcost.UnsupportedError, match="bounds on params and macs together are tried on at most 10"):
        of_text(SMALL).count("macs<=300M", ["params<=5M"])


def test_a_spec_alone_takes_the_first_of_each_list() -> None:
    text = (
        "{input: [3, 8, 8], layers: [{conv: {out: c}, choose: {c: [4, 8]}}, {relu, when: n > 1, choose: {n: [1, 2]}}]}"
    )
    assert [(node.kind, node.shape) for node in convcost.loads(text).layers] == [("pointwise", (4, 8, 8))]


def test_one_parameter_and_steps_with_choices_together() -> None:
    """A kernel that all blocks share, beside what each chooses: counts, peaks and shares against all networks."""
    text = (
        "{{{parameters}input: [3, 12, 12], layers: [{{conv: {{out: 6, kernel: K}}}}, {{do: [{{conv: {{out: t*6}}}}, "
        "{{conv: {{out: 6, kernel: K}}}}, {{conv: {{out: 6}}}}], {choose}}}, {{conv: {{out: 4, kernel: K}}}}]}}"
    )
    kernels = "parameters: {K: {default: 1, choose: [1, 3]}}, "
    space = of_text(text.format(parameters=kernels, choose="choose: {t: [1, 4]}"))
    built = [
        measures(
            convcost.loads(text.format(parameters=f"parameters: {{K: {kernel}, t: {times}}}, ", choose="repeat: 1"))
        )
        for kernel in (1, 3)
        for times in (1, 4)
    ]
    assert space.networks == 4
    for place, key in enumerate(KEYS):
        values = [row[place] for row in built]
        assert space.extremes(key) == (min(values), max(values))
        assert space.quantile(0.5, key) == sorted(values)[1]


CONV_OR_POOL = "{conv: {out: 3, kernel: 3}, when: n == 1}, {max_pool: {kernel: 3, stride: 1, padding: 1}, when: n == 2}"


def test_memory_that_a_later_norm_may_share_is_said() -> None:
    """A norm is folded into a convolution before it and has its own memory after a pool: no peak of a part."""
    later = "batch_norm, relu, conv: {out: 9}"
    space = of_text(f"{{{LAYERS}[{{do: [{CONV_OR_POOL}], choose: {{n: [1, 2]}}}}, {later}]}}")
    assert space.networks == 2
    assert not space.has_peaks
    with pytest.raises(convcost.UnsupportedError, match="batch_norm runs in the memory of what"):
        space.count("peak<=1MB")
    assert of_text(f"{{{LAYERS}[{{conv: {{out: 3, kernel: K}}, choose: {{K: [1, 3]}}}}, {later}]}}").has_peaks


def test_a_name_inside_a_choice_is_seen_by_later_steps() -> None:
    """Where a later step reads a tensor inside a choice, its options are tried one by one, and refused."""
    inside = "{do: [{conv: {out: c}, name: a}, {conv: {out: 3}}], choose: {c: [4, 8]}}"
    later = "{do: [{conv: {out: a.c, kernel: K}}, {conv: {out: 3}}], choose: {K: [1, 3]}}"
    with pytest.raises(convcost.UnsupportedError, match=r"the choice of `c` at .* changes what later layers see"):
        of_text(f"{{{LAYERS}[{inside}, {later}]}}")
    space = of_text(f"{{{LAYERS}[{inside}, {{conv: {{out: 3, kernel: K}}, choose: {{K: [1, 3]}}}}]}}")
    macs = sorted(64 * (6 * c + 9 * kernel**2) for c in (4, 8) for kernel in (1, 3))
    assert [space.quantile(share, "macs") for share in (0.25, 0.5, 0.75, 1)] == macs


@pytest.mark.parametrize("early", ["conv: {{out: 3}}", "conv: {{out: 3, kernel: {first}}}{choose_first}"])
def test_memory_beside_a_choice(early: str) -> None:
    """A tensor that is held during a choice: known where nothing else that is chosen can change when it is alive."""
    held = (
        "{{input: [3, 8, 8], layers: [{{" + early + ", name: a}}, {{conv: {{out: 5, kernel: {second}}}{choose}}},"
        " relu, {{conv: {{out: 3}}}}, {{add: {{main: x, early: a}}}}]}}"
    )
    space = of_text(
        held.format(first="J", second="K", choose_first=", choose: {J: [1, 3]}", choose=", choose: {K: [1, 3]}")
    )
    built = [
        measures(convcost.loads(held.format(first=first, second=second, choose_first="", choose="")))
        for first in (1, 3)
        for second in (1, 3)
    ]
    assert space.extremes("peak") == (min(row[3] for row in built), max(row[3] for row in built))
    assert space.extremes("macs") == (min(row[1] for row in built), max(row[1] for row in built))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (  # without the first block, the network adds its input, which nothing else is in the place of
            "{do: [{conv: {out: 3}, repeat: n}], choose: {n: [1, 0]}, name: a}, {conv: {out: 3, kernel: K}, "
            "choose: {K: [1, 3]}}, {add: {main: x, early: a}}",
            "a may be left out, and is alive during conv",
        ),
        (  # without the second block, one tensor is added to itself
            "{conv: {out: 3}, name: a}, {do: [{conv: {out: 3}, repeat: n}], choose: {n: [1, 0]}}, "
            "{conv: {out: 3}}, {add: {main: x, early: a}}",
            "a is alive during do, which may be left out",
        ),
        (  # it is read by another choice
            "{conv: {out: 3}, name: a}, {conv: {out: 3, kernel: K}, choose: {K: [1, 3]}}, {conv: {out: 3}, name: b}, "
            "{do: [conv: {out: 3, kernel: K}], from: a, choose: {K: [1, 3]}}, {add: {main: x, early: b}}",
            "a is alive during conv",
        ),
    ],
)
def test_memory_that_depends_on_two_choices_is_said(layers: str, message: str) -> None:
    space = of_text(f"{{input: [3, 8, 8], layers: [{layers}]}}")
    assert space.extremes("macs") is not None
    with pytest.raises(convcost.UnsupportedError, match=message):
        space.count("peak<=1MB")


LAYERS_OF_CHANCE = (
    "relu: {}",
    "batch_norm: {}",
    "conv: {out: 3}",
    "conv: {out: 3, kernel: 3}",
    "max_pool: {kernel: 3, stride: 1, padding: 1}",
)


class Chance:
    """Random spaces: steps with choices in a row, in branches and in one another, with any layer at their ends."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret
        self._names = 0

    def text(self) -> str:
        return f"{{input: [3, 6, 6], layers: [{self._row(4)}]}}"

    def _row(self, most: int, depth: int = 0) -> str:
        return ", ".join(self._part(depth) for _ in range(self._random.randint(1, most)))

    def _layer(self) -> str:
        return f"{{{self._random.choice(LAYERS_OF_CHANCE)}}}"

    def _part(self, depth: int) -> str:
        kind = self._random.random()
        if kind < 0.45:
            return self._site()
        if kind < 0.75 or depth > 1:
            return self._layer()
        shortcut = self._random.choice(["x", f"[{self._layer()}]"])
        return f"{{add: {{main: [{self._row(2, depth + 1)}], shortcut: {shortcut}}}}}"

    def _site(self) -> str:
        self._names += 1
        name, count = f"v{self._names}", self._random.randint(2, 3)
        steps = [self._layer()] if self._random.random() < 0.3 else []
        for option in range(count):
            layers = [self._layer() for _ in range(self._random.randint(0, 2))]
            if layers and self._random.random() < 0.5:
                layers = [f"{{conv: {{out: {self._random.choice([2, 9])}}}}}", "{conv: {out: 3}}", *layers]
            if layers:
                steps.append(f"{{do: [{', '.join(layers)}], when: {name} == {option}}}")
        if not steps or (self._names < 4 and self._random.random() < 0.3):
            steps.append(self._site() if self._names < 4 else self._layer())
        return f"{{do: [{', '.join(steps)}], choose: {{{name}: {[*range(count)]}}}}}"


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(8, 200))])
def test_costs_and_peaks_of_random_spaces_are_those_of_their_networks(seed: int) -> None:
    """Wherever a space has peaks, that of every network is the largest of its parts, fused or not."""
    text = Chance(seed).text()
    for fused in (True, False):
        try:
            space = of_text(text, fused=fused)
        except convcost.UsageError:  # nothing is chosen
            return
        for member in space.tree.members:
            for picks in islice(combinations(member.factors), 60):
                choice = Choice(member, picks)
                report = convcost.analyze(space.graph(choice), fused=fused)
                assert (report.totals.params, report.totals.macs) == (choice.cost("params"), choice.cost("macs"))
                if space.has_peaks:
                    assert report.value("live") == choice.live


@pytest.mark.long
@pytest.mark.parametrize(("name", "every"), [("regnet_space", 4), ("nats_bench", 99)])
def test_networks_of_small_bundled_spaces(name: str, every: int) -> None:
    space = convcost.space(name)
    everything = (Choice(member, picks) for member in space.tree.members for picks in combinations(member.factors))
    for choice in islice(everything, 0, None, every):
        params, macs, flops, peak = measures(convcost.load(name, **choice.values))
        assert (params, macs, flops) == tuple(choice.cost(key) for key in ("params", "macs", "flops"))
        assert peak == space.value(choice, "peak")
