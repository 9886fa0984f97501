"""Measures how far an answer is from the original's. Decides nothing.

Two arrays and the original's own noise go in, a `Distance` comes out. A whole output can hide a
wrong part of it, and so each slice along each axis and each element are measured, too, each in
units of what the original itself strays there.

Standard library and numpy alone, and no syntax newer than Python 3.8: this file and judge.py
travel into bundles that prove themselves where they run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any  # a numpy array: this file must not depend on how newer versions spell its type

NAN = float("nan")
FEW = 8
"""Slices of fewer elements than this are left to the measure by element."""

FLUSHED = float(np.finfo(np.float32).tiny)
"""Some runtimes flush to zero what is smaller than the smallest normal number."""

OCTAVES = 24
"""Bins of the histogram: error over noise below 2^-4, then one for each doubling."""


@dataclass(frozen=True)
class Distance:
    """How far two arrays of the same shape are apart."""

    max_abs: float
    relative_l2: float
    cosine: float
    whole: float = 0.0
    part: float = 0.0
    part_at: str = ""
    element: float = 0.0
    element_at: tuple[int, ...] = ()
    expected: float = NAN
    answered: float = NAN
    jumped: int = 0
    size: int = 0
    task: dict[str, float] = field(default_factory=dict)
    histogram: tuple[int, ...] = ()


@dataclass(frozen=True)
class Jumps:
    """What may be left out: so many elements that stray beyond a limit, yet no further than far."""

    count: int = 0
    beyond: float = math.inf  # in units of noise
    far: float = 0.0  # in the output's unit


def measure(
    want: Array,
    got: Array,
    noise: Array | None = None,
    granted: float = 0.0,
    jumps: Jumps | None = None,
    batch: int | None = None,
) -> Distance:
    """Measures floats near, anything else exactly.

    `noise` has the shape of `want`; without it only rounding of the answer itself is excused.
    `granted` is an error, relative to the size of each row along the axis `batch`, that counts as
    noise. Both arrays must have the same shape.
    """
    if want.dtype.kind in "iubSUO":
        return _exactly(want, got)
    w, g = want.astype(np.float64), got.astype(np.float64)
    apart = _apart(w, g)
    sigma = _sigma(want, noise, granted, batch)
    with np.errstate(all="ignore"):
        ratio = apart / sigma
    out = _jumping(apart, ratio, jumps or Jumps())
    whole, part, part_at = _slices(np.where(out, 0.0, apart), sigma)
    worst = _worst(np.where(out, 0.0, ratio))
    return Distance(
        max_abs=float(apart.max(initial=0.0)),
        relative_l2=relative_l2(w, np.where(out | (apart <= FLUSHED), w, g)),
        cosine=cosine(w, g),
        whole=whole,
        part=part,
        part_at=part_at,
        element=float(ratio[worst]) if w.size else 0.0,
        element_at=worst,
        expected=float(w[worst]) if w.size else NAN,
        answered=float(g[worst]) if w.size else NAN,
        jumped=int(np.count_nonzero(out)),
        size=w.size,
        histogram=_histogram(ratio),
    )


def relative_l2(want: Array, got: Array) -> float:
    """|want - got| / |want|. Equal infinities and NaN in the same places count as equal."""
    w, g = _comparable(want, got)
    with np.errstate(all="ignore"):
        apart, size = float(np.linalg.norm(w - g)), float(np.linalg.norm(w))
    if apart == 0:
        return 0.0
    return apart / size if size else math.inf


def cosine(want: Array, got: Array) -> float:
    """The cosine of the angle between two tensors, in float64; 1 where both are zero.

    Equal infinities and NaN in the same places are left out.
    """
    w, g = _comparable(want, got)
    with np.errstate(all="ignore"):
        scale = float(np.linalg.norm(w)) * float(np.linalg.norm(g))
        if scale == 0:
            return 1.0 if not w.any() and not g.any() else 0.0
        return float(w @ g) / scale


def rounding(want: Array) -> Array:
    """One unit in the last place of each element, of float32's where it is no other float of
    numpy's; never zero."""
    info = np.finfo(want.dtype if want.dtype.kind == "f" else np.float32)
    near = np.where(np.isfinite(want), np.abs(want.astype(np.float64)), 0.0)
    return np.maximum(near * float(info.eps), FLUSHED)


