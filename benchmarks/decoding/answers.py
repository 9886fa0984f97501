"""What other pixels do to an answer: EfficientNet-Lite0, photo by photo."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

EXAMPLE = Path(__file__).parents[2] / "examples" / "efficientnet-lite0"
Classify = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Change:
    """Of the answers to some photos, against those to Pillow's pixels."""

    photos: int
    same: int
    """Photos with the same best class."""
    middle: float
    """Median relative L2 of the logits."""
    largest: float
    times: float
    """The largest relative L2 in units of the photo's own `noise`."""


def change(base: list[np.ndarray], other: list[np.ndarray], noise: list[float]) -> Change:
    """Logits of Pillow's pixels and of others, photo by photo."""
    pairs = list(zip(base, other, strict=True))
    away = [relative_l2(right, got) for right, got in pairs]
    return Change(
        photos=len(pairs),
        same=sum(int(right.argmax() == got.argmax()) for right, got in pairs),
        middle=float(np.median(away)),
        largest=max(away),
        times=max(one / usual for one, usual in zip(away, noise, strict=True)),
    )


def relative_l2(right: np.ndarray, got: np.ndarray) -> float:
    """Of one photo's logits."""
    return float(np.linalg.norm(got - right) / np.linalg.norm(right))


def classifier() -> Classify:
    """Pixels to 1000 logits, in float32. Raises ImportError where the example is not set up."""
    import torch

    sys.path.insert(0, str(EXAMPLE))
    # The package tells stdout that it has loaded its weights.
    with contextlib.redirect_stdout(sys.stderr):
        from model import efficientnet_lite0
        from preprocessing import preprocess

        model = efficientnet_lite0()

    def run(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            given = torch.from_numpy(preprocess(Image.fromarray(pixels)))[None]
            return model(given)[0].numpy()

    return run
