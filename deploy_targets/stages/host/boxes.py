"""Boxes: from all that a detector proposes to the few that are meant, on the photo as it was sent.

A box counts where its score is above the limit and all its corners are finite. One class at a time,
the best box is taken and those that overlap it by more than `iou` are left out. Everything is
float32 in the order written here, so that other implementations can come to the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .scores import descending

if TYPE_CHECKING:
    Tensors = dict[str, Any]


def detections(
    tensors: Tensors,
    of: str,
    frame: Any,
    scores: str | None,
    layout: str,
    scores_layout: str,
    format: str,
    unit: str,
    size: list[int] | None,
    background: int | None,
    best: bool,
    iou: float,
    score: float,
    max: int,
) -> None:
    """`<of>` becomes float32 [found, 6]: x1, y1, x2, y2, score, class; best first, at most `max`.

    Of equal scores the lower class is first, then the lower index of the proposal. `layout` "rows"
    is [1, proposals, 4], "columns" [1, 4, proposals]; without `scores` they follow the four.
    """
    boxes = _rows(tensors.pop(of), layout)
    marks = boxes[:, 4:] if scores is None else _rows(tensors.pop(scores), scores_layout)
    with np.errstate(all="ignore"):
        corners = _corners(boxes[:, :4], format, size if unit == "relative" else None)
        marks = _worth(marks, corners, background, best)
        found = [
            np.column_stack([corners[kept], marks[kept, kind], np.full(len(kept), kind)])
            for kind in range(marks.shape[1])
            for kept in [_without_overlaps(corners, marks[:, kind], iou, score, max)]
        ]
    together = np.concatenate([np.zeros((0, 6)), *found]).astype(np.float32)
    tensors[of] = together[descending(together[:, 4])[:max]]


def unframe(tensors: Tensors, of: str, frame: Any, input: str) -> None:
    """Boxes in pixels of what the model saw -> in pixels of the photo, and within it.

    `frame` is that of `input`, as for every step that names one.
    """
    (height, width), (sx, sy, ox, oy) = frame["size"], frame["to_model"]
    boxes = tensors[of].astype(np.float64)
    boxes[:, :4] = (boxes[:, :4] - [ox, oy, ox, oy]) / [sx, sy, sx, sy]
    boxes[:, :4] = np.clip(boxes[:, :4], 0, [width, height, width, height])
    tensors[of] = boxes.astype(np.float32)


def _rows(tensor: Any, layout: str) -> Any:
    """[1, …] of one item -> a row for each proposal, float32."""
    if tensor.shape[0] != 1:
        raise ValueError(f"boxes are found for one item at a time, not for {tensor.shape[0]}")
    item = tensor[0].astype(np.float32)
    return item if layout == "rows" else item.T


def _corners(boxes: Any, format: str, size: list[int] | None) -> Any:
    first, second = boxes[:, :2], boxes[:, 2:]
    if format == "xywh":
        second = first + second
    elif format == "cxcywh":
        half = second * np.float32(0.5)
        first, second = first - half, first + half
    corners = np.concatenate([first, second], 1)
    return corners if size is None else corners * np.array([size[1], size[0]] * 2, np.float32)


def _worth(marks: Any, corners: Any, background: int | None, best: bool) -> Any:
    """The scores, and minus infinity for what can never be found."""
    never = np.float32(-np.inf)
    marks = np.where(np.isnan(marks) | ~np.isfinite(corners).all(1, keepdims=True), never, marks)
    kinds = np.arange(marks.shape[1])
    if background is not None:
        marks = np.where(kinds == background, never, marks)
    if best:
        marks = np.where(kinds == marks.argmax(1)[:, None], marks, never)
    return marks


def _without_overlaps(corners: Any, marks: Any, iou: float, score: float, most: int) -> Any:
    """Which proposals stay, best first. Equal to the limit is not above it, for both limits."""
    left = descending(marks)
    left = left[marks[left] > np.float32(score)]
    kept: list[int] = []
    while len(left) and len(kept) < most:
        kept.append(int(left[0]))
        left = left[1:][~(_overlap(corners[left[0]], corners[left[1:]]) > np.float32(iou))]
    return np.array(kept, np.int64)


def _overlap(one: Any, others: Any) -> Any:
    """Intersection over union; 0 where there is no area. Corners may come in either order."""
    low, high = np.minimum(one[:2], one[2:]), np.maximum(one[:2], one[2:])
    lows = np.minimum(others[:, :2], others[:, 2:])
    highs = np.maximum(others[:, :2], others[:, 2:])
    shared = np.minimum(high, highs) - np.maximum(low, lows)
    common = shared[:, 0] * shared[:, 1]
    area, areas = (high - low).prod(), (highs - lows).prod(1)
    union = area + areas - common
    meet = (shared > 0).all(1) & (common > 0) & (area > 0) & (areas > 0) & (union > 0)
    return np.where(meet, common / union, np.float32(0))
