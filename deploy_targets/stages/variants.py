"""The usual mistakes, as other steps than those declared: what an artifact may have done instead.

In: the declared steps. Out: each of them with one thing wrong, and that thing in words. Whoever
sees wrong answers tries these until one gives the same (`verify --explain`, a reference that the
declared steps do not follow); whoever tests a target plants them. To add a mistake: a value in
`INSTEAD`, a line in `FORGOTTEN`, or a function in `OTHERS`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deploy_targets.records import Stage
from deploy_targets.stages.image import installed_passes

Steps = tuple[Stage, ...]


@dataclass(frozen=True)
class Variant:
    """Steps with one mistake, and the mistake in words."""

    name: str
    of: str
    said: str
    stages: Steps


INSTEAD: Mapping[tuple[str, str], tuple[Any, ...]] = {
    ("decode_image", "orientation"): ("exif", "ignore"),
    ("decode_image", "alpha"): ("drop", "white", "black"),
    ("resize", "interpolation"): ("nearest", "bilinear", "bicubic", "area"),
    ("resize", "antialias"): ("pil", "torch", "none"),
    ("pad", "at"): ("centre", "corner"),
    ("decode_audio", "channels"): ("mono", "first"),
    ("decode_audio", "amplitude"): (1.0, 32768.0),
    ("resample", "method"): ("sinc_hann", "polyphase"),
    ("log_mel", "scale"): ("slaney", "htk"),
    ("log_mel", "norm"): (None, "slaney"),
    ("log_mel", "log"): ("db", "ln", "log10"),
    ("log_mel", "center"): (True, False),
    ("log_mel", "power"): (1.0, 2.0),
    ("log_mel", "window"): ("hann", "hamming"),
    ("log_mel", "pad_mode"): ("reflect", "constant"),
    ("log_mel", "top_db"): (None, 80.0),
    ("normalise", "ddof"): (0, 1),
    ("detections", "format"): ("xyxy", "xywh", "cxcywh"),
    ("detections", "best"): (True, False),
    ("detections", "background"): (None, 0),
    ("detections", "iou"): (0.45, 0.5, 0.7),
    ("detections", "score"): (0.25, 0.5),
    ("argmax", "axis"): (1, 3),
    ("resize_mask", "size"): (None,),
}
"""Operation and option -> what else somebody may have taken it for."""

FORGOTTEN = {
    "pad": "the padding is forgotten",
    "resample": "the recording is not resampled",
    "normalise": "mean and deviation are not made 0 and 1",
    "standardise": "the mean is not subtracted, nor the scale divided by",
    "impute": "missing values are not filled in",
    "softmax": "the softmax is forgotten",
    "sigmoid": "the sigmoid is forgotten",
    "unframe": "boxes are left in the model's pixels, and not brought back to the photo's",
    "resize_mask": "the mask is left at the size that the model gives, not brought to the photo's",
}
"""Operation -> what to say where it is left out."""


def variants(stages: Sequence[Stage]) -> list[Variant]:
    """Every usual mistake that can be made with these steps."""
    steps = tuple(stages)
    return [
        found
        for at, stage in enumerate(steps)
        for make in (_instead, _forgotten, *OTHERS.get(stage.op, ()))
        for found in make(steps, at)
    ]


def _instead(steps: Steps, at: int) -> Iterator[Variant]:
    stage = steps[at]
    for (op, option), values in INSTEAD.items():
        was = stage.options.get(option)
        if op != stage.op or option not in stage.options:
            continue
        for value in values:
            # Boxes relative to a size that is not said cannot be declared, nor taken for such.
            if value != was and not (value == "relative" and not stage.options.get("size")):
                yield _changed(
                    steps,
                    at,
                    f"{op}-{option}-{value}",
                    f"{op}: {option} is {_written(value)} instead of {_written(was)}",
                    {option: value},
                )


def _forgotten(steps: Steps, at: int) -> Iterator[Variant]:
    stage = steps[at]
    if said := FORGOTTEN.get(stage.op):
        yield Variant(f"no-{stage.op}", stage.of, said, steps[:at] + steps[at + 1 :])


def _no_crop(steps: Steps, at: int) -> Iterator[Variant]:
    """Whoever forgets the crop must still come to the model's size: the photo is squeezed."""
    stage, size = steps[at], steps[at].options["size"]
    said = "the crop is forgotten, and the whole photo resized to its size"
    before = next((i for i in range(at) if steps[i].op == "resize"), None)
    squeezed = {"to": size, "shorter": None, "longer": None}
    if before is not None:
        without = steps[:at] + steps[at + 1 :]
        yield _changed(without, before, "no-crop", said, squeezed)
    else:
        options = {
            **squeezed,
            "interpolation": "bilinear",
            "antialias": "pil",
            "passes": installed_passes(),
        }
        squeeze = replace(stage, op="resize", options=options)
        yield Variant("no-crop", stage.of, said, (*steps[:at], squeeze, *steps[at + 1 :]))


def _squeezed(steps: Steps, at: int) -> Iterator[Variant]:
    """A side named alone keeps the proportions of the photo."""
    options = steps[at].options
    size = options.get("shorter") or options.get("longer")
    if size is not None:
        said = f"the photo is squeezed to {size}x{size} instead of keeping its proportions"
        other = {"to": [size, size], "shorter": None, "longer": None}
        yield _changed(steps, at, "squeezed", said, other)


