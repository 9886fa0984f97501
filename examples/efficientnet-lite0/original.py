"""The original's best class for each photo, as JSON: foolbox and PyTorch alone, nothing of ours."""

from __future__ import annotations

import contextlib
import json
import sys

import torch
from model import efficientnet_lite0
from preprocessing import by_foolbox


def best() -> dict[str, int]:
    """Photo, named as its sample, -> class."""
    images, labels = by_foolbox()
    with torch.inference_mode():
        classes = efficientnet_lite0()(torch.from_numpy(images)).argmax(1)
    names = [f"photo-{number:02}-{label}" for number, label in enumerate(labels)]
    return dict(zip(names, classes.tolist(), strict=True))


if __name__ == "__main__":
    # The package tells stdout that it has loaded its weights.
    with contextlib.redirect_stdout(sys.stderr):
        classes = best()
    json.dump(classes, sys.stdout)
