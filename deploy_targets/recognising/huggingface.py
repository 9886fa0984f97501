"""Image processors of transformers, and the dictionaries in their preprocessor_config.json.

A processor answers with a dictionary and not with the tensor, so that it is asked here, and cannot
be named as `reference`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deploy_targets.recognising.found import Found
from deploy_targets.recognising.photo import LEVELS, Photo, pair

KEYS = ("do_resize", "do_normalize", "do_rescale", "image_mean")
BILINEAR = 2  # Pillow's number
NOT_SAID = ("do_pad", "do_thumbnail", "do_align_long_axis", "rescale_offset", "do_image_splitting")


def recognise(thing: object) -> Found | None:
    """None where it is neither such an object nor such a dictionary."""
    config = thing if isinstance(thing, Mapping) else _of_object(thing)
    if config is None or sum(key in config for key in KEYS) < 2:
        return None
    photo = Photo()
    if any(
        "Torchvision" in kind.__name__ or "Fast" in kind.__name__ for kind in type(thing).__mro__
    ):
        photo.tensor(scaled=False)  # it resizes tensors, and not Pillow's images
    _sized(photo, config)
    photo.tensor(scaled=False)
    if config.get("do_rescale", True):
        photo.floats(float(config.get("rescale_factor") or LEVELS))
    else:
        photo.floats(1.0)
    if config.get("do_normalize", True) and config.get("image_mean") is not None:
        photo.normalise("do_normalize", config["image_mean"], config["image_std"])
    if config.get("do_flip_channel_order"):
        photo.bgr()
    for key in NOT_SAID:
        if config.get(key):
            photo.cannot(key, "cannot be said")
    left_out = tuple(photo.left_out)
    if thing is config:
        return Found("the settings of an image processor", photo.table, left_out)
    name = type(thing).__name__
    return Found(f"a transformers {name}", photo.table, left_out, call=_asked(thing))


def _of_object(thing: object) -> Mapping[str, Any] | None:
    """Its settings, where a class of transformers says them."""
    if not any(kind.__module__.startswith("transformers.") for kind in type(thing).__mro__):
        return None
    inner: Any = getattr(thing, "image_processor", thing)
    said = inner.to_dict() if hasattr(inner, "to_dict") else None
    return said if isinstance(said, Mapping) else None


def _asked(thing: Any) -> Callable[[Any], Any]:
    def call(image: Any) -> Any:
        processor = getattr(thing, "image_processor", thing)
        return processor(images=image, return_tensors="np")["pixel_values"]

    return call


def _sized(photo: Photo, config: Mapping[str, Any]) -> None:
    if config.get("do_resize"):
        _resize(photo, config)
    if config.get("do_center_crop"):
        size = config.get("crop_size") or config.get("size")
        sides = (size["height"], size["width"]) if isinstance(size, Mapping) else pair(size)
        photo.cannot("do_center_crop", "it rounds a margin down, and here it is to the even number")
        photo.crop("do_center_crop", sides)


def _resize(photo: Photo, config: Mapping[str, Any]) -> None:
    size, kind = config.get("size"), config.get("resample", BILINEAR)
    if isinstance(size, int):
        # Written before sizes had names: those who crop keep the proportions.
        size = {"shortest_edge": size} if config.get("do_center_crop") else _square(size)
    if not isinstance(size, Mapping):
        photo.cannot("do_resize", f"size = {size} is not known here")
    elif config.get("crop_pct") and "shortest_edge" in size:
        _cropped(photo, size["shortest_edge"], config["crop_pct"], kind)
    elif size.get("height") and size.get("width"):
        photo.resize("do_resize", {"to": [size["height"], size["width"]]}, kind)
    elif size.get("shortest_edge") and not size.get("longest_edge"):
        photo.resize("do_resize", {"shorter": size["shortest_edge"]}, kind)
    else:
        photo.cannot("do_resize", f"size = {dict(size)} cannot be said")


def _cropped(photo: Photo, side: int, share: float, kind: object) -> None:
    """ConvNeXT: small ones are cropped from a larger, large ones squeezed."""
    if side >= 384:
        photo.resize("do_resize", {"to": [side, side]}, kind)
    else:
        photo.resize("do_resize", {"shorter": int(side / share)}, kind)
        photo.crop("crop_pct", (side, side))


def _square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}
