"""type = "boxes": suppression by class, on the host, in the graph, and by a loop of its own."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from deploy_targets.records import TensorSpec
from deploy_targets.stages.boxes import BoxesAfter

from .answers import ROOM, both, on_host, same


def table(**keys: Any) -> BoxesAfter:
    return BoxesAfter.model_validate({"type": "boxes", "format": "xyxy", **keys})


def apart(n: int | str = "n", classes: int | str = 3) -> list[TensorSpec]:
    """Boxes and scores as two outputs."""
    return [
        TensorSpec("boxes", "float32", (1, n, 4)),
        TensorSpec("scores", "float32", (1, n, classes)),
    ]


def together(first: int | str, second: int | str) -> list[TensorSpec]:
    return [TensorSpec("boxes", "float32", (1, first, second))]


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Boxes on a coarse grid and scores of few levels: overlaps and ties, and odd numbers."""
    n, classes = int(rng.integers(0, 40)), int(rng.integers(1, 5))
    boxes = rng.integers(0, 12, (1, n, 4)).astype(np.float32)
    scores = rng.integers(0, 6, (1, n, classes)).astype(np.float32) / 5
    if n and rng.random() < 0.4:
        for array in (boxes, scores):
            places = rng.integers(0, array.size, 3)
            array.ravel()[places] = rng.choice([np.nan, np.inf, -np.inf, 3e38], 3)
    return boxes, scores


@pytest.mark.parametrize("seed", range(40))
def test_what_is_found_is_the_same_in_the_graph_bit_for_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes, scores = draw(rng)
    layout = str(rng.choice(["rows", "columns"]))
    keys: dict[str, Any] = {
        "format": str(rng.choice(["xyxy", "xywh", "cxcywh"])),
        "per_box": str(rng.choice(["all", "best"])),
        "background": rng.choice([None, 0]),
        "iou": float(rng.choice([0, 0.25, 0.45, 0.5, 1])),
        "score": float(rng.choice([0, 0.2, 0.4])),
        "max": int(rng.choice([1, 3, 100, 10**6])),
        "layout": layout,
        **({"unit": "relative", "size": (7, 9)} if rng.random() < 0.3 else {}),
    }
    order = (0, 1, 2) if layout == "rows" else (0, 2, 1)
    if rng.random() < 0.4:
        given = {"boxes": np.concatenate([boxes, scores], 2).transpose(order).copy()}
        shape = [dim if axis != 1 else "n" for axis, dim in enumerate((1, 0, 4 + scores.shape[2]))]
        outputs = together(*(shape[axis] for axis in order[1:]))
    else:
        given = {"boxes": boxes, "scores": scores.transpose(order).copy()}
        sides = [(1, "n", scores.shape[2])[axis] for axis in order]
        outputs = [apart()[0], TensorSpec("scores", "float32", tuple(sides))]
        keys["scores"] = "scores"
    assert same(*both(table(**keys), "boxes", outputs, given))


def suppressed_by_hand(
    boxes: np.ndarray, scores: np.ndarray, limit: float, score: float
) -> list[list[float]]:
    """From the description of torchvision.ops.batched_nms: class by class, boxes that have an
    intersection over union greater than the threshold with a higher scoring one are removed."""
    found = []
    for kind in range(scores.shape[1]):
        order = sorted(range(len(boxes)), key=lambda i, c=kind: -scores[i, c])
        kept: list[int] = []
        for i in order:
            if scores[i, kind] > score and all(iou(boxes[i], boxes[j]) <= limit for j in kept):
                kept.append(i)
        found += [[*boxes[i].tolist(), float(scores[i, kind]), float(kind)] for i in kept]
    return sorted(found, key=lambda row: -row[4])


def iou(one: np.ndarray, other: np.ndarray) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    union = sum(areas) - shared
    return float(shared / union) if union else 0.0


