"""The answer in words: what a client reads, and that it comes back as the tensors bit for bit."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deploy_targets.records import Array, Stage, TensorSpec
from deploy_targets.stages.base import After
from deploy_targets.stages.boxes import BoxesAfter
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.host import words
from deploy_targets.stages.mask import MaskAfter
from deploy_targets.stages.said import Unreadable, tensors_of
from deploy_targets.stages.text import TextAfter

from .answers import ROOM, on_host, plain, returned, same, spoken

OUT = {
    "classes": TensorSpec("out", "float32", ("batch", 4)),
    "boxes": TensorSpec("out", "float32", (1, "n", 6)),
    "mask": TensorSpec("out", "float32", ("batch", 3, "h", "w")),
    "text": TensorSpec("out", "float32", (1, "t", 4)),
}
SCORES = np.float32([[0.1, 0.7, 0.7, 1e-40]])
BOXES = np.float32([[[1, 2, 30, 40, 0.3, 0.1], [50, 60, 70.1, 80, 0.0, 0.9]]])
MASK = np.random.default_rng(0).random((1, 3, 5, 7)).astype(np.float32)
TEXT = np.eye(4, dtype=np.float32)[[0, 1, 1, 3, 2, 0, 2]][None]

Answer = tuple[tuple[Stage, ...], tuple[TensorSpec, ...], dict[str, Array]]


def answer(table: After, kind: str, given: np.ndarray) -> Answer:
    table.check("out", [OUT[kind]])
    stages = table.stages("out", [OUT[kind]], ROOM)
    return stages, table.gives("out", [OUT[kind]]), on_host(stages, {"out": given})


def classes(given: np.ndarray = SCORES, **keys: Any) -> Answer:
    keys = {"activation": "none", "labels": ("ant", "bee", "cat", "dog"), **keys}
    return answer(ClassesAfter.model_validate(keys), "classes", given)


def boxes(given: np.ndarray = BOXES) -> Answer:
    return answer(BoxesAfter(format="xyxy", layout="rows", labels=("cat", "dog")), "boxes", given)


def mask(given: np.ndarray = MASK) -> Answer:
    return answer(MaskAfter(labels=("sky", "road", "car")), "mask", given)


def text(given: np.ndarray = TEXT) -> Answer:
    return answer(TextAfter(alphabet="_ab|", space="|"), "text", given)


def test_the_best_classes_are_said_with_label_index_and_score() -> None:
    stages, _, tensors = classes(top_k=2)
    assert spoken(stages, tensors) == {
        "out": [
            {"label": "bee", "index": 1, "score": 0.7},
            {"label": "cat", "index": 2, "score": 0.7},
        ]
    }


def test_all_classes_are_said_in_their_order_and_those_above_a_threshold_best_first() -> None:
    stages, _, tensors = classes()
    assert [entry["index"] for entry in spoken(stages, tensors)["out"]] == [0, 1, 2, 3]
    stages, _, tensors = classes(np.float32([[0.3, 0.2, 0.9, 0.9]]), threshold=0.2)
    assert [entry["label"] for entry in spoken(stages, tensors)["out"]] == ["cat", "dog", "ant"]


def test_without_labels_there_is_no_label() -> None:
    stages, _, tensors = classes(top_k=1, labels=None)
    assert spoken(stages, tensors) == {"out": [{"index": 1, "score": 0.7}]}


def test_a_table_has_one_entry_for_each_row() -> None:
    stages, gives, tensors = classes(np.repeat(SCORES, 3, 0), top_k=1)
    said = spoken(stages, tensors, single=False)
    assert said == {"out": [[{"label": "bee", "index": 1, "score": 0.7}]] * 3}
    assert same(returned(stages, gives, tensors, single=False), tensors)


def test_boxes_are_said_with_label_class_score_and_corners() -> None:
    stages, _, tensors = boxes()
    assert spoken(stages, tensors) == {
        "out": [
            {"label": "dog", "class": 1, "score": 0.9, "box": [50.0, 60.0, 70.1, 80.0]},
            {"label": "cat", "class": 0, "score": 0.3, "box": [1.0, 2.0, 30.0, 40.0]},
        ]
    }


def test_a_mask_is_said_as_a_png_whose_pixels_are_the_classes() -> None:
    stages, _, tensors = mask()
    said = spoken(stages, tensors)["out"]
    with Image.open(io.BytesIO(base64.b64decode(said["png"]))) as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), tensors["out"][0])
        assert image.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
    assert said["size"] == [5, 7]
    shares = {entry["label"]: entry["share"] for entry in said["classes"]}
    assert shares["road"] == np.mean(tensors["out"] == 1)
    assert sum(shares.values()) == pytest.approx(1)


def test_a_mask_can_be_had_as_a_png_by_itself() -> None:
    stages, _, tensors = mask()
    assert words.media(plain(stages)) == ("application/json", "image/png")
    assert words.media(plain(classes()[0])) == ("application/json",)
    png = words.picture(plain(stages), tensors)
    assert base64.b64encode(png).decode() == spoken(stages, tensors)["out"]["png"]


def test_a_text_is_said_with_its_tokens_and_its_spaces() -> None:
    stages, _, tensors = text()
    assert spoken(stages, tensors) == {"out": {"text": "a bb", "ids": [1, 3, 2, 2]}}


EMPTY = {
    "none above": lambda: classes(np.zeros_like(SCORES), threshold=0.5),
    "no box": lambda: boxes(np.zeros_like(BOXES)),
    "no text": lambda: text(TEXT[:, :1]),
}
ODD = np.float32([[np.nan, np.inf, -np.inf, -0.0]])
JOURNEYS = {
    "all": classes,
    "top-k": lambda: classes(top_k=3),
    "threshold": lambda: classes(threshold=0.25),
    "odd": lambda: classes(ODD),
    "odd top-k": lambda: classes(ODD, top_k=4),
    "odd threshold": lambda: classes(ODD, threshold=0.25),
    "infinite box": lambda: boxes(np.float32([[[0, 0, 1, 1, np.inf, np.nan]] * 2])),
    "boxes": boxes,
    "mask": mask,
    "text": text,
    **EMPTY,
}


@pytest.mark.parametrize("journey", JOURNEYS)
def test_every_answer_comes_back_from_its_words_as_it_was(journey: str) -> None:
    stages, gives, tensors = JOURNEYS[journey]()
    back = returned(stages, gives, tensors)
    assert same(back, tensors)
    for name, tensor in tensors.items():
        signs = np.signbit(tensor) == np.signbit(back[name]) if tensor.dtype.kind == "f" else True
        assert np.all(signs | np.isnan(tensor))


def test_every_kind_of_float32_comes_back_bit_for_bit() -> None:
    bits = np.random.default_rng(1).integers(0, 2**32, (4, 5000), dtype=np.uint32)
    scores = bits.view(np.float32).T[np.isfinite(bits.view(np.float32)).all(0)]
    for table in ({}, {"top_k": 4}):
        stages, gives, tensors = classes(scores, **table)
        back = returned(stages, gives, tensors, single=False)
        assert all(back[name].tobytes() == tensors[name].tobytes() for name in tensors)


@pytest.mark.parametrize("kinds", [2, 3, 4, 5, 16, 17, 255, 256])
def test_a_mask_of_any_number_of_classes_comes_back(kinds: int) -> None:
    spec = TensorSpec("out", "float32", ("batch", kinds, 16, 16))
    table = MaskAfter()
    stages, gives = table.stages("out", [spec], ROOM), table.gives("out", [spec])
    every = (np.arange(256) % kinds).astype(np.uint8).reshape(1, 16, 16)
    assert same(returned(stages, gives, {"out": every}), {"out": every})


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint64", "bool"])
@pytest.mark.parametrize(
    "shape", [(), (1,), (1, 5), (3, 5), (1, 1, 2), (1, 0), (0, 4), (1, 2, 0, 3)]
)
def test_what_no_step_speaks_of_comes_back_from_nested_lists(
    dtype: str, shape: tuple[int, ...]
) -> None:
    bits = np.random.default_rng(2).integers(0, 255, (*shape, 8), dtype=np.uint8)
    width = np.dtype(dtype).itemsize
    tensor = bits[..., 0] > 99 if dtype == "bool" else bits[..., :width].copy().view(dtype)[..., 0]
    names = [f"axis {axis}" if axis == 0 else size for axis, size in enumerate(shape)]
    gives = [TensorSpec("plain", dtype, tuple(names))]
    tensors = {"plain": np.asarray(tensor)}
    single = not shape or shape[0] != 0
    assert same(returned((), gives, tensors, single=single), tensors)


def test_numbers_that_are_not_finite_are_strings() -> None:
    said = spoken((), {"plain": np.float32([[1.5, np.nan], [np.inf, -np.inf]])})
    assert said == {"plain": [[1.5, "NaN"], ["Infinity", "-Infinity"]]}


def _label_off_by_one(said: dict[str, Any]) -> None:
    said["out"][0]["label"] = "dog" if said["out"][0]["label"] != "dog" else "cat"


def _index_off_by_one(said: dict[str, Any]) -> None:
    key = "index" if "index" in said["out"][0] else "class"
    said["out"][0][key] ^= 1


def _no_such_class(said: dict[str, Any]) -> None:
    said["out"][0]["index" if "index" in said["out"][0] else "class"] = 99


def _no_number(said: dict[str, Any]) -> None:
    said["out"][0]["score"] = "much"


def _renamed(said: dict[str, Any]) -> None:
    said["other"] = said.pop("out")


@pytest.mark.parametrize("journey", [lambda: classes(top_k=2), boxes], ids=["classes", "boxes"])
@pytest.mark.parametrize(
    "mistake", [_label_off_by_one, _index_off_by_one, _no_such_class, _no_number, _renamed]
)
def test_words_that_contradict_themselves_are_refused(journey: Any, mistake: Any) -> None:
    stages, gives, tensors = journey()
    said = spoken(stages, tensors)
    mistake(said)
    with pytest.raises(Unreadable):
        tensors_of(said, gives, stages)


def _swapped_corners(row: dict[str, Any]) -> None:
    row["box"] = [row["box"][i] for i in (1, 0, 3, 2)]


def _sizes_for_corners(row: dict[str, Any]) -> None:
    left, top, right, bottom = row["box"]
    row["box"] = [left, top, right - left, bottom - top]


def _rounded(row: dict[str, Any]) -> None:
    row["box"] = [round(corner) for corner in row["box"]]


@pytest.mark.parametrize("mistake", [_swapped_corners, _sizes_for_corners, _rounded])
def test_a_mistake_in_the_boxes_said_is_seen_beside_the_tensors(mistake: Any) -> None:
    stages, gives, tensors = boxes()
    said = spoken(stages, tensors)
    for row in said["out"]:
        mistake(row)
    assert not same(dict(tensors_of(said, gives, stages)), tensors)


def test_boxes_in_another_order_are_refused() -> None:
    stages, gives, tensors = boxes()
    said = spoken(stages, tensors)
    said["out"].reverse()
    with pytest.raises(Unreadable, match="best first"):
        tensors_of(said, gives, stages)


def test_labels_that_are_all_off_by_one_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_name", lambda names, index: {"label": names[index - 1]})
    for stages, gives, tensors in (classes(), classes(top_k=2), boxes(), mask()):
        with pytest.raises(Unreadable, match="is called"):
            returned(stages, gives, tensors)


@pytest.mark.parametrize(
    ("key", "value"), [("size", [7, 5]), ("classes", []), ("png", ""), ("png", "AAAA")]
)
def test_a_mask_whose_words_are_not_of_its_pixels_is_refused(key: str, value: Any) -> None:
    stages, gives, tensors = mask()
    said = spoken(stages, tensors)
    said["out"][key] = value
    with pytest.raises(Unreadable):
        tensors_of(said, gives, stages)


def test_a_mask_in_other_colours_is_refused() -> None:
    stages, gives, tensors = mask()
    said = spoken(stages, tensors)
    png = words.png_of(tensors["out"][0], [[0, 0, 0], [0, 128, 0], [128, 0, 0]])
    said["out"]["png"] = base64.b64encode(png).decode()
    with pytest.raises(Unreadable, match="colours"):
        tensors_of(said, gives, stages)


def test_a_text_that_its_tokens_do_not_spell_is_refused() -> None:
    stages, gives, tensors = text()
    said = spoken(stages, tensors)
    said["out"]["text"] = "abb"
    with pytest.raises(Unreadable, match="spell"):
        tensors_of(said, gives, stages)
