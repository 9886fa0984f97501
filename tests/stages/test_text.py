"""type = "text": CTC, greedily, on the host and in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deploy_targets.records import TensorSpec
from deploy_targets.stages.text import TextAfter

from .answers import ROOM, both, on_host, same


def table(**keys: Any) -> TextAfter:
    return TextAfter.model_validate({"type": "text", **keys})


def tokens(count: int | str, time: int = 1) -> list[TensorSpec]:
    steps: tuple[int | str, ...] = (1, "t", count) if time == 1 else ("t", 1, count)
    return [TensorSpec("tokens", "float32", steps)]


def said(ids: list[int], count: int) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[np.array(ids, int)][None]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_read_is_the_same_in_the_graph(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, steps, time = int(rng.integers(1, 6)), int(rng.integers(0, 40)), int(rng.integers(0, 2))
    given = rng.integers(0, 3, (1, steps, count)).astype(np.float32)
    given[rng.random(given.shape) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
    given = given if time == 1 else given.transpose(1, 0, 2).copy()
    keys = {"blank": int(rng.integers(0, count)), "time": time}
    assert same(*both(table(**keys), "tokens", tokens(count, time), {"tokens": given}))


@pytest.mark.parametrize(
    ("steps", "ids"),
    [
        ([0, 1, 1, 0, 1, 2, 2, 2, 0, 0, 3], [1, 1, 2, 3]),
        ([0, 0, 0], []),
        ([], []),
        ([3], [3]),
        ([2, 0, 2, 2, 0], [2, 2]),
    ],
)
def test_repeats_are_one_and_a_blank_between_them_makes_two(
    steps: list[int], ids: list[int]
) -> None:
    host, graph = both(table(), "tokens", tokens(4), {"tokens": said(steps, 4)})
    assert host["tokens"].tolist() == ids
    assert same(host, graph)


def test_the_blank_may_be_the_last_token() -> None:
    host, graph = both(table(blank=2), "tokens", tokens(3), {"tokens": said([0, 2, 0, 1], 3)})
    assert host["tokens"].tolist() == [0, 0, 1]
    assert same(host, graph)


def test_several_items_at_once_are_refused() -> None:
    stages = table().stages("tokens", tokens(3), ROOM)
    with pytest.raises(ValueError, match="one item"):
        on_host(stages, {"tokens": np.zeros((2, 5, 3), np.float32)})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"labels": ["a"], "alphabet": "a"}, "leave out one of them"),
        ({"space": "|"}, "goes with labels"),
        ({"alphabet": "_ab", "space": ""}, "stands for a space"),
        ({"decoder": "beam"}, "'ctc'"),
        ({"time": 2}, "0 or 1"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys)


@pytest.mark.parametrize(
    ("keys", "outputs", "words"),
    [
        ({"blank": 3}, tokens(3), "tokens 0 to 2"),
        ({"alphabet": "_ab"}, tokens(4), "3 names for the 4 classes"),
        ({}, tokens("c"), "fixed number"),
        ({}, [TensorSpec("tokens", "float32", (5, 3))], r"expected \[1, steps, tokens\]"),
        ({}, [TensorSpec("tokens", "int64", (1, 5, 3))], "scores are floats"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_refused(
    keys: dict[str, Any], outputs: list[TensorSpec], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        table(**keys).check("tokens", outputs)


def test_a_space_that_no_label_has_is_refused() -> None:
    with pytest.raises(ValueError, match="in none of the labels"):
        table(alphabet="_ab", space="|").stages("tokens", tokens(3), ROOM)
