"""How far answers are from each other, as one number; what is not finite is farther than all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

FAR = 1e6


def distance(want: Mapping[str, np.ndarray], got: Mapping[str, np.ndarray]) -> float:
    """The largest relative L2 of any tensor; missing ones and other dtypes and shapes are far."""
    if want.keys() != got.keys():
        return FAR
    return max((_of_one(want[name], got[name]) for name in want), default=0.0)


def _of_one(want: np.ndarray, got: np.ndarray) -> float:
    if (want.dtype, want.shape) != (got.dtype, got.shape):
        return FAR
    if not want.size:
        return 0.0
    here, there = want.astype(np.float64), got.astype(np.float64)
    if not np.isfinite(there).all():
        return FAR * float(1 + np.mean(~np.isfinite(there)))
    size = float(np.linalg.norm(here))
    return float(np.linalg.norm(there - here)) / (size or 1.0)
