"""The layers. Importing this package fills the registry."""

from __future__ import annotations

from convcost.layers import activation, conv, merge, norm, parameter, pool, product, recurrent, reshape
from convcost.layers.base import REGISTRY, Layer, Shape, Work

__all__ = [
    "REGISTRY",
    "Layer",
    "Shape",
    "Work",
    "activation",
    "conv",
    "merge",
    "norm",
    "parameter",
    "pool",
    "product",
    "recurrent",
    "reshape",
]
