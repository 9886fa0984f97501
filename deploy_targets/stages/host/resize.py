"""An image of another size, by the arithmetic of Pillow or of torch.

In: [height, width, channels], levels 0..255. Out: the same at the new size, uint8 where Pillow is
the convention ("pil") and float32, not rounded, where torch is ("torch" averages over what a pixel
covers, "none" only looks at its neighbours). Pillow's is Pillow itself; torch's is numpy, in
float32 as there, so that places and weights round alike. Another method is a function that gives
`_Taps`, and a line in `_taps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    Weigh = Callable[[np.ndarray], np.ndarray]

_FILTERS = getattr(Image, "Resampling", Image)  # before Pillow 9.1 they are the module's own
_PILLOW = {
    "nearest": _FILTERS.NEAREST,
    "bilinear": _FILTERS.BILINEAR,
    "bicubic": _FILTERS.BICUBIC,
    "area": _FILTERS.BOX,
}


def resize(
    value: np.ndarray,
    frame: dict[str, Any],
    *,
    to: list[int] | None,
    shorter: int | None,
    longer: int | None,
    interpolation: str,
    antialias: str,
    passes: str = "width",
) -> np.ndarray:
    """The image at another size; `frame` learns where its pixels went. `passes` is of "pil"."""
    old = value.shape[:2]
    new = new_size(old, to, shorter, longer)
    # Edges map to edges, and so every offset so far is stretched with the image.
    ratio = (new[1] / old[1], new[0] / old[0])
    frame["to_model"] = [a * b for a, b in zip(frame["to_model"], ratio * 2, strict=True)]
    if antialias == "pil":
        return by_pillow(value, new, interpolation, passes)
    for axis in (0, 1):
        taps = _taps(old[axis], new[axis], interpolation, antialias)
        value = _weighed(value.swapaxes(0, axis), taps).swapaxes(0, axis)
    return np.ascontiguousarray(value)


def new_size(
    old: tuple[int, int], to: list[int] | None, shorter: int | None, longer: int | None
) -> tuple[int, int]:
    """Height and width afterwards. The side that follows is rounded down, but never to nothing."""
    if to is not None:
        return to[0], to[1]
    side, against = (shorter, min(old)) if shorter is not None else (longer, max(old))
    assert side is not None
    return max(1, side * old[0] // against), max(1, side * old[1] // against)


def by_pillow(
    value: np.ndarray, new: tuple[int, int], interpolation: str, passes: str
) -> np.ndarray:
    """One resize by the Pillow that `passes` names, by whatever Pillow is installed."""
    grey = value.shape[2] == 1
    image = Image.fromarray(value[:, :, 0] if grey else value)
    # One side at a time is the same in every Pillow. What is in between is rounded, and so the
    # order can be seen: by up to 31 levels of bicubic, and by one of the others.
    tall = height_first(passes, (image.height, image.width), new)
    between = (image.width, new[0]) if tall else (new[1], image.height)
    for size in (between, (new[1], new[0])):
        image = image.resize(size, _PILLOW[interpolation])
    pixels = np.array(image)
    return pixels[:, :, None] if grey else pixels


def height_first(passes: str, old: tuple[int, int], new: tuple[int, int]) -> bool:
    """Whether Pillow begins with the height: "width" (up to 12.1) never, "12.2" where the image is
    over 100 times as tall as wide, "13" where it loses over twice as many rows as columns."""
    lost = old[0] - new[0], old[1] - new[1]
    if passes == "12.2":
        return lost[0] > 0 and old[0] > 100 * old[1]
    return passes == "13" and lost[0] > 0 and lost[0] > 2 * lost[1]


@dataclass(frozen=True)
class _Taps:
    """For each new row: the old rows that it is made of, and their weights. Both [new, taps]."""

    rows: np.ndarray
    weights: np.ndarray


def _weighed(value: np.ndarray, taps: _Taps) -> np.ndarray:
    """New rows from old ones. Row by row, since the whole in float32 would be four times as large
    as the photo."""
    made = np.empty((len(taps.rows), *value.shape[1:]), np.float32)
    for row, (rows, weights) in enumerate(zip(taps.rows, taps.weights, strict=True)):
        used = value[rows].reshape(len(rows), -1).astype(np.float32)
        made[row] = (weights @ used).reshape(value.shape[1:])
    return made


def _taps(old: int, new: int, interpolation: str, antialias: str) -> _Taps:
    if interpolation == "nearest":
        return _nearest(old, new)
    if interpolation == "area":
        return _area(old, new)
    if antialias == "torch":
        return _antialiased(old, new, interpolation)
    return _linear(old, new) if interpolation == "bilinear" else _cubic(old, new)


def _nearest(old: int, new: int) -> _Taps:
    rows = np.floor(np.arange(new, dtype=np.float32) * _scale(old, new)).astype(np.int64)
    return _Taps(np.minimum(rows, old - 1)[:, None], np.ones((new, 1), np.float32))


def _area(old: int, new: int) -> _Taps:
    """The mean of all old rows that a new one touches, each counted in full."""
    i = np.arange(new, dtype=np.int64)
    first, end = i * old // new, -((i + 1) * -old // new)
    return _spans(first, end, old, lambda rows: np.ones(rows.shape, np.float32))


def _antialiased(old: int, new: int, interpolation: str) -> _Taps:
    scale = _scale(old, new)
    spread = max(scale, np.float32(1))
    support = np.float32(1 if interpolation == "bilinear" else 2) * spread
    centre = scale * (np.arange(new, dtype=np.float32) + np.float32(0.5))
    first = np.maximum(np.floor(centre - support + np.float32(0.5)), 0).astype(np.int64)
    end = np.minimum(np.floor(centre + support + np.float32(0.5)), old).astype(np.int64)

    def weigh(rows: np.ndarray) -> np.ndarray:
        away = rows.astype(np.float32) - centre[:, None] + np.float32(0.5)
        return _kernel(away * (np.float32(1) / spread), interpolation, -0.5)

    return _spans(first, end, old, weigh)


def _spans(first: np.ndarray, end: np.ndarray, old: int, weigh: Weigh) -> _Taps:
    """Taps from spans of rows of unequal length; the weights of each new row sum to 1."""
    rows = first[:, None] + np.arange((end - first).max())
    weights = np.where(rows < end[:, None], weigh(rows), np.float32(0))
    weights /= weights.sum(axis=1, keepdims=True)
    return _Taps(np.minimum(rows, old - 1), weights)


def _kernel(away: np.ndarray, interpolation: str, a: float) -> np.ndarray:
    x = np.abs(away)
    if interpolation == "bilinear":
        linear: np.ndarray = np.maximum(np.float32(1) - x, np.float32(0))
        return linear
    k = np.float32(a)
    near = ((k + 2) * x - (k + 3)) * x * x + 1
    far = ((k * x - 5 * k) * x + 8 * k) * x - 4 * k
    return np.where(x < 1, near, np.where(x < 2, far, np.float32(0)))


def _linear(old: int, new: int) -> _Taps:
    place = np.maximum(_places(old, new), np.float32(0))
    first = np.minimum(place.astype(np.int64), old - 1)
    share = np.clip(place - first.astype(np.float32), np.float32(0), np.float32(1))
    rows = np.stack([first, np.minimum(first + 1, old - 1)], axis=1)
    return _Taps(rows, np.stack([1 - share, share], axis=1))


def _cubic(old: int, new: int) -> _Taps:
    place = _places(old, new)
    first = np.floor(place)
    share = (place - first)[:, None]
    offsets = np.arange(-1, 3)
    rows = np.clip(first.astype(np.int64)[:, None] + offsets, 0, old - 1)
    return _Taps(rows, _kernel(share - offsets.astype(np.float32), "bicubic", -0.75))


def _places(old: int, new: int) -> np.ndarray:
    """Where the centre of each new row lies, in old rows. Rounded once, at the end: torch's
    machine code multiplies and subtracts in one step."""
    centres = np.arange(new, dtype=np.float64) + 0.5
    return (np.float64(_scale(old, new)) * centres - 0.5).astype(np.float32)


def _scale(old: int, new: int) -> np.float32:
    return np.float32(old) / np.float32(new)
