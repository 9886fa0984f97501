"""Decisions that follow from an output: classes, pixels, steps, boxes."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_targets.parity.tasks import agreement, arranged

SURE = 1e-6


def told(kind: str, want: object, got: object, unsure: float = SURE) -> dict[str, float]:
    w, g = np.asarray(want, np.float32), np.asarray(got, np.float32)
    return agreement(kind, w, g, np.full(w.shape, unsure))


def test_another_class_is_seen() -> None:
    assert told("classifier", [[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]], [[1, 3, 2], [3, 1, 2]]) == {
        "top1": 0.5
    }


def test_any_of_equal_largest_scores_is_right() -> None:
    assert told("classifier", [[1.0, 2.0, 2.0]], [[0.0, 2.0, 2.1]])["top1"] == 1.0
    assert told("classifier", [[1.0, 2.0, 2.0]], [[3.0, 2.0, 2.0]])["top1"] == 0.0


def test_scores_nearer_than_the_original_is_sure_of_are_ties() -> None:
    want, got = [[1.0, 1.0 + 1e-5]], [[1.0 + 1e-5, 1.0]]
    assert told("classifier", want, got, unsure=1e-5)["top1"] == 1.0
    assert told("classifier", want, got, unsure=1e-6)["top1"] == 0.0


def test_the_first_five_are_a_set() -> None:
    want = np.arange(20.0)[None]
    swapped = want.copy()
    swapped[0, [17, 18]] = swapped[0, [18, 17]]
    assert told("classifier", want, swapped) == {"top1": 1.0, "top5": 1.0}
    swapped[0, [15, 3]] = swapped[0, [3, 15]]
    assert told("classifier", want, swapped) == {"top1": 1.0, "top5": 0.0}


def test_an_original_that_says_nan_is_right_where_the_artifact_says_it_too() -> None:
    want = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    assert told("classifier", want, want)["top1"] == 1.0
    assert told("classifier", [[1.0, 2.0]], [[np.nan, 2.0]])["top1"] == 1.0


@pytest.mark.parametrize("last", [False, True])
def test_pixels_are_classified_along_the_axis_of_classes(last: bool) -> None:
    want = np.random.default_rng(0).normal(size=(1, 3, 8, 8))
    got = want.copy()
    got[0, :, 0, 0] = got[0, ::-1, 0, 0]
    got[0, 1, 0, 0] = -9
    if last:
        want, got = np.moveaxis(want, 1, -1), np.moveaxis(got, 1, -1)
    assert told("segmentation", want, got)["pixels"] == pytest.approx(63 / 64)


def test_each_step_of_a_sequence_is_a_decision() -> None:
    want = np.eye(4)[None]
    assert told("sequence", want, want[:, [0, 1, 3, 2]])["steps"] == 0.5


BOXES = np.array(
    [[[0, 0, 10, 10, 0.9, 1], [20, 20, 40, 40, 0.8, 2], [5, 5, 9, 9, 0.7, 1], [0] * 6]], np.float32
)


def test_boxes_in_another_order_are_the_same_boxes() -> None:
    shuffled = BOXES[:, [2, 0, 1, 3]]
    np.testing.assert_array_equal(arranged("detection", BOXES, shuffled), BOXES)
    np.testing.assert_array_equal(arranged("plain", BOXES, shuffled), shuffled)


def test_a_moved_box_is_another_box() -> None:
    moved = BOXES.copy()
    moved[0, 1, :4] += 1
    assert told("detection", BOXES, arranged("detection", BOXES, moved))["boxes"] == 0.75
    assert told("detection", BOXES, BOXES)["boxes"] == 1.0


def test_two_boxes_at_one_place_are_told_apart_by_their_scores() -> None:
    twice = np.array([[[0, 0, 9, 9, 0.9, 1], [0, 0, 9, 9, 0.4, 2]]], np.float32)
    np.testing.assert_array_equal(arranged("detection", twice, twice[:, ::-1]), twice)


def test_other_kinds_decide_nothing() -> None:
    assert told("embedding", [[1.0, 2.0]], [[2.0, 1.0]]) == {}


def test_no_boxes_are_the_same_no_boxes() -> None:
    none = np.zeros((0, 6), np.float32)
    assert arranged("detection", none, none.copy()).shape == (0, 6)


def test_boxes_whose_scores_lie_elsewhere_keep_their_order() -> None:
    turned = BOXES[:, ::-1, :4]
    np.testing.assert_array_equal(arranged("detection", BOXES[:, :, :4], turned), turned)


def test_labels_that_share_a_box_are_told_apart_though_one_is_off_by_an_ulp() -> None:
    want = np.array([[[0, 0, 640, 640, 0.9, 1], [0, 0, 640, 640, 0.8, 2]]], np.float32)
    got = want.copy()
    got[0, 0, 2] = np.nextafter(np.float32(640), np.float32(0))
    np.testing.assert_array_equal(arranged("detection", want, got), got)


def test_a_box_without_numbers_is_left_to_the_measure_of_its_numbers() -> None:
    lost = BOXES.copy()
    lost[0, 0, 0] = np.nan
    assert told("detection", lost, lost.copy())["boxes"] == 1.0
