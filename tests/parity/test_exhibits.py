"""How inputs are shown, and the pictures they are shown with."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from deploy_targets.parity.exhibits import exhibit
from deploy_targets.parity.pictures import histogram, plot

draw = np.random.default_rng(0)


@pytest.mark.parametrize(
    "shape", [(2, 3, 16, 16), (2, 1, 16, 9), (2, 16, 16, 3), (2, 16, 9, 1), (1, 3, 600, 8)]
)
def test_images_of_any_layout_are_shown_as_images(shape: tuple[int, ...]) -> None:
    shown = exhibit("image", draw.normal(size=shape).astype(np.float32))
    assert len(shown.images) == shape[0]
    assert all(image.startswith(b"\x89PNG") for _, image in shown.images)
    assert "is shown as black" in shown.said


def test_the_row_that_matters_comes_first_and_what_is_left_out_is_said() -> None:
    shown = exhibit("image", draw.normal(size=(9, 3, 8, 8)).astype(np.float32), row=6)
    assert [row for row, _ in shown.images] == [6, 0, 1, 2]
    assert "4 of 9 rows" in shown.said
    large = exhibit("image", np.zeros((1, 3, 600, 600), np.uint8))
    assert "every third pixel" in large.said


def test_an_image_of_extremes_and_of_no_numbers_is_still_shown() -> None:
    most = np.finfo(np.float32).max
    image = np.full((1, 1, 8, 8), most, np.float32)
    image[0, 0, 0, 0], image[0, 0, 1, 1], image[0, 0, 2, 2] = -most, np.nan, np.inf
    assert len(exhibit("image", image).images) == 1
    assert len(exhibit("image", np.full((1, 1, 8, 8), np.nan, np.float32)).images) == 1


@pytest.mark.parametrize(
    ("shape", "lines", "points"),
    [((2, 3, 100), 3, 100), ((2, 100, 3), 3, 100), ((1, 100), 1, 100), ((100,), 1, 100)],
)
def test_signals_are_shown_as_lines(shape: tuple[int, ...], lines: int, points: int) -> None:
    shown = exhibit("x", draw.normal(size=shape).astype(np.float32))
    assert (len(shown.lines), len(shown.lines[0])) == (lines, points)


@pytest.mark.parametrize(
    ("array", "numbers"),
    [
        (np.array([[1, 2], [3, 4]]), ("3", "4")),
        (np.array([True, False]), ("true", "false")),
        (np.float32(0.5), ("0.5",)),
        (np.zeros((0, 3), np.float32), ()),
        (np.array([np.nan] * 9, np.float32), ("nan",) * 8),
    ],
)
def test_what_is_neither_is_shown_as_a_few_numbers(
    array: np.ndarray, numbers: tuple[str, ...]
) -> None:
    shown = exhibit("x", np.asarray(array), row=1)
    assert (shown.numbers, shown.images, shown.lines) == (numbers, (), ())


def bars(svg: str) -> list[str]:
    return [found.get("class", "") for found in ElementTree.fromstring(svg).iter("rect")]


def test_bars_beyond_the_bound_are_marked() -> None:
    counts = [0] * 24
    counts[8], counts[9] = 5, 1  # up to 16 times the noise, and from 16 on
    assert bars(histogram(counts, 16.0)) == ["bar", "bad"]
    assert "bound 16" in histogram(counts, 16.0)
    assert bars(histogram(counts, 0.0)) == ["bar", "bar"]


def test_a_flat_line_is_a_picture_too() -> None:
    found = ElementTree.fromstring(plot([[1.0] * 8, [1.0] * 8]))
    assert len(list(found.iter("polyline"))) == 2
