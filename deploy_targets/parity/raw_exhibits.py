"""How raw bytes are shown to a person: photos as photos, recordings as lines, tables as text.

In: the bytes of one input. Out: an Exhibit, or None for bytes that are nothing of the kind. What
cannot be decoded here (Pillow or soundfile missing) is only named.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np

from deploy_targets.parity.exhibits import LINES, PIXELS, POINTS, Exhibit
from deploy_targets.parity.pictures import png
from deploy_targets.records import Array

PHOTOS = {
    b"\xff\xd8": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
}
SOUNDS = {b"fLaC": "FLAC", b"OggS": "OGG"}
CHARACTERS = 400
"""Of a table that are shown at most."""


def raw(name: str, array: Array) -> Exhibit | None:
    """Shows a vector of uint8 that is a file; None for any other array."""
    if array.ndim != 1 or array.dtype != np.uint8 or not array.size:
        return None
    data = array.tobytes()
    photo, sound = _kind(data, PHOTOS, b"WEBP"), _kind(data, SOUNDS, b"WAVE")
    if photo:
        return _photo(name, array, data, photo)
    return _sound(name, array, data, sound) if sound else _text(name, array, data)


def _kind(data: bytes, known: dict[bytes, str], riff: bytes) -> str:
    if data.startswith(b"RIFF") and data[8:12] == riff:
        return riff.decode()
    return next((kind for start, kind in known.items() if data.startswith(start)), "")


def _photo(name: str, array: Array, data: bytes, kind: str) -> Exhibit:
    said = f"{kind}, {len(data):,} bytes"
    try:
        from PIL import Image

        opened = Image.open(BytesIO(data))
        said += f", {opened.width} x {opened.height} pixels, {opened.mode}, as the file has it"
        small = opened.convert("RGB")
        small.thumbnail((PIXELS, PIXELS))
    except (ImportError, OSError, ValueError) as error:
        return Exhibit(name, "bytes", array.shape, f"{said}; not shown: {error}")
    return Exhibit(name, "bytes", array.shape, said, images=((0, png(np.asarray(small))),))


def _sound(name: str, array: Array, data: bytes, kind: str) -> Exhibit:
    said = f"{kind}, {len(data):,} bytes"
    try:
        import soundfile  # type: ignore[import-untyped,unused-ignore]

        samples, rate = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
    except (ImportError, OSError, RuntimeError) as error:
        return Exhibit(name, "bytes", array.shape, f"{said}; not shown: {error}")
    said += f", {len(samples) / rate:.3g} s at {rate:,} Hz, {samples.shape[1]} channels"
    step = max(1, -(-len(samples) // POINTS))
    lines = tuple(tuple(float(v) for v in line[::step]) for line in samples.T[:LINES])
    return Exhibit(name, "bytes", array.shape, said, lines=lines)


def _text(name: str, array: Array, data: bytes) -> Exhibit | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if not text.isprintable() and any(not c.isprintable() and c not in "\r\n\t" for c in text):
        return None
    shown = text[:CHARACTERS] + ("…" if len(text) > CHARACTERS else "")
    said = f"text, {len(data):,} bytes"
    return Exhibit(name, "bytes", array.shape, said, numbers=("\n".join(shown.splitlines()),))
