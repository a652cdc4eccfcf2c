"""A handful of random networks against PyTorch, where it is installed; ``tests/differential.py`` does a thousand."""

from __future__ import annotations

import pytest
from differential import check


@pytest.mark.parametrize("seed", range(5000, 5025))
def test_random_network(seed: int) -> None:
    assert check(seed) is None
