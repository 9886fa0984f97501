"""How far pixels are from Pillow's, in levels; and whether a random move by a level is like it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

Pixels = np.ndarray
"""uint8[height, width, 3]."""
Pair = tuple[Pixels, Pixels]
"""Pillow's, and another decoder's of the same file."""


@dataclass(frozen=True)
class Count:
    """Samples (one channel of one pixel) by how many levels they differ."""

    samples: int
    by_one: int
    by_two: int
    by_more: int
    largest: int

    @property
    def differ(self) -> int:
        """By any level."""
        return self.by_one + self.by_two + self.by_more


@dataclass(frozen=True)
class Shape:
    """What the differences are like, where `Count` says how many there are."""

    bias: float
    """Mean difference, signed, in levels."""
    rms: float
    channels: tuple[float, float, float]
    """Share of samples that differ in red, green, blue."""
    together: float
    """Correlation of what red and blue are moved by at one pixel."""
    beside: float
    """Correlation of what a sample and its right neighbour are moved by."""
    resized: float
    """RMS of what is left once the differences are resized as the example's model resizes."""
    edges: float
    """Share of all squared difference that lies in the tenth of pixels of the steepest chroma."""


def count(pairs: Iterable[Pair]) -> Count:
    """Over all pairs. Raises ValueError where two are not of one shape, or there are none."""
    apart = np.concatenate([np.abs(signed(*pair)).ravel() for pair in pairs])
    return Count(
        samples=apart.size,
        by_one=int((apart == 1).sum()),
        by_two=int((apart == 2).sum()),
        by_more=int((apart > 2).sum()),
        largest=int(apart.max()),
    )


def signed(base: Pixels, other: Pixels) -> np.ndarray:
    """int16[height, width, 3], other - base."""
    if base.shape != other.shape:
        raise ValueError(f"pixels of {base.shape} and {other.shape} cannot be compared")
    return other.astype(np.int16) - base


def shape(pairs: Iterable[Pair]) -> Shape:
    """Over all pairs, of which some must differ."""
    pairs = list(pairs)
    moved = [signed(*pair).astype(np.float64) for pair in pairs]
    every = np.concatenate([one.reshape(-1, 3) for one in moved])
    left = np.concatenate([one[:, :-1].ravel() for one in moved])
    right = np.concatenate([one[:, 1:].ravel() for one in moved])
    steep = np.concatenate([steepest(base).ravel() for base, _ in pairs])
    return Shape(
        bias=float(every.mean()),
        rms=float(np.sqrt((every**2).mean())),
        channels=tuple((every != 0).mean(0).tolist()),
        together=_correlation(every[:, 0], every[:, 2]),
        beside=_correlation(left, right),
        resized=float(np.sqrt(np.mean([(_resized(one) ** 2).mean() for one in moved]))),
        edges=float((every[steep] ** 2).sum() / (every**2).sum()),
    )


def steepest(pixels: Pixels) -> np.ndarray:
    """bool[height, width]: the tenth of the pixels at which chroma changes most."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64), -1, 0)
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    steep = sum(np.hypot(*np.gradient(colour - bright)) for colour in (red, blue))
    chosen = np.zeros(steep.size, bool)
    chosen[np.argsort(steep, axis=None, kind="stable")[-(steep.size // 10) :]] = True
    return chosen.reshape(steep.shape)


def _resized(moved: np.ndarray) -> np.ndarray:
    """To 224 x 224, bicubic. It is linear, so that of the differences is the difference of both."""
    planes = [Image.fromarray(plane) for plane in np.moveaxis(moved.astype(np.float32), -1, 0)]
    return np.stack(
        [np.asarray(one.resize((224, 224), Image.Resampling.BICUBIC)) for one in planes]
    )


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if one.std() == 0 or other.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def at_random(pixels: Pixels, levels: int, seed: int) -> Pixels:
    """Every sample moved by -levels, 0 or +levels: what a verdict is told of another decoder."""
    from deploy_targets.runtime import Rounding
    from deploy_targets.stages.compose import _moves

    move = _moves(Rounding.DECODER, levels, np.random.default_rng(seed))
    return move("decode_image", pixels, b"\xff\xd8\xff")
