"""Bytes from anybody: the right pixels, or a refusal that says whose fault it is."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from deploy_targets.records import TensorSpec
from deploy_targets.stages.awkward_images import _jpeg, _photo, _png, _saved, awkward
from deploy_targets.stages.host import Refused
from deploy_targets.stages.host.image import decode_image
from deploy_targets.stages.image import ImageBefore

PLAIN = {
    "mode": "rgb",
    "orientation": "exif",
    "alpha": "drop",
    "max_pixels": 1_000_000,
    "max_ratio": None,
}


def decoded(data: bytes, frame: dict[str, Any] | None = None, **options: Any) -> np.ndarray:
    return decode_image(data, {} if frame is None else frame, **{**PLAIN, **options})


def refusal(data: bytes, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        decoded(data, **options)
    return caught.value


@pytest.mark.parametrize("turn", range(1, 9))
def test_each_orientation_is_what_pillow_makes_of_it(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    data = _jpeg(_photo(61, 40), exif=exif.tobytes())
    stored = Image.open(BytesIO(data))
    frame: dict[str, Any] = {}
    made = decoded(data, frame)
    np.testing.assert_array_equal(made, np.asarray(ImageOps.exif_transpose(stored)))
    assert frame == {"size": list(made.shape[:2]), "to_model": [1.0, 1.0, 0.0, 0.0]}
    assert made.shape == ((40, 61, 3) if turn < 5 else (61, 40, 3))
    np.testing.assert_array_equal(decoded(data, orientation="ignore"), np.asarray(stored))


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" * 9])
def test_exif_that_cannot_be_read_says_nothing_of_the_orientation(exif: bytes) -> None:
    data = _jpeg(_photo(61, 40), exif=exif)
    np.testing.assert_array_equal(decoded(data), decoded(_jpeg(_photo(61, 40))))


@pytest.mark.parametrize("turn", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    assert decoded(_jpeg(_photo(61, 40), exif=exif.tobytes())).shape == (40, 61, 3)


def test_alpha_is_dropped_or_laid_on_a_ground() -> None:
    image = _photo(40, 30)
    colours = np.array(image)
    veil = np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)
    image.putalpha(Image.fromarray(veil))
    data = _png(image)
    np.testing.assert_array_equal(decoded(data), colours)
    share = veil[:, :, None] / 255
    for ground, level in (("white", 255), ("black", 0)):
        mixed = np.rint(colours * share + level * (1 - share))
        np.testing.assert_array_equal(decoded(data, alpha=ground), mixed)


def palette(colours: list[int], clear: int | bytes | None, kind: str = "PNG") -> bytes:
    image = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8), "P")
    image.putpalette(colours)
    return _saved(image, kind, **({} if clear is None else {"transparency": clear}))


THREE = [10, 20, 30, 200, 100, 0, 7, 8, 9]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
@pytest.mark.parametrize(
    ("clear", "alpha", "second"),
    [(None, "white", [200, 100, 0]), (1, "drop", [200, 100, 0]), (1, "white", [255, 255, 255])],
)
def test_a_palette_is_colours_and_one_of_them_may_be_clear(
    kind: str, clear: int | None, alpha: str, second: list[int]
) -> None:
    made = decoded(palette(THREE, clear, kind), alpha=alpha)
    expected = [[[10, 20, 30], second], [[7, 8, 9], [10, 20, 30]]]
    np.testing.assert_array_equal(made, expected)


def test_a_palette_may_fade() -> None:
    made = decoded(palette(THREE, bytes([255, 51, 255])), alpha="black")
    np.testing.assert_array_equal(made[0, 1], [40, 20, 0])


@pytest.mark.parametrize("mode", ["rgb", "grey"])
def test_grey_stays_grey(mode: str) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    made = decoded(_png(Image.fromarray(levels)), mode=mode)
    expected = np.repeat(levels[:, :, None], 3 if mode == "rgb" else 1, axis=2)
    np.testing.assert_array_equal(made, expected)


def test_colours_turn_grey_by_their_weights_for_the_eye() -> None:
    pure = np.eye(3, dtype=np.uint8)[None] * 255
    assert decoded(_png(Image.fromarray(pure)), mode="grey").ravel().tolist() == [76, 150, 29]


def test_sixteen_bits_of_grey_become_eight_and_are_not_clipped() -> None:
    levels = np.arange(0, 65536, 64, dtype=np.uint16).reshape(32, 32)
    made = decoded(_png(Image.fromarray(levels)), mode="grey")[:, :, 0]
    np.testing.assert_array_equal(made, levels >> 8)


def png(
    width: int, height: int, depth: int, kind: int, data: bytes, more: bytes = b"", packed: int = 9
) -> bytes:
    """A PNG by hand: what Pillow itself does not write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    clear = chunk(b"tRNS", more) if more else b""
    return start + clear + chunk(b"IDAT", zlib.compress(data, packed)) + chunk(b"IEND", b"")


