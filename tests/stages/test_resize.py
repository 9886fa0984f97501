"""Resizing on the host and in the graph, against Pillow and torch themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages import graphs
from deploy_targets.stages.awkward_images import _photo
from deploy_targets.stages.host.resize import resize
from deploy_targets.stages.image import PASSES, ImageBefore, Resize, installed_passes, passes_of

Pixels = np.ndarray

METHODS = ("nearest", "bilinear", "bicubic", "area")
PILLOW = {"nearest": 0, "bilinear": 2, "bicubic": 3, "area": 4}

SIZES = [  # from, to
    ((1, 1), (7, 5)),
    ((1, 2000), (32, 64)),
    ((2000, 1), (9, 3)),
    ((300, 451), (224, 112)),
    ((37, 61), (113, 150)),
    ((120, 120), (20, 60)),  # whole ratios: many sums lie just between two levels
    ((33, 47), (33, 47)),
    ((50, 50), (100, 150)),
    ((150, 100), (56, 56)),  # a portrait
    ((131, 40), (30, 31)),
    ((22, 14), (33, 21)),  # centres on a border: where the nearest is the one before
]

BORDERS = [  # from, to: as near as may be to where some Pillow begins with the other side
    ((48, 30), (10, 11)),
    ((49, 30), (10, 11)),
    ((49, 30), (10, 30)),
    ((14, 9), (13, 14)),
    ((14, 9), (14, 4)),
    ((14, 9), (15, 4)),
    ((14, 9), (15, 14)),
    ((300, 3), (16, 2)),
    ((301, 3), (16, 2)),
    ((301, 3), (300, 7)),
    ((301, 3), (301, 7)),
    ((301, 3), (302, 2)),
    ((101, 1), (1, 1)),
    ((2, 1), (1, 2)),
]


def options(to: object = None, **others: object) -> dict[str, object]:
    plain = {"shorter": None, "longer": None, "interpolation": "bilinear", "antialias": "pil"}
    return {"to": to, **plain, "passes": installed_passes(), **others}


def on_host(pixels: Pixels, given: dict[str, object]) -> Pixels:
    return resize(pixels, {"to_model": [1.0, 1.0, 0.0, 0.0]}, **given)  # type: ignore[arg-type]


def in_graph(given: dict[str, object], channels: int = 3) -> Callable[[Pixels], Pixels]:
    ends = "uint8" if given["antialias"] == "pil" else "float32"
    model = graphs.before(
        [Stage("image", "resize", given)],
        TensorSpec("image", "uint8", ("h", "w", channels)),
        TensorSpec("image", ends, ("new_h", "new_w", channels)),
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return lambda pixels: session.run(None, {"image.given": pixels})[0]


def by_pillow(pixels: Pixels, to: tuple[int, int], method: str) -> Pixels:
    return np.array(Image.fromarray(pixels).resize(to[::-1], PILLOW[method]))


def in_turn(pixels: Pixels, to: tuple[int, int], method: str, tall: bool) -> Pixels:
    """Pillow, one side after the other: the same in every version."""
    between = (to[0], pixels.shape[1]) if tall else (pixels.shape[0], to[1])
    return by_pillow(by_pillow(pixels, between, method), to, method)


def by_torch(pixels: Pixels, to: tuple[int, int], method: str, antialias: bool) -> Pixels:
    smooth = method in ("bilinear", "bicubic")
    settings = {"align_corners": False, "antialias": antialias} if smooth else {}
    given = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))
    made = torch.nn.functional.interpolate(given, size=to, mode=method, **settings)
    return made[0].numpy().transpose(1, 2, 0)


def images(size: tuple[int, int]) -> list[Pixels]:
    """Noise, noise of black and white (the steepest there is), and something like a photo."""
    noise = np.random.default_rng(size).integers(0, 256, (*size, 3), dtype=np.uint8)
    return [noise, np.where(noise > 127, np.uint8(255), np.uint8(0)), np.array(_photo(*size[::-1]))]


@pytest.mark.parametrize("method", METHODS)
def test_pil_is_pillow_to_the_bit_on_the_host_and_in_the_graph(method: str) -> None:
    for old, to in SIZES + BORDERS:
        given = options(list(to), interpolation=method)
        graph = in_graph(given)
        for pixels in images(old):
            expected = by_pillow(pixels, to, method)
            np.testing.assert_array_equal(on_host(pixels, given), expected)
            np.testing.assert_array_equal(graph(pixels), expected, f"{old} to {to}")


TURNS = {  # order -> which of these begin with the height
    "width": set(),
    "12.2": {((301, 3), (16, 2)), ((301, 3), (300, 7)), ((101, 1), (1, 1))},
    "13": {
        ((49, 30), (10, 11)),
        ((49, 30), (10, 30)),
        ((14, 9), (13, 14)),
        ((300, 3), (16, 2)),
        ((301, 3), (16, 2)),
        ((301, 3), (300, 7)),
        ((101, 1), (1, 1)),
        ((2, 1), (1, 2)),
    },
}


@pytest.mark.parametrize("passes", TURNS)
def test_every_pillows_order_is_followed_whatever_pillow_is_installed(passes: str) -> None:
    for old, to in BORDERS:
        given = options(list(to), interpolation="bicubic", passes=passes)
        pixels = images(old)[1]
        expected = in_turn(pixels, to, "bicubic", (old, to) in TURNS[passes])
        np.testing.assert_array_equal(on_host(pixels, given), expected, f"{old} to {to}")
        np.testing.assert_array_equal(in_graph(given)(pixels), expected, f"{old} to {to}")


def test_the_order_can_be_seen() -> None:
    """Else the tests of it would hold for any order."""
    pixels = images((150, 100))[1]
    one, other = (in_turn(pixels, (56, 56), "bicubic", tall).astype(int) for tall in (True, False))
    assert np.abs(one - other).max() > 1


@pytest.mark.parametrize(
    ("tall", "found"),
    [
        (lambda old, new: False, "width"),
        (lambda old, new: old[0] > 100 * old[1] and new[0] < old[0], "12.2"),
        (lambda old, new: old[0] - new[0] > max(0, 2 * (old[1] - new[1])), "13"),
        (lambda old, new: True, None),
        (lambda old, new: old[0] > old[1], None),
        (lambda old, new: old[0] >= 100 * old[1] and new[0] < old[0], None),
        (lambda old, new: old[0] - new[0] >= max(1, 2 * (old[1] - new[1])), None),
    ],
)
def test_an_order_is_known_by_resizing_and_an_unknown_one_is_not_taken_for_another(
    tall: Callable[..., bool], found: str | None
) -> None:
    def plain(image: Image.Image, size: tuple[int, int]) -> Image.Image:
        pixels, to = np.array(image), size[::-1]
        return Image.fromarray(in_turn(pixels, to, "bicubic", tall(pixels.shape, to)))

    assert passes_of(plain) == found


def test_the_table_says_whose_pillow_and_else_it_is_the_installed_one() -> None:
    assert Resize(shorter=8).options()["passes"] == installed_passes()
    for pillow, passes in PASSES.items():
        assert Resize.model_validate({"shorter": 8, "pillow": pillow}).options() == {
            **options(shorter=8),
            "passes": passes,
        }
    assert Resize(shorter=8, antialias="torch").options()["passes"] == "width"
    with pytest.raises(ValueError, match=r'pillow = "11" is of antialias = "pil" alone'):
        Resize(shorter=8, antialias="torch", pillow="11")


def test_another_pillows_order_reaches_the_step() -> None:
    table = {"type": "image", "resize": {"to": [8, 8], "pillow": "12.2"}}
    tensor = TensorSpec("image", "float32", (1, 3, 8, 8))
    steps = ImageBefore.model_validate(table).stages(tensor, Path())
    assert {step.op: step.options for step in steps}["resize"]["passes"] == "12.2"


@pytest.mark.parametrize("antialias", ["torch", "none"])
@pytest.mark.parametrize("method", METHODS)
def test_torch_is_torch_on_the_host_and_in_the_graph(method: str, antialias: str) -> None:
    for old, to in SIZES:
        given = options(list(to), interpolation=method, antialias=antialias)
        graph = in_graph(given)
        for pixels in images(old)[1:]:
            expected = by_torch(pixels, to, method, antialias == "torch")
            for ours in (on_host(pixels, given), graph(pixels)):
                assert ours.dtype == np.float32
                # In levels of 255: four parts in a million of white.
                np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-3)


def test_the_graph_of_onnx_itself_would_not_be_pillow() -> None:
    """Why the weights are computed here: else this would be one node."""
    from onnx import parser

    model = parser.parse_model(
        """<ir_version: 10, opset_import: ["": 20]>
        own (float[1, 3, h, w] x, int64[4] size) => (float[1, 3, H, W] y) {
            y = Resize<antialias = 1, mode = "linear">(x, , , size) }"""
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    pixels = images((300, 451))[0]
    given = pixels.transpose(2, 0, 1)[None].astype(np.float32)
    theirs = session.run(None, {"x": given, "size": np.array([1, 3, 224, 112])})[0]
    away = np.abs(np.rint(theirs[0].transpose(1, 2, 0)) - by_pillow(pixels, (224, 112), "bilinear"))
    assert away.max() > 1


def test_one_channel_is_resized_as_three_are() -> None:
    pixels = images((61, 40))[2]
    given = options([30, 31], interpolation="bicubic")
    grey = pixels[:, :, :1]
    np.testing.assert_array_equal(on_host(grey, given), on_host(pixels, given)[:, :, :1])
    np.testing.assert_array_equal(in_graph(given, 1)(grey), on_host(grey, given))


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        ({"shorter": 256}, (300, 451), (256, 384)),  # int(256 * 451 / 300)
        ({"shorter": 256}, (451, 300), (384, 256)),
        ({"shorter": 64}, (64, 97), (64, 97)),
        ({"shorter": 7}, (3, 5), (7, 11)),  # 11.67: down, not to the nearest
        ({"longer": 640}, (300, 451), (425, 640)),
        ({"longer": 64}, (1, 500), (1, 64)),  # never to nothing
        ({"longer": 10}, (20, 20), (10, 10)),
    ],
)
@pytest.mark.parametrize("antialias", ["pil", "none"])
def test_the_other_side_follows(
    given: dict[str, int], old: tuple[int, int], new: tuple[int, int], antialias: str
) -> None:
    whole = options(**given, antialias=antialias)
    pixels = images(old)[0]
    assert on_host(pixels, whole).shape == (*new, 3)
    assert in_graph(whole)(pixels).shape == (*new, 3)


def test_a_photo_of_another_size_goes_through_the_same_graph() -> None:
    given = options(shorter=50, interpolation="bicubic")
    graph = in_graph(given)
    for size in ((80, 51), (51, 80), (200, 200), (1, 40), (49, 300)):
        pixels = images(size)[0]
        np.testing.assert_array_equal(graph(pixels), on_host(pixels, given))


def test_a_place_in_the_photo_is_followed() -> None:
    frame = {"to_model": [1.0, 2.0, 10.0, 20.0]}
    resize(images((100, 50))[0], frame, **options([50, 150]))  # type: ignore[arg-type]
    assert frame["to_model"] == [3.0, 1.0, 30.0, 10.0]
