"""Stand-ins that act as those of torchvision 0.28.0 and timm 1.0.31 do, of the same names, modules
and attributes, written from what `vars` of the real ones shows. Neither is needed for the tests.

The file is copied beside a project's code, as a library would lie there.
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
from PIL import Image


class InterpolationMode(enum.Enum):
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


PILLOW = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


class Compose:
    __module__ = "torchvision.transforms.transforms"

    def __init__(self, transforms: list[Any]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for step in self.transforms:
            img = step(img)
        return img


class Resize:
    __module__ = "torchvision.transforms.transforms"

    def __init__(self, size: Any, interpolation: Any = InterpolationMode.BILINEAR) -> None:
        self.size, self.interpolation = size, interpolation
        self.max_size, self.antialias = None, True

    def __call__(self, img: Any) -> Any:
        old = (img.height, img.width) if isinstance(img, Image.Image) else img.shape[-2:]
        new = self.size
        if isinstance(new, int):
            new = [max(new, int(new * side / min(old))) for side in old]
        kind = getattr(self.interpolation, "value", self.interpolation)
        if not isinstance(img, Image.Image):
            return self._tensor(img, new, kind)
        kind = PILLOW.get(kind, Image.Resampling.LANCZOS)
        for size in ((new[1], old[0]), (new[1], new[0])):
            img = img.resize(size, kind)
        return img

    def _tensor(self, img: Any, new: Any, kind: str) -> Any:
        import torch

        assert img.dtype == torch.float32
        return torch.nn.functional.interpolate(
            img[None], tuple(new), mode=kind, antialias=self.antialias, align_corners=False
        )[0]


class CenterCrop:
    __module__ = "torchvision.transforms.transforms"

    def __init__(self, size: int) -> None:
        self.size = (size, size)

    def __call__(self, img: Any) -> Any:
        top, left = (round((old - new) / 2) for old, new in zip(img.size[::-1], self.size))  # noqa: B905
        return img.crop((left, top, left + self.size[1], top + self.size[0]))


class ToTensor:
    __module__ = "torchvision.transforms.transforms"

    def __call__(self, img: Any) -> Any:
        import torch

        pixels = np.array(img)
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        return torch.from_numpy(pixels).permute(2, 0, 1).float().div(255)


class Normalize:
    __module__ = "torchvision.transforms.transforms"

    def __init__(self, mean: Any, std: Any) -> None:
        self.mean, self.std, self.inplace = mean, std, False

    def __call__(self, tensor: Any) -> Any:
        import torch

        mean, std = (torch.as_tensor(given)[:, None, None] for given in (self.mean, self.std))
        return (tensor - mean) / std


class RandomHorizontalFlip:
    __module__ = "torchvision.transforms.transforms"

    def __init__(self, p: float) -> None:
        self.p = p

    def __call__(self, img: Any) -> Any:
        return img


class ImageClassification:
    __module__ = "torchvision.transforms._presets"

    def __init__(self, *, crop_size: int, resize_size: int) -> None:
        self.crop_size, self.resize_size = [crop_size], [resize_size]
        self.mean, self.std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        self.interpolation, self.antialias = InterpolationMode.BICUBIC, True


class ToImage:
    __module__ = "torchvision.transforms.v2._type_conversion"


class ToDtype:
    __module__ = "torchvision.transforms.v2._misc"

    def __init__(self, dtype: str, scale: bool) -> None:
        self.dtype, self.scale = dtype, scale


class Pad:
    __module__ = "torchvision.transforms.transforms"

    def __init__(self, padding: Any, fill: Any = 0) -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, "constant"


class Grayscale:
    __module__ = "torchvision.transforms.transforms"

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels


class MaybeToTensor:
    __module__ = "timm.data.transforms"


class ResizeKeepRatio:
    __module__ = "timm.data.transforms"

    def __init__(self, size: Any, longest: float, interpolation: Any) -> None:
        self.size, self.longest, self.interpolation = size, longest, interpolation
        self.random_scale_prob = self.random_aspect_prob = 0.0


class CenterCropOrPad:
    __module__ = "timm.data.transforms"

    def __init__(self, size: Any, fill: Any) -> None:
        self.size, self.fill, self.padding_mode = size, fill, "constant"
