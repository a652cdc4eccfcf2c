"""Functions of numpy that compiled kernels call."""

from __future__ import annotations

from functools import reduce

import numpy as np

FUNCTIONS = {
    "gcd": np.gcd,
    "maximum": lambda *values: reduce(np.maximum, values),
    "minimum": lambda *values: reduce(np.minimum, values),
}