def test_sixteen_bits_of_colour_become_eight_as_those_of_grey_do() -> None:
    levels = [(0, 0, 0), (65535, 40000, 255), (256, 511, 512)]
    data = png(3, 1, 16, 2, b"\0" + b"".join(struct.pack(">HHH", *level) for level in levels))
    assert decoded(data).tolist() == [[[0, 0, 0], [255, 156, 0], [1, 1, 2]]]


def test_one_level_of_sixteen_bits_may_be_clear() -> None:
    row = b"\0" + struct.pack(">HHH", 300, 301, 65535)
    data = png(3, 1, 16, 0, row, more=struct.pack(">H", 301))
    assert decoded(data, mode="grey", alpha="white").ravel().tolist() == [1, 255, 255]
    assert decoded(data, mode="grey", alpha="drop").ravel().tolist() == [1, 1, 255]


def test_one_bit_is_black_and_white() -> None:
    image = _photo(21, 13).convert("1")
    made = decoded(_png(image), mode="grey")
    np.testing.assert_array_equal(made[:, :, 0], np.asarray(image) * 255)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_grey_with_alpha_is_laid_on_a_ground_as_colours_are(mode: str) -> None:
    image = Image.new("LA", (3, 2), (100, 51)).convert(mode)
    assert set(decoded(_png(image), alpha="white").ravel()) == {224}  # 100 / 5 + 255 * 4 / 5


def test_cmyk_is_what_pillow_makes_of_it() -> None:
    data = _jpeg(_photo(61, 40).convert("CMYK"))
    assert Image.open(BytesIO(data)).mode == "CMYK"
    made = decoded(data)
    np.testing.assert_array_equal(made, np.asarray(Image.open(BytesIO(data)).convert("RGB")))
    assert np.abs(made.astype(int) - np.asarray(_photo(61, 40))).mean() < 12


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (61, 47)])
@pytest.mark.parametrize("progressive", [True, False])
def test_sizes_of_every_kind_are_decoded(size: tuple[int, int], progressive: bool) -> None:
    data = _jpeg(_photo(*size), progressive=progressive)
    made = decoded(data)
    assert made.shape == (size[1], size[0], 3)
    np.testing.assert_array_equal(made, np.asarray(Image.open(BytesIO(data))))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_what_moves_the_first_frame_is_taken(kind: str) -> None:
    first, second = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    lossless = {"lossless": True} if kind == "WEBP" else {}
    data = _saved(first, kind, save_all=True, append_images=[second], **lossless)
    assert getattr(Image.open(BytesIO(data)), "n_frames", 1) == 2
    assert (decoded(data) == [255, 0, 0]).all()


KINDS: list[tuple[str, Callable[[], bytes]]] = [
    ("jpeg", lambda: _jpeg(_photo(61, 40))),
    ("progressive", lambda: _jpeg(_photo(61, 40), progressive=True)),
    ("png", lambda: _png(_photo(61, 40))),
    ("webp", lambda: _saved(_photo(61, 40), "WEBP")),
    ("gif", lambda: _saved(_photo(61, 40), "GIF")),
    ("bmp", lambda: _saved(_photo(61, 40), "BMP")),
]


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_what_is_cut_off_is_refused_wherever_it_is_cut(
    name: str, make: Callable[[], bytes]
) -> None:
    data = make()
    assert decoded(data).shape == (40, 61, 3)
    for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98):
        end = max(16, int(share * len(data)))
        error = refusal(data[:end])
        assert error.status == 422, (end, str(error))
        assert "cut off or damaged" in str(error)
        assert "object at" not in str(error)


