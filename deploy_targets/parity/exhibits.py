"""How an input is shown to a person. In: an array. Out: images, lines or a few numbers.

Nothing is hidden: what was stretched, thinned or left out for display is said beside it. To add a
form: a function that returns an Exhibit or None, and its place in `exhibit`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy_targets.parity.pictures import png
from deploy_targets.records import Array

ROWS, LINES, NUMBERS = 4, 4, 8
"""Rows of a batch, channels of a signal and single numbers that are shown at most."""

PIXELS, POINTS = 256, 400
"""The largest side of an image and the longest line, so that a page stays small."""

SHORTEST = 8
"""Fewer points than this along an axis are no signal, and smaller images no image."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Exhibit:
    """One input of one call. One of `images`, `lines` and `numbers` is there."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    said: str
    """What was done to show it."""
    images: tuple[tuple[int, bytes], ...] = ()
    """Row of the batch, and a PNG."""
    lines: tuple[tuple[float, ...], ...] = ()
    numbers: tuple[str, ...] = ()


def exhibit(name: str, array: Array, row: int = 0) -> Exhibit:
    """Shows an input; `row` is the row of the batch that matters, if the input has so many."""
    row = row if array.ndim and row < len(array) else 0
    return _images(name, array, row) or _lines(name, array, row) or _numbers(name, array, row)


def _images(name: str, array: Array, row: int) -> Exhibit | None:
    channels = _channels_of(array)
    if channels is None or not array.size:
        return None
    chosen = [row, *(r for r in range(len(array)) if r != row)][:ROWS]
    pixels = np.moveaxis(array[chosen].astype(np.float64), channels, -1)
    step = max(1, -(-max(pixels.shape[1:3]) // PIXELS))
    pixels = pixels[:, ::step, ::step]
    grey, low, high = _stretched(pixels)
    said = f"{_number(low)} is shown as black and {_number(high)} as white"
    if step > 1:
        said += f"; every {_ordinal(step)} pixel"
    if len(array) > len(chosen):
        said += f"; {len(chosen)} of {len(array)} rows"
    shown = tuple((r, png(image)) for r, image in zip(chosen, grey, strict=True))
    return Exhibit(name, array.dtype.name, array.shape, said, images=shown)


def _channels_of(array: Array) -> int | None:
    """The axis of one or three channels of what looks like a batch of images."""
    if array.ndim != 4 or array.dtype.kind not in "fu":
        return None
    for channels, sides in ((1, (2, 3)), (3, (1, 2))):
        large = all(array.shape[side] >= SHORTEST for side in sides)
        if array.shape[channels] in (1, 3) and large:
            return channels
    return None


def _stretched(pixels: Floats) -> tuple[NDArray[np.uint8], float, float]:
    finite = np.isfinite(pixels)
    low = float(pixels.min(initial=np.inf, where=finite))
    high = float(pixels.max(initial=-np.inf, where=finite))
    if not low < high:
        low, high = (low, low + 1) if np.isfinite(low) else (0.0, 1.0)
    # Halved first: the distance between two extremes of a dtype is beyond it.
    part = (np.where(finite, pixels, low) / 2 - low / 2) / (high / 2 - low / 2)
    return np.rint(part * 255).astype(np.uint8), low, high


def _lines(name: str, array: Array, row: int) -> Exhibit | None:
    if array.dtype.kind != "f" or not 1 <= array.ndim <= 3 or not array.size:
        return None
    one = array[row] if array.ndim > 1 else array
    one = one if one.ndim == 2 else one[None]
    # Time is the longer axis of the two.
    one = one if one.shape[1] >= one.shape[0] else one.T
    if one.shape[1] < SHORTEST or not np.isfinite(one).all():
        return None
    step = max(1, -(-one.shape[1] // POINTS))
    lines = tuple(tuple(float(v) for v in line[::step]) for line in one[:LINES])
    said = f"row {row}" if array.ndim > 1 and len(array) > 1 else ""
    if len(one) > LINES:
        said += f"; {LINES} of {len(one)} lines"
    if step > 1:
        said += f"; every {_ordinal(step)} point"
    return Exhibit(name, array.dtype.name, array.shape, said.removeprefix("; "), lines=lines)


def _numbers(name: str, array: Array, row: int) -> Exhibit:
    batched = array.ndim > 1 and len(array) > row
    flat = (array[row] if batched else array).ravel()
    numbers = tuple(_number(value) for value in flat[:NUMBERS])
    said = f"row {row}" if batched and len(array) > 1 else ""
    if flat.size > NUMBERS:
        said += f"; the first {NUMBERS} of {flat.size:,}"
    return Exhibit(name, array.dtype.name, array.shape, said.removeprefix("; "), numbers=numbers)


def _number(value: object) -> str:
    if isinstance(value, np.bool_):
        return str(value).lower()
    if isinstance(value, np.integer):
        return f"{int(value):,}"
    return f"{float(value):.4g}" if isinstance(value, (np.floating, float)) else str(value)


def _ordinal(step: int) -> str:
    return {2: "second", 3: "third"}.get(step, f"{step}th")
