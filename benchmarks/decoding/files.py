"""What is decoded: photos that other projects ship, and files made for this, by kind.

To add a kind, add an entry to what `all_files` returns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

QUALITIES = (50, 75, 85, 90, 95)
SAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}
SIZES = ((251, 333), (384, 256))
DISPLAY_P3 = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}
"""Red, green and blue of the colours that phones take photos in, as a profile has them (D50)."""

Named = dict[str, bytes]
Files = Iterator[tuple[str, bytes]]
PHOTOS = "20 photos of ImageNet, JPEG 4:2:0, progressive"


def all_files() -> dict[str, Named]:
    """Kind -> file name -> bytes. No name comes twice."""
    kinds = {PHOTOS: _foolbox(), "2 photos, JPEG 4:4:4, sRGB profile": _sklearn()}
    for name in SAMPLING:
        kinds[f"JPEG {name}, quality 50 to 95"] = dict(_jpegs(name))
    return kinds | {
        "JPEG 4:2:0, progressive, quality 50 to 95": dict(_jpegs("4:2:0", progressive=True)),
        "JPEG grey, quality 50 to 95": dict(_jpegs("4:4:4", mode="L")),
        "JPEG 4:4:4, Display P3 profile": dict(_jpegs("4:4:4", icc_profile=profile())),
        "PNG": dict(_saved("PNG", "png")),
        "PNG, grey": dict(_saved("PNG", "png", mode="L")),
        "PNG, Display P3 profile": dict(_saved("PNG", "png", icc_profile=profile())),
        "PNG, half clear": dict(_saved("PNG", "png", mode="RGBA")),
        "WebP lossless": dict(_saved("WEBP", "webp", lossless=True)),
        "WebP lossy, quality 50 to 95": dict(_webps()),
    }


def _foolbox() -> Named:
    # foolbox imports GitPython for its model zoo, which wants a git program unless told otherwise.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import foolbox

    folder = Path(foolbox.__file__).parent / "data"
    return {file.name: file.read_bytes() for file in sorted(folder.glob("imagenet_*.jpg"))}


def _sklearn() -> Named:
    from sklearn import datasets

    folder = Path(datasets.__file__).parent / "images"
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.jpg"))}


def _jpegs(sampling: str, **options: Any) -> Files:
    for quality in QUALITIES:
        given = {"quality": quality, "subsampling": SAMPLING[sampling], **options}
        yield from _saved("JPEG", "jpg", **given)


def _webps() -> Files:
    for quality in QUALITIES:
        yield from _saved("WEBP", "webp", quality=quality)


def _saved(kind: str, suffix: str, mode: str = "RGB", **options: Any) -> Files:
    told = [f"{key}-{len(v) if isinstance(v, bytes) else v}" for key, v in options.items()]
    for size in SIZES:
        file = BytesIO()
        picture(*size, mode).save(file, kind, **options)
        yield "-".join([mode, *told, f"{size[0]}x{size[1]}.{suffix}"]), file.getvalue()


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Something like a photo, and in its lower third coloured letters' worth of hard edges."""
    from deploy_targets.stages.awkward_images import _photo

    levels = np.array(_photo(width, height))
    draw = np.random.default_rng(1)
    top = height * 2 // 3
    blocks = draw.choice([0, 255], (height // 5 + 1, width // 5 + 1, 3)).astype(np.uint8)
    edges = blocks.repeat(5, 0).repeat(5, 1)[: height - top, :width]
    levels[top:] = edges
    image = Image.fromarray(levels).convert(mode)
    if mode == "RGBA":
        clear = np.linspace(0, 255, width).astype(np.uint8)
        image.putalpha(Image.fromarray(np.tile(clear, (height, 1))))
    return image


def profile() -> bytes:
    """A colour profile that moves colours: sRGB's, with the primaries of Display P3."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(made[128:132], "big"), 12):
        primary = DISPLAY_P3.get(bytes(made[at : at + 4]))
        if primary:
            where = int.from_bytes(made[at + 4 : at + 8], "big") + 8
            made[where : where + 12] = (np.array(primary) * 65536).round().astype(">i4").tobytes()
    return bytes(made)
