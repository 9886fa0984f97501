"""[inputs.NAME.preprocess] with type = "image": from the bytes of a photo to the model's tensor.

    decode, upright, colours -> resize -> crop -> pad -> BGR -> scale, mean, std -> layout

in this order, each but the first and the last only where it is declared. What the steps do is in
`host/image.py` and `host/resize.py`; here is what may be declared, and whether it ends in the
tensor that the model takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field, field_validator, model_validator

from deploy_targets.records import Dim, Stage, TensorSpec
from deploy_targets.stages import image_fits
from deploy_targets.stages.base import Before, Raw, Table

if TYPE_CHECKING:
    from PIL.Image import Image

Side = Annotated[int, Field(ge=1, le=16384, strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False)]
ONE = BeforeValidator(lambda given: (given,) if type(given) in (int, float) else given)

_PILLOW_REFUSES = 178_956_970  # pixels; twice its own limit, from where it does not open an image

PASSES = {"11": "width", "12.2": "12.2", "13": "13"}
"""The first Pillow here that resizes in an order -> what `height_first` calls that order."""

_TELLING = (  # (height, width) before, after: on both sides of where 12.2 and 13 turn
    ((91, 30), (10, 11)),
    ((48, 30), (10, 11)),
    ((49, 30), (10, 11)),
    ((14, 9), (13, 14)),
    ((14, 9), (15, 4)),
    ((300, 3), (16, 2)),
    ((301, 3), (16, 2)),
    ((301, 3), (299, 1)),
    ((301, 3), (302, 4)),
    ((9, 14), (14, 9)),
    ((30, 91), (11, 10)),
)


class Resize(Table):
    """To one size, or one side given and the other following, rounded down."""

    to: tuple[Side, Side] | None = None
    shorter: Side | None = None
    longer: Side | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "area"] = "bilinear"
    antialias: Literal["pil", "torch", "none"] = "pil"
    pillow: Literal["11", "12.2", "13"] | None = None
    """Whose order of the two passes; None: that of the Pillow installed when the steps are made."""

    @model_validator(mode="after")
    def _one(self) -> Resize:
        if [self.to, self.shorter, self.longer].count(None) != 2:
            raise ValueError(
                "expected one of to = [height, width], shorter = side, longer = side; "
                "write for example { shorter = 256 }"
            )
        if self.pillow is not None and self.antialias != "pil":
            raise ValueError(f'pillow = "{self.pillow}" is of antialias = "pil" alone; drop it')
        return self

    def options(self) -> dict[str, object]:
        """Of the step. Raises ValueError where the installed Pillow has an unknown order."""
        passes = "width"
        if self.antialias == "pil":
            passes = PASSES[self.pillow] if self.pillow else installed_passes()
        return {**self.model_dump(mode="json", exclude={"pillow"}), "passes": passes}


@cache
def installed_passes() -> str:
    """The order of the installed Pillow, found by resizing. Raises ValueError where it is none
    that is known."""
    from PIL import Image, __version__

    found = passes_of(lambda image, size: image.resize(size, Image.Resampling.BICUBIC))
    if found is None:
        raise ValueError(
            f"Pillow {__version__} resizes in an order that is not known here; say whose is meant, "
            'resize = { ..., pillow = "13" } (or "12.2", or "11"), or install an older Pillow'
        )
    return found


def passes_of(plain: Callable[[Image, tuple[int, int]], Image]) -> str | None:
    """The order of passes in one plain bicubic resize, to (width, height); None: an unknown one."""
    from PIL import Image

    from deploy_targets.stages.host.resize import by_pillow

    left = list(PASSES.values())
    for old, new in _TELLING:
        light = np.random.default_rng(0).integers(0, 2, (*old, 1), np.uint8) * np.uint8(255)
        made = np.array(plain(Image.fromarray(light[:, :, 0]), new[::-1]))[:, :, None]
        left = [one for one in left if np.array_equal(by_pillow(light, new, "bicubic", one), made)]
    return left[0] if left else None


class Pad(Table):
    """A ground of this size and level, and where the image lies on it."""

    to: tuple[Side, Side]
    value: Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)] = 0.0
    at: Literal["centre", "corner"] = "centre"


class ImageBefore(Before):
    """From JPEG, PNG, WebP, GIF or BMP."""

    media: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/*")
    suffixes: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")

    type: Literal["image"]
    colour: Literal["rgb", "bgr", "grey"] = "rgb"
    orientation: Literal["exif", "ignore"] = "exif"
    alpha: Literal["drop", "white", "black"] = "drop"
    resize: Resize | None = None
    crop: tuple[Side, Side] | None = None
    pad: Pad | None = None
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    mean: Annotated[tuple[Number, ...] | None, ONE] = None
    std: Annotated[tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] | None, ONE] = (
        None
    )
    layout: Literal["nchw", "nhwc", "chw", "hwc"] | None = None
    max_pixels: Annotated[int, Field(ge=1, le=_PILLOW_REFUSES, strict=True)] = 50_000_000
    reference_mode: Literal["RGB", "L"] | None = None
    """What a photo is converted to for `reference`, as loaders do; None: as the file has it."""

    @field_validator("mean", "std")
    @classmethod
    def _per_channel(cls, numbers: tuple[float, ...] | None, info: Any) -> tuple[float, ...] | None:
        count = 1 if info.data.get("colour") == "grey" else 3
        if numbers is not None and len(numbers) not in (1, count):
            raise ValueError(f"{len(numbers)} numbers for {count} channels; give {count}, or one")
        return numbers

    @model_validator(mode="after")
    def _fits_together(self) -> ImageBefore:
        self._check_pad()
        sides = (self._resized(), self.crop, self.pad.to if self.pad else None)
        most = max((height * width for height, width in filter(None, sides)), default=1)
        if most > self.max_pixels:
            raise ValueError(
                f"the steps make {most:,} pixels, and max_pixels is {self.max_pixels:,}; "
                "raise it, or make less"
            )
        return self

    def _check_pad(self) -> None:
        if self.pad is None:
            return
        known = self.resize is not None and self.resize.shorter is None
        most = self.crop or (self._resized() if known else None)
        if not most:
            raise ValueError(
                "pad needs an image that is never larger than what it is padded to: "
                f"add resize = {{ longer = {min(self.pad.to)} }}"
            )
        if most[0] > self.pad.to[0] or most[1] > self.pad.to[1]:
            raise ValueError(
                f"pad.to = {list(self.pad.to)} is smaller than the image, up to {list(most)}"
            )
        if self._whole and self.pad.value != round(self.pad.value):
            raise ValueError(f"pad.value = {self.pad.value:g}: expected a whole level, 0 to 255")

    def check(self, tensor: TensorSpec) -> None:
        """Raises ValueError where the steps do not end in this tensor; see `image_fits`."""
        if self.resize is not None:
            self.resize.options()
        image_fits.dtype(self.ending, tensor)
        image_fits.size(self.ending, tensor)
        image_fits.range_of_values(self.ending, tensor)

    @property
    def ending(self) -> image_fits.Ending:
        """What the steps end in, whatever the tensor."""
        resized = self.resize.to if self.resize else None
        by, mean, std = self._affine()
        return image_fits.Ending(
            colour=self.colour,
            channels=self._channels,
            size=self.pad.to if self.pad else self.crop or resized,
            layout=self.layout,
            scaled=any(given is not None for given in (self.scale, self.mean, self.std)),
            whole=self._whole,
            low=min(-m / s for m, s in zip(mean, std, strict=True)),
            high=max((255 * by - m) / s for m, s in zip(mean, std, strict=True)),
        )

    def stages(self, tensor: TensorSpec, base: Path) -> tuple[Stage, ...]:
        """Every step with every option; `base` is not needed."""
        steps: list[tuple[str, dict[str, object]]] = [("decode_image", self._decoding())]
        if self.resize is not None:
            steps.append(("resize", self.resize.options()))
        if self.crop is not None:
            steps.append(("crop", {"size": list(self.crop)}))
        if self.pad is not None:
            steps.append(("pad", self.pad.model_dump(mode="json")))
        if self.colour == "bgr":
            steps.append(("channels", {"order": [2, 1, 0]}))
        if tensor.dtype in image_fits.FLOATS:
            steps.append(("scale", self._scaling(tensor)))
        steps.append(("layout", {"order": image_fits.layout(self.ending, tensor)}))
        return tuple(Stage(tensor.name, op, options) for op, options in steps)

    def port(self, stages: Sequence[Stage], at: int, tensor: TensorSpec) -> TensorSpec:
        """What lies before step `at`; the first port is that after decoding, at 1."""
        if at < 1:
            raise ValueError("before the first step there are bytes, and no tensor")
        free: tuple[Dim, Dim] = (f"{tensor.name}_height", f"{tensor.name}_width")
        size, dtype, order = free, "uint8", "hwc"
        for stage in stages[1:at]:
            size = _size_after(stage, size)
            dtype = _dtype_after(stage, dtype)
            order = str(stage.options["order"]) if stage.op == "layout" else order
        dims: dict[str, Dim] = {"n": 1, "h": size[0], "w": size[1], "c": self._channels}
        return TensorSpec(f"{tensor.name}.pixels", dtype, tuple(dims[axis] for axis in order))

    def made(self, tensor: TensorSpec) -> Iterable[Raw]:
        """See `awkward_images`."""
        from deploy_targets.stages.awkward_images import awkward

        return awkward(plain=self.reference is None)

    def given(self, data: bytes) -> object:
        """A PIL image, decoded; but for `reference_mode`, as the file has it."""
        from io import BytesIO

        from PIL import Image

        image = Image.open(BytesIO(data))
        image.load()
        return image.convert(self.reference_mode) if self.reference_mode else image

    @property
    def _channels(self) -> int:
        return 1 if self.colour == "grey" else 3

    @property
    def _whole(self) -> bool:
        """Whether levels are still whole, uint8, before they are scaled."""
        return self.resize is None or self.resize.antialias == "pil"

    def _resized(self) -> tuple[int, int] | None:
        """The size after resizing, or a square that it lies in (for shorter: that lies in it)."""
        if self.resize is None:
            return None
        side = self.resize.shorter or self.resize.longer or 0
        return self.resize.to or (side, side)

    def _decoding(self) -> dict[str, object]:
        # A side that is given makes a thin strip enormous: 1 x 5000, shorter = 256.
        shorter = self.resize and self.resize.shorter
        return {
            "mode": "grey" if self.colour == "grey" else "rgb",
            "orientation": self.orientation,
            "alpha": self.alpha,
            "max_pixels": self.max_pixels,
            "max_ratio": self.max_pixels // (shorter * shorter) if shorter else None,
        }

    def _scaling(self, tensor: TensorSpec) -> dict[str, object]:
        by, mean, std = self._affine()
        return {"by": by, "mean": mean, "std": std, "dtype": tensor.dtype}

    def _affine(self) -> tuple[float, list[float], list[float]]:
        mean, std = list(self.mean or (0.0,)), list(self.std or (1.0,))
        count = self._channels
        by = 1.0 if self.scale is None else self.scale
        return by, mean * (count // len(mean)), std * (count // len(std))


def _size_after(stage: Stage, size: tuple[Dim, Dim]) -> tuple[Dim, Dim]:
    """Height and width after a step; free ones keep their names."""
    if stage.op not in ("resize", "crop", "pad"):
        return size
    given: Any = stage.options["size"] if stage.op == "crop" else stage.options["to"]
    return size if given is None else (given[0], given[1])


def _dtype_after(stage: Stage, dtype: str) -> str:
    if stage.op == "scale":
        return str(stage.options["dtype"])
    if stage.op == "resize":
        return "uint8" if stage.options["antialias"] == "pil" else "float32"
    return dtype
