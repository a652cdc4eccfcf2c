"""Random networks against PyTorch: ``python tests/differential.py --graphs 1000`` (needs ``pip install '.[torch]'``).

A random network is written as a spec and built from ``torch.nn`` modules at the same time. The torch network is
run on zeros; every layer's output shape, the number of parameters, and the total that
``torch.utils.flop_counter.FlopCounterMode`` counts (2 x MACs) must be what convcost says.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import convcost
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from collections.abc import Callable

Step = dict[str, Any]
Run = "Callable[[Tensor], Tensor]"

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVG_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
ADAPTIVE = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "swish": nn.SiLU,
    "hard_swish": nn.Hardswish,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


class Same(nn.Module):
    """Padding so that a window at every ``stride``-th position fits: TensorFlow's ``same``."""

    def __init__(self, kernel: list[int], stride: list[int], dilation: list[int]) -> None:
        super().__init__()
        self.windows = list(zip(kernel, stride, dilation, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """``x`` with zeros around it."""
        pads: list[int] = []
        for size, (kernel, stride, dilation) in zip(reversed(x.shape[2:]), reversed(self.windows), strict=True):
            outputs = -(-size // stride)
            needed = max((outputs - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
            pads += [needed // 2, needed - needed // 2]
        return functional.pad(x, pads)


class Maker:
    """Makes random steps and their torch modules side by side, keeping the shape as torch computes it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - not a secret
        self.modules = nn.ModuleList()

    def module(self, module: nn.Module) -> nn.Module:
        """``module``, counted among the network's parameters."""
        self.modules.append(module)
        return module

    def network(self) -> tuple[dict[str, Any], Callable[[Tensor], Tensor], tuple[int, ...]]:
        """A spec, the function it stands for, and its input shape."""
        axes = self.chance.choice((1, 2, 2, 2, 3))
        shape = (self.chance.choice((2, 3, 4, 8)), *(self.chance.randint(6, 14) for _ in range(axes)))
        steps, run, out = self.chain(shape, self.chance.randint(2, 7), depth=0)
        if self.chance.random() < 0.4:
            features = self.chance.randint(1, 12)
            body = run
            if self.chance.random() < 0.3:  # over the channels at every position, which PyTorch wants on the last axis
                dense = self.module(nn.Linear(out[0], features, bias=(bias := self.chance.random() < 0.5)))
                steps.append({"linear": {"out": features, "bias": bias, "axis": "c"}})
                return (
                    {"input": list(shape), "layers": steps},
                    lambda x: dense(body(x).movedim(1, -1)).movedim(-1, 1),
                    shape,
                )
            count = 1
            for size in out:
                count *= size
            dense = self.module(nn.Linear(count, features, bias=(bias := self.chance.random() < 0.5)))
            steps += ["flatten", {"linear": {"out": features, "bias": bias}}]
            return {"input": list(shape), "layers": steps}, lambda x: dense(body(x).flatten(1)), shape
        return {"input": list(shape), "layers": steps}, run, shape

    def chain(
        self, shape: tuple[int, ...], length: int, depth: int
    ) -> tuple[list[Step], Callable[[Tensor], Tensor], tuple[int, ...]]:
        """``length`` steps on a tensor of ``shape``."""
        steps: list[Step] = []
        runs: list[Callable[[Tensor], Tensor]] = []
        while len(steps) < length:
            made = self.step(shape, depth)
            if made is None:
                continue
            step, run = made
            try:
                with torch.no_grad():
                    out = tuple(run(torch.zeros(1, *shape)).shape[1:])
            except (RuntimeError, ValueError):  # torch refuses it, and so may convcost
                continue
            if 0 in out:  # torch lets a tensor vanish
                continue
            shape = out
            steps.append(step)
            runs.append(run)

        def chained(x: Tensor) -> Tensor:
            for one in runs:
                x = one(x)
            return x

        return steps, chained, shape

    def step(self, shape: tuple[int, ...], depth: int) -> tuple[Step, Callable[[Tensor], Tensor]] | None:
        """One random step; None where the kind drawn does not suit."""
        kinds = ["conv"] * 5 + ["transposed", "pool", "pool", "norm", "activation", "activation", "move"]
        kinds += ["axis", "axis", "attention", "product", "recurrent", "broadcast"]
        kinds += ["merge", "merge", "gate"] if depth < 2 else []
        return getattr(self, f"_{self.chance.choice(kinds)}")(shape, depth)  # type: ignore[no-any-return]

    def _sizes(self, axes: int, low: int, high: int) -> list[int]:
        return [self.chance.randint(low, high) for _ in range(axes)]

    def _conv(self, shape: tuple[int, ...], _depth: int) -> Any:
        axes = len(shape) - 1
        groups = self.chance.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
        out = groups * self.chance.randint(1, 3)
        kernel, stride, dilation = self._sizes(axes, 1, 4), self._sizes(axes, 1, 2), self._sizes(axes, 1, 2)
        bias = self.chance.random() < 0.5
        fields = {"out": out, "kernel": kernel, "stride": stride, "dilation": dilation, "groups": groups, "bias": bias}
        same = self.chance.random() < 0.5
        padding = [0] * axes if same else self._sizes(axes, 0, 2)
        conv = self.module(CONVS[axes - 1](shape[0], out, kernel, stride, padding, dilation, groups=groups, bias=bias))
        if not same:
            return {"conv": {**fields, "padding": padding}}, conv
        pad = Same(kernel, stride, dilation)
        return {"conv": {**fields, "padding": "same"}}, lambda x: conv(pad(x))

    def _transposed(self, shape: tuple[int, ...], _depth: int) -> Any:
        axes = len(shape) - 1
        groups = self.chance.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
        out = groups * self.chance.randint(1, 3)
        kernel, stride, padding = self._sizes(axes, 1, 4), self._sizes(axes, 1, 2), self._sizes(axes, 0, 1)
        extra = [self.chance.randint(0, step - 1) for step in stride]
        bias = self.chance.random() < 0.5
        layer = TRANSPOSED[axes - 1](
            shape[0], out, kernel, stride, padding, output_padding=extra, groups=groups, bias=bias
        )
        fields = {"out": out, "kernel": kernel, "stride": stride, "padding": padding, "output_padding": extra}
        return {"conv_transpose": {**fields, "groups": groups, "bias": bias}}, self.module(layer)

    def _pool(self, shape: tuple[int, ...], _depth: int) -> Any:
        axes = len(shape) - 1
        if self.chance.random() < 0.2:
            size = self._sizes(axes, 1, 5)
            return {"adaptive_avg_pool": {"size": size}}, ADAPTIVE[axes - 1](size if axes > 1 else size[0])
        kernel, stride = self._sizes(axes, 1, 4), self._sizes(axes, 1, 3)
        padding = [self.chance.randint(0, size // 2) for size in kernel]
        rounding = self.chance.random() < 0.5
        fields = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": rounding}
        if self.chance.random() < 0.5:
            return {"avg_pool": fields}, AVG_POOLS[axes - 1](kernel, stride, padding, ceil_mode=rounding)
        dilation = self._sizes(axes, 1, 2)
        layer = MAX_POOLS[axes - 1](kernel, stride, padding, dilation, ceil_mode=rounding)
        return {"max_pool": {**fields, "dilation": dilation}}, layer

    def _norm(self, shape: tuple[int, ...], _depth: int) -> Any:
        if self.chance.random() < 0.6:
            return {"batch_norm": {}}, self.module(NORMS[len(shape) - 2](shape[0]))
        groups = self.chance.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
        return {"group_norm": {"groups": groups}}, self.module(nn.GroupNorm(groups, shape[0]))

    def _activation(self, shape: tuple[int, ...], _depth: int) -> Any:
        if self.chance.random() < 0.2:
            return {"prelu": {}}, self.module(nn.PReLU(shape[0]))
        name = self.chance.choice(list(ACTIVATIONS))
        return {name: {}}, ACTIVATIONS[name]()

    def _move(self, shape: tuple[int, ...], _depth: int) -> Any:
        axes = len(shape) - 1
        kind = self.chance.randrange(4)
        if kind == 0:
            factor = self.chance.randint(1, 2)
            return {"upsample": {"factor": factor}}, nn.Upsample(scale_factor=factor)
        if kind == 1:
            pads = [[self.chance.randint(0, 2), self.chance.randint(0, 2)] for _ in range(axes)]
            flat = [side for pair in reversed(pads) for side in pair]
            return {"zero_pad": {"sides": pads}}, lambda x: functional.pad(x, flat)
        if kind == 2:
            start = self.chance.randint(0, shape[0] - 1)
            out = self.chance.randint(1, shape[0] - start)
            return {"slice": {"out": out, "start": start}}, lambda x: x[:, start : start + out]
        groups = self.chance.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
        return {"channel_shuffle": {"groups": groups}}, lambda x: x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(
            1, 2
        )

    def _merge(self, shape: tuple[int, ...], depth: int) -> Any:
        one, run_one, shape_one = self.chain(shape, self.chance.randint(1, 3), depth + 1)
        two, run_two, shape_two = self.chain(shape, self.chance.randint(1, 2), depth + 1)
        if shape_one == shape_two and self.chance.random() < 0.5:
            return {"add": {"one": one, "two": two}}, lambda x: run_one(x) + run_two(x)
        if len(shape_one) == len(shape_two) and shape_one[:-1] == shape_two[:-1]:
            return {"concat": {"one": one, "two": two, "axis": -1}}, lambda x: torch.cat((run_one(x), run_two(x)), -1)
        if shape_one[1:] == shape_two[1:]:
            return {"concat": {"one": one, "two": two}}, lambda x: torch.cat((run_one(x), run_two(x)), 1)
        if shape_one == shape:
            return {"add": {"one": one, "x": "x"}}, lambda x: run_one(x) + x
        return None

    def _gate(self, shape: tuple[int, ...], _depth: int) -> Any:
        axes = len(shape) - 1
        pool = ADAPTIVE[axes - 1](1)
        conv = self.module(CONVS[axes - 1](shape[0], shape[0], 1))
        steps = ["global_avg_pool", {"conv": {"out": shape[0], "kernel": 1}}, "sigmoid"]
        return {"multiply": {"map": "x", "gate": steps}}, lambda x: x * torch.sigmoid(conv(pool(x)))

    def _axis(self, shape: tuple[int, ...], _depth: int) -> Any:
        """A layer along one axis, which torch counts behind the batch."""
        axis = self.chance.randrange(len(shape))
        dim, size = axis + 1, shape[axis]
        kind = self.chance.randrange(9)
        if kind < 4:
            name, function = (
                ("softmax", functional.softmax),
                ("log_softmax", functional.log_softmax),
                ("mean", lambda x, dim: x.mean(dim, keepdim=True)),
                ("max", lambda x, dim: x.max(dim, keepdim=True).values),
            )[kind]
            return {name: {"axis": axis}}, lambda x: function(x, dim)
        if kind == 4:
            return {"l2_norm": {"axis": axis}}, lambda x: functional.normalize(x, dim=dim)
        if kind == 5:
            start = self.chance.randint(0, size - 1)
            out = self.chance.randint(1, size - start)
            return {"slice": {"out": out, "start": start, "axis": axis}}, lambda x: x.narrow(dim, start, out)
        if kind == 6:
            order = self.chance.sample(range(len(shape)), len(shape))
            return {"permute": {"order": order}}, lambda x: x.permute(0, *(place + 1 for place in order))
        if kind == 7:
            out, bias = self.chance.randint(1, 6), self.chance.random() < 0.5
            linear = self.module(nn.Linear(size, out, bias=bias))
            step = {"linear": {"out": out, "bias": bias, "axis": axis}}
            return step, lambda x: linear(x.movedim(dim, -1)).movedim(-1, dim)
        rms = self.chance.random() < 0.5
        norm = self.module(nn.RMSNorm(size) if rms else nn.LayerNorm(size))
        name = "rms_norm" if rms else "layer_norm"
        return {name: {"axis": axis}}, lambda x: norm(x.movedim(dim, -1)).movedim(-1, dim)

    def _projections(self, channels: int, outs: list[int], axes: int) -> tuple[list[list[Step]], list[nn.Module]]:
        """1x1 convolutions side by side, as branches and as modules."""
        steps: list[list[Step]] = [[{"conv": {"out": out, "kernel": 1}}] for out in outs]
        return steps, [self.module(CONVS[axes - 1](channels, out, 1)) for out in outs]

    def _attention(self, shape: tuple[int, ...], _depth: int) -> Any:
        axes, heads = len(shape) - 1, self.chance.randint(1, 3)
        keys, values = heads * self.chance.randint(1, 3), heads * self.chance.randint(1, 3)
        steps, (query, key, value) = self._projections(shape[0], [keys, keys, values], axes)
        window = [self.chance.choice([w for w in range(1, n + 1) if n % w == 0]) for n in shape[1:]]
        whole = self.chance.random() < 0.5
        sides = list(shape[1:]) if whole else window
        fields = {"heads": heads} if whole else {"heads": heads, "window": window}

        def tokens(x: Tensor) -> Tensor:
            """Windows, heads, positions, channels."""
            split = x[0].unflatten(0, (heads, -1))
            for axis, side in enumerate(sides):
                split = split.unflatten(2 + 2 * axis, (-1, side))
            order = [*range(2, 2 + 2 * axes, 2), 0, *range(3, 3 + 2 * axes, 2), 1]
            return split.permute(order).reshape(-1, heads, math.prod(sides), x.shape[1] // heads)

        def run(x: Tensor) -> Tensor:
            q, k, v = tokens(query(x)), tokens(key(x)), tokens(value(x))
            mixed = (q @ k.transpose(-2, -1)).softmax(-1) @ v
            return mixed.reshape(1, values, *shape[1:])  # the order of positions does not matter here

        return {"attention": {"query": steps[0], "key": steps[1], "value": steps[2], **fields}}, run

    def _product(self, shape: tuple[int, ...], _depth: int) -> Any:
        if len(shape) == 2:
            outs = [self.chance.randint(1, 4), self.chance.randint(1, 4)]
        else:
            outs = [self.chance.choice((1, 3)), 3]
        steps, (first, second) = self._projections(shape[0], outs, len(shape) - 1)
        transposed = self.chance.choice((None, "first", "second", "both"))

        def run(x: Tensor) -> Tensor:
            a, b = first(x), second(x)
            a = a.transpose(-2, -1) if transposed in ("first", "both") else a
            return a @ (b.transpose(-2, -1) if transposed in ("second", "both") else b)

        fields = {} if transposed is None else {"transpose": transposed}
        return {"matmul": {"a": steps[0], "b": steps[1], **fields}}, run

    def _recurrent(self, shape: tuple[int, ...], _depth: int) -> Any:
        name, layer = self.chance.choice((("rnn", nn.RNN), ("gru", nn.GRU)))
        hidden, layers = self.chance.randint(1, 5), self.chance.randint(1, 2)
        both, bias = self.chance.random() < 0.5, self.chance.random() < 0.5
        made = self.module(layer(shape[0], hidden, num_layers=layers, bidirectional=both, bias=bias, batch_first=True))
        fields = {"hidden": hidden, "layers": layers, "bidirectional": both, "biases": 2 if bias else 0}
        return {name: fields}, lambda x: made(x.flatten(2).transpose(1, 2))[0].transpose(1, 2).unflatten(2, shape[1:])

    def _broadcast(self, shape: tuple[int, ...], _depth: int) -> Any:
        """A tensor with one that has the size 1 along some axes."""
        axes = self.chance.sample(range(len(shape)), self.chance.randint(1, len(shape)))
        dims = [axis + 1 for axis in axes]
        name, function = self.chance.choice(
            (("add", torch.add), ("multiply", torch.mul), ("subtract", torch.sub), ("maximum", torch.maximum))
        )
        step = {name: {"map": "x", "mean": [{"mean": {"axis": axes}}]}}
        return step, lambda x: function(x, x.mean(dims, keepdim=True))


def flow(value: Any) -> str:
    """A spec as YAML in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(seed: int) -> str | None:
    """What differs between convcost and torch for one random network; None where nothing does."""
    maker = Maker(seed)
    spec, run, shape = maker.network()
    text = flow(spec)
    maker.modules.eval()
    used = FlopCounterMode(display=False)
    with torch.no_grad(), used:
        out = tuple(run(torch.zeros(1, *shape)).shape[1:])
    graph = convcost.loads(text)
    work = sum_work(graph.layers)
    ours = (graph.nodes[graph.output].shape, work.params, 2 * work.macs)
    theirs = (out, sum(_used_parameters(maker, run, shape)), used.get_total_flops())
    return None if ours == theirs else f"seed {seed}: convcost {ours}, torch {theirs}\n{text}"


def _used_parameters(maker: Maker, run: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> list[int]:
    """Sizes of the parameters of the modules that a run goes through: steps that torch refused were thrown away."""
    seen: dict[int, nn.Module] = {}
    hooks = [
        module.register_forward_hook(lambda m, _i, _o: seen.setdefault(id(m), m) and None) for module in maker.modules
    ]
    with torch.no_grad():
        run(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return [parameter.numel() for module in seen.values() for parameter in module.parameters()]


def main() -> None:
    """Check as many as asked for; exit 1 if one differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--graphs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    failed = 0
    for seed in range(options.seed, options.seed + options.graphs):
        difference = check(seed)
        if difference is not None:
            failed += 1
            sys.stdout.write(f"{difference}\n")
    sys.stdout.write(f"{options.graphs:,} random networks against torch {torch.__version__}: {failed} differ\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
