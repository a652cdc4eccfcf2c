"""Modules of torchvision against PyTorch's own counter: ``python tests/modules.py [NAME ...]`` (needs torchvision).

Each classification model is built without weights and run without numbers. Its parameters, without those of heads
that an evaluation does not run, and half of what ``torch.utils.flop_counter.FlopCounterMode`` counts must be what
convcost says.
"""

from __future__ import annotations

import sys

import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import convcost

QUIET = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}


def built(name: str) -> nn.Module:
    """A model without weights, on the device ``meta``."""
    arguments = QUIET.get(name, {})
    if name.startswith("regnet"):  # reads numbers while it is built
        return torchvision.models.get_model(name, weights=None, **arguments).eval().to("meta")
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None, **arguments).eval()


def check(name: str) -> str | None:
    """What differs for one model; None where nothing does."""
    model = built(name)
    size = 299 if name == "inception_v3" else 224
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, size, size, device="meta"))
    params = sum(tensor.numel() for own, tensor in model.named_parameters() if "aux" not in own.lower())
    graph = convcost.load(convcost.from_torch(model, input=(3, size, size)))
    totals = convcost.analyze(graph).totals
    ours, theirs = (totals.params, totals.macs), (params, counter.get_total_flops() // 2)
    return (
        None
        if ours == theirs and not graph.unknown
        else f"{name}: convcost {ours}, PyTorch {theirs}, {graph.unknown[:3]}"
    )


def main() -> None:
    """Compare all, or those named; exits 1 if any differs."""
    names = sys.argv[1:] or torchvision.models.list_models(module=torchvision.models)
    differ = [text for text in map(check, names) if text is not None]
    print(*differ, f"{len(names)} models: {len(differ)} differ", sep="\n")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
