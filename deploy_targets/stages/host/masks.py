"""Masks: from scores of each pixel to the class of each pixel, on the photo as it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Tensors = dict[str, Any]


_SLACK = 1e-6
"""Of a pixel: rounding must not decide where a centre lies on the border of two pixels."""


def argmax(tensors: Tensors, of: str, frame: Any, axis: int) -> None:
    """The class of the largest score along `axis`, uint8: of equal ones the lower, NaN never."""
    scores = tensors[of].astype(np.float32)
    worth = np.where(np.isnan(scores), np.float32(-np.inf), scores)
    tensors[of] = worth.argmax(axis).astype(np.uint8)


def above(tensors: Tensors, of: str, frame: Any, axis: int, at: float) -> None:
    """1 where the only score along `axis` is above `at`, else 0; uint8."""
    scores = tensors[of].astype(np.float32).squeeze(axis)
    tensors[of] = (scores > np.float32(at)).astype(np.uint8)


def resize_mask(tensors: Tensors, of: str, frame: Any, input: str, size: list[int] | None) -> None:
    """[1, h, w] of what the model saw -> [1, height, width] of the photo.

    A pixel takes the class at its own centre, on a border the later one; a pixel that the model did
    not see, that of the nearest that it saw. `size` is what the model saw, where the mask is of
    another size.
    """
    mask = tensors[of]
    (height, width), (sx, sy, ox, oy) = frame["size"], frame["to_model"]
    tall, wide = size or mask.shape[1:]
    rows = _nearest(height, sy, oy, mask.shape[1], tall)
    columns = _nearest(width, sx, ox, mask.shape[2], wide)
    tensors[of] = mask[:, rows[:, None], columns]


def _nearest(count: int, by: float, offset: float, have: int, saw: int) -> Any:
    centres = ((np.arange(count) + 0.5) * by + offset) * (have / saw)
    return np.clip(np.floor(centres + _SLACK), 0, have - 1).astype(np.int64)
