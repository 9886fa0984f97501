"""Photos that are awkward and yet right: what decoders and preprocessing get wrong most often.

Each is drawn from a seed, so the same on every machine but for its encoder, and small. To add one,
append to `awkward`; it becomes a case of every bundle whose model takes images.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.stages.base import Raw

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION = 0x0112


def awkward(plain: bool = True) -> Iterator[Raw]:
    """Eight photos. Where a preprocessing of the user's own answers (`plain` is False), without
    the one that Pillow's own conversion to RGB gets wrong: grey of 16 bits."""
    from PIL import Image

    yield Raw("odd", "sides that are odd and not of one parity", _jpeg(_photo(373, 258)))
    yield Raw(
        "progressive", "a progressive JPEG, upright", _jpeg(_photo(301, 227), progressive=True)
    )
    for turn in (6, 7):
        yield Raw(f"turned-{turn}", f"EXIF orientation {turn}", _turned(turn))
    yield Raw("see-through", "a PNG with an alpha channel", _png(_veiled(141, 190)))
    yield Raw("palette", "a palette with a colour that is transparent", _palette(171, 130))
    yield Raw("cmyk", "a JPEG for print, in CMYK", _jpeg(_photo(160, 211).convert("CMYK")))
    if plain:
        deep = np.asarray(_photo(147, 150).convert("L"), np.uint16) * 256 + 77
        yield Raw("grey-16", "a PNG of one channel, of 16 bits", _png(Image.fromarray(deep)))
    else:
        yield Raw("grey", "a JPEG of one channel", _jpeg(_photo(147, 150).convert("L")))


def _photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Something like a photo: a sky, edges, texture, and no symmetry, in three unlike channels."""
    from PIL import Image

    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    levels = np.stack([230 * (1 - y), 60 + 150 * x, 40 + 180 * x * y], axis=-1)
    for _ in range(6):
        top, left, deep, wide = draw.uniform(0, 0.7, 4)
        inside = (y > top) & (y < top + deep) & (x > left) & (x < left + wide)
        levels[inside] = draw.uniform(0, 255, 3)
    levels += 30 * np.sin(90 * x + 40 * y)[..., None] * draw.uniform(0, 1, 3)
    return Image.fromarray(_levels(levels))


def _levels(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _jpeg(image: Image.Image, **options: Any) -> bytes:
    # Chroma in full: how it is blown up again is each decoder's own.
    return _saved(image, "JPEG", quality=85, subsampling=0, **options)


def _png(image: Image.Image, **options: Any) -> bytes:
    return _saved(image, "PNG", **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _turned(turn: int) -> bytes:
    image = _photo(229, 164)
    exif = image.getexif()
    exif[_ORIENTATION] = turn
    return _jpeg(image, exif=exif.tobytes())


def _veiled(width: int, height: int) -> Image.Image:
    """Fades from left to right, and has a hole."""
    from PIL import Image

    image = _photo(width, height)
    veil = np.tile(np.linspace(255, 20, width).astype(np.uint8), (height, 1))
    veil[height // 3 : height // 2, width // 4 : width // 2] = 0
    image.putalpha(Image.fromarray(veil))
    return image


def _palette(width: int, height: int) -> bytes:
    image = _photo(width, height).quantize(32)
    return _png(image, transparency=3)
