"""Networks of the catalogue against the same ones of torchvision: ``python tests/zoo.py`` (needs torchvision).

Each is built by torchvision for 37 classes and run on zeros at four sizes, two of them odd; its parameters and half of
what ``torch.utils.flop_counter.FlopCounterMode`` counts must be the params and MACs that convcost says.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

import convcost

CLASSES = 37
SIZES = ((224, 224), (193, 193), (256, 192), (97, 131))
DEEP = {"aux_logits": False, "init_weights": False}
REGNETS = ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")
Arguments = dict[str, Any]
PAIRS: tuple[tuple[str, Arguments, str, Arguments], ...] = (  # ours, its parameters; torchvision's, its arguments
    ("alexnet", {"variant": "torchvision"}, "alexnet", {}),
    *((f"vgg{depth}", {}, f"vgg{depth}", {}) for depth in (11, 13, 16, 19)),
    ("vgg13", {"batch_norm": True}, "vgg13_bn", {}),
    ("googlenet", {"variant": "torchvision"}, "googlenet", DEEP),
    ("inception_v3", {}, "inception_v3", DEEP),
    *((f"resnet{depth}", {}, f"resnet{depth}", {}) for depth in (18, 34, 50, 101, 152)),
    ("resnext50", {}, "resnext50_32x4d", {}),
    ("resnext101", {}, "resnext101_64x4d", {}),
    ("resnext101", {"C": 32, "d": 8}, "resnext101_32x8d", {}),
    ("wide_resnet50_2", {}, "wide_resnet50_2", {}),
    *((f"squeezenet1_{minor}", {}, f"squeezenet1_{minor}", {}) for minor in (0, 1)),
    *((f"densenet{depth}", {}, f"densenet{depth}", {}) for depth in (121, 161, 169, 201)),
    *(("mobilenet_v2", {"alpha": alpha}, "mobilenet_v2", {"width_mult": alpha}) for alpha in (0.35, 1.0, 1.4)),
    *((f"mobilenet_v3_{size}", {}, f"mobilenet_v3_{size}", {}) for size in ("small", "large")),
    ("mnasnet_b1", {}, "mnasnet1_0", {}),
    *((f"efficientnet_b{step}", {}, f"efficientnet_b{step}", {}) for step in range(8)),
    *((f"convnext_{size}", {}, f"convnext_{size}", {}) for size in ("tiny", "small", "base", "large")),
    *(
        ("shufflenet_v2", {"width": width}, f"shufflenet_v2_x{name}", {})
        for width, name in ((0.5, "0_5"), (1.0, "1_0"), (1.5, "1_5"), (2.0, "2_0"))
    ),
    *((f"regnet_{kind}_{size}", {}, f"regnet_{kind}_{size}", {}) for kind in "xy" for size in REGNETS),
)


def theirs(name: str, arguments: Arguments, size: tuple[int, int]) -> tuple[int, int]:
    """Parameters and MACs of torchvision's network, run on zeros of ``size``."""
    model = getattr(torchvision.models, name)(num_classes=CLASSES, **arguments).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, *size))
    return sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops() // 2


def ours(name: str, parameters: Arguments, size: tuple[int, int]) -> tuple[object, object]:
    """Parameters and MACs that convcost says."""
    totals = convcost.analyze(convcost.load(name, classes=CLASSES, input=(3, *size), **parameters)).totals
    return totals.params, totals.macs


def main() -> None:
    """Compare all; exits 1 if any differs."""
    differ = 0
    for name, parameters, other, arguments in PAIRS:
        for size in SIZES:
            found, expected = ours(name, parameters, size), theirs(other, arguments, size)
            if found != expected:
                differ += 1
                print(f"{name} {parameters} at {size}: {found}, torchvision's {other}: {expected}")
        sys.stderr.write(".")
    print(f"\n{len(PAIRS)} networks at {len(SIZES)} sizes: {differ} differ")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
