"""What kind of difference two tensors have: each kind is found, and none is found by mistake."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from deploy_targets.parity.difference import (
    apart,
    kind_of_difference,
    kinds_of_answers,
    worst_index,
)
from deploy_targets.records import Array

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.normal(size=(3, 4, 8, 8)).astype(np.float32)


def int8(array: Array) -> Array:
    """Through 8 bits and back."""
    scale = np.abs(array).max() / 127
    return (np.round(array / scale) * scale).astype(np.float32)


def bfloat16(array: Array) -> Array:
    """Through bfloat16 and back."""
    import ml_dtypes

    return array.astype(ml_dtypes.bfloat16).astype(np.float32)


def one_nan(array: Array) -> Array:
    """A NaN in one place."""
    changed = array.copy()
    changed.flat[17] = np.nan
    return changed


def one_slice_off(array: Array) -> Array:
    """One channel is another."""
    changed = array.copy()
    changed[:, 2] += RANDOM.normal(size=changed[:, 2].shape).astype(np.float32)
    return changed


KINDS: dict[str, tuple[Callable[[Array], Array], str, str]] = {
    "rows reversed": (lambda a: a[::-1], "layout", "axis 0 is reversed"),
    "channels reversed": (lambda a: a[:, ::-1], "layout", "axis 1 is reversed"),
    "channels mixed": (lambda a: a[:, [2, 0, 3, 1]], "layout", "[2, 0, 3, 1]"),
    "height and width": (lambda a: a.swapaxes(2, 3), "layout", "order [0, 1, 3, 2]"),
    "NHWC for NCHW": (lambda a: a.transpose(0, 2, 3, 1), "layout", "order [0, 2, 3, 1]"),
    "read as NHWC": (
        lambda a: a.transpose(0, 2, 3, 1).reshape(a.shape),
        "layout",
        "had been read as",
    ),
    "flattened": (lambda a: a.reshape(3, -1), "layout", "the same elements in the same order"),
    "cropped": (lambda a: a[..., 1:], "shape", "[3, 4, 8, 7], expected [3, 4, 8, 8]"),
    "NaN": (one_nan, "not finite", "1 of 768 elements are NaN"),
    "infinite": (lambda a: np.where(a > 2, np.inf, a), "not finite", "are infinite"),
    "frozen": (np.zeros_like, "frozen", "every element is 0.0"),
    "scaled": (lambda a: a * np.float32(1.01), "scaled", "1.01 times"),
    "offset": (lambda a: a + np.float32(0.5), "scaled", "off by 0.5"),
    "scaled by channel": (
        lambda a: a * np.array([1, 2, 3, 4], np.float32)[:, None, None],
        "scaled",
        "each slice of axis 1",
    ),
    "ReLU too many": (lambda a: np.maximum(a, 0), "clipped", "are clipped to 0"),
    "float16": (lambda a: a.astype(np.float16).astype(a.dtype), "precision", "float16"),
    "bfloat16": (bfloat16, "precision", "bfloat16"),
    "int8": (int8, "precision", "8 bits"),
    "one channel": (one_slice_off, "other", "only in 1 of 4 slices of axis 1: 2"),
    "unrelated": (lambda a: RANDOM.normal(size=a.shape).astype(a.dtype), "other", "of 768"),
    "float64": (lambda a: a.astype(np.float64), "dtype", "float64, expected float32"),
    "the same": (lambda a: a.copy(), "none", "every bit agrees"),
}


@pytest.mark.parametrize("case", KINDS)
def test_a_kind_is_told_and_described(case: str) -> None:
    change, kind, words = KINDS[case]
    found = kind_of_difference(IMAGE, change(IMAGE))
    assert (found.kind, words in found.words) == (kind, True), found


def test_a_relu_that_is_missing_shows_as_values_that_are_not_clipped() -> None:
    found = kind_of_difference(np.maximum(IMAGE, 0), IMAGE)
    assert (found.kind, found.words) == (
        "clipped",
        f"the artifact's values are not clipped to 0..{IMAGE.max():.4g}",
    )


@pytest.mark.parametrize(
    "array",
    [
        np.float32(1.5).reshape(()),
        np.zeros((0, 3), np.float32),
        np.arange(6).reshape(2, 3),
        np.array([True, False, True]),
        np.array(["a", "b"]),
        np.array([1e38, -1e38, 3e38], np.float32),
        np.full((2, 2), np.nan, np.float32),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_every_dtype_and_shape_is_taken_without_a_warning(array: Array) -> None:
    assert kind_of_difference(array, array.copy()).kind == "none"
    assert apart(array, array.copy()) == 0
    other = array.copy()
    if array.size:
        other.flat[0] = other.flat[-1] if array.dtype.kind == "U" else 0
        if not np.array_equal(array, other, equal_nan=array.dtype.kind == "f"):
            assert kind_of_difference(array, other).kind not in ("none", "")
            assert apart(array, other) > 0
            assert worst_index(array, other) == (0,) * array.ndim


def test_nan_is_infinitely_far_unless_the_original_says_it_too() -> None:
    want = np.array([1, np.nan, 3], np.float32)
    assert apart(want, want.copy()) == 0
    assert apart(want, np.array([1, 2, 3], np.float32)) == math.inf
    assert apart(np.ones(3, np.float32), want) == math.inf
    assert worst_index(np.ones(3, np.float32), want) == (1,)


def test_outputs_in_each_others_place_are_told_from_wrong_ones() -> None:
    want = {"low": IMAGE, "high": IMAGE + 3, "other": IMAGE[0]}
    got = {"low": want["high"], "high": want["low"], "other": IMAGE[0], "new": IMAGE}
    found = kinds_of_answers(want, got)
    assert {name: said.kind for name, said in found.items()} == {
        "low": "exchanged",
        "high": "exchanged",
        "new": "extra",
    }
    assert found["low"].words == "what should be low comes as high"
    assert kinds_of_answers(want, {"low": IMAGE})["other"].kind == "missing"
