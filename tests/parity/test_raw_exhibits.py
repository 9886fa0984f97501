"""Raw bytes on the report's page."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import soundfile
from PIL import Image

from deploy_targets.parity.raw_exhibits import raw
from deploy_targets.records import Array


def photo(kind: str, mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    Image.new(mode, (600, 300)).save(buffer, kind)
    return buffer.getvalue()


def recording() -> bytes:
    buffer = BytesIO()
    samples = np.sin(np.arange(4000) / 10)[:, None] * [1.0, 0.5]
    soundfile.write(buffer, samples, 8000, "PCM_16", format="WAV")
    return buffer.getvalue()


def vector(data: bytes) -> Array:
    return np.frombuffer(data, np.uint8)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("JPEG", "CMYK"), ("WEBP", "RGB")])
def test_a_photo_is_shown_small(kind: str, mode: str) -> None:
    shown = raw("image", vector(photo(kind, mode)))
    assert shown
    ((_, image),) = shown.images
    assert Image.open(BytesIO(image)).size == (256, 128)
    assert shown.said.startswith(f"{kind}, ")
    assert "600 x 300 pixels" in shown.said


def test_a_photo_that_cannot_be_decoded_is_named() -> None:
    shown = raw("image", vector(photo("PNG")[:60]))
    assert shown
    assert not shown.images
    assert shown.said.startswith("PNG, 60 bytes")
    assert "not shown" in shown.said


def test_a_recording_is_a_line_per_channel() -> None:
    shown = raw("audio", vector(recording()))
    assert shown
    assert len(shown.lines) == 2
    assert max(shown.lines[0]) == pytest.approx(1, abs=0.02)
    assert "0.5 s at 8,000 Hz, 2 channels" in shown.said


def test_a_table_is_text() -> None:
    shown = raw("features", vector(b"age,name\n3,Mia\n"))
    assert shown
    assert shown.numbers == ("age,name\n3,Mia",)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2), np.uint8), np.zeros(3, np.float32), vector(b"\x00\xff\xfe")]
)
def test_what_is_no_file_is_left_to_the_others(array: Array) -> None:
    assert raw("x", array) is None
