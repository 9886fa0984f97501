"""Transforms of torchvision, versions 1 and 2, and timm's own beside them.

Told by the names of their classes and their attributes, so that neither has to be installed here.
To add a transform: a function from it to what it does to a `Photo`, and a line in `STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from deploy_targets.recognising.found import Found
from deploy_targets.recognising.photo import Photo, pair

ROOMS = ("torchvision.transforms", "timm.data")
CHAINS = ("Compose", "Sequential")
NOTHING = ("Identity", "ToPureTensor", "RGB")
"""Nothing changes: photos are RGB when they come here."""


def recognise(thing: object) -> Found | None:
    """None where it is no transform, nor a chain of them."""
    name = type(thing).__name__
    steps = list(_flat(thing))
    chain = name in CHAINS and any(_is_transform(step) or _known(step) for step in steps)
    if not (chain or (_is_transform(thing) and _known(thing))):
        return None
    photo = Photo()
    for step in steps:
        _take(photo, step)
    what = f"a {_room(thing) or 'torchvision'} {name}"
    call: Any = thing
    return Found(what, photo.table, tuple(photo.left_out), call=call, direct=callable(thing))


def _flat(thing: Any) -> Iterator[object]:
    """The steps of a chain, of chains in it, too."""
    if type(thing).__name__ not in CHAINS:
        yield thing
        return
    # A Compose has a list of them, and a torch Sequential is one.
    for step in getattr(thing, "transforms", thing):
        yield from _flat(step)


def _is_transform(thing: object) -> bool:
    return any(kind.__module__.startswith(ROOMS) for kind in type(thing).__mro__)


def _room(thing: object) -> str:
    module = type(thing).__module__.partition(".")[0]
    return module if module in ("torchvision", "timm") else ""


def _known(thing: object) -> bool:
    name = type(thing).__name__
    return name in STEPS or name in NOTHING or name.startswith("Random")


def _take(photo: Photo, step: Any) -> None:
    name = type(step).__name__
    if name in STEPS:
        STEPS[name](photo, step)
    elif name.startswith("Random") or name in TRAINING:
        photo.cannot(name, "for training, not for inference")
    elif name in ("Lambda", "function"):
        photo.cannot(name, "what a function of your own does cannot be read")
    elif name not in NOTHING:
        photo.cannot(name, "a step that is not known here")


def _resize(photo: Photo, step: Any) -> None:
    most: Any = getattr(step, "max_size", None)
    size: dict[str, Any]
    if step.size is None:
        size = {"longer": int(most)}
    elif isinstance(step.size, int) or len(step.size) == 1:
        size = {"shorter": pair(step.size)[0]}
        if most is not None:
            photo.cannot("Resize", f"max_size = {most} cannot be said")
    else:
        size = {"to": list(pair(step.size))}
    photo.resize("Resize", size, step.interpolation, getattr(step, "antialias", True) is not False)


def _keep_ratio(photo: Photo, step: Any) -> None:
    """timm's: sides are rounded to the nearest, where all others round down."""
    height, width = pair(step.size)
    side = {0.0: "shorter", 1.0: "longer"}.get(float(step.longest))
    if side is None or height != width:
        photo.cannot("ResizeKeepRatio", f"to fit {height} x {width} cannot be said")
    else:
        photo.cannot("ResizeKeepRatio", "it rounds the other side to the nearest, here it is down")
        photo.resize("ResizeKeepRatio", {side: height}, step.interpolation)
    if step.random_scale_prob or step.random_aspect_prob:
        photo.cannot("ResizeKeepRatio", "its random scale is for training, not for inference")


def _crop(photo: Photo, step: Any) -> None:
    photo.crop("CenterCrop", pair(step.size))


def _crop_or_pad(photo: Photo, step: Any) -> None:
    fill = _one(step.fill)
    longer = photo.table.get("resize", {}).get("longer", 1 << 30)
    if fill not in (0, None) and longer <= min(pair(step.size)):
        photo.pad("CenterCropOrPad", pair(step.size), float(fill or 0))
        return
    if fill != 0:
        photo.cannot("CenterCropOrPad", f"fill = {step.fill} cannot be said; 0 is in its place")
    photo.crop("CenterCropOrPad", pair(step.size))


def _pad(photo: Photo, step: Any) -> None:
    given = [step.padding] if isinstance(step.padding, int) else list(step.padding)
    left, top, right, bottom = given * (4 // len(given))
    fill = _one(step.fill)
    if step.padding_mode != "constant" or fill is None:
        photo.cannot("Pad", f"{step.padding_mode} padding with {step.fill} cannot be said")
    else:
        photo.border("Pad", (left, top, right, bottom), float(fill))


def _one(fill: Any) -> float | None:
    """The level of all channels; None where each has its own."""
    if isinstance(fill, dict):
        fill = next(iter(fill.values()), 0)
    several = fill if isinstance(fill, list | tuple) else [fill or 0]
    return several[0] if len(set(several)) == 1 else None


def _grey(photo: Photo, step: Any) -> None:
    photo.grey("Grayscale", step.num_output_channels)


def _scaled(photo: Photo, step: Any) -> None:
    photo.tensor(scaled=True)


def _levels(photo: Photo, step: Any) -> None:
    photo.tensor(scaled=False)


def _dtype(photo: Photo, step: Any) -> None:
    """ConvertImageDtype scales; ToDtype does where it is told to."""
    dtype = step.dtype
    if isinstance(dtype, dict):
        images = [kind for key, kind in dtype.items() if getattr(key, "__name__", key) != "Mask"]
        dtype = images[0] if images else "None"
    if "float" not in str(dtype):
        photo.cannot(type(step).__name__, f"to {dtype}: only floats follow from levels")
    elif getattr(step, "scale", True):
        photo.tensor(scaled=True)
    else:
        photo.floats(1.0)


def _normalise(photo: Photo, step: Any) -> None:
    photo.normalise("Normalize", step.mean, step.std)


def _classification(photo: Photo, step: Any) -> None:
    """weights.transforms() of a classifier or of a segmenter, which crops nothing."""
    if step.resize_size[0] is not None:
        whole = step.antialias is not False
        _resize(
            photo,
            SimpleNamespace(
                size=step.resize_size, interpolation=step.interpolation, antialias=whole
            ),
        )
    if hasattr(step, "crop_size"):
        photo.crop("crop_size", pair(step.crop_size))
    photo.tensor(scaled=True)
    photo.normalise("mean", step.mean, step.std)


TRAINING = ("ColorJitter", "AutoAugment", "AugMix", "TrivialAugmentWide", "MixUp", "CutMix")
STEPS: dict[str, Callable[[Photo, Any], None]] = {
    "Resize": _resize,
    "ResizeKeepRatio": _keep_ratio,
    "CenterCrop": _crop,
    "CenterCropOrPad": _crop_or_pad,
    "Pad": _pad,
    "Grayscale": _grey,
    "ToTensor": _scaled,
    "MaybeToTensor": _scaled,
    "PILToTensor": _levels,
    "MaybePILToTensor": _levels,
    "ToImage": _levels,
    "ToNumpy": _levels,
    "ConvertImageDtype": _dtype,
    "ToDtype": _dtype,
    "Normalize": _normalise,
    "ImageClassification": _classification,
    "SemanticSegmentation": _classification,
    "ObjectDetection": _scaled,
}
"""Class -> what it does to a photo."""
