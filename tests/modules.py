"""Modules of torchvision and timm against PyTorch's own counter: ``python tests/modules.py [NAME ...] [--write]``.

Each classification, segmentation and detection model of torchvision, and one model or two of each file of timm
(``timm:NAME``), is built without weights and run without numbers. Its parameters, without those of heads that an
evaluation does not run, must be what convcost says, and so must half of what
``torch.utils.flop_counter.FlopCounterMode`` counts. Every layer with multiply-accumulates is in a module of the model.
Of a detector the backbone and the heads are run, with as many regions as torchvision takes: what is between them
depends on the values of tensors.

``--write`` records what PyTorch counts in ``tests/data/torch_models.csv``.
"""

from __future__ import annotations

import copy
import csv
import importlib.metadata
import sys
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import convcost

FILE = Path(__file__).parent / "data" / "torch_models.csv"
TIMM = "timm:"
REGIONS, DETECTIONS = 1000, 100  # rpn_post_nms_top_n_test and box_detections_per_img of torchvision
QUIET = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}
SIZES = {"inception_v3": 299, "ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320}
SLOW = ("sequencer2d_l",)  # its run on tensors without elements takes more than five minutes
MANY = 25  # models of a file of timm from which a second is taken


class Detector(nn.Module):
    """The backbone and the heads of a detector."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> list[Any]:
        """What the heads say of all places, and of the regions that they are given."""
        net = self.net
        features = net.backbone(x)
        maps = [features] if isinstance(features, Tensor) else list(features.values())
        if not hasattr(net, "rpn"):
            return [net.head(maps)]
        heads = net.roi_heads
        channels = net.backbone.out_channels
        outputs = [net.rpn.head(maps)]
        outputs.append(heads.box_predictor(heads.box_head(x.new_zeros((REGIONS, channels, 7, 7)))))
        for kind in ("mask", "keypoint"):
            head, predictor = (getattr(heads, f"{kind}_{part}", None) for part in ("head", "predictor"))
            if head is not None and predictor is not None:
                outputs.append(predictor(head(x.new_zeros((DETECTIONS, channels, 14, 14)))))
        return outputs


class Counted(NamedTuple):
    """What is compared."""

    params: int
    macs: int


def torchvision_names() -> list[str]:
    """Models of a single image."""
    modules = (torchvision.models, torchvision.models.segmentation, torchvision.models.detection)
    return [name for module in modules for name in torchvision.models.list_models(module=module)]


def timm_names() -> list[str]:
    """The first model of each file of timm, and of a file with many one from their middle."""
    from timm.models import list_models, list_modules  # noqa: PLC0415 - where it is installed

    files = [sorted(list_models(module=module)) for module in sorted(list_modules())]
    chosen = [[names[0], *([names[len(names) // 2]] if len(names) > MANY else [])] for names in files if names]
    return [f"{TIMM}{name}" for names in chosen for name in names if name not in SLOW]


def made(name: str) -> nn.Module:
    """A model without weights."""
    if name.startswith(TIMM):
        import timm  # noqa: PLC0415 - where it is installed

        model: nn.Module = timm.create_model(name.removeprefix(TIMM), pretrained=False)
        return model
    detectors = torchvision.models.list_models(module=torchvision.models.detection)
    segments = torchvision.models.list_models(module=torchvision.models.segmentation)
    arguments: dict[str, Any] = {"weights_backbone": None} if name in (*detectors, *segments) else {}
    model = torchvision.models.get_model(name, weights=None, **arguments, **QUIET.get(name, {}))
    return Detector(model) if name in detectors else model


def built(name: str) -> nn.Module:
    """A model without weights, on the device ``meta``."""
    try:
        with torch.device("meta"):
            return made(name).eval().to("meta")
    except (NotImplementedError, RuntimeError):  # it reads numbers while it is built
        return made(name).eval().to("meta")


def size_of(name: str, model: Any) -> tuple[int, ...]:
    """Channels and sizes of the image."""
    if name.startswith(TIMM):
        return tuple(model.default_cfg["input_size"])
    size = SIZES.get(name, 224)
    return (3, size, size)


def by_pytorch(model: nn.Module, shape: tuple[int, ...], *, auxiliary: bool) -> Counted:
    """Half of what PyTorch's counter counts in a run, and the parameters, of auxiliary heads only where these run."""
    # no_grad would do, but the counter asks some modules for their gradients
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *shape, device="meta"))
    params = sum(tensor.numel() for own, tensor in model.named_parameters() if auxiliary or "aux" not in own)
    return Counted(params, counter.get_total_flops() // 2)


def check(name: str) -> tuple[Counted, tuple[int, ...], str]:
    """What PyTorch counts of a model, its input, and what differs; nothing where nothing does."""
    model = built(name)
    shape = size_of(name, model)
    theirs = by_pytorch(copy.deepcopy(model), shape, auxiliary=name.startswith(TIMM))  # it may keep what it computes
    graph = convcost.load(convcost.from_torch(model, input=shape))
    totals = convcost.analyze(graph).totals
    ours = Counted(totals.params, totals.macs)
    modules = {own.replace(".", "/") for own, _ in model.named_modules()}
    heavy = [node.path.partition("#")[0] for node in graph.layers if node.work.macs]
    lost = [path for path in heavy if path not in modules and path.rpartition("/")[0] not in modules]
    if ours == theirs and graph.status == "complete" and not lost:
        return theirs, shape, ""
    return theirs, shape, f"{name}: convcost {ours}, PyTorch {theirs}, {graph.unknown[:3]}, outside {lost[:3]}"


def main() -> None:
    """Compare all, or those named; exits 1 if any differs."""
    names = [name for name in sys.argv[1:] if name != "--write"] or [*torchvision_names(), *timm_names()]
    rows, failed = [], 0
    for name in names:
        try:
            counted, shape, differs = check(name)
        except Exception as error:  # noqa: BLE001 - a model that cannot be run is one line of many
            print(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}", flush=True)
            failed += 1
            continue
        print(differs or f"{name}: {counted.macs:,} MACs", flush=True)
        failed += bool(differs)
        rows.append((name, "x".join(map(str, shape)), *counted))
    print(f"{len(names)} models: {failed} differ")
    if "--write" in sys.argv:
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "torchvision", "timm"))
        with FILE.open("w", encoding="utf-8", newline="") as stream:
            stream.write(
                f"# Parameters, and half of what FlopCounterMode counts, by {versions}: python tests/modules.py\n"
            )
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("model", "input", "params", "macs"))
            writer.writerows(rows)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
