"""Whether an answer satisfies a case: what every room that implements the steps has to ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np

from deploy_targets.records import Array
from deploy_targets.testing.vectors.case import Case
from deploy_targets.testing.vectors.slack import Slack

FRAME = 1e-9
"""Relative, of each number of a frame: float64 throughout."""


def wrong(case: Case, outputs: Mapping[str, Array], frame: Mapping[str, Any] | None) -> str:
    """What is wrong with an answer, in words; empty where the case is satisfied.

    `frame` is None where an implementation has none: a graph knows nothing of the photo.
    """
    if set(outputs) != set(case.outputs):
        return f"gave {sorted(outputs)}, expected {sorted(case.outputs)}"
    for name, expected in case.outputs.items():
        if said := _wrong(case.slack[name], expected, np.asarray(outputs[name])):
            return f"{name}: {said}"
    if frame is not None and not _same_frame(case.frame_after, frame):
        return f"the frame is {dict(frame)}, expected {dict(case.frame_after)}"
    return ""


def _wrong(slack: Slack, expected: Array, got: Array) -> str:
    if slack.kind == "json":
        return _apart(json.loads(expected.tobytes()), json.loads(got.tobytes()), slack.value)
    if slack.kind == "picture":
        return "" if _pixels(expected.tobytes()) == _pixels(got.tobytes()) else "another picture"
    if (got.dtype, got.shape) != (expected.dtype, expected.shape):
        return f"{got.dtype}{list(got.shape)}, expected {expected.dtype}{list(expected.shape)}"
    off = _off(slack.kind, expected, got)
    return "" if off <= slack.value else f"off by {slack.kind} {off:.3g}, at most {slack.value:g}"


def _off(kind: str, expected: Array, got: Array) -> float:
    """By how much; infinite where one has a number and the other has none, or another infinity."""
    if kind == "exact" or not expected.size:
        same = np.array_equal(expected, got, equal_nan=expected.dtype.kind == "f")
        return 0.0 if same else np.inf
    wide, other = expected.astype(np.float64), got.astype(np.float64)
    sound = np.isfinite(wide)
    if not np.array_equal(wide[~sound], other[~sound], equal_nan=True):
        return np.inf
    apart = np.where(sound, wide, 0) - np.where(sound, other, 0)
    if not np.isfinite(apart).all():
        return np.inf
    if kind == "absolute":
        return float(np.abs(apart).max())
    return float(np.linalg.norm(apart)) / max(float(np.linalg.norm(wide[sound])), 1e-30)


def _apart(expected: Any, got: Any, value: float, key: str = "") -> str:
    """Where two JSON values part ways. Numbers are float32; a PNG is what it shows."""
    if isinstance(expected, dict) and isinstance(got, dict) and set(expected) == set(got):
        found = (_apart(expected[k], got[k], value, k) for k in expected)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        found = (_apart(*pair, value, key) for pair in zip(expected, got, strict=True))
    elif _number(expected) and _number(got):
        one, other = np.float32(expected), np.float32(got)
        near = abs(one - other) <= value * max(abs(float(one)), 1e-30)
        return "" if one == other or near else f"{key} is {got}, expected {expected}"
    elif key == "png" and isinstance(got, str):
        same = _pixels(_plain(expected)) == _pixels(_plain(got))
        return "" if same else "another png"
    else:
        same = type(expected) is type(got) and expected == got
        return "" if same else f"{key} is {got!r}, expected {expected!r}"
    return next(filter(None, found), "")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(text: str) -> bytes:
    import base64

    return base64.b64decode(text)


def _pixels(png: bytes) -> Any:
    """Its size, which colour each pixel is in the palette, and the palette as far as it is used."""
    from PIL import Image

    image = Image.open(BytesIO(png))
    indices = np.asarray(image)
    palette = image.getpalette() or []
    used = {int(i): tuple(palette[3 * i : 3 * i + 3]) for i in np.unique(indices)}
    return image.mode, indices.shape, indices.tobytes(), used


def _same_frame(expected: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    if set(expected) != set(got):
        return False
    pairs = [(np.asarray(expected[key]), np.asarray(got[key])) for key in expected]
    return all(a.shape == b.shape and np.allclose(a, b, FRAME, 0) for a, b in pairs)
