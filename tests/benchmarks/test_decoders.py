"""Counting how far decoders are from Pillow, on arrays small enough to count by hand."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from benchmarks.decoding import away, files, readers

BASE = np.array([[[10, 20, 30], [0, 255, 7]]], np.uint8)
OTHER = np.array([[[11, 18, 30], [5, 255, 6]]], np.uint8)


def test_samples_are_counted_by_how_many_levels_they_differ() -> None:
    found = away.count([(BASE, OTHER), (BASE, BASE)])
    assert found == away.Count(samples=12, by_one=2, by_two=1, by_more=1, largest=5)
    assert found.differ == 4


def test_no_level_is_lost_where_uint8_would_wrap() -> None:
    black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
    assert away.count([(white, black)]) == away.count([(black, white)])
    assert away.count([(black, white)]).largest == 255


def test_pixels_of_another_shape_are_no_difference_but_an_error() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        away.count([(BASE, OTHER[:, :1])])


def test_the_shape_of_a_difference_is_told() -> None:
    draw = np.random.default_rng(0)
    base = np.full((64, 64, 3), 128, np.uint8)
    base[:, 32:] = (250, 10, 10)
    brighter = away.shape([(base, base + np.uint8(1))])
    assert (brighter.bias, brighter.rms, brighter.channels) == (1.0, 1.0, (1.0, 1.0, 1.0))
    assert brighter.resized == pytest.approx(1.0, abs=1e-6)
    alone = away.shape([(base, away.at_random(base, 1, seed=0))])
    assert abs(alone.together) < 0.1
    assert abs(alone.beside) < 0.1
    edge = base.copy()
    edge[:, 31:33] += draw.integers(1, 3, (64, 2, 3), dtype=np.uint8)
    assert away.shape([(base, edge)]).edges == 1.0


def test_the_profile_that_is_made_is_one_and_moves_colours() -> None:
    red = Image.new("RGB", (1, 1), (200, 30, 30))
    wide = ImageCms.ImageCmsProfile(BytesIO(files.profile()))
    moved = ImageCms.profileToProfile(red, wide, ImageCms.createProfile("sRGB"))
    assert moved is not None
    assert away.count([(np.array(red), np.array(moved))]).largest > 10


def test_a_program_that_fails_is_not_run_and_says_why(tmp_path) -> None:
    with pytest.raises(readers.NotRun, match="sh ended with 3: no such thing"):
        readers._run(["sh", "-c", "echo no such thing >&2; exit 3"])
