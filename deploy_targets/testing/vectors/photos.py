"""Photos: small ones in every form that decoders and resizes get wrong, and what is asked of them.

To add a form: a line in `_forms`, or in `_refused`; a table: a line in `_tables`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.records import TensorSpec
from deploy_targets.stages.image import ImageBefore
from deploy_targets.testing.vectors.declared import Filed, Raw, before
from deploy_targets.testing.vectors.slack import Slack

if TYPE_CHECKING:
    from PIL.Image import Image

CHAIN = "chain-image"
JPEG = Slack(
    "absolute", 3.0, "a JPEG decoder may be a level off in Y, Cb and Cr: up to 3 levels of blue"
)
BLEND = Slack("absolute", 1.0, "halves of a level may be rounded either way")
HEIGHT, WIDTH = 29, 22
MOST_PIXELS = 3_000
ImageNet = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def cases() -> Filed:
    """Every table with the photos that tell it from its neighbours."""
    forms = {raw.name: raw for raw in (*_forms(), *_shapes(), *_refused())}
    for name, size, dtype, declared, asked in _tables():
        table = ImageBefore.model_validate({"type": "image", **declared})
        # A resize alone is all that its chain would be.
        chain = "" if set(declared) <= {"resize", "colour", "layout"} else CHAIN
        tensor = TensorSpec("image", dtype, size)
        yield from before(chain, name, table, tensor, [forms[one] for one in asked])


Declared = tuple[str, tuple[Any, ...], str, dict[str, Any], list[str]]
"""A name, the tensor's shape and dtype, the table, the photos."""

PLAIN = ["plain", "turned-png"]
CLEAR = ["see-through", "clear-grey", "palette", "clear-16"]
TALL = ["tall", "thin", "wide"]


def _tables() -> Iterator[Declared]:
    turned = [f"turned-{turn}" for turn in range(1, 9)]
    forms = ["progressive", "cmyk", "grey", "grey-16", "one-bit", "gif", "bmp", "webp", "one"]
    bad = ["empty", "text", "cut-jpeg", "cut-png", "tiff", "large", "strip"]
    crops = {"resize": {"shorter": 18, "pillow": "13"}, "crop": [15, 15]}
    yield (
        "classifier",
        (1, 3, 15, 15),
        "float32",
        {**crops, "scale": 1 / 255, **ImageNet, "max_pixels": MOST_PIXELS},
        [*PLAIN, *turned, *CLEAR, *forms, "tall", *bad],
    )
    yield (
        "letterbox",
        (1, 20, 20, 3),
        "float32",
        {
            "colour": "bgr",
            "alpha": "white",
            "resize": {"longer": 20, "interpolation": "bicubic", "antialias": "torch"},
            "pad": {"to": [20, 20], "value": 114.5},
            "scale": 1 / 255,
        },
        [*PLAIN, *CLEAR, "wide"],
    )
    yield (
        "corner",
        (1, 30, 28),
        "float16",
        {
            "colour": "grey",
            "alpha": "black",
            "resize": {"longer": 25, "pillow": "12.2"},
            "pad": {"to": [30, 28], "value": 9, "at": "corner"},
            "mean": [127.5],
            "std": [127.5],
        },
        [*PLAIN, *CLEAR, "grey-16", *TALL],
    )
    yield (
        "crop",
        (3, 25, 27),
        "float32",
        {"orientation": "ignore", "crop": [25, 27], "mean": [1, 2, 3], "std": [0.5, 1, 2]},
        ["plain", "turned-png", "wide", "see-through"],
    )
    yield (
        "uneven-crop",
        (18, 19, 3),
        "uint8",
        {"crop": [18, 19]},
        ["plain", "turned-png", "see-through"],
    )
    yield from _resizes()


def _resizes() -> Iterator[Declared]:
    """Every kind of each, larger one way and smaller the other; and every order of passes."""
    methods, kinds = ("nearest", "bilinear", "bicubic", "area"), ("pil", "torch", "none")
    for method, kind in itertools.product(methods, kinds):
        dtype = "uint8" if kind == "pil" else "float32"
        order = {"pillow": "13"} if kind == "pil" else {}
        resize = {"to": [12, 33], "interpolation": method, "antialias": kind, **order}
        shape = (12, 33, 3)
        yield f"{method}-{kind}", shape, dtype, {"resize": resize}, ["plain"]
        resize = {**resize, "to": [10, 11]}
        shape, grey = (10, 11, 1), {"colour": "grey", "layout": "hwc"}
        asked = [*(TALL if kind == "pil" else ["wide"]), "edges", "one"]
        yield f"{method}-{kind}-thin", shape, dtype, {"resize": resize, **grey}, asked
    for pillow in ("11", "12.2"):
        resize = {"to": [10, 11], "interpolation": "bicubic", "pillow": pillow}
        table = {"resize": resize, "colour": "grey", "layout": "hwc"}
        yield f"passes-{pillow.replace('.', '-')}", (10, 11, 1), "uint8", table, TALL


