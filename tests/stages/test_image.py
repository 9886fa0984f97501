"""The table of an image: what it may say, what its steps are, and that host and graph agree."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from pydantic import ValidationError

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages import graphs, host
from deploy_targets.stages.awkward_images import _photo, _png
from deploy_targets.stages.image import ImageBefore, installed_passes

IMAGENET = {"scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
NCHW = TensorSpec("image", "float32", ("batch", 3, 48, 40))


def table(**keys: Any) -> ImageBefore:
    return ImageBefore.model_validate({"type": "image", **keys})


def steps_of(declared: ImageBefore, tensor: TensorSpec) -> tuple[Stage, ...]:
    declared.check(tensor)
    return declared.stages(tensor, Path())


def on_host(steps: tuple[Stage, ...], value: Any, frame: dict[str, Any]) -> np.ndarray:
    return host.before([{"op": s.op, "options": s.options} for s in steps], value, frame)


def in_graph(
    declared: ImageBefore, steps: tuple[Stage, ...], at: int, tensor: TensorSpec, value: np.ndarray
) -> np.ndarray:
    port = declared.port(steps, at, tensor)
    assert port.dtype == value.dtype.name
    for dim, size in zip(port.shape, value.shape, strict=True):
        assert isinstance(dim, str) or dim == size, port
    model = graphs.before(steps[at:], port, tensor)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {f"{port.name}.given": value})[0]


def test_what_a_user_of_imagenet_would_write_is_what_torchvision_would_do() -> None:
    """Resize(256), CenterCrop(224), ToTensor, Normalize: written out here with Pillow and numpy."""
    tensor = TensorSpec("image", "float32", ("batch", 3, 224, 224))
    declared = table(resize={"shorter": 256}, crop=[224, 224], **IMAGENET)
    photo = _photo(451, 300)
    resized = photo.resize((384, 256), Image.Resampling.BILINEAR)
    cropped = resized.crop((80, 16, 304, 240))
    levels = np.asarray(cropped, np.float32) / 255
    expected = ((levels - IMAGENET["mean"]) / IMAGENET["std"]).transpose(2, 0, 1)[None]
    made = on_host(steps_of(declared, tensor), _png(photo), {})
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-6)


RESIZES = (
    {"resize": {"to": [48, 40]}},
    {"resize": {"shorter": 50, "interpolation": "bicubic"}, "crop": [48, 40]},
    {"resize": {"longer": 40, "antialias": "torch"}, "pad": {"to": [48, 40], "value": 114.5}},
    {"resize": {"shorter": 33, "antialias": "none"}, "crop": [48, 40]},
    {"crop": [48, 33], "pad": {"to": [48, 40], "value": 7, "at": "corner"}},
)
ENDS = (
    {"scale": 1 / 255},
    {"mean": [127.5], "std": [127.5], "colour": "bgr"},
    {"mean": [0.4], "std": [0.2], "scale": 1 / 255, "colour": "grey"},
    {"colour": "bgr", "scale": 0.01, "mean": [1, 2, 3], "std": [4, 5, 6]},
)
SHAPES = (("batch", "c", 48, 40), (1, "h", "w", "c"), ("c", 48, 40), (48, 40, "c"))


@pytest.mark.parametrize(("first", "shape"), list(itertools.product(RESIZES, SHAPES)))
def test_wherever_the_port_is_host_and_graph_together_are_the_host_alone(
    first: Mapping[str, Any], shape: tuple[Any, ...]
) -> None:
    for number, end in enumerate(ENDS):
        declared = table(**first, **end)
        channels = 1 if declared.colour == "grey" else 3
        dtype = "float16" if number == 0 else "float32"
        dims = tuple(channels if dim == "c" else dim for dim in shape)
        tensor = TensorSpec("image", dtype, dims)
        steps = steps_of(declared, tensor)
        data = _png(_photo(61 + 7 * number, 53))
        whole = on_host(steps, data, {})
        assert whole.dtype == dtype
        at = 1 + number % (len(steps) - 1)
        for port in {1, at}:
            handed = on_host(steps[:port], data, {})
            made = in_graph(declared, steps, port, tensor, handed)
            assert made.shape == whole.shape
            # Float steps differ in the last bits of 255; float16 holds three digits.
            near = {"rtol": 1e-3, "atol": 1e-3} if dtype == "float16" else {"rtol": 0, "atol": 1e-4}
            np.testing.assert_allclose(made, whole, **near)


def test_with_pillows_arithmetic_and_no_scale_a_uint8_model_gets_the_same_to_the_bit() -> None:
    tensor = TensorSpec("image", "uint8", (1, 32, 32, 3))
    declared = table(colour="bgr", resize={"longer": 32}, pad={"to": [32, 32], "value": 114})
    steps = steps_of(declared, tensor)
    assert [step.op for step in steps] == ["decode_image", "resize", "pad", "channels", "layout"]
    data = _png(_photo(91, 60))
    whole = on_host(steps, data, {})
    for at in range(1, len(steps)):
        made = in_graph(declared, steps, at, tensor, on_host(steps[:at], data, {}))
        np.testing.assert_array_equal(made, whole)


@pytest.mark.parametrize("size", [(90, 61), (20, 31), (21, 90), (40, 20), (1, 1), (41, 43)])
def test_a_crop_is_in_the_middle_and_has_zeros_where_there_is_no_image(
    size: tuple[int, int],
) -> None:
    declared = table(crop=[40, 30])
    tensor = TensorSpec("image", "uint8", (40, 30, 3))
    pixels = np.array(_photo(*size[::-1])) | 1
    cropped = on_host(steps_of(declared, tensor)[1:], pixels, {"to_model": [1.0, 1.0, 0.0, 0.0]})
    made = in_graph(declared, steps_of(declared, tensor), 1, tensor, pixels)
    np.testing.assert_array_equal(made, cropped)
    shown = (cropped > 0).all(axis=2)
    assert shown.sum() == min(40, size[0]) * min(30, size[1])
    # As far from one edge as from the other, to a pixel.
    for axis in (0, 1):
        seen = np.flatnonzero(shown.any(axis=1 - axis))
        assert abs(seen[0] - (cropped.shape[axis] - 1 - seen[-1])) <= 1


def test_offsets_are_rounded_to_the_even_neighbour_as_torchvision_rounds_them() -> None:
    column = np.arange(9, dtype=np.uint8)[:, None, None] * np.ones((1, 1, 3), np.uint8)
    for height, first in ((5, 0), (6, 1), (7, 2), (8, 2), (9, 2)):  # 0.5 -> 0, 1.5 -> 2, 2.5 -> 2
        tensor = TensorSpec("image", "uint8", (4, 1, 3))
        declared = table(crop=[4, 1])
        steps = steps_of(declared, tensor)
        assert on_host(steps[1:], column[:height], {"to_model": [1, 1, 0, 0]})[0, 0, 0] == first
        assert in_graph(declared, steps, 1, tensor, column[:height])[0, 0, 0] == first


@pytest.mark.parametrize(
    "keys",
    [
        {"resize": {"to": [48, 40]}},
        {"resize": {"shorter": 60}, "crop": [48, 40]},
        {"resize": {"longer": 40}, "pad": {"to": [48, 40]}},
        {"resize": {"longer": 36}, "crop": [40, 38], "pad": {"to": [48, 40]}},
        {"resize": {"longer": 40}, "pad": {"to": [48, 40], "at": "corner"}},
    ],
)
@pytest.mark.parametrize("turn", [1, 6])
def test_a_place_in_the_photo_is_followed_to_the_tensor(keys: dict[str, Any], turn: int) -> None:
    """A white square is drawn in the photo; its middle lies where the frame says."""
    upright = np.zeros((150, 120, 3), np.uint8)
    upright[60:84, 48:66] = 255
    stored = upright if turn == 1 else np.rot90(upright)
    exif = Image.Exif()
    exif[0x0112] = turn
    data = _png(Image.fromarray(np.ascontiguousarray(stored)), exif=exif.tobytes())
    frame: dict[str, Any] = {}
    tensor = TensorSpec("image", "float32", (1, 48, 40, 3))
    light = on_host(steps_of(table(**keys), tensor), data, frame)[0, :, :, 0]
    assert frame["size"] == [150, 120]
    rows, columns = np.mgrid[:48, :40] + 0.5
    middle = [(light * places).sum() / light.sum() for places in (columns, rows)]
    sx, sy, ox, oy = frame["to_model"]
    np.testing.assert_allclose(middle, [57 * sx + ox, 72 * sy + oy], atol=0.1)


def test_every_option_of_every_step_is_spelled_out() -> None:
    declared = table(resize={"longer": 40}, pad={"to": [48, 40]})
    said = {step.op: dict(step.options) for step in steps_of(declared, NCHW)}
    assert said == {
        "decode_image": {
            "mode": "rgb",
            "orientation": "exif",
            "alpha": "drop",
            "max_pixels": 50_000_000,
            "max_ratio": None,
        },
        "resize": {
            "to": None,
            "shorter": None,
            "longer": 40,
            "interpolation": "bilinear",
            "antialias": "pil",
            "passes": installed_passes(),
        },
        "pad": {"to": [48, 40], "value": 0.0, "at": "centre"},
        "scale": {"by": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3, "dtype": "float32"},
        "layout": {"order": "nchw"},
    }


def test_ports_are_fixed_from_where_the_size_is() -> None:
    declared = table(resize={"shorter": 60}, crop=[48, 40], scale=0.1, colour="grey")
    tensor = TensorSpec("image", "float32", (1, 1, 48, 40))
    steps = steps_of(declared, tensor)
    free, fixed = ("image_height", "image_width", 1), (48, 40, 1)
    ports = [declared.port(steps, at, tensor) for at in range(1, len(steps))]
    assert [(port.dtype, port.shape) for port in ports] == [
        ("uint8", free),
        ("uint8", free),
        ("uint8", fixed),
        ("float32", fixed),
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"resize": {}}, r"shorter = 256"),
        ({"resize": {"to": [8, 8], "shorter": 9}}, r"expected one of"),
        ({"resize": {"shorter": 8, "interpolation": "cubic"}}, r"'bicubic'"),
        ({"resize": {"shorter": 0}}, r"greater than or equal to 1"),
        ({"resize": {"shorter": 8.5}}, r"valid integer"),
        ({"resize": {"to": [8, 8], "antialias": True}}, r"'pil', 'torch' or 'none'"),
        ({"resize": {"to": [9000, 9000]}}, r"81,000,000 pixels, and max_pixels is 50,000,000"),
        ({"crop": [224]}, r"Field required"),
        ({"colour": "RGB"}, r"'rgb', 'bgr' or 'grey'"),
        ({"color": "rgb"}, r"not permitted"),
        ({"mean": [1, 2]}, r"2 numbers for 3 channels"),
        ({"colour": "grey", "std": [1, 2, 3]}, r"3 numbers for 1 channels"),
        ({"std": [0.0]}, r"greater than 0"),
        ({"scale": float("nan")}, r"greater than 0|finite"),
        ({"pad": {"to": [64, 48]}}, r"longer = 48"),
        ({"pad": {"to": [64, 48]}, "resize": {"shorter": 8}}, r"longer = 48"),
        ({"pad": {"to": [64, 48]}, "resize": {"longer": 64}}, r"smaller than the image"),
        ({"pad": {"to": [64, 48], "value": 0.5}, "crop": [8, 8]}, r"whole level"),
        ({"max_pixels": 10**10}, r"less than or equal"),
    ],
)
def test_a_wrong_key_is_refused_and_told_what_is_right(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        table(**keys)


FIXED = {"resize": {"to": [48, 40]}}


@pytest.mark.parametrize(
    ("keys", "dtype", "shape", "said"),
    [
        (FIXED, "float32", (1, 3, 40, 48), r"end in \[48, 40\].*takes \[40, 48\]"),
        (FIXED, "float32", (1, 1, 48, 40), r'colour = "rgb" makes 3 channels'),
        (FIXED, "float32", (1, 48, 40), r"correct colour, or the shape"),
        (FIXED, "float32", (2, 3, 48, 40), r"one image is a batch of 1"),
        (FIXED | {"layout": "nhwc"}, "float32", (1, 3, 48, 40), r'write layout = "nchw"'),
        ({"crop": [3, 3]}, "float32", (1, 3, 3, 3), r"nchw and nhwc both fit"),
        ({}, "float32", (1, 3, 48, 40), r"resize = \{ to = \[48, 40\] \}"),
        ({"resize": {"shorter": 9}}, "float32", (1, 3, "s", "s"), r"leave the size as it comes"),
        (FIXED, "int64", (1, 3, 48, 40), r"uint8, float32 or float16"),
        (FIXED | {"scale": 0.1}, "uint8", (1, 3, 48, 40), r"leave out scale"),
        (
            {"resize": {"to": [48, 40], "antialias": "torch"}},
            "uint8",
            (1, 3, 48, 40),
            r'write antialias = "pil"',
        ),
    ],
)
def test_steps_that_do_not_end_in_the_tensor_are_refused(
    keys: dict[str, Any], dtype: str, shape: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        table(**keys).check(TensorSpec("image", dtype, shape))


def test_a_forgotten_scale_is_seen_where_a_range_is_declared() -> None:
    unit = TensorSpec("image", "float32", (1, 3, 48, 40), range=(0.0, 1.0))
    table(**FIXED, scale=1 / 255).check(unit)
    with pytest.raises(ValueError, match="0 to 255, and the range declared"):
        table(**FIXED).check(unit)


def test_sizes_that_stay_free_fit_a_model_whose_sizes_are() -> None:
    tensor = TensorSpec("image", "float32", ("batch", 3, "height", "width"))
    declared = table(resize={"shorter": 20})
    made = on_host(steps_of(declared, tensor), _png(_photo(61, 40)), {})
    assert made.shape == (1, 3, 20, 30)
