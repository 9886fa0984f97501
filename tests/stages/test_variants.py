"""The usual mistakes: what is made of steps on purpose, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from deploy_targets.records import Stage
from deploy_targets.stages.variants import Variant, variants

BOXES = {
    "format": "xyxy",
    "unit": "pixels",
    "size": None,
    "best": False,
    "background": None,
    "iou": 0.45,
    "score": 0.25,
}


def made(*stages: Stage) -> dict[str, Variant]:
    found = variants(stages)
    assert len({one.name for one in found}) == len(found), "no two have the same name"
    assert all(one.stages != stages for one in found)
    return {one.name: one for one in found}


def ctc(blank: int, labels: list[str] | None) -> tuple[Stage, Stage]:
    said = {"says": "text", "labels": labels, "space": None}
    return (
        Stage("x", "ctc", {"blank": blank, "time": 1}, "after"),
        Stage("x", "label", said, "after"),
    )


@pytest.mark.parametrize(
    ("blank", "labels", "other"),
    [
        (0, ["_", "a", "b"], {"blank-2"}),
        (2, ["a", "b", "_"], {"blank-0"}),
        (1, ["a", "_", "b"], {"blank-0", "blank-2"}),
        (0, None, set()),
        (7, None, {"blank-0"}),
    ],
)
def test_the_blank_may_have_been_taken_for_the_first_or_the_last_token(
    blank: int, labels: list[str] | None, other: set[str]
) -> None:
    assert set(made(*ctc(blank, labels))) == other


@pytest.mark.parametrize(
    ("before", "size"),
    [
        ([Stage("image", "resize", {"to": [48, 64]}, "before")], [48, 64]),
        (
            [
                Stage("image", "resize", {"to": None, "longer": 64}, "before"),
                Stage("image", "pad", {"to": [64, 96], "at": "centre"}, "before"),
            ],
            [64, 96],
        ),
        ([Stage("image", "resize", {"to": None, "longer": 64}, "before")], None),
        ([], None),
    ],
)
def test_boxes_in_pixels_may_have_been_taken_as_relative_to_what_the_model_sees(
    before: list[Stage], size: list[int] | None
) -> None:
    found = made(*before, Stage("boxes", "detections", BOXES, "after"))
    options: Any = [one.stages[-1].options for n, one in found.items() if n.endswith("relative")]
    assert [one["size"] for one in options] == ([size] if size else [])


def test_relative_boxes_may_have_been_taken_as_pixels_or_with_their_sides_exchanged() -> None:
    relative = {**BOXES, "unit": "relative", "size": [480, 640]}
    found = made(Stage("boxes", "detections", relative, "after"))
    assert found["detections-unit-pixels"].stages[0].options["size"] is None
    assert found["sides-exchanged"].stages[0].options["size"] == [640, 480]
    square = made(Stage("boxes", "detections", {**relative, "size": [640, 640]}, "after"))
    assert "sides-exchanged" not in square


def test_a_mask_may_have_been_left_as_it_came_or_be_of_another_axis() -> None:
    found = made(
        Stage("mask", "argmax", {"axis": 1}, "after"),
        Stage("mask", "resize_mask", {"input": "image", "size": [64, 96]}, "after"),
    )
    assert set(found) == {
        *("argmax-axis-3", "resize_mask-size-None", "no-resize_mask", "sides-exchanged")
    }
    assert [stage.op for stage in found["no-resize_mask"].stages] == ["argmax"]


def test_names_of_a_category_may_have_been_sorted_or_turned_round() -> None:
    options = {"columns": ["age", "sex"], "categories": {"sex": ["male", "female", "other"]}}
    found = made(Stage("rows", "decode_table", options, "before"))
    assert set(found) == {"columns-age-sex", "categories-sex-sorted", "categories-sex-reversed"}
    known: Any = found["categories-sex-sorted"].stages[0].options["categories"]
    assert known == {"sex": ["female", "male", "other"]}
