"""A model's outputs: few numbers with ties, NaN and limits met exactly, and what is asked of them.

To add one: a line in the function of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deploy_targets.records import Array, TensorSpec
from deploy_targets.stages.base import After
from deploy_targets.stages.boxes import BoxesAfter
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.mask import MaskAfter
from deploy_targets.stages.text import TextAfter
from deploy_targets.testing.vectors.declared import Answers, Filed, after

CHAIN = "chain-answers"
NAN, FAR = float("nan"), float("inf")
LABELS = ["cat", "dog", "Bär 🐻", 'a "quoted" \\ one', "cat"]
LETTERBOX = {"size": [45, 80], "to_model": [0.4, 0.4, 0.0, 7.0]}
CROPPED = {"size": [21, 30], "to_model": [1.2, 1.2, -2.0, 3.0]}

Asked = Iterator[tuple[str, After, tuple[TensorSpec, ...], list[Answers]]]


def cases() -> Filed:
    """Every table with the outputs that tell it from its neighbours."""
    for kind in (_classes, _boxes, _masks, _texts):
        for name, table, outputs, several in kind():
            yield from after(CHAIN, name, table, outputs, several)


def _plain(name: str, why: str, tensor: Any, *, dtype: Any = np.float32, **more: Any) -> Answers:
    return Answers(name, why, {"scores": np.array(tensor, dtype)}, **more)


def _classes() -> Asked:
    scores = TensorSpec("scores", "float32", ("batch", 5))
    draw = np.random.default_rng(1).normal(0, 3, (2, 5))
    usual = [
        _plain("two", "two rows", draw, single=False),
        _plain("one", "one row of one item", draw[:1]),
        _plain("far", "logits of which a plain exponential overflows", [[800, 790, -800, 0, 9]]),
        _plain("ties", "equal scores", [[1, 2, 2, 1, 2]]),
        _plain("half", "float16", draw[1:], dtype=np.float16),
    ]
    odd = [
        _plain("nan", "scores that are no number", [[NAN, 0.5, FAR, 0.5, -FAR]]),
        _plain("limit", "scores at the limit", [[0.5, 0.25, 0.75, 0.5, NAN]]),
        _plain("rows", "two rows of a table", [[0, 1, 0.6, 1, 0], [0, 0, 0, 0, 0]], single=False),
    ]
    for name, declared, several in (
        ("softmax-best", {"activation": "softmax", "top_k": 3, "labels": LABELS}, usual),
        ("sigmoid-above", {"activation": "sigmoid", "threshold": 0.5, "labels": LABELS}, usual),
        ("softmax-all", {"activation": "softmax"}, usual),
        ("best", {"activation": "none", "top_k": 4}, odd),
        ("above", {"activation": "none", "threshold": 0.5}, odd),
    ):
        yield name, ClassesAfter.model_validate(declared), (scores,), several
    many = TensorSpec("scores", "float32", ("batch", 60))
    ties = [_plain("ties", "more equal scores than are taken", [[i % 3 for i in range(60)]])]
    table = ClassesAfter.model_validate({"activation": "none", "top_k": 25})
    yield "best-of-many", table, (many,), ties


def _boxes() -> Asked:
    apart = {"activation": "softmax", "background": 0, "labels": LABELS[:4], "input": "image"}
    relative = {"unit": "relative", "size": [32, 40], "iou": 0.5, "score": 0.15}
    outputs = (
        TensorSpec("boxes", "float32", (1, "n", 4)),
        TensorSpec("scores", "float32", (1, "n", 4)),
    )
    for format in ("cxcywh", "xyxy", "xywh"):
        most = {"max": 3 if format == "xyxy" else 50}
        declared = {"format": format, "scores": "scores", **relative, **apart, **most}
        boxes = _proposals()
        marks = np.random.default_rng(8).normal(0, 2, (1, len(boxes), 4))
        marks[0, :, 0] -= 1
        marks[0, 5] = [-1, 4, 4, -2]  # of equal scores the lower class is first
        nothing = marks.copy()
        nothing[0, :, 0] += 30
        several = [
            _boxed("letterbox", "boxes that overlap", boxes, marks, LETTERBOX),
            _boxed("cropped", "a photo of which the middle was seen", boxes, marks, CROPPED),
            _boxed("none", "nothing above the limit", boxes, nothing, CROPPED),
            _boxed("empty", "no proposals", boxes[:0], marks[:, :0], CROPPED),
        ]
        yield f"relative-{format}", BoxesAfter.model_validate(declared), outputs, several
    together = (TensorSpec("boxes", "float32", (1, 6, "n")),)
    table = BoxesAfter.model_validate({"format": "xyxy", "per_box": "best", "iou": 0.5})
    yield (
        "together",
        table,
        together,
        [
            Answers(
                "limits",
                "ties, limits met exactly, corners turned round, no numbers",
                {"boxes": np.array(_limits(), np.float32).T[None]},
            )
        ],
    )


def _boxed(name: str, why: str, boxes: Any, marks: Any, frame: dict[str, Any]) -> Answers:
    tensors: dict[str, Array] = {"boxes": boxes[None].astype(np.float32)}
    return Answers(name, why, {**tensors, "scores": marks.astype(np.float32)}, frame)


def _proposals() -> Array:
    """Groups of boxes that nearly coincide, some beyond the edge."""
    draw = np.random.default_rng(4)
    middles = np.repeat(draw.uniform(0.1, 0.7, (4, 4)), 4, axis=0)
    return np.asarray(middles + draw.uniform(-0.06, 0.06, middles.shape))


def _limits() -> list[list[float]]:
    return [
        [0, 0, 10, 10, 0.9, 0.1],
        [0, 0, 10, 5, 0.8, 0.1],  # half of the first: just the limit, so it stays
        [0, 0, 10, 6, 0.8, 0.1],  # more than half
        [10, 10, 0, 0, 0.7, 0.1],  # the first, turned round
        [110, 10, 100, 0, 0.6, 0.1],
        [100, 0, 110, 9, 0.5, 0.1],  # lies in the one before, which is turned round
        [20, 0, 30, 10, 0.25, 0.1],  # a score at the limit is not above it
        [40, 0, 50, 10, 0.3, 0.3],  # of equal scores the lower class
        [60, 0, 60, 10, 0.1, 0.6],  # no area
        [NAN, 0, 9, 9, 0.95, 0.1],
        [0, 0, FAR, 9, 0.95, 0.1],
        [70, 0, 80, 10, NAN, 0.6],
        [90, 0, 95, 10, 0.1, 0.6],
        [96, 0, 99, 10, 0.4, 0.55],
    ]


def _masks() -> Asked:
    draw = np.random.default_rng(6).normal(0, 1, (1, 3, 8, 10))
    draw[0, 1, 2], draw[0, 0, 2] = 3, 3
    draw[0, 2, 3, :4] = NAN
    seen = {"size": [16, 22], "to_model": [0.5, 0.5, -0.5, 0.0]}
    tall = {"size": [49, 5], "to_model": [2.0, 8 / 49, 0.0, 0.0]}
    wide = {"size": [9, 33], "to_model": [10 / 33, 10 / 33, 0.0, 2.6]}
    several = [
        _plain("half", "ties, no numbers, a photo twice as large", draw, frame=seen),
        _plain("tall", "a centre on a border, but for rounding", draw, frame=tall),
        _plain("wide", "a photo of which more than its height was seen", draw, frame=wide),
    ]
    classes = TensorSpec("scores", "float32", (1, 3, "h", "w"))
    declared: dict[str, Any] = {"input": "image", "labels": LABELS[:3]}
    yield "photo", MaskAfter.model_validate(declared), (classes,), several
    declared |= {"size": [16, 20], "palette": [[0, 0, 0], [255, 0, 9], [1, 2, 3]]}
    double = {"size": [20, 17], "to_model": [0.9, 0.9, 1.0, -1.0]}
    another = [_plain("double", "a mask of half the size of what was seen", draw, frame=double)]
    yield "half-size", MaskAfter.model_validate(declared), (classes,), another
    last = TensorSpec("scores", "float32", (1, "h", "w", 3))
    turned = [_plain("last", "classes last", np.moveaxis(draw, 1, 3))]
    yield "classes-last", MaskAfter.model_validate({"axis": 3}), (last,), turned
    one = TensorSpec("scores", "float32", (1, 1, "h", "w"))
    table = MaskAfter.model_validate({"activation": "sigmoid", "threshold": 0.4})
    yield "foreground", table, (one,), [_plain("one", "one score a pixel", draw[:, :1])]
    limit = draw[:, :1].round()
    table = MaskAfter.model_validate({"threshold": 1.0})
    yield "limit", table, (one,), [_plain("one", "scores at the limit", limit)]


def _texts() -> Asked:
    said = [1, 1, 0, 1, 2, 2, 3, 0, 0, 3, 4, 4, 0]
    steps = np.random.default_rng(2).uniform(0, 1, (1, len(said), 5))
    steps[0, np.arange(len(said)), said] += 1
    steps[0, 4, 0] = NAN
    steps[0, 6] = 2.0  # all alike: the first, the blank
    several = [
        _plain("said", "repeats, blanks, a tie, no numbers", steps),
        _plain("nothing", "no steps", steps[:, :0]),
        _plain("start", "a token at once", steps[:, 3:]),
        _plain("space", "a space at the beginning, which is left out", steps[:, 7:]),
    ]
    spec = TensorSpec("scores", "float32", (1, "steps", 5))
    table = TextAfter.model_validate({"alphabet": "_äb|d", "space": "|"})
    yield "text", table, (spec,), several
    turned = [_plain("said", "steps first, the blank last", np.moveaxis(steps, 0, 1))]
    spec = TensorSpec("scores", "float32", ("steps", 1, 5))
    yield "ids", TextAfter.model_validate({"time": 0, "blank": 4}), (spec,), turned
