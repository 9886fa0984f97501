"""The steps of a photo, one after another as somebody declared them -> [inputs.NAME.preprocess].

A recogniser calls the methods in the order of the original's own steps; `table` is what deploy.toml
can say of them, and `left_out` the rest, by name. A table has one order: resize, crop, pad, then
scale, mean and std; what comes in another order is left out, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deploy_targets.recognising.found import Found

LEVELS = 1 / 255
PILLOW = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""By its numbers."""
ORDER = ("resize", "crop", "pad")


class Photo:
    """Grows step by step. Photos come as Pillow opens them: not turned by EXIF, alpha dropped."""

    def __init__(self) -> None:
        self.table: dict[str, Any] = {"type": "image", "orientation": "ignore"}
        self.left_out: list[str] = []
        self._form = "pil"
        """What a step is given: "pil", "levels" (a tensor of uint8) or "floats"."""

    def cannot(self, name: str, why: str) -> None:
        """A step that is left out, or a part of one."""
        self.left_out.append(f"{name}: {why}")

    def resize(
        self, name: str, size: dict[str, Any], interpolation: object, antialias: bool = True
    ) -> None:
        """`size`: to, shorter or longer, as `Resize` has them."""
        kind = self._interpolation(name, interpolation)
        if self._form == "pil":
            rule = "pil"
        elif not antialias or kind == "nearest":
            rule = "none"
        else:
            rule = "pil" if self._form == "levels" else "torch"
        if self._form == "levels" and kind != "nearest":
            self.cannot(name, "it rounds a tensor's levels in a way of its own, a few levels off")
        if self._in_order(name, "resize"):
            self.table["resize"] = {**size, "interpolation": kind, "antialias": rule}

    def crop(self, name: str, size: Sequence[int]) -> None:
        """The middle, (height, width)."""
        if self._in_order(name, "crop"):
            self.table["crop"] = list(size)

    def pad(self, name: str, to: Sequence[int], value: float, at: str = "centre") -> None:
        """To (height, width); `value` in the unit of the pixels so far."""
        if self._normalised:
            self.cannot(name, "padding after the mean is subtracted cannot be said")
        elif self._in_order(name, "pad"):
            level = value / self.table.get("scale", 1.0)
            self.table["pad"] = {"to": list(to), "value": float(level), "at": at}

    def border(self, name: str, sides: tuple[int, int, int, int], value: float) -> None:
        """Left, top, right, bottom."""
        left, top, right, bottom = sides
        at = {(right, bottom): "centre", (0, 0): "corner"}.get((left, top))
        if self.size is None or at is None:
            said = "one size, and the image in its middle or at its corner"
            self.cannot(name, f"borders of {list(sides)} cannot be said: padding is to {said}")
        else:
            height, width = self.size
            self.pad(name, (height + top + bottom, width + left + right), value, at)

    def grey(self, name: str, channels: int) -> None:
        """One channel."""
        if channels != 1:
            self.cannot(name, f"grey in {channels} channels cannot be said")
        else:
            self.table["colour"] = "grey"
            if self._form != "pil" or self.size or "resize" in self.table:
                self.cannot(name, "a photo is made grey when it is decoded, and not later")

    def bgr(self) -> None:
        """The channels the other way round."""
        self.table["colour"] = "bgr"

    def tensor(self, scaled: bool) -> None:
        """A tensor from here on; `scaled` to 0..1, else of levels."""
        if scaled:
            self.floats()
        elif self._form == "pil":
            self._form = "levels"

    def floats(self, by: float = LEVELS) -> None:
        """Floats from here on; levels times `by`."""
        if self._form != "floats" and by != 1.0:
            self.table["scale"] = by
        self._form = "floats"

    def normalise(self, name: str, mean: Sequence[float], std: Sequence[float]) -> None:
        """(x - mean) / std."""
        if self._normalised:
            self.cannot(name, "a second mean and std cannot be said")
        elif self._form == "pil":
            self.cannot(name, "it comes before there is a tensor")
        else:
            self.table |= {"mean": numbers(mean), "std": numbers(std)}

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width so far, where they are known."""
        return Found("", self.table).size

    @property
    def _normalised(self) -> bool:
        return "mean" in self.table

    def _in_order(self, name: str, key: str) -> bool:
        done = [step for step in ORDER[ORDER.index(key) :] if step in self.table]
        if done:
            again = "again" if done[0] == key else f"after {done[0]}"
            self.cannot(name, f"{key} {again} cannot be said")
        return not done

    def _interpolation(self, name: str, given: object) -> str:
        # torchvision's InterpolationMode and Pillow's Resampling are enumerations of these.
        plain: Any = getattr(given, "value", given)
        kind = PILLOW[plain] if isinstance(plain, int) else str(plain)
        if kind == "box" and self._form == "pil":
            return "area"
        if kind == "nearest-exact" and self._form == "pil":
            return "nearest"  # on a Pillow image it is just that
        if kind in ("nearest", "bilinear", "bicubic"):
            return kind
        self.cannot(name, f'interpolation "{kind}" cannot be said; "bicubic" stands in its place')
        return "bicubic"


def numbers(given: Any) -> list[float]:
    """Of a list, a tuple, a tensor or an array; as short as they were written.

    A tensor's are float32: 0.485 and not 0.48500001430511475.
    """
    plain = given.tolist() if hasattr(given, "tolist") else given
    several = plain if isinstance(plain, list | tuple) else [plain]
    if "float32" in str(getattr(given, "dtype", "")):
        return [float(str(np.float32(value))) for value in several]
    return [float(value) for value in several]


def pair(size: Any) -> tuple[int, int]:
    """(height, width) of n, [n] or [height, width]."""
    sides = [size] if isinstance(size, int) else [int(side) for side in size]
    return (sides[0], sides[-1])
