"""What follows from an output, for outputs whose `kind` is declared: the class, the boxes.

Two answers can be near and yet say another class, or in another order and yet say the same boxes.
Numpy alone: this file travels with compare.py. To add a kind: a function, and its line in `TASKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any

OVERLAP = 0.95
"""Intersection over union from which two boxes are the same box."""

MOST_BOXES = 1000
"""More rows than this are no set of results but a grid of candidates, whose order is fixed."""


def agreement(kind: str, want: Array, got: Array, unsure: Array) -> dict[str, float]:
    """Shares of decisions that are the original's: {"top1": 1.0, "top5": 1.0}.

    `unsure`, of the same shape, says how far each score may stray before the original itself could
    decide otherwise; within it several decisions are right.
    """
    if kind not in TASKS or not want.size or want.dtype.kind not in "fV":
        return {}
    return TASKS[kind](*(array.astype(np.float64) for array in (want, got, unsure)))


def kind_of_rows(kind: str, batch: Any, want: Array) -> str:
    """The kind; plain for boxes whose rows are a batch: questions of their own, and no set."""
    return "plain" if kind == "detection" and batch == want.ndim - 2 else kind


def arranged(kind: str, want: Array, got: Array) -> Array:
    """`got` in the order of `want`, for kinds whose rows are a set; others as they are."""
    if kind != "detection" or not _boxes(want) or want.shape != got.shape or not want.size:
        return got
    if want.shape[-1] == 4:
        # Boxes alone: their scores lie in another output, whose order is theirs.
        return got
    w, g = (array.reshape(-1, *array.shape[-2:]) for array in (want, got))
    return np.stack([g[i][_partners(w[i], g[i])] for i in range(len(w))]).reshape(got.shape)


def _classes(want: Array, got: Array, unsure: Array) -> dict[str, float]:
    found = {"top1": _chosen(want, got, unsure, 1)}
    return found if want.shape[-1] <= 5 else {**found, "top5": _chosen(want, got, unsure, 5)}


def _pixels(want: Array, got: Array, unsure: Array) -> dict[str, float]:
    # Classes lie on the second axis, or on the last: there are fewer of them than of pixels.
    axis = 1 if want.ndim > 2 and want.shape[1] <= want.shape[-1] else -1
    w, g, u = (np.moveaxis(array, axis, -1) for array in (want, got, unsure))
    return {"pixels": _chosen(w, g, u, 1)}


def _steps(want: Array, got: Array, unsure: Array) -> dict[str, float]:
    return {"steps": _chosen(want, got, unsure, 1)}


def _same_boxes(want: Array, got: Array, unsure: Array) -> dict[str, float]:
    """Of boxes that are `arranged` already."""
    if not _boxes(want):
        return {}
    w, g = (array.reshape(-1, array.shape[-1])[:, :4] for array in (want, got))
    # A row without an area (padding, no number) is judged by its numbers alone.
    empty = (w[:, 2:] <= w[:, :2]).any(-1) | ~np.isfinite(w).all(-1)
    same = [
        empty[i] or _overlap(w[i : i + 1], g[i : i + 1])[0, 0] >= OVERLAP for i in range(len(w))
    ]
    return {"boxes": float(np.mean(same))}


TASKS: dict[str, Callable[[Array, Array, Array], dict[str, float]]] = {
    "classifier": _classes,
    "segmentation": _pixels,
    "sequence": _steps,
    "detection": _same_boxes,
}


def _chosen(want: Array, got: Array, unsure: Array, count: int) -> float:
    """The share of rows whose `count` largest elements are such in the original, too."""
    w, g, u = (array.reshape(-1, array.shape[-1]) for array in (want, got, unsure))
    chosen = np.argsort(-g, axis=-1, kind="stable")[:, :count]
    last = np.argsort(-w, axis=-1, kind="stable")[:, count - 1 : count]
    need = np.take_along_axis(w, last, -1) - np.take_along_axis(u, last, -1)
    has = np.take_along_axis(w + u, chosen, -1)
    # An original that says NaN is right where the artifact says it at the same place.
    lost = np.isnan(w).any(-1) & np.isnan(g).any(-1)
    return float(np.mean((has >= need).all(-1) | lost))


def _boxes(want: Array) -> bool:
    """Whether the last two axes are rows of x1, y1, x2, y2 and whatever else is said of each."""
    return bool(want.ndim >= 2 and want.shape[-1] >= 4 and want.shape[-2] <= MOST_BOXES)


def _partners(want: Array, got: Array) -> list[int]:
    """For each box of `want` the index in `got`: greedily, each taken once, order breaking ties."""
    free, found = set(range(len(got))), []
    overlap = _overlap(want[:, :4], got[:, :4])
    rest = np.abs(want[:, None, 4:] - got[None, :, 4:]).sum(-1)
    for row in range(len(want)):
        # Several labels can share one box: their scores and classes tell them apart.
        same = overlap[row] >= OVERLAP
        best = max(free, key=lambda i: (same[i], -rest[row, i], overlap[row, i], i == row))
        free.remove(best)
        found.append(best)
    return found


def _overlap(want: Array, got: Array) -> Array:
    low = np.maximum(want[:, None, :2], got[None, :, :2])
    high = np.minimum(want[:, None, 2:4], got[None, :, 2:4])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    sizes = [np.prod(np.clip(b[:, 2:4] - b[:, :2], 0, None), axis=-1) for b in (want, got)]
    union = sizes[0][:, None] + sizes[1][None] - shared
    with np.errstate(all="ignore"):
        return np.where(union > 0, shared / union, 0.0)
