"""type = "mask": the class of each pixel, and back to the size of the photo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from deploy_targets.records import TensorSpec
from deploy_targets.stages.mask import MaskAfter

from .answers import ROOM, both, on_host, same


def table(**keys: Any) -> MaskAfter:
    return MaskAfter.model_validate({"type": "mask", **keys})


def scores(classes: int | str, axis: int = 1) -> list[TensorSpec]:
    shape: list[int | str] = ["batch", "h", "w"]
    shape.insert(axis, classes)
    return [TensorSpec("mask", "float32", tuple(shape))]


@pytest.mark.parametrize("seed", range(12))
def test_the_best_class_is_the_same_in_the_graph_for_ties_and_odd_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, axis = int(rng.choice([2, 3, 21, 256])), int(rng.choice([1, 3]))
    shape = [int(rng.integers(1, 3)), 5, 7]
    shape.insert(axis, classes)
    given = rng.integers(0, 4, shape).astype(np.float32)
    given[rng.random(shape) < 0.2] = rng.choice([np.nan, np.inf, -np.inf])
    assert same(*both(table(axis=axis), "mask", scores(classes, axis), {"mask": given}))


def test_of_equal_scores_the_lower_class_is_taken_and_no_number_never() -> None:
    given = np.float32([[1, 2, 2], [np.nan, 1, 0], [np.nan] * 3, [0, np.nan, 0.5]])
    host, graph = both(table(), "mask", scores(3), {"mask": given.T[None, :, None].copy()})
    assert host["mask"].tolist() == [[[1, 1, 0, 2]]]
    assert same(host, graph)


@pytest.mark.parametrize("axis", [1, 3])
def test_one_score_a_pixel_counts_above_the_threshold_alone(axis: int) -> None:
    given = np.expand_dims(np.float32([[[0.5, 0.5001, -1], [np.nan, np.inf, 2]]]), axis)
    host, graph = both(table(axis=axis, threshold=0.5), "mask", scores(1, axis), {"mask": given})
    assert host["mask"].tolist() == [[[0, 1, 0], [0, 1, 1]]]
    assert same(host, graph)


def test_a_threshold_may_be_one_of_probabilities() -> None:
    given = np.float32([-0.1, 0, 0.1]).reshape(1, 1, 1, 3)
    keys = {"activation": "sigmoid", "threshold": 0.5}
    host, graph = both(table(**keys), "mask", scores(1), {"mask": given})
    assert host["mask"].tolist() == [[[0, 0, 1]]]
    assert same(host, graph)


def resized(mask: np.ndarray, frame: dict[str, Any], **keys: Any) -> np.ndarray:
    kinds = int(mask.max()) + 2
    given = (np.arange(kinds)[:, None, None] == mask).astype(np.float32)[None]
    stages = table(input="image", **keys).stages("mask", scores(kinds), ROOM)
    return on_host(stages, {"mask": given}, frame)["mask"][0]


@pytest.mark.parametrize("size", [(31, 47), (8, 6), (1, 1), (200, 3), (16, 12)])
def test_a_mask_of_a_squeezed_photo_comes_back_as_pil_resizes_it(size: tuple[int, int]) -> None:
    # Of odd sizes, so that no centre lies on a border, where rounding decides in PIL.
    mask = np.random.default_rng(0).integers(0, 7, (7, 5)).astype(np.uint8)
    frame = {"size": list(size), "to_model": [5 / size[1], 7 / size[0], 0.0, 0.0]}
    wanted = Image.fromarray(mask).resize(size[::-1], Image.Resampling.NEAREST)
    np.testing.assert_array_equal(resized(mask, frame), np.asarray(wanted))


def test_a_centre_on_a_border_takes_the_later_pixel_whatever_the_rounding() -> None:
    for length in range(1, 400, 2):
        mask = np.uint8([[1, 2, 3, 4]])
        frame = {"size": [1, length], "to_model": [4 / length, 1.0, 0.0, 0.0]}
        exact = (2 * np.arange(length) + 1) * 4 // (2 * length)
        assert resized(mask, frame)[0].tolist() == mask[0, exact].tolist()


def test_the_bars_of_a_letterbox_are_left_out() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[2:6] = [1, 1, 1, 1, 2, 2, 2, 2]
    found = resized(mask, {"size": [2, 4], "to_model": [2.0, 2.0, 0.0, 2.0]})
    assert found.tolist() == [[1, 1, 2, 2]] * 2


def test_what_a_crop_left_out_takes_the_nearest_that_was_seen() -> None:
    mask = np.uint8([[1, 2], [3, 4]])
    found = resized(mask, {"size": [4, 4], "to_model": [1.0, 1.0, -1.0, -1.0]})
    assert found.tolist() == [[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2


def test_a_mask_may_be_smaller_than_what_the_model_saw() -> None:
    mask = np.uint8([[1, 2], [3, 4]])
    frame = {"size": [4, 4], "to_model": [2.0, 2.0, 0.0, 0.0]}
    assert resized(mask, frame, size=(8, 8)).tolist() == np.kron(mask, np.ones((2, 2))).tolist()


def test_a_palette_of_256_colours_has_none_twice() -> None:
    step = table().stages("mask", scores(256), ROOM)[-2]
    colours = step.options["colours"]
    assert len({tuple(colour) for colour in colours}) == 256
    assert colours[:4] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert all(0 <= level <= 255 for colour in colours for level in colour)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"activation": "sigmoid"}, "threshold = 0.5"),
        ({"size": (8, 8)}, 'input = "image"'),
        ({"axis": 2}, "1 or 3"),
        ({"palette": [[0, 0, 256]]}, "less than or equal to 255"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys)


@pytest.mark.parametrize(
    ("keys", "outputs", "words"),
    [
        ({}, scores(1), "threshold = 0.5"),
        ({"threshold": 0.5}, scores(3), "leave threshold out"),
        ({}, scores(257), "256 at most"),
        ({}, scores("c"), "fixed number"),
        ({"labels": ["a"]}, scores(3), "1 names for the 3 classes"),
        ({"labels": ["thing"], "threshold": 0.5}, scores(1), "1 names for the 2 classes"),
        ({"palette": [[0, 0, 0]]}, scores(3), "1 colours for the 3 classes"),
        ({}, [TensorSpec("mask", "float32", (3, 4, 4))], r"expected \[batch, classes, height"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_refused(
    keys: dict[str, Any], outputs: list[TensorSpec], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys).check("mask", outputs)