def _forms() -> Iterator[Raw]:
    """One photo in every form; those without loss are of use to the other steps."""
    photo = _photo(HEIGHT, WIDTH)
    yield Raw("plain", "odd sides, no symmetry, channels that differ", _png(photo))
    yield Raw("turned-png", "a PNG that is turned by EXIF", _png(photo, exif=_exif(photo, 6)))
    for turn in range(1, 9):
        data = _jpeg(photo, exif=_exif(photo, turn))
        yield Raw(f"turned-{turn}", f"EXIF orientation {turn}", data, lossy=JPEG)
    yield Raw("progressive", "a JPEG", _jpeg(photo, progressive=True), lossy=JPEG)
    yield Raw(
        "cmyk", "four inks, by (255 - c)(255 - k) / 255", _jpeg(photo.convert("CMYK")), "", JPEG
    )
    grey = photo.convert("L")
    yield Raw("grey", "one channel", _jpeg(grey), lossy=JPEG)
    deep = np.asarray(grey, np.uint16) * 256 + 200
    yield Raw("grey-16", "16 bits, of which the upper eight count", _png(_image(deep)))
    yield Raw(
        "clear-16",
        "16 bits, and one grey is clear",
        _png(_image(deep), transparency=int(deep[3, 5])),
        lossy=BLEND,
    )
    yield Raw("one-bit", "black and white", _png(photo.convert("1")))
    veiled = photo.copy()
    veiled.putalpha(_image(np.tile(np.linspace(255, 0, WIDTH).astype(np.uint8), (HEIGHT, 1))))
    yield Raw("see-through", "colours under transparency", _png(veiled), lossy=BLEND)
    yield Raw("clear-grey", "grey with transparency", _png(veiled.convert("LA")), lossy=BLEND)
    few = photo.quantize(16)
    yield Raw("palette", "a colour of the palette is clear", _png(few, transparency=3), lossy=BLEND)
    two = [few, _photo(HEIGHT, WIDTH, 7).quantize(16)]
    moving = _saved(two[0], "GIF", save_all=True, append_images=two[1:])
    yield Raw("gif", "the first of two frames", moving)
    yield Raw("bmp", "rows from the bottom up", _saved(photo, "BMP"))
    yield Raw("webp", "WebP without loss", _saved(photo, "WEBP", lossless=True))


def _shapes() -> Iterator[Raw]:
    """Sizes at which resizes turn: strips, a single pixel, black and white."""
    yield Raw("one", "a single pixel", _png(_image(np.array([[[200, 100, 3]]], np.uint8))))
    draw = np.random.default_rng(3)
    for name, (height, width) in {"tall": (91, 30), "thin": (301, 3), "wide": (9, 70)}.items():
        light = draw.integers(0, 2, (height, width), np.uint8) * np.uint8(255)
        yield Raw(name, f"black and white, {width} x {height}", _png(_image(light)))
    yield Raw("edges", "lines one pixel wide", _png(_image(_lines())))


def _lines() -> NDArray[np.uint8]:
    lines = np.zeros((40, 33), np.uint8)
    lines[::7], lines[:, ::5] = 255, 180
    return lines


def _refused() -> Iterator[Raw]:
    """What no answer is right for."""
    photo = _photo(HEIGHT, WIDTH)
    jpeg, png = _jpeg(photo), _png(photo)
    yield Raw("empty", "nothing at all", b"", "no image")
    yield Raw("text", "another medium", b"id,size\n1,2\n", "no image")
    yield Raw("tiff", "a format that is not taken", _saved(photo, "TIFF"), "no image")
    yield Raw("cut-jpeg", "half of a JPEG", jpeg[: len(jpeg) * 2 // 3], "damaged")
    yield Raw("cut-png", "half of a PNG", png[: len(png) // 2], "damaged")
    large = _image(np.zeros((60, 51), np.uint8))
    yield Raw("large", "more pixels than max_pixels", _png(large), "too large")
    strip = _image(np.zeros((1, 1500), np.uint8))
    yield Raw("strip", "more than max_ratio times as wide as tall", _png(strip), "too large")


def _photo(height: int, width: int, seed: int = 5) -> Image:
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    levels = np.stack([6 * y, 9 * x, 250 - 3 * x - 3 * y], axis=-1).astype(np.float64)
    levels[height // 5 : height // 2, width // 3 :] = draw.uniform(0, 255, 3)
    levels[:, width // 4] = [250, 30, 10]
    levels += draw.uniform(-8, 8, levels.shape)
    return _image(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def _image(levels: NDArray[Any]) -> Image:
    from PIL import Image

    return Image.fromarray(levels)


def _exif(photo: Image, turn: int) -> bytes:
    exif = photo.getexif()
    exif[0x0112] = turn
    return bytes(exif.tobytes())


def _jpeg(image: Image, **options: Any) -> bytes:
    # Chroma in full: how it is blown up again is each decoder's own.
    return _saved(image, "JPEG", quality=90, subsampling=0, **options)


def _png(image: Image, **options: Any) -> bytes:
    return _saved(image, "PNG", **options)


def _saved(image: Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