def _channels(steps: Steps, at: int) -> Iterator[Variant]:
    """At the last step that sees the channels, whatever it is, they may be the other way round."""
    stage = steps[at]
    if stage.op == "channels":
        yield Variant(
            "channels-exchanged",
            stage.of,
            "the colour channels are in the order of the file (RGB), and not exchanged as declared",
            steps[:at] + steps[at + 1 :],
        )
    elif stage.options.get("mode") == "rgb" and all(step.op != "channels" for step in steps):
        ends = next((i for i, step in enumerate(steps) if step.op in ("scale", "layout")), at + 1)
        exchange = Stage(stage.of, "channels", {"order": [2, 1, 0]}, stage.side)
        said = "the colour channels are exchanged (BGR instead of RGB)"
        changed = (*steps[:ends], exchange, *steps[ends:])
        yield Variant("channels-exchanged", stage.of, said, changed)


def _no_own(steps: Steps, at: int) -> Iterator[Variant]:
    stage = steps[at]
    name = str(stage.options.get("name") or stage.options["source"].rpartition(":")[2])
    said = f"the own step {name!r} is left out"
    yield Variant(f"no-{name}", stage.of, said, steps[:at] + steps[at + 1 :])


def _scale(steps: Steps, at: int) -> Iterator[Variant]:
    by, mean, std = (steps[at].options[key] for key in ("by", "mean", "std"))
    none, one = [0.0] * len(mean), [1.0] * len(std)
    found: list[tuple[str, str, dict[str, Any]]] = [
        ("no-mean", "the mean is not subtracted", {"mean": none}),
        ("no-std", "the standard deviation is not divided by", {"std": one}),
        ("no-normalisation", "neither mean nor std is applied", {"mean": none, "std": one}),
        ("not-scaled", f"values are not multiplied by {by:.6g}", {"by": 1.0}),
        ("scaled-twice", f"values are multiplied by {by:.6g} twice", {"by": by * by}),
        (
            "mean-reversed",
            "mean and std are in reverse order",
            {"mean": mean[::-1], "std": std[::-1]},
        ),
        ("to-unit", "values run from 0 to 1", {"by": 1 / 255, "mean": none, "std": one}),
        (
            "to-both-sides",
            "values run from -1 to 1",
            {"by": 1 / 127.5, "mean": [1.0] * len(mean), "std": one},
        ),
        (
            "imagenet",
            "values are normalised by ImageNet's mean and std",
            {"by": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        ),
    ]
    for name, said, other in found:
        same = all(steps[at].options[key] == value for key, value in other.items())
        if not same and len(other.get("mean", mean)) == len(mean):
            yield _changed(steps, at, name, said, other)


def _columns(steps: Steps, at: int) -> Iterator[Variant]:
    columns = list(steps[at].options["columns"])
    for i, (one, other) in enumerate(itertools.pairwise(columns)):
        exchanged = [*columns[:i], other, one, *columns[i + 2 :]]
        said = f"columns {one!r} and {other!r} are exchanged"
        yield _changed(steps, at, f"columns-{one}-{other}", said, {"columns": exchanged})


def _sides(steps: Steps, at: int) -> Iterator[Variant]:
    """Of relative boxes: x was taken for y."""
    size = steps[at].options["size"]
    if size is not None and size[0] != size[1]:
        said = f"{steps[at].op}: size is taken as [width, height]"
        yield _changed(steps, at, "sides-exchanged", said, {"size": size[::-1]})


def _unit(steps: Steps, at: int) -> Iterator[Variant]:
    """Relative to what the model sees: to what the last step makes that says a size."""
    if steps[at].options["unit"] == "relative":
        unit, size = "pixels", None
    else:
        made = [s.options.get("to") or s.options.get("size") for s in steps if s.side == "before"]
        unit, size = "relative", next((one for one in made[::-1] if isinstance(one, list)), None)
    if size is not None or unit == "pixels":
        said = f"detections: unit is {unit!r} instead of {steps[at].options['unit']!r}"
        yield _changed(steps, at, f"detections-unit-{unit}", said, {"unit": unit, "size": size})


def _blank(steps: Steps, at: int) -> Iterator[Variant]:
    """The blank is the first token for some and the last for others."""
    stage, was = steps[at], steps[at].options["blank"]
    labels = next((s.options["labels"] for s in steps if (s.of, s.op) == (stage.of, "label")), None)
    for blank in {0: None, len(labels or [0]) - 1: None}:
        if blank != was:
            said = f"ctc: the blank is token {blank} instead of {was}"
            yield _changed(steps, at, f"blank-{blank}", said, {"blank": blank})


def _categories(steps: Steps, at: int) -> Iterator[Variant]:
    """Whoever lists the names anew lists them in the order of the alphabet, or turned round."""
    known = steps[at].options["categories"]
    for column, names in known.items():
        for how, other in (("sorted", sorted(names)), ("reversed", names[::-1])):
            if other != list(names):
                said = f"the names of column {column!r} are {how}"
                changed = {"categories": {**known, column: other}}
                yield _changed(steps, at, f"categories-{column}-{how}", said, changed)


OTHERS: Mapping[str, tuple[Callable[[Steps, int], Iterator[Variant]], ...]] = {
    "decode_image": (_channels,),
    "channels": (_channels,),
    "resize": (_squeezed,),
    "crop": (_no_crop,),
    "scale": (_scale,),
    "decode_table": (_columns, _categories),
    "detections": (_sides, _unit),
    "resize_mask": (_sides,),
    "ctc": (_blank,),
    "own": (_no_own,),
    "module": (_no_own,),
}


def _changed(steps: Steps, at: int, name: str, said: str, options: Mapping[str, Any]) -> Variant:
    stage = replace(steps[at], options={**steps[at].options, **options})
    return Variant(name, stage.of, said, (*steps[:at], stage, *steps[at + 1 :]))


def _written(value: Any) -> str:
    return "none" if value is None else repr(value) if isinstance(value, str) else str(value)
