"""type = "classes": probabilities, thresholds, the best few; on the host and in the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy_targets.records import TensorSpec
from deploy_targets.stages.classes import ClassesAfter

from .answers import both, on_host, same


def logits(classes: int | str, dtype: str = "float32") -> list[TensorSpec]:
    return [TensorSpec("logits", dtype, ("batch", classes))]


def table(**keys: Any) -> ClassesAfter:
    return ClassesAfter.model_validate({"type": "classes", "activation": "none", **keys})


def draw(rng: np.random.Generator, rows: int, classes: int) -> np.ndarray:
    """Scores with many ties, and some that are no numbers."""
    scores = rng.integers(-3, 4, (rows, classes)).astype(np.float32) / 4
    if rng.random() < 0.5:
        odd = rng.random(scores.shape) < 0.1
        scores[odd] = rng.choice([np.nan, np.inf, -np.inf, -0.0], int(odd.sum()))
    return scores


@pytest.mark.parametrize("seed", range(12))
def test_the_best_few_are_the_same_in_the_graph_bit_for_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = int(rng.choice([1, 2, 5, 17, 300, 2000]))
    k = int(rng.choice([1, min(5, classes), classes]))
    given = {"logits": draw(rng, int(rng.integers(0, 6)), classes)}
    assert same(*both(table(top_k=k), "logits", logits(classes), given))


def test_equal_scores_come_in_the_order_of_their_classes_and_no_number_comes_last() -> None:
    scores = np.array([[0.5, np.nan, 0.75, 0.5, -np.inf, 0.75]], np.float32)
    host, graph = both(table(top_k=6), "logits", logits(6), {"logits": scores})
    assert host["logits.indices"].tolist() == [[2, 5, 0, 3, 1, 4]]
    assert same(host, graph)


def test_more_than_there_are_gives_all_that_there_are() -> None:
    stages = table(top_k=3).stages("logits", logits(3), Path())
    assert on_host(stages, {"logits": np.ones((2, 2), np.float32)})["logits.scores"].shape == (2, 2)


@pytest.mark.parametrize("at", [0.0, 0.25, 0.5])
def test_a_score_at_the_threshold_is_not_above_it(at: float) -> None:
    scores = draw(np.random.default_rng(7), 50, 9)
    host, graph = both(table(threshold=at), "logits", logits(9), {"logits": scores})
    assert same(host, graph)
    above = scores > at
    np.testing.assert_array_equal(host["logits"], np.where(above, scores, 0))
    assert above.any()
    assert (scores == at).any()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_probabilities_are_near_those_of_float64_on_both_sides(activation: str, dtype: str) -> None:
    given = np.random.default_rng(3).normal(0, 12, (20, 37)).astype(dtype)
    wide = np.float64(given)
    power = np.exp(wide - wide.max(1, keepdims=True))
    exact = (
        power / power.sum(1, keepdims=True) if activation == "softmax" else 1 / (1 + np.exp(-wide))
    )
    for answer in both(
        table(activation=activation), "logits", logits(37, dtype), {"logits": given}
    ):
        assert answer["logits"].dtype == np.float32
        np.testing.assert_allclose(answer["logits"], exact, rtol=1e-5, atol=1e-37)


def test_a_sigmoid_tells_rare_classes_apart_where_onnx_runtimes_own_says_zero() -> None:
    given = np.array([[-20, -25, -50, -80]], np.float32)
    host, graph = both(table(activation="sigmoid"), "logits", logits(4), {"logits": given})
    np.testing.assert_allclose(graph["logits"], host["logits"], rtol=1e-6)
    assert (np.diff(graph["logits"]) < 0).all()
    assert (graph["logits"] > 0).all()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_scores_that_are_no_numbers_crash_nothing_and_are_the_same(activation: str) -> None:
    odd = [[np.nan, 1, 2], [np.inf, 1, 2], [-np.inf, 1, 2], [-np.inf] * 3, [500, -500, 0]]
    given = {"logits": np.array(odd, np.float32)}
    host, graph = both(table(activation=activation), "logits", logits(3), given)
    np.testing.assert_allclose(graph["logits"], host["logits"], rtol=1e-6)


def test_what_is_given_is_declared() -> None:
    (whole,) = table(activation="softmax").gives("logits", logits(7))
    assert (whole.name, whole.dtype, whole.shape) == ("logits", "float32", ("batch", 7))
    assert whole.kind == "classifier"
    best = table(top_k=3).gives("logits", logits(7))
    assert [(spec.name, spec.dtype, spec.shape) for spec in best] == [
        ("logits.scores", "float32", ("batch", 3)),
        ("logits.indices", "int64", ("batch", 3)),
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"activation": None}, '"softmax" where one class is right'),
        ({"activation": "softmx"}, "'softmax', 'sigmoid' or 'none'"),
        ({"activation": "softmax", "threshold": 0.5}, 'activation = "sigmoid"'),
        ({"threshold": 0.5, "top_k": 5}, "leave out one of them"),
        ({"threshold": 1.5}, "less than 1"),
        ({"top_k": 0}, "greater than or equal to 1"),
        ({"topk": 5}, "Extra inputs are not permitted"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys)


@pytest.mark.parametrize(
    ("keys", "outputs", "words"),
    [
        ({"top_k": 6}, logits(5), "5 at most"),
        ({"labels": ["a", "b"]}, logits(3), "2 names for the 3 classes"),
        ({"activation": "softmax"}, logits(1), 'activation = "sigmoid"'),
        ({}, logits("n"), "fixed number"),
        ({}, logits(3, "int64"), "scores are floats"),
        ({}, [TensorSpec("logits", "float32", (1, 3, 1, 1))], r"expected \[batch, classes\]"),
        ({}, [TensorSpec("other", "float32", (1, 3))], "there are other"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_refused(
    keys: dict[str, Any], outputs: list[TensorSpec], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys).check("logits", outputs)


def test_labels_come_from_a_file_with_one_name_a_line(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes("\ufefftabby\r\ngreat grey owl\r\nçedilla\r\n".encode())
    *_, said = table(labels="labels.txt").stages("logits", logits(3), tmp_path)
    assert said.options["labels"] == ["tabby", "great grey owl", "çedilla"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\nb\n", "2 names for the 3 classes"),
        (b"a\n\nc\n", "line 2 of labels.txt is empty"),
        (b"", "line 1 of labels.txt is empty"),
        (b"\xff\xfea\n", "UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_file_of_labels_that_does_not_fit_is_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        table(labels="labels.txt").stages("logits", logits(3), tmp_path)