@pytest.mark.parametrize("seed", range(10))
def test_what_is_found_is_what_the_description_of_torchvisions_nms_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 20, (60, 2))
    boxes = np.concatenate([low, low + rng.integers(1, 12, (60, 2))], 1).astype(np.float32)
    scores = rng.integers(0, 9, (60, 3)).astype(np.float32) / 8
    keys = {"scores": "scores", "iou": 0.5, "score": 0.25, "max": 1000}
    host, graph = both(
        table(**keys), "boxes", apart(), {"boxes": boxes[None], "scores": scores[None]}
    )
    assert host["boxes"].tolist() == suppressed_by_hand(boxes, scores, 0.5, 0.25)
    assert same(host, graph)


def test_an_overlap_at_the_limit_and_a_score_at_the_limit_are_not_above_them() -> None:
    boxes = np.float32([[[0, 0, 4, 1], [0, 0, 2, 1], [9, 9, 10, 10]]])  # the first two: exactly 0.5
    scores = np.float32([[[0.75], [0.5], [0.25]]])
    for limit, left in ((0.5, [0.75, 0.5]), (0.49, [0.75])):
        keys = {"scores": "scores", "iou": limit, "score": 0.25}
        host, graph = both(
            table(**keys), "boxes", apart(classes=1), {"boxes": boxes, "scores": scores}
        )
        assert host["boxes"][:, 4].tolist() == left
        assert same(host, graph)


def test_no_box_is_an_answer_of_no_rows() -> None:
    for n in (0, 5):
        given = {"boxes": np.ones((1, n, 4), np.float32), "scores": np.zeros((1, n, 3), np.float32)}
        host, graph = both(table(scores="scores"), "boxes", apart(), given)
        assert host["boxes"].shape == (0, 6)
        assert same(host, graph)


def test_of_equal_scores_the_lower_class_and_then_the_lower_proposal_is_first() -> None:
    boxes = np.float32([[[x, 0, x + 1, 1] for x in (0, 5, 10)]])
    scores = np.float32([[[0.5, 0.5], [0.5, 0.5], [0.9, 0.5]]])
    given = {"boxes": boxes, "scores": scores}
    host, graph = both(table(scores="scores"), "boxes", apart(classes=2), given)
    assert [(int(row[5]), row[0]) for row in host["boxes"]] == [
        (0, 10), (0, 0), (0, 5), (1, 0), (1, 5), (1, 10)
    ]  # fmt: skip
    assert same(host, graph)


def test_only_the_best_class_of_a_box_is_found_where_that_is_asked() -> None:
    given = {"boxes": np.float32([[[0, 0, 1, 1]]]), "scores": np.float32([[[0.4, 0.9, 0.9]]])}
    for per_box, kinds in (("all", [1, 2, 0]), ("best", [1])):
        host, graph = both(table(scores="scores", per_box=per_box), "boxes", apart(), given)
        assert host["boxes"][:, 5].tolist() == kinds
        assert same(host, graph)


def test_the_best_class_of_a_box_is_never_one_without_a_number() -> None:
    given = {"boxes": np.float32([[[0, 0, 1, 1]]]), "scores": np.float32([[[np.nan, 0.3, 0.9]]])}
    host, graph = both(table(scores="scores", per_box="best"), "boxes", apart(), given)
    assert host["boxes"][:, 5].tolist() == [2]
    assert same(host, graph)


def test_the_background_is_never_found() -> None:
    given = {"boxes": np.float32([[[0, 0, 1, 1]]]), "scores": np.float32([[[0.3, 0.9, 0.4]]])}
    host, graph = both(table(scores="scores", background=1), "boxes", apart(), given)
    assert host["boxes"][:, 5].tolist() == [2, 0]
    assert same(host, graph)


def test_scores_may_want_an_activation_of_their_own() -> None:
    given = {"boxes": np.float32([[[0, 0, 1, 1]]]), "scores": np.float32([[[2, -2, 0]]])}
    host, graph = both(table(scores="scores", activation="sigmoid"), "boxes", apart(), given)
    np.testing.assert_allclose(host["boxes"][:, 4], [0.880797, 0.5], rtol=1e-6)
    np.testing.assert_allclose(graph["boxes"], host["boxes"], rtol=1e-6)


