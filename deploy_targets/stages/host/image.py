"""From the bytes of a photo to pixels, and from pixels to the model's tensor.

In: bytes of a JPEG, PNG, WebP, GIF or BMP, from anybody. Out: uint8 [height, width, channels],
which the other steps crop, pad, scale and lay out. Whatever the bytes are, the answer is pixels or
`Refused`: 413 too large, 415 no such image, 422 damaged. `frame` learns the photo's size, upright,
and "to_model": [sx, sy, ox, oy], by which a place in it is x * sx + ox, y * sy + oy in the tensor.
"""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from .refused import Refused

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""What every phone and browser can read as well; never those which start other programs."""

_BEGINNING = re.compile(rb"\xff\xd8|\x89PNG|RIFF....WEBP|GIF8|BM", re.DOTALL)
_SCANS = 30
"""Of a JPEG as large as may be; a smaller one may have more, up to 100. Progressive ones have about
ten, each takes as long as the image is large, and one of a thousand is an attack."""
_TURNS = getattr(Image, "Transpose", Image)  # before Pillow 9.1 they are the module's own
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: _TURNS.FLIP_LEFT_RIGHT,
    3: _TURNS.ROTATE_180,
    4: _TURNS.FLIP_TOP_BOTTOM,
    5: _TURNS.TRANSPOSE,
    6: _TURNS.ROTATE_270,
    7: _TURNS.TRANSVERSE,
    8: _TURNS.ROTATE_90,
}
"""EXIF's orientation -> what makes such a photo upright."""