def test_whatever_happens_to_the_bytes_the_answer_is_pixels_or_a_refusal() -> None:
    draw = np.random.default_rng(0)
    starts = [make() for _, make in KINDS] + [raw.data for raw in awkward()]
    seen = set()
    for _ in range(400):
        data = bytearray(starts[draw.integers(len(starts))])
        for at in draw.integers(0, min(len(data), 700), draw.integers(1, 12)):
            data[at] = draw.integers(256)
        try:
            made = decoded(bytes(data))
            assert made.dtype == np.uint8
            assert made.shape[2] == 3
            seen.add(200)
        except Refused as error:
            seen.add(error.status)
    assert {200, 422} <= seen <= {200, 413, 415, 422}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        bytes(5000),
    ],
)
def test_what_is_no_image_is_of_another_medium(data: bytes) -> None:
    error = refusal(data)
    assert error.status == 415
    assert "JPEG, PNG, WEBP, GIF, BMP" in str(error)


def test_a_tiff_is_not_taken_since_phones_and_browsers_cannot_read_it() -> None:
    assert refusal(_saved(_photo(9, 9), "TIFF")).status == 415


@pytest.mark.parametrize("side", [2000, 20_000, 60_000, 2**31 - 1])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    started = time.perf_counter()
    error = refusal(png(side, side, 8, 2, bytes(1000)))
    assert error.status == 413
    assert "pixels" in str(error)
    assert time.perf_counter() - started < 1


def test_a_webp_of_34_bytes_may_be_a_bomb() -> None:
    body = b"/\xfe\xbf\xff\x0f\x07\x10\x11\xfd\x0fDD\xff\x03"  # 16,383 x 16,383, all black
    huge = b"RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0" + body
    assert len(huge) == 34
    assert refusal(huge).status == 413


def test_as_many_pixels_as_may_be_are_taken_and_not_one_more() -> None:
    data = _png(_photo(40, 30))
    assert decoded(data, max_pixels=1200).shape == (30, 40, 3)
    assert refusal(data, max_pixels=1199).status == 413


def test_a_strip_that_resizing_would_blow_up_is_refused() -> None:
    declared = ImageBefore.model_validate(
        {"type": "image", "resize": {"shorter": 256}, "crop": [224, 224]}
    )
    tensor = TensorSpec("image", "float32", (1, 3, 224, 224))
    options = declared.stages(tensor, None)[0].options  # type: ignore[arg-type]
    assert options["max_ratio"] == 762
    assert decode_image(_png(_photo(762, 1)), {}, **options).shape == (1, 762, 3)
    with pytest.raises(Refused, match="762 times") as caught:
        decode_image(_png(_photo(1, 763)), {}, **options)
    assert caught.value.status == 413


def test_a_jpeg_of_endless_scans_is_refused_at_once() -> None:
    data = _jpeg(_photo(300, 300), progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    assert decoded(data[:-2] + last * 20 + data[-2:]).shape == (300, 300, 3)
    error = refusal(data[:-2] + last * 200 + data[-2:])
    assert error.status == 413
    assert "scans" in str(error)


def test_made_up_photos_are_few_small_and_right() -> None:
    made = list(awkward())
    assert len({raw.name for raw in made}) == len(made) == 8
    for raw in made:
        assert len(raw.data) < 20_000, raw.name
        assert decoded(raw.data).std() > 20, raw.name
    assert [raw.data for raw in awkward()] == [raw.data for raw in made]


def test_what_the_originals_own_preprocessing_gets_is_an_image_of_pillow() -> None:
    declared = ImageBefore.model_validate({"type": "image", "reference": "model.py:preprocess"})
    data = _jpeg(_photo(20, 30))
    given = declared.given(data)
    assert isinstance(given, Image.Image)
    assert given.size == (20, 30)
    names = {raw.name for raw in declared.made(TensorSpec("image", "uint8", (20, 30, 3)))}
    assert "grey-16" not in names