def test_several_items_at_once_are_refused_on_both_sides() -> None:
    outputs = [
        TensorSpec("boxes", "float32", ("batch", "n", 4)),
        TensorSpec("scores", "float32", ("batch", "n", 3)),
    ]
    given = {"boxes": np.zeros((2, 5, 4), np.float32), "scores": np.zeros((2, 5, 3), np.float32)}
    with pytest.raises(ValueError, match="one item at a time"):
        on_host(table(scores="scores").stages("boxes", outputs, ROOM), given)
    one = {name: array[:1] for name, array in given.items()}
    assert same(*both(table(scores="scores"), "boxes", outputs, one))


def test_boxes_go_back_to_the_photo_and_stay_within_it() -> None:
    # A photo of 200 x 100 in a letterbox of 64 x 64: scaled by 0.32, 16 pixels above and below.
    frame = {"size": [100, 200], "to_model": [0.32, 0.32, 0.0, 16.0]}
    given = {"boxes": np.float32([[[16, 24, 32, 40], [-8, 0, 80, 64]]])}
    given["scores"] = np.float32([[[0.9], [0.8]]])
    stages = table(scores="scores", input="image").stages("boxes", apart(classes=1), ROOM)
    found = on_host(stages, given, frame)["boxes"]
    assert found[:, :4].tolist() == [[50, 25, 100, 75], [0, 0, 200, 100]]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"unit": "relative"}, r"size = \[640, 640\]"),
        ({"size": (64, 64)}, 'unit = "relative"'),
        ({"unit": "relative", "size": (0, 64)}, r"\[height, width\]"),
        ({"activation": "sigmoid"}, "name it, as scores"),
        ({"format": "yxyx"}, "'xyxy', 'xywh' or 'cxcywh'"),
        ({"iou": 45}, "less than or equal to 1"),
        ({"max": 0}, "greater than or equal to 1"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys)


@pytest.mark.parametrize(
    ("keys", "outputs", "words"),
    [
        ({"scores": "score"}, apart(), "there are boxes, scores"),
        ({"scores": "boxes"}, apart(), "the boxes themselves"),
        ({"scores": "scores"}, apart(9, 9), 'layout = "columns"'),
        ({"scores": "scores"}, [apart(9)[0], apart(8)[1]], "no axis is the 9 boxes"),
        ({"scores": "scores", "layout": "columns"}, apart(9), "leave layout out"),
        ({"scores": "scores", "labels": ["a"]}, apart(), "1 names for the 3 classes of scores"),
        ({"scores": "scores", "background": 3}, apart(), "3 classes from 0 on"),
        ({}, apart(), "holds four numbers for each box and no scores"),
        ({}, together(80, 80), 'say layout = "rows"'),
        ({"labels": ["a", "b"]}, together(84, 8400), "2 names for the 80 classes"),
        ({}, [TensorSpec("boxes", "float32", (100, 6))], r"expected \[1, 4 \+ classes"),
        ({"scores": "scores"}, [TensorSpec("boxes", "float32", (1, 9, 5)), apart()[1]], "9, 4|, 4"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_refused(
    keys: dict[str, Any], outputs: list[TensorSpec], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys).check("boxes", outputs)


@pytest.mark.parametrize(("first", "second"), list(product([84, 6], [8400, "n"])))
def test_the_form_of_yolo_is_seen_either_way_round(first: int, second: int | str) -> None:
    for outputs, layout in (
        (together(first, second), "columns"),
        (together(second, first), "rows"),
    ):
        step = table().stages("boxes", outputs, ROOM)[0]
        assert step.options["layout"] == layout
        table(labels=tuple(map(str, range(first - 4)))).check("boxes", outputs)