def _exactly(want: Array, got: Array) -> Distance:
    wrong = np.asarray(want != got)
    where = _worst(wrong.astype(np.float64))
    numbers = want.dtype.kind in "iub" and bool(want.size)
    w, g = (want.astype(np.float64), got.astype(np.float64)) if numbers else (wrong * 0.0, wrong)
    return Distance(
        max_abs=float(np.abs(w - g).max(initial=0.0)),
        # How many differ decides, and not how far: there is no near for a label.
        relative_l2=0.0,
        cosine=cosine(w, g),
        element_at=where,
        expected=float(w[where]) if numbers else NAN,
        answered=float(g[where]) if numbers else NAN,
        jumped=int(np.count_nonzero(wrong)),
        size=int(want.size),
    )


def _apart(w: Array, g: Array) -> Array:
    """|w - g|; zero for equal infinities and for NaN in both."""
    same = ~np.isfinite(w) & ((w == g) | (np.isnan(w) & np.isnan(g)))
    with np.errstate(all="ignore"):
        return np.where(same, 0.0, np.abs(w - g))


def _sigma(want: Array, noise: Array | None, granted: float, batch: int | None) -> Array:
    sigma, w = rounding(want), want.astype(np.float64)
    if noise is not None:
        sigma = np.maximum(sigma, noise.astype(np.float64))
    if granted:
        sigma = np.hypot(sigma, granted * _scale(w, batch))
    return sigma


def _scale(w: Array, batch: int | None) -> Array:
    """What an error is granted in proportion to: the size of a row or, where that is less, of a
    column, lest scores vanish beside boxes of hundreds of pixels."""
    square = np.where(np.isfinite(w), w, 0.0) ** 2
    if not w.ndim or not w.size:
        return np.sqrt(square)
    others = tuple(axis for axis in range(w.ndim) if axis != batch)
    row = np.sqrt(square.mean(others, keepdims=True))
    column = np.sqrt(square.mean(tuple(range(w.ndim - 1)), keepdims=True))
    # A column of zeros still shares the scale of its neighbours in a quantized tensor.
    return np.minimum(row, np.maximum(column, 1e-3 * row)) if w.ndim > 1 else row


def _jumping(apart: Array, ratio: Array, jumps: Jumps) -> Array:
    """The elements to leave out: those that stray most, as many as may jump as far."""
    out = np.zeros(ratio.shape, bool)
    if jumps.count:
        may = np.flatnonzero((ratio > jumps.beyond) & (apart <= jumps.far))
        strayed = np.argsort(-ratio.ravel()[may], kind="stable")
        out.ravel()[may[strayed[: jumps.count]]] = True
    return out


def _slices(apart: Array, sigma: Array) -> tuple[float, float, str]:
    """Root mean squares of error over noise: of the whole, and of the worst slice and its place."""
    if not apart.size:
        return 0.0, 0.0, ""
    # Squares of what is tiny would vanish, and of what is huge overflow.
    scale = float(sigma.max())
    with np.errstate(all="ignore"):
        error, own = (apart / scale) ** 2, (sigma / scale) ** 2
    whole = _root(error.mean(), own.mean())
    part, at = 0.0, ""
    for axis in range(apart.ndim):
        others = tuple(other for other in range(apart.ndim) if other != axis)
        if apart.shape[axis] == 1 or apart.size // apart.shape[axis] < FEW:
            continue
        with np.errstate(all="ignore"):
            found = _root(error.mean(others), own.mean(others))
        worst = int(_worst(found)[0])
        if not found[worst] <= part:
            part, at = float(found[worst]), f"axis {axis}, index {worst}"
    return float(whole), part, at


def _root(error: Array, own: Array) -> Array:
    # Noise so small that its square vanished beside the largest: any error there counts.
    return np.sqrt(error / np.maximum(own, np.finfo(np.float64).tiny))


def _worst(ratio: Array) -> tuple[int, ...]:
    if not ratio.size:
        return ()
    # argmax takes a NaN for the largest, which is what is wanted here.
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))


def _histogram(ratio: Array) -> tuple[int, ...]:
    with np.errstate(all="ignore"):
        octave = np.floor(np.log2(ratio)) + 5
    bins = np.clip(np.nan_to_num(octave, nan=OCTAVES, neginf=0), 0, OCTAVES - 1).astype(int)
    return tuple(int(count) for count in np.bincount(bins.ravel(), minlength=OCTAVES))


def _comparable(want: Array, got: Array) -> tuple[Array, Array]:
    """Both as float64 vectors, without what is not finite and equal, and scaled so that no square
    overflows or vanishes."""
    w, g = want.astype(np.float64).ravel(), got.astype(np.float64).ravel()
    same = ~np.isfinite(w) & ((w == g) | (np.isnan(w) & np.isnan(g)))
    w, g = np.where(same, 0, w), np.where(same, 0, g)
    largest = float(np.abs(w).max(initial=0.0, where=np.isfinite(w)))
    return (w / largest, g / largest) if largest else (w, g)
