"""timm's data_config: {"input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode"}.

As `timm.data.resolve_data_config` gives it; a model's `pretrained_cfg` has the same keys and more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from deploy_targets.recognising.found import Found
from deploy_targets.recognising.photo import Photo

KEYS = {"input_size", "mean", "std"}
CROP_PCT = 0.875  # where none is said


def recognise(thing: object) -> Found | None:
    """None where it is no such dictionary."""
    if not isinstance(thing, Mapping) or not set(thing) >= KEYS:
        return None
    photo = Photo()
    _sized(photo, thing)
    photo.tensor(scaled=True)
    photo.normalise("mean", thing["mean"], thing["std"])
    if thing["input_size"][0] == 1:
        photo.table["colour"] = "grey"
    return Found("timm's data_config", photo.table, tuple(photo.left_out))


def _sized(photo: Photo, config: Mapping[str, Any]) -> None:
    """By crop_mode, as `create_transform` does it."""
    size = [int(side) for side in config["input_size"][1:]]
    scaled = [math.floor(side / (config.get("crop_pct") or CROP_PCT)) for side in size]
    kind = config.get("interpolation") or "bilinear"
    mode = config.get("crop_mode") or "center"
    if mode == "squash":
        photo.resize("resize", {"to": scaled}, kind)
    elif scaled[0] != scaled[1]:
        photo.cannot(f"crop_mode {mode}", f"to fit {scaled[0]} x {scaled[1]} cannot be said")
    elif mode == "border":
        photo.cannot("crop_mode border", "the border has the mean's colours; here it is black")
        photo.resize("resize", {"longer": scaled[0]}, kind)
    else:
        photo.resize("resize", {"shorter": scaled[0]}, kind)
    photo.crop("crop", size)