def decode_image(
    data: bytes,
    frame: dict[str, Any],
    *,
    mode: str,
    orientation: str,
    alpha: str,
    max_pixels: int,
    max_ratio: int | None,
) -> np.ndarray:
    """The pixels, uint8 [height, width, 3 or 1]; the first frame of what moves. Raises Refused."""
    with warnings.catch_warnings():
        # Pillow warns of what it mends and of large images; both are decided here.
        warnings.simplefilter("ignore")
        image = _opened(data)
        _within(image, data, max_pixels, max_ratio)
        try:
            turn = _turn(image) if orientation == "exif" else None
            image.load()
            image = _flat(image, alpha).convert("RGB" if mode == "rgb" else "L")
        except Exception as error:  # a decoder meets bytes from anywhere: see `_damaged`
            raise _damaged(error) from error
    upright = image if turn is None else image.transpose(turn)
    pixels = np.array(upright)
    frame["size"] = list(pixels.shape[:2])
    frame["to_model"] = [1.0, 1.0, 0.0, 0.0]
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def crop(value: np.ndarray, frame: dict[str, Any], *, size: list[int]) -> np.ndarray:
    """The middle of the image; where it is too small, zeros around it first."""
    ours = list(value.shape[:2])
    before = [max(0, size[i] - ours[i]) // 2 for i in (0, 1)]
    after = [(max(0, size[i] - ours[i]) + 1) // 2 for i in (0, 1)]
    value = np.pad(value, [*zip(before, after, strict=True), (0, 0)])
    top, left = (round((value.shape[i] - size[i]) / 2) for i in (0, 1))
    _moved(frame, before[1] - left, before[0] - top)
    return value[top : top + size[0], left : left + size[1]]


def pad(
    image: np.ndarray, frame: dict[str, Any], *, to: list[int], value: float, at: str
) -> np.ndarray:
    """The image on a larger ground, in its middle or in its top left corner. Raises Refused."""
    height, width, channels = image.shape
    down, right = to[0] - height, to[1] - width
    if down < 0 or right < 0:
        raise Refused(f"the image is {width} x {height}, larger than {to[1]} x {to[0]}", 413)
    top, left = (down // 2, right // 2) if at == "centre" else (0, 0)
    made = np.full((*to, channels), value, image.dtype)
    made[top : top + height, left : left + width] = image
    _moved(frame, left, top)
    return made


def channels(value: np.ndarray, frame: dict[str, Any], *, order: list[int]) -> np.ndarray:
    """The channels in another order: [2, 1, 0] is BGR."""
    return value[:, :, order]


def scale(
    value: np.ndarray,
    frame: dict[str, Any],
    *,
    by: float,
    mean: list[float],
    std: list[float],
    dtype: str,
) -> np.ndarray:
    """(value * by - mean) / std for each channel, in float32; then as `dtype`."""
    levels = value.astype(np.float32) * np.float32(by)
    scaled = (levels - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return scaled.astype(dtype)


def layout(value: np.ndarray, frame: dict[str, Any], *, order: str) -> np.ndarray:
    """The axes as the model has them: "nchw", "nhwc", "chw" or "hwc"; n is 1."""
    laid = value.transpose(2, 0, 1) if order.endswith("chw") else value
    return np.ascontiguousarray(laid[None] if order.startswith("n") else laid)


def _moved(frame: dict[str, Any], right: int, down: int) -> None:
    sx, sy, ox, oy = frame["to_model"]
    frame["to_model"] = [sx, sy, ox + right, oy + down]


def _opened(data: bytes) -> Image.Image:
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise Refused("the image has far too many pixels", 413) from error
    except UnidentifiedImageError as error:
        if _BEGINNING.match(data):
            raise _damaged(error) from error
        known = ", ".join(FORMATS)
        raise Refused(f"these bytes are no image that is known here: {known}", 415) from error
    except Exception as error:
        raise _damaged(error) from error
    return image


def _within(image: Image.Image, data: bytes, max_pixels: int, max_ratio: int | None) -> None:
    """Before a single pixel is decoded: the header says how many there would be."""
    width, height = image.size
    if width * height > max_pixels:
        raise Refused(
            f"the image is {width} x {height}; at most {max_pixels:,} pixels are taken", 413
        )
    if max_ratio is not None and max(width, height) > max_ratio * min(width, height):
        raise Refused(
            f"the image is {width} x {height}; one side may be {max_ratio} times the other", 413
        )
    scans = data.count(b"\xff\xda") if data.startswith(b"\xff\xd8") else 1
    if scans > 100 or scans * width * height > _SCANS * max_pixels:
        raise Refused(f"the image is a JPEG of {scans} scans; save it anew, not progressive", 413)


def _turn(image: Image.Image) -> Any:
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        # EXIF that cannot be read says nothing of the orientation; the pixels may be sound.
        return None


def _flat(image: Image.Image, alpha: str) -> Image.Image:
    """Without transparency, by the rule, and of 8 bits."""
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if not _may_be_clear(image):
        return image
    whole = image.convert("RGBA")
    if alpha == "drop":
        return whole.convert("RGB")
    ground = Image.new("RGB", image.size, alpha)
    ground.paste(whole, mask=whole.getchannel("A"))
    return ground


def _may_be_clear(image: Image.Image) -> bool:
    """Pillow's `has_transparency_data`, which it has since 10.1."""
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return True
    return image.mode == "P" and getattr(image.palette, "mode", "").endswith("A")


def _eight_bits(image: Image.Image) -> Image.Image:
    """The upper byte of 16, as Pillow has it for colour; for grey it would clip at 255."""
    levels = np.asarray(image)
    if levels.min() < 0 or levels.max() > 65535:
        raise Refused("levels of 32 bits are not taken; save the image with 8 or 16", 415)
    grey = Image.fromarray((levels >> 8).astype(np.uint8))
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        opaque = np.where(levels == clear, 0, 255).astype(np.uint8)
        grey = Image.merge("LA", (grey, Image.fromarray(opaque)))
    return grey


def _damaged(error: Exception) -> Refused:
    """Pillow raises OSError, SyntaxError, ValueError, struct.error… for bytes that are no image."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return Refused("the image has far too many pixels", 413)
    unknown = isinstance(error, UnidentifiedImageError)  # which names an object in memory
    said = "its header cannot be read" if unknown else str(error)
    return Refused(f"the image is cut off or damaged: {said}")
